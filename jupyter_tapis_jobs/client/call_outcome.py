"""What came of calls of functions: the result that a job left, unpickled for its own owner only."""

from __future__ import annotations

import io
import pickle
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..model.errors import JobError, NotAllowedError, NotFoundError
from ..model.extensions import Extension
from ..model.status import JobStatus
from . import bulk
from .call_remote.script import RESULT
from .collecting import fetched_or_missing
from .failure import last_words

if TYPE_CHECKING:
    from .job import Job
    from .tapis import Tapis


class RemoteTraceback(Exception):  # noqa: N818 - as multiprocessing calls its own
    """The traceback of an exception where it was raised, as text: the cause of the exception raised here."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job's call: its ``value``, or the ``error`` to raise.

    Of several calls the value is a list, and the error the first one's.
    """

    value: Any = None
    error: Exception | None = None
    #: False where asking again may tell more: the job ended well, and its result could not be had.
    settled: bool = True
    #: One of each call, where the job tells of several.
    calls: tuple[Outcome, ...] = ()

    def of_call(self, place: int) -> Outcome:
        """Return what became of the job's call at *place*, from 0."""
        return self.calls[place] if place < len(self.calls) else self

    def result(self) -> Any:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error.with_traceback(None)
        return self.value

    @property
    def words(self) -> str | None:
        """The error as one line, ``ValueError: k is negative``; None for a value."""
        if self.error is None:
            return None
        told = str(self.error)
        return told if isinstance(self.error, JobError) else f"{type(self.error).__name__}: {told}"


def outcomes(tapis: Tapis, jobs: Sequence[Job]) -> dict[str, Outcome]:
    """Return uuid -> outcome of *jobs* that have ended; our server sends all results in one answer.

    Raises ``NotAllowedError`` for a job of somebody else: whoever unpickles runs the code in a pickle.
    """
    _want_own(tapis, jobs)
    contents, missing = _contents(tapis, jobs)
    return {
        job.uuid: _outcome(job, contents[job.uuid])
        if job.uuid in contents
        else _without_result(job, missing.get(job.uuid, ""))
        for job in jobs
    }


def _want_own(tapis: Tapis, jobs: Sequence[Job]) -> None:
    if not jobs:
        return
    me = tapis.connection.get("/v3/oauth2/userinfo")["username"]
    for job in jobs:
        owner = job.row.get("owner") or job.refresh().row.get("owner")
        if owner != me:
            raise NotAllowedError(
                f"{job.name} is {owner}'s: its result is a pickle, and a pickle runs code of whoever made "
                "it as you. Ask them to write a file (CSV, NumPy), and read that."
            )


def _contents(tapis: Tapis, jobs: Sequence[Job]) -> tuple[Mapping[str, bytes], Mapping[str, str]]:
    """Return uuid -> result as it was left, and uuid -> why there is none."""
    if tapis.can(Extension.BULK):
        return fetched_or_missing(tapis.connection, [job.uuid for job in jobs], RESULT)
    read = dict(zip((job.uuid for job in jobs), bulk.side_by_side(_read, jobs), strict=True))
    contents = {uuid: content for uuid, content in read.items() if isinstance(content, bytes)}
    return contents, {uuid: why for uuid, why in read.items() if isinstance(why, str)}


def _read(job: Job) -> bytes | str:
    try:
        return job.read_bytes(RESULT)
    except (NotFoundError, JobError) as cause:
        return cause.message


def _without_result(job: Job, why: str) -> Outcome:
    if job.last_status != JobStatus.FINISHED:
        return Outcome(error=JobError(f"{job.name} {job.last_status}: {last_words(job.row)}."))
    words = f"{job.name} has no result of a call of tapis.call or tapis.map: {why}"
    return Outcome(error=JobError(words), settled=False)


def _outcome(job: Job, content: bytes) -> Outcome:
    try:
        first, *calls = _plain(content)
        if "calls" in first:
            return _of_several(job, first["calls"], [_of_one(job, told) for told in calls])
        return _of_one(job, first)
    except Exception:  # noqa: BLE001 - whatever is in that file
        words = f"{RESULT} of {job.name} is no result of a call: something else has written it."
        return Outcome(error=JobError(words))


def _of_one(job: Job, told: Mapping[str, Any]) -> Outcome:
    return next(outcome for kind, outcome in _KINDS.items() if kind in told)(job, told)


def _of_several(job: Job, count: int, made: list[Outcome]) -> Outcome:
    """Return the outcomes of the calls that were made, and of those the job did not come to."""
    missed = Outcome(
        error=JobError(f"{job.name} {job.last_status} before this call was done: {last_words(job.row)}.")
    )
    calls = (*made, *[missed] * (count - len(made)))
    error = next((call.error for call in calls if call.error is not None), None)
    return Outcome([call.value for call in calls], error, calls=calls)


def _plain(content: bytes) -> Iterator[Any]:
    """Yield the values that stand behind one another; the last may have been cut off."""
    stream = io.BytesIO(content)
    yield _Plain(stream).load()
    with suppress(EOFError, pickle.UnpicklingError):
        while True:
            yield _Plain(stream).load()


class _Plain(pickle.Unpickler):
    """Reads plain values only: nothing runs by it."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse whatever is more than a plain value."""
        raise pickle.UnpicklingError(f"it holds {module}.{name}")


def _value(job: Job, told: Mapping[str, Any]) -> Outcome:
    try:
        return Outcome(value=_unpickled(told["value"]))
    except Exception as cause:  # noqa: BLE001 - unpickling runs the objects' own code
        return Outcome(
            error=JobError(
                f"What {job.name} returned cannot be unpickled here: {type(cause).__name__}: {cause}. "
                "Its packages have other versions there; return plain values, or write a file."
            )
        )


def _refusal(job: Job, told: Mapping[str, Any]) -> Outcome:
    return Outcome(error=JobError(str(told["refused"])))


def _exception(job: Job, told: Mapping[str, Any]) -> Outcome:
    """Return what the function raised; where that cannot be had, an error with its words."""
    error = _unpickled_exception(told) or JobError(f"{job.name} raised {told['raised']}")
    error.__cause__ = RemoteTraceback(told.get("traceback"))
    return Outcome(error=error)


def _unpickled_exception(told: Mapping[str, Any]) -> Exception | None:
    if told.get("exception") is None:
        return None
    try:
        found = _unpickled(told["exception"])
    except Exception:  # noqa: BLE001 - its own code does not take its own words back
        return None
    # One whose __init__ takes other arguments than its words may come back with other words.
    return found if isinstance(found, Exception) and _words_of(found) == told["raised"] else None


def _words_of(error: Exception) -> str:
    return "".join(traceback.format_exception_only(error)).strip()


def _unpickled(data: bytes) -> Any:
    return pickle.loads(data)  # noqa: S301 - what the caller's own function gave back


#: What a result holds -> what becomes of it here.
_KINDS = {"value": _value, "refused": _refusal, "raised": _exception}
