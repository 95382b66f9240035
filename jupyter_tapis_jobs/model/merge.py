"""How a request is laid over its app: arguments, filters, log names (Tapis Jobs, "parameterSet").

Every function takes what the definition says and what the request says and returns what the job has.
The definition's part comes first, in its order; what only the request has follows in the request's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from . import files
from .app import AppArchiveFilter, AppArgument, AppLogConfig
from .errors import InvalidInputError
from .fields import InputMode
from .job import ArchiveFilter, Argument
from .patterns import compiled
from .request import ArchiveFilterRequest, ArgumentRequest, LogConfigRequest
from .texts import is_blank, refuse_control, refuse_dangerous, shown

MISSING_ARG = "JOBS_MISSING_ARG"
_EVERYTHING = ArchiveFilter()


def joined_description(first: str | None, second: str | None) -> str | None:
    """Return both texts, a blank line between them; a text that is there already is not said twice."""
    if not first or not second:
        return first or second or None
    return first if first == second else f"{first}\n\n{second}"


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
    refuse_repeated([item.name for item in definition], f"the app's {field}")
    refuse_repeated([item.name for item in request], field)
    asked = {item.name: item for item in request if item.name}
    merged: list[tuple[Argument, InputMode | None]] = []
    known: set[str] = set()
    for item in definition:
        mode = item.input_mode or default_mode
        wanted = asked.get(item.name) if item.name else None
        known.add(item.name or "")
        if is_included(mode, wanted is not None, wanted.include if wanted else None):
            merged.append((_filled_argument(item, mode, wanted, field), mode))
    merged += [(_own_argument(item), None) for item in request if not item.name or item.name not in known]
    return tuple(_with_text(merged, field, blanks_are_errors))


def is_included(mode: InputMode, is_named: bool, include: bool | None) -> bool:
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
        refuse_change(item.arg, wanted.arg, f"{field} '{item.name}'", field)
        refuse_change(item.notes, wanted.notes, f"notes of {field} '{item.name}'", field)
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


def merge_archive_filter(
    definition: AppArchiveFilter | None, request: ArchiveFilterRequest | None
) -> ArchiveFilter:
    """Append the app's patterns to the request's; raises ``InvalidInputError`` for a bad pattern."""
    if definition is None and request is None:
        return _EVERYTHING
    said = [part for part in (request, definition) if part is not None]
    merged = ArchiveFilter(
        includes=_patterns(part.includes for part in said),
        excludes=_patterns(part.excludes for part in said),
        include_launch_files=first_flag(*(part.include_launch_files for part in said)),
    )
    for pattern in (*merged.includes, *merged.excludes):
        refuse_control(pattern, "parameterSet.archiveFilter")
        compiled(pattern)
    return merged


def _patterns(lists: Iterable[list[str] | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pattern for some in lists for pattern in some or ()))


def merge_log_config(definition: AppLogConfig | None, request: LogConfigRequest | None) -> tuple[str, str]:
    """Return the names of stdout and stderr: the request's, the app's, or both ``tapisjob.out``."""
    for part in (request, definition):
        if part is None:
            continue
        out, err = part.stdout_filename, part.stderr_filename
        if is_blank(out) and is_blank(err):
            continue
        if is_blank(out) or is_blank(err):
            missing = "stdoutFilename" if is_blank(out) else "stderrFilename"
            raise InvalidInputError(
                f"parameterSet.logConfig has no {missing}. "
                "Name both files or none; the same name twice merges them.",
                field=f"parameterSet.logConfig.{missing}",
            )
        for name in (out or "", err or ""):
            refuse_dangerous(name, "parameterSet.logConfig")
        return out or "", err or ""
    return files.STDOUT, files.STDOUT


def refuse_repeated(names: Sequence[str | None], field: str) -> None:
    """Raise ``InvalidInputError`` when a name, None left aside, comes twice."""
    if len(names) < 2:
        return
    seen: set[str] = set()
    for name in names:
        if name and name in seen:
            raise InvalidInputError(
                f"{field} names '{name}' twice. Give each name once.", field=field, value=name
            )
        if name:
            seen.add(name)


def refuse_change(fixed: Any, wanted: Any, what: str, field: str) -> None:
    """Raise ``InvalidInputError`` when *wanted* is said and differs from what is *fixed*."""
    if wanted is not None and wanted != fixed:
        raise InvalidInputError(
            f"{what} is fixed to {shown(fixed)} and cannot be {shown(wanted)}. Leave it out of the request.",
            field=field,
            value=wanted,
        )


def first_flag(*flags: bool | None) -> bool:
    """Return the first flag that is said; true when none is."""
    return next((flag for flag in flags if flag is not None), True)
