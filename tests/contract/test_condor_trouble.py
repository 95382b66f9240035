"""What becomes of jobs that HTCondor holds, removes, evicts, or can never start: a real pool."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from rig.condor import Pool
from rig.condor import pool as real_pool
from scheduler_desk import TOGETHER, Desk, condor_desk, described, described_job

from jupyter_tapis_jobs.model.job import Argument
from jupyter_tapis_jobs.model.status import Condition
from jupyter_tapis_jobs.model.submit_description import commands_of
from jupyter_tapis_jobs.schedulers import condor_judge
from jupyter_tapis_jobs.schedulers.base import Launch, Report, Sighting

WAITS = "while [ ! -e go ]; do sleep 0.1; done"


@pytest.fixture
def desk(pool: Pool, until, monkeypatch) -> Iterator[Desk]:
    monkeypatch.setattr(condor_judge, "SETTLE", 0)
    with condor_desk(pool, "condor-cluster", until) as made:
        yield made


def saying(**commands: str) -> tuple[str, ...]:
    """Return the commands of a cluster with some of them changed."""
    said = dict(line.split(" = ", 1) for line in TOGETHER["condor-cluster"]) | commands
    return tuple(f"{name} = {value}" for name, value in said.items())


def running(desk: Desk, until, command: str = "exec sleep 60", **more: object) -> Launch:
    """Return a job that has begun."""
    (job,) = desk.submit(desk.job("one", command), **more)
    until(lambda: desk.claim(job) and desk.sighting(job) is Sighting.RUNNING)
    return job


def one_behind_another(desk: Desk, until) -> tuple[Launch, Launch]:
    """Return a job that has begun, and one beside which nothing fits, so that it still waits."""
    first, second = desk.job("first", WAITS), desk.job("second", "true")
    first, second = desk.submit(first, second, directives=saying(request_cpus="8"))
    until(lambda: desk.claim(first))
    return first, second


def seen(desk: Desk, until, job: Launch, sighting: Sighting) -> Report:
    """Return what is said of a job once it is *sighting*."""
    return until(lambda: (report := desk.look(job).get(job.uuid)) and report.sighting is sighting and report)


def test_a_job_that_its_user_holds_is_held_and_goes_on_when_it_is_released(
    pool: Pool, desk: Desk, until
) -> None:
    first, second = one_behind_another(desk, until)
    pool.condor("condor_hold", second.remote_job_id)
    report = seen(desk, until, second, Sighting.HELD)
    assert "resume it to go on" in report.reason
    assert "via condor_hold" in report.reason
    assert desk.hold(second) == set()
    desk.release(first, second)
    seen(desk, until, second, Sighting.QUEUED)
    assert desk.hold(first, second) == set()
    assert desk.sighting(first) is Sighting.RUNNING
    seen(desk, until, second, Sighting.HELD)
    Path(first.exec_dir, "go").touch()
    until(lambda: desk.exit_mark(first))
    desk.release(second)
    assert until(lambda: desk.exit_mark(second)) == "0"


def test_a_job_that_would_be_held_again_can_never_start(desk: Desk, until) -> None:
    first, job = one_behind_another(desk, until)
    (desk.lane / "submissions" / f"{first.submission_id}/run.sh").unlink()
    Path(first.exec_dir, "go").touch()
    report = seen(desk, until, job, Sighting.IMPOSSIBLE)
    assert "HTCondor holds it" in report.reason
    assert "its directory must be on the machines too" in report.reason
    assert desk.cancel(job) == {"second"}
    assert desk.sighting(job) is Sighting.ABSENT


def test_a_job_that_is_held_while_it_runs_is_over_and_is_not_run_again(pool: Pool, desk: Desk, until) -> None:
    job = running(desk, until, "echo $$ >> starts; exec sleep 60")
    pool.condor("condor_hold", job.remote_job_id)
    report = seen(desk, until, job, Sighting.ENDED)
    assert report.condition is Condition.SCHEDULER_STOPPED
    assert "HTCondor held it after its start" in report.reason
    assert "submit it again" in report.reason
    pool.condor("condor_release", job.remote_job_id)
    until(lambda: in_queue(pool, desk) == [])
    assert len(desk.said(job, "starts").split()) == 1


def in_queue(pool: Pool, desk: Desk) -> list[str]:
    """Return the numbers of a desk's jobs that are in the queue."""
    lane = f'TapisJobLane == "{desk.lane}"'
    return pool.condor("condor_q", "-constraint", lane, "-af:j", "JobStatus").split("\n")[:-1]


