"""What a Dask cluster does to jobs when its parts die, and what is said when there is no way to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rig.dask_cluster import DaskCluster, certificates, dask_cluster
from scheduler_desk import Desk, dask_desk, does_something

from jupyter_tapis_jobs.model import marks
from jupyter_tapis_jobs.model.status import Condition
from jupyter_tapis_jobs.schedulers.base import Sighting


@pytest.fixture
def cluster(tmp_path: Path, until) -> Iterator[DaskCluster]:
    """A cluster whose parts a test may kill."""
    with dask_cluster(tmp_path, until) as made:
        yield made


@pytest.fixture
def desk(cluster: DaskCluster) -> Iterator[Desk]:
    with dask_desk(cluster, "dask") as made:
        yield made


@pytest.fixture
def whole(dask: DaskCluster) -> Iterator[Desk]:
    """A desk at the cluster that all tests share."""
    with dask_desk(dask, "dask") as made:
        yield made


def told(desk: Desk, **notes: Any) -> str:
    """Return what is said of a job when its system's notes are *notes*; it is never handed over."""
    known = {name: value for name, value in {**desk.notes, **notes}.items() if value is not None}
    job = replace(desk.job("one", "echo started > starts"), notes=known)
    reports = [desk.hand_over(job), desk.look(job)]
    assert {report["one"].sighting for report in reports} == {Sighting.AWAY}
    assert reports[0] == reports[1]
    assert not Path(job.exec_dir, "starts").exists()
    return reports[0]["one"].reason


# what dies


def test_what_a_killed_worker_ran_is_ended_and_not_run_again(desk: Desk, cluster, until) -> None:
    # A child in a process group of its own, and one that does not listen to TERM.
    job = desk.job("one", "echo started >> starts; set -m; (trap '' TERM; sleep 61) & echo $! > child; wait")
    (job,) = desk.submit(job)
    child = Path(job.exec_dir, "child")
    until(lambda: child.exists() and child.read_text())
    cluster.start_worker("two")
    cluster.kill("one")
    until(lambda: not does_something(child.read_text().strip()))
    until(lambda: not does_something(desk.claim(job)[1]))
    until(lambda: desk.duplicates(job) == 1)
    assert desk.said(job, "starts") == "started\n"
    report = until(lambda: (r := desk.look(job)["one"]).sighting is Sighting.VANISHED and r)
    assert report.condition is Condition.SCHEDULER_TERMINATED
    assert "Dask worker was lost" in report.reason


def test_jobs_without_any_worker_wait_and_say_so(desk: Desk, cluster, until) -> None:
    cluster.kill("one")
    (job,) = desk.submit(desk.job("one", "true"))
    report = until(lambda: "no workers" in (r := desk.look(job)["one"]).reason and r)
    assert report.sighting is Sighting.QUEUED
    cluster.start_worker("two")
    assert until(lambda: desk.exit_mark(job)) == "0"


def test_a_scheduler_that_comes_back_empty_has_lost_what_ran_and_what_waited(
    desk: Desk, cluster, until
) -> None:
    running, waiting = desk.job("running", "exec sleep 60"), desk.job("waiting", "true")
    (running,) = desk.submit(running)
    until(lambda: desk.claim(running))
    cluster.kill("one")
    (waiting,) = desk.submit(waiting)
    until(lambda: not does_something(desk.claim(running)[1]))
    cluster.kill("scheduler")
    seen = desk.look(running, waiting)
    # What ran on this very machine is known to be gone, scheduler or not.
    assert seen["running"].sighting is Sighting.VANISHED
    assert seen["waiting"].sighting is Sighting.AWAY
    assert desk.cancel(running) == {"running"}
    cluster.start_scheduler(int(desk.notes["address"].rpartition(":")[2]))
    seen = desk.look(running, waiting)
    assert seen["running"].sighting is Sighting.VANISHED
    assert seen["waiting"].sighting is Sighting.ABSENT


def test_a_job_that_does_not_listen_is_ended_at_its_time_limit(whole: Desk, until) -> None:
    limited = replace(whole.job("one", "exec sleep 60"), max_minutes=0.02)
    (job,) = whole.submit(limited)
    assert until(lambda: whole.exit_mark(job)) in ("143", "143 terminated")
    assert whole.said(job, marks.KILLED) == "timeout\n"


def test_a_start_that_cannot_be_is_refused_with_its_reason(whole: Desk, until) -> None:
    job = whole.job("one", "true")
    Path(job.exec_dir, "tapisjob.sh").chmod(0o600)
    (job,) = whole.submit(job)
    report = until(lambda: (r := whole.look(job)["one"]).sighting is Sighting.REFUSED and r, 30)
    assert "cannot run" in report.reason
    assert "(exit code 126)" in report.reason


# no way to it


def test_no_scheduler_is_told_with_its_address(whole: Desk) -> None:
    assert told(whole, address="tcp://127.0.0.1:1", seconds=1) == (
        "the Dask scheduler at tcp://127.0.0.1:1 cannot be reached (Connection refused): start it, "
        "or correct notes.dask"
    )


def test_a_scheduler_file_that_is_not_there_is_told(whole: Desk, tmp_path: Path) -> None:
    said = told(whole, address=None, schedulerFile=f"{tmp_path}/none.json")
    assert said.startswith(f"notes.dask.schedulerFile {tmp_path}/none.json is not there on ")


def test_a_scheduler_is_found_by_its_file(whole: Desk, dask: DaskCluster, until) -> None:
    notes = {"schedulerFile": str(dask.scheduler_file), "python": dask.python}
    (job,) = whole.submit(replace(whole.job("one", "exit 4"), notes=notes))
    assert until(lambda: whole.exit_mark(job)) == "4"


def test_plain_tcp_on_a_port_with_tls_is_told_in_time(whole: Desk, dask_tls: DaskCluster) -> None:
    address = dask_tls.address.replace("tls://", "tcp://")
    assert told(whole, address=address, seconds=1) == (
        f"the Dask scheduler at {address} gives no answer within 1 s: is it one that speaks TLS (address "
        "tls://…, notes.dask.tls), or behind a firewall?"
    )


def test_a_certificate_of_somebody_else_is_told(whole: Desk, dask_tls: DaskCluster, tmp_path: Path) -> None:
    said = told(whole, address=dask_tls.address, tls=certificates(tmp_path, "other"), seconds=1)
    assert f"the Dask scheduler at {dask_tls.address} and notes.dask.tls do not fit each other" in said


def test_a_certificate_that_is_not_there_is_told(whole: Desk, dask_tls: DaskCluster) -> None:
    files = {**dask_tls.notes["tls"], "key": "/none/key.pem"}
    assert told(whole, address=dask_tls.address, tls=files).startswith(
        "notes.dask.tls.key /none/key.pem cannot be read on "
    )


def test_a_python_that_is_not_there_is_told(whole: Desk) -> None:
    said = told(whole, python="/opt/none/python")
    assert said == "there is no /opt/none/python on the host: correct notes.dask.python"


def test_a_python_without_dask_is_told(whole: Desk, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    said = told(whole, python=str(bare))
    assert "has no Dask (No module named" in said
    assert said.endswith("install distributed, or name another Python as notes.dask.python")
