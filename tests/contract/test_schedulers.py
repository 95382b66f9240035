"""What every scheduler keeps, in every launch mode: real processes, Slurm and HTCondor where they are."""

from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from scheduler_desk import (
    KINDS,
    LIMITED,
    TERMINATED,
    TOGETHER,
    WATCHED,
    Desk,
    condor_desk,
    dask_desk,
    does_something,
    fork_desk,
    slurm_desk,
)

from jupyter_tapis_jobs.model import marks
from jupyter_tapis_jobs.model.job import Argument
from jupyter_tapis_jobs.schedulers import condor_judge, slurm_judge
from jupyter_tapis_jobs.schedulers.base import Sighting
from jupyter_tapis_jobs.schedulers.submissions import OVERTAKEN


@pytest.fixture(params=KINDS)
def desk(request, until, monkeypatch):
    # Here all hosts share one file system, which shows a mark at once.
    monkeypatch.setattr(slurm_judge, "SETTLE", 0)
    monkeypatch.setattr(condor_judge, "SETTLE", 0)
    if request.param == "fork":
        with fork_desk() as made:
            yield made
    elif request.param.startswith("condor"):
        with condor_desk(request.getfixturevalue("pool"), request.param, until) as made:
            yield made
    elif request.param.startswith("dask"):
        with dask_desk(request.getfixturevalue(request.param.replace("-", "_")), request.param) as made:
            yield made
    else:
        with slurm_desk(request.getfixturevalue("rig"), request.param, until) as made:
            yield made


def test_jobs_leave_output_exit_code_times_and_events(desk: Desk, until) -> None:
    began = time.time()
    well = desk.job("well", 'echo "$WORD"')
    ill = desk.job("ill", "exit 3")
    killed = desk.job("killed", "kill -KILL $(sh -c 'echo $PPID')")
    says = desk.job("says", "echo 9 > tapisjob.exitcode")
    jobs = desk.submit(well, ill, killed, says)
    until(lambda: all(map(desk.exit_mark, jobs)))
    assert [desk.exit_mark(job) for job in jobs] == ["0", "3", "137", "9"]
    assert desk.said(well) == "two words\n"
    assert desk.events() == {f"{job.uuid}.{what}" for job in jobs for what in ("start", "end")}
    for job in jobs:
        start, end = (Path(job.exec_dir, mark).stat().st_mtime for mark in (marks.CLAIM, marks.EXIT))
        assert began - 1 < start <= end < time.time() + 1
    seen = desk.look(*jobs)
    assert {report.sighting for report in seen.values()} == {Sighting.ENDED}
    assert {report.condition for report in seen.values()} == {None}


def test_a_running_job_is_seen_to_run_and_a_waiting_one_to_wait(desk: Desk, until) -> None:
    jobs = [desk.job(f"job-{n}", "exec sleep 60") for n in range(3)]
    jobs = desk.submit(*jobs, parallel=1)
    until(lambda: any(map(desk.claim, jobs)))
    at_once = 1 if desk.kind in LIMITED else 3
    until(lambda: sum(bool(desk.claim(job)) for job in jobs) == at_once)
    seen = [report.sighting for report in desk.look(*jobs).values()]
    assert sorted(seen, key=str) == [Sighting.QUEUED] * (3 - at_once) + [Sighting.RUNNING] * at_once


def test_a_second_copy_of_a_job_runs_nothing(desk: Desk, until) -> None:
    job = desk.job("one", "echo started >> starts")
    desk.submit(job)
    until(lambda: desk.exit_mark(job))
    desk.submit(job, name="second")
    until(lambda: desk.duplicates(job) == 1)
    assert desk.said(job, "starts") == "started\n"


def test_a_job_that_has_not_begun_is_taken_back_by_its_runner_and_runs_once_when_it_is_let_go(
    until,
) -> None:
    with fork_desk() as desk:
        gate = desk.folder / "gate"
        first = desk.job("first", f"until [ -e '{gate}' ]; do sleep 0.1; done")
        first, held = desk.submit(first, desk.job("held", "echo started >> starts"), parallel=1)
        until(lambda: desk.claim(first))
        assert desk.hold(first, held) == {"held"}
        assert desk.sighting(first) is Sighting.RUNNING
        gate.touch()
        until(lambda: desk.duplicates(held) == 1)
        assert desk.sighting(held) is Sighting.ABSENT
        desk.release(first, held)
        desk.submit(held, name="again")
        until(lambda: desk.exit_mark(held))
        assert desk.exit_mark(first) == "0"
        assert desk.said(held, "starts") == "started\n"


@pytest.mark.parametrize("mode", ["single", "array", "pack"])
def test_a_job_that_waits_in_a_queue_is_held_there_and_let_go(rig, until, mode: str) -> None:
    later = "--begin=now+1hour"
    with slurm_desk(rig, mode, until) as desk:
        job = desk.job("held", "true", scheduler_options=(Argument(arg=later),))
        (job,) = desk.submit(job, directives=(*TOGETHER.get(mode, ()), later))
        assert desk.sighting(job) is Sighting.QUEUED
        assert desk.hold(job) == set()
        assert desk.sighting(job) is Sighting.HELD
        stranger = replace(job, exec_dir="/elsewhere", submission_id="another")
        desk.release(stranger)
        assert desk.sighting(job) is Sighting.HELD
        desk.release(job)
        assert desk.sighting(job) is Sighting.QUEUED
        desk.release(job)


