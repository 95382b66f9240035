"""HTCondor's words: recorded answers, holds, refusals, and names that would break its files."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_tapis_jobs.model.status import Condition
from jupyter_tapis_jobs.schedulers.base import Launch, Report, Sighting, Submission
from jupyter_tapis_jobs.schedulers.condor import CondorScheduler
from jupyter_tapis_jobs.schedulers.condor_answer import ATTRIBUTES, value
from jupyter_tapis_jobs.schedulers.condor_states import HOLDS
from jupyter_tapis_jobs.transports.base import Answer

CONDOR = CondorScheduler()
RECORDED = Path(__file__).parent / "recorded" / "condor"


# --- recorded answers -------------------------------------------------------------------------
def recording() -> tuple[tuple[Launch, ...], str, str]:
    """Return the jobs that were asked about, the answer of a real pool, and what it means."""
    asked, _, rest = (RECORDED / "look-cluster.txt").read_text().partition("--- answer\n")
    answer, _, reports = rest.partition("--- reports\n")
    lines = (line.split(" ", 5)[1:] for line in asked.splitlines())
    launches = tuple(
        Launch(
            uuid=uuid,
            mode=mode,
            submission_id=submission,
            remote_job_id=number,
            exec_dir=folder,
            max_minutes=5,
        )
        for uuid, mode, submission, number, folder in lines
    )
    return launches, answer, reports


def written(reports: dict[str, Report]) -> str:
    """Write reports as the file has them."""
    cells = (
        (uuid, r.sighting.value, r.remote_job_id or "-", r.condition or "-", r.reason)
        for uuid, r in reports.items()
    )
    return "".join(" | ".join(row) + "\n" for row in cells)


def test_a_recorded_answer_means_what_is_written_beside_it() -> None:
    launches, answer, reports = recording()
    assert written(dict(CONDOR.parse_look(launches, Answer(0, answer, "")))) == reports


def test_an_answer_that_was_cut_off_says_nothing() -> None:
    launches, answer, _ = recording()
    for end in range(0, len(answer) - 1, 97):
        assert CONDOR.parse_look(launches, Answer(255, answer[:end], "")) == {}


def test_a_number_that_the_engine_does_not_know_is_found_by_the_jobs_own_attributes() -> None:
    launches, answer, reports = recording()
    lost = [replace(launch, remote_job_id=None) for launch in launches]
    assert written(dict(CONDOR.parse_look(lost, Answer(0, answer, "")))) == reports


# --- what one job is --------------------------------------------------------------------------
def seen(state: str, kind: str = "", /, *, history: str = "history 0", **values: object) -> Report | None:
    """Return what is said of a job whose marks are *state* and that *kind* (queue, history) shows so."""
    told = {"ClusterId": 4711, "ProcId": 3, "TapisJobUuid": '"one"', "TapisJobSubmission": '"sub"', **values}
    row = "\t".join([f'"{kind}"', *(str(told.get(name, "undefined")) for name in ATTRIBUTES)])
    words = {"claimed": "claimed - condor:4711.3:0", "free": "free - -"}.get(state, state)
    lines = ["now 2000", f"job one - {words}", *([row] if kind == "queue" else []), "queue 0"]
    lines += [*([row] if kind == "history" else []), history, f"again one - {words}", "looked", ""]
    launch = Launch(uuid="one", exec_dir="/jobs/one", submission_id="sub", mode="array", max_minutes=5)
    return CONDOR.parse_look([launch], Answer(0, "\n".join(lines), "")).get("one")


@pytest.mark.parametrize("code", sorted(HOLDS))
def test_every_hold_of_a_job_that_has_not_begun_says_why_and_what_to_do(code: int) -> None:
    report = seen("free", "queue", JobStatus=5, HoldReasonCode=code, HoldReason='"so it is"')
    assert report
    assert report.sighting is HOLDS[code].sighting
    assert report.reason.startswith("HTCondor holds it (so it is): ")
    assert "{" not in report.reason


def test_a_hold_over_the_memory_is_told_as_one() -> None:
    report = seen(
        "claimed", "queue", JobStatus=5, NumJobStarts=1, HoldReasonCode=34, HoldReason='"over memory"'
    )
    assert report
    assert report.sighting is Sighting.VANISHED
    assert report.condition is Condition.SCHEDULER_OUT_OF_MEMORY
    assert report.reason == (
        "HTCondor held it after its start, which ended its processes (over memory): "
        "give it more memoryMB, and submit it again"
    )


def test_a_hold_of_an_unknown_kind_waits_for_somebody() -> None:
    report = seen("free", "queue", JobStatus=5, HoldReasonCode=4242, HoldReason='"new"')
    assert report
    assert report.sighting is Sighting.QUEUED
    assert "condor_release 4711.3" in report.reason


@pytest.mark.parametrize("status", [2, 6, 7])
def test_a_job_at_work_runs_once_its_claim_is_there(status: int) -> None:
    for state, sighting in (("claimed", Sighting.RUNNING), ("free", Sighting.QUEUED)):
        report = seen(state, "queue", JobStatus=status, NumJobStarts=1)
        assert report
        assert report.sighting is sighting


def test_one_that_is_being_removed_is_not_over_before_it_has_left_the_queue() -> None:
    removed = {
        "JobStatus": 3,
        "LastJobStatus": 2,
        "NumJobStarts": 1,
        "RemoveReason": '"via condor_rm (by user a)"',
    }
    queued, gone = seen("claimed", "queue", **removed), seen("claimed", "history", **removed)
    assert queued
    assert queued.sighting is Sighting.RUNNING
    assert gone
    assert (gone.sighting, gone.condition) == (Sighting.VANISHED, Condition.SCHEDULER_CANCELLED)


def test_one_that_began_and_waits_again_is_over() -> None:
    report = seen("claimed", "queue", JobStatus=1, NumJobStarts=1)
    assert report
    assert (report.sighting, report.condition) == (
        Sighting.VANISHED,
        Condition.SCHEDULER_TERMINATED,
    )


def test_one_whose_start_left_nothing_is_handed_over_anew() -> None:
    report = seen("free", "queue", JobStatus=1, NumJobStarts=1)
    assert report
    assert report.sighting is Sighting.ABSENT


def test_of_two_copies_the_one_that_won_the_claim_counts() -> None:
    # Its first submission was given up too early; the second one's copy found the job claimed.
    rows = {"4711.3": ("first", 2), "4800.0": ("sub", 4)}
    lines = ["now 2000", "job one - claimed - condor:4711.3:0"]
    for number, (submitted, status) in rows.items():
        cluster, _, process = number.partition(".")
        told = {"ClusterId": cluster, "ProcId": process, "TapisJobUuid": '"one"', "JobStatus": status}
        told["TapisJobSubmission"] = f'"{submitted}"'
        lines.append("\t".join(['"queue"', *(str(told.get(name, "undefined")) for name in ATTRIBUTES)]))
    lines += ["queue 0", "again one - claimed - -", "looked", ""]
    launch = Launch(uuid="one", exec_dir="/jobs/one", submission_id="sub", mode="array")
    report = CONDOR.parse_look([launch], Answer(0, "\n".join(lines), ""))["one"]
    assert report.sighting is Sighting.RUNNING


def test_one_that_a_signal_ended_says_which() -> None:
    report = seen(
        "claimed", "history", JobStatus=4, ExitBySignal="true", ExitSignal=9, RemoteHost='"slot1@node7"'
    )
    assert report
    assert report.sighting is Sighting.VANISHED
    assert report.reason == "its processes were killed on the machine (node7), signal 9: submit it again"


def test_what_neither_queue_nor_history_knows_is_lost_or_was_never_there() -> None:
    lost, absent = seen("claimed"), seen("free")
    assert lost
    assert lost.sighting is Sighting.VANISHED
    assert absent
    assert absent.sighting is Sighting.ABSENT


@pytest.mark.parametrize("state", ["claimed", "free"])
def test_nothing_is_said_of_a_job_while_the_history_does_not_answer(state: str) -> None:
    assert seen(state, history="history 1") is None


def test_one_that_has_ended_a_moment_ago_may_still_write_its_mark() -> None:
    fresh = seen("claimed", "history", JobStatus=4, ExitCode=0, CompletionDate=1995)
    old = seen("claimed", "history", JobStatus=4, ExitCode=0, CompletionDate=1900)
    assert fresh is None
    assert old
    assert old.sighting is Sighting.VANISHED


@pytest.mark.parametrize(
    ("cell", "meant"),
    [("undefined", ""), ("7", "7"), (r'"a\"b\tc\\d\101"', 'a"b\tc\\dA'), ('""', ""), ('"', '"')],
)
def test_values_are_read_as_htcondor_writes_them(cell: str, meant: str) -> None:
    assert value(cell) == meant


# --- handing over -----------------------------------------------------------------------------
def submission(*uuids: str, mode: str = "array", lane: str = "/lane") -> Submission:
    launches = tuple(Launch(uuid=u, exec_dir=f"{lane}/jobs/{u}", mode=mode, max_minutes=5) for u in uuids)
    return Submission(id="sub", lane_dir=lane, epoch=7, launches=launches, mode=mode)


def refusals() -> Iterator[tuple[str, str, str]]:
    """Yield (what condor_submit said, sighting, sentence) of the recorded file."""
    text = (RECORDED / "submit.txt").read_text()
    for said, meaning in re.findall(r"^[\d.-]+: (.+)\n(.+)$", text, re.MULTILINE):
        sighting, _, sentence = meaning.partition(": ")
        yield said, sighting, sentence


@pytest.mark.parametrize(("said", "sighting", "sentence"), list(refusals()))
def test_what_condor_submit_says_is_told_as_what_to_change(said: str, sighting: str, sentence: str) -> None:
    reports = CONDOR.parse_submit(submission("one"), Answer(0, f"all failed {said}\n", ""))
    if sighting == "nothing":
        assert reports == {}
    else:
        assert reports["one"] == Report(sighting=Sighting(sighting), reason=sentence)


def test_the_jobs_of_a_cluster_are_its_processes_in_order() -> None:
    reports = CONDOR.parse_submit(submission("one", "two"), Answer(0, "all accepted 4711\n", ""))
    assert [reports[uuid].remote_job_id for uuid in ("one", "two")] == ["4711.0", "4711.1"]


def test_an_answer_that_is_cut_off_is_no_report() -> None:
    assert CONDOR.parse_submit(submission("one"), Answer(255, "", "lost")) == {}


@pytest.mark.parametrize("name", ["it's $(touch nothing) $ENV(HOME)", 'a "b" \\c', "two  blanks", "$$(x)"])
def test_a_lane_of_any_name_is_only_text_to_shell_and_htcondor(name: str, tmp_path: Path) -> None:
    lane = tmp_path / name
    lane.mkdir()
    (lane / "epoch").write_text("7\n")
    # In the place of condor_submit: shows the description as HTCondor's macros would leave it.
    tool = tmp_path / "bin" / "condor_submit"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\ncp \"$2\" {tmp_path}/seen\necho '4711.0 - 4711.0'\n")
    tool.chmod(0o755)
    script = CONDOR.submit_script(submission("one", lane=str(lane)))
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, cwd=tmp_path,
        env={"PATH": f"{tool.parent}:/usr/bin:/bin", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout == "all accepted 4711\n", done.stderr
    assert not (tmp_path / "nothing").exists()
    described = dict(
        line.split(" = ", 1) for line in (tmp_path / "seen").read_text().splitlines() if " = " in line
    )
    assert described["initialdir"].replace("$(DOLLAR)", "$") == f"{lane}/submissions/sub"
    assert "$" not in described["initialdir"].replace("$(DOLLAR)", "")


# --- asking -----------------------------------------------------------------------------------
def test_many_jobs_of_many_submissions_cost_one_question_to_queue_and_history_each(tmp_path: Path) -> None:
    (tmp_path / "lane").mkdir()
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("condor_submit", "condor_q", "condor_history", "condor_status"):
        (tools / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/asked\n")
        (tools / name).chmod(0o755)
    launches = [
        Launch(uuid=f"job-{n}", exec_dir=f"{tmp_path}/job-{n}", submission_id=f"sub-{n % 3}", mode="array")
        for n in range(30)
    ]
    for launch in launches:
        Path(launch.exec_dir, ".tapisjob").mkdir(parents=True)
    script = CONDOR.look_script(str(tmp_path / "lane"), launches)
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, env={"PATH": f"{tools}:/usr/bin:/bin"}
    )
    assert (tmp_path / "asked").read_text().split() == ["condor_q", "condor_history"]
    seen = CONDOR.parse_look(launches, Answer(done.returncode, done.stdout, done.stderr))
    assert {report.sighting for report in seen.values()} == {Sighting.ABSENT}
    assert len(seen) == 30
