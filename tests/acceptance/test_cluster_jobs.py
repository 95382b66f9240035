"""Jobs of a real server on a real cluster over SSH: FORK and Slurm, alone and together, good and bad ends."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_tapis_jobs import Job, Tapis, TapisJobsError

SYSTEM = "cluster"


@pytest.fixture
def run(cluster: Tapis) -> Callable[..., Job]:
    """Submit a shell script to the cluster and wait for its end."""

    def one(script: str, *, wait: bool = True, **fields: Any) -> Job:
        asked = {"execSystemId": SYSTEM, "maxMinutes": 5, "memoryMB": 100, **fields}
        job = cluster.submit("bash", script=script, **asked)
        if wait:
            job.wait(timeout=100, progress=False)
        return job

    return one


def cases(cluster: Tapis, count: int, script: str, mode: str, **fields: Any) -> list[Job]:
    """Submit a bulk of cases whose scripts are *script* with {n} filled in, and wait for all."""
    asked = {"execSystemId": SYSTEM, "jobType": "BATCH", "maxMinutes": 5, "memoryMB": 50, **fields}
    requests = [{"name": f"case-{n}", "script": script.replace("{n}", str(n))} for n in range(count)]
    made = cluster.submit_many(requests, appId="bash", launch_mode=mode, **asked)
    return cluster.wait([job for job in made if isinstance(job, Job)], progress=False, timeout=110)


# good ends


@pytest.mark.parametrize("kind", ["FORK", "BATCH"])
def test_a_job_runs_there_and_its_output_is_read_here(run, kind: str) -> None:
    job = run("echo on $(hostname); echo a,b > t.csv; echo 1,2 >> t.csv", jobType=kind)
    assert job.status == "FINISHED"
    assert job.read("tapisjob.out").startswith("on ")
    assert job.read_csv("t.csv").to_dict("list") == {"a": [1], "b": [2]}
    assert (job.status, job.exit_code) == ("FINISHED", 0)


def test_of_several_systems_one_is_chosen_and_the_job_says_why(cluster: Tapis, run) -> None:
    several = {"execSystemId": [SYSTEM, "local"], "jobType": "FORK"}
    why = f"{SYSTEM} was chosen, which has no queue, and no job waits there; local: "
    assert why in str(cluster.validate("bash", script="hostname", **several))
    job = run("hostname", **several)
    assert (job.status, job.row["execSystemId"]) == ("FINISHED", SYSTEM)
    assert why in job.history()["description"][0]


def test_a_batch_job_is_told_its_queue_its_number_and_its_node(run) -> None:
    job = run("echo $SLURM_JOB_ID on $(hostname)", execSystemLogicalQueue="development")
    number, _, node = job.read("tapisjob.out").partition(" on ")
    assert node.startswith("node")
    assert cluster_row(job)["remoteJobId"] == number
    assert cluster_row(job)["execSystemLogicalQueue"] == "development"


def cluster_row(job: Job) -> dict[str, Any]:
    return dict(job.refresh().row)


@pytest.mark.parametrize("kind", ["FORK", "BATCH"])
def test_what_fails_there_says_how(run, kind: str) -> None:
    job = run("echo cannot converge >&2; exit 7", jobType=kind)
    assert job.status == "FAILED"
    assert "exit code 7: cannot converge" in job.row["lastMessage"]


@pytest.mark.parametrize("mode", ["array", "pack", "single"])
def test_cases_started_together_have_each_their_own_code_output_and_times(cluster: Tapis, mode: str) -> None:
    jobs = cases(cluster, 12, "echo case {n}; exit $(({n} % 3))", mode)
    rows = {job.row["name"]: job for job in jobs}
    assert [rows[f"case-{n}"].exit_code for n in range(12)] == [n % 3 for n in range(12)]
    assert {job.status for job in jobs} == {"FINISHED", "FAILED"}
    assert rows["case-7"].read("tapisjob.out") == "case 7\n"
    shown = cluster_row(rows["case-7"])
    assert shown["launchMode"] == mode
    assert shown["launchReason"]
    assert shown["remoteStarted"] <= shown["remoteEnded"]


def test_a_directory_and_a_file_of_this_machine_travel_there(cluster: Tapis, run, tmp_path) -> None:
    (tmp_path / "mesh" / "deep er").mkdir(parents=True)
    (tmp_path / "mesh" / "deep er" / "näme\n.txt").write_text("found")
    job = run(
        'cat "mesh/deep er/"n*',
        fileInputs=[{"name": "mesh", "sourceUrl": f"tapis://local{tmp_path}/mesh", "targetPath": "mesh"}],
    )
    assert job.read("tapisjob.out") == "found"


def test_outputs_can_be_archived_to_another_system(cluster: Tapis, run, tmp_path) -> None:
    job = run(
        "mkdir -p a/b; echo kept > a/b/c.txt; echo dropped > d.log",
        archiveSystemId="local",
        archiveSystemDir=str(tmp_path / "archive"),
        parameterSet={"archiveFilter": {"excludes": ["**.log"], "includeLaunchFiles": False}},
    )
    assert job.status == "FINISHED", job.row["lastMessage"]
    assert (tmp_path / "archive/a/b/c.txt").read_text() == "kept\n"
    assert not (tmp_path / "archive/d.log").exists()


# bad ends


def test_a_cancelled_batch_job_is_gone_from_slurm(rig, run, until) -> None:
    job = run("sleep 300", wait=False)
    until(lambda: job.status == "RUNNING", 60)
    number = cluster_row(job)["remoteJobId"]
    job.cancel()
    job.wait(timeout=100, progress=False)
    assert job.status == "CANCELLED"
    assert rig.slurm("squeue", "-h", "-j", number, "-t", "PD,R").strip() == ""


def test_a_case_of_a_pack_can_be_cancelled_alone(cluster: Tapis, until) -> None:
    asked = {"execSystemId": SYSTEM, "jobType": "BATCH", "maxMinutes": 5, "memoryMB": 50}
    requests = [{"name": f"c{n}", "script": "sleep 300" if n == 1 else "sleep 2"} for n in range(3)]
    jobs = cluster.submit_many(requests, appId="bash", launch_mode="pack", **asked)
    until(lambda: jobs[1].status == "RUNNING", 60)
    jobs[1].cancel()
    ended = cluster.wait(jobs, progress=False, timeout=180)
    assert {job.row["name"]: job.status for job in ended} == {
        "c0": "FINISHED",
        "c1": "CANCELLED",
        "c2": "FINISHED",
    }


def test_a_case_over_its_time_in_a_pack_is_stopped_alone(cluster: Tapis) -> None:
    asked = {"execSystemId": SYSTEM, "jobType": "BATCH", "maxMinutes": 1, "memoryMB": 50}
    requests = [{"name": f"c{n}", "script": "echo step 3; sleep 300" if n == 1 else "true"} for n in range(3)]
    made = cluster.submit_many(requests, appId="bash", launch_mode="pack", **asked)
    late = {job.row["name"]: job for job in cluster.wait(made, progress=False, timeout=115)}["c1"]
    shown = cluster_row(late)
    assert (shown["status"], shown["condition"]) == ("FAILED", "SCHEDULER_TIMEOUT")
    assert shown["lastMessage"] == "stopped at the time limit of 1 min; last line: step 3"


@pytest.mark.timeout(240)
def test_slurms_time_limit_is_told_as_such(run, request) -> None:
    if not request.config.getoption("--full"):
        pytest.skip("takes a minute and a half, and notebook 02 shows the same: --full")
    job = run("echo step 380 of 500; sleep 300", maxMinutes=1, wait=False)
    job.wait(timeout=200, progress=False)
    shown = cluster_row(job)
    assert (shown["status"], shown["condition"]) == ("FAILED", "SCHEDULER_TIMEOUT")
    assert "time limit" in shown["lastMessage"]
    assert "step 380 of 500" in shown["lastMessage"]


def test_a_job_cancelled_at_slurm_behind_our_back_says_so(rig, run, until) -> None:
    job = run("sleep 300", wait=False)
    until(lambda: job.status == "RUNNING", 60)
    rig.slurm("scancel", cluster_row(job)["remoteJobId"])
    job.wait(timeout=100, progress=False)
    shown = cluster_row(job)
    assert (shown["status"], shown["condition"]) == ("FAILED", "SCHEDULER_CANCELLED")
    assert "cancelled at Slurm" in shown["lastMessage"]


# bad input


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"execSystemLogicalQueue": "larg"}, "queue 'larg' is not on cluster"),
        ({"execSystemLogicalQueue": "development", "maxMinutes": 600}, "over the limit of queue development"),
        ({"nodeCount": 600}, "over the limit of queue"),
        ({"parameterSet": {"schedulerOptions": [{"arg": "--mem 5"}]}}, "memoryMB"),
        ({"parameterSet": {"schedulerOptions": [{"arg": "--acount x"}]}}, "--account"),
        ({"parameterSet": {"schedulerOptions": [{"arg": "--tapis-profile nope"}]}}, "nope"),
    ],
)
def test_what_the_cluster_cannot_take_is_said_at_submission(run, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(TapisJobsError, match=words):
        run("true", jobType="BATCH", **fields)


def test_what_slurm_itself_refuses_fails_with_its_reason_and_a_way_out(run) -> None:
    job = run("true", parameterSet={"schedulerOptions": [{"arg": "--constraint nosuchfeature"}]})
    assert job.status == "FAILED"
    assert "constraint" in cluster_row(job)["lastMessage"]


def test_a_missing_input_on_the_host_fails_that_job_only(cluster: Tapis, run) -> None:
    name = uuid.uuid4().hex
    job = run(
        "true", fileInputs=[{"name": "x", "sourceUrl": f"tapis://{SYSTEM}/tmp/{name}", "targetPath": "x"}]
    )
    assert job.status == "FAILED"
    assert name in cluster_row(job)["lastMessage"]
    assert "does not exist" in cluster_row(job)["lastMessage"]
