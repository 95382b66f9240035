"""The parts of a template that differ from case to case, read once and made for each case."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from .arguments import quoter_after
from .case_expressions import Expression, ExpressionError, Scope, split
from .case_values import Row, UnfitError, plain_value
from .errors import InvalidInputError
from .names import inner_name
from .placeholders import OPEN
from .texts import shown

#: Makes its part of the request from a case.
Part = Callable[[Row], Any]
#: The way to a part: keys and positions.
Path = tuple[str | int, ...]

_WHOLE = {"node_count", "cores_per_node", "memory_mb", "max_minutes", "ttl_minutes"}
_TRUTHS = {
    "archive_on_app_error",
    "auto_mount_local",
    "dynamic_exec_system",
    "enabled",
    "include",
    "include_launch_files",
    "is_mpi",
}
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|data:")
_URL_SAFE = "/@:+,=~"


class Reader:
    """Reads a template; ``read`` gives the part of a case, ``unrendered`` what stands for the template."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def read(self, node: Any, path: Path) -> Part | None:
        """Return what makes the part at *path*, None where all cases share it as it is."""
        if isinstance(node, str):
            return self._text(node, path)
        if isinstance(node, PurePath):
            return _as_path(type(node), self._text(str(node), path))
        if isinstance(node, Mapping):
            return self._mapping(node, path)
        if isinstance(node, list | tuple):
            return self._sequence(node, path)
        return None

    def unrendered(self, node: Any, path: Path = ()) -> Any:
        """Return *node* with its expressions in their normal form, values of defaults put in."""
        if isinstance(node, str):
            found = (
                piece if isinstance(piece, str) else piece.normal(self._scope.defaults)
                for piece in split(self._scope, node, name_of(path))
            )
            return "".join(found)
        if isinstance(node, Mapping):
            return {
                self.unrendered(str(key), path): self.unrendered(value, (*path, str(key)))
                for key, value in node.items()
            }
        if isinstance(node, list | tuple):
            return [self.unrendered(item, (*path, index)) for index, item in enumerate(node)]
        return node

    def _mapping(self, node: Mapping[Any, Any], path: Path) -> Part | None:
        keys = {key: self._text(key, path) if isinstance(key, str) else None for key in node}
        parts = {key: self.read(value, (*path, str(key))) for key, value in node.items()}
        if any(keys.values()):
            return _renamed(node, keys, parts, path)
        changing = [(key, part) for key, part in parts.items() if part is not None]
        if not changing:
            return None
        base = dict(node)

        def render(row: Row) -> dict[Any, Any]:
            found = base.copy()
            for key, part in changing:
                found[key] = part(row)
            return found

        return render

    def _sequence(self, node: list[Any] | tuple[Any, ...], path: Path) -> Part | None:
        parts = [self.read(item, (*path, index)) for index, item in enumerate(node)]
        changing = [(index, part) for index, part in enumerate(parts) if part is not None]
        if not changing:
            return None

        def render(row: Row) -> list[Any] | tuple[Any, ...]:
            found = list(node)
            for index, part in changing:
                found[index] = part(row)
            return found if isinstance(node, list) else tuple(found)

        return render

    def _text(self, text: str, path: Path) -> Part | None:
        if OPEN not in text:
            return None
        found = split(self._scope, text, name_of(path))
        if not any(isinstance(piece, Expression) for piece in found):
            whole = "".join(map(str, found))
            return None if whole == text else lambda row: whole
        return _maker(found, path)


def _maker(found: Sequence[str | Expression], path: Path) -> Part:
    """Return what makes a text, or the value that the field at *path* wants."""
    name = inner_name(str(next((key for key in reversed(path) if isinstance(key, str)), "")))
    top = path[0] if path else ""
    if top in ("files", "script", "env"):
        return _joined(found)
    if path == ("args",) or (name == "arg" and path[:-1] != ("args",)):
        return _quoted(found)
    if top == "inputs" or name in ("source_url", "source_urls"):
        return _address(found)
    if top == "args":
        return _joined(found)
    if name in _WHOLE:
        return _converted(found, name_of(path), _whole, "a whole number")
    if name in _TRUTHS:
        return _converted(found, name_of(path), _truth, "true or false")
    only = found[0]
    if "notes" in path and len(found) == 1 and isinstance(only, Expression):
        return only.value
    return _joined(found)