def test_a_job_that_is_cancelled_before_its_start_never_starts(desk: Desk, until) -> None:
    job = desk.job("one", "echo started > starts")
    assert desk.cancel(job) == {"one"}
    other = desk.job("other", "true")
    desk.submit(job, other)
    until(lambda: desk.exit_mark(other))
    if desk.kind != "pack":
        until(lambda: desk.duplicates(job) == 1)
    assert not Path(job.exec_dir, "starts").exists()
    assert desk.sighting(job) is Sighting.ABSENT


def test_a_waiting_job_is_cancelled_and_the_running_one_goes_on(desk: Desk, until) -> None:
    running, waiting = (
        desk.job("running", "while [ ! -e go ]; do sleep 0.1; done"),
        desk.job("waiting", "true"),
    )
    running, waiting = desk.submit(running, waiting, parallel=1)
    until(lambda: desk.claim(running))
    if desk.kind in LIMITED:
        assert desk.cancel(waiting) == {"waiting"}
        assert desk.claim(waiting)[0] == marks.REVOKED
    Path(running.exec_dir, "go").touch()
    assert until(lambda: desk.exit_mark(running)) == "0"


def test_cancel_ends_a_running_job_and_all_its_children(desk: Desk, until) -> None:
    # It ends as its child does, whichever of the two is told first.
    job = desk.job("one", "sleep 61 & sleep 62 & echo $! > child; wait $!")
    other = desk.job("other", "exec sleep 60")
    job, other = desk.submit(job, other)
    child = Path(job.exec_dir, "child")
    until(lambda: child.exists() and child.read_text() and desk.claim(other))
    assert desk.cancel(job) == {"one"}
    assert not does_something(child.read_text().strip())
    assert desk.said(job, marks.KILLED) == "cancel\n"
    assert desk.exit_mark(job) in TERMINATED
    assert desk.sighting(job) is Sighting.ENDED
    assert desk.sighting(other) is Sighting.RUNNING


def is_removed(folder: str) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not Path(folder).exists()


def test_a_running_job_without_its_directory_is_really_ended(desk: Desk, until) -> None:
    job, other = desk.job("one", "exec sleep 60"), desk.job("other", "exec sleep 60")
    job, other = desk.submit(job, other)
    until(lambda: desk.claim(job) and desk.claim(other))
    session = desk.claim(job)[1]
    # Its launch script may be writing there at this moment.
    until(lambda: is_removed(job.exec_dir))
    assert desk.cancel(job) == {"one"}
    if desk.kind == "pack":
        until(lambda: not does_something(session))
    assert not does_something(session)
    assert desk.sighting(other) is Sighting.RUNNING


def test_a_job_whose_processes_are_killed_leaves_its_neighbours_alone(desk: Desk, until) -> None:
    job, other = desk.job("one", "exec sleep 60"), desk.job("other", "exec sleep 60")
    job, other = desk.submit(job, other)
    until(lambda: desk.claim(job) and desk.claim(other))
    session = int(desk.claim(job)[1])
    for pid in _session(session):
        os.kill(pid, signal.SIGKILL)
    if desk.kind in WATCHED:
        assert until(lambda: desk.exit_mark(job)) == "137"
        until(lambda: "one.end" in desk.events())
    until(lambda: desk.sighting(job) in (Sighting.VANISHED, Sighting.ENDED))
    report = desk.look(job)["one"]
    assert report.sighting is (Sighting.ENDED if desk.kind in WATCHED else Sighting.VANISHED)
    assert ("processes were killed" in report.reason) == (desk.kind not in ("fork", *WATCHED))
    assert desk.sighting(other) is Sighting.RUNNING


def _session(number: int) -> list[int]:
    """Return the processes of a session, or of a batch script's process tree, whose leader has *number*."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if number in (int(stat.parent.name), int(words[3])):
            found.append(int(stat.parent.name))
    return found


def test_a_look_after_a_lost_answer_finds_the_jobs(desk: Desk, until) -> None:
    jobs = [desk.job(f"job-{n}", "while [ ! -e go ]; do sleep 0.1; done") for n in range(3)]
    accepted = desk.submit(*jobs, parallel=2)
    lost = [replace(job, remote_job_id=None) for job in accepted]
    seen = desk.look(*lost)
    assert {report.sighting for report in seen.values()} <= {Sighting.QUEUED, Sighting.RUNNING}
    if desk.kind != "fork":
        assert [seen[job.uuid].remote_job_id for job in lost] == [job.remote_job_id for job in accepted]
    for job in jobs:
        Path(job.exec_dir, "go").touch()
    until(lambda: all(map(desk.exit_mark, jobs)))


def test_a_submission_that_never_reached_the_host_is_absent(desk: Desk) -> None:
    job = replace(desk.job("one", "true"), submission_id="never", submitted="2026-11-21T04:48:47.123456Z")
    assert desk.sighting(job) is Sighting.ABSENT


def test_a_host_that_has_seen_a_newer_engine_refuses_an_older_one(desk: Desk) -> None:
    job = desk.job("one", "echo started > starts")
    answer = desk.run(desk.scheduler.submit_script(desk.submission(job, epoch=6)))
    assert answer.exit_code == OVERTAKEN
    assert desk.sighting(job) is Sighting.ABSENT


def test_many_jobs_run_once_each(desk: Desk, until) -> None:
    jobs = [desk.job(f"job-{n}", "echo $$ >> starts; exit 255") for n in range(8)]
    jobs = desk.submit(*jobs, parallel=4)
    until(lambda: all(map(desk.exit_mark, jobs)))
    assert [len(desk.said(job, "starts").split()) for job in jobs] == [1] * 8
    assert {desk.exit_mark(job) for job in jobs} == {"255"}
