"""The words of a job's states: glyph, colour, sentence; times and sizes as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from ..model.status import JobStatus


@dataclass(frozen=True, slots=True)
class StateWords:
    """How one state is shown: always glyph and word and colour, so that none is needed alone.

    ``colour`` is a background that white text can be read on (WCAG AA), in light and dark themes.
    """

    glyph: str
    colour: str
    words: str


_GREY, _BLUE_GREY, _AMBER = "#5f6368", "#4a6572", "#8a5a00"

STATES: Mapping[str, StateWords] = MappingProxyType(
    {
        JobStatus.PENDING: StateWords("○", _GREY, "accepted"),
        JobStatus.PROCESSING_INPUTS: StateWords("○", _GREY, "checking inputs"),
        JobStatus.STAGING_INPUTS: StateWords("◌", _BLUE_GREY, "copying inputs"),
        JobStatus.STAGING_JOB: StateWords("◌", _BLUE_GREY, "putting the job in place"),
        JobStatus.SUBMITTING_JOB: StateWords("◷", _AMBER, "being handed to its scheduler"),
        JobStatus.QUEUED: StateWords("◷", _AMBER, "in the queue"),
        JobStatus.RUNNING: StateWords("▶", "#1565c0", "running"),
        JobStatus.ARCHIVING: StateWords("⇪", "#00695c", "archiving"),
        JobStatus.FINISHED: StateWords("✓", "#2e7d32", "done"),
        JobStatus.FAILED: StateWords("✗", "#c62828", "failed"),
        JobStatus.CANCELLED: StateWords("⊘", "#475569", "cancelled by you"),
        JobStatus.PAUSED: StateWords("⏸", "#6a1b9a", "held by you; resume"),
        JobStatus.BLOCKED: StateWords("⚠", "#b45309", "held back by trouble that passes; nothing is lost"),
    }
)
#: A server newer than this client may know further states.
_UNKNOWN = StateWords("·", _GREY, "")


def state_words(status: str) -> StateWords:
    """Return how *status* is shown."""
    return STATES.get(status, _UNKNOWN)


def clock(seconds: float) -> str:
    """Return a running time: ``00:07``, ``12:40``, ``1:04:09``."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def duration(seconds: float) -> str:
    """Return a time that has passed: ``0.4 s``, ``12 s``, ``3 min 05 s``, ``1 h 04 min``, ``2 d 03 h``."""
    if seconds < 1:
        return f"{max(0.0, seconds):.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours:02} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def size(count: int) -> str:
    """Return a number of bytes: ``512 B``, ``4.1 KB``, ``41 MB`` (thousands, as disks are sold)."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("KB", "MB", "GB"):
        value /= 1000
        if value < 999.5:
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return f"{value / 1000:.1f} TB"


def amount(megabytes: int) -> str:
    """Return an amount of memory: ``800 MB``, ``192 GB``."""
    return size(megabytes * 1_000_000)


def limit(minutes: int) -> str:
    """Return a time limit: ``10 min``, ``2 h``, ``1 h 30 min``, ``48 h``, ``7 days``."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    if rest:
        return f"{hours} h {rest:02} min"
    return f"{hours // 24} days" if hours > 48 and hours % 24 == 0 else f"{hours} h"


def seconds_of(moment: str | None) -> float | None:
    """Return Tapis's time text as seconds since the epoch; None when there is none."""
    if not moment:
        return None
    at = datetime.fromisoformat(moment)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def age(job: Mapping[str, Any], now: float) -> float:
    """Return the seconds to show beside the state: in this run while it runs, else since acceptance.

    ``job`` is a row as Tapis gives it; a job that has ended shows its whole time.
    """
    created = seconds_of(job.get("created"))
    if created is None:
        return 0.0
    ended = seconds_of(job.get("ended"))
    if ended is not None:
        return ended - created
    started = seconds_of(job.get("remoteStarted")) if job.get("status") == JobStatus.RUNNING else None
    return max(0.0, now - (created if started is None else started))


def sentence(job: Mapping[str, Any], now: float) -> str:
    """Return what a card says beside the state.

    ``running 00:07 of 05:00 at most``, ``done in 12 s``, ``copying inputs 41 of 90 MB 00:20``,
    ``in queue normal 02:10: it waits for free nodes (Resources)``.
    """
    status = str(job.get("status") or "")
    words = state_words(status).words
    seconds = age(job, now)
    said = str(job.get("lastMessage") or "").strip().rstrip(".")
    if status == JobStatus.RUNNING:
        limit = job.get("maxMinutes")
        return f"{words} {clock(seconds)}" + (f" of {clock(60 * int(limit))} at most" if limit else "")
    if status in (JobStatus.FINISHED, JobStatus.FAILED):
        return f"{words} {'in' if status == JobStatus.FINISHED else 'after'} {duration(seconds)}"
    if status == JobStatus.CANCELLED:
        who = words if job.get("condition") in (None, "CANCELLED_BY_USER") else "cancelled"
        return f"{who} after {duration(seconds)}"
    if status == JobStatus.BLOCKED and said:
        return str(job["lastMessage"])
    if status in _WAITING:
        queue = job.get("execSystemLogicalQueue") if status == JobStatus.QUEUED else None
        where = f"in queue {queue}" if queue else words
        return f"{where} {clock(seconds)}" + (f": {said}" if said else "")
    return f"{said if said and status in _AT_WORK else words} {clock(seconds)}"


#: Where the message tells what is waited for, and where it tells how far the work is.
_WAITING = frozenset({JobStatus.SUBMITTING_JOB, JobStatus.QUEUED})
_AT_WORK = frozenset({JobStatus.STAGING_INPUTS, JobStatus.STAGING_JOB, JobStatus.ARCHIVING})


def is_terminal(status: str) -> bool:
    """Return True when nothing will happen to a job in *status* any more."""
    return status in (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.CANCELLED)


def progress_words(job: Mapping[str, Any]) -> str:
    """Return how far its application says it is: ``40 % · step 12``; '' where it has said nothing."""
    percent, said = job.get("progress"), str(job.get("progressMessage") or "").strip()
    return " · ".join(filter(None, ("" if percent is None else f"{float(percent):.4g} %", said)))
