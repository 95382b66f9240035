"""FORK on this very machine: real shells, real processes, real ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_tapis_jobs.engine.wrapper import launch_script
from jupyter_tapis_jobs.model import marks
from jupyter_tapis_jobs.model.job import Job, JobDefinition
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.runtimes.base import LaunchLines
from jupyter_tapis_jobs.schedulers.base import Launch, Sighting, Submission
from jupyter_tapis_jobs.schedulers.fork import ForkScheduler
from jupyter_tapis_jobs.schedulers.submissions import OVERTAKEN
from jupyter_tapis_jobs.transports.base import Answer

FORK = ForkScheduler()
Make = Callable[..., Launch]


def run(script: str) -> Answer:
    done = subprocess.run(["/bin/sh", "-s"], input=script, text=True, capture_output=True, timeout=60)
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def lane(tmp_path: Path) -> Path:
    folder = tmp_path / "lane"
    (folder / "events").mkdir(parents=True)
    (folder / "epoch").write_text("7\n")
    return folder


@pytest.fixture
def make(tmp_path: Path, lane: Path) -> Iterator[Make]:
    """Make a job, ready in a directory with an awkward name; end what is left of all of them."""
    made: list[Launch] = []

    def one(uuid: str, command: str, environment: str = "") -> Launch:
        folder = tmp_path / f"it's {uuid} $(touch nothing)"
        (folder / marks.FOLDER).mkdir(parents=True)
        lines = LaunchLines(before=(". ./tapisjob.env",), command=command, environment=environment)
        script = launch_script(_job(uuid), _definition(str(folder)), lines, events=str(lane / "events"))
        (folder / "tapisjob.sh").write_text(script)
        (folder / "tapisjob.env").write_text(environment)
        made.append(Launch(uuid=uuid, exec_dir=str(folder), submission_id="first"))
        return made[-1]

    yield one
    run(FORK.cancel_script(made, why="cancel", grace=0))


def _job(uuid: str) -> Job:
    return Job(
        uuid=uuid,
        tenant="t",
        owner="o",
        name="n",
        description="",
        app_id="a",
        app_version="1",
        job_type="FORK",
        exec_system_id="local",
        archive_system_id="local",
        exec_system_logical_queue=None,
        effective_user_id="o",
        node_count=1,
        cores_per_node=1,
        memory_mb=1,
        max_minutes=1,
        status=JobStatus.STAGING_JOB,
        created="",
        last_updated="",
    )


def _definition(folder: str) -> JobDefinition:
    return JobDefinition(
        job_type="FORK",
        app_runtime="ZIP",
        container_image="",
        exec_system_id="local",
        exec_system_exec_dir=folder,
        exec_system_input_dir=folder,
        exec_system_output_dir=folder,
        archive_system_id="local",
        archive_system_dir=folder,
        job_working_dir=folder,
        host="",
        root_dir="/",
    )


def submit(lane: Path, *launches: Launch, parallel: int = 0, epoch: int = 7, name: str = "first") -> Answer:
    submission = Submission(id=name, lane_dir=str(lane), epoch=epoch, launches=launches, parallel=parallel)
    return run(FORK.submit_script(submission))


def look(lane: Path, *launches: Launch) -> dict[str, Sighting]:
    answer = run(FORK.look_script(str(lane), launches))
    assert answer.stderr == ""
    return {uuid: report.sighting for uuid, report in FORK.parse_look(launches, answer).items()}


def until(condition: Callable[[], bool]) -> None:
    """Wait for what is bound to come; pytest's time limit ends a wait for what does not."""
    while not condition():
        os.sched_yield()


def exit_code(launch: Launch) -> str:
    mark = Path(launch.exec_dir, marks.EXIT)
    until(lambda: mark.exists() and mark.read_text().endswith("\n"))
    return mark.read_text().strip()


