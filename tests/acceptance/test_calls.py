"""Functions of a notebook as jobs: on this machine, over SSH, and under Slurm."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_tapis_jobs import InvalidInputError, JobError, NotAllowedError, Tapis, connect
from jupyter_tapis_jobs.client.call_outcome import RemoteTraceback
from jupyter_tapis_jobs.client.calls import Calls
from tests.conftest import TestServer, until

SYSTEM = "cluster"
#: Other Pythons than this one, where pyenv keeps them.
OTHERS = [
    python
    for python in Path.home().glob(".pyenv/versions/*/bin/python3")
    if not python.parts[-3].startswith("{}.{}.".format(*sys.version_info))
]
OTHERS.sort(key=lambda python: [int(part) for part in re.findall(r"\d+", python.parts[-3])])


class DivergedError(Exception):
    """An exception of the user's own module, which no host has."""

    def __init__(self, step: int) -> None:
        super().__init__(f"diverged in step {step}")
        self.step = step


def half(k: float) -> float:
    return k / 2


def drift(k: int, damping: float = 0.02) -> dict[str, float]:
    """Calls another function of its module, prints, and diverges for k = 13."""
    print(f"k is {k}")
    if k == 13:
        raise ValueError(f"no equilibrium for k = {k}")
    return {"peak": half(k) + damping}


@pytest.fixture(params=["local", "FORK", "BATCH"])
def place(request: pytest.FixtureRequest) -> tuple[Tapis, dict[str, Any]]:
    """A client, and its words for where a call runs: here, on the host over SSH, under its Slurm."""
    if request.param == "local":
        return request.getfixturevalue("tapis"), {}
    given = {"system": SYSTEM, "jobType": request.param, "maxMinutes": 5, "memoryMB": 100}
    return request.getfixturevalue("cluster"), given


@pytest.fixture
def call(place: tuple[Tapis, dict[str, Any]]) -> Callable[..., Any]:
    """``call(function, …)`` in each place."""
    tapis, given = place
    return lambda function, *args, **more: tapis.call(function, *args, **given, **more)


@pytest.fixture
def mapped(place: tuple[Tapis, dict[str, Any]]) -> Callable[..., Calls]:
    """``mapped(function, cases, …)`` in each place."""
    tapis, given = place
    return lambda function, cases, **more: tapis.map(function, cases, **given, **more)


# one call


def test_what_a_function_returns_comes_back(call: Callable[..., Any]) -> None:
    job = call(drift, 12, kwargs={"damping": 0.05})
    assert job.result(120, progress=False) == {"peak": 6.05}
    assert job.read() == "k is 12\n"
    assert (job.status, job.name.startswith("drift-")) == ("FINISHED", True)


def test_what_a_function_raises_is_raised_here_with_the_traceback_there(call: Callable[..., Any]) -> None:
    job = call(drift, 13)
    with pytest.raises(ValueError, match="no equilibrium for k = 13") as raised:
        job.result(120, progress=False)
    assert isinstance(raised.value.__cause__, RemoteTraceback)
    assert "test_calls.py" in str(raised.value.__cause__)
    assert "script.py" not in str(raised.value.__cause__)
    assert (job.status, job.refresh().exit_code) == ("FAILED", 1)
    assert "no equilibrium for k = 13" in str(job.failure)


def test_packages_that_are_missing_there_are_named_before_the_function_runs(call: Callable[..., Any]) -> None:
    job = call(drift, 1, packages=["json", "no_such_module", "no-such-package"])
    with pytest.raises(JobError, match=r"no_such_module, no-such-package are not installed for \S+ on \w+: "):
        job.result(120, progress=False)
    assert (job.refresh().exit_code, "k is" in job.read()) == (2, False)


# this machine


def test_a_call_runs_here(tapis: Tapis) -> None:
    square = 3
    assert tapis.call(lambda: square**2).result(progress=False) == 9


def test_a_class_of_the_notebook_is_the_same_class_when_it_comes_back(tapis: Tapis) -> None:
    def diverge(step: int) -> None:
        raise DivergedError(step)

    # Its class takes a step, and gives words: it would come back with others.
    with pytest.raises(JobError, match=r"diverge-\d+ raised .*DivergedError: diverged in step 4"):
        tapis.call(diverge, 4).result(progress=False)
    kinds = tapis.call(lambda: [DivergedError, {"of": half}]).result(progress=False)
    assert kinds[0] is DivergedError
    assert kinds[1]["of"](3) == 1.5


