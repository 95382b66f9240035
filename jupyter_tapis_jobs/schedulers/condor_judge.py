"""From marks, queue and history to one sighting per job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .base import Launch, Report, Sighting
from .condor_answer import Entry, Look
from .condor_states import (
    AT_WORK,
    COMPLETED,
    HELD,
    HOLDS,
    IDLE,
    LOST,
    OTHER_HOLD,
    REMOVED,
    End,
    end_of,
    held,
    waiting,
)
from .condor_submit import job_number
from .job_marks import Found

#: Seconds that the mark of one that ended by itself is waited for (NFS shows it late).
SETTLE = 10
_GONE = "its directory is not on the host any more"
_NEVER_BEGAN = "HTCondor ended it before its launch script began: its directory may not be on the machine"
#: Nothing is known for sure; the next look may tell.
_UNCLEAR: tuple[None, None, str] = (None, None, "")

Judgement = tuple[Sighting | None, End | None, str]


class Judge:
    """Judges all jobs of one look."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._queue = _by_job(look.queue)
        self._history = _by_job(look.history)

    def reports(self, launches: Sequence[Launch]) -> Iterator[tuple[str, Report]]:
        """Yield (uuid, report) for all jobs of which something is known for sure."""
        for launch in launches:
            found = self._look.found.get(launch.uuid)
            report = self._report(launch, found) if found else None
            if report:
                yield launch.uuid, report

    def _report(self, launch: Launch, found: Found) -> Report | None:
        entry, listed = self._entry(launch, found)
        number = launch.remote_job_id or (entry.number if entry else self._number(launch))
        later = self._look.found_later.get(launch.uuid)
        is_over = entry is None or not listed
        if entry and entry.status in AT_WORK and later and later.state == "claimed":
            found = later
        if is_over and found.state in ("free", "claimed") and later and later.state != found.state:
            # Something happened between the look at the marks and the answer of HTCondor.
            if later.state != "ended":
                return None
            found = later
        if found.state in ("free", "claimed") and entry and self._may_still_write(entry):
            return None
        if entry and listed and entry.status == REMOVED and found.state in ("free", "claimed"):
            # Its processes are being ended: only what has left the queue is over.
            return Report(sighting=Sighting.RUNNING, remote_job_id=number) if found.claimed_by else None
        sighting, end, reason = self._judge(launch, found, entry)
        if sighting is None:
            return None
        return Report(
            sighting=sighting,
            remote_job_id=number,
            condition=end.condition if end else None,
            reason=reason,
        )

    def _entry(self, launch: Launch, found: Found) -> tuple[Entry | None, bool]:
        """Return the job's row, and whether it is in the queue; of two copies that which won the claim."""
        key = launch.uuid, found.claimed_by if "." in found.claimed_by else launch.submission_id or ""
        entry = self._queue.get(key)
        return (self._history.get(key), False) if entry is None else (entry, True)

    def _number(self, launch: Launch) -> str | None:
        """Return the number that a submission left on the host."""
        key = launch.uuid if launch.mode == "single" else launch.submission_id or ""
        told = self._look.numbers.get(key)
        return job_number(launch.mode, told, self._look.places.get(launch.uuid, 0)) if told else None

    def _may_still_write(self, entry: Entry) -> bool:
        """True for one that ended by itself only now, so that its marks may not be visible yet."""
        is_own_end = entry.status == COMPLETED and not entry.signal
        return is_own_end and self._look.now - entry.ended < SETTLE

    def _judge(self, launch: Launch, found: Found, entry: Entry | None) -> Judgement:
        match found.state:
            case "revoked":
                return Sighting.ABSENT, None, ""
            case "ended":
                end = _verdict(found, entry)
                return Sighting.ENDED, end, _sentence(end, launch, entry) if end and entry else ""
            case "claimed":
                return self._begun(launch, entry)
            case "free":
                return self._unbegun(launch, entry)
        # missing
        if (entry and entry.status in AT_WORK | {IDLE, HELD}) or not self._look.has_history:
            return _UNCLEAR
        return Sighting.REFUSED, None, _GONE

    def _begun(self, launch: Launch, entry: Entry | None) -> Judgement:
        if entry is None:
            return (Sighting.VANISHED, LOST, LOST.sentence) if self._look.has_history else _UNCLEAR
        if entry.status in AT_WORK:
            return Sighting.RUNNING, None, ""
        if entry.status == IDLE and entry.starts == 0:
            # It has begun, and the queue will say so in a moment.
            return Sighting.RUNNING, None, ""
        end = end_of(entry)
        return Sighting.VANISHED, end if end.condition else LOST, _sentence(end, launch, entry)

    def _unbegun(self, launch: Launch, entry: Entry | None) -> Judgement:
        if entry is None:
            return (Sighting.ABSENT, None, "") if self._look.has_history else _UNCLEAR
        if entry.status in AT_WORK:
            return Sighting.QUEUED, None, ""
        if entry.status == IDLE and entry.starts == 0:
            sighting, reason = waiting(entry, self._look.machines)
            return sighting, None, reason
        if entry.status == HELD:
            hold = HOLDS.get(entry.hold_code, OTHER_HOLD)
            return hold.sighting, None, held(entry, begun=False)
        end = end_of(entry)
        if end.unbegun is Sighting.ABSENT:
            return Sighting.ABSENT, None, ""
        return Sighting.REFUSED, end, _NEVER_BEGAN if end.condition is None else _sentence(end, launch, entry)


def _by_job(entries: Sequence[Entry]) -> Mapping[tuple[str, str], Entry]:
    """Return entries by uuid and submission, and by uuid and number; the history tells the newest first."""
    by_submission = {(entry.uuid, entry.submission): entry for entry in reversed(entries)}
    return by_submission | {(entry.uuid, entry.number): entry for entry in entries}


def _verdict(found: Found, entry: Entry | None) -> End | None:
    """Return why HTCondor ended a job that could still write down its end; None when it did not."""
    if entry is None or found.killed or not found.is_by_signal or entry.status in AT_WORK:
        return None
    end = end_of(entry)
    return end if end.condition else None


def _sentence(end: End, launch: Launch, entry: Entry) -> str:
    return end.sentence.format(
        minutes=f" of {launch.max_minutes} min" if launch.max_minutes else "",
        machine=f" ({entry.machine.partition('@')[2] or entry.machine})" if entry.machine else "",
        vacated=f" ({entry.vacated})" if entry.vacated else "",
        signal=entry.signal,
        why=entry.remove_reason or "no reason told",
    )
