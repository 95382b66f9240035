"""What a station says of a job once it has worked on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..model.status import Condition


@dataclass(frozen=True, slots=True)
class Go:
    """On to the next station, with these fields of the job changed."""

    message: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fail:
    """The job ends here; *message* is for its owner."""

    message: str
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Trouble that passes by itself; the job goes on from this station later.

    ``retry_after`` in seconds; None waits for a place under a quota instead of for time.
    """

    message: str
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Stay:
    """Not its turn yet: it keeps its place at this station, and those behind it theirs.

    One that ``rests`` lets others pass, and is asked again when the station is woken.
    """

    rests: bool = False


Verdict = Go | Fail | Block | Stay
