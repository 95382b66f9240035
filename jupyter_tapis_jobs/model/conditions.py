"""The tree of conditions that a search becomes, whichever grammar it was written in.

It has our names of the attributes and typed values: numbers, truth values, texts, and times as
``model.times`` writes them, which sort as they compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Value = str | int | bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """One attribute compared with a value.

    ``op``: eq neq gt gte lt lte with one value; in nin with a tuple; between nbetween with a tuple of
    two; like nlike with a pattern as in SQL (``%``, ``_``, and a backslash before what is meant
    literally), capitals and small letters differ; contains ncontains with a tuple of texts; holds with
    a text that is found anywhere, whether its letters (of ASCII) are capitals or small.
    """

    field: str
    op: str
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by AND or OR, or one condition under NOT. AND of nothing is always true."""

    joint: Literal["AND", "OR", "NOT"]
    parts: tuple[Condition, ...]


Condition = Comparison | Group
EVERYTHING = Group("AND", ())


def both(one: Condition, other: Condition) -> Condition:
    """Return the condition that both hold; one that is always true adds nothing."""
    return all_of([part for part in (one, other) if part != EVERYTHING])


def all_of(parts: Sequence[Condition]) -> Condition:
    """Return the condition that all *parts* hold."""
    return parts[0] if len(parts) == 1 else Group("AND", tuple(parts))
