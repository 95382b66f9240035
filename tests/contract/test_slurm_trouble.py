"""What goes wrong at a real Slurm, or is refused by it, and what is said of the jobs then."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from scheduler_desk import TERMINATED, Desk, slurm_desk

from jupyter_tapis_jobs.model import marks
from jupyter_tapis_jobs.model.job import Argument
from jupyter_tapis_jobs.model.status import Condition
from jupyter_tapis_jobs.schedulers import slurm_judge
from jupyter_tapis_jobs.schedulers.base import Launch, Sighting

WAITS = "while [ ! -e go ]; do sleep 0.1; done"


@pytest.fixture(autouse=True)
def coherent(monkeypatch) -> None:
    """Here all hosts share one file system, which shows a mark at once."""
    monkeypatch.setattr(slurm_judge, "SETTLE", 0)


@pytest.fixture
def single(rig, until):
    with slurm_desk(rig, "single", until) as made:
        yield made


@pytest.fixture
def on(rig_variant, until):
    """``on("breakable", "single")``: a desk at another rig, for the rest of a test."""
    opened = []

    def open_one(variant: str, mode: str) -> Desk:
        rig = rig_variant(variant)
        opened.append((rig, slurm_desk(rig, mode, until)))
        return opened[-1][1].__enter__()

    yield open_one
    for rig, desk in opened:
        rig.revive()
        desk.__exit__(None, None, None)


@pytest.fixture
def full(request) -> None:
    if not request.config.getoption("--full"):
        pytest.skip("takes its time: --full")


def options(*args: str) -> dict[str, object]:
    return {"scheduler_options": tuple(Argument(arg=arg) for arg in args)}


def state(desk: Desk, launch: Launch) -> str:
    """Return the job's state in Slurm's list; empty when it is gone."""
    return desk.run(f"squeue -h -j {launch.remote_job_id} -o %T 2>&1").stdout.strip()


def control(rig, *words: str) -> str:
    return rig.slurm("scontrol", *words)


# --- what is refused --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            {"hpc_queue_name": "larg"},
            "queue 'larg' is not known to Slurm: choose another execSystemLogicalQueue",
        ),
        ({"memory_mb": 9_999_999}, "no node has that much memory: lower memoryMB"),
        (options("--constraint nope"), "no node has the features of --constraint: change it"),
        (options("--gres=gpu:1"), "the queue has no such resource: change --gres or --gpus"),
        (options("--reservation nope"), "the reservation is not known: change --reservation"),
        (options("--begin=whenever"), "sbatch does not understand the value of --begin"),
        (
            options("--no-such-option"),
            "sbatch of this host does not know the option --no-such-option: leave it out",
        ),
    ],
)
def test_a_refusal_says_what_to_change(single: Desk, asked, sentence) -> None:
    report = single.hand_over(single.job("one", "true", **asked))["one"]
    assert report.sighting is Sighting.REFUSED
    assert report.reason == f"Slurm refused the job: {sentence}"


@pytest.mark.parametrize(
    ("asked", "change"),
    [
        ({"hpc_queue_name": "development", "max_minutes": 600}, "maxMinutes"),
        ({"node_count": 99}, "nodeCount"),
    ],
)
def test_a_job_that_could_wait_for_ever_is_impossible_and_can_be_taken_back(
    single: Desk, until, asked, change
):
    (job,) = single.submit(single.job("one", "true", **asked))
    until(lambda: single.sighting(job) is not Sighting.QUEUED)
    report = single.look(job)["one"]
    assert report.sighting is Sighting.IMPOSSIBLE
    assert "lower" in report.reason
    assert change in report.reason
    assert single.cancel(job, why="impossible") == {"one"}
    assert state(single, job) == ""


@pytest.mark.parametrize("variant", ["small-arrays", "no-arrays"])
def test_an_array_that_is_too_large_is_refused(full, on, variant: str) -> None:
    desk = on(variant, "array")
    jobs = [desk.job(f"job-{n}", "true") for n in range(12)]
    reports = desk.hand_over(*jobs)
    assert {report.sighting for report in reports.values()} == {Sighting.REFUSED}
    assert "use launch mode pack or single" in reports["job-0"].reason


def test_jobs_over_the_limit_of_the_queue_are_tried_later(full, on, until) -> None:
    desk = on("few-jobs", "single")
    jobs = [desk.job(f"job-{n}", WAITS) for n in range(9)]
    seen = [report.sighting for report in desk.hand_over(*jobs).values()]
    assert sorted(seen, key=str) == [Sighting.LATER] * 4 + [Sighting.QUEUED] * 5


# --- what waits, and what others do -----------------------------------------------------------
def test_a_held_job_waits_and_says_so(single: Desk, rig, until) -> None:
    (job,) = single.submit(single.job("one", "true", **options("--hold")))
    report = single.look(job)["one"]
    assert report.sighting is Sighting.HELD
    assert report.reason == "held by its owner; resume it to go on (JobHeldUser)"
    control(rig, "release", job.remote_job_id)
    assert until(lambda: single.exit_mark(job)) == "0"


def test_a_job_that_is_put_back_after_its_start_runs_nothing_again(single: Desk, rig, until) -> None:
    (job,) = single.submit(single.job("one", "echo started >> starts; exec sleep 60"))
    until(lambda: Path(job.exec_dir, "starts").exists())
    assert "disabled" in rig.slurm("sh", "-c", f"scontrol requeue {job.remote_job_id} 2>&1; true")
    os.kill(int(single.claim(job)[1]), signal.SIGSTOP)
    control(rig, "update", f"JobId={job.remote_job_id}", "Requeue=1")
    control(rig, "requeuehold", job.remote_job_id)
    until(lambda: state(single, job) == "REQUEUE_HOLD" or state(single, job) == "PENDING")
    report = single.look(job)["one"]
    if single.exit_mark(job) is None:
        assert report.sighting is Sighting.VANISHED
        assert "back into the queue after its start" in report.reason

    # slurmd refuses a job that comes again within the second in which it was ended ("credential revoked").
    soon = (datetime.now() + timedelta(seconds=3)).isoformat(timespec="seconds")

    def started_again() -> bool:
        # Slurm itself puts the next start off by two minutes, at a moment of its own.
        rig.slurm("scontrol", "release", job.remote_job_id, check=False)
        rig.slurm("scontrol", "update", f"JobId={job.remote_job_id}", f"StartTime={soon}", check=False)
        return single.duplicates(job) == 1

    until(started_again)
    assert single.said(job, "starts") == "started\n"


def test_a_job_that_somebody_cancels_says_so(single: Desk, until) -> None:
    waiting, running = single.job("waiting", "true", **options("--hold")), single.job("running", WAITS)
    waiting, running = single.submit(waiting, running)
    until(lambda: single.claim(running))
    single.run(f"scancel {waiting.remote_job_id} {running.remote_job_id}")
    until(lambda: not state(single, running).startswith("R") and single.exit_mark(running))
    until(lambda: single.look(running)["running"].condition)
    seen = single.look(waiting, running)
    assert (seen["running"].sighting, seen["running"].condition) == (
        Sighting.ENDED,
        Condition.SCHEDULER_CANCELLED,
    )
    assert seen["waiting"].sighting is Sighting.REFUSED
    assert seen["waiting"].condition is Condition.SCHEDULER_CANCELLED


def test_tasks_of_an_array_that_somebody_cancels_share_one_entry(rig, until) -> None:
    with slurm_desk(rig, "array", until) as desk:
        jobs = desk.submit(*(desk.job(f"job-{n}", WAITS) for n in range(4)), parallel=1)
        until(lambda: any(map(desk.claim, jobs)))
        desk.run(f"scancel {jobs[0].remote_job_id.partition('_')[0]}")
        until(lambda: state(desk, jobs[0]) == "")
        seen = [report.sighting for report in desk.look(*jobs).values()]
        assert sorted(seen, key=str) == [Sighting.ENDED] + [Sighting.REFUSED] * 3


def test_a_job_whose_directory_is_not_there_for_its_node_is_refused(single: Desk, until) -> None:
    (job,) = single.submit(single.job("one", "true", **options("--hold")))
    place = Path(job.exec_dir)
    place.rename(place.with_name("elsewhere"))
    single.run(f"scontrol release {job.remote_job_id}")
    until(lambda: state(single, job) == "")
    report = single.look(job)["one"]
    assert report.sighting is Sighting.REFUSED
    assert report.reason == "its directory is not on the host any more"


def test_a_preempted_job_is_ended_and_the_cases_it_did_not_come_to_may_start_anew(full, on, until) -> None:
    desk = on("preemption", "pack")
    asked = ("--nodes=1", "--ntasks-per-node=1", "--exclusive", "--mem=0", "--time=5")
    begun, rest = desk.submit(
        desk.job("begun", WAITS), desk.job("rest", "true"), parallel=1, directives=asked
    )
    until(lambda: desk.claim(begun))
    desk.run("srun --partition=urgent true")
    until(lambda: desk.exit_mark(begun) and state(desk, begun) == "")
    seen = desk.look(begun, rest)
    assert (seen["begun"].sighting, seen["begun"].condition) == (
        Sighting.ENDED,
        Condition.SCHEDULER_TERMINATED,
    )
    assert "higher priority" in seen["begun"].reason
    assert seen["rest"].sighting is Sighting.ABSENT


def test_a_job_out_of_memory_is_ended_as_such(on, until) -> None:
    desk = on("memory", "single")
    (job,) = desk.submit(desk.job("one", "exec python3 -c 'x = bytearray(300_000_000)'"))
    assert until(lambda: desk.exit_mark(job)) == "137"
    until(lambda: desk.look(job)["one"].condition)
    report = desk.look(job)["one"]
    assert (report.sighting, report.condition) == (Sighting.ENDED, Condition.SCHEDULER_OUT_OF_MEMORY)
    assert report.reason == "out of memory: Slurm ended it; give it more memoryMB"


def test_without_accounting_the_list_alone_decides(on, until) -> None:
    desk = on("no-accounting", "single")
    never = replace(desk.job("never", "true"), submission_id="never")
    assert desk.sighting(never) is Sighting.ABSENT
    (job,) = desk.submit(desk.job("one", WAITS))
    until(lambda: desk.claim(job))
    assert desk.sighting(job) is Sighting.RUNNING
    assert desk.cancel(job) == {"one"}
    assert desk.sighting(job) is Sighting.ENDED


# --- daemons and nodes that fail --------------------------------------------------------------
def test_a_frozen_slurmctld_that_accepted_a_job_is_found_out(full, on, rig_variant, until) -> None:
    desk, rig = on("breakable", "single"), rig_variant("breakable")
    job = desk.job("one", "echo started >> starts")
    rig.freeze("slurmctld")
    assert desk.hand_over(job) == {}
    assert desk.look(job) == {}
    rig.thaw("slurmctld")
    until(lambda: desk.sighting(job) is not Sighting.ABSENT)
    assert until(lambda: desk.exit_mark(job)) == "0"
    report = desk.look(job)["one"]
    assert report.sighting is Sighting.ENDED
    assert report.remote_job_id
    assert desk.said(job, "starts") == "started\n"


@pytest.mark.parametrize("mode", ["single", "array"])
def test_a_number_that_is_given_out_again_is_not_taken_for_the_lost_job(
    full, on, rig_variant, until, mode
) -> None:
    desk, rig = on("breakable", mode), rig_variant("breakable")

    def lost_one() -> tuple[Launch, str] | None:
        job = desk.job(f"job-{len(desk.made)}", "true", **options("--hold"))
        (job,) = desk.submit(job, name=job.uuid, directives=("--hold", "--mem=50"))
        rig.kill("slurmctld")
        rig.revive()
        stranger = desk.run(
            "cd /tmp && sbatch --parsable --hold --output=/dev/null --wrap true"
        ).stdout.strip()
        return (job, stranger) if job.remote_job_id.partition("_")[0] == stranger else None

    job, stranger = until(lost_one, 100)
    assert desk.sighting(job) is Sighting.ABSENT
    assert desk.sighting(replace(job, remote_job_id=None)) is Sighting.ABSENT
    assert desk.cancel(job) == {job.uuid}
    assert desk.run(f"squeue -h -j {stranger} -o %T").stdout.strip() == "PENDING"
    desk.run(f"scancel {stranger}")


def test_a_slurmctld_that_is_away_says_nothing_about_any_job(full, on, rig_variant, until) -> None:
    desk, rig = on("breakable", "single"), rig_variant("breakable")
    (job,) = desk.submit(desk.job("one", WAITS))
    until(lambda: desk.claim(job))
    rig.stop("slurmctld")
    assert desk.look(job) == {}
    others = [desk.job(f"other-{n}", "true") for n in range(20)]
    reports = desk.hand_over(*others)
    tried = [other for other in others if other.uuid not in reports]
    assert len(tried) <= 4
    assert {report.sighting for report in reports.values()} == {Sighting.LATER}
    rig.revive()
    assert desk.sighting(job) is Sighting.RUNNING
    assert {report.sighting for report in desk.look(*tried).values()} == {Sighting.ABSENT}


def test_a_job_that_only_the_books_know_waits_for_the_books(full, on, rig_variant, until) -> None:
    desk, rig = on("breakable", "single"), rig_variant("breakable")
    (job,) = desk.submit(desk.job("one", WAITS))
    until(lambda: desk.claim(job))
    for pid in (int(desk.claim(job)[1]),):
        os.kill(pid, signal.SIGKILL)
    until(lambda: "FAILED" in rig.slurm("sacct", "-nXP", "-j", job.remote_job_id, "-o", "state"))
    until(lambda: "nvalid job id" in state(desk, job), 100)
    rig.stop("slurmdbd")
    assert desk.look(job) == {}
    rig.revive()
    report = until(lambda: desk.look(job).get("one"))
    assert report.sighting is Sighting.VANISHED
    assert "processes were killed" in report.reason


def test_a_node_that_fails_takes_its_jobs_along(full, on, rig_variant, until) -> None:
    desk, rig = on("breakable", "pack"), rig_variant("breakable")
    begun, rest = desk.submit(desk.job("begun", WAITS), desk.job("rest", "true"), parallel=1)
    until(lambda: desk.claim(begun))
    rig.kill_node(desk.claim(begun)[2])
    until(lambda: desk.sighting(begun) is Sighting.VANISHED, 100)
    seen = desk.look(begun, rest)
    assert seen["begun"].condition is Condition.SCHEDULER_TERMINATED
    assert "node" in seen["begun"].reason
    assert seen["rest"].sighting is Sighting.ABSENT


def test_a_start_that_slurm_itself_takes_back_is_no_cancel(full, on, rig_variant, until) -> None:
    desk, rig = on("breakable", "single"), rig_variant("breakable")
    nodes = [f"slurmd.node{n}" for n in (1, 2, 3, 4)]
    for node in nodes:
        rig.freeze(node)
    taken_back, cancelled = desk.submit(desk.job("taken-back", "true"), desk.job("cancelled", "true"))
    until(lambda: {state(desk, job) for job in (taken_back, cancelled)} == {"RUNNING"})
    rig.slurm("scancel", taken_back.remote_job_id)
    desk.run(f"scancel {cancelled.remote_job_id}")
    until(
        lambda: {desk.sighting(taken_back), desk.sighting(cancelled)} <= {Sighting.ABSENT, Sighting.REFUSED}
    )
    seen = desk.look(taken_back, cancelled)
    assert seen["taken-back"].sighting is Sighting.ABSENT
    assert seen["cancelled"].sighting is Sighting.REFUSED
    assert "cancelled at Slurm itself" in seen["cancelled"].reason


@pytest.mark.timeout(240)
@pytest.mark.parametrize("mode", ["single", "array", "pack"])
def test_the_time_limit_of_slurm_leaves_its_mark(full, rig, until, mode: str) -> None:
    with slurm_desk(rig, mode, until) as desk:
        asked = ("--mem=100", "--time=1", *(("--nodes=2", "--ntasks-per-node=1") if mode == "pack" else ()))
        jobs = [desk.job(f"job-{n}", "exec sleep 600", max_minutes=1) for n in range(3)]
        jobs = desk.submit(*(replace(job, max_minutes=0) for job in jobs), parallel=1, directives=asked)
        until(lambda: state(desk, jobs[0]) != "" and any(map(desk.claim, jobs)))
        running = {"single": 3, "array": 1, "pack": 2}[mode]
        until(lambda: sum(bool(desk.exit_mark(job)) for job in jobs) == running, 150)
        ended = [job for job in jobs if desk.exit_mark(job)]
        assert {desk.exit_mark(job) for job in ended} <= TERMINATED
        until(lambda: all(desk.look(job)[job.uuid].condition for job in ended), 60)
        seen = desk.look(*jobs)
        assert {seen[job.uuid].condition for job in ended} == {Condition.SCHEDULER_TIMEOUT}
        if mode == "pack":
            (rest,) = (job for job in jobs if job not in ended)
            until(lambda: desk.sighting(rest) is Sighting.ABSENT)
        assert marks.KILLED not in os.listdir(jobs[0].exec_dir)
