"""A job by the names of Tethys's job manager (``tethys_compute.models.TethysJob``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..model.errors import ConflictError, NotFoundError
from ..model.status import JobStatus
from .connection import segment
from .job import Job
from .words import is_terminal

if TYPE_CHECKING:
    from .tapis import Tapis

#: Tethys's word for each status of Tapis.
STATUSES: Mapping[str, str] = {
    **dict.fromkeys(JobStatus, "Submitted"),
    JobStatus.PAUSED: "Paused",
    JobStatus.RUNNING: "Running",
    JobStatus.ARCHIVING: "Results-Ready",
    JobStatus.FINISHED: "Complete",
    JobStatus.FAILED: "Error",
    JobStatus.CANCELLED: "Aborted",
}
_PENDING = "Pending"


def status_of(statuses: Iterable[str]) -> str:
    """Return Tethys's one word for jobs that stand so: ``Various`` where they differ."""
    found = list(statuses)
    words = {STATUSES[status] for status in found} or {_PENDING}
    if len(words) == 1:
        return words.pop()
    return "Various-Complete" if all(map(is_terminal, found)) else "Various"


class TethysJob:
    """A job by Tethys's names: a request until ``execute``, then the job that it has become."""

    def __init__(self, tapis: Tapis, request: Mapping[str, Any], job: Job | None = None) -> None:
        self._tapis = tapis
        self._request = dict(request)
        self.job = job

    def __repr__(self) -> str:
        return f"<TethysJob {self.name}: {self.cached_status}>"

    @property
    def id(self) -> str | None:
        """The job's uuid; None before ``execute``."""
        return self.job.uuid if self.job else None

    @property
    def name(self) -> str:
        """The name from the request."""
        return self.job.name if self.job else str(self._request["name"])

    @property
    def extended_properties(self) -> Mapping[str, Any]:
        """What is kept with the job: Tapis's ``notes``."""
        return self.job.notes if self.job else dict(self._request.get("notes") or {})

    @property
    def status(self) -> str:
        """Tethys's word for where it stands; asks the server until it has ended."""
        return status_of([self.job.status] if self.job else [])

    @property
    def cached_status(self) -> str:
        """The same, as last heard of; asks nobody."""
        return status_of([self.job.last_status] if self.job else [])

    @property
    def status_message(self) -> str | None:
        """What was last said of it."""
        return self.job.row.get("lastMessage") if self.job else None

    @property
    def process_results_function(self) -> Callable[[Job], Any] | str | None:
        """What sees the FINISHED ``Job`` once: a function of this kernel, or its name at the server.

        Set before ``execute``; ``job.processed`` has what it returned.
        """
        return self._request.get("process")

    @process_results_function.setter
    def process_results_function(self, function: Callable[[Job], Any] | str | None) -> None:
        if self.job is not None:
            raise ConflictError(
                f"job {self.name} was executed already; job.process_again(function) is for that."
            )
        self._request["process"] = function

    def execute(self) -> None:
        """Submit it. Raises ``ConflictError`` when it was submitted already."""
        if self.job is not None:
            raise ConflictError(f"job {self.name} was executed already; resubmit() does it again.")
        given = {key: value for key, value in self._request.items() if key != "app"}
        self.job = self._tapis.submit(self._request["app"], **given)

    def stop(self) -> None:
        """End it."""
        self._begun().cancel()

    def pause(self) -> None:
        """Hold it back before it begins."""
        self._begun().pause()

    def resume(self) -> None:
        """Let it go on."""
        self._begun().resume()

    def resubmit(self) -> None:
        """Submit the same request again; this then is the new job."""
        self.job = self._begun().resubmit()

    def get_logs(self) -> dict[str, str]:
        """Return name -> text of what it has printed; empty before its start."""
        job = self._begun()
        try:
            return {job.stdout_name(): job.read(job.stdout_name())}
        except NotFoundError:
            return {}

    def delete(self) -> None:
        """Hide it from lists; what has not ended goes on. One that was not executed is forgotten."""
        if self.job is not None:
            self._tapis.connection.post(f"/v3/jobs/{segment(self.job.uuid)}/hide")

    def _begun(self) -> Job:
        if self.job is None:
            raise ConflictError(f"job {self.name} was not executed yet; execute() does it.")
        return self.job
