"""Watching a study: the server is asked for counts of states, often while they change, seldom else."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from ..model.errors import JobError, TapisJobsError, UnavailableError
from ..model.status import JobStatus
from .progress import Progress, choose_progress
from .study_state import Pace, StudyState
from .waiting import WaitInterrupted
from .words import duration

#: Seconds between two looks: after a change, their growth, when nothing happens for long.
_FIRST, _GROWTH, _LAST = 0.2, 1.4, 3.0
#: A look may cost the server this share of the time at most, and be late by this share of it.
_SHARE = _LATE = 0.05

#: What tells how the study stands now.
Ask = Callable[[], StudyState]


class Display(Protocol):
    """Shows how a study stands, in place of what it showed before."""

    def show(self, state: StudyState, *, change: bool) -> None:
        """Show *state*; *change* tells that it says something new, not only a later time."""
        ...

    def done(self) -> None:
        """Leave what is shown as it is."""
        ...


class TextDisplay:
    """The state as one line of text."""

    def __init__(self, progress: Progress, out: Callable[[str], Any] | None = None) -> None:
        self._progress = progress
        self._out = out or (lambda line: None)
        self._below: tuple[str, ...] = ()

    def show(self, state: StudyState, *, change: bool) -> None:
        """Show the line."""
        self._progress.show(state.line, change=change)
        self._below = state.below

    def done(self) -> None:
        """Leave the last line standing, and what failed and goes on below it."""
        self._progress.done()
        for told in self._below:
            self._out(f"{told}\n")


#: What makes displays in a notebook, once that side has told it.
_in_notebook: list[Callable[[], Display]] = []


def use_in_notebook(make: Callable[[], Display]) -> None:
    """Let *make* make the displays of this kernel's notebook."""
    _in_notebook[:] = [make]


def choose_display() -> Display:
    """Return the way of showing a study that fits where this Python runs."""
    from .progress import in_notebook

    return (
        _in_notebook[0]()
        if _in_notebook and in_notebook()
        else TextDisplay(choose_progress(), sys.stdout.write)
    )


class Watch:
    """Looks at a study again and again. ``gap`` is the seconds until the next look.

    *explain* tells what failed, a line each; it is asked once all has ended.
    """

    def __init__(
        self,
        ask: Ask,
        now: Callable[[], float] = time.monotonic,
        explain: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self._ask = ask
        self._explain = explain
        self._now = now
        self._pace = Pace()
        self._begun: float | None = None
        #: Seconds of the quickest answer: what a look costs, when nobody else is in the way.
        self._cost = math.inf
        self.state: StudyState | None = None
        self.changed = False
        self.gap = _FIRST

    def look(self) -> StudyState:
        """Ask, and return how the study stands; while the server does not answer, how it stood."""
        began = self._now()
        self._begun = began if self._begun is None else self._begun
        try:
            found = self._ask()
        except UnavailableError as cause:
            if self.state is None:
                raise
            found = replace(self.state, trouble=cause.message, left="")
        else:
            found = replace(found, left=self._pace.left(found, began))
            if found.is_over and found.counts.get(JobStatus.FAILED):
                found = replace(found, failures=self._explained())
        before, self.state = self.state, found
        self.changed = before is None or _news(before) != _news(found)
        self._cost = min(self._cost, self._now() - began)
        # Whoever waits for seconds hears of the end in less than one.
        longest = min(_LAST, max(_FIRST, _LATE * (began - self._begun)))
        if found.trouble:
            longest = _LAST
        grown = _FIRST if self.changed and not found.trouble else min(longest, self.gap * _GROWTH)
        self.gap = max(grown, self._cost / _SHARE)
        return found

    def _explained(self) -> tuple[str, ...]:
        """What cannot be told now is told by ``study.failures()``."""
        try:
            return self._explain()
        except TapisJobsError:
            return ()


def _news(state: StudyState) -> tuple[object, ...]:
    return state.counts, state.trouble, state.then


def wait_for_study(
    watch: Watch,
    display: Display,
    timeout: float | None,
    pause: Callable[[float], Any],
    now: Callable[[], float] = time.monotonic,
) -> StudyState:
    """Wait until no case is in flight; return how the study stands then.

    Raises ``JobError`` when that takes longer than *timeout* seconds, ``WaitInterrupted`` on Ctrl-C;
    the jobs go on in both cases.
    """
    started = now()
    try:
        while True:
            state = watch.look()
            display.show(state, change=watch.changed)
            if state.is_over and not state.trouble:
                return state
            left = watch.gap if timeout is None else min(watch.gap, started + timeout - now())
            if left <= 0:
                raise JobError(
                    f"{state.submitted - state.ended:,} cases of study '{state.name}' have not ended after "
                    f"{duration(timeout or 0.0)}. They go on; study.wait() waits again.",
                    code="JOBS_WAIT_TIMEOUT",
                )
            pause(left)
    except KeyboardInterrupt:
        raise WaitInterrupted("Stopped waiting. The cases go on; study.wait() waits again.") from None
    finally:
        display.done()
