"""Many cases in one allocation of a real Slurm: spread, limited, ended and counted one by one."""

from __future__ import annotations

import os
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from scheduler_desk import TERMINATED, Desk, does_something, slurm_desk

from jupyter_tapis_jobs.model import marks
from jupyter_tapis_jobs.model.status import Condition
from jupyter_tapis_jobs.schedulers import slurm_judge, slurm_pack
from jupyter_tapis_jobs.schedulers.base import Launch, Sighting

#: Waits for a file in the job's directory.
WAITS = "while [ ! -e go ]; do sleep 0.1; done"


@pytest.fixture(autouse=True)
def coherent(monkeypatch) -> None:
    """Here all hosts share one file system, which shows a mark at once."""
    monkeypatch.setattr(slurm_judge, "SETTLE", 0)


@pytest.fixture
def desk(rig, until):
    with slurm_desk(rig, "pack", until) as made:
        yield made


def nodes(count: int, places: int) -> dict[str, object]:
    """Return what makes an allocation of some nodes."""
    asked = (f"--nodes={count}", f"--ntasks-per-node={places}", "--mem=800", "--time=5")
    return {"directives": asked, "parallel": places}


def in_queue(desk: Desk, launch: Launch) -> str:
    """Return the state of the job's allocation in Slurm's list; empty when it is gone."""
    return desk.run(f"squeue -h -j {launch.remote_job_id} -o %T").stdout.strip()


def test_200_cases_run_once_each_on_two_nodes(desk: Desk, until) -> None:
    jobs = [desk.job(f"case-{n}", "echo $$ >> starts") for n in range(200)]
    jobs = desk.submit(*jobs, **nodes(2, 8))
    until(lambda: all(map(desk.exit_mark, jobs)))
    assert [len(desk.said(job, "starts").split()) for job in jobs] == [1] * 200
    hosts = Counter(desk.claim(job)[2] for job in jobs)
    assert len(hosts) == 2
    assert min(hosts.values()) > 20
    until(lambda: not in_queue(desk, jobs[0]))
    assert {(r.sighting, r.condition) for r in desk.look(*jobs).values()} == {(Sighting.ENDED, None)}


def test_a_case_over_its_limit_is_ended_and_the_others_go_on(desk: Desk, until) -> None:
    slow, other = desk.job("slow", "sleep 61 & echo $! > child; wait"), desk.job("other", WAITS)
    slow, other = desk.submit(replace(slow, max_minutes=1 / 60), other)
    assert until(lambda: desk.exit_mark(slow)) in TERMINATED
    assert desk.said(slow, marks.KILLED) == "timeout\n"
    until(lambda: not does_something(desk.said(slow, "child").strip()))
    report = desk.look(replace(slow, max_minutes=1))["slow"]
    assert (report.sighting, report.condition) == (Sighting.ENDED, Condition.SCHEDULER_TIMEOUT)
    assert "time limit of 1 min" in report.reason
    Path(other.exec_dir, "go").touch()
    assert until(lambda: desk.exit_mark(other)) == "0"


def test_a_case_that_does_not_listen_is_ended_all_the_same(desk: Desk, until, monkeypatch) -> None:
    monkeypatch.setattr(slurm_pack, "GRACE", 1)
    job = desk.job("deaf", "trap '' TERM; echo ready > ready; while :; do sleep 0.1; done")
    (job,) = desk.submit(job)
    until(Path(job.exec_dir, "ready").exists)
    assert desk.cancel(job) == {"deaf"}
    assert desk.exit_mark(job) == "137"
    assert "deaf.end" in desk.events()


def test_what_a_case_leaves_running_does_not_outlive_it(desk: Desk, until) -> None:
    job, other = desk.job("one", "sleep 63 & echo $! > child"), desk.job("other", WAITS)
    job, other = desk.submit(job, other)
    until(lambda: desk.exit_mark(job))
    until(lambda: not does_something(desk.said(job, "child").strip()))
    assert desk.sighting(other) is Sighting.RUNNING


def test_cases_that_an_ended_allocation_did_not_come_to_may_be_started_anew(desk: Desk, until) -> None:
    begun, rest = desk.job("begun", WAITS), desk.job("rest", "true")
    begun, rest = desk.submit(begun, rest, parallel=1)
    until(lambda: desk.claim(begun))
    runner = _parent_of(int(desk.claim(begun)[1]), levels=2)
    os.kill(runner, signal.SIGKILL)
    until(lambda: not in_queue(desk, begun))
    until(lambda: desk.sighting(rest) is Sighting.ABSENT)
    report = desk.look(begun)["begun"]
    assert report.sighting in (Sighting.VANISHED, Sighting.ENDED)
    (rest,) = desk.submit(rest, name="second")
    assert until(lambda: desk.exit_mark(rest)) == "0"


def _parent_of(pid: int, *, levels: int) -> int:
    for _ in range(levels):
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid


def test_an_allocation_that_somebody_cancels_is_not_started_again(desk: Desk, until) -> None:
    begun, rest = desk.job("begun", WAITS), desk.job("rest", WAITS)
    begun, rest = desk.submit(begun, rest, parallel=1)
    until(lambda: desk.claim(begun))
    desk.run(f"scancel {begun.remote_job_id}")
    until(lambda: not in_queue(desk, begun))
    seen = desk.look(begun, rest)
    assert desk.exit_mark(begun) in TERMINATED
    assert (seen["begun"].sighting, seen["begun"].condition) == (
        Sighting.ENDED,
        Condition.SCHEDULER_CANCELLED,
    )
    if desk.claim(rest):
        # The first case heard of the end before the one did who starts the next.
        assert seen["rest"].condition is Condition.SCHEDULER_CANCELLED
    else:
        assert seen["rest"].sighting is Sighting.REFUSED
        assert "cancelled at Slurm itself" in seen["rest"].reason


def test_an_allocation_without_cases_leaves_the_queue(desk: Desk, until) -> None:
    first, second = desk.job("first", "true"), desk.job("second", "true")
    first, second = desk.submit(first, second, directives=(*nodes(1, 2)["directives"], "--begin=now+1hour"))
    report = desk.look(first)["first"]
    assert report.sighting is Sighting.QUEUED
    assert "earliest start" in report.reason
    assert desk.cancel(first) == {"first"}
    assert in_queue(desk, first) == "PENDING"
    assert desk.cancel(second) == {"second"}
    until(lambda: not in_queue(desk, first))


def test_a_case_out_of_memory_does_not_mark_its_neighbours(rig_variant, until) -> None:
    with slurm_desk(rig_variant("memory"), "pack", until) as desk:
        greedy = desk.job("greedy", "exec python3 -c 'x = bytearray(400_000_000)'")
        other = desk.job("other", WAITS)
        asked = ("--nodes=1", "--ntasks-per-node=2", "--mem=120", "--time=5")
        greedy, other = desk.submit(greedy, other, directives=asked)
        assert until(lambda: desk.exit_mark(greedy)) == "137"
        assert desk.sighting(other) is Sighting.RUNNING
        Path(other.exec_dir, "go").touch()
        assert until(lambda: desk.exit_mark(other)) == "0"
        until(lambda: not in_queue(desk, other))
        seen = desk.look(greedy, other)
        assert (seen["other"].sighting, seen["other"].condition) == (Sighting.ENDED, None)
        assert seen["greedy"].sighting is Sighting.ENDED
        assert seen["greedy"].condition is Condition.SCHEDULER_OUT_OF_MEMORY
