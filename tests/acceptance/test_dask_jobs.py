"""Jobs of a real server as tasks of a real Dask cluster: good and bad ends, and what dies in between."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cluster_python import DASK, cluster_python
from rig.dask_cluster import DaskCluster, dask_cluster

from jupyter_tapis_jobs import Job, Tapis, TapisJobsError


def use(tapis: Tapis, notes: dict[str, Any]) -> None:
    """Let the system local have a Dask scheduler."""
    definition = {"canRunBatch": True, "batchScheduler": "DASK", "notes": {"dask": notes}}
    tapis.connection.call("PATCH", "/v3/systems/local", json=definition)


@pytest.fixture(scope="module")
def grid(dask: DaskCluster, running_server, tmp_path_factory) -> Iterator[Tapis]:
    """A server whose own machine has the Dask cluster of all tests."""
    with running_server(tmp_path_factory.mktemp("grid")) as server, closing(server.tapis().connection) as c:
        tapis = Tapis(c)
        use(tapis, dask.notes)
        yield tapis


@pytest.fixture
def cluster(tmp_path: Path, until) -> Iterator[DaskCluster]:
    """A Dask cluster for one test, which may kill its parts."""
    with dask_cluster(tmp_path, until) as made:
        yield made


def submit(tapis: Tapis, script: str, **fields: Any) -> Job:
    """Submit a shell script to Dask."""
    return tapis.submit("bash", script=script, maxMinutes=5, **fields)


def ended(job: Job) -> Job:
    """Wait for the end of a job."""
    job.wait(timeout=120, progress=False)
    return job


def test_a_job_runs_as_a_task_and_its_output_is_read(grid: Tapis) -> None:
    job = ended(submit(grid, "echo hello; echo a,b > t.csv; echo 1,2 >> t.csv"))
    assert job.status == "FINISHED", job.row["lastMessage"]
    assert job.read("tapisjob.out") == "hello\n"
    assert job.read_csv("t.csv").to_dict("list") == {"a": [1], "b": [2]}
    row = job.refresh().row
    assert (row["jobType"], job.exit_code, row["launchMode"]) == ("BATCH", 0, "single")
    assert row["execSystemLogicalQueue"] == "workers"
    assert row["remoteJobId"].endswith(job.uuid)


def test_what_fails_there_says_how(grid: Tapis) -> None:
    job = ended(submit(grid, "echo cannot converge >&2; exit 7"))
    assert job.status == "FAILED"
    assert "exit code 7: cannot converge" in job.row["lastMessage"]


def test_cases_are_handed_over_in_one_call_and_have_each_their_own_code(grid: Tapis) -> None:
    requests = [{"name": f"case-{n}", "script": f"echo case {n}; exit {n % 3}"} for n in range(12)]
    made = grid.submit_many(requests, appId="bash", launch_mode="auto", maxMinutes=1)
    jobs = grid.wait([job for job in made if isinstance(job, Job)], progress=False, timeout=110)
    rows = {job.row["name"]: job for job in jobs}
    assert [rows[f"case-{n}"].exit_code for n in range(12)] == [n % 3 for n in range(12)]
    assert rows["case-7"].read("tapisjob.out") == "case 7\n"
    shown = rows["case-7"].refresh().row
    assert (shown["launchMode"], shown["launchReason"]) == ("array", "12 tasks in one call")


def test_a_cancelled_job_is_really_gone(grid: Tapis, until) -> None:
    job = submit(grid, "echo $$ > pid; sleep 300 & sleep 300")
    until(lambda: job.refresh().status == "RUNNING")
    pid = int(until(lambda: job.read("pid")))
    job.cancel()
    assert ended(job).status == "CANCELLED"
    assert not Path(f"/proc/{pid}").exists()


def test_a_lost_worker_fails_its_job_and_nothing_runs_twice(
    cluster: DaskCluster, serve, tmp_path: Path, until
) -> None:
    starts = tmp_path / "starts"
    with serve() as server, closing(server.tapis().connection) as connection:
        tapis = Tapis(connection)
        use(tapis, cluster.notes)
        job = submit(tapis, f"echo $$ >> {starts}; sleep 300")
        pid = int(until(lambda: starts.exists() and starts.read_text()))
        cluster.start_worker("two")
        cluster.kill("one")
        # The other worker gets the task, finds it claimed, and leaves it.
        assert ended(job).status == "FAILED"
        assert "Dask worker was lost" in job.row["lastMessage"]
        assert starts.read_text().split() == [str(pid)]
        assert not Path(f"/proc/{pid}").exists()


def test_jobs_go_on_while_the_server_is_killed_and_are_found_again(
    cluster: DaskCluster, serve, tmp_path: Path, until
) -> None:
    go = tmp_path / "go"
    with serve() as server:
        tapis = server.tapis()
        use(tapis, cluster.notes)
        jobs = [submit(tapis, f"while [ ! -e {go} ]; do sleep 0.1; done; exit {n}") for n in range(2)]
        until(lambda: {job.refresh().status for job in jobs} == {"RUNNING"})
        tapis.connection.close()
        os.kill(server.process.process.pid, signal.SIGKILL)
        go.touch()
    with serve() as server, closing(server.tapis().connection) as connection:
        found = [ended(Tapis(connection).job(job.uuid)) for job in jobs]
        assert [job.status for job in found] == ["FINISHED", "FAILED"]


def test_jobs_wait_with_a_sentence_while_there_is_no_scheduler(cluster: DaskCluster, serve, until) -> None:
    port = int(cluster.address.rpartition(":")[2])
    with serve() as server, closing(server.tapis().connection) as connection:
        tapis = Tapis(connection)
        use(tapis, {**cluster.notes, "seconds": 2})
        cluster.close()
        job = submit(tapis, "echo there")
        until(lambda: job.refresh().status == "BLOCKED")
        assert f"the Dask scheduler at tcp://127.0.0.1:{port} cannot be reached" in job.row["lastMessage"]
        cluster.start_scheduler(port)
        cluster.start_worker("one")
        assert ended(job).status == "FINISHED"


def test_jobs_of_several_cores_take_them_where_workers_tell_theirs(
    cluster: DaskCluster, serve, until
) -> None:
    cluster.start_worker("counted", "--resources", "cores=4")
    cluster.kill("one")
    with serve() as server, closing((tapis := server.tapis()).connection):
        use(tapis, cluster.notes)
        first, second = (submit(tapis, "sleep 300", coresPerNode=3) for _ in range(2))
        small = submit(tapis, "sleep 300")
        until(lambda: [first.refresh().status, small.refresh().status] == ["RUNNING"] * 2)
        large = submit(tapis, "true", coresPerNode=5)
        told = "no Dask worker has 5 cores, the largest has 4"
        until(lambda: told in (large.refresh().row["lastMessage"] or ""))
        assert second.refresh().status == "QUEUED"
        tapis.cancel([first, small, large])
        until(lambda: second.refresh().status == "RUNNING")
        second.cancel()
        assert ended(second).status == "CANCELLED"


def test_bad_notes_are_told_at_once(grid: Tapis) -> None:
    with pytest.raises(TapisJobsError, match=r"notes\.dask\.address 'here' is not of the form tcp://"):
        use(grid, {"address": "here"})


def test_an_option_for_another_scheduler_is_refused(grid: Tapis) -> None:
    options = {"schedulerOptions": [{"name": "account", "arg": "--account x"}]}
    with pytest.raises(TapisJobsError, match=r"means nothing to a DASK scheduler, which has none"):
        submit(grid, "true", parameterSet=options)


# over SSH


@pytest.fixture(scope="module")
def far(rig, running_server, tmp_path_factory, until) -> Iterator[Tapis]:
    """A server that knows a host over SSH, whose user has a Dask cluster with certificates there."""
    folder = Path(tempfile.mkdtemp(prefix="tapisjobs-dask-"))
    folder.chmod(0o777)
    host = rig.hosts["login1"]
    try:
        python = str(cluster_python(rig, folder, DASK))
        with (
            dask_cluster(folder, until, tls=True, python=python, user=host.user) as cluster,
            running_server(tmp_path_factory.mktemp("far")) as server,
            closing(server.tapis().connection) as connection,
        ):
            tapis = Tapis(connection)
            tapis.add_host("far", **rig.reaching(), dask=cluster.notes)
            yield tapis
    finally:
        shutil.rmtree(folder)


def test_over_ssh_a_job_runs_at_a_worker_of_the_hosts_user(far: Tapis) -> None:
    job = ended(submit(far, "id -un; echo 1 > t.csv", execSystemId="far", memoryMB=100))
    assert job.status == "FINISHED", job.row["lastMessage"]
    assert job.read("tapisjob.out") == "riguser1\n"
    assert job.read("t.csv") == "1\n"


def test_over_ssh_a_study_is_one_call_and_each_case_has_its_end(far: Tapis) -> None:
    requests = [{"name": f"case-{n}", "script": f"echo {n}; exit {n % 2}"} for n in range(20)]
    asked = {"execSystemId": "far", "maxMinutes": 1, "memoryMB": 100}
    made = far.submit_many(requests, appId="bash", launch_mode="auto", **asked)
    jobs = far.wait([job for job in made if isinstance(job, Job)], progress=False, timeout=110)
    rows = {job.row["name"]: job for job in jobs}
    assert [rows[f"case-{n}"].exit_code for n in range(20)] == [n % 2 for n in range(20)]


def test_over_ssh_a_cancel_ends_what_the_worker_runs(far: Tapis, on_host, until) -> None:
    job = submit(far, "echo $$ > pid; sleep 300", execSystemId="far", memoryMB=100)
    until(lambda: job.refresh().status == "RUNNING")
    pid = until(lambda: job.read("pid")).strip()
    job.cancel()
    assert ended(job).status == "CANCELLED"
    assert on_host("login1", f"ls -d /proc/{pid} || true") == ""


def test_a_host_of_dask_stays_one_when_it_is_looked_at_again(far: Tapis) -> None:
    far.host("far").check()
    system = far.connection.get("/v3/systems/far")
    assert system["batchScheduler"] == "DASK"
    assert [queue["name"] for queue in system["batchLogicalQueues"]] == ["workers"]


def test_a_host_is_not_added_with_a_way_to_dask_that_is_none(far: Tapis, rig) -> None:
    with pytest.raises(TapisJobsError, match=r"notes\.dask\.address 'here' is not of the form tcp://"):
        far.add_host("other", **rig.reaching(), dask={"address": "here"})
    assert "other" not in list(far.systems()["id"])


# on Slurm

#: Makes a cluster on Slurm as its user would, and keeps it until it is ended.
_JOBQUEUE = """
import sys, threading
from dask.distributed import Client
from dask_jobqueue import SLURMCluster
if __name__ == "__main__":
    folder, python = sys.argv[1:]
    cluster = SLURMCluster(
        queue="normal", cores=2, processes=1, memory="500MB", walltime="00:10:00", interface="lo",
        python=python, local_directory=folder, log_directory=folder,
        scheduler_options={"dashboard_address": ":0"},
    )
    cluster.scale(jobs=1)
    Client(cluster).write_scheduler_file(folder + "/jobqueue.json")
    threading.Event().wait()
