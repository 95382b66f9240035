"""What the simulator assumes about Slurm holds for a real one: the same questions, and the same answers.

Each test plays at the made-up cluster and at a real one. Numbers and node names differ; sightings,
conditions and marks do not.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from model_desk import model_desk
from scheduler_desk import TERMINATED, Desk, slurm_desk

from jupyter_tapis_jobs.model.job import Argument
from jupyter_tapis_jobs.model.status import Condition
from jupyter_tapis_jobs.schedulers import slurm_judge
from jupyter_tapis_jobs.schedulers.base import Launch, Sighting

HELD = {"scheduler_options": (Argument(arg="--hold"),)}
LONG = "exec sleep 60"


class RealDesk(Desk):
    """A real cluster, with what others do there."""

    until: Callable[..., Any]

    def release(self, launch: Launch) -> None:
        """Let a held job go."""
        assert self.run(f"scontrol release {launch.remote_job_id}").exit_code == 0

    def scancel(self, launch: Launch) -> None:
        """End a job behind the engine's back."""
        assert self.run(f"scancel {launch.remote_job_id}").exit_code == 0

    def delete(self, launch: Launch) -> None:
        """Delete a job's directory."""
        shutil.rmtree(launch.exec_dir)

    def kill(self, launch: Launch) -> None:
        """Kill all processes of a job, its launch script too."""
        leader = int(self.claim(launch)[1])
        for pid in (leader, *_children(leader)):
            os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as found:
        own = [int(word) for word in found.read().split()]
    return [*own, *(grandchild for child in own for grandchild in _children(child))]


