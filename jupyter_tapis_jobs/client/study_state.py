"""How a study stands: its cases by state, how far it is, and how long it will honestly take."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from ..model.status import JobStatus
from .words import is_terminal, state_words

#: Cells of the bar in a line of text.
_CELLS = 20
#: Ends that must have been seen before anything is said about the time left.
_ENOUGH = 3
#: Ends over which the speed is measured at least, so that it follows changes without jumping.
_WINDOW = 10
#: Where cases are that a stopped study does not begin.
_HELD = (JobStatus.PENDING, JobStatus.BLOCKED)
#: Statuses that are one group for a person -> its word; the first status lends its glyph and colour.
_GROUPS: tuple[tuple[str, tuple[JobStatus, ...]], ...] = (
    ("done", (JobStatus.FINISHED,)),
    ("failed", (JobStatus.FAILED,)),
    ("cancelled", (JobStatus.CANCELLED,)),
    ("running", (JobStatus.RUNNING,)),
    ("archiving", (JobStatus.ARCHIVING,)),
    ("in the queue", (JobStatus.QUEUED, JobStatus.SUBMITTING_JOB)),
    ("being prepared", (JobStatus.STAGING_INPUTS, JobStatus.STAGING_JOB)),
    ("accepted", (JobStatus.PENDING, JobStatus.PROCESSING_INPUTS)),
    ("held back", (JobStatus.BLOCKED,)),
    ("paused", (JobStatus.PAUSED,)),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that a person sees as one state."""

    glyph: str
    word: str
    colour: str
    count: int

    def __str__(self) -> str:
        return f"{self.glyph} {self.count:,} {self.word}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyState:
    """All that the progress of a study shows, at one moment."""

    #: What it is called beside its name.
    kind: ClassVar[str] = "study"
    name: str
    #: Status of the last attempt -> number of cases; those never submitted are not in it.
    counts: Mapping[str, int]
    #: Cases that were never submitted.
    waiting: int = 0
    #: ``about 2 min left``, why nothing can be said, or "".
    left: str = ""
    #: Why no more cases are begun, or "".
    stopped: str = ""
    #: One sentence while the server does not answer.
    trouble: str = ""
    failures: tuple[str, ...] = field(default=())
    #: How the jobs stand that go on with the cases, a line each.
    then: tuple[str, ...] = ()

    @property
    def submitted(self) -> int:
        """Cases that have an attempt."""
        return sum(self.counts.values())

    @property
    def total(self) -> int:
        """All cases."""
        return self.submitted + self.waiting

    @property
    def ended(self) -> int:
        """Cases whose last attempt has ended, well or not."""
        return sum(count for status, count in self.counts.items() if is_terminal(status))

    @property
    def is_over(self) -> bool:
        """True when no case is in flight: those that a stopped study holds back are not."""
        held = sum(self.counts.get(status, 0) for status in _HELD) if self.stopped else 0
        return self.ended + held == self.submitted

    @property
    def groups(self) -> tuple[Group, ...]:
        """The states that any case is in, in the order in which a person asks for them."""
        unsent = Group("·", "not submitted", state_words("").colour, self.waiting)
        return (*groups_of(self.counts), *([unsent] if self.waiting else ()))

    @property
    def picture(self) -> str:
        """What a notebook shows below the bar, as markup whose texts are escaped."""
        return ""

    @property
    def line(self) -> str:
        """``fragility  ██████░░  1,514 of 2,000   ✓ 1,497 done   ✗ 17 failed   about 2 min left``."""
        full = round(_CELLS * self.ended / self.total) if self.total else 0
        # Neither empty nor full before it is.
        full = min(max(full, int(self.ended > 0)), _CELLS - int(self.ended < self.total))
        bar = "█" * full + "░" * (_CELLS - full)
        head = f"{self.name}  {bar}  {self.ended:,} of {self.total:,}"
        return "   ".join(
            [head, *map(str, self.groups), *filter(None, (self.left, self.stopped, self.trouble))]
        )

    @property
    def text(self) -> str:
        """The line, and below it what failed and what goes on with the cases."""
        return "\n".join([self.line, *self.below])

    @property
    def below(self) -> tuple[str, ...]:
        """What failed, and what goes on with the cases, a line each."""
        return (*(f"  ✗ {told}" for told in self.failures), *(f"  → {told}" for told in self.then))


class Pace:
    """Measures how fast cases end, and says how long the rest takes.

    Only what was seen counts: ends, over the time from the first sight of a running case. Cases run
    in waves, so the speed is taken over at least as many ends as cases run at a time; while
    nothing ends, the speed falls and the time left grows.
    """

    def __init__(self) -> None:
        #: (seconds, cases ended by then), oldest first.
        self._seen: deque[tuple[float, int]] = deque()

    def left(self, state: StudyState, now: float) -> str:
        """Take in how the study stands at *now* (seconds) and return the words for the time left."""
        running = state.counts.get(JobStatus.RUNNING, 0)
        remaining = state.submitted - state.ended
        if not remaining or state.is_over:
            return ""
        if self._seen and state.ended < self._seen[-1][1]:
            # A retry has put ended cases back into flight: a new count begins.
            self._seen.clear()
        if not running and (not self._seen or self._seen[0][1] == state.ended):
            # Before anything runs the queue decides, and nobody knows its time.
            self._seen.clear()
            return _why_unknown(state)
        if not self._seen or self._seen[-1][1] != state.ended:
            self._seen.append((now, state.ended))
        self._forget(state.ended, max(_WINDOW, running))
        began, before = self._seen[0]
        ends = state.ended - before
        if ends < _ENOUGH or now <= began:
            return "no estimate before some cases have ended"
        return f"about {rounded((now - began) * remaining / ends)} left"

    def _forget(self, ended: int, needed: int) -> None:
        """Drop what is older than the last *needed* ends."""
        while len(self._seen) > 2 and ended - self._seen[1][1] >= needed:
            self._seen.popleft()


def rounded(seconds: float) -> str:
    """Return an estimate with no more digits than it is worth: ``40 s``, ``2 min``, ``3 h``, ``4 d``."""
    for size, unit, step in ((1, "s", 10), (60, "min", 1), (3600, "h", 1), (86400, "d", 1)):
        count = max(step, math.ceil(seconds / size / step) * step)
        if count * size < _UP_TO[unit]:
            return f"{count:,} {unit}"
    return f"{math.ceil(seconds / 86400):,} d"


#: Seconds up to which a unit is used.
_UP_TO = MappingProxyType({"s": 90, "min": 5400, "h": 172_800, "d": math.inf})


def groups_of(counts: Mapping[str, int]) -> tuple[Group, ...]:
    """Return the states that any job is in, in the order in which a person asks for them."""
    found = (_group(word, statuses, sum(counts.get(s, 0) for s in statuses)) for word, statuses in _GROUPS)
    return tuple(group for group in found if group.count)


def _group(word: str, statuses: tuple[JobStatus, ...], count: int) -> Group:
    look = state_words(statuses[0])
    return Group(look.glyph, word, look.colour, count)


def _why_unknown(state: StudyState) -> str:
    held = state.counts.get(JobStatus.BLOCKED, 0)
    if held and held == state.submitted - state.ended:
        return "held back; no estimate"
    queued = state.counts.get(JobStatus.QUEUED, 0)
    return "the queue decides when it starts" if queued else ""
