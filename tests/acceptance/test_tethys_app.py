"""Code of a Tethys app goes on with its own words, on a real server."""

from __future__ import annotations

from uuid import uuid4

import pytest

from jupyter_tapis_jobs import ConflictError, JobManager, Tapis


def test_jobs_are_created_executed_listed_and_deleted_by_tethys_names(tapis: Tapis) -> None:
    label = f"app-{uuid4().hex[:8]}"
    manager = JobManager(tapis, label)
    flow = manager.create_job("flow", script="echo 7 m3/s", extended_properties={"basin": 7})
    dry = manager.create_job("dry", script="exit 3")
    flow.execute()
    dry.execute()
    tapis.wait([flow.job, dry.job], progress=False)
    assert (flow.status, dry.status) == ("Complete", "Error")
    assert flow.get_logs() == {"tapisjob.out": "7 m3/s\n"}
    listed = manager.list_jobs(order_by="-id")
    assert [(job.name, job.cached_status) for job in listed] == [("dry", "Error"), ("flow", "Complete")]
    assert listed[1].extended_properties == {"basin": 7}
    assert [job.name for job in manager.list_jobs(filters={"status": "FINISHED"})] == ["flow"]
    dry.delete()
    assert [job.name for job in manager.list_jobs()] == ["flow"]
    assert JobManager(tapis, f"{label}-other").list_jobs() == []


def test_a_workflow_of_nodes_with_parents_is_executed_and_stands_by_tethys_words(tapis: Tapis) -> None:
    manager = JobManager(tapis, f"app-{uuid4().hex[:8]}")
    flow = manager.create_workflow(f"dam-{uuid4().hex[:8]}", maxMinutes=5)
    mesh, solve = (
        flow.create_node("mesh", script="echo mesh"),
        flow.create_node("solve", script="echo u; exit 3"),
    )
    report = flow.create_node("report", script="echo done")
    solve.add_parent(mesh)
    report.add_parent(mesh)
    report.add_parent(solve)
    assert (flow.status, flow.num_jobs) == ("Pending", 3)
    with pytest.raises(ConflictError, match="was not executed yet"):
        flow.stop()
    flow.execute()
    flow.workflow.wait(180, progress=False)
    assert flow.status == "Error"
    assert flow.statuses == {"Complete": 1, "Error": 1, "Unsubmitted": 1}
    assert flow.get_logs() == {
        "mesh": {"tapisjob.out": "mesh\n"},
        "solve": {"tapisjob.out": "u\n"},
        "report": {},
    }
    assert {job.name.partition(".")[2] for job in manager.list_jobs()} == {"mesh", "solve"}
    with pytest.raises(ConflictError, match="executed already"):
        flow.create_node("more", script="true")
    flow.delete()
    assert flow.status == "Pending"
