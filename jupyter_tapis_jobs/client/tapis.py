"""The front door of the kernel: submit jobs, find them, read what they left."""

from __future__ import annotations

import itertools
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.errors import (
    InvalidInputError,
    JobError,
    NotFoundError,
    TapisJobsError,
    UnavailableError,
    did_you_mean,
)
from ..model.extensions import ALL, Extension
from ..model.shorthands import SHORTHANDS, merged
from . import bulk, frames
from .builder import RequestBuilder
from .capabilities import is_ours
from .carrier import Carrier, UploadPlace
from .collecting import fetched, one_frame, want_all_finished
from .connection import Connection, path_text, segment
from .definition import Definition
from .filters import list_parameters
from .job import Job
from .job_lists import job_rows, jobs_frame, uuids_of
from .live import Live
from .preview import Preview
from .progress import Silent, choose_progress
from .request import exec_systems, read_request, unknown_app
from .tapis_parts import WithCalls, WithHosts, WithOthers, WithPanel, WithStudies, WithTemplates
from .waiting import wait_for
from .words import sentence

if TYPE_CHECKING:
    import pandas as pd

#: Files that are asked for at once.
FILES_OF_A_PAGE = 1000
#: What is needed of a job to say how it stands.
_STATE = "uuid,name,status,condition,lastMessage,remoteResultInfo,maxMinutes,memoryMB"
#: What is needed to say what it is at or waits for.
_STANDING = "uuid,status,condition,created,remoteStarted,ended,lastMessage,maxMinutes,execSystemLogicalQueue"


class TapisJobsWarning(UserWarning):
    """Something was done only in part; the message says what was not."""


