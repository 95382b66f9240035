"""Waiting for jobs: driven by news, shown as one line, left cleanly by Ctrl-C."""

from __future__ import annotations

import queue
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..model.errors import JobError
from ..model.status import JobStatus
from .failure import failure_of
from .live import Live, News
from .progress import Progress
from .words import STATES, age, clock, duration, is_terminal, sentence, state_words

if TYPE_CHECKING:
    from .job import Job

#: Seconds between two lines while nothing happens.
_TICK = 1.0
#: Seconds of news of many jobs that make one line.
_BURST = 0.1


class WaitInterrupted(KeyboardInterrupt):
    """Ctrl-C while waiting: the rest of the cell does not run, the jobs do."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def wait_for(
    jobs: Sequence[Job],
    live: Live,
    progress: Progress,
    timeout: float | None,
    now: Callable[[], float] = time.time,
) -> None:
    """Wait until all *jobs* have ended.

    Raises ``JobError`` when that takes longer than *timeout* seconds, ``WaitInterrupted`` on Ctrl-C;
    the jobs go on in both cases.
    """
    waiting = {job.uuid: job for job in jobs if not is_terminal(job.last_status)}
    inbox: queue.SimpleQueue[tuple[str, News]] = queue.SimpleQueue()
    started = now()
    stops = [live.listen(uuid, _into(inbox, uuid)) for uuid in waiting]
    try:
        _until_all_ended(list(jobs), waiting, inbox, progress, timeout, started, now)
    except KeyboardInterrupt:
        goes_on = "The job goes on" if len(jobs) == 1 else "The jobs go on"
        again = "job.wait()" if len(jobs) == 1 else "tapis.wait(jobs)"
        raise WaitInterrupted(f"Stopped waiting. {goes_on}; {again} waits again.") from None
    finally:
        for stop in stops:
            stop()
        progress.done()


def _into(inbox: queue.SimpleQueue[tuple[str, News]], uuid: str) -> Callable[[News], None]:
    return lambda news: inbox.put((uuid, news))


def _until_all_ended(
    jobs: Sequence[Job],
    waiting: dict[str, Job],
    inbox: queue.SimpleQueue[tuple[str, News]],
    progress: Progress,
    timeout: float | None,
    started: float,
    now: Callable[[], float],
) -> None:
    trouble, shown = "", ""
    while True:
        state = _states(jobs) + trouble
        progress.show(_line(jobs, now()) + (f"   {trouble}" if trouble else ""), change=state != shown)
        shown = state
        if not waiting:
            return
        left = _TICK if timeout is None else min(_TICK, started + timeout - now())
        if left <= 0:
            raise _too_long(list(waiting.values()), timeout or 0.0)
        for uuid, news in _arrived(inbox, left, 0.0 if len(jobs) == 1 else _BURST):
            if news.error is not None:
                raise news.error
            trouble = news.trouble
            if news.job is not None and uuid in waiting:
                waiting[uuid].take(news.job)
                if is_terminal(waiting[uuid].last_status):
                    _ended(waiting.pop(uuid), alone=len(jobs) == 1)


def _arrived(
    inbox: queue.SimpleQueue[tuple[str, News]], patience: float, burst: float
) -> list[tuple[str, News]]:
    """Return all news that comes within *burst* seconds of the first, which may take *patience* seconds."""
    arrived: list[tuple[str, News]] = []
    try:
        arrived.append(inbox.get(timeout=patience))
        end = time.monotonic() + burst
        while True:
            arrived.append(inbox.get(timeout=max(0.0, end - time.monotonic())))
    except queue.Empty:
        return arrived


def _ended(job: Job, *, alone: bool) -> None:
    """Read all of one ended job; for many that would be as many calls."""
    if alone:
        job.refresh()
        if job.last_status == JobStatus.FAILED:
            # Its last lines say why.
            job.tail()


def _too_long(waiting: Sequence[Job], timeout: float) -> JobError:
    if len(waiting) == 1:
        job = waiting[0]
        return JobError(
            f"{job.name} is still {job.last_status} after {duration(timeout)}. "
            "It goes on; job.wait() waits again.",
            code="JOBS_WAIT_TIMEOUT",
        )
    return JobError(
        f"{len(waiting)} jobs have not ended after {duration(timeout)}. "
        "They go on; tapis.wait(jobs) waits again.",
        code="JOBS_WAIT_TIMEOUT",
    )


def _states(jobs: Sequence[Job]) -> str:
    return ",".join(job.last_status for job in jobs)


def _line(jobs: Sequence[Job], now: float) -> str:
    return one_line(jobs[0], now) if len(jobs) == 1 else _many_line(jobs)


def one_line(job: Job, now: float) -> str:
    """Return ``▶ python-1  RUNNING  00:07``, with what it waits for, and the total time when it has ended."""
    if is_terminal(job.last_status):
        failure = failure_of(job.row, job.known_tail)
        told = str(failure) if failure else sentence(job.row, now)
    elif job.row.get("lastMessage"):
        told = sentence(job.row, now)
    else:
        told = clock(age(job.row, now))
    return f"{state_words(job.last_status).glyph} {job.name}  {job.last_status}  {told}"


def _many_line(jobs: Sequence[Job]) -> str:
    counts = Counter(job.last_status for job in jobs)
    ended = sum(count for status, count in counts.items() if is_terminal(status))
    parts = [f"{STATES[status].glyph} {counts[status]} {status}" for status in STATES if counts[status]]
    return f"{ended} of {len(jobs)} ended   " + "   ".join(parts)