def _joined(found: Sequence[str | Expression]) -> Part:
    return lambda row: "".join(
        [piece if isinstance(piece, str) else str(piece.value(row)) for piece in found]
    )


def _quoted(found: Sequence[str | Expression]) -> Part:
    """An argument: values are data, whatever quotes they stand in."""
    parts: list[tuple[Callable[[str], str], str | Expression]] = []
    before = ""
    for piece in found:
        parts.append((str if isinstance(piece, str) else quoter_after(before), piece))
        before += piece if isinstance(piece, str) else ""
    return lambda row: "".join(
        [piece if isinstance(piece, str) else mark(str(piece.value(row))) for mark, piece in parts]
    )


def _address(found: Sequence[str | Expression]) -> Part:
    """An address: values are parts of its path. A path, or an address that begins with a value, is text."""
    if not isinstance(found[0], str) or not _ADDRESS.match(found[0]):
        return _joined(found)
    return lambda row: "".join(
        [piece if isinstance(piece, str) else quote(str(piece.value(row)), safe=_URL_SAFE) for piece in found]
    )


def _converted(
    found: Sequence[str | Expression], name: str, convert: Callable[[Any], Any], wanted: str
) -> Part:
    join = _joined(found)
    first = next(piece for piece in found if isinstance(piece, Expression))

    def render(row: Row) -> Any:
        given = first.value(row) if len(found) == 1 else join(row)
        value = convert(given)
        if value is None:
            raise ExpressionError(first, f"{name} needs {wanted}, not {shown(given, 30)}.")
        return value

    return render


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        found = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if isinstance(value, str) or found == value else None


def _truth(value: Any) -> bool | None:
    text = str(value).strip().lower()
    return True if text in _TRUE else False if text in _FALSE else None


def _as_path(kind: type[PurePath], part: Part | None) -> Part | None:
    return None if part is None else lambda row: kind(part(row))


def _renamed(
    node: Mapping[Any, Any], keys: Mapping[Any, Part | None], parts: Mapping[Any, Part | None], path: Path
) -> Part:
    """A mapping whose names hold expressions."""
    rows = [(key, keys[key], parts[key], value) for key, value in node.items()]

    def render(row: Row) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key, name_part, part, value in rows:
            name = key if name_part is None else name_part(row)
            if name in found:
                raise InvalidInputError(f"{name_of(path)} has the name '{name}' twice.", field=name_of(path))
            found[name] = value if part is None else part(row)
        return found

    return render


def plain_request(node: Any, path: Path = ()) -> Any:
    """Return *node* with numbers of numpy, dates and the like in plain form; bytes and paths stay.

    Raises ``InvalidInputError`` that names the place of what no request can hold.
    """
    if node is None or isinstance(node, bytes | PurePath):
        return node
    if isinstance(node, bytearray):
        return bytes(node)
    if isinstance(node, Mapping):
        return {str(key): plain_request(value, (*path, str(key))) for key, value in node.items()}
    if (isinstance(node, Sequence) and not isinstance(node, str)) or getattr(node, "ndim", 0) == 1:
        items = [plain_request(item, (*path, index)) for index, item in enumerate(node)]
        return tuple(items) if isinstance(node, tuple) else items
    try:
        return plain_value(node)
    except UnfitError as cause:
        place = name_of(path)
        raise InvalidInputError(
            f"{place} {cause.why}, which cannot be kept as JSON.", field=place, value=node
        ) from None


def name_of(path: Path) -> str:
    """Return the field at *path* as Tapis writes it: ``parameterSet.appArgs[0].arg``."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif key.isidentifier():
            text += f".{key}" if text else key
        else:
            text += f"[{key!r}]"
    return text or "the request"
