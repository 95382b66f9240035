"""How groups of like jobs are started."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jupyter_tapis_jobs.engine.launch_modes import (
    Facts,
    group_key,
    pack_options,
    plan,
    why_single,
)
from jupyter_tapis_jobs.engine.quota import Limits
from jupyter_tapis_jobs.model.directives import array_options
from jupyter_tapis_jobs.model.job import Job, JobDefinition
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.system import LogicalQueue, System

JOB = Job(
    uuid="u", tenant="t", owner="ada", name="n", description="", app_id="model", app_version="1",
    job_type="BATCH", exec_system_id="cluster", archive_system_id="cluster",
    exec_system_logical_queue="normal", effective_user_id="ada", node_count=1, cores_per_node=1,
    memory_mb=100, max_minutes=10, status=JobStatus.SUBMITTING_JOB, created="", last_updated="",
    launch_mode="auto", cohort_id="c",
)  # fmt: skip
DEFINITION = JobDefinition(
    job_type="BATCH", app_runtime="ZIP", container_image="/i", exec_system_id="cluster",
    exec_system_exec_dir="/e", exec_system_input_dir="/e", exec_system_output_dir="/e",
    archive_system_id="cluster", archive_system_dir="/e", job_working_dir="/", host="h", root_dir="/",
)  # fmt: skip
NODES = Facts(cores_per_node=8, memory_mb_per_node=4000)


def jobs(number: int, **fields: Any) -> list[Job]:
    return [replace(JOB, uuid=str(n), **fields) for n in range(number)]


def queue(**limits: Any) -> LogicalQueue:
    return LogicalQueue.model_construct(name="normal", hpc_queue_name="normal", **limits)


def test_one_job_is_started_by_itself() -> None:
    assert plan(jobs(1), NODES, None).mode == "single"


def test_like_jobs_become_an_array_where_arrays_are_allowed() -> None:
    chosen = plan(jobs(500), NODES, queue())
    assert (chosen.mode, chosen.size) == ("array", 1000)


def test_an_array_is_no_larger_than_slurm_allows() -> None:
    assert plan(jobs(500), replace(NODES, array_size=64), queue()).size == 64


def test_where_arrays_are_forbidden_jobs_are_packed_also_when_an_array_was_asked_for() -> None:
    for mode in ("auto", "array"):
        chosen = plan(jobs(100, launch_mode=mode), replace(NODES, array_size=0), queue())
        assert chosen.mode == "pack"
        assert "not allowed on cluster" in chosen.reason


def test_more_cases_than_one_user_may_have_jobs_are_packed() -> None:
    assert plan(jobs(100), NODES, queue(max_jobs_per_user=20)).mode == "pack"
    assert plan(jobs(100), NODES, queue(), most=50).mode == "pack"
    assert plan(jobs(10), NODES, queue(max_jobs_per_user=20)).mode == "array"


def test_short_cases_are_packed() -> None:
    assert plan(jobs(100, max_minutes=1), NODES, queue()).mode == "pack"


def test_batch_scripts_are_never_packed_for_they_count_on_an_allocation_of_their_own() -> None:
    no_arrays = replace(NODES, array_size=0)
    for mode in ("auto", "array", "pack"):
        scripts = jobs(60, app_id="slurm", launch_mode=mode, max_minutes=1)
        assert plan(scripts, NODES, queue(max_jobs_per_user=2)).mode == "array"
        assert plan(scripts[:1], NODES, None).mode == "single"
        alone = plan(scripts, no_arrays, None)
        assert (alone.mode, alone.size) == ("single", 50)
    assert "own allocation" in plan(jobs(2, app_id="slurm", launch_mode="pack"), NODES, None).reason


def test_a_pack_fills_nodes_as_far_as_cores_memory_and_queue_allow() -> None:
    chosen = plan(jobs(1000, launch_mode="pack"), NODES, queue(max_node_count=4))
    assert (chosen.nodes, chosen.places, chosen.cores, chosen.memory_mb) == (4, 8, 8, 800)
    chosen = plan(jobs(1000, launch_mode="pack", memory_mb=1000), NODES, queue(max_node_count=4))
    assert (chosen.places, chosen.memory_mb) == (4, 4000)
    chosen = plan(jobs(6, launch_mode="pack"), NODES, queue())
    assert (chosen.nodes, chosen.places) == (1, 6)


def test_a_pack_has_time_for_all_its_cases_as_far_as_the_queue_allows() -> None:
    many = jobs(64, launch_mode="pack")
    assert plan(many, NODES, queue(max_node_count=2)).minutes == 4 * 10 + 1
    assert plan(many, NODES, queue(max_node_count=2, max_minutes=30)).minutes == 30


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"launch_mode": "single"}, "as asked"),
        ({"node_count": 2}, "several nodes"),
    ],
)
def test_what_needs_a_start_of_its_own_says_why(changes: dict[str, Any], why: str) -> None:
    assert why in (why_single(replace(JOB, **changes), DEFINITION, None) or "")


def test_mpi_jobs_and_jobs_with_options_of_their_own_are_started_one_by_one() -> None:
    assert "MPI" in (why_single(JOB, replace(DEFINITION, is_mpi=True), None) or "")
    assert "--dependency" in (why_single(JOB, DEFINITION, "--dependency") or "")
    assert why_single(JOB, DEFINITION, None) is None


def test_only_jobs_of_one_call_with_the_same_needs_are_grouped() -> None:
    key = group_key(JOB, ("--qos=short",))
    assert key == group_key(replace(JOB, uuid="other", name="other"), ("--qos=short",))
    for change in ({"cohort_id": "d"}, {"owner": "bob"}, {"memory_mb": 200}, {"max_minutes": 5}):
        assert key != group_key(replace(JOB, **change), ("--qos=short",))
    assert key != group_key(JOB, ("--qos=long",))


def test_an_array_and_a_pack_have_a_name_and_output_of_their_own() -> None:
    kept = ("--mem=100", "--nodes=1", "--ntasks=1", "--qos=q", "--time=10")
    words = ("--job-name=x", *kept, "--output=/o")
    assert array_options(words, "all") == (*kept, "--job-name=all", "--output=/dev/null")
    chosen = plan(jobs(64, launch_mode="pack"), NODES, queue(max_node_count=2))
    packed = pack_options(words, "all", chosen, hide_memory=False)
    assert {"--qos=q", "--nodes=2", "--ntasks=2", "--cpus-per-task=8", "--mem=800", "--time=41"} <= set(
        packed
    )
    assert not any(word.startswith("--mem") for word in pack_options(words, "all", chosen, hide_memory=True))


def test_facts_come_from_the_systems_notes() -> None:
    system = System.model_construct(notes={"tapisjobs": {"maxArraySize": 11, "coresPerNode": 56}})
    assert Facts.of(system) == Facts(array_size=10, cores_per_node=56)
    assert Facts.of(System.model_construct(notes={"tapisjobs": {"arrays": False}})).array_size == 0
    assert Facts.of(System.model_construct(notes=None)) == Facts()


def test_cases_of_an_array_do_not_count_for_their_queue_one_by_one() -> None:
    one, other = jobs(2)
    assert not set(Limits.keys(one)[2:4]) & set(Limits.keys(other)[2:4])
    alone = [replace(job, launch_mode="single") for job in (one, other)]
    assert Limits.keys(alone[0]) == Limits.keys(alone[1])
