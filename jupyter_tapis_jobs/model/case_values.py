"""What a case may hold: numbers, text, true and false; dates become text, everything else is refused.

plain_column(name, values) -> (values | None for those that cannot be used, what is wrong with them)
number(value) -> the same number, 1 for 1.0: numbers are compared by value
CaseError: what is wrong with one row; ``row`` counts from 0, as in ``df.iloc[row]``; ``column``
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from .errors import InvalidInputError
from .texts import shown

#: A value of a case, as it is rendered, hashed, sent and kept.
Plain = bool | int | float | str
Row = Mapping[str, Plain]

_NUMBER, _TEXT, _TRUTH, _DATE = "a number", "text", "true or false", "a date"
#: Whole numbers of a case have fewer digits: Python itself writes some thousand at most.
_DIGITS = 1000
_LARGEST = 10**_DIGITS
_MISSING = {"NAType": "NA", "NaTType": "NaT", "NoneType": "None"}


class CaseError(InvalidInputError):
    """A case that cannot be run as it is; ``row`` counts from 0, ``column`` is '' where there is none."""

    def __init__(
        self, message: str, *, row: int, column: str = "", field: str = "", value: object = None
    ) -> None:
        super().__init__(message, field=field or column, value=value)
        self.row = row
        self.column = column


class UnfitError(Exception):
    """Why a value cannot be part of a case: the end of a sentence, and what to do in a frame."""

    def __init__(self, why: str, way_out: str = "") -> None:
        super().__init__(f"{why}{way_out or '.'}")
        self.why = why


def number(value: float) -> int | float:
    """Return *value* as the one of its spellings that all equal numbers share: 1 for 1.0, 0 for -0.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def plain_value(value: Any) -> Plain:
    """Return the plain form of *value*; raises ``UnfitError`` for what has none."""
    return _plain(value)[1]


def plain_column(name: str, values: Sequence[Any]) -> tuple[list[Plain | None], list[CaseError]]:
    """Return the plain values of a column, None where one cannot be used, and why not.

    Whole and broken numbers may stand together; otherwise all rows hold the same kind.
    """
    types = set(map(type, values))
    if types <= {bool}:
        return list(values), []
    # NaN and infinity are not between them either.
    if types <= {int, float} and all(-_LARGEST < value < _LARGEST for value in values):
        return list(values), []
    found: list[Plain | None] = []
    kinds: list[str] = []
    errors: list[CaseError] = []
    for row, value in enumerate(values):
        try:
            kind, usable = _plain(value)
        except UnfitError as cause:
            errors.append(_error(row, name, value, str(cause)))
            kind, usable = "", None
        found.append(usable)
        kinds.append(kind)
    errors += _mixed(name, values, kinds)
    for error in errors:
        found[error.row] = None
    return found, sorted(errors, key=lambda error: error.row)


def row_words(row: Row, most: int = 5) -> str:
    """Return the values of a case as a sentence shows them: ``k=1, damping=0.02``."""
    shown_values = [f"{name}={_short(value)}" for name, value in list(row.items())[:most]]
    return ", ".join([*shown_values, *(["..."] if len(row) > most else [])])


def repeated(keys: Iterable[Hashable]) -> list[tuple[int, int]]:
    """Return ``(position, position of the first that is equal)`` of the keys that were there before."""
    first: dict[Hashable, int] = {}
    return [
        (position, before)
        for position, key in enumerate(keys)
        if (before := first.setdefault(key, position)) != position
    ]


def _plain(value: Any) -> tuple[str, Plain]:
    """Return the kind and the plain form of *value*; raises ``UnfitError``."""
    for kind, read in _READERS.items():
        if isinstance(value, kind):
            return read(value)
    name = type(value).__name__
    if name in _MISSING:
        raise _nothing(_MISSING[name])
    if hasattr(value, "dtype") and getattr(value, "ndim", None) == 0:
        return _from_numpy(value)
    raise UnfitError(
        f"holds {_article(name)} ({shown(value)})",
        "; a case takes numbers, text, dates, true and false. Make it several columns, or text.",
    )


def _from_numpy(value: Any) -> tuple[str, Plain]:
    if value.dtype.kind == "M":
        text = str(value)
        if text == "NaT":
            raise _nothing(text)
        return _DATE, text
    # 0.1 of half the digits is meant as 0.1, not as 0.10000000149011612.
    if value.dtype.kind == "f" and value.dtype.itemsize < 8:
        return _plain(float(str(value)))
    item = value.item()
    if type(item) is type(value) or value.dtype.kind in "mV":
        raise UnfitError(f"holds {_article(type(value).__name__)} ({shown(value)})")
    return _plain(item)


def _truth(value: bool) -> tuple[str, Plain]:
    return _TRUTH, value


def _whole(value: int) -> tuple[str, Plain]:
    if not -_LARGEST < value < _LARGEST:
        raise UnfitError(f"holds a whole number of more than {_DIGITS:,} digits", ". Give it as text.")
    return _NUMBER, int(value)


def _broken(value: float) -> tuple[str, Plain]:
    if math.isnan(value):
        raise _nothing("NaN")
    if math.isinf(value):
        raise UnfitError(f"is infinite ({value})", "; a case takes finite numbers only.")
    return _NUMBER, float(value)


def _decimal(value: Decimal) -> tuple[str, Plain]:
    if not value.is_finite():
        return _broken(float(value))
    if value.adjusted() >= _DIGITS or value == value.to_integral_value():
        return _whole(int(value) if value.adjusted() < _DIGITS else _LARGEST)
    if Decimal(repr(float(value))) != value:
        raise UnfitError(f"has more digits than a number keeps ({value})", ". Round it, or give it as text.")
    return _NUMBER, float(value)


def _text(value: str) -> tuple[str, Plain]:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UnfitError(f"holds text that cannot be written as UTF-8 ({value!a})") from None
    return _TEXT, str.__str__(value)


def _date(value: date | time) -> tuple[str, Plain]:
    text = value.isoformat()
    if text in ("NaT", "nan"):
        raise _nothing("NaT")
    return _DATE, text


def _path(value: os.PathLike[Any]) -> tuple[str, Plain]:
    return _text(os.fsdecode(value))


#: In this order: a truth is a whole number too, a point in time is a date too.
_READERS: Mapping[Any, Callable[[Any], tuple[str, Plain]]] = MappingProxyType(
    {
        bool: _truth,
        int: _whole,
        float: _broken,
        str: _text,
        datetime: _date,
        date: _date,
        time: _date,
        Decimal: _decimal,
        os.PathLike: _path,
    }
)


def _mixed(name: str, values: Sequence[Any], kinds: Sequence[str]) -> list[CaseError]:
    """Return an error for each value that is of another kind than most of the column."""
    counts = Counter(kind for kind in kinds if kind)
    if len(counts) < 2:
        return []
    usual = counts.most_common(1)[0][0]
    return [
        _error(row, name, value, f"is {kind} ({shown(value)}) where most rows hold {usual}. Use one kind.")
        for row, (value, kind) in enumerate(zip(values, kinds, strict=True))
        if kind and kind != usual
    ]


def _error(row: int, column: str, value: object, why: str) -> CaseError:
    return CaseError(f"Row {row}, column '{column}' {why}", row=row, column=column, value=value)


def _nothing(what: str) -> UnfitError:
    return UnfitError(f"has no value ({what})", ". Give it one, or drop the row: df.dropna().")


def _article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _short(value: Plain) -> str:
    return f"{value:.6g}" if isinstance(value, float) else shown(value, 30)
