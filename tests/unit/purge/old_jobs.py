"""A store with jobs that have ended, and hosts with their folders: this machine, under several names."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, cast

from sqlalchemy import func, select

from jupyter_tapis_jobs.engine.lane import Lane, LaneKey
from jupyter_tapis_jobs.engine.lane_folder import LaneFolders
from jupyter_tapis_jobs.engine.ports import Ports
from jupyter_tapis_jobs.engine.purge import Purge
from jupyter_tapis_jobs.model.errors import NotFoundError, TransportError
from jupyter_tapis_jobs.model.job import Job, JobDefinition
from jupyter_tapis_jobs.model.resolve import definition_json
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.times import iso
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store import lease as lease_row
from jupyter_tapis_jobs.store import tables
from jupyter_tapis_jobs.store.database import Database
from jupyter_tapis_jobs.transports.local import LocalTransport

NOW, DAY = 1_700_000_000.0, 24 * 3600.0
#: A moment between the jobs that are old and those that are not.
CUT = iso(NOW - 90 * DAY)


class Stopped(BaseException):
    """Ends a loop that has no end."""


@dataclass
class Yard:
    """What a purge works on; also its workers, clock and hosts, all in place."""

    folder: Path
    #: (system, user) that cannot be reached, and systems that are gone.
    away: set[LaneKey] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    busy: set[LaneKey] = field(default_factory=set)
    slept: list[float] = field(default_factory=list)
    #: Sleeps until the loop that sleeps is stopped.
    naps: int = 0

    def __post_init__(self) -> None:
        self.database = Database.open(self.folder / "store")
        lease = self.database.write(lambda c: lease_row.acquire(c, "{}", NOW, ttl=10**9))
        assert lease is not None
        self._numbers = count(1)
        ports = Ports(
            clock=self, random=Random(1), spawn=cast(Any, None), workers=self, database=self.database,
            hosts=self, schedulers={}, runtimes={},
        )  # fmt: skip
        self.lanes: dict[LaneKey, Lane] = {}
        self.purge = Purge(
            ports,
            epoch=lease.epoch,
            lane=self._lane,
            folders=LaneFolders(ports, epoch=lease.epoch, store_id="store"),
            is_busy=self.busy.__contains__,
        )

    # -- what the engine is given

    def now(self) -> float:
        return NOW

    def ticks(self) -> float:
        return NOW

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) > self.naps:
            raise Stopped

    async def write(self, work: Any) -> Any:
        return work()

    async def read(self, work: Any) -> Any:
        return work()

    async def transport(self, system_id: str, effective_user: str) -> LocalTransport:
        if system_id in self.gone:
            raise NotFoundError(f"There is no system {system_id}.")
        if (system_id, effective_user) in self.away:
            raise TransportError(f"{system_id} refuses connections")
        return LocalTransport()

    async def close(self) -> None:
        pass

    def _lane(self, key: LaneKey) -> Lane:
        return self.lanes.setdefault(key, Lane(key=key, folder=str(self.folder / "lanes" / "-".join(key))))

    # -- what tests do

    def job(
        self,
        *,
        days: float = 100,
        status: JobStatus = JobStatus.FINISHED,
        system: str = "local",
        owner: str = "ada",
        request: str = "{}",
        **places: str,
    ) -> Job:
        """Store a job that ended *days* ago and make its folder; *places* are of its definition."""
        uuid = f"00000000-0000-4000-8000-{next(self._numbers):012d}-007"
        then = iso(NOW - days * DAY)
        job = Job(
            uuid=uuid, tenant="t", owner=owner, name="n", description="", app_id="a", app_version="1",
            job_type="FORK", exec_system_id=system, archive_system_id=system, exec_system_logical_queue=None,
            effective_user_id=owner, node_count=1, cores_per_node=1, memory_mb=1, max_minutes=1,
            status=status, created=then, last_updated=then, ended=then if status.is_terminal else None,
        )  # fmt: skip
        definition = self._definition(uuid, system, places)
        for place in (definition.exec_system_exec_dir, definition.exec_system_output_dir):
            inside = self.root / place.lstrip("/")
            inside.mkdir(parents=True, exist_ok=True)
            (inside / "out.txt").write_bytes(b"x" * 3000)
        return self.database.write(
            lambda c: job_rows.insert(c, [(job, request, definition_json(definition))])
        )[0]

    def _definition(self, uuid: str, system: str, places: dict[str, str]) -> JobDefinition:
        work = f"/work/{uuid}"
        plain = JobDefinition(
            job_type="FORK", app_runtime="ZIP", container_image="/i", exec_system_id=system,
            exec_system_exec_dir=work, exec_system_input_dir=f"{work}/in",
            exec_system_output_dir=f"{work}/out", archive_system_id=system, archive_system_dir=f"{work}/out",
            job_working_dir="/", host="h", root_dir=str(self.root),
        )  # fmt: skip
        return replace(plain, **{name: text.format(uuid=uuid) for name, text in places.items()})

    @property
    def root(self) -> Path:
        """The rootDir of every system."""
        return self.folder / "root"

    def place(self, job: Job) -> Path:
        """Return the job's folder."""
        return self.root / "work" / job.uuid

    def stored(self) -> list[str]:
        """Return the uuids of all jobs in the store, oldest first."""
        uuids = select(tables.jobs.c.uuid).order_by(tables.jobs.c.id)
        return self.database.read(lambda c: list(c.execute(uuids).scalars()))

    def rows(self, *names: str) -> list[int]:
        """Return how many rows tables have."""
        counts = [select(func.count()).select_from(tables.metadata.tables[name]) for name in names]
        return self.database.read(lambda c: [c.execute(one).scalar_one() for one in counts])

    def run(self, owner: str | None = "ada", before: str = CUT, **options: Any) -> Any:
        """Purge, for real unless said otherwise."""
        return asyncio.run(self.purge.run(before, owner=owner, **({"dry_run": False} | options)))
