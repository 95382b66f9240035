"""The inputs of a job: those of its app as the request fills them, then the request's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .app import App, AppFileInput, AppFileInputArray
from .errors import InvalidInputError, did_you_mean
from .fields import FileInputMode
from .job import FileInput
from .merge import first_flag, joined_description, refuse_change, refuse_repeated
from .paths import relative
from .request import FileInputArrayRequest, FileInputRequest, SubmitRequest
from .texts import is_blank, shown
from .urls import checked_url, is_data, last_segment

_INPUTS = "fileInputs"
_ARRAYS = "fileInputArrays"
_NOT_NAMED = FileInputRequest.model_validate({})
_ARRAY_NOT_NAMED = FileInputArrayRequest.model_validate({})


def inputs_of(request: SubmitRequest, app: App) -> tuple[tuple[FileInput, ...], list[tuple[str | None, str]]]:
    """Return the inputs, ready to be copied, and (envKey, target) pairs."""
    attributes = app.job_attributes
    singles = merge_inputs(
        attributes.file_inputs or (), request.file_inputs or (), strict=app.strict_file_inputs
    )
    arrays = merge_input_arrays(
        attributes.file_input_arrays or (), request.file_input_arrays or (), strict=app.strict_file_inputs
    )
    inputs = tuple(map(_located, (*singles, *array_inputs(arrays))))
    keys = [(item.env_key, item.target_path) for item in inputs if item.env_key]
    return inputs, [*keys, *((array.env_key, array.target_dir) for array in arrays if array.env_key)]


def _located(item: FileInput) -> FileInput:
    """Check the URL and settle the target: blank or ``*`` is the source's own name."""
    label = f"fileInputs '{item.name}'" if item.name else "fileInputs"
    url = checked_url(item.source_url, f"sourceUrl of {label}")
    target = item.target_path
    if is_blank(target) or target == "*":
        target = last_segment(url)
    target = relative(target, f"targetPath of {label}")
    if not target:
        why = "a data: URL has no name" if is_data(url) else f"{shown(url)} ends without a name"
        raise InvalidInputError(
            f"{label} has no targetPath, and {why}. Give it a targetPath.",
            field="fileInputs.targetPath",
            value=url[:200],
        )
    if url == item.source_url and target == item.target_path:
        return item
    return FileInput(
        source_url=url,
        target_path=target,
        name=item.name,
        description=item.description,
        env_key=item.env_key,
        auto_mount_local=item.auto_mount_local,
        optional=item.optional,
        notes=item.notes,
    )


def merge_inputs(
    definition: Sequence[AppFileInput], request: Sequence[FileInputRequest], *, strict: bool
) -> tuple[FileInput, ...]:
    """Merge single inputs. *strict*: a request may give only inputs that the app names."""
    if not definition and not request:
        return ()
    _check_names(definition, request, strict, _INPUTS)
    asked = {_key(item): item for item in request if _key(item)}
    offered = {_key(item) for item in definition if _key(item)}
    merged = [_app_input(item, asked.get(_key(item))) for item in definition]
    own = [_own_input(item, number) for number, item in enumerate(request) if _key(item) not in offered]
    return tuple(item for item in (*merged, *own) if item is not None)


def _key(item: AppFileInput | FileInputRequest) -> tuple[str, str] | None:
    """What a request and an app mean the same input by: its name; of one without a name its target.

    Ours: production apps have inputs without names, which Tapis lets nobody fill.
    """
    if item.name:
        return ("name", item.name)
    return ("target", item.target_path) if item.target_path and item.target_path != "*" else None


def _check_names(
    definition: Sequence[AppFileInput | AppFileInputArray],
    request: Sequence[FileInputRequest | FileInputArrayRequest],
    strict: bool,
    field: str,
) -> None:
    refuse_repeated([item.name for item in definition], f"the app's {field}")
    refuse_repeated([item.name for item in request], field)
    _refuse_same(request, field)
    if not strict:
        return
    names = [item.name for item in definition if item.name]
    targets = [i.target_path for i in definition if isinstance(i, AppFileInput) and not i.name]
    for number, item in enumerate(request):
        fills = isinstance(item, FileInputRequest) and not item.name and item.target_path in targets
        if item.name not in names and not fills:
            what = f"'{item.name}'" if item.name else f"an input without a name ({field}[{number}])"
            raise InvalidInputError(
                f"{field}: the app takes only the inputs that it names, and {what} is not one of them."
                f"{did_you_mean(item.name or '', names)} Inputs: {', '.join(names) or 'none'}.",
                field=field,
                value=item.name,
            )


