"""Jobs of a real server in a real HTCondor pool over SSH: alone and as clusters, good and bad ends."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rig.condor import Pool

from jupyter_tapis_jobs import Job, Tapis, TapisJobsError

SYSTEM = "pool"


@pytest.fixture(scope="module")
def tapis(pool: Pool, running_server, tmp_path_factory) -> Iterator[Tapis]:
    """A server that knows the pool as a system."""
    with running_server(tmp_path_factory.mktemp("pool")) as server:
        tapis = server.tapis()
        tapis.add_host(SYSTEM, **pool.adding())
        yield tapis
        tapis.connection.close()


@pytest.fixture
def run(tapis: Tapis) -> Callable[..., Job]:
    """Submit a shell script to the pool and wait for its end."""

    def one(script: str, *, wait: bool = True, **fields: Any) -> Job:
        asked = {"execSystemId": SYSTEM, "jobType": "BATCH", "maxMinutes": 5, "memoryMB": 100, **fields}
        job = tapis.submit("bash", script=script, **asked)
        if wait:
            job.wait(timeout=100, progress=False)
        return job

    return one


def cases(tapis: Tapis, count: int, script: str, mode: str, **fields: Any) -> list[Job]:
    """Submit a bulk of cases whose scripts are *script* with {n} filled in, and wait for all."""
    asked = {"execSystemId": SYSTEM, "jobType": "BATCH", "maxMinutes": 5, "memoryMB": 50, **fields}
    requests = [{"name": f"case-{n}", "script": script.replace("{n}", str(n))} for n in range(count)]
    made = tapis.submit_many(requests, appId="bash", launch_mode=mode, **asked)
    return tapis.wait([job for job in made if isinstance(job, Job)], progress=False, timeout=110)


def in_queue(pool: Pool, job: Job) -> list[str]:
    """Return the numbers under which the pool's queue has a job."""
    told = pool.condor("condor_q", "-constraint", f'TapisJobUuid == "{job.uuid}"', "-af:j", "JobStatus")
    return [line.split()[0] for line in told.splitlines()]


# the host


def test_a_host_that_submits_to_a_pool_is_found_to_be_one(tapis: Tapis) -> None:
    system = tapis.host(SYSTEM).system
    assert system["batchScheduler"] == "CONDOR"
    (queue,) = system["batchLogicalQueues"]
    assert (queue["maxCoresPerNode"], queue["maxMemoryMB"], queue["maxNodeCount"]) == (8, 8192, 1)
    assert "HTCondor" in repr(tapis.host(SYSTEM))
    checked = tapis.host(SYSTEM).check()
    assert checked.system["batchLogicalQueues"] == system["batchLogicalQueues"]


# on this very machine


@pytest.fixture
def server_in_pool(pool: Pool, running_server, monkeypatch) -> Iterator[Tapis]:
    """A server of the pool's own user, whose system ``local`` submits to the pool."""
    folder = pool.home / "server"
    (folder / "root").mkdir(parents=True, exist_ok=True)
    for place in (folder, folder / "root"):
        shutil.chown(place, pool.user, pool.user)
    # A Python below root's home is not for others; the packages are.
    python, packages = f"/usr/bin/python3.{sys.version_info.minor}", [p for p in sys.path if p]
    settings = [f"{k}={v}" for k, v in {**pool.environment, "PYTHONPATH": ":".join(packages)}.items()]
    change = [
        "setpriv",
        f"--reuid={pool.user}",
        f"--regid={pool.user}",
        "--clear-groups",
        "env",
        *settings,
        python,
    ]
    if subprocess.run([*change, "-c", "import jupyter_tapis_jobs"], cwd="/", check=False).returncode:
        pytest.skip(f"{python} does not run there with the packages of {sys.executable}")
    as_user = folder / "python"
    as_user.write_text(f'#!/bin/sh\nexec {shlex.join(change)} "$@"\n')
    as_user.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(as_user))
    with running_server(folder) as server:
        tapis = server.tapis()
        queue = {"name": "pool", "hpcQueueName": "pool", "maxNodeCount": 1}
        changes = {"canRunBatch": True, "batchScheduler": "CONDOR", "batchLogicalQueues": [queue]}
        tapis.connection.call("PATCH", "/v3/systems/local", json=changes)
        yield tapis
        tapis.connection.close()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_job_of_the_local_system_runs_in_the_pool(server_in_pool: Tapis) -> None:
    job = server_in_pool.submit(
        "bash", script="echo $CONDOR_JOB_ID", jobType="BATCH", memoryMB=100, maxMinutes=5
    )
    job.wait(timeout=100, progress=False)
    assert job.status == "FINISHED", job.row["lastMessage"]
    assert job.read("tapisjob.out").strip() == job.refresh().row["remoteJobId"]


# good ends


def test_a_job_runs_there_and_its_output_is_read_here(run) -> None:
    job = run("echo in slot $_CONDOR_SLOT; echo a,b > t.csv; echo 1,2 >> t.csv")
    assert job.status == "FINISHED", job.row["lastMessage"]
    assert job.read("tapisjob.out").startswith("in slot slot1_")
    assert job.read_csv("t.csv").to_dict("list") == {"a": [1], "b": [2]}


def test_a_job_has_its_cores_its_number_and_the_path_of_its_user(run) -> None:
    job = run('echo "$OMP_NUM_THREADS $CONDOR_JOB_ID $HOME"; command -v sed', coresPerNode=3)
    cores, number, home, _ = job.read("tapisjob.out").split()
    assert cores == "3"
    assert job.refresh().row["remoteJobId"] == number
    assert home.startswith("/home/")


