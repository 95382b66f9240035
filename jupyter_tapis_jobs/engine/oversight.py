"""What the engine says to long transfers, and hears of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..model.status import JobStatus
from .lane import LaneKey

#: Tells what jobs are at: (uuids, text). Must not block.
Note = Callable[[Sequence[str], str], None]


def _no_note(uuids: Sequence[str], text: str) -> None:
    """Tell nobody."""


def _always(uuid: str) -> bool:
    return True


def _no_wake(lane: LaneKey, status: JobStatus) -> None:
    """Wake nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversight:
    """The engine around stations whose work may take long."""

    note: Note = _no_note
    #: Tells whether a job still needs its bytes and this engine may still move them.
    is_wanted: Callable[[str], bool] = _always
    #: Sets a station to work again.
    wake: Callable[[LaneKey, JobStatus], None] = _no_wake
