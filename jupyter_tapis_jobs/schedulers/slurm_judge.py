"""From marks, list and books to one sighting per job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..model.status import Condition
from . import slurm_identity as identity
from .base import Launch, Report, Sighting
from .job_marks import Found
from .slurm_answer import Entry, Look, by_number
from .slurm_states import ENDS, LEAVING, PHASES, UNKNOWN, End, Phase, waiting
from .slurm_submit import numbers

#: Ended by itself, so its launch script has written its end; on a network file system that may show later.
_WROTE = ("COMPLETED", "FAILED")
#: Seconds that such a mark is waited for (NFS looks again at a directory that is opened).
SETTLE = 10
#: A Slurm without accounting says this for ever; any other trouble of sacct passes.
_NO_BOOKS = ("accounting storage is disabled", "sacct: not found", "sacct: command not found")
_LOST = "Slurm does not know it any more, and it left no word about its end: submit it again"
_REQUEUED = "Slurm put it back into the queue after its start; it is not run a second time: submit it again"
#: Nothing is known for sure; the next look may tell.
_UNCLEAR: tuple[None, None, str] = (None, None, "")
_GONE = "its directory is not on the host any more"


class Judge:
    """Judges all jobs of one look."""

    def __init__(self, look: Look) -> None:
        self._lane_dir = look.lane_dir
        self._look = look
        self._queue = by_number(look.queue)
        self._books = by_number(look.books)
        self._named = _by_directory(look.queue), _by_directory(look.books)

    def reports(self, launches: Sequence[Launch]) -> Iterator[tuple[str, Report]]:
        """Yield (uuid, report) for all jobs of which something is known for sure."""
        for launch in launches:
            found = self._look.found.get(launch.uuid)
            report = self._report(launch, found) if found else None
            if report:
                yield launch.uuid, report

    # -- which entry of Slurm's is the job's

    def _numbers(self, launch: Launch) -> tuple[str | None, str | None]:
        """Return the job's two remote ids, from the engine or from the host."""
        if launch.remote_job_id:
            second = self._look.places.get(launch.uuid) if launch.mode == "pack" else None
            return launch.remote_job_id, None if second is None else str(second)
        key = launch.uuid if launch.mode == "single" else launch.submission_id or ""
        number = self._look.numbers.get(key) or self._number_by_name(launch)
        if number is None:
            return None, None
        return numbers(launch.mode, number, self._look.places.get(launch.uuid, 0))

    def _number_by_name(self, launch: Launch) -> str | None:
        """Find a job whose number was lost, by its comment and its directory."""
        place = identity.work_dir(self._lane_dir, launch)
        comment = f"{identity.COMMENT}{launch.submission_id}"
        for named in self._named:
            for entry in named.get(place, ()):
                if entry.comment in (comment, "", "(null)"):
                    return entry.number.partition("_")[0]
        return None

    def _entry(self, launch: Launch, found: Found, number: str | None) -> tuple[Entry | None, bool]:
        """Return the job's row, and whether it stands in the list of the living slurmctld."""
        wanted = [name for name in (found.claimed_by, number) if name][:1]
        places = {launch.exec_dir, identity.work_dir(self._lane_dir, launch)}
        for listed, entries in ((True, self._queue), (False, self._books)):
            for name in wanted:
                entry = entries.get(name) or self._rest_of_array(launch, entries, name)
                if entry and _is_the_jobs(
                    entry, launch, places, claimed=bool(found.claimed_by), listed=listed
                ):
                    return entry, listed
        return None, False

    def _rest_of_array(self, launch: Launch, entries: Mapping[str, Entry], name: str) -> Entry | None:
        """Tasks of an array that are cancelled before their start share one row under its number."""
        entry = entries.get(name.partition("_")[0]) if launch.mode == "array" else None
        return entry if entry and entry.number == entry.raw and _phase(entry) is Phase.OVER else None

    def _is_fresh(self, entry: Entry) -> bool:
        """True when it ended only now, so that its marks may not be visible yet."""
        return entry.ended is not None and self._look.now - entry.ended < SETTLE

    # -- what it means

    def _report(self, launch: Launch, found: Found) -> Report | None:
        first, second = self._numbers(launch)
        entry, listed = self._entry(launch, found, first)
        phase = _phase(entry) if entry and listed else Phase.OVER
        later = self._look.found_later.get(launch.uuid)
        if (
            phase is Phase.OVER
            and found.state in ("free", "claimed")
            and later
            and later.state != found.state
        ):
            # Something happened between the look at the marks and the answer of Slurm.
            if later.state != "ended":
                return None
            found = later
        if entry and entry.state in _WROTE and found.state in ("free", "claimed") and self._is_fresh(entry):
            return None
        sighting, end, reason = self._judge(launch, found, entry, listed=listed)
        if sighting is None:
            return None
        condition = end.condition if end else None
        return Report(
            sighting=sighting, remote_job_id=first, remote_job_id2=second, condition=condition, reason=reason
        )

    def _judge(
        self, launch: Launch, found: Found, entry: Entry | None, *, listed: bool
    ) -> tuple[Sighting | None, End | None, str]:
        phase = _phase(entry) if entry else None
        if entry and not listed and phase is not Phase.OVER:
            # Only the books still have it: the slurmctld lost it.
            entry = phase = None
        match found.state:
            case "revoked":
                return Sighting.ABSENT, None, ""
            case "ended":
                end, reason = _verdict(launch, found, entry, phase)
                return Sighting.ENDED, end, reason
            case "claimed":
                return self._begun(launch, entry, phase)
            case "free":
                return self._unbegun(launch, entry, phase)
        # missing
        waits = self._unbegun(launch, entry, phase) if phase is Phase.WAITING else None
        if waits and waits[0] is Sighting.IMPOSSIBLE:
            return waits
        if phase in (Phase.WAITING, Phase.RUNNING, Phase.LEAVING) or self._cannot_tell(entry):
            return _UNCLEAR
        return Sighting.REFUSED, None, _GONE

    def _begun(
        self, launch: Launch, entry: Entry | None, phase: Phase | None
    ) -> tuple[Sighting | None, End | None, str]:
        if self._cannot_tell(entry):
            return _UNCLEAR
        if entry is None:
            return Sighting.VANISHED, UNKNOWN, _LOST
        if phase in (Phase.RUNNING, Phase.LEAVING):
            return Sighting.RUNNING, None, ""
        if phase is Phase.WAITING:
            return Sighting.VANISHED, UNKNOWN, _REQUEUED
        end = ENDS.get(entry.state, UNKNOWN)
        return Sighting.VANISHED, end if end.condition else UNKNOWN, _sentence(end, launch, entry)

    def _unbegun(
        self, launch: Launch, entry: Entry | None, phase: Phase | None
    ) -> tuple[Sighting | None, End | None, str]:
        if self._cannot_tell(entry):
            return _UNCLEAR
        if entry is None:
            return Sighting.ABSENT, None, ""
        if phase is Phase.WAITING:
            sighting, reason = waiting(entry.reason, number=entry.number, minutes=launch.max_minutes)
            return sighting, None, reason
        if phase is not Phase.OVER:
            return Sighting.QUEUED, None, ""
        end = ENDS.get(entry.state, UNKNOWN)
        if self._was_left_over(launch, entry) or end.unbegun is Sighting.ABSENT:
            return Sighting.ABSENT, None, ""
        if end.condition is Condition.SCHEDULER_CANCELLED and entry.nodes and not self._ran(launch):
            return self._cancelled_at_its_start(launch, entry, end)
        return Sighting.REFUSED, end, _never_began(launch, entry)

    def _cancelled_at_its_start(
        self, launch: Launch, entry: Entry, end: End
    ) -> tuple[Sighting | None, End | None, str]:
        """Tell a user's cancel from a start that Slurm took back with its node.

        A batch job whose node fails while it is launched ends as cancelled by Slurm's own user
        (slurmctld's ``job_complete``; Slurm's FAQ, "Batch JobId missing from batch node"). The list
        does not name who cancelled, the books do a moment later.
        """
        booked = self._books.get(entry.number)
        known = booked is not None and _phase(booked) is Phase.OVER
        if not known and not self._has_no_books():
            return _UNCLEAR
        if booked and booked.cancelled_by not in ("", self._look.user):
            return Sighting.ABSENT, None, ""
        return Sighting.REFUSED, end, _never_began(launch, entry)

    def _was_left_over(self, launch: Launch, entry: Entry) -> bool:
        """True for a case that its allocation did not come to; one that never began would fail again."""
        over = entry.state == "COMPLETED" or (entry.state == "FAILED" and self._ran(launch))
        return launch.mode == "pack" and over

    def _ran(self, launch: Launch) -> bool:
        """True for a case of a pack whose runner had begun."""
        return launch.mode == "pack" and (launch.submission_id or "") in self._look.ran

    def _cannot_tell(self, entry: Entry | None) -> bool:
        """True when the list shows nothing and the books do not answer for now."""
        return entry is None and bool(self._look.trouble) and not self._has_no_books()

    def _has_no_books(self) -> bool:
        return any(words in self._look.trouble for words in _NO_BOOKS)