@pytest.fixture(params=["made-up", "real"])
def desk_of(request: Any, until: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """``desk_of("array")``: a desk at the made-up or the real cluster."""
    # Here all hosts share one file system, which shows a mark at once.
    monkeypatch.setattr(slurm_judge, "SETTLE", 0)
    opened: list[Any] = []

    def of(mode: str) -> Any:
        if request.param == "made-up":
            opened.append(model_desk(mode))
            return opened[-1].__enter__()
        opened.append(slurm_desk(request.getfixturevalue("rig"), mode, until))
        desk = opened[-1].__enter__()
        desk.__class__, desk.until = RealDesk, until
        return desk

    yield of
    for desk in opened:
        desk.__exit__(None, None, None)


def sightings(desk: Any, *jobs: Launch) -> list[tuple[Sighting, Condition | None]]:
    reports = desk.look(*jobs)
    return [(reports[job.uuid].sighting, reports[job.uuid].condition) for job in jobs]


@pytest.mark.parametrize("mode", ["single", "array", "pack"])
def test_jobs_that_end_have_ended_well_or_ill(desk_of, mode: str) -> None:
    desk = desk_of(mode)
    jobs = desk.submit(desk.job("well", "true"), desk.job("ill", "exit 3"))
    desk.until(lambda: all(desk.exit_mark(job) for job in jobs))
    assert [desk.exit_mark(job) for job in jobs] == ["0", "3"]
    assert sightings(desk, *jobs) == [(Sighting.ENDED, None)] * 2


@pytest.mark.parametrize("mode", ["single", "array", "pack"])
def test_running_jobs_run_and_are_found_without_their_numbers(desk_of, mode: str) -> None:
    desk = desk_of(mode)
    jobs = desk.submit(desk.job("one", LONG), desk.job("other", LONG))
    desk.until(lambda: all(desk.claim(job) for job in jobs))
    assert sightings(desk, *jobs) == [(Sighting.RUNNING, None)] * 2
    lost = [replace(job, remote_job_id=None) for job in jobs]
    seen = desk.look(*lost)
    assert [seen[job.uuid].remote_job_id for job in lost] == [job.remote_job_id for job in jobs]


@pytest.mark.parametrize("mode", ["single", "array", "pack"])
def test_a_cancelled_job_leaves_its_word_and_its_neighbour_alone(desk_of, mode: str) -> None:
    desk = desk_of(mode)
    job, other = desk.submit(desk.job("one", LONG), desk.job("other", LONG))
    desk.until(lambda: desk.claim(job) and desk.claim(other))
    assert desk.cancel(job) == {"one"}
    assert desk.exit_mark(job) in TERMINATED
    assert [sighting for sighting, _ in sightings(desk, job, other)] == [Sighting.ENDED, Sighting.RUNNING]


@pytest.mark.parametrize("mode", ["single", "array", "pack"])
def test_a_job_whose_processes_are_killed_has_vanished_or_left_that_to_its_pack(desk_of, mode: str) -> None:
    desk = desk_of(mode)
    job, other = desk.submit(desk.job("one", LONG), desk.job("other", LONG))
    desk.until(lambda: desk.claim(job) and desk.claim(other))
    desk.kill(job)
    left = Sighting.ENDED if mode == "pack" else Sighting.VANISHED
    desk.until(lambda: desk.sighting(job) is left)
    assert desk.exit_mark(job) in (("137",) if mode == "pack" else ("", None))
    assert desk.sighting(other) is Sighting.RUNNING


@pytest.mark.parametrize("mode", ["single", "array"])
def test_what_others_cancel_while_it_runs_ends_as_cancelled_there(desk_of, mode: str) -> None:
    desk = desk_of(mode)
    (job,) = desk.submit(desk.job("one", LONG))
    desk.until(lambda: desk.claim(job))
    desk.scancel(job)
    desk.until(lambda: sightings(desk, job) == [(Sighting.ENDED, Condition.SCHEDULER_CANCELLED)])
    assert desk.exit_mark(job) in TERMINATED


def test_what_others_cancel_before_it_begins_is_refused(desk_of) -> None:
    desk = desk_of("single")
    (job,) = desk.submit(desk.job("one", "true", **HELD))
    desk.scancel(job)
    desk.until(lambda: sightings(desk, job) == [(Sighting.REFUSED, Condition.SCHEDULER_CANCELLED)])


def test_a_held_job_waits_until_it_is_released(desk_of) -> None:
    desk = desk_of("single")
    (job,) = desk.submit(desk.job("one", "true", **HELD))
    report = desk.look(job)["one"]
    assert report.sighting is Sighting.HELD
    assert report.reason.endswith("(JobHeldUser)")
    desk.release(job)
    assert desk.until(lambda: desk.exit_mark(job)) == "0"


def test_a_waiting_job_that_is_cancelled_never_starts(desk_of) -> None:
    desk = desk_of("single")
    (job,) = desk.submit(desk.job("one", "true", **HELD))
    assert desk.cancel(job) == {"one"}
    assert desk.claim(job)[0] == "revoked"
    assert sightings(desk, job) == [(Sighting.ABSENT, None)]


def test_a_job_that_was_never_handed_over_is_absent(desk_of) -> None:
    desk = desk_of("single")
    assert sightings(desk, desk.job("one", "true")) == [(Sighting.ABSENT, None)]


def test_a_job_that_was_handed_over_twice_runs_once(desk_of) -> None:
    desk = desk_of("single")
    (first,) = desk.submit(desk.job("one", "exit 3"))
    desk.until(lambda: desk.exit_mark(first))
    (second,) = desk.submit(first, name="second")
    assert second.remote_job_id != first.remote_job_id
    claim = desk.claim(first)
    desk.until(lambda: sightings(desk, second) == [(Sighting.ENDED, None)])
    assert desk.claim(second) == claim


@pytest.mark.parametrize("asked", [{"hpc_queue_name": "larg"}, {"memory_mb": 9_999_999}])
def test_what_the_cluster_does_not_have_is_refused(desk_of, asked: dict[str, Any]) -> None:
    desk = desk_of("single")
    assert desk.hand_over(desk.job("one", "true", **asked))["one"].sighting is Sighting.REFUSED


def test_an_array_over_the_limit_is_refused_whole(desk_of) -> None:
    desk = desk_of("array")
    job = desk.job("job-0", "true")
    jobs = [replace(job, uuid=f"job-{n}") for n in range(10_002)]
    reports = desk.hand_over(*jobs)
    assert {report.sighting for report in reports.values()} == {Sighting.REFUSED}
    assert len(reports) == len(jobs)


def test_a_time_limit_over_that_of_the_queue_is_impossible_and_is_taken_back(desk_of) -> None:
    desk = desk_of("single")
    (job,) = desk.submit(desk.job("one", "true", hpc_queue_name="development", max_minutes=600))
    desk.until(lambda: desk.sighting(job) is Sighting.IMPOSSIBLE)
    assert desk.cancel(job, why="impossible") == {"one"}
    assert sightings(desk, job) == [(Sighting.ABSENT, None)]


def test_what_can_never_start_is_told_also_when_its_directory_is_gone(desk_of) -> None:
    desk = desk_of("single")
    (job,) = desk.submit(desk.job("one", "true", hpc_queue_name="development", max_minutes=600))
    desk.delete(job)
    desk.until(lambda: desk.sighting(job) is Sighting.IMPOSSIBLE)
    assert desk.cancel(job, why="impossible") == {"one"}


def test_an_engine_that_was_overtaken_hands_nothing_over(desk_of) -> None:
    desk = desk_of("single")
    job = desk.job("one", "true")
    assert desk.hand_over(job, epoch=6) == {}
    assert sightings(desk, job) == [(Sighting.ABSENT, None)]