def test_a_job_that_is_removed_there_was_not_cancelled_by_us(pool: Pool, desk: Desk, until) -> None:
    job = running(desk, until)
    pool.condor("condor_rm", job.remote_job_id)
    report = seen(desk, until, job, Sighting.ENDED)
    assert report.condition is Condition.SCHEDULER_CANCELLED
    assert f"by user {pool.user}" in report.reason


def test_a_job_that_is_removed_before_its_start_is_not_handed_over_anew(
    pool: Pool, desk: Desk, until
) -> None:
    _, second = one_behind_another(desk, until)
    pool.condor("condor_rm", second.remote_job_id)
    report = seen(desk, until, second, Sighting.REFUSED)
    assert report.condition is Condition.SCHEDULER_CANCELLED


def test_a_job_whose_machine_is_taken_is_over_and_is_not_run_again(pool: Pool, desk: Desk, until) -> None:
    job = running(desk, until, "echo $$ >> starts; exec sleep 60")
    pool.condor("condor_vacate_job", job.remote_job_id)
    report = seen(desk, until, job, Sighting.ENDED)
    assert report.condition is Condition.SCHEDULER_TERMINATED
    assert "its machine was taken back" in report.reason
    until(lambda: in_queue(pool, desk) == [])
    assert len(desk.said(job, "starts").split()) == 1
    assert desk.look(job)["one"] == report


def test_a_job_over_its_time_says_so(desk: Desk, until) -> None:
    limit = "JobStatus == 2 && time() - JobCurrentStartExecutingDate > 1"
    job = running(desk, until, directives=saying(periodic_remove=limit))
    report = seen(desk, until, job, Sighting.ENDED)
    assert report.condition is Condition.SCHEDULER_TIMEOUT
    assert report.reason == "stopped at its time limit of 5 min: give it more maxMinutes"


@pytest.mark.parametrize(
    ("command", "value", "sentence"),
    [
        ("request_cpus", "99", "no machine of the pool has 99 cores, the largest has 8: lower coresPerNode"),
        (
            "request_memory",
            "99999",
            "no machine of the pool has 99999 MB, the largest has 8192 MB: lower memoryMB",
        ),
    ],
)
def test_what_no_machine_has_can_never_start(
    desk: Desk, until, command: str, value: str, sentence: str
) -> None:
    (job,) = desk.submit(desk.job("one", "true"), directives=saying(**{command: value}))
    report = seen(desk, until, job, Sighting.IMPOSSIBLE)
    assert report.reason == sentence
    assert desk.cancel(job) == {"one"}


def test_requirements_that_no_machine_meets_are_told(desk: Desk, until) -> None:
    (job,) = desk.submit(desk.job("one", "true"), directives=saying(requirements='(Arch == "VAX")'))
    until(lambda: "no machine is free for it" in desk.look(job)["one"].reason)
    assert desk.sighting(job) is Sighting.QUEUED


def test_requirements_that_are_no_expression_are_refused(desk: Desk) -> None:
    job = desk.job("one", "true")
    report = desk.hand_over(job, directives=saying(requirements="(Arch =="))["one"]
    assert report.sighting is Sighting.REFUSED
    assert report.reason.startswith("HTCondor refused the job: ")


