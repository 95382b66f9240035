"""Pause and resume: what has not begun is held back, here and in Slurm's queue, also through a crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from rig.rig import Rig

import jupyter_tapis_jobs as tj
from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.model.errors import ConflictError
from tests.conftest import TestServer, until

#: One job at a time.
NARROW = "--TapisJobsApp.fork_cores=1"
Serve = Callable[..., AbstractContextManager[TestServer]]


@pytest.fixture(scope="module")
def narrow(
    running_server: Callable[..., AbstractContextManager[TestServer]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tapis]:
    """A client of a server that runs one job after the other."""
    with running_server(tmp_path_factory.mktemp("narrow"), NARROW) as server:
        tapis = server.tapis()
        with closing(tapis.connection):
            yield tapis


@pytest.fixture(scope="module")
def cluster(narrow: Tapis, rig: Rig) -> Tapis:
    """The same, who knows a cluster."""
    narrow.connection.post("/v3/tapisjobs/hosts", rig.adding())
    return narrow


def waits_for(gate: Path) -> str:
    """Return a script that runs until the gate is open."""
    return f"until [ -e {gate} ]; do sleep 0.1; done"


def running(tapis: Tapis, gate: Path) -> object:
    """Return a job that runs until the gate is open."""
    job = tapis.submit("bash", script=waits_for(gate), maxMinutes=5)
    until(lambda: job.refresh().last_status == "RUNNING")
    return job


def states(job: object) -> list[str]:
    """Return the statuses that a job went through."""
    rows = job.history_rows()
    return [row["eventDetail"] for row in rows if row["event"] == "JOB_NEW_STATUS"]


def test_a_waiting_job_is_paused_lets_others_pass_and_goes_on_when_it_is_resumed(
    narrow: Tapis, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    first = running(narrow, gate)
    held, other = (narrow.submit("bash", script="true", maxMinutes=1) for _ in range(2))
    held.pause()
    until(lambda: held.refresh().last_status == "PAUSED")
    gate.touch()
    assert other.wait(progress=False).last_status == "FINISHED"
    assert held.refresh().last_status == "PAUSED"
    assert "resume" in held.row["lastMessage"]
    assert held.pause().last_status == "PAUSED"
    held.resume()
    assert held.wait(progress=False).last_status == "FINISHED"
    assert states(held).count("RUNNING") == 1
    assert first.wait(progress=False).last_status == "FINISHED"


def test_what_runs_or_has_ended_or_is_not_held_is_refused_with_a_sentence(
    narrow: Tapis, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    job = running(narrow, gate)
    with pytest.raises(ConflictError, match="RUNNING: it began already and cannot be held; cancel it"):
        job.pause()
    with pytest.raises(ConflictError, match="RUNNING, not PAUSED; there is nothing to resume"):
        job.resume()
    gate.touch()
    job.wait(progress=False)
    with pytest.raises(ConflictError, match="FINISHED already; there is nothing to pause"):
        job.pause()


def test_many_are_paused_and_resumed_in_one_call_and_each_says_what_became_of_it(
    narrow: Tapis, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    first = running(narrow, gate)
    jobs = [narrow.submit("bash", script="true", maxMinutes=1) for _ in range(20)]
    told = narrow.pause([first, *jobs])
    assert told["status"].tolist() == ["error"] + ["success"] * 20
    until(lambda: {narrow.job(job.uuid).last_status for job in jobs} == {"PAUSED"})
    gate.touch()
    first.wait(progress=False)
    assert set(narrow.resume(jobs)["status"]) == {"success"}
    assert {job.last_status for job in narrow.wait(jobs, progress=False)} == {"FINISHED"}


def test_a_paused_job_is_cancelled(narrow: Tapis, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    running(narrow, gate)
    job = narrow.submit("bash", script="true", maxMinutes=1).pause()
    until(lambda: job.refresh().last_status == "PAUSED")
    job.cancel()
    assert job.wait(progress=False).last_status == "CANCELLED"
    gate.touch()


def test_what_is_held_stays_held_when_the_server_is_killed_and_started_again(
    serve: Serve, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with serve(NARROW) as server:
        tapis = server.tapis()
        running(tapis, gate)
        uuid = tapis.submit("bash", script="true", maxMinutes=1).pause().uuid
        tapis.connection.close()
        server.process.process.kill()
        server.process.process.wait()
    with serve(NARROW) as server:
        tapis = server.tapis()
        with closing(tapis.connection):
            gate.touch()
            job = tapis.job(uuid)
            until(lambda: job.refresh().last_status == "PAUSED")
            job.resume()
            assert job.wait(progress=False).last_status == "FINISHED"


def test_a_job_in_slurms_queue_is_held_there_and_let_go_and_can_be_cancelled(
    cluster: Tapis, rig: Rig
) -> None:
    job = cluster.submit(
        "bash",
        script="true",
        execSystemId="login1",
        maxMinutes=1,
        jobType="BATCH",
        parameterSet={"schedulerOptions": [{"arg": "--begin=now+1hour"}]},
    )
    until(lambda: job.refresh().last_status == "QUEUED")
    job.pause()
    until(lambda: job.refresh().last_status == "PAUSED")
    number = job.row["remoteJobId"]
    assert "JobHeldUser" in rig.slurm("squeue", "--noheader", f"--job={number}", "--format=%r")
    job.resume()
    until(lambda: job.refresh().last_status == "QUEUED")
    # Slurm says so once its scheduler has looked at the job again.
    until(lambda: "BeginTime" in rig.slurm("squeue", "--noheader", f"--job={number}", "--format=%r"))
    # What an operator holds is cancelled like any other.
    rig.slurm("scontrol", "hold", number)
    job.cancel()
    assert job.wait(progress=False).last_status == "CANCELLED"
    assert rig.slurm("squeue", "--noheader", f"--job={number}", "--format=%T").strip() == ""


def test_the_cases_of_a_study_that_have_not_begun_are_paused_and_resumed(
    narrow: Tapis, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    first = running(narrow, gate)
    study = narrow.study(
        "held", "bash", cases=tj.grid(k=[1, 2, 3]), script="echo {{ k }}", maxMinutes=1
    ).run()
    study.pause()
    until(lambda: set(study.frame()["status"]) == {"PAUSED"})
    gate.touch()
    first.wait(progress=False)
    study.resume("k > 1")
    until(lambda: sorted(study.frame()["status"]) == ["FINISHED", "FINISHED", "PAUSED"])
    study.resume()
    study.wait(progress=False)
    assert set(study.frame()["status"]) == {"FINISHED"}