def does_something(pid: str) -> bool:
    """Tell whether a process is there and is more than a zombie that nobody has collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_job_leaves_its_output_its_exit_code_and_its_events(lane: Path, make: Make) -> None:
    job = make("one", "exec sh -c 'echo \"$WORD\"; exit 3'", "export WORD='two words'\n")
    assert FORK.parse_submit(_submission(lane, job), submit(lane, job))["one"].sighting is Sighting.QUEUED
    assert exit_code(job) == "3"
    assert Path(job.exec_dir, "tapisjob.out").read_text() == "two words\n"
    until(lambda: {"one.start", "one.end"} <= set(os.listdir(lane / "events")))
    assert look(lane, job) == {"one": Sighting.ENDED}


def _submission(lane: Path, *launches: Launch) -> Submission:
    return Submission(id="first", lane_dir=str(lane), epoch=7, launches=launches)


def test_a_job_says_of_itself_that_it_failed_although_it_exits_with_zero(lane: Path, make: Make) -> None:
    job = make("one", "echo 9 > tapisjob.exitcode")
    submit(lane, job)
    assert exit_code(job) == "9"


def test_a_second_start_of_a_job_runs_nothing(lane: Path, make: Make) -> None:
    job = make("one", "echo started >> starts")
    submit(lane, job)
    assert exit_code(job) == "0"
    submit(lane, job, name="second")
    until(lambda: any(name.startswith("duplicate.") for name in os.listdir(Path(job.exec_dir, marks.FOLDER))))
    assert Path(job.exec_dir, "starts").read_text() == "started\n"


def test_only_so_many_jobs_run_at_a_time(lane: Path, make: Make) -> None:
    jobs = [make(f"job-{n}", "exec sleep 60") for n in range(4)]
    submit(lane, *jobs, parallel=2)
    until(lambda: list(look(lane, *jobs).values()).count(Sighting.RUNNING) == 2)
    assert list(look(lane, *jobs).values()).count(Sighting.QUEUED) == 2


def test_a_job_whose_exit_code_is_255_does_not_stop_the_others(lane: Path, make: Make) -> None:
    jobs = [make(f"job-{n}", "exit 255") for n in range(3)]
    submit(lane, *jobs, parallel=1)
    assert [exit_code(job) for job in jobs] == ["255"] * 3


def test_cancel_ends_a_job_and_all_its_children(lane: Path, make: Make) -> None:
    job = make("one", "sleep 61 & sleep 62 & echo $! > child; wait")
    submit(lane, job)
    child = Path(job.exec_dir, "child")
    until(lambda: child.exists() and child.read_text() != "")
    answer = run(FORK.cancel_script([job], why="cancel", grace=5))
    assert FORK.parse_cancel([job], answer) == {"one"}
    assert not does_something(child.read_text().strip())
    assert Path(job.exec_dir, marks.KILLED).read_text() == "cancel\n"
    assert look(lane, job) == {"one": Sighting.ENDED}


def test_cancel_ends_also_a_job_that_does_not_listen(lane: Path, make: Make) -> None:
    job = make("one", "trap '' TERM; echo ready > ready; while :; do sleep 0.1; done")
    submit(lane, job)
    until(Path(job.exec_dir, "ready").exists)
    answer = run(FORK.cancel_script([job], why="timeout", grace=1))
    assert FORK.parse_cancel([job], answer) == {"one"}
    assert look(lane, job)["one"] in (Sighting.VANISHED, Sighting.ENDED)


def test_a_job_cancelled_before_its_start_never_starts(lane: Path, make: Make) -> None:
    job = make("one", "echo started > starts")
    assert FORK.parse_cancel([job], run(FORK.cancel_script([job], why="cancel", grace=5))) == {"one"}
    submit(lane, job)
    until(lambda: any(name.startswith("duplicate.") for name in os.listdir(Path(job.exec_dir, marks.FOLDER))))
    assert not Path(job.exec_dir, "starts").exists()
    assert look(lane, job) == {"one": Sighting.ABSENT}


def test_a_job_killed_from_outside_has_vanished(lane: Path, make: Make) -> None:
    job = make("one", "exec sleep 60")
    submit(lane, job)
    claim = Path(job.exec_dir, marks.CLAIM)
    until(lambda: look(lane, job)["one"] is Sighting.RUNNING)
    os.killpg(int(claim.read_text().split()[1]), signal.SIGKILL)
    until(lambda: look(lane, job)["one"] is Sighting.VANISHED)


def test_a_host_that_has_seen_a_newer_engine_refuses_an_older_one(lane: Path, make: Make) -> None:
    job = make("one", "echo started > starts")
    answer = submit(lane, job, epoch=6)
    assert answer.exit_code == OVERTAKEN
    assert FORK.parse_submit(_submission(lane, job), answer)["one"].sighting is Sighting.REFUSED
    assert look(lane, job) == {"one": Sighting.ABSENT}


def test_what_a_killed_launch_script_left_is_ended_though_nobody_collects_the_script(
    lane: Path, make: Make
) -> None:
    job = make("one", "echo $$ > child; exec sleep 1000")
    script = subprocess.Popen(["/bin/sh", f"{job.exec_dir}/tapisjob.sh"], start_new_session=True)
    child = Path(job.exec_dir, "child")
    until(lambda: child.exists() and child.read_text().endswith("\n"))
    script.kill()
    until(lambda: not does_something(str(script.pid)))
    assert look(lane, job) == {"one": Sighting.VANISHED}
    answer = run(FORK.cancel_script([job], why="lost", grace=1))
    assert FORK.parse_cancel([job], answer) == {"one"}
    until(lambda: not does_something(child.read_text().strip()))
    script.wait()