def test_what_fails_there_says_how(run) -> None:
    job = run("echo cannot converge >&2; exit 7")
    assert job.status == "FAILED"
    assert "exit code 7: cannot converge" in job.row["lastMessage"]


@pytest.mark.parametrize(
    ("asked", "mode"), [("auto", "array"), ("array", "array"), ("pack", "array"), ("single", "single")]
)
def test_cases_are_one_cluster_and_have_each_their_own_code_and_output(
    tapis: Tapis, asked: str, mode: str
) -> None:
    jobs = cases(tapis, 12, "echo case {n}; exit $(({n} % 3))", asked)
    rows = {job.row["name"]: job.refresh() for job in jobs}
    assert [rows[f"case-{n}"].exit_code for n in range(12)] == [n % 3 for n in range(12)]
    assert rows["case-7"].read("tapisjob.out") == "case 7\n"
    assert {job.row["launchMode"] for job in jobs} == {mode}
    clusters = {job.row["remoteJobId"].partition(".")[0] for job in jobs}
    assert len(clusters) == (1 if mode == "array" else 12)


def test_files_travel_where_the_machines_do_not_show_them(run) -> None:
    options = [{"arg": "should_transfer_files=YES"}]
    job = run(
        "pwd; cat greeting; echo a,b > t.csv",
        files={"greeting": "hello"},
        parameterSet={"schedulerOptions": options},
    )
    assert job.status == "FINISHED", job.row["lastMessage"]
    where, greeting = job.read("tapisjob.out").split()
    assert "/execute/dir_" in where
    assert greeting == "hello"
    assert job.read("t.csv") == "a,b\n"


@pytest.mark.needs("apptainer")
@pytest.mark.needs("busybox")
def test_a_container_runs_there(pool: Pool, tapis: Tapis) -> None:
    image = sandbox(pool.home / "image")
    app = {"id": "contained", "version": "1", "runtime": "SINGULARITY", "containerImage": str(image)}
    tapis.connection.post("/v3/apps", {**app, "jobAttributes": {"execSystemId": SYSTEM}})
    args = [{"arg": "sh -c 'echo in $APPTAINER_NAME; exit 4'"}]
    job = tapis.submit(
        "contained", jobType="BATCH", memoryMB=100, maxMinutes=5, parameterSet={"appArgs": args}
    )
    job.wait(timeout=100, progress=False)
    assert job.read("tapisjob.out").endswith("in image\n"), job.row["lastMessage"]
    assert job.exit_code == 4
    shutil.rmtree(image)


def sandbox(folder: Path) -> Path:
    """Make an image in the form of a directory: one program, and what Apptainer mounts over."""
    for name in ("bin", "dev", "proc", "sys", "tmp", "etc", "root", "home", "var/tmp", ".singularity.d"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(shutil.which("busybox") or "", folder / "bin/busybox")
    for name in ("sh", "echo"):
        (folder / "bin" / name).symlink_to("busybox")
    for name in ("hosts", "resolv.conf", "localtime", "passwd", "group"):
        (folder / "etc" / name).touch()
    runscript = folder / ".singularity.d/runscript"
    runscript.write_text('#!/bin/sh\nexec "$@"\n')
    runscript.chmod(0o755)
    return folder


# bad ends


def test_a_job_that_its_user_holds_says_how_it_goes_on(pool: Pool, run, until) -> None:
    # No machine fits, so that it is still waiting.
    job = run(
        "true", wait=False, parameterSet={"schedulerOptions": [{"arg": 'requirements = (Arch == "VAX")'}]}
    )
    until(lambda: job.refresh().row["remoteJobId"])
    pool.condor("condor_hold", job.row["remoteJobId"])
    until(lambda: job.refresh().status == "PAUSED")
    assert "resume it to go on" in job.row["lastMessage"]
    job.resume()
    until(lambda: job.refresh().status == "QUEUED")
    job.pause()
    until(lambda: job.refresh().status == "PAUSED")
    job.cancel()
    until(lambda: job.refresh().status == "CANCELLED")
    assert in_queue(pool, job) == []


@pytest.mark.parametrize(
    ("command", "condition", "sentence"),
    [
        ("condor_rm", "SCHEDULER_CANCELLED", "it was removed at HTCondor itself"),
        ("condor_vacate_job", "SCHEDULER_TERMINATED", "its machine was taken back"),
        ("condor_hold", "SCHEDULER_STOPPED", "HTCondor held it after its start"),
    ],
)
def test_what_others_end_there_is_failed_and_says_why(
    pool: Pool, run, until, command: str, condition: str, sentence: str
) -> None:
    job = run("echo $$ >> starts; exec sleep 100", wait=False)
    until(lambda: job.refresh().status == "RUNNING")
    pool.condor(command, job.row["remoteJobId"])
    until(lambda: job.refresh().status == "FAILED")
    assert sentence in job.row["lastMessage"]
    assert job.row["condition"] == condition
    assert len(job.read("starts").split()) == 1
    # One that is held can be looked at for an hour.
    for number in in_queue(pool, job):
        pool.condor("condor_rm", number)


def test_a_cancelled_job_is_gone_from_the_pool(pool: Pool, run, until) -> None:
    job = run("echo on; exec sleep 100", wait=False)
    until(lambda: job.refresh().status == "RUNNING")
    job.cancel()
    until(lambda: job.refresh().status == "CANCELLED")
    assert in_queue(pool, job) == []


def test_a_request_that_no_machine_meets_is_refused_at_once(run) -> None:
    with pytest.raises(TapisJobsError, match="coresPerNode"):
        run("true", coresPerNode=99)


def test_several_nodes_are_refused_with_the_way_out(run) -> None:
    with pytest.raises(TapisJobsError, match="nodeCount"):
        run("true", nodeCount=2)
