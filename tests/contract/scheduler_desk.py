"""A host with a scheduler as its contract tests see it: make jobs, hand them over, look, end them."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rig.condor import Pool
from rig.dask_cluster import DaskCluster
from rig.rig import Rig

from jupyter_tapis_jobs.engine.wrapper import launch_script
from jupyter_tapis_jobs.model import marks
from jupyter_tapis_jobs.model.job import Job, JobDefinition
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.runtimes.base import LaunchLines
from jupyter_tapis_jobs.schedulers.base import Launch, Report, Scheduler, Sighting, Submission
from jupyter_tapis_jobs.schedulers.condor import CondorScheduler
from jupyter_tapis_jobs.schedulers.dask import DaskScheduler
from jupyter_tapis_jobs.schedulers.fork import ForkScheduler
from jupyter_tapis_jobs.schedulers.slurm import SlurmScheduler
from jupyter_tapis_jobs.transports.base import Answer

EPOCH = 7
#: Exit marks of an application that was asked to end: it may be gone before its launch script hears of it.
TERMINATED = frozenset({"143", "143 terminated"})
KINDS = ("fork", "single", "array", "pack", "condor-single", "condor-cluster", "dask", "dask-tls")
#: Those that keep to the number of jobs that may run at a time.
LIMITED = ("fork", "array", "pack")
#: Those where somebody stays beside a job, who writes down the end of one that was killed.
WATCHED = ("pack", "dask", "dask-tls")
_MODES = {"array": "array", "condor-cluster": "array", "pack": "pack"}
#: What the scheduler is told of jobs that are handed over together.
TOGETHER = {
    "array": ("--mem=50", "--time=5"),
    "condor-cluster": (
        "job_max_vacate_time = 5",
        "periodic_remove = NumJobStarts > 0 && JobStatus == 1",
        "request_cpus = 1",
        "request_memory = 50",
        "requirements = (NumJobStarts =?= undefined || NumJobStarts == 0)",
        "should_transfer_files = NO",
    ),
    "pack": ("--nodes=1", "--ntasks-per-node=2", "--mem=400", "--time=5"),
}


@dataclass(kw_only=True)
class Desk:
    """One lane on one host, in one launch mode."""

    kind: str
    scheduler: Scheduler
    folder: Path
    #: Who runs the scripts; None is who runs the tests.
    user: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    #: What the notes of the system say of its scheduler.
    notes: Mapping[str, Any] = field(default_factory=dict)
    made: list[Launch] = field(default_factory=list)

    @property
    def lane(self) -> Path:
        """The lane's folder."""
        return self.folder / "lane"

    @property
    def mode(self) -> str:
        """single, array or pack."""
        return _MODES.get(self.kind, "single")

    @property
    def batch_scheduler(self) -> str:
        """The name that a system gives it."""
        return self.scheduler.name if self.kind != "fork" else "SLURM"

    # --- jobs ---
    def job(self, uuid: str, command: str, **definition: object) -> Launch:
        """Make a job, ready in a directory with an awkward name."""
        place = self.folder / f"it's {uuid} $(touch nothing); x"
        (place / marks.FOLDER).mkdir(parents=True)
        job_type = "FORK" if self.kind == "fork" else "BATCH"
        script = place / "tapisjob.sh"
        text, defined = described(
            uuid,
            command,
            str(place),
            job_type,
            str(self.lane / "events"),
            **{"batch_scheduler": self.batch_scheduler, **definition},
        )
        script.write_text(text)
        script.chmod(0o770)
        (place / "tapisjob.env").write_text("export WORD='two words'\n")
        self.hand_to_user(place)
        launch = Launch(
            uuid=uuid,
            exec_dir=str(place),
            mode=self.mode,
            max_minutes=defined.max_minutes,
            submission_id=self.submission_id("first"),
            notes=self.notes,
        )
        self.made.append(launch)
        return launch

    def hand_to_user(self, path: Path) -> None:
        """What root has made belongs to the one whose jobs run there."""
        if self.user:
            known = pwd.getpwnam(self.user)
            for place in (path, *path.rglob("*")):
                os.chown(place, known.pw_uid, known.pw_gid)

    # --- the scheduler's verbs ---
    def run(self, script: str, *, seconds: float = 90) -> Answer:
        """Run a script on the host as its user."""
        group = pwd.getpwnam(self.user).pw_gid if self.user else None
        done = subprocess.run(
            ["/bin/sh", "-c", 'eval "$(cat)" < /dev/null'],
            input=script,
            text=True,
            capture_output=True,
            timeout=seconds,
            user=self.user,
            group=group,
            extra_groups=[] if self.user else None,
            env={**os.environ, **self.environment},
            cwd="/",
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def submission_id(self, name: str) -> str:
        """Return an id that no other test has: a Dask scheduler knows the jobs of all."""
        return f"{name}-{self.folder.name}"

    def submission(
        self, *launches: Launch, name: str = "first", parallel: int = 2, **more: object
    ) -> Submission:
        """Return jobs as one submission."""
        known = {
            "id": self.submission_id(name),
            "lane_dir": str(self.lane),
            "epoch": EPOCH,
            "mode": self.mode,
        }
        options = {"directives": TOGETHER.get(self.kind, ()), "parallel": parallel, "launches": launches}
        return Submission(**{**known, **options, **more})

    def hand_over(self, *launches: Launch, name: str = "first", **more: object) -> dict[str, Report]:
        """Hand jobs over and return what the scheduler said of each."""
        submission = self.submission(*launches, name=name, **more)
        return dict(
            self.scheduler.parse_submit(submission, self.run(self.scheduler.submit_script(submission)))
        )

    def submit(self, *launches: Launch, name: str = "first", **more: object) -> list[Launch]:
        """Hand jobs over, which is to go well, and return them with the numbers they got."""
        reports = self.hand_over(*launches, name=name, **more)
        assert [reports[job.uuid].sighting for job in launches] == [Sighting.QUEUED] * len(launches), reports
        accepted = [
            replace(
                job, submission_id=self.submission_id(name), remote_job_id=reports[job.uuid].remote_job_id
            )
            for job in launches
        ]
        self.made = [*(job for job in self.made if job not in launches), *accepted]
        return accepted

    def look(self, *launches: Launch) -> dict[str, Report]:
        """Ask the scheduler about jobs."""
        answer = self.run(self.scheduler.look_script(str(self.lane), launches))
        assert answer.stderr == "" or answer.exit_code != 0
        return dict(self.scheduler.parse_look(launches, answer))

    def sighting(self, launch: Launch) -> Sighting | None:
        """Ask the scheduler about one job."""
        report = self.look(launch).get(launch.uuid)
        return report.sighting if report else None

    def cancel(self, *launches: Launch, why: str = "cancel", grace: int = 5) -> set[str]:
        """End jobs and return those that are gone."""
        answer = self.run(self.scheduler.cancel_script(launches, why=why, grace=grace))
        return set(self.scheduler.parse_cancel(launches, answer))

    def hold(self, *launches: Launch) -> set[str]:
        """Hold jobs and return those that were taken back."""
        answer = self.run(self.scheduler.hold_script(str(self.lane), launches))
        return set(self.scheduler.parse_hold(launches, answer))

    def release(self, *launches: Launch) -> None:
        """Let held jobs go."""
        assert self.run(self.scheduler.release_script(str(self.lane), launches)).exit_code == 0

    # --- what lies on the host ---
    def events(self) -> set[str]:
        """Return the names of the event files."""
        return set(os.listdir(self.lane / "events"))

    def said(self, launch: Launch, name: str = "tapisjob.out") -> str:
        """Return what a file in the job's directory holds."""
        return Path(launch.exec_dir, name).read_text()

    def exit_mark(self, launch: Launch) -> str | None:
        """Return the exit mark, when it is whole."""
        mark = Path(launch.exec_dir, marks.EXIT)
        text = mark.read_text() if mark.exists() else ""
        return text.strip() if text.endswith("\n") else None

    def claim(self, launch: Launch) -> list[str]:
        """Return the words of the claim; none without one."""
        mark = Path(launch.exec_dir, marks.CLAIM)
        return mark.read_text().split() if mark.exists() else []

    def duplicates(self, launch: Launch) -> int:
        """Return how many copies of the job found it claimed."""
        return len(
            [name for name in os.listdir(Path(launch.exec_dir, marks.FOLDER)) if name.startswith("dup")]
        )


@contextmanager
def fork_desk() -> Iterator[Desk]:
    """This machine, with its own processes."""
    with _desk("fork", ForkScheduler()) as desk:
        yield desk
        desk.cancel(*desk.made, grace=0)


@contextmanager
def slurm_desk(rig: Rig, mode: str, until: Callable[..., object]) -> Iterator[Desk]:
    """A rig's cluster, as its ordinary user."""
    environment = {"SLURM_CONF": str(rig.slurm_conf)}
    user = rig.hosts["login1"].user
    with _desk(mode, SlurmScheduler(), user=user, environment=environment) as desk:
        yield desk
        left = rf"squeue -h -r -u {user} -o '%i %Z' | grep -F {desk.folder} | cut -d' ' -f1"
        desk.run(f"scancel $({left})")
        until(lambda: desk.run(left).stdout == "", 30)


@contextmanager
def condor_desk(pool: Pool, kind: str, until: Callable[..., object]) -> Iterator[Desk]:
    """A real pool, as its own user."""
    with _desk(kind, CondorScheduler(), user=pool.user, environment=pool.environment) as desk:
        yield desk
        ours = f"-constraint 'TapisJobLane == \"{desk.lane}\"'"
        desk.run(f"condor_rm {ours}")
        until(lambda: desk.run(f"condor_q {ours} -af ClusterId").stdout == "", 30)


@contextmanager
def dask_desk(cluster: DaskCluster, kind: str) -> Iterator[Desk]:
    """This machine, with a Dask scheduler and its workers."""
    with _desk(kind, DaskScheduler(), notes=cluster.notes) as desk:
        yield desk
        desk.cancel(*desk.made, grace=0)


@contextmanager
def _desk(kind: str, scheduler: Scheduler, **more: object) -> Iterator[Desk]:
    folder = Path(tempfile.mkdtemp(prefix="desk-"))
    folder.chmod(0o755)
    try:
        desk = Desk(kind=kind, scheduler=scheduler, folder=folder, **more)
        (desk.lane / "events").mkdir(parents=True)
        (desk.lane / "epoch").write_text(f"{EPOCH}\n")
        desk.hand_to_user(desk.lane)
        yield desk
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def does_something(pid: str) -> bool:
    """Tell whether a process is there and is more than a zombie that nobody has collected."""
    try:
        found = re.search(r"\) (\S)", Path(f"/proc/{pid}/stat").read_text())
    except FileNotFoundError:
        return False
    return bool(found) and found[1] not in "ZX"


def described(
    uuid: str, command: str, folder: str, job_type: str, events: str, **definition: object
) -> tuple[str, JobDefinition]:
    """Return the launch script of a job that runs *command* in *folder*, and its definition."""
    defined = replace(_definition(folder, job_type), **definition)
    lines = LaunchLines(before=(". ./tapisjob.env",), command=command, environment="")
    return launch_script(described_job(uuid, job_type), defined, lines, events=events), defined


def described_job(uuid: str, job_type: str) -> Job:
    """Return a job as it is stored."""
    return Job(
        uuid=uuid,
        tenant="t",
        owner="o",
        name="n",
        description="",
        app_id="a",
        app_version="1",
        job_type=job_type,
        exec_system_id="rig",
        archive_system_id="rig",
        exec_system_logical_queue=None,
        effective_user_id="o",
        node_count=1,
        cores_per_node=1,
        memory_mb=50,
        max_minutes=5,
        status=JobStatus.STAGING_JOB,
        created="",
        last_updated="",
    )


def _definition(folder: str, job_type: str) -> JobDefinition:
    return JobDefinition(
        job_type=job_type,
        app_runtime="ZIP",
        container_image="",
        exec_system_id="rig",
        exec_system_exec_dir=folder,
        exec_system_input_dir=folder,
        exec_system_output_dir=folder,
        archive_system_id="rig",
        archive_system_dir=folder,
        job_working_dir=folder,
        host="",
        root_dir="/",
        memory_mb=50,
        max_minutes=5,
    )