def test_a_schedd_that_does_not_answer_says_nothing_of_any_job(desk: Desk, until, monkeypatch) -> None:
    job = running(desk, until)
    # Where its commands find it: two files, and the collector.
    nowhere = {
        "_CONDOR_SCHEDD_ADDRESS_FILE": "/nowhere",
        "_CONDOR_SCHEDD_DAEMON_AD_FILE": "/nowhere",
        "_CONDOR_COLLECTOR_HOST": "127.0.0.1:1",
    }
    monkeypatch.setattr(desk, "environment", {**desk.environment, **nowhere})
    assert desk.look(job) == {}
    assert desk.cancel(job) == set()
    assert desk.hand_over(desk.job("two", "true"), name="second") == {}
    monkeypatch.undo()
    assert desk.sighting(job) is Sighting.RUNNING


def test_a_pool_that_keeps_no_history_still_tells_what_is_gone(
    pool: Pool, desk: Desk, until, monkeypatch
) -> None:
    job = running(desk, until)
    monkeypatch.setattr(desk, "environment", {**desk.environment, "_CONDOR_HISTORY": ""})
    os.kill(int(desk.claim(job)[1]), signal.SIGKILL)
    until(lambda: in_queue(pool, desk) == [])
    report = desk.look(job)["one"]
    assert report.sighting is Sighting.VANISHED
    assert "HTCondor does not know it any more" in report.reason


def test_a_schedd_that_is_killed_forgets_nothing_and_starts_nothing_twice(until) -> None:
    with real_pool("breakable-pool") as broken, condor_desk(broken, "condor-cluster", until) as desk:
        running_one = desk.job("one", f"echo $$ >> starts; {WAITS}")
        jobs = desk.submit(
            running_one, desk.job("two", "echo $$ >> starts"), directives=saying(request_cpus="8")
        )
        until(lambda: desk.sighting(jobs[0]) is Sighting.RUNNING)
        schedd = daemon(broken, "condor_schedd")
        schedd.kill()
        until(lambda: len(desk.look(*jobs)) == 2)
        assert [report.sighting for report in desk.look(*jobs).values()] == [
            Sighting.RUNNING,
            Sighting.QUEUED,
        ]
        Path(running_one.exec_dir, "go").touch()
        until(lambda: all(map(desk.exit_mark, jobs)))
        assert [len(desk.said(job, "starts").split()) for job in jobs] == [1, 1]
        assert daemon(broken, "condor_schedd") != schedd


def daemon(pool: Pool, name: str) -> psutil.Process:
    """Return a daemon of a pool."""
    master = psutil.Process(int((pool.folder / "condor/run/master.pid").read_text()))
    (found,) = (child for child in master.children() if child.name() == name)
    return found


# --- where the machines do not show the files -------------------------------------------------
def travelling() -> tuple[str, ...]:
    """Return the commands of jobs whose files travel, as a job's definition says them."""
    option = Argument(arg="should_transfer_files=YES")
    definition = replace(
        described("one", "true", "/", "BATCH", "/", batch_scheduler="CONDOR")[1], scheduler_options=(option,)
    )
    return commands_of(described_job("one", "BATCH"), definition)


def test_files_travel_with_a_job_and_come_back_with_its_marks(desk: Desk, until) -> None:
    job = desk.job("one", "pwd; mkdir -p deep; cp tapisjob.env 'deep/er $x'; ln -s deep link; exit 3")
    (job,) = desk.submit(job, directives=travelling())
    report = seen(desk, until, job, Sighting.ENDED)
    assert report.condition is None
    assert desk.exit_mark(job) == "3"
    assert "/execute/dir_" in desk.said(job)
    assert desk.said(job, "link/er $x") == desk.said(job, "tapisjob.env")
    place = desk.lane / "submissions" / str(job.submission_id)
    assert (place / "cluster.sub").exists()
    assert not list(place.glob("*/*.tar"))


def test_a_job_that_travels_is_seen_to_run_and_is_cancelled(pool: Pool, desk: Desk, until) -> None:
    job = desk.job("one", "exec sleep 60")
    (job,) = desk.submit(job, directives=travelling())
    seen(desk, until, job, Sighting.RUNNING)
    assert desk.claim(job)[-1] == f"condor:{job.remote_job_id}:0"
    assert desk.cancel(job) == {"one"}
    assert in_queue(pool, desk) == []
