"""One job after all cases of a study, with their outputs as its inputs; the server submits it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..model.errors import ConflictError, JobError, NotFoundError, TapisJobsError
from ..model.shorthands import SHORTHANDS, merged
from ..model.study_chain import checked_outputs, job_name
from .request import read_request
from .waiting import WaitInterrupted
from .words import duration

if TYPE_CHECKING:
    from .job import Job
    from .study import Study
    from .study_calls import StudyCalls

#: Seconds between two looks for the job, once the cases have ended: the first, their growth, the last.
_FIRST, _GROWTH, _LAST = 0.1, 1.4, 3.0


class Chained:
    """A job that the server submits when no case of its study is in flight. Made by ``study.then``.

    It needs no kernel: the same ``study.then(…)`` again, or ``study.chained()``, finds it.
    """

    def __init__(self, study: Study, calls: StudyCalls, told: Mapping[str, Any]) -> None:
        self.study = study
        self._calls = calls
        self._told = told

    def __repr__(self) -> str:
        try:
            self.refresh()
        except TapisJobsError as cause:
            return f"{self.name}: {cause.message}"
        return f"{self.name}: {self.message}"

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self._told.get("name"))

    @property
    def outputs(self) -> list[str]:
        """What the job is given of each case that is FINISHED."""
        return list(self._told.get("outputs") or ())

    @property
    def message(self) -> str:
        """How it stood when it was asked for last, as a sentence."""
        return str(self._told.get("message") or "")

    @property
    def job(self) -> Job | None:
        """The job; None until it is submitted."""
        if not self._told.get("jobUuid"):
            self.refresh()
        uuid = self._told.get("jobUuid")
        return self.study.tapis.job(str(uuid)) if uuid else None

    def refresh(self) -> Chained:
        """Ask how it stands; ``NotFoundError`` when it was taken back."""
        found = next((row for row in self._calls.chains() if row.get("id") == self._told.get("id")), None)
        if found is None:
            raise NotFoundError("It was taken back; study.then(…) asks for it again.")
        self._told = found
        return self

    def wait(self, timeout: float | None = None, *, progress: bool = True) -> Job:
        """Wait until the cases and then the job have ended; return the job.

        *timeout* in seconds; when it passes, or on Ctrl-C, all goes on. Raises ``JobError`` with the
        reason when the job is not submitted.
        """
        started = time.monotonic()
        job = self.job
        if job is None:
            self.study.wait(timeout, progress=progress)
            job = self._submitted(None if timeout is None else started + timeout)
        left = None if timeout is None else max(0.0, started + timeout - time.monotonic())
        return job.wait(left, progress=progress)

    def cancel(self) -> None:
        """Take it back, so that no job is submitted; if there is one already, cancel that."""
        try:
            self._calls.unchain(int(self._told["id"]))
        except ConflictError:
            job = self.job
            if job is None:
                raise
            job.cancel()

    def _submitted(self, deadline: float | None) -> Job:
        """Return the job once it is there; no case is in flight any more."""
        gap = _FIRST
        try:
            while (job := self.job) is None:
                if why := self._told.get("refusal") or self.study.state().stopped:
                    raise JobError(f"{self.name} is not submitted: {why}")
                if deadline is not None and time.monotonic() + gap > deadline:
                    raise JobError(
                        f"{self.name} was not submitted within {duration(gap)} of the end of the cases. "
                        "It still will be; .wait() waits again.",
                        code="JOBS_WAIT_TIMEOUT",
                    )
                self.study.tapis.rest(gap)
                gap = min(_LAST, gap * _GROWTH)
        except KeyboardInterrupt:
            raise WaitInterrupted(
                f"Stopped waiting. {self.name} is still submitted; .wait() waits again."
            ) from None
        return job


def chain(
    study: Study, calls: StudyCalls, app: Any, outputs: str | Sequence[str], given: Mapping[str, Any]
) -> Chained:
    """Have the server submit one job after the cases of *study*, with their *outputs*; return at once."""
    paths = checked_outputs([outputs] if isinstance(outputs, str) else list(outputs))
    fields = {key: value for key, value in given.items() if key not in SHORTHANDS}
    shorthands = {key: given[key] for key in SHORTHANDS if given.get(key) is not None}
    wanted = merged({"name": job_name(study.name), **read_request(app)}, fields)
    return Chained(study, calls, calls.chain(study.tapis.prepare(wanted, **shorthands), paths))


def chained(study: Study, calls: StudyCalls) -> list[Chained]:
    """Return what goes on with *study*, oldest first."""
    return [Chained(study, calls, row) for row in calls.chains()]
