"""The parts of a template that differ from case to case, read once and made for each case."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from .arguments import quoter_after
from .case_values import CaseError, Plain, Row
from .errors import InvalidInputError, did_you_mean
from .names import inner_name
from .placeholders import BUILTINS, CLOSE, OPEN, compiled, filters_in, names_in, pieces, readable
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
#: Other people's braces: ``{{0}}`` of Python, ``10^{{-3}}`` of LaTeX.
_FIGURES = re.compile(r"[-+\d.,eE\s]+", re.ASCII)


@dataclass(slots=True)
class Scope:
    """What expressions may name: the columns, their defaults, and variables of the notebook."""

    columns: tuple[str, ...]
    defaults: Mapping[str, Plain]
    names: Mapping[str, Any]
    used: set[str] = field(default_factory=set)


class ExpressionError(Exception):
    """An expression that has no value for a case."""

    def __init__(self, expression: Expression, why: str, column: str = "") -> None:
        super().__init__(why)
        self.expression = expression
        self.why = why
        self.column = column or next(iter(expression.columns), "")

    def at(self, row: Row, number: int) -> CaseError:
        """Return the sentence for row *number*."""
        value = row.get(self.column)
        held = f" ({shown(value, 30)})" if self.column in row else ""
        return CaseError(
            f"Row {number}, column '{self.column}'{held}: {self.expression.shown} in "
            f"{self.expression.place}: {self.why}",
            row=number,
            column=self.column,
            field=self.expression.place,
            value=value,
        )


@dataclass(frozen=True, slots=True)
class Expression:
    """One ``{{ expression }}`` of a template, and where it stands."""

    text: str
    place: str
    columns: tuple[str, ...]
    #: Variables of the notebook that it takes beside columns.
    constants: Mapping[str, Any]
    #: None when it is a column and nothing else.
    function: Callable[[Mapping[str, Any]], Any] | None

    @property
    def shown(self) -> str:
        """The expression as it is written, on one line."""
        return f"{OPEN} {self.text} {CLOSE}"

    def value(self, row: Row) -> Any:
        """Return the value for a case; raises ``ExpressionError``."""
        for name in self.columns:
            if name not in row:
                raise ExpressionError(self, "the row has no such column.", name)
        if self.function is None:
            return row[self.columns[0]]
        try:
            value = self.function({**BUILTINS, **self.constants, **row})
        except Exception as cause:
            raise ExpressionError(self, f"{type(cause).__name__}: {cause}.") from cause
        if value is None or type(value).__name__ == "Undefined":
            raise ExpressionError(self, "it has no value.")
        return value

    def normal(self, defaults: Mapping[str, Plain]) -> str:
        """Return what stands for it in the identity: its value where only defaults decide, else its text."""
        if self.columns and all(name in defaults for name in self.columns):
            return str(self.value(defaults))
        constants = {name: str(value) for name, value in sorted(self.constants.items())}
        return f"\0{self.text}{constants or ''}\0"


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
                for piece in self._pieces(node, path)
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
        found = self._pieces(text, path)
        if not any(isinstance(piece, Expression) for piece in found):
            whole = "".join(map(str, found))
            return None if whole == text else lambda row: whole
        return _maker(found, path)

    def _pieces(self, text: str, path: Path, line: int = 1) -> list[str | Expression]:
        """Return *text* as plain text and expressions; what depends on no column is put in at once."""
        if OPEN not in text:
            return [text]
        found: list[str | Expression] = []
        for plain, piece in pieces(text):
            if plain:
                found.append(piece)
            elif _FIGURES.fullmatch(piece):
                found.append(OPEN + piece + CLOSE)
            elif piece.strip() in self._scope.columns or readable(piece):
                found.append(self._settled(piece.strip(), _place(path, line)))
            elif OPEN in piece:
                found += [OPEN, *self._pieces(piece + CLOSE, path, line)]
            else:
                found.append(self._braces(piece, _place(path, line)))
            line += piece.count("\n")
        return [piece for piece in found if piece != ""]

    def _braces(self, piece: str, place: str) -> str:
        """Return braces that hold no expression as they are; raises when one seems to be meant."""
        words = set(re.findall(r"\w+", piece))
        meant = next((name for name in self._scope.columns if name in words), None)
        if meant is not None:
            raise InvalidInputError(
                f"{OPEN}{piece}{CLOSE} in {place} names column '{meant}' and cannot be read. Where braces "
                f"are meant as they are, part them by a blank, or write {OPEN} '{OPEN}' {CLOSE}.",
                field=place,
                value=piece,
            )
        return OPEN + piece + CLOSE

    def _settled(self, text: str, place: str) -> str | Expression:
        """Return the expression, or its value when no column decides it."""
        scope = self._scope
        if text in scope.columns:
            scope.used.add(text)
            return Expression(text, place, (text,), {}, None)
        if "random" in filters_in(text):
            raise InvalidInputError(
                f"{OPEN} {text} {CLOSE} in {place}: random gives another value each time, and a case must "
                "be the same when it runs again. Use a column.",
                field=place,
                value=text,
            )
        names = names_in(text)
        columns = tuple(name for name in scope.columns if name in names)
        constants = {name: scope.names[name] for name in names if name in scope.names and name not in columns}
        unknown = sorted(names - set(columns) - set(constants) - set(BUILTINS))
        if unknown:
            raise _unknown(unknown[0], text, place, scope)
        scope.used.update(columns)
        expression = Expression(text, place, columns, constants, compiled(text))
        return expression if columns else self._constant(expression)

    def _constant(self, expression: Expression) -> str:
        try:
            return str(expression.value({}))
        except ExpressionError as cause:
            raise InvalidInputError(
                f"{expression.shown} in {expression.place}: {cause.why}",
                field=expression.place,
                value=expression.text,
            ) from cause.__cause__


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
                raise InvalidInputError(f"{_place(path)} has the name '{name}' twice.", field=_place(path))
            found[name] = value if part is None else part(row)
        return found

    return render


def _unknown(name: str, text: str, place: str, scope: Scope) -> InvalidInputError:
    known = [*scope.columns, *(name for name in scope.names if not name.startswith("_"))]
    return InvalidInputError(
        f"{OPEN} {text} {CLOSE} in {place}: there is no column '{name}'.{did_you_mean(name, known)} "
        f"Columns: {', '.join(scope.columns) or 'none'}. Where braces are meant as they are, part them by a "
        f"blank, or write {OPEN} '{OPEN}' {CLOSE}.",
        field=place,
        value=text,
    )


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


def _place(path: Path, line: int = 1) -> str:
    return name_of(path) + (f" line {line}" if line > 1 else "")