"""


def test_a_cluster_that_dask_jobqueue_made_on_slurm_runs_jobs_on_its_nodes(far: Tapis, rig, until) -> None:
    notes = far.connection.get("/v3/systems/far")["notes"]
    python = notes["dask"]["python"]
    folder = Path(python).parent
    (folder / "cluster.py").write_text(_JOBQUEUE)
    with (folder / "jobqueue.log").open("wb") as log:
        keeper = subprocess.Popen(
            [python, str(folder / "cluster.py"), str(folder), python],
            user="riguser1", group="riguser1", extra_groups=[], cwd="/", stdout=log, stderr=log,
            env={**os.environ, "SLURM_CONF": str(rig.slurm_conf), "HOME": str(folder)},
        )  # fmt: skip
    try:
        until(lambda: (folder / "jobqueue.json").exists(), 90)
        told = {"schedulerFile": f"{folder}/jobqueue.json", "python": python, "seconds": 20}
        far.connection.call("PATCH", "/v3/systems/far", json={"notes": {**notes, "dask": told}})
        job = ended(submit(far, "hostname", execSystemId="far", memoryMB=100))
        assert job.status == "FINISHED", job.row["lastMessage"]
        assert job.read("tapisjob.out").startswith("node")
    finally:
        keeper.kill()
        keeper.wait()
        rig.ssh("scancel --user=riguser1 --name=dask-worker")
        far.connection.call("PATCH", "/v3/systems/far", json={"notes": notes})


@pytest.fixture
def made_on_slurm(far: Tapis, rig) -> Iterator[Tapis]:
    """The system ``far`` with a cluster that is made when it is wanted; it is ended afterwards."""
    notes = far.connection.get("/v3/systems/far")["notes"]
    wanted = {"queue": "normal", "cores": 2, "memory": "500MB", "walltime": "00:10:00", "interface": "lo"}
    dask = {"jobqueue": wanted, "python": notes["dask"]["python"], "seconds": 20}
    far.connection.call("PATCH", "/v3/systems/far", json={"notes": {**notes, "dask": dask}})
    yield far
    rig.ssh("pkill -KILL -f '[t]apisjobs_dask'; rm -rf ~/.tapisjobs-dask", check=False)
    rig.ssh("scancel --user=riguser1 --name=dask-worker")
    far.connection.call("PATCH", "/v3/systems/far", json={"notes": notes})


def test_a_cluster_is_made_on_slurm_when_jobs_want_one_and_anew_when_its_keeper_was_killed(
    made_on_slurm: Tapis, rig
) -> None:
    asked = {"execSystemId": "far", "memoryMB": 100}
    made = made_on_slurm.submit_many([{"script": "hostname"}] * 3, appId="bash", maxMinutes=5, **asked)
    jobs = made_on_slurm.wait(made, progress=False, timeout=150)
    assert [job.status for job in jobs] == ["FINISHED"] * 3, jobs[0].row["lastMessage"]
    assert all(job.read("tapisjob.out").startswith("node") for job in jobs)
    (place,) = rig.ssh("ls -d ~/.tapisjobs-dask/*").split()
    assert rig.ssh(f"stat -c %a {place} {place}/key.pem").split() == ["700", "600"]
    assert rig.ssh(f"cat {place}/scheduler.json").startswith('{"address": "tls://')
    rig.ssh("pkill -KILL -f '[t]apisjobs_dask'", check=False)
    again = ended(submit(made_on_slurm, "hostname", **asked))
    assert again.status == "FINISHED", again.row["lastMessage"]


def test_a_worker_that_was_removed_while_it_waited_is_asked_for_again(
    made_on_slurm: Tapis, rig, until
) -> None:
    full = rig.ssh("sbatch --parsable --exclusive --nodes=4 --wrap='sleep 600'").strip()
    try:
        job = submit(made_on_slurm, "nproc", execSystemId="far", memoryMB=100, coresPerNode=2)
        waiting = until(lambda: rig.ssh("squeue -h --user=riguser1 --name=dask-worker -o %A").split())
        rig.ssh(f"scancel {' '.join(waiting)}")
        again = until(lambda: rig.ssh("squeue -h --user=riguser1 --name=dask-worker -o %A").split())
        assert set(again).isdisjoint(waiting)
    finally:
        rig.ssh(f"scancel {full}")
    assert ended(job).status == "FINISHED", job.row["lastMessage"]


def test_a_job_of_more_cores_than_workers_are_asked_for_is_refused(made_on_slurm: Tapis) -> None:
    with pytest.raises(
        TapisJobsError, match=r"coresPerNode 3 is over the limit of queue workers \(2\) on far"
    ):
        submit(made_on_slurm, "true", execSystemId="far", memoryMB=100, coresPerNode=3)


def test_a_cluster_that_cannot_be_made_says_why(made_on_slurm: Tapis, until) -> None:
    notes = made_on_slurm.connection.get("/v3/systems/far")["notes"]
    bare = {**notes["dask"], "python": "python3"}
    made_on_slurm.connection.call("PATCH", "/v3/systems/far", json={"notes": {**notes, "dask": bare}})
    job = submit(made_on_slurm, "true", execSystemId="far", memoryMB=100)
    until(lambda: job.refresh().status == "BLOCKED")
    assert "has no Dask" in job.row["lastMessage"] or "install dask-jobqueue" in job.row["lastMessage"]
    job.cancel()
    assert ended(job).status == "CANCELLED"