@pytest.mark.parametrize("python", OTHERS[:1] + OTHERS[-1:], ids=lambda path: path.parts[-3])
def test_a_python_of_another_version_says_so_before_anything_is_unpickled(tapis: Tapis, python: Path) -> None:
    job = tapis.call(drift, 1, python=str(python))
    with pytest.raises(JobError, match=r"The function comes from Python 3\.\d+, and \S+ on \w+ is Python"):
        job.result(progress=False)
    assert (job.refresh().exit_code, "k is" in job.read()) == (2, False)


def test_what_cannot_be_pickled_is_refused_and_no_job_is_made(tapis: Tapis) -> None:
    lock, before = threading.Lock(), len(tapis.jobs(name="held-*"))

    def held() -> bool:
        return lock.locked()

    with pytest.raises(InvalidInputError, match="The function held cannot be sent: it uses 'lock', which"):
        tapis.call(held)
    assert len(tapis.jobs(name="held-*")) == before


def test_another_kernel_has_the_result_and_another_person_does_not(server: TestServer, tapis: Tapis) -> None:
    job = tapis.call(half, 5)
    assert tapis.job(job.uuid).result(progress=False) == 2.5
    assert job.resubmit().result(progress=False) == 2.5
    job.share("mallory")
    made = tapis.connection.post("/v3/tapisjobs/tokens", {"username": "mallory"})
    other = connect(f"{server.url}tapis", token=made["access_token"]["access_token"])
    with closing(other.connection):
        assert other.job(job.uuid).read_bytes("result.pkl")
        with pytest.raises(
            NotAllowedError, match=r"half-\d+ is .*'s: its result is a pickle, and a pickle runs"
        ):
            other.job(job.uuid).result(progress=False)


# many calls


def test_a_frame_is_mapped_and_its_failed_row_is_called_again(mapped: Callable[..., Calls]) -> None:
    frame = pd.DataFrame({"k": range(20), "damping": [0.5] * 20}, index=[f"pier {n}" for n in range(20)])

    def shifted(k: int, damping: float, shift: float) -> float:
        if k == 13 and not os.environ.get("CALM"):
            raise ValueError(f"no equilibrium for k = {k}")
        return half(k) + damping + shift

    calls = mapped(shifted, frame, kwargs={"shift": 100}).wait(150, progress=False)
    table = calls.frame()
    assert list(table.columns) == ["k", "damping", "result", "status", "error", "jobUuid"]
    assert table.index.tolist() == frame.index.tolist()
    assert table["status"].value_counts().to_dict() == {"FINISHED": 19, "FAILED": 1}
    assert table.loc["pier 4", ["result", "error"]].tolist() == [102.5, None]
    assert table.loc["pier 13", "error"] == "ValueError: no equilibrium for k = 13"
    assert table["result"].isna().tolist() == [k == 13 for k in range(20)]
    with pytest.raises(ValueError, match="k = 13") as raised:
        calls.results(progress=False)
    assert raised.value.__notes__[0].startswith("1 of 20 calls failed: calls.failed()")
    (failed,) = calls.failed()
    assert failed.uuid == table.loc["pier 13", "jobUuid"] == calls[13].uuid

    again = calls.retry(env={"CALM": "1"})
    assert again.results(150, progress=False) == [k / 2 + 100.5 for k in range(20)]
    assert calls[13].uuid != failed.uuid
    assert len({job.row["name"] for job in calls}) == 20


def test_items_are_the_one_argument_and_results_keep_their_order(tapis: Tapis) -> None:
    calls = tapis.map(lambda pair: pair[0] * pair[1], [(1, 2), (3, 4), ("ab", 2), ([0], 3)], name="product")
    assert calls.results(progress=False) == [2, 12, "abab", [0, 0, 0]]
    assert calls.frame()["item"].tolist() == [(1, 2), (3, 4), ("ab", 2), ([0], 3)]
    assert [job.row["name"] for job in calls] == ["product-0", "product-1", "product-2", "product-3"]
    assert tapis.map(half, []).results(progress=False) == []


def test_the_exceptions_can_stand_among_the_values(tapis: Tapis) -> None:
    found = tapis.map(lambda k: 1 / k, [1, 0, 4]).results(return_exceptions=True, progress=False)
    assert (found[0], found[2], type(found[1])) == (1.0, 0.25, ZeroDivisionError)


