"""Where cases come from: a frame, a grid, a list, a CSV file; and the checks that all of them pass.

    cases_of(source) -> list of rows {column: number, text, true or false}
    grid(k=[1, 2], damping=[.02, .05]) -> frame of 4 rows, the last name changing fastest

*source* is a DataFrame, a mapping of names to lists (their grid), a list of mappings, or the path of a CSV
file. Rows count from 0, as in ``df.iloc``. ``sampling.sample`` makes frames of random cases.
"""

from __future__ import annotations

import csv
import itertools
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.case_values import CaseError, Plain, plain_column, repeated, row_words
from ..model.errors import InvalidInputError
from ..model.study import TABLE_COLUMNS
from ..model.texts import shown
from .carrier import local_path
from .study_columns import PROBLEM

if TYPE_CHECKING:
    import pandas as pd

#: Cases of one study.
MOST = 100_000
#: Columns that ``study.frame()`` and ``study.collect()`` add to those of the cases.
RESERVED = frozenset({*TABLE_COLUMNS, PROBLEM})
_FEWER = "Take fewer values, or points of the same space: tj.sample(1000, k=(10, 60), …)."
_DECIMAL_COMMA = re.compile(r"[-+]?\d+(,\d+)?(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?|[-+]?(nan|inf)", re.ASCII | re.IGNORECASE)
_KINDS = (
    "cases must be a DataFrame, a mapping of names to lists (their grid), a list of mappings, "
    "or the path of a CSV file"
)


def cases_of(source: Any) -> list[dict[str, Plain]]:
    """Return the rows of *source* as plain values.

    Raises ``InvalidInputError`` for what cannot be cases: nothing at all, more than ``MOST`` rows, names
    that clash, missing, infinite or mixed values, rows that are there twice. Its ``errors`` hold
    ``row message field`` of each row that is wrong.
    """
    columns, values = _columns(source)
    check_names(columns)
    count = len(values[0]) if values else 0
    _check_count(count)
    names = [str(column) for column in columns]
    errors: list[CaseError] = []
    found: list[list[Any]] = []
    for name, column in zip(names, values, strict=True):
        usable, wrong = plain_column(name, column)
        found.append(usable)
        errors += wrong
    rows = [dict(zip(names, cells, strict=True)) for cells in zip(*found, strict=True)]
    bad = {error.row for error in errors}
    errors += _repeats(rows, bad)
    if errors:
        raise _refusal(errors)
    return rows


def grid(axes: Mapping[str, Any] | None = None, /, **more: Any) -> pd.DataFrame:
    """Return a frame with one row for each combination of the values: the last name changes fastest.

    A single value counts as a list of one. *axes* is for names that Python cannot write. Raises
    ``InvalidInputError`` for an axis without values or with one twice, and for more cases than fit.
    """
    import pandas as pd

    columns = _grid(together(axes, more))
    return pd.DataFrame(columns, columns=list(columns))


