"""What came of calls of functions: the result that a job left, unpickled for its own owner only."""

from __future__ import annotations

import io
import pickle
import traceback
from collections.abc import Mapping, Sequence
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
    """What became of one call: its ``value``, or the ``error`` to raise."""

    value: Any = None
    error: Exception | None = None

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
    contents = _contents(tapis, jobs)
    return {job.uuid: _outcome(job, contents.get(job.uuid)) for job in jobs}


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


def _contents(tapis: Tapis, jobs: Sequence[Job]) -> Mapping[str, bytes]:
    if tapis.can(Extension.BULK):
        return fetched_or_missing(tapis.connection, [job.uuid for job in jobs], RESULT)[0]
    read = bulk.side_by_side(_read, jobs)
    return {job.uuid: content for job, content in zip(jobs, read, strict=True) if content is not None}


def _read(job: Job) -> bytes | None:
    try:
        return job.read_bytes(RESULT)
    except (NotFoundError, JobError):
        return None


def _outcome(job: Job, content: bytes | None) -> Outcome:
    if content is None:
        return Outcome(error=JobError(_why_none(job)))
    try:
        told = _Plain(io.BytesIO(content)).load()
    except Exception as cause:  # noqa: BLE001 - whatever is in that file
        return Outcome(error=JobError(f"{RESULT} of {job.name} is no result of a call: {cause}"))
    if "value" in told:
        return _value(job, told["value"])
    if "refused" in told:
        return Outcome(error=JobError(str(told["refused"])))
    return Outcome(error=_exception(job, told))


class _Plain(pickle.Unpickler):
    """Reads plain values only: nothing runs by it."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse whatever is more than a plain value."""
        raise pickle.UnpicklingError(f"it holds {module}.{name}")


def _value(job: Job, data: bytes) -> Outcome:
    try:
        return Outcome(value=_unpickled(data))
    except Exception as cause:  # noqa: BLE001 - unpickling runs the objects' own code
        return Outcome(
            error=JobError(
                f"What {job.name} returned cannot be unpickled here: {type(cause).__name__}: {cause}. "
                "Its packages have other versions there; return plain values, or write a file."
            )
        )


def _exception(job: Job, told: Mapping[str, Any]) -> Exception:
    """Return what the function raised; where that cannot be had, an error with its words."""
    error: Exception = JobError(f"{job.name} raised {told['raised']}")
    if told["exception"] is not None:
        try:
            found = _unpickled(told["exception"])
        except Exception:  # noqa: BLE001 - its own code does not take its own words back
            found = None
        # One whose __init__ takes other arguments than its words may come back with other words.
        if isinstance(found, Exception) and _words_of(found) == told["raised"]:
            error = found
    error.__cause__ = RemoteTraceback(told["traceback"])
    return error


def _words_of(error: Exception) -> str:
    return "".join(traceback.format_exception_only(error)).strip()


def _unpickled(data: bytes) -> Any:
    return pickle.loads(data)  # noqa: S301 - what the caller's own function gave back


def _why_none(job: Job) -> str:
    if job.last_status == JobStatus.FINISHED:
        return f"{job.name} has no {RESULT}: it is no call of a function by tapis.call or tapis.map."
    return f"{job.name} {job.last_status}: {last_words(job.row)}."
