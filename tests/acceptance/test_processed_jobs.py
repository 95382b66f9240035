"""Post-processing on a real server: functions of an installed package, and functions of kernels."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jupyter_tapis_jobs import InvalidInputError, JobError, JobManager, Tapis
from jupyter_tapis_jobs.client.job import Job
from tests.conftest import TestServer, running_server

PACKAGE = '''
import os
import subprocess
import sys
import time
from pathlib import Path


def peaks(job):
    """What a notebook would write."""
    return {"max": float(job.read_csv("u.csv")["u"].max()), "name": job.name, "status": job.status}


def surroundings(job):
    words = [*sys.argv, *map(str, os.environ.items()), Path("/proc/self/cmdline").read_text()]
    return {
        "folder": os.listdir(),
        "token": [word for word in words if "eyJ" in word or "TAPIS_JOBS_TOKEN" in word],
        "input": sys.stdin.read(),
        "me": job.tapis.connection.get("/v3/oauth2/userinfo")["username"],
    }


def second_time(job):
    mark = Path(job.notes["folder"], job.uuid)
    with mark.open("a") as calls:
        calls.write("called\\n")
    if len(mark.read_text().split()) < 2:
        print("looking at", job.name)
        raise ValueError("no rows yet")
    return "good"


def endless(job):
    child = subprocess.Popen(["sleep", "600"])
    Path(job.notes["folder"], "pids").write_text(f"{os.getpid()} {child.pid}")
    print("begun", flush=True)
    if Path(job.notes["folder"], "enough").exists():
        child.kill()
        return "done"
    time.sleep(600)


def leaves(job):
    os._exit(7)


def too_much(job):
    return "x" * 300_000

'''
FUNCTIONS = ("peaks", "surroundings", "second_time", "endless", "leaves", "too_much", "absent")
SECONDS = 120.0


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A package beside every server of these tests, which offers functions; one of them is not there."""
    folder = tmp_path_factory.mktemp("packages")
    facts = folder / "looking-1.0.dist-info"
    facts.mkdir()
    (folder / "looking.py").write_text(PACKAGE)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: looking\nVersion: 1.0\n")
    points = "\n".join(f"{name} = looking:{name}" for name in FUNCTIONS)
    (facts / "entry_points.txt").write_text(f"[jupyter_tapis_jobs.process]\n{points}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
        yield


@pytest.fixture(scope="module")
def processing_server(packages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestServer]:
    with running_server(tmp_path_factory.mktemp("processing")) as server:
        yield server


@pytest.fixture
def tapis(processing_server: TestServer) -> Iterator[Tapis]:
    tapis = processing_server.tapis()
    with closing(tapis.connection):
        yield tapis


def submitted(tapis: Tapis, process: Any, **fields: Any) -> Job:
    return tapis.submit(
        "bash", script="printf 'u\\n3\\n7\\n' > u.csv", maxMinutes=5, process=process, **fields
    )


def outcome(job: Job) -> Any:
    found = job.processed
    assert found is not None
    return found.wait(SECONDS)


def peaks_of(job: Job) -> float:
    return float(job.read_csv("u.csv")["u"].max())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_function_of_a_package_sees_the_ended_job_and_its_result_is_kept(tapis: Tapis) -> None:
    job = submitted(tapis, "peaks", name="pushover")
    done = outcome(job)
    assert (done.status, done.name, done.attempts) == ("FINISHED", "peaks", 1)
    assert done.result == {"max": 7.0, "name": "pushover", "status": "FINISHED"}
    # Also in another kernel, later.
    assert tapis.job(job.uuid).processed == done
    assert "peaks FINISHED" in " ".join(job.history()["description"])


def test_a_worker_has_a_folder_of_its_own_and_the_sign_in_of_the_owner_by_its_input(tapis: Tapis) -> None:
    me = tapis.connection.get("/v3/oauth2/userinfo")["username"]
    assert outcome(submitted(tapis, "surroundings")).result == {
        "folder": [], "token": [], "input": "", "me": me,
    }  # fmt: skip


def test_what_raises_is_tried_again_and_the_success_is_kept(tapis: Tapis, tmp_path: Path) -> None:
    job = submitted(tapis, "second_time", notes={"folder": str(tmp_path)})
    done = outcome(job)
    assert (done.status, done.attempts, done.result) == ("FINISHED", 2, "good")
    assert (tmp_path / job.uuid).read_text().split() == ["called"] * 2


def test_what_went_wrong_is_told_with_traceback_and_the_last_lines(tapis: Tapis, tmp_path: Path) -> None:
    process = {"name": "second_time", "retries": 0}
    done = outcome(submitted(tapis, process, name="one", notes={"folder": str(tmp_path)}))
    assert (done.status, done.attempts, done.result) == ("FAILED", 1, None)
    assert done.problem.startswith("second_time raised ValueError: no rows yet.\n\nTraceback")
    assert "looking.py" in done.problem
    assert "process_worker.py" not in done.problem
    assert done.problem.endswith("It had printed:\nlooking at one")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("leaves", "ended without an answer (exit code 7)"),
        ("too_much", "300,002 bytes as JSON"),
        ("absent", "absent raised AttributeError"),
    ],
)
def test_every_way_to_fail_has_its_sentence(tapis: Tapis, name: str, words: str) -> None:
    done = outcome(submitted(tapis, {"name": name, "retries": 0}))
    assert done.status == "FAILED"
    assert words in done.problem