def together(axes: Mapping[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is given by mapping and by name; raises for a name given both ways."""
    given = {**(axes or {}), **more}
    if twice := next((name for name in more if name in (axes or {})), None):
        raise InvalidInputError(f"'{twice}' is given twice.", field=twice)
    return given


def _grid(axes: Mapping[Any, Any]) -> dict[str, list[Any]]:
    if not axes:
        raise InvalidInputError("A grid needs values: tj.grid(k=[1, 2, 3], damping=[0.02, 0.05]).")
    check_names(list(axes))
    lists = {str(name): _axis(str(name), values) for name, values in axes.items()}
    count = math.prod(map(len, lists.values()))
    if count > MOST:
        sizes = " x ".join(f"{len(values):,}" for values in lists.values())
        raise InvalidInputError(
            f"The grid has {sizes} = {count:,} cases, more than a study takes ({MOST:,}). {_FEWER}"
        )
    cells = zip(*itertools.product(*lists.values()), strict=True)
    return dict(zip(lists, map(list, cells), strict=True))


def _axis(name: str, values: Any) -> list[Any]:
    """Return the values of one axis of a grid."""
    if isinstance(values, set | frozenset):
        raise InvalidInputError(
            f"The values of '{name}' are a set, which has no order. Give a list: sorted(…).", field=name
        )
    if getattr(values, "ndim", 1) > 1:
        raise InvalidInputError(
            f"The values of '{name}' are an array of {values.ndim} dimensions; an axis of a grid has one.",
            field=name,
        )
    if isinstance(values, str | bytes | os.PathLike | Mapping) or not isinstance(values, Iterable):
        return [values]
    if getattr(values, "ndim", 1) == 0:
        return [values]
    if isinstance(values, Sized) and len(values) > MOST:
        raise InvalidInputError(
            f"'{name}' has {len(values):,} values; a study takes {MOST:,} cases. {_FEWER}", field=name
        )
    found = list(itertools.islice(values, MOST + 1))
    if not found:
        raise InvalidInputError(f"'{name}' has no values: a grid over it has no case.", field=name)
    if len(found) <= MOST and (twice := _first_repeat(found)):
        raise InvalidInputError(
            f"'{name}' holds {shown(twice[0])} twice: cases would be there twice.", field=name
        )
    return found


def _first_repeat(values: list[Any]) -> list[Any]:
    try:
        return [values[position] for position, _ in repeated(values)][:1]
    except TypeError:
        # What cannot be compared is refused as a value, with its row.
        return []


def _columns(source: Any) -> tuple[list[Any], list[Sequence[Any]]]:
    """Return names and values of the columns of *source*."""
    if _is_frame(source):
        _check_count(len(source))
        return _frame_columns(source)
    if isinstance(source, str | os.PathLike):
        return _read_table(source)
    if isinstance(source, Mapping):
        columns = _grid(source)
        return list(columns), list(columns.values())
    if isinstance(source, bytes) or not isinstance(source, Iterable) or hasattr(source, "dtype"):
        raise InvalidInputError(f"{_KINDS}, not {type(source).__name__}.", field="cases")
    return _listed(list(itertools.islice(source, MOST + 1)))


def _is_frame(source: Any) -> bool:
    return hasattr(source, "columns") and hasattr(source, "iloc")


def _frame_columns(frame: pd.DataFrame) -> tuple[list[Any], list[Sequence[Any]]]:
    if not len(frame.columns):
        raise InvalidInputError("The frame has no columns: there is no case in it.", field="cases")
    return list(frame.columns), [_values(frame.iloc[:, place]) for place in range(len(frame.columns))]


def _values(column: pd.Series[Any]) -> list[Any]:
    """Numbers of half the digits stay numpy's own, which know how many of their digits were meant."""
    dtype: Any = column.dtype
    if getattr(dtype, "kind", "") == "f" and getattr(dtype, "itemsize", 8) < 8:
        return list(column.to_numpy())
    return column.tolist()


def _listed(rows: list[Any]) -> tuple[list[Any], list[Sequence[Any]]]:
    _check_count(len(rows))
    wrong = next(((row, item) for row, item in enumerate(rows) if not isinstance(item, Mapping)), None)
    if wrong is not None:
        raise InvalidInputError(
            f"Row {wrong[0]} of cases is {shown(wrong[1], 30)}. Each case is a mapping such as "
            "{'k': 3, 'damping': 0.02}; a grid is tj.grid(k=[1, 2, 3]).",
            field="cases",
        )
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if not columns:
        raise InvalidInputError(
            "The cases have no columns: there is nothing in which they differ.", field="cases"
        )
    return columns, [[row.get(name) for row in rows] for name in columns]


def _read_table(given: str | os.PathLike[str]) -> tuple[list[Any], list[Sequence[Any]]]:
    text = os.fspath(given)
    if isinstance(given, str) and Path(text).suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise InvalidInputError(f"{_KINDS}, not the text {shown(text, 40)}.", field="cases", value=text)
    rows = list(itertools.islice(_lines(local_path(text)), MOST + 2))
    if not rows:
        raise InvalidInputError(f"{text} is empty: there is no case in it.", field="cases", value=text)
    head, *cells = rows
    _check_count(len(cells))
    check_names(head)
    wrong = next((row for row, line in enumerate(cells) if len(line) != len(head)), None)
    if wrong is not None:
        raise InvalidInputError(
            f"Row {wrong} of {text} has {len(cells[wrong])} cells, and the head has {len(head)}: "
            f"{', '.join(head)}.",
            field="cases",
        )
    columns = zip(*cells, strict=True)
    return list(head), [_typed(name, column, text) for name, column in zip(head, columns, strict=True)]


def _lines(path: Path) -> Iterator[list[str]]:
    """Yield the lines of a table that hold something; a cell has no blanks around it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            first = stream.readline()
            stream.seek(0)
            separator = next((mark for mark in "\t,;" if mark in first), ",")
            for line in csv.reader(stream, delimiter=separator, skipinitialspace=True):
                if line:
                    yield [cell.strip() for cell in line]
    except (ValueError, OSError, csv.Error) as cause:
        raise InvalidInputError(f"{path.name} cannot be read as a table: {cause}.", field="cases") from cause


def _typed(name: str, cells: Sequence[str], path: str) -> Sequence[Any]:
    """Return a column of a CSV file as numbers, truths or text; nothing for an empty cell.

    A column of numbers with a slip in it is refused: as text it would run, and nobody would be told.
    """
    if {cell.lower() for cell in cells} <= {"true", "false"}:
        return [cell.lower() == "true" for cell in cells]
    # 007 is a name.
    if any(re.match(r"[-+]?0\d", cell) for cell in cells):
        return [cell or None for cell in cells]
    numbers = [_NUMBER.fullmatch(cell) for cell in cells]
    held = [cell for cell in cells if cell]
    if any("," in cell for cell in held) and all(map(_DECIMAL_COMMA.fullmatch, held)):
        raise InvalidInputError(
            f"Column '{name}' of {path} writes numbers with a comma ({shown(held[0], 30)}): they would be "
            f"text. Read them as numbers: cases=pd.read_csv({path!r}, sep=';', decimal=',').",
            field=name,
            value=held[0],
        )
    if not any(numbers):
        return [cell or None for cell in cells]
    slip = next((row for row, cell in enumerate(cells) if cell and not numbers[row]), None)
    if slip is not None:
        raise InvalidInputError(
            f"Row {slip}, column '{name}' of {path} holds {shown(cells[slip], 30)} where other rows hold "
            f"numbers. If all are meant as text: cases=pd.read_csv({path!r}, dtype={{{name!r}: str}}).",
            field=name,
            value=cells[slip],
        )
    return [_number_of(cell) if cell else None for cell in cells]


def _number_of(cell: str) -> int | float:
    return int(cell) if cell.lstrip("+-").isdigit() else float(cell)


def _check_count(count: int) -> None:
    if count == 0:
        raise InvalidInputError(
            "There are no cases: the frame is empty. A study needs at least one row.", field="cases"
        )
    if count > MOST:
        raise InvalidInputError(
            f"{count:,} cases are more than a study takes ({MOST:,}). {_FEWER} Or make several studies.",
            field="cases",
        )


def check_names(columns: Sequence[Any]) -> None:
    """Raise ``InvalidInputError`` for names that no template could use, or that mean two things."""
    for place, name in enumerate(columns):
        if not isinstance(name, str) or not name.strip():
            raise InvalidInputError(
                f"Column {place} is called {shown(name)}; a template needs a name for it. "
                "Give it one: df.columns = ['k', …].",
                field="cases",
                value=str(name),
            )
        if name != name.strip() or re.search(r"[{}\x00-\x1f]", name):
            raise InvalidInputError(
                f"Column {shown(name)} has a name that no template can hold. Take off blanks around it, "
                "braces and control characters: df.columns = df.columns.str.strip().",
                field="cases",
                value=name,
            )
        if name in RESERVED:
            raise InvalidInputError(
                f"Column '{name}' would clash with the column '{name}' of study.frame(). Rename it: "
                f"df.rename(columns={{'{name}': '{name}_'}}).",
                field=name,
            )
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise InvalidInputError(
            f"Two columns are called '{twice[0]}'. Rename one of them.", field=twice[0], value=twice[0]
        )


def _repeats(rows: Sequence[Mapping[str, Any]], bad: set[int]) -> list[CaseError]:
    keys = (row if row in bad else tuple(cells.values()) for row, cells in enumerate(rows))
    return [
        CaseError(
            f"Row {row} is the same case as row {first} ({row_words(rows[row])}). Drop it: "
            "df.drop_duplicates(); to repeat a case, add a column such as 'repeat' that the template uses.",
            row=row,
        )
        for row, first in repeated(keys)
    ]


def _refusal(errors: list[CaseError]) -> InvalidInputError:
    """Return the one error of several rows: the sentence of the first, and how many there are."""
    first, *others = sorted(errors, key=lambda error: error.row)
    rows = {error.row for error in others} - {first.row}
    more = (
        f" {len(rows):,} more rows are wrong." if len(rows) > 1 else " One more row is wrong." if rows else ""
    )
    return InvalidInputError(
        first.message + more,
        field=first.field,
        value=first.value,
        errors=tuple({"row": e.row, "message": e.message, "field": e.field} for e in (first, *others)),
    )
