"""Tethys's job manager on top of the client, for code that moves over from a Tethys app.

Job types: BASIC is jobType FORK; CONDOR (CONDORJOB) and DASK are BATCH on a system with that batchScheduler.
A ``scheduler`` is such a system, by its id. The ``label`` (the app's package) is a tag of its jobs,
``extended_properties`` are Tapis's ``notes``, the ``user`` is who is signed in.

| Tethys | here |
|---|---|
| Pending | not executed yet: there is no job |
| Submitted | PENDING to QUEUED, and BLOCKED |
| Running, Paused, Results-Ready | RUNNING, PAUSED, ARCHIVING |
| Complete, Error, Aborted | FINISHED, FAILED, CANCELLED |
| Various, Various-Complete | jobs that stand differently, that have ended differently: a study's |
| ``execute`` ``stop`` ``pause`` ``resume`` | ``submit`` ``cancel`` ``pause`` ``resume`` |
| ``resubmit`` ``get_logs`` ``delete`` | ``resubmit`` ``read`` hide |
| ``process_results_function`` | ``process``, a function or its name at the server; ``job.processed`` |

Source: Tethys Platform's "Jobs API" (``tethys_compute.job_manager``, ``TethysJob.STATUSES``). Workflows
(CONDORWORKFLOW) are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ..model.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError, did_you_mean
from ..model.extensions import Extension
from ..model.fields import JobType
from ..model.status import JobStatus
from ..model.system import SchedulerType
from .connection import segment
from .job import Job
from .job_lists import job_rows
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
#: Tethys's word for a job type -> the scheduler that it wants; None for a process.
JOB_TYPES: Mapping[str, SchedulerType | None] = {
    "BASIC": None,
    "CONDOR": SchedulerType.CONDOR,
    "CONDORJOB": SchedulerType.CONDOR,
    "DASK": SchedulerType.DASK,
}
T = TypeVar("T")
_PENDING = "Pending"
#: What jobs may be ordered by -> Tapis's field.
_ORDERS = {"id": "created", "name": "name", "creation_time": "created", "completion_time": "ended"}
_SHOWN = "uuid,name,owner,status,condition,lastMessage,created,remoteStarted,ended,tags,notes,execSystemId"


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
        kept = (self.job.row if self.job else self._request).get("notes") or {}
        return dict(json.loads(kept) if isinstance(kept, str) else kept)

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


class JobManager:
    """Creates, lists and finds jobs by Tethys's names; *label* keeps those of one app apart."""

    def __init__(self, tapis: Tapis, label: str) -> None:
        self._tapis = tapis
        self._label = label

    def create_job(
        self,
        name: str,
        user: object = None,
        job_type: str = "BASIC",
        *,
        app: str = "bash",
        scheduler: str | None = None,
        extended_properties: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> TethysJob:
        """Return a new job that ``execute`` submits; *fields* are those of ``tapis.submit``.

        *scheduler* is the system; without it the first that ``list_schedulers`` knows for *job_type*.
        Raises ``InvalidInputError`` for another job type, and where no system has its scheduler;
        ``NotAllowedError`` for another user than who is signed in.
        """
        self._want_me(user)
        wanted = _one_of(JOB_TYPES, "job_type", job_type)
        request: dict[str, Any] = {
            "app": app,
            "name": name,
            "jobType": str(JobType.BATCH if wanted else JobType.FORK),
            **fields,
            "tags": [*(fields.get("tags") or []), self._label],
            "notes": {**(fields.get("notes") or {}), **(extended_properties or {})},
        }
        system = scheduler or (self._system_with(wanted) if wanted else None)
        return TethysJob(self._tapis, {**request, "execSystemId": system} if system else request)

    def list_jobs(
        self, user: object = None, order_by: str = "id", filters: Mapping[str, Any] | None = None
    ) -> list[TethysJob]:
        """Return the label's jobs; *order_by* is id, name, creation_time or completion_time, ``-`` turns it.

        *filters* are those of ``tapis.jobs``.
        """
        self._want_me(user)
        field = _one_of(_ORDERS, "order_by", order_by.removeprefix("-"))
        found = self._tapis.jobs(**{**(filters or {}), "tags": self._label})
        rows = sorted(self._rows(found["uuid"].tolist()), key=lambda row: str(row.get(field) or ""))
        jobs = [TethysJob(self._tapis, {}, Job(self._tapis, row)) for row in rows]
        return jobs[::-1] if order_by.startswith("-") else jobs

    def get_job(self, job_id: str, user: object = None) -> TethysJob | None:
        """Return the job with this uuid; None where it is not there, or not the label's."""
        self._want_me(user)
        try:
            job = self._tapis.job(job_id).refresh()
        except NotFoundError:
            return None
        return TethysJob(self._tapis, {}, job) if self._label in (job.row.get("tags") or []) else None

    def list_schedulers(self) -> dict[str, str]:
        """Return system -> batchScheduler of the systems that run HTCondor's or Dask's jobs."""
        return {name: kind for name, kind in self._schedulers().items() if kind in _OFFERED}

    def _want_me(self, user: object) -> None:
        if user is None:
            return
        me = self._tapis.connection.get("/v3/oauth2/userinfo")["username"]
        if str(user) != me:
            raise NotAllowedError(f"Jobs are those of who is signed in, {me}; sign in as {user} for others.")

    def _schedulers(self) -> dict[str, str]:
        systems = self._tapis.systems()
        return dict(zip(systems["id"], systems["batchScheduler"].fillna(""), strict=True))

    def _system_with(self, wanted: SchedulerType) -> str:
        for name, kind in self._schedulers().items():
            if kind == wanted:
                return name
        raise InvalidInputError(
            f"No system has {wanted} as its batchScheduler. Add a host that has it (tapis.add_host), or "
            "name another by scheduler=….",
            field="scheduler",
        )

    def _rows(self, uuids: list[str]) -> list[dict[str, Any]]:
        found = job_rows(self._tapis.connection, uuids, _SHOWN, by_body=self._tapis.can(Extension.BULK))
        return [dict(row) for row in found]


_OFFERED = frozenset(filter(None, JOB_TYPES.values()))


def _one_of(table: Mapping[str, T], field: str, name: str) -> T:
    if name in table:
        return table[name]
    raise InvalidInputError(
        f"{field} {name!r} is not one of {', '.join(table)}.{did_you_mean(name, table)}",
        field=field,
        value=name,
    )