def _refuse_same(request: Sequence[FileInputRequest | FileInputArrayRequest], field: str) -> None:
    """Raise ``InvalidInputError`` when the very same entry is there twice: one of them is a slip."""
    if len(request) < 2:
        return
    seen: set[tuple[Any, ...]] = set()
    for number, item in enumerate(request):
        key: tuple[Any, ...]
        if isinstance(item, FileInputRequest):
            key = (item.source_url, item.target_path)
        else:
            key = (*(item.source_urls or ()), item.target_dir)
        if not item.name and key in seen:
            raise InvalidInputError(
                f"{field}[{number}] is there already: {shown(key[0])}. Leave one of the two out.",
                field=field,
                value=key[0],
            )
        seen.add(key)


def _app_input(item: AppFileInput, asked: FileInputRequest | None) -> FileInput | None:
    """Return the app's input as the request fills it; None for an optional one that is not given."""
    is_named, wanted = asked is not None, asked or _NOT_NAMED
    mode = item.input_mode or FileInputMode.OPTIONAL
    label = f"{_INPUTS} '{item.name}'" if item.name else f"an input of the app ({item.target_path})"
    if is_named and mode is FileInputMode.FIXED:
        for theirs, ours, what in (
            (item.source_url, wanted.source_url, "sourceUrl"),
            (item.target_path, wanted.target_path, "targetPath"),
            (item.env_key, wanted.env_key, "envKey"),
            (item.notes, wanted.notes, "notes"),
            # Null stands for true.
            (item.auto_mount_local is not False, wanted.auto_mount_local, "autoMountLocal"),
        ):
            refuse_change(theirs, ours if ours != "" else None, f"{what} of {label}", _INPUTS)
    source = _first_said(wanted.source_url, item.source_url)
    target = _first_said(wanted.target_path, item.target_path)
    if source is None:
        if mode is FileInputMode.OPTIONAL:
            return None
        raise _missing_source(label, mode, item)
    if target is None and not is_named and mode is FileInputMode.OPTIONAL:
        return None
    return FileInput(
        source_url=source,
        target_path=target or "",
        name=item.name,
        description=joined_description(item.description, wanted.description),
        env_key=_first_said(wanted.env_key, item.env_key),
        auto_mount_local=first_flag(wanted.auto_mount_local, item.auto_mount_local),
        optional=mode is FileInputMode.OPTIONAL,
        notes=wanted.notes or item.notes,
    )


def _own_input(item: FileInputRequest, number: int) -> FileInput:
    if is_blank(item.source_url):
        label = f"'{item.name}'" if item.name else f"[{number}]"
        raise InvalidInputError(
            f"{_INPUTS}{label if label[0] == '[' else ' ' + label} has no sourceUrl. "
            "Give one, for example tapis://local/home/me/data.csv.",
            field=f"{_INPUTS}[{number}].sourceUrl",
            value=item.source_url,
        )
    return FileInput(
        source_url=item.source_url or "",
        target_path=item.target_path or "",
        name=item.name or None,
        description=item.description,
        env_key=item.env_key or None,
        auto_mount_local=first_flag(item.auto_mount_local),
        notes=item.notes,
    )


def _missing_source(label: str, mode: FileInputMode, item: AppFileInput) -> InvalidInputError:
    named = f'"name": "{item.name}", "sourceUrl": ...' if item.name else None
    by_target = f'"sourceUrl": ..., "targetPath": "{item.target_path}"'
    if mode is FileInputMode.FIXED:
        way_out = "The app's owner has to give it a sourceUrl."
    else:
        way_out = f"Add {{{named or by_target}}} to {_INPUTS}."
    return InvalidInputError(
        f"{label} is needed by the app and has no sourceUrl. {way_out}", field=_INPUTS, value=item.name
    )