def _by_directory(entries: Sequence[Entry]) -> Mapping[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.work_dir, []).append(entry)
    return found


def _is_the_jobs(entry: Entry, launch: Launch, places: set[str], *, claimed: bool, listed: bool) -> bool:
    """A number counts with the directory, or with the comment where a link hides the directory.

    Another job of ours may have the number by now. Only the copy that won the claim may be of another
    submission. The books of a site may not have directories.
    """
    if entry.work_dir in places:
        return True
    if not entry.work_dir:
        return not listed
    if claimed:
        return entry.comment.startswith(identity.COMMENT)
    names = {place.rpartition("/")[2] for place in places}
    is_ours = entry.comment == f"{identity.COMMENT}{launch.submission_id}"
    return is_ours and entry.work_dir.rpartition("/")[2] in names


def _phase(entry: Entry) -> Phase:
    return PHASES.get(entry.state, Phase.OVER)


def _verdict(
    launch: Launch, found: Found, entry: Entry | None, phase: Phase | None
) -> tuple[End | None, str]:
    """Return why Slurm ended a job that could still write down its end; nothing when it did not."""
    if launch.mode == "pack" and found.killed == "timeout":
        return ENDS["TIMEOUT"], ENDS["TIMEOUT"].sentence.format(minutes=_minutes(launch))
    if entry is None or found.killed:
        return None, ""
    state = entry.state if phase is Phase.OVER else LEAVING.get(entry.reason, "")
    end = ENDS.get(state)
    if end is None or end.condition is None or (launch.mode == "pack" and not found.is_by_signal):
        return None, ""
    return end, _sentence(end, launch, entry)


def _sentence(end: End, launch: Launch, entry: Entry) -> str:
    return end.sentence.format(
        minutes=_minutes(launch),
        nodes=f" ({entry.nodes})" if entry.nodes else "",
        reason=f" ({entry.reason})" if entry.reason else "",
    )


def _minutes(launch: Launch) -> str:
    return f" of {launch.max_minutes} min" if launch.max_minutes else ""


def _never_began(launch: Launch, entry: Entry) -> str:
    """Say that a job ended before its start."""
    why = f"{entry.state}, {entry.reason}" if entry.reason else entry.state
    if entry.state == "CANCELLED":
        return "it was cancelled at Slurm itself before it began, not by this server"
    if launch.mode == "single":
        hint = "its directory may be missing or not writable on the compute nodes"
    else:
        hint = f"what was said then is in {entry.work_dir}/{identity.LOG}"
    what = "the allocation of its pack" if launch.mode == "pack" else "it"
    return f"Slurm ended {what} before its launch script began ({why}): {hint}"