def test_at_the_time_limit_it_is_ended_with_all_that_it_has_started(
    tapis: Tapis, tmp_path: Path, until: Callable[..., Any]
) -> None:
    process = {"name": "endless", "maxMinutes": 0.4, "retries": 0}
    job = submitted(tapis, process, notes={"folder": str(tmp_path)})
    done = outcome(job)
    assert done.status == "FAILED"
    assert done.problem == "endless had not ended after 0.4 min, and was ended.\n\nIt had printed:\nbegun"
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    until(lambda: not any(map(alive, pids)))
    (tmp_path / "enough").touch()
    again = job.process_again()
    assert (again.status, again.attempts) == ("PENDING", 0)
    assert again.wait(SECONDS).result == "done"


def test_a_server_that_is_killed_in_the_middle_takes_its_worker_along_and_the_next_tries_again(
    packages: None, tmp_path: Path, until: Callable[..., Any]
) -> None:
    folder = tmp_path / "server"
    with running_server(folder) as server, closing(server.tapis().connection) as connection:
        tapis = Tapis(connection)
        job = submitted(tapis, "endless", notes={"folder": str(tmp_path)})
        until((tmp_path / "pids").exists)
        pids = until(lambda: [int(word) for word in (tmp_path / "pids").read_text().split()])
        os.kill(server.process.process.pid, signal.SIGKILL)
    until(lambda: not any(map(alive, pids)))
    (tmp_path / "enough").touch()
    with running_server(folder) as server, closing(server.tapis().connection) as connection:
        done = outcome(Tapis(connection).job(job.uuid))
        assert (done.status, done.attempts, done.result) == ("FINISHED", 2, "done")


def test_a_name_that_nobody_offers_is_refused_with_those_that_are(tapis: Tapis) -> None:
    with pytest.raises(
        InvalidInputError, match=r"Did you mean 'peaks'\? Functions .*: absent, endless, leaves"
    ):
        submitted(tapis, "peeks")


def test_each_case_of_a_study_is_processed(tapis: Tapis) -> None:
    study = tapis.study(
        "processed", "bash", cases=[{"k": k} for k in range(12)], process="peaks", maxMinutes=5,
        script="printf 'u\\n1\\n{{ k }}\\n' > u.csv",
    )  # fmt: skip
    study.run()
    study.wait(SECONDS)
    for uuid in study.frame()["jobUuid"]:
        outcome(tapis.job(uuid))
    frame = study.frame().merge(tapis.processed(study.frame()), on="jobUuid", suffixes=("", "Processed"))
    assert frame["statusProcessed"].tolist() == ["FINISHED"] * 12
    highest = dict(zip(frame["k"], (result["max"] for result in frame["result"]), strict=True))
    assert highest == {k: float(max(k, 1)) for k in range(12)}