def test_a_call_that_is_cancelled_has_no_result_and_can_be_called_again(tapis: Tapis, tmp_path: Path) -> None:
    gate = tmp_path / "go"

    def waiting(name: str) -> str:
        while name == "slow" and not gate.exists():
            time.sleep(0)
        return name

    calls = tapis.map(waiting, ["slow", "fast"], maxMinutes=5)
    with pytest.raises(InvalidInputError, match=r"Call 0 \(waiting-\d+\) is .*: wait\(\) for it"):
        calls.retry(0)
    calls[0].cancel()
    found = calls.results(return_exceptions=True, progress=False)
    assert found[1] == "fast"
    assert str(found[0]).endswith("CANCELLED: it was cancelled.")
    gate.touch()
    assert calls.retry().results(progress=False) == ["slow", "fast"]


def test_calls_that_share_jobs_are_told_and_called_again_by_themselves(mapped: Callable[..., Calls]) -> None:
    def reciprocal_of(k: int) -> float:
        print(f"k is {k}")
        return 1 / (k + (1 if os.environ.get("CALM") else 0))

    calls = mapped(reciprocal_of, [4, 0, 2, 5, 8], chunksize=3).wait(150, progress=False)
    assert [job.uuid == calls[0].uuid for job in calls] == [True, True, True, False, False]
    assert calls.frame()["status"].tolist() == ["FINISHED", "FAILED", "FINISHED", "FINISHED", "FINISHED"]
    assert calls[0].read().splitlines()[0] == "k is 4"
    with pytest.raises(ZeroDivisionError):
        calls.results(progress=False)
    again = calls.retry(env={"CALM": "1"}).results(150, progress=False)
    assert again == [0.25, 1.0, 0.5, 0.2, 0.125]


def test_a_job_of_many_calls_that_is_killed_keeps_what_it_has(tapis: Tapis, tmp_path: Path) -> None:
    gate = tmp_path / "go"

    def ending(k: int) -> int:
        if k == 3 and not gate.exists():
            os._exit(7)
        return k * k

    calls = tapis.map(ending, range(6), chunksize=6)
    found = calls.results(return_exceptions=True, progress=False)
    assert found[:3] == [0, 1, 4]
    assert {str(error) for error in found[3:]} == {
        f"{calls[0].name} FAILED before this call was done: exit code 7."
    }
    gate.touch()
    assert calls.retry().results(progress=False) == [0, 1, 4, 9, 16, 25]


def test_a_job_of_many_calls_tells_how_many_are_made(tapis: Tapis, tmp_path: Path) -> None:
    gate = tmp_path / "go"

    def slow(k: int) -> int:
        end = time.monotonic() + 0.3
        while time.monotonic() < end or (k == 8 and not gate.exists()):
            time.sleep(0)
        return k

    calls = tapis.map(slow, range(10), chunksize=10, maxMinutes=5)
    until(lambda: calls[0].progress)
    assert (calls[0].progress <= 80, calls[0].progress_message) == (True, "calls made")
    gate.touch()
    assert calls.results(progress=False) == list(range(10))


# other schedulers


def reciprocal(k: int) -> float:
    return 1 / k


def test_calls_are_tasks_of_a_dask_cluster(dask, running_server, tmp_path) -> None:
    with running_server(tmp_path / "server") as server, closing((tapis := server.tapis()).connection):
        definition = {"canRunBatch": True, "batchScheduler": "DASK", "notes": {"dask": dask.notes}}
        tapis.connection.call("PATCH", "/v3/systems/local", json=definition)
        calls = tapis.map(reciprocal, [1, 2, 0, 4], maxMinutes=5)
        found = calls.results(120, return_exceptions=True, progress=False)
        assert [type(value) for value in found] == [float, float, ZeroDivisionError, float]
        assert {job.refresh().row["execSystemLogicalQueue"] for job in calls} == {"workers"}


def test_calls_run_in_an_htcondor_pool(pool, running_server, tmp_path) -> None:
    with running_server(tmp_path / "server") as server, closing((tapis := server.tapis()).connection):
        tapis.add_host("pool", **pool.adding())
        calls = tapis.map(reciprocal, [1, 2, 0, 4], system="pool", maxMinutes=5, memoryMB=100)
        found = calls.results(150, return_exceptions=True, progress=False)
        assert [type(value) for value in found] == [float, float, ZeroDivisionError, float]
        assert {job.refresh().row["jobType"] for job in calls} == {"BATCH"}
