"""How often a system's scheduler may be asked about its jobs: ``notes.tapisjobs.minUpdateSeconds``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import InvalidInputError
from .note_values import is_number
from .texts import shown

#: Where it stands in a system's notes.
SECTION, KEY = "tapisjobs", "minUpdateSeconds"
LONGEST = 3600


def min_update_seconds(notes: Mapping[str, Any] | None) -> float:
    """Return the seconds that *notes* want between two rounds of questions; 0.0 where they say nothing.

    Raises ``InvalidInputError`` for what is no number from 0 to 3,600.
    """
    section = (notes or {}).get(SECTION)
    value = section.get(KEY) if isinstance(section, Mapping) else None
    if value is None:
        return 0.0
    if not is_number(value) or not 0 <= value <= LONGEST:
        raise InvalidInputError(
            f"notes.{SECTION}.{KEY} is {shown(value)}: give the seconds between two questions to the "
            f"scheduler, a number from 0 to {LONGEST:,}, or leave it out.",
            field=f"notes.{SECTION}.{KEY}",
            value=value,
        )
    return float(value)


def spaced(rounds: tuple[float, float], least: float) -> tuple[float, float]:
    """Return the shortest and the longest gap between two rounds, neither below *least* seconds."""
    shortest, longest = rounds
    return max(shortest, least), max(longest, least)