def test_studies_and_workflows_take_no_function_of_this_kernel_and_say_what_does(tapis: Tapis) -> None:
    with pytest.raises(InvalidInputError, match="the name of a function that a package offers"):
        tapis.study("none", "bash", cases=[{"k": 1}], process=len, script="echo {{ k }}")
    flow = tapis.workflow("none")
    flow.add("bash", process=len, script="true", name="one")
    with pytest.raises(InvalidInputError, match="the name of a function that a package offers"):
        flow.run()


# --- functions of the kernel ----------------------------------------------------------------------
def test_a_function_of_this_kernel_is_called_by_wait_once(tapis: Tapis) -> None:
    seen: list[str] = []

    def highest(job: Job) -> float:
        seen.append(job.uuid)
        return float(job.read_csv("u.csv")["u"].max())

    job = submitted(tapis, highest)
    before = job.processed
    assert before is not None
    assert (before.status, before.name) == ("PENDING", "highest")
    assert job.request()["notes"] == {"tapisjobs": {"process": {"name": "highest", "runs": "kernel"}}}
    job.wait(SECONDS, progress=False).wait(SECONDS, progress=False)
    assert seen == [job.uuid]
    assert job.processed is not None
    assert job.processed.result == 7.0
    again = job.process_again()
    assert (again.status, again.result) == ("FINISHED", 7.0)
    assert seen == [job.uuid] * 2


def test_a_kernel_without_the_function_waits_no_longer_than_it_was_told_to(tapis: Tapis) -> None:
    job = tapis.job(submitted(tapis, peaks_of).uuid).wait(SECONDS, progress=False)
    waiting = job.processed
    assert waiting is not None
    with pytest.raises(JobError, match=r"not processed yet \(peaks_of is PENDING\)"):
        waiting.wait(0.2)
    assert waiting.status == "PENDING"


def test_of_two_kernels_that_wait_one_calls_it_and_both_have_the_result(
    processing_server: TestServer,
) -> None:
    calls: list[str] = []
    both = threading.Barrier(2)

    def slowly(job: Job) -> int:
        calls.append(job.uuid)
        # Only here would the other one be, if it could.
        with pytest.raises(threading.BrokenBarrierError):
            both.wait(1.0)
        return len(calls)

    clients = [processing_server.tapis() for _ in range(2)]
    job = submitted(clients[0], slowly)
    kernels = [job, clients[1].job(job.uuid)]
    kernels[1].keep_function(slowly)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda kernel: kernel.wait(SECONDS, progress=False), kernels))
    assert calls == [job.uuid]
    assert [outcome(kernel).result for kernel in kernels] == [1, 1]
    for client in clients:
        client.connection.close()


def test_what_a_function_of_this_kernel_raises_is_a_warning_and_is_kept(tapis: Tapis) -> None:
    def careless(job: Job) -> float:
        return 1 / 0

    job = submitted(tapis, careless)
    with pytest.warns(UserWarning, match="careless raised ZeroDivisionError: division by zero"):
        job.wait(SECONDS, progress=False)
    done = job.processed
    assert done is not None
    assert (done.status, done.attempts) == ("FAILED", 1)
    assert "return 1 / 0" in (done.problem or "")
    # Mended, in a kernel that does not hold the first one.
    assert tapis.job(job.uuid).process_again(lambda job: "good").result == "good"


def test_many_jobs_are_processed_when_all_have_been_waited_for(tapis: Tapis) -> None:
    cases = [{"script": f"echo {number}"} for number in range(3)]
    jobs = tapis.submit_many(cases, appId="bash", maxMinutes=5, process=lambda job: job.read().strip())
    tapis.wait(jobs, SECONDS, progress=False)
    assert [outcome(tapis.job(str(getattr(job, "uuid", "")))).result for job in jobs] == ["0", "1", "2"]


def test_a_job_without_a_function_has_none_and_tethys_words_lead_to_one(tapis: Tapis) -> None:
    assert tapis.submit("bash", script="true", maxMinutes=5).processed is None
    manager = JobManager(tapis, "my_app")
    job = manager.create_job("one", script="echo hello", maxMinutes=5)
    job.process_results_function = lambda job: job.read().strip()
    job.execute()
    assert job.job is not None
    assert outcome(job.job).result == "hello"
