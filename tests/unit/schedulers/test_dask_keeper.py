"""How many batch jobs the keeper of a Dask cluster asks for, and when it ends."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

from jupyter_tapis_jobs.schedulers.dask_remote import keeper

WANTED = {"cores": 4, "maximumJobs": 3, "idleMinutes": 2}


class Cluster:
    """What the keeper uses of a cluster; its tasks are ``states``, a list for each look, then none."""

    def __init__(self, *looks: list[str]) -> None:
        self._looks = itertools.chain(looks, itertools.repeat([]))
        self.worker_spec: dict[int, None] = {}
        #: The batch jobs as dask-jobqueue knows them.
        self.workers: dict[int, SimpleNamespace] = {}
        #: What each task takes.
        self.takes: dict[str, float] | None = None
        self.asked: list[int] = []

    #: Batch jobs that have told of themselves; None is all of them.
    connected: int | None = None

    @property
    def scheduler(self) -> SimpleNamespace:
        tasks = (
            SimpleNamespace(state=state, resource_restrictions=self.takes) for state in next(self._looks)
        )
        workers = len(self.worker_spec) if self.connected is None else self.connected
        return SimpleNamespace(tasks=dict(enumerate(tasks)), workers=range(workers))

    def scale(self, jobs: int) -> None:
        self.asked.append(jobs)
        self.worker_spec = dict.fromkeys(range(jobs))
        # As dask-jobqueue does: what it has under a name that is wanted again stays.
        self.workers |= {
            name: SimpleNamespace(job_id=f"{70 + name + 10 * (len(self.asked) - 1)}")
            for name in self.worker_spec
            if name not in self.workers
        }


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that goes on only while somebody sleeps."""
    time = SimpleNamespace(now=0.0)
    time.monotonic = lambda: time.now
    time.sleep = lambda seconds: setattr(time, "now", time.now + seconds)
    monkeypatch.setattr(keeper, "time", time)
    return time


def test_there_are_as_many_batch_jobs_as_tasks_want_and_no_more_than_are_allowed() -> None:
    cluster = Cluster(["processing"], ["processing"] * 9, ["queued"] * 99)
    keeper.serve(cluster, WANTED)
    assert cluster.asked == [1, 3, 0]


def test_tasks_of_several_cores_want_workers_that_have_them() -> None:
    cluster = Cluster(["processing"] * 2, ["processing"] * 3)
    cluster.takes = {"cores": 3.0}
    keeper.serve(cluster, WANTED)
    assert cluster.asked == [2, 3, 0]


@pytest.mark.parametrize(
    ("queue", "asked", "jobs"),
    [
        ("70\n71\n", [2, 0], ["70", "71"]),
        ("71\n80\n", [2, 2, 0], ["71", "80"]),
        (None, [2, 0], ["70", "71"]),
    ],
)
def test_a_batch_job_that_was_removed_while_it_waited_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, queue: str | None, asked: list[int], jobs: list[str]
) -> None:
    answer = SimpleNamespace(returncode=queue is None, stdout=queue or "")
    monkeypatch.setattr(keeper.subprocess, "run", lambda *_, **__: answer)
    cluster = Cluster(*[["queued"] * 8] * 15)
    cluster.connected = 0
    keeper.serve(cluster, WANTED)
    assert cluster.asked == asked
    assert [job.job_id for job in cluster.workers.values()] == jobs


def test_a_batch_job_is_not_ended_while_any_task_is_left() -> None:
    cluster = Cluster(["processing"] * 9, *[["processing"]] * 300)
    keeper.serve(cluster, WANTED)
    assert cluster.asked == [3, 0]


def test_a_batch_job_that_slurm_ended_is_replaced(clock: SimpleNamespace) -> None:
    cluster = Cluster(*[["processing"]] * 20)
    before = cluster.scale

    def scale(jobs: int) -> None:
        before(jobs)
        if len(cluster.asked) == 1:
            cluster.worker_spec = {}

    cluster.scale = scale  # type: ignore[method-assign]
    keeper.serve(cluster, WANTED)
    assert cluster.asked == [1, 1, 0]


def test_it_ends_when_there_was_nothing_to_do_for_as_long_as_is_wanted(clock: SimpleNamespace) -> None:
    keeper.serve(Cluster(*[["processing"]] * 50, *[["memory", "erred"]] * 10), WANTED)
    assert clock.now == pytest.approx(49 + 120, abs=1)


def test_the_first_cause_is_told() -> None:
    last = ValueError("not running")
    last.__context__ = OSError("no such\ninterface ib7")
    assert keeper.root_of(last) == "OSError: no such interface ib7"
