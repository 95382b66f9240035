"""The expressions of a template: taken out of its texts, checked against the columns, computed for a case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from .case_values import CaseError, Plain, Row
from .errors import InvalidInputError, did_you_mean
from .placeholders import BUILTINS, CLOSE, OPEN, compiled, filters_in, names_in, pieces, readable
from .texts import shown

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
    #: Those and the functions that it calls.
    others: Mapping[str, Any]
    #: None when it is a column and nothing else.
    function: Callable[[Mapping[str, Any]], Any] | None

    @property
    def shown(self) -> str:
        """The expression as it is written, on one line."""
        return f"{OPEN} {self.text} {CLOSE}"

    def value(self, row: Row) -> Any:
        """Return the value for a case; raises ``ExpressionError``."""
        try:
            if self.function is None:
                return row[self.columns[0]]
            cells = {name: row[name] for name in self.columns}
        except KeyError as cause:
            raise ExpressionError(self, "the row has no such column.", str(cause.args[0])) from None
        try:
            value = self.function({**self.others, **cells})
        except Exception as cause:
            raise ExpressionError(self, f"{type(cause).__name__}: {str(cause).rstrip('.')}.") from cause
        if value is None or type(value).__name__ == "Undefined":
            raise ExpressionError(self, "it has no value.")
        return value

    def normal(self, defaults: Mapping[str, Plain]) -> str:
        """Return what stands for it in the identity: its value where only defaults decide, else its text."""
        if self.columns and all(name in defaults for name in self.columns):
            return str(self.value(defaults))
        constants = {name: _told(value) for name, value in sorted(self.constants.items())}
        return f"\0{self.text}{constants or ''}\0"


def split(scope: Scope, text: str, field: str, line: int = 1) -> list[str | Expression]:
    """Return *text*, which stands in *field*, as plain texts and expressions.

    What depends on no column is put in at once. Raises ``InvalidInputError`` for an expression that
    cannot be read, or names what is not there.
    """
    if OPEN not in text:
        return [text]
    found: list[str | Expression] = []
    for plain, piece in pieces(text):
        if plain:
            found.append(piece)
        elif _FIGURES.fullmatch(piece):
            found.append(OPEN + piece + CLOSE)
        elif piece.strip() in scope.columns or readable(piece):
            found.append(_settled(scope, piece.strip(), _place(field, line)))
        elif OPEN in piece:
            found += [OPEN, *split(scope, piece + CLOSE, field, line)]
        else:
            found.append(_braces(scope, piece, _place(field, line)))
        line += piece.count("\n")
    return list(_closed_up(found))


def _told(value: Any) -> str:
    """Return what stands for a variable of the notebook: the same in the next kernel."""
    return str(getattr(value, "__qualname__", None) or getattr(value, "__name__", None) or _plain_repr(value))


def _plain_repr(value: Any) -> str:
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def _braces(scope: Scope, piece: str, place: str) -> str:
    """Return braces that hold no expression as they are; raises when one seems to be meant."""
    if (unusable := _not_a_name(scope, piece)) is not None:
        raise _only_alone(unusable, piece.strip(), place)
    words = set(re.findall(r"\w+", piece))
    meant = next((name for name in scope.columns if name in words), None)
    if meant is not None:
        raise InvalidInputError(
            f"{OPEN}{piece}{CLOSE} in {place} names column '{meant}' and cannot be read. Where braces "
            f"are meant as they are, part them by a blank, or write {OPEN} '{OPEN}' {CLOSE}.",
            field=place,
            value=piece,
        )
    return OPEN + piece + CLOSE


def _settled(scope: Scope, text: str, place: str) -> str | Expression:
    """Return the expression, or its value when no column decides it."""
    if text in scope.columns:
        scope.used.add(text)
        return Expression(text, place, (text,), {}, {}, None)
    if "random" in filters_in(text):
        raise InvalidInputError(
            f"{OPEN} {text} {CLOSE} in {place}: random gives another value each time, and a case must "
            "be the same when it runs again. Use a column.",
            field=place,
            value=text,
        )
    function = _compiled(text, place)
    names = names_in(text)
    columns = tuple(name for name in scope.columns if name in names)
    constants = {name: scope.names[name] for name in names if name in scope.names and name not in columns}
    unknown = sorted(names - set(columns) - set(constants) - set(BUILTINS))
    if unknown:
        raise _unknown(unknown[0], text, place, scope)
    scope.used.update(columns)
    others = {**{name: BUILTINS[name] for name in names & set(BUILTINS)}, **constants}
    expression = Expression(text, place, columns, constants, others, function)
    return expression if columns else _constant(expression)


def _constant(expression: Expression) -> str:
    try:
        return str(expression.value({}))
    except ExpressionError as cause:
        raise InvalidInputError(
            f"{expression.shown} in {expression.place}: {cause.why}",
            field=expression.place,
            value=expression.text,
        ) from cause.__cause__


def _compiled(text: str, place: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return what computes an expression; a filter that there is not shows only here."""
    from jinja2 import TemplateSyntaxError

    try:
        return compiled(text)
    except TemplateSyntaxError as cause:
        raise InvalidInputError(
            f"{OPEN} {text} {CLOSE} in {place} cannot be read: {cause.message}", field=place, value=text
        ) from cause


def _closed_up(found: Sequence[str | Expression]) -> Iterator[str | Expression]:
    """Put texts that follow one another together."""
    for is_text, some in groupby(found, key=lambda piece: isinstance(piece, str)):
        if not is_text:
            yield from some
        elif text := "".join(map(str, some)):
            yield text


def _not_a_name(scope: Scope, text: str) -> str | None:
    """Return the column in *text* that is no name in an expression: ``a.b``, ``my k``; None without one."""
    found = (name for name in scope.columns if not name.isidentifier())
    return next((name for name in found if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)), None)


def _only_alone(column: str, text: str, place: str) -> InvalidInputError:
    name = re.sub(r"\W+", "_", column).strip("_")
    better = f"c_{name}" if not name.isidentifier() else name
    return InvalidInputError(
        f"{OPEN} {text} {CLOSE} in {place}: column '{column}' can only stand alone in braces. To compute "
        f"with it, rename it: df.rename(columns={{{column!r}: {better!r}}}).",
        field=place,
        value=text,
    )


def _unknown(name: str, text: str, place: str, scope: Scope) -> InvalidInputError:
    if (unusable := _not_a_name(scope, text)) is not None:
        return _only_alone(unusable, text, place)
    known = [*scope.columns, *(name for name in scope.names if not name.startswith("_"))]
    return InvalidInputError(
        f"{OPEN} {text} {CLOSE} in {place}: there is no column '{name}'.{did_you_mean(name, known)} "
        f"Columns: {', '.join(scope.columns) or 'none'}. Where braces are meant as they are, part them by a "
        f"blank, or write {OPEN} '{OPEN}' {CLOSE}.",
        field=place,
        value=text,
    )


def _place(field: str, line: int) -> str:
    return f"{field} line {line}" if line > 1 else field