class Tapis(WithCalls, WithStudies, WithTemplates, WithOthers, WithPanel, WithHosts):
    """One jobs API; see ``connect``."""

    def __init__(self, connection: Connection, *, uploads: str | None = None) -> None:
        self.connection = connection
        self.live = Live(connection, lambda: self.can(Extension.EVENTS))
        self._server: dict[str, Any] | None = None
        self._asked = False
        #: Why ``server()`` is None.
        self.refusal: TapisJobsError | None = None
        self._uploads = UploadPlace(connection, uploads, self.server)
        self._uploaded: set[str] = set()
        self._names: defaultdict[str, itertools.count[int]] = defaultdict(lambda: itertools.count(1))

    def __repr__(self) -> str:
        return f"Tapis({self.connection.url!r})"

    def server(self) -> dict[str, Any] | None:
        """Return what our server says of itself; None on any other Tapis. Asked once."""
        if not self._asked:
            try:
                if self.connection.is_own or is_ours(self.connection):
                    self._server = self.connection.get("/v3/tapisjobs/server")
            except UnavailableError:
                raise
            except TapisJobsError as cause:
                # Whatever else a stranger says.
                self.refusal = cause
            self._asked = True
        return self._server

    def can(self, ability: Extension) -> bool:
        """True where the server has an ability beyond Tapis's published specification."""
        server = self.server()
        return server is not None and ability in server.get("extensions", ALL)

    def need(self, ability: Extension, what: str) -> None:
        """Raise ``InvalidInputError`` where the server lacks *ability*; *what* cannot be done then."""
        if not self.can(ability):
            raise InvalidInputError(
                f"The Tapis at {self.connection.url} cannot {what}: it is no call of Tapis's "
                "specification. A server of jupyter-tapis-jobs can.",
                field="base_url",
            )

    # --- submitting --------------------------------------------------------------------------
    def submit(self, app: str | Path | Mapping[str, Any], /, **given: Any) -> Job:
        """Submit one job and return it at once.

        *app* is an app (``"bash"``, ``"bash@1.0"``) or a whole Tapis request (mapping, JSON, YAML, or
        a ``Path`` to one). *given* are Tapis's fields (``maxMinutes=5``) and the shorthands:
        ``args`` a list of words; ``inputs`` files beside the notebook or addresses; ``env`` a
        mapping; ``script`` the text of the app's script; ``files`` a mapping of names to texts;
        ``process`` a function of this kernel, or its name at the server, that sees the ended job.
        Raises ``InvalidInputError`` with what is wrong and the way out. Never sent twice.
        """
        request = self.prepare(app, **given)
        with self._naming_systems(request):
            return Job(self, self.connection.post("/v3/jobs/submit", request), given.get("process"))

    def submit_many(
        self,
        cases: Iterable[Mapping[str, Any]],
        *,
        atomic: bool = False,
        launch_mode: str | None = None,
        **common: Any,
    ) -> list[Job | TapisJobsError]:
        """Submit many jobs in one call; return for each, in order, the job or why it was refused.

        Each case holds Tapis's fields and the shorthands of ``submit``; *common* is for all of them.
        With ``atomic`` one refusal refuses all, as an error. Refusals are warned about.
        *launch_mode* (or ``launchMode``) is how like jobs are handed to a batch scheduler: ``"single"``
        one by one, ``"array"`` as job arrays, ``"pack"`` many in one allocation, ``"auto"`` as fits the
        jobs and the host; ``job.launchMode`` and ``job.launchReason`` tell what was done.
        """
        launch_mode = bulk.checked_launch_mode(launch_mode or common.pop("launchMode", None))
        build = RequestBuilder(self)
        given = [merged(common, case) for case in cases]
        requests = [build.request(one, {}) for one in given]
        results = self.submit_requests(requests, atomic=atomic, launch_mode=launch_mode)
        for result, one in zip(results, given, strict=True):
            if isinstance(result, Job):
                result.keep_function(one.get("process"))
        refused = [result for result in results if isinstance(result, TapisJobsError)]
        if refused:
            warnings.warn(
                f"{len(refused)} of {len(results)} jobs were refused; the first: {refused[0].message}",
                TapisJobsWarning,
                stacklevel=2,
            )
        return results

    def validate(self, app: str | Path | Mapping[str, Any], /, **given: Any) -> Preview:
        """Return what ``submit`` would send and run; nothing is stored or started."""
        request = self.prepare(app, **given)
        if not self.can(Extension.VALIDATE):
            return Preview(request=request)
        with self._naming_systems(request):
            found = self.connection.post("/v3/jobs/validate", request)
        return Preview(
            request=request,
            job=found.get("job") or {},
            script=found.get("script") or "",
            environment=found.get("environment") or "",
            sources=found.get("sources") or {},
            origins=found.get("origins") or (),
            warnings=tuple(found.get("warnings") or ()),
        )

    def prepare(self, app: str | Path | Mapping[str, Any], /, **given: Any) -> dict[str, Any]:
        """Return the Tapis request that ``submit`` would send; big files are uploaded by then."""
        return RequestBuilder(self).request(read_request(app), given)

    def resubmit(self, job: Job | str, **changes: Any) -> Job:
        """Submit a job's request again as a new job, with *changes* in it."""
        old = self.job(job) if isinstance(job, str) else job
        plain = not any(key in changes for key in SHORTHANDS)
        if plain and (not changes or self.can(Extension.CHANGES)):
            path = f"/v3/jobs/{segment(old.uuid)}/resubmit"
            return Job(self, self.connection.post(path, exec_systems(changes) or None))
        request = {key: value for key, value in old.request().items() if value is not None}
        shorthands = {key: changes[key] for key in changes if key in SHORTHANDS}
        fields = {key: changes[key] for key in changes if key not in SHORTHANDS}
        return self.submit(request | fields, **shorthands)

    # --- finding -----------------------------------------------------------------------------
    def job(self, uuid: str) -> Job:
        """Return the job with this uuid."""
        return Job(self, self.connection.get(f"/v3/jobs/{segment(uuid)}"))

    def jobs(
        self,
        *,
        status: str | Sequence[str] | None = None,
        since: Any = None,
        app: str | Sequence[str] | None = None,
        name: str | Sequence[str] | None = None,
        whose: str | None = None,
        notes: Mapping[str, Any] | None = None,
        group: str | None = None,
        progress: bool = False,
        limit: int | None = None,
        **filters: Any,
    ) -> pd.DataFrame:
        """Return the jobs as a frame, newest first, with times in UTC; all of them, unless *limit* is given.

        The filters run on the server: ``status="FAILED"``, ``since="7d"``, ``app="bash"``,
        ``name="run*"``, ``until=``, ``system=``, and any attribute of Tapis; a list means any of.
        *notes* are a job's, ``notes={"mesh": "fine"}``; *group* is one of the caller's at the server.
        *whose* is ``"mine"``, ``"shared"`` (by others) or ``"all"`` (default with ``owner=`` or *group*).
        *progress* adds what applications tell: ``progress`` (percent), ``progressMessage``, ``progressTold``.
        """
        if notes or group:
            self.need(Extension.VIEWS, "filter jobs by notes or group")
        wanted = {"status": status, "since": since, "app": app, "name": name, **filters}
        asked = list_parameters(wanted, whose=whose, notes=notes, group=group)
        more = frames.PROGRESS if progress and self.can(Extension.PROGRESS) else {}
        return jobs_frame(self.connection, asked, limit, by_columns=self.can(Extension.COLUMNS), more=more)

    def standing(self, uuids: Sequence[str]) -> dict[str, str]:
        """Return uuid -> how the job stands, in the words of its card (``in queue normal 02:10: …``)."""
        now = time.time()
        return {str(row["uuid"]): sentence(row, now) for row in self._states(uuids, _STANDING)}

    def wait(self, jobs: Any, timeout: float | None = None, *, progress: bool = True) -> list[Job]:
        """Wait until all *jobs* (jobs, uuids, or a frame of ``jobs()``) have ended."""
        found = self._jobs_of(jobs)
        if found:
            wait_for(found, self.live, choose_progress() if progress else Silent(), timeout)
        for job in found:
            job.process_here()
        return found

    def collect(self, jobs: Any, path: str | Callable[[Job], Any], **options: Any) -> pd.DataFrame:
        """Return one frame of the output *path* of many jobs; our server sends all files in one answer.

        *jobs* are jobs, uuids, or a frame of ``jobs()`` or of a study. A CSV file of finished jobs comes with
        a column ``jobUuid`` first, and *options* go to ``pandas.read_csv``; ``JobError`` names the jobs that
        are not finished. For a study's frame, other kinds of files, a glob (``"*.json"``), a function of a
        ``Job``, and with ``parser pattern unfinished fresh to``, it is ``study.collect``'s tidy frame: every
        job has its rows, and the column ``problem`` says what is missing.
        """
        from .study_collect import collect, frame_of, is_tidy

        if not isinstance(path, str) or is_tidy(jobs, path, options):
            table = jobs if hasattr(jobs, "columns") else frame_of(self._jobs_of(jobs))
            return collect(self, table, path, **options)
        found = self._jobs_of(jobs)
        want_all_finished(found)
        uuids = [job.uuid for job in found]
        if self.can(Extension.BULK):
            contents = fetched(self.connection, uuids, path)
        else:
            read = bulk.side_by_side(lambda job: job.read_bytes(path), found)
            contents = dict(zip(uuids, read, strict=True))
        return one_frame({uuid: contents[uuid] for uuid in uuids}, path, options)

    def cancel(self, jobs: Any) -> pd.DataFrame:
        """Cancel many jobs; return ``uuid status message`` for each, status ``success`` or ``error``."""
        return self._steered("cancel", jobs, in_bulk=self.can(Extension.BULK))

    def pause(self, jobs: Any) -> pd.DataFrame:
        """Hold jobs back that have not begun; return ``uuid status message`` for each, as ``cancel`` does."""
        self.need(Extension.HOLD, "pause jobs")
        return self._steered("pause", jobs)

    def resume(self, jobs: Any) -> pd.DataFrame:
        """Let held jobs go on; return ``uuid status message`` for each, as ``cancel`` does."""
        self.need(Extension.HOLD, "resume jobs")
        return self._steered("resume", jobs)

    def _steered(self, verb: str, jobs: Any, *, in_bulk: bool = True) -> pd.DataFrame:
        steer = bulk.steer_bulk if in_bulk else bulk.steer_one_by_one
        rows = steer(self.connection, verb, uuids_of(jobs))
        return frames.from_rows(rows, dict.fromkeys(("uuid", "status", "message"), frames.TEXT))

    # --- apps, systems, files ----------------------------------------------------------------
    def apps(self) -> pd.DataFrame:
        """Return the apps that the caller may use."""
        return frames.from_rows(self._all("/v3/apps", list(frames.APPS)), frames.APPS)

    def systems(self) -> pd.DataFrame:
        """Return the systems that the caller may use, with the names of their queues."""
        wanted = [*(name for name in frames.SYSTEMS if name != "queues"), "batchLogicalQueues"]
        return frames.from_rows(
            [frames.with_queues(row) for row in self._all("/v3/systems", wanted)], frames.SYSTEMS
        )

    def app(self, name: str, version: str | None = None) -> Definition:
        """Return an app's definition; ``name@version`` works too. Without a version: the latest."""
        app_id, _, given = name.partition("@")
        wanted = version or given
        path = f"/v3/apps/{segment(app_id)}" + (f"/{segment(wanted)}" if wanted else "")
        try:
            return Definition(self.connection.get(path))
        except NotFoundError as cause:
            raise self._no_app(app_id, wanted, cause) from None

    def system(self, name: str) -> Definition:
        """Return a system's definition."""
        try:
            return Definition(self.connection.get(f"/v3/systems/{segment(name)}"))
        except NotFoundError:
            known = self.system_names()
            raise NotFoundError(
                f"System '{name}' is not here.{did_you_mean(name, known)} "
                f"Systems: {', '.join(known) or 'none'}."
            ) from None

    def files(self, system: str, path: str = "/") -> pd.DataFrame:
        """Return what lies in a directory of *system*: ``name path type size lastModified owner``."""
        rows: list[dict[str, Any]] = []
        while True:
            address = f"/v3/files/ops/{segment(system)}/{path_text(path)}"
            page = self.connection.get(address, limit=FILES_OF_A_PAGE, offset=len(rows)) or []
            rows += page
            if len(page) < FILES_OF_A_PAGE:
                return frames.from_rows(rows, frames.FILES)

    def app_names(self) -> dict[str, list[str]]:
        """Return app id -> its versions, as far as a list tells them."""
        names: dict[str, list[str]] = {}
        for row in self._all("/v3/apps", ["id", "version"]):
            names.setdefault(str(row["id"]), []).append(str(row.get("version") or ""))
        return names

    def system_names(self) -> list[str]:
        """Return the ids of the systems that the caller may use."""
        return sorted(str(row["id"]) for row in self._all("/v3/systems", ["id"]))

    # --- parts -------------------------------------------------------------------------------
    def carrier(self, system: str | None, kind: type[Carrier] = Carrier) -> Carrier:
        """Return the carrier of local content for one call, with uploads for a job on *system*."""
        return kind(
            self.connection,
            lambda: self._uploads.on(system),
            inline=self.can(Extension.INLINE),
            known=self._uploaded,
        )

    def submit_requests(
        self, requests: list[dict[str, Any]], *, atomic: bool, launch_mode: str | None
    ) -> list[Job | TapisJobsError]:
        """Submit whole Tapis requests in as few calls as the server takes; the rest as in ``submit_many``."""
        if not requests:
            return []
        if self.can(Extension.BULK):
            outcomes = bulk.submit_bulk(self.connection, requests, atomic=atomic, launch_mode=launch_mode)
        elif atomic:
            raise InvalidInputError("A tenant takes jobs one by one: atomic=True needs our own server.")
        else:
            outcomes = bulk.submit_one_by_one(self.connection, requests)
        return [found if isinstance(found, TapisJobsError) else Job(self, found) for found in outcomes]

    def next_name(self, app: str) -> str:
        """Return a name for a job without one: ``python-1``."""
        return f"{app}-{next(self._names[app])}"

    def rest(self, seconds: float) -> None:
        """Wait between two questions to a tenant."""
        time.sleep(seconds)

    @contextmanager
    def _naming_systems(self, request: Mapping[str, Any]) -> Iterator[None]:
        """Where a refused *request* names a system that is not there, say which are."""
        try:
            yield
        except (NotFoundError, InvalidInputError):
            for key in ("execSystemId", "archiveSystemId"):
                if request.get(key):
                    self.system(str(request[key]))
            raise

    def _all(self, path: str, select: list[str]) -> list[Mapping[str, Any]]:
        return self.connection.get(path, listType="ALL", limit=-1, select=",".join(select)) or []

    def _jobs_of(self, jobs: Any) -> list[Job]:
        """Return *jobs* with their present state, asked for in lists."""
        if isinstance(jobs, Job):
            jobs = [jobs]
        given = list(jobs) if isinstance(jobs, list | tuple) else []
        refused = [item for item in given if isinstance(item, TapisJobsError)]
        if refused:
            raise JobError(f"{len(refused)} of these jobs were refused at submission: {refused[0].message}")
        known = {item.uuid: item for item in given if isinstance(item, Job)}
        uuids = uuids_of(jobs)
        for row in self._states(uuids):
            known.setdefault(str(row["uuid"]), Job(self, row)).take(row)
        return [known.get(uuid) or self.job(uuid) for uuid in uuids]

    def _states(self, uuids: Sequence[str], select: str = _STATE) -> Iterator[Mapping[str, Any]]:
        """Yield a row of each job that is there, asked for in lists."""
        return job_rows(self.connection, uuids, select, by_body=self.can(Extension.BULK))

    def _no_app(self, app_id: str, version: str, cause: NotFoundError) -> TapisJobsError:
        try:
            names = self.app_names()
        except TapisJobsError:
            return cause
        if app_id not in names:
            return NotFoundError(unknown_app(app_id, names))
        versions = ", ".join(filter(None, names[app_id]))
        return NotFoundError(f"App {app_id} has no version '{version}'. The latest: {versions}.")
