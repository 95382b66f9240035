"""How a job is told: where it waits, how far its files are, why it failed and what to do."""

import pytest

from jupyter_tapis_jobs.client.failure import failure_of
from jupyter_tapis_jobs.client.words import amount, limit, sentence

CREATED = "1970-01-01T00:00:00.000000Z"


def said(status, now=130.0, **row):
    return sentence({"status": status, "created": CREATED, **row}, now)


def test_a_queued_job_tells_its_queue_its_time_and_what_it_waits_for():
    assert said("QUEUED") == "in the queue 02:10"
    assert said("QUEUED", execSystemLogicalQueue="normal") == "in queue normal 02:10"
    waits = said("QUEUED", execSystemLogicalQueue="normal", lastMessage="it waits for free nodes (Resources)")
    assert waits == "in queue normal 02:10: it waits for free nodes (Resources)"


@pytest.mark.parametrize("status", ["STAGING_INPUTS", "STAGING_JOB", "ARCHIVING"])
def test_files_on_their_way_tell_their_bytes(status):
    assert said(status, lastMessage="copying inputs 41 of 90 MB") == "copying inputs 41 of 90 MB 02:10"


def test_a_job_that_the_scheduler_takes_later_says_so():
    told = said("SUBMITTING_JOB", lastMessage="Slurm takes no more jobs for now")
    assert told == "being handed to its scheduler 02:10: Slurm takes no more jobs for now"


def test_a_blocked_job_tells_cause_and_next_try():
    trouble = "rig refuses connections. Next try in 2 min; nothing is lost."
    assert said("BLOCKED", lastMessage=trouble) == trouble


def test_a_running_job_does_not_repeat_an_old_message():
    assert said("RUNNING", lastMessage="it waits") == "running 02:10"


def failure(condition, tail=(), **row):
    return str(failure_of({"status": "FAILED", "condition": condition, **row}, tail))


@pytest.mark.parametrize("condition", ["SCHEDULER_TIMEOUT", "JOB_EXECUTION_MONITORING_TIMEOUT"])
def test_a_time_limit_is_doubled_by_the_next_call(condition):
    told = failure(condition, ["step 380 of 500"], maxMinutes=10, exitCode=143, remoteResultInfo="143")
    assert (
        told
        == "stopped at the time limit of 10 min; last line: step 380 of 500.   → job.resubmit(maxMinutes=20)"
    )


def test_what_slurm_writes_into_the_output_is_not_the_programs_last_line():
    slurms = (
        "slurmstepd-node1: error: *** JOB 143 ON node1 CANCELLED AT 2026-11-21T08:47:05 DUE TO TIME LIMIT ***"
    )
    told = failure("SCHEDULER_TIMEOUT", ["step 380 of 500", slurms], maxMinutes=10)
    assert (
        told
        == "stopped at the time limit of 10 min; last line: step 380 of 500.   → job.resubmit(maxMinutes=20)"
    )


def test_a_note_of_slurm_about_memory_says_more_than_that_the_job_was_killed():
    note = "slurmstepd-node1: error: Exceeded job memory limit"
    told = failure(
        "SCHEDULER_TERMINATED", ["step 3", note], memoryMB=200, lastMessage="its processes were killed"
    )
    assert told == "out of memory: more than 200 MB; last line: step 3.   → job.resubmit(memoryMB=400)"


def test_a_memory_limit_is_doubled_by_the_next_call():
    told = failure("SCHEDULER_OUT_OF_MEMORY", memoryMB=4000)
    assert told == "out of memory: more than 4000 MB.   → job.resubmit(memoryMB=8000)"


@pytest.mark.parametrize("field", ["lastMessage", "remoteResultInfo"])
def test_a_failed_node_is_told_as_the_scheduler_tells_it(field):
    told = failure("SCHEDULER_TERMINATED", **{field: "its node failed (node3)"})
    assert told == "its node failed (node3).   → job.resubmit()"


def test_an_exit_code_is_no_reason_of_a_scheduler():
    told = failure("SCHEDULER_CANCELLED", remoteResultInfo="143")
    assert told == "cancelled at the scheduler, not by this server.   → job.resubmit()"


def test_limits_and_amounts_have_units():
    assert [limit(minutes) for minutes in (10, 60, 90, 2880, 10080)] == [
        "10 min", "1 h", "1 h 30 min", "48 h", "7 days",
    ]  # fmt: skip
    assert [amount(megabytes) for megabytes in (800, 192_000)] == ["800 MB", "192 GB"]
