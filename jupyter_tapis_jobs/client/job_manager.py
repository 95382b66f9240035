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

Workflows (CONDORWORKFLOW) are made by ``create_workflow``.

Source: Tethys Platform's "Jobs API" (``tethys_compute.job_manager``, ``TethysJob.STATUSES``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ..model.errors import InvalidInputError, NotAllowedError, NotFoundError, did_you_mean
from ..model.extensions import Extension
from ..model.fields import JobType
from ..model.system import SchedulerType
from .job import Job
from .job_lists import job_rows
from .tethys_job import TethysJob
from .tethys_workflow import TethysWorkflow, refuse_here

if TYPE_CHECKING:
    from .tapis import Tapis

#: Tethys's word for a job type -> the scheduler that it wants; None for a process.
JOB_TYPES: Mapping[str, SchedulerType | None] = {
    "BASIC": None,
    "CONDOR": SchedulerType.CONDOR,
    "CONDORJOB": SchedulerType.CONDOR,
    "DASK": SchedulerType.DASK,
}
T = TypeVar("T")
#: What jobs may be ordered by -> Tapis's field.
_ORDERS = {"id": "created", "name": "name", "creation_time": "created", "completion_time": "ended"}
_SHOWN = "uuid,name,owner,status,condition,lastMessage,created,remoteStarted,ended,tags,notes,execSystemId"


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
        refuse_here(job_type)
        wanted = _one_of(JOB_TYPES, "job_type", job_type)
        request: dict[str, Any] = {
            "app": app,
            "name": name,
            "jobType": str(JobType.BATCH if wanted else JobType.FORK),
            **fields,
            **self._marked(fields, extended_properties),
        }
        system = scheduler or (self._system_with(wanted) if wanted else None)
        return TethysJob(self._tapis, {**request, "execSystemId": system} if system else request)

    def create_workflow(
        self,
        name: str,
        user: object = None,
        *,
        scheduler: str | None = None,
        extended_properties: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> TethysWorkflow:
        """Return a new workflow; jobs of its ``create_node`` have these *fields* unless they have their own.

        *scheduler* is the system of its nodes, *name* the user's only workflow of that name.
        Raises ``NotAllowedError`` for another user than who is signed in.
        """
        self._want_me(user)
        common = {**fields, **self._marked(fields, extended_properties)}
        return TethysWorkflow(
            self._tapis, name, {**common, "execSystemId": scheduler} if scheduler else common
        )

    def _marked(self, fields: Mapping[str, Any], properties: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the tags and notes of a job of this app."""
        return {
            "tags": [*(fields.get("tags") or []), self._label],
            "notes": {**(fields.get("notes") or {}), **(properties or {})},
        }

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