def _first_said(*texts: str | None) -> str | None:
    return next((text for text in texts if not is_blank(text)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputArray:
    """Several inputs of one directory, after the merge."""

    name: str | None
    source_urls: tuple[str, ...]
    #: Relative to the input directory; empty for that directory itself.
    target_dir: str
    env_key: str | None = None
    description: str | None = None
    optional: bool = False
    notes: dict[str, Any] | None = None


def merge_input_arrays(
    definition: Sequence[AppFileInputArray], request: Sequence[FileInputArrayRequest], *, strict: bool
) -> tuple[InputArray, ...]:
    """Merge arrays of inputs, by the rules of single ones; the URLs are replaced as a whole."""
    if not definition and not request:
        return ()
    _check_names(definition, request, strict, _ARRAYS)
    asked = {item.name: item for item in request if item.name}
    named = {item.name for item in definition if item.name}
    merged = [_app_array(item, asked.get(item.name) if item.name else None) for item in definition]
    own = [_own_array(item, number) for number, item in enumerate(request) if item.name not in named]
    return tuple(item for item in (*merged, *own) if item is not None)


def _app_array(item: AppFileInputArray, asked: FileInputArrayRequest | None) -> InputArray | None:
    is_named, wanted = asked is not None, asked or _ARRAY_NOT_NAMED
    mode = item.input_mode or FileInputMode.OPTIONAL
    label = f"{_ARRAYS} '{item.name}'"
    if is_named and mode is FileInputMode.FIXED:
        for theirs, ours, what in (
            (item.source_urls, wanted.source_urls, "sourceUrls"),
            (item.target_dir, wanted.target_dir, "targetDir"),
            (item.env_key, wanted.env_key, "envKey"),
            (item.notes, wanted.notes, "notes"),
        ):
            refuse_change(theirs, ours or None, f"{what} of {label}", _ARRAYS)
    urls = wanted.source_urls or item.source_urls
    target = _first_said(wanted.target_dir, item.target_dir)
    if not urls:
        if mode is FileInputMode.OPTIONAL:
            return None
        raise InvalidInputError(
            f"{label} is needed by the app and has no sourceUrls. "
            f'Add {{"name": "{item.name}", "sourceUrls": [...]}} '
            f"to {_ARRAYS}.",
            field=_ARRAYS,
            value=item.name,
        )
    if target is None and not is_named and mode is FileInputMode.OPTIONAL:
        return None
    return InputArray(
        name=item.name,
        source_urls=tuple(urls),
        target_dir=_target_dir(target),
        env_key=_first_said(wanted.env_key, item.env_key),
        description=joined_description(item.description, wanted.description),
        optional=mode is FileInputMode.OPTIONAL,
        notes=wanted.notes or item.notes,
    )


def _own_array(item: FileInputArrayRequest, number: int) -> InputArray:
    field = f"{_ARRAYS}[{number}].sourceUrls"
    if not item.source_urls:
        raise InvalidInputError(
            f"{field} is empty. Give at least one URL or leave the entry out.", field=field
        )
    return InputArray(
        name=item.name or None,
        source_urls=tuple(item.source_urls),
        target_dir=_target_dir(item.target_dir),
        env_key=item.env_key or None,
        description=item.description,
        notes=item.notes,
    )


def _target_dir(target: str | None) -> str:
    return "" if is_blank(target) or target == "*" else relative(target or "", f"{_ARRAYS}.targetDir")


def array_inputs(arrays: Sequence[InputArray]) -> tuple[FileInput, ...]:
    """Return the single inputs that arrays stand for, named ``<name>_<array>.<number>``, both from 1."""
    return tuple(
        _array_input(array, url, f"{array.name or 'unnamed'}_{i}.{j}")
        for i, array in enumerate(arrays, 1)
        for j, url in enumerate(array.source_urls, 1)
    )


def _array_input(array: InputArray, url: str, name: str) -> FileInput:
    if url.startswith("tapislocal:"):
        raise InvalidInputError(
            f"{_ARRAYS}: {shown(url)} is not copied and so has no place in an array. Move it to {_INPUTS}.",
            field=_ARRAYS,
            value=url,
        )
    return FileInput(
        source_url=url,
        target_path=f"{array.target_dir}/{last_segment(url)}".lstrip("/"),
        name=name,
        description=array.description,
        auto_mount_local=False,
        optional=array.optional,
        notes=array.notes,
    )
