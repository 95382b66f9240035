"""A request with ``{{ column }}`` in it: read once, then rendered for each case.

    template = CaseTemplate(given, columns, defaults=…, names=…, labels=…)
    template = CaseFunction(function, columns)                    # the user's own row -> request
    template.uses          the columns that it takes, in the order of the frame
    template.render(row, number) -> dict        what `given` is for this case; raises CaseError(row, column)
    template.work_of(rendered) -> str           for case_id(…, work=…)
    rendered(template, rows) -> (list[dict | None], list[CaseError])         None where a case has an error

`given` is what a person gives: fields of a Tapis request and the shorthands args, env, inputs, script,
files. Any text in it may hold ``{{ expression }}``: Jinja's language, sandboxed, over the columns, `names`
(variables of a notebook) and a few functions. A rendered request still has its shorthands, and shares
what is the same for all cases: build from it, do not change it in place.

- A field that wants a number or a truth gets one (``memoryMB: "{{ mem }}"``, ``"{{ 2 * mem }}"``); below
  ``notes`` a text that is nothing but one expression keeps the value's kind; everything else is text.
- In an argument in Tapis's form (``arg``, and ``args`` as one text) a value is quoted for its place: it
  stays one word, or part of one, and nothing of it expands. In an address (``tapis://host/{{ path }}``) it
  is percent-encoded.
- Braces that hold no expression stay as they are (Tcl, shell, LaTeX); ``{{ '{{' }}`` writes two of them.
  Bytes, and files given by path in ``inputs``, are never read for expressions.
- A name that is no column is refused, and so is a column that is used nowhere, unless it is one of *labels*.
- *defaults*: column -> value for cases without it. Cases at the default keep the id that they had before the
  template knew the column, if the template then held the default's text in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from .case_expressions import ExpressionError, Scope
from .case_identity import canonical, digest, work_parts
from .case_parts import Reader, plain_request
from .case_values import CaseError, Plain, Row, plain_column, repeated, row_words
from .errors import InvalidInputError, did_you_mean
from .texts import shown


class Template(Protocol):
    """What makes a request of a case."""

    uses: tuple[str, ...]

    def render(self, row: Row, number: int = 0) -> dict[str, Any]:
        """Return the request of a case; raises ``CaseError`` that names row *number* and column."""

    def work_of(self, rendered: Mapping[str, Any]) -> str:
        """Return what stands for the request in the id of its case."""


class CaseTemplate:
    """A request with expressions in its texts.

    Raises ``InvalidInputError`` where they do not fit the columns.
    """

    def __init__(
        self,
        given: Mapping[str, Any],
        columns: Sequence[str],
        *,
        defaults: Mapping[str, Plain] | None = None,
        names: Mapping[str, Any] | None = None,
        labels: Collection[str] = (),
    ) -> None:
        scope = Scope(tuple(dict.fromkeys([*columns, *(defaults or {})])), dict(defaults or {}), names or {})
        given = plain_request(given)
        reader = Reader(scope)
        self._part = reader.read(given, ())
        self._given = given
        self._defaults = scope.defaults
        self.uses: tuple[str, ...] = tuple(name for name in scope.columns if name in scope.used)
        _refuse_unused(columns, self.uses, labels)
        _check_defaults(scope.defaults, self.uses)
        self._work = digest(canonical(work_parts(reader.unrendered(given))))

    def render(self, row: Row, number: int = 0) -> dict[str, Any]:
        """Return the request of a case; raises ``CaseError`` that names row *number* and column."""
        if self._part is None:
            return dict(self._given)
        try:
            found: dict[str, Any] = self._part({**self._defaults, **row} if self._defaults else row)
        except ExpressionError as cause:
            raise cause.at(row, number) from cause.__cause__
        except InvalidInputError as cause:
            told = f"Row {number} ({row_words(row)}): {cause.message}"
            raise CaseError(told, row=number, field=cause.field) from cause
        return found

    def work_of(self, rendered: Mapping[str, Any]) -> str:
        """Return what stands for the request in the id of its case: the same for all cases."""
        return self._work


class CaseFunction:
    """A function ``row -> request`` of the user's as a template; it may use every column."""

    def __init__(self, function: Callable[[dict[str, Plain]], Any], columns: Sequence[str]) -> None:
        self._function = function
        self.uses: tuple[str, ...] = tuple(columns)

    def render(self, row: Row, number: int = 0) -> dict[str, Any]:
        """Return what the function makes of a case; raises ``CaseError`` for what goes wrong in it."""
        try:
            found = self._function(dict(row))
        except Exception as cause:
            raise self._error(row, number, self._why(cause, row)) from cause
        if not isinstance(found, Mapping):
            why = f"must return a request such as {{'args': ['--k', 3]}}, not {type(found).__name__}."
            raise self._error(row, number, why)
        try:
            return dict(plain_request(found))
        except InvalidInputError as cause:
            raise self._error(row, number, cause.message, cause.field) from cause

    def work_of(self, rendered: Mapping[str, Any]) -> str:
        """Return what stands for the request in the id of its case: what of it says what is run."""
        return digest(canonical(work_parts(plain_request(rendered))))

    def _error(self, row: Row, number: int, why: str, field: str = "") -> CaseError:
        name = getattr(self._function, "__name__", type(self._function).__name__)
        return CaseError(f"Row {number} ({row_words(row)}): {name}: {why}", row=number, field=field)

    def _why(self, cause: Exception, row: Row) -> str:
        missing = cause.args[0] if isinstance(cause, KeyError) and cause.args else None
        if isinstance(missing, str) and missing not in row:
            return f"there is no column '{missing}'.{did_you_mean(missing, list(row))}"
        return f"{type(cause).__name__}: {cause}"


