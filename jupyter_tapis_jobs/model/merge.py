"""How a request is laid over its app and system: arguments, environment, inputs, filters (Tapis Jobs, "parameterSet").

Every function takes what the definition says and what the request says and returns what the job has.
The definition's part comes first, in its order; what only the request has follows in the request's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from . import files
from .app import AppArchiveFilter, AppArgument, AppFileInput, AppFileInputArray, AppLogConfig, EnvVariable
from .errors import InvalidInputError, did_you_mean
from .fields import NOT_SET, FileInputMode, InputMode
from .job import ArchiveFilter, Argument, FileInput
from .job import EnvVariable as JobVariable
from .paths import relative
from .patterns import compiled
from .request import (
    ArchiveFilterRequest,
    ArgumentRequest,
    EnvVariableRequest,
    FileInputArrayRequest,
    FileInputRequest,
    LogConfigRequest,
)
from .texts import VARIABLE_NAME, is_blank, refuse_control, refuse_dangerous, shown
from .urls import last_segment

MISSING_ARG = "JOBS_MISSING_ARG"
#: Variables of this beginning are the job's own (``_tapisJobUUID`` ...).
RESERVED = "_tapis"


def joined_description(first: str | None, second: str | None) -> str | None:
    """Return both texts, a blank line between them; a text that is there already is not said twice."""
    if not first or not second:
        return first or second or None
    return first if first == second else f"{first}\n\n{second}"


# --- arguments -------------------------------------------------------------------------------------


def merge_arguments(
    definition: Sequence[AppArgument],
    request: Sequence[ArgumentRequest],
    field: str,
    *,
    default_mode: InputMode = InputMode.INCLUDE_ON_DEMAND,
    blanks_are_errors: bool = True,
) -> tuple[Argument, ...]:
    """Merge one of appArgs, containerArgs, schedulerOptions; *field* is its path in the request.

    Raises ``InvalidInputError`` for a name given twice, a changed FIXED argument, and an argument that
    is needed but has no text (unless *blanks_are_errors* is false: then it is left out).
    """
    if not definition and not request:
        return ()
    _refuse_repeated((item.name for item in definition), f"the app's {field}")
    _refuse_repeated((item.name for item in request), field)
    asked = {item.name: item for item in request if item.name}
    merged: list[tuple[Argument, InputMode | None]] = []
    known: set[str] = set()
    for item in definition:
        mode = item.input_mode or default_mode
        wanted = asked.get(item.name) if item.name else None
        known.add(item.name or "")
        if _is_included(mode, wanted is not None, wanted.include if wanted else None):
            merged.append((_filled_argument(item, mode, wanted, field), mode))
    merged += [(_own_argument(item), None) for item in request if not item.name or item.name not in known]
    return tuple(_with_text(merged, field, blanks_are_errors))


def _is_included(mode: InputMode, is_named: bool, include: bool | None) -> bool:
    """Tell whether the definition's argument or variable is kept, by what the request says of it."""
    if mode is InputMode.INCLUDE_BY_DEFAULT:
        return include is not False
    if mode is InputMode.INCLUDE_ON_DEMAND:
        return is_named and include is not False
    return True


def _filled_argument(
    item: AppArgument, mode: InputMode, wanted: ArgumentRequest | None, field: str
) -> Argument:
    if wanted is None:
        return Argument(arg=item.arg or "", name=item.name, description=item.description, notes=item.notes)
    if mode is InputMode.FIXED:
        _refuse_change(item.arg, wanted.arg, f"{field} '{item.name}'", field)
        _refuse_change(item.notes, wanted.notes, f"notes of {field} '{item.name}'", field)
    return Argument(
        arg=(item.arg if wanted.arg is None else wanted.arg) or "",
        name=item.name,
        description=joined_description(item.description, wanted.description),
        include=wanted.include,
        notes=item.notes if wanted.notes is None else wanted.notes,
    )


def _own_argument(item: ArgumentRequest) -> Argument:
    return Argument(
        arg=item.arg or "",
        name=item.name or None,
        description=item.description,
        include=item.include,
        notes=item.notes,
    )


