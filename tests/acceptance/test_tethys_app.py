"""Code of a Tethys app goes on with its own words, on a real server."""

from __future__ import annotations

from uuid import uuid4

from jupyter_tapis_jobs import JobManager, Tapis


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