def rendered(
    template: Template,
    rows: Iterable[Row],
    *,
    numbers: Sequence[int] | None = None,
    leave: Collection[int] = (),
) -> tuple[list[dict[str, Any] | None], list[CaseError]]:
    """Return the request of each row, None where there is an error, and the errors.

    Rows that are the same for the template are an error of the later one. *numbers* are those by which a
    person knows the rows, from 0 unless given; rows at the places in *leave* get no request.
    """
    requests: list[dict[str, Any] | None] = []
    errors: dict[int, CaseError] = {}
    cases = list(rows)
    told = range(len(cases)) if numbers is None else numbers
    for place, row in enumerate(cases):
        try:
            requests.append(None if place in leave else template.render(row, told[place]))
        except CaseError as error:
            requests.append(None)
            errors[place] = error
    keys = (tuple(row.get(name) for name in template.uses) for row in cases)
    for place, first in repeated(keys):
        errors.setdefault(place, _same_case(cases[place], told[place], told[first], template.uses))
        requests[place] = None
    return requests, [errors[place] for place in sorted(errors)]


def _same_case(row: Row, number: int, first: int, uses: Sequence[str]) -> CaseError:
    if not uses:
        why = "the template uses no column. Write {{ column }} where its value belongs"
    else:
        seen = row_words({name: row[name] for name in uses if name in row})
        why = (
            f"{seen}. Drop it (df.drop_duplicates()), or, to repeat a case, add a column such as 'repeat' "
            "that the template uses"
        )
    return CaseError(f"Row {number} is the same case as row {first}: {why}.", row=number)


def _check_defaults(defaults: Mapping[str, Any], uses: Collection[str]) -> None:
    for name, value in defaults.items():
        if name not in uses:
            raise InvalidInputError(
                f"defaults: column '{name}' is used nowhere in the template.{did_you_mean(name, list(uses))} "
                f"Write {{{{ {name} }}}} where its value belongs.",
                field="defaults",
                value=name,
            )
        _, wrong = plain_column(name, [value])
        if wrong:
            raise InvalidInputError(
                f"The default of column '{name}' cannot be used: {shown(value)}. A default is "
                "a number, text, or true or false.",
                field="defaults",
                value=value,
            )


def _refuse_unused(columns: Sequence[str], uses: Collection[str], labels: Collection[str]) -> None:
    for name in labels:
        if name not in columns:
            raise InvalidInputError(
                f"labels: there is no column '{name}'.{did_you_mean(name, list(columns))}", field="labels"
            )
    unused = [name for name in columns if name not in uses and name not in labels]
    if unused and uses:
        raise InvalidInputError(
            f"Column '{unused[0]}' is used nowhere in the template (used: {', '.join(uses)}). "
            f"Write {{{{ {unused[0]} }}}} where its value belongs, drop the column, or keep it beside the "
            f"results: labels={unused!r}.",
            field=unused[0],
        )
    if unused:
        raise InvalidInputError(
            f"No column is used in the template: all cases would be the same. Write {{{{ {unused[0]} }}}} "
            f"where its value belongs. Columns: {', '.join(columns)}.",
            field=unused[0],
        )