def _with_text(
    merged: Iterable[tuple[Argument, InputMode | None]], field: str, blanks_are_errors: bool
) -> Iterator[Argument]:
    for argument, mode in merged:
        if not is_blank(argument.arg):
            yield argument
        elif mode is not InputMode.INCLUDE_BY_DEFAULT and blanks_are_errors:
            raise _missing_argument(argument, mode, field)


def _missing_argument(argument: Argument, mode: InputMode | None, field: str) -> InvalidInputError:
    if argument.name is None:
        message = f"an entry of {field} has no arg. Give it a text or leave it out."
    elif mode is InputMode.FIXED:
        message = (
            f"{field} '{argument.name}' is fixed by the app, but empty there. Its owner has to mend the app."
        )
    else:
        needs = "the app needs it" if mode is InputMode.REQUIRED else "it is asked for"
        message = (
            f"{field} '{argument.name}' has no arg, but {needs}. "
            f'Add {{"name": "{argument.name}", "arg": ...}} to {field}.'
        )
    return InvalidInputError(message, field=field, value=argument.arg, code=MISSING_ARG)


def _refuse_repeated(names: Iterable[str | None], field: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name and name in seen:
            raise InvalidInputError(
                f"{field} names '{name}' twice. Give each name once.", field=field, value=name
            )
        if name:
            seen.add(name)


def _refuse_change(fixed: Any, wanted: Any, what: str, field: str) -> None:
    if wanted is not None and wanted != fixed:
        raise InvalidInputError(
            f"{what} is fixed to {shown(fixed)} and cannot be {shown(wanted)}. Leave it out of the request.",
            field=field,
            value=wanted,
        )


# --- environment -----------------------------------------------------------------------------------

_ENV = "parameterSet.envVariables"


@dataclass(slots=True)
class _Variable:
    """A variable on its way; ``value`` is None as long as nobody gave one."""

    key: str
    value: str | None
    mode: InputMode
    description: str | None
    notes: dict[str, Any] | None
    include: bool | None = None


def merge_environment(
    system: Sequence[EnvVariable], app: Sequence[EnvVariable], request: Sequence[EnvVariableRequest]
) -> tuple[JobVariable, ...]:
    """Merge the environment: the system's, under the app's, under the request's; sorted by key.

    Raises ``InvalidInputError`` for keys that are repeated, reserved or no names; for changed FIXED
    values; and for a variable without a value.
    """
    merged = definition_environment(system, app)
    _refuse_repeated((item.key for item in request), _ENV)
    asked = {item.key: item for item in request}
    kept = [_filled_variable(v, asked.get(v.key)) for v in merged.values() if _is_kept(v, asked.get(v.key))]
    kept += [_own_variable(item) for item in request if item.key not in merged]
    final = [_final_variable(variable) for variable in kept]
    return tuple(sorted(final, key=lambda variable: variable.key.lower()))


def definition_environment(system: Sequence[EnvVariable], app: Sequence[EnvVariable]) -> dict[str, _Variable]:
    """Lay the app's variables over the system's: key -> variable."""
    _refuse_repeated((item.key for item in system), "jobEnvVariables of the system")
    _refuse_repeated((item.key for item in app), f"the app's {_ENV}")
    merged = {item.key: _from_system(item) for item in system}
    for item in app:
        below = merged.get(item.key)
        merged[item.key] = _over_system(item, below) if below else _from_app(item)
    return merged


def _started(item: EnvVariable) -> _Variable:
    return _Variable(
        key=item.key,
        value=None if item.value == NOT_SET else item.value,
        mode=item.input_mode or InputMode.INCLUDE_BY_DEFAULT,
        description=item.description,
        notes=item.notes,
    )


def _from_system(item: EnvVariable) -> _Variable:
    variable = _started(item)
    if variable.mode is InputMode.FIXED and variable.value is None:
        raise _definition_fault("system", item.key, "is FIXED but has no value")
    if variable.mode is InputMode.REQUIRED and variable.value is not None:
        raise _definition_fault("system", item.key, f"is REQUIRED, so its value must be {NOT_SET}")
    return variable


def _from_app(item: EnvVariable) -> _Variable:
    variable = _started(item)
    if variable.mode is InputMode.FIXED and variable.value is None:
        raise _definition_fault("app", item.key, "is FIXED but has no value")
    return variable


def _over_system(item: EnvVariable, below: _Variable) -> _Variable:
    variable = _started(item)
    if below.mode is InputMode.FIXED:
        if variable.mode is not InputMode.FIXED or variable.value != below.value:
            raise _definition_fault(
                "app",
                item.key,
                f"is fixed by the system to {shown(below.value)}; the app must say the same or nothing",
            )
        _refuse_change(below.notes, variable.notes, f"notes of variable '{item.key}'", _ENV)
    if below.mode is InputMode.REQUIRED and variable.mode is not InputMode.FIXED:
        variable.mode = InputMode.REQUIRED
    if variable.value is None:
        variable.value = below.value
    if variable.mode is InputMode.FIXED and variable.value is None:
        raise _definition_fault("app", item.key, "is FIXED but has no value")
    variable.description = joined_description(below.description, variable.description)
    variable.notes = below.notes if variable.notes is None else variable.notes
    return variable


def _definition_fault(whose: str, key: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"environment variable {key} of the {whose} {why}. The {whose}'s owner has to mend it.",
        field=_ENV,
        value=key,
    )


def _is_kept(variable: _Variable, wanted: EnvVariableRequest | None) -> bool:
    """An unset variable that the request ignores is no error when it is only there by default."""
    if not _is_included(variable.mode, wanted is not None, wanted.include if wanted else None):
        return False
    return (
        variable.value is not None or wanted is not None or variable.mode is not InputMode.INCLUDE_BY_DEFAULT
    )


def _filled_variable(variable: _Variable, wanted: EnvVariableRequest | None) -> _Variable:
    if wanted is None:
        return variable
    value = None if wanted.value == NOT_SET else wanted.value
    if variable.mode is InputMode.FIXED:
        _refuse_change(variable.value, value, f"environment variable {variable.key}", _ENV)
        _refuse_change(variable.notes, wanted.notes, f"notes of variable {variable.key}", _ENV)
    return _Variable(
        key=variable.key,
        value=variable.value if value is None else value,
        mode=variable.mode,
        description=joined_description(variable.description, wanted.description),
        notes=variable.notes if wanted.notes is None else wanted.notes,
        include=wanted.include,
    )


def _own_variable(item: EnvVariableRequest) -> _Variable:
    value = None if item.value == NOT_SET else item.value
    return _Variable(
        item.key, value, InputMode.INCLUDE_BY_DEFAULT, item.description, item.notes, item.include
    )


def _final_variable(variable: _Variable) -> JobVariable:
    if variable.value is None:
        raise InvalidInputError(
            f"environment variable {variable.key} has no value. "
            f'Add {{"key": "{variable.key}", "value": ...}} to {_ENV}.',
            field=_ENV,
            value=variable.key,
        )
    refuse_bad_key(variable.key, _ENV)
    refuse_control(
        variable.value, f"value of environment variable {variable.key}", "Put such text into an input file."
    )
    return JobVariable(
        key=variable.key,
        value=variable.value,
        description=variable.description,
        include=variable.include,
        notes=variable.notes,
    )


def refuse_bad_key(key: str, field: str) -> None:
    """Raise ``InvalidInputError`` unless *key* can name a variable and is not one of the job's own."""
    if not VARIABLE_NAME.fullmatch(key):
        raise InvalidInputError(
            f"{field}: {shown(key)} cannot name a variable. Use letters, digits and _, no digit first.",
            field=field,
            value=key,
        )
    if key.startswith(RESERVED):
        raise InvalidInputError(
            f"{field}: {key} begins with {RESERVED}, which is kept for the job's own variables. Choose another name.",
            field=field,
            value=key,
        )


def with_input_keys(
    variables: tuple[JobVariable, ...], values: Iterable[tuple[str | None, str]]
) -> tuple[JobVariable, ...]:
    """Add the variables that inputs set by their ``envKey``: (key, target) pairs; a collision is an error."""
    added = [(key, target) for key, target in values if key]
    if not added:
        return variables
    taken = {variable.key for variable in variables}
    for key, _ in added:
        refuse_bad_key(key, "fileInputs.envKey")
        if key in taken:
            raise InvalidInputError(
                f"fileInputs.envKey {key} is already an environment variable of the job. Choose another name.",
                field="fileInputs.envKey",
                value=key,
            )
        taken.add(key)
    more = (JobVariable(key=key, value=target) for key, target in added)
    return tuple(sorted((*variables, *more), key=lambda variable: variable.key.lower()))


# --- inputs ----------------------------------------------------------------------------------------

_INPUTS = "fileInputs"
_ARRAYS = "fileInputArrays"


def merge_inputs(
    definition: Sequence[AppFileInput], request: Sequence[FileInputRequest], *, strict: bool
) -> tuple[FileInput, ...]:
    """Merge single inputs. *strict*: a request may give only inputs that the app names."""
    if not definition and not request:
        return ()
    _check_names(definition, request, strict, _INPUTS)
    asked = {item.name: item for item in request if item.name}
    named = {item.name for item in definition if item.name}
    merged = [_app_input(item, asked.get(item.name) if item.name else None) for item in definition]
    own = [_own_input(item, number) for number, item in enumerate(request) if item.name not in named]
    return tuple(item for item in (*merged, *own) if item is not None)


def _check_names(
    definition: Sequence[AppFileInput] | Sequence[AppFileInputArray],
    request: Sequence[FileInputRequest] | Sequence[FileInputArrayRequest],
    strict: bool,
    field: str,
) -> None:
    _refuse_repeated((item.name for item in definition), f"the app's {field}")
    _refuse_repeated((item.name for item in request), field)
    if not strict:
        return
    names = [item.name for item in definition if item.name]
    for number, item in enumerate(request):
        if item.name not in names:
            what = f"'{item.name}'" if item.name else f"an input without a name ({field}[{number}])"
            raise InvalidInputError(
                f"{field}: the app takes only the inputs that it names, and {what} is not one of them."
                f"{did_you_mean(item.name or '', names)} Inputs: {', '.join(names) or 'none'}.",
                field=field,
                value=item.name,
            )


def _app_input(item: AppFileInput, wanted: FileInputRequest | None) -> FileInput | None:
    """Return the app's input as the request fills it; None for an optional one that is not given."""
    mode = item.input_mode or FileInputMode.OPTIONAL
    label = f"{_INPUTS} '{item.name}'" if item.name else f"an input of the app ({item.target_path})"
    if wanted and mode is FileInputMode.FIXED:
        for theirs, ours, what in (
            (item.source_url, wanted.source_url, "sourceUrl"),
            (item.target_path, wanted.target_path, "targetPath"),
            (item.env_key, wanted.env_key, "envKey"),
            (item.notes, wanted.notes, "notes"),
            # Null stands for true.
            (item.auto_mount_local is not False, wanted.auto_mount_local, "autoMountLocal"),
        ):
            _refuse_change(theirs, ours if ours != "" else None, f"{what} of {label}", _INPUTS)
    source = _first_said(wanted and wanted.source_url, item.source_url)
    target = _first_said(wanted and wanted.target_path, item.target_path)
    if source is None:
        if mode is FileInputMode.OPTIONAL:
            return None
        raise _missing_source(label, mode, item.name)
    if target is None and wanted is None and mode is FileInputMode.OPTIONAL:
        return None
    return FileInput(
        source_url=source,
        target_path=target or "",
        name=item.name,
        description=joined_description(item.description, wanted and wanted.description),
        env_key=_first_said(wanted and wanted.env_key, item.env_key),
        auto_mount_local=_first_flag(wanted and wanted.auto_mount_local, item.auto_mount_local),
        optional=mode is FileInputMode.OPTIONAL,
        notes=(wanted and wanted.notes) or item.notes,
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
        auto_mount_local=_first_flag(item.auto_mount_local),
        notes=item.notes,
    )


def _missing_source(label: str, mode: FileInputMode, name: str | None) -> InvalidInputError:
    if mode is FileInputMode.FIXED:
        way_out = "The app's owner has to give it a sourceUrl."
    else:
        way_out = f'Add {{"name": "{name}", "sourceUrl": ...}} to {_INPUTS}.'
    return InvalidInputError(
        f"{label} is needed by the app and has no sourceUrl. {way_out}", field=_INPUTS, value=name
    )


def _first_said(*texts: str | None) -> str | None:
    return next((text for text in texts if not is_blank(text)), None)


def _first_flag(*flags: bool | None) -> bool:
    return next((flag for flag in flags if flag is not None), True)


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


def _app_array(item: AppFileInputArray, wanted: FileInputArrayRequest | None) -> InputArray | None:
    mode = item.input_mode or FileInputMode.OPTIONAL
    label = f"{_ARRAYS} '{item.name}'"
    if wanted and mode is FileInputMode.FIXED:
        for theirs, ours, what in (
            (item.source_urls, wanted.source_urls, "sourceUrls"),
            (item.target_dir, wanted.target_dir, "targetDir"),
            (item.env_key, wanted.env_key, "envKey"),
            (item.notes, wanted.notes, "notes"),
        ):
            _refuse_change(theirs, ours or None, f"{what} of {label}", _ARRAYS)
    urls = (wanted and wanted.source_urls) or item.source_urls
    target = _first_said(wanted and wanted.target_dir, item.target_dir)
    if not urls:
        if mode is FileInputMode.OPTIONAL:
            return None
        raise InvalidInputError(
            f'{label} is needed by the app and has no sourceUrls. Add {{"name": "{item.name}", "sourceUrls": [...]}} '
            f"to {_ARRAYS}.",
            field=_ARRAYS,
            value=item.name,
        )
    if target is None and wanted is None and mode is FileInputMode.OPTIONAL:
        return None
    return InputArray(
        name=item.name,
        source_urls=tuple(urls),
        target_dir=_target_dir(target),
        env_key=_first_said(wanted and wanted.env_key, item.env_key),
        description=joined_description(item.description, wanted and wanted.description),
        optional=mode is FileInputMode.OPTIONAL,
        notes=(wanted and wanted.notes) or item.notes,
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


# --- filters and logs ------------------------------------------------------------------------------


def merge_archive_filter(
    definition: AppArchiveFilter | None, request: ArchiveFilterRequest | None
) -> ArchiveFilter:
    """Append the app's patterns to the request's; raises ``InvalidInputError`` for a bad pattern."""
    said = [part for part in (request, definition) if part is not None]
    merged = ArchiveFilter(
        includes=_patterns(part.includes for part in said),
        excludes=_patterns(part.excludes for part in said),
        include_launch_files=_first_flag(*(part.include_launch_files for part in said)),
    )
    for pattern in (*merged.includes, *merged.excludes):
        refuse_control(pattern, "parameterSet.archiveFilter")
        compiled(pattern)
    return merged


def _patterns(lists: Iterable[list[str] | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pattern for some in lists for pattern in some or ()))


def merge_log_config(definition: AppLogConfig | None, request: LogConfigRequest | None) -> tuple[str, str]:
    """Return the names of stdout and stderr: the request's, else the app's, else both ``tapisjob.out``."""
    for part in (request, definition):
        if part is None:
            continue
        out, err = part.stdout_filename, part.stderr_filename
        if is_blank(out) and is_blank(err):
            continue
        if is_blank(out) or is_blank(err):
            missing = "stdoutFilename" if is_blank(out) else "stderrFilename"
            raise InvalidInputError(
                f"parameterSet.logConfig has no {missing}. Name both files or none; the same name twice merges them.",
                field=f"parameterSet.logConfig.{missing}",
            )
        for name in (out or "", err or ""):
            refuse_dangerous(name, "parameterSet.logConfig")
        return out or "", err or ""
    return files.STDOUT, files.STDOUT
