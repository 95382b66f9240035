"""What may stand in a system's notes: one sentence on a word or a value that may not."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, NoReturn, TypeGuard

from .errors import InvalidInputError, did_you_mean
from .texts import shown


def wrong(section: str, word: str, value: Any, why: str) -> NoReturn:
    """Raise ``InvalidInputError`` for *word* of a *section* such as ``notes.dask``; '' is the whole."""
    field = f"{section}.{word}" if word else section
    raise InvalidInputError(f"{field} {shown(value)} {why}.".replace("..", "."), field=field, value=value)


def refuse_unknown(section: str, notes: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise ``InvalidInputError`` for a word of *section* that means nothing."""
    for word in notes:
        if word not in known:
            wrong(
                section,
                word,
                notes[word],
                f"is not one of: {', '.join(known)}.{did_you_mean(word, known)}",
            )


def is_number(value: Any) -> TypeGuard[int | float]:
    """Tell whether *value* is a number that has an end: no truth value, no infinity, no NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def whole_number(section: str, word: str, value: Any, most: int) -> int:
    """Return *value*; ``InvalidInputError`` unless it is a whole number from 1 to *most*."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        wrong(section, word, value, f"is no whole number from 1 to {most:,}")
    return value
