"""What a look at Slurm brings back, and what is made of it: recorded answers, every state, every reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_tapis_jobs.model.status import Condition
from jupyter_tapis_jobs.schedulers.base import Launch, Report, Sighting
from jupyter_tapis_jobs.schedulers.slurm import SlurmScheduler
from jupyter_tapis_jobs.schedulers.slurm_states import ENDS, PHASES, waiting
from jupyter_tapis_jobs.transports.base import Answer

SLURM = SlurmScheduler()
RECORDED = sorted((Path(__file__).parent / "recorded").glob("look-*.txt"))


# --- recorded answers -------------------------------------------------------------------------
@dataclass(frozen=True)
class Recording:
    """One file: the jobs asked about, the answer of the host, and what it means."""

    launches: tuple[Launch, ...]
    answer: str
    reports: str


def recording(path: Path) -> Recording:
    """Read a file; ``│`` stands for the control character between the cells."""
    asked, _, rest = path.read_text().partition("--- answer\n")
    answer, _, reports = rest.partition("--- reports\n")
    lines = (line.split(" ", 5)[1:] for line in asked.splitlines() if line.startswith("launch "))
    launches = tuple(
        Launch(
            uuid=uuid,
            mode=mode,
            submission_id=submission,
            remote_job_id=None if number == "-" else number,
            exec_dir=folder,
            max_minutes=600 if uuid == "long" else 5,
        )
        for uuid, mode, submission, number, folder in lines
    )
    return Recording(launches, answer.replace("│", "\x1f"), reports)


def written(reports: dict[str, Report]) -> str:
    """Write reports as the files have them."""
    cells = (
        (u, r.sighting.value, r.remote_job_id or "-", r.remote_job_id2 or "-", r.condition or "-", r.reason)
        for u, r in reports.items()
    )
    return "".join(" | ".join(row) + "\n" for row in cells)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_answers_mean_what_is_written_beside_them(path: Path) -> None:
    known = recording(path)
    seen = SLURM.parse_look(known.launches, Answer(0, known.answer, ""))
    assert written(dict(seen)) == known.reports


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_an_answer_that_was_cut_off_says_nothing(path: Path) -> None:
    known = recording(path)
    for end in range(0, len(known.answer) - 1, 97):
        assert SLURM.parse_look(known.launches, Answer(255, known.answer[:end], "")) == {}


def test_a_strange_name_of_a_directory_harms_nobody() -> None:
    odd = row("RUNNING", place="/home/u/odd\njob\nid x\nnow never\nsqueue\nbook\x1f\njobs")
    assert sighting(FREE, [odd, row("PENDING")]) is Sighting.QUEUED


def test_a_slurm_that_does_not_answer_says_nothing() -> None:
    said = "lane /lane\nnow 100\njob one 4711 free - -\nsqueue 1\nagain one 4711 free - -\nlooked\n"
    assert SLURM.parse_look([launch()], Answer(0, said, "slurm_load_jobs error: Unable to contact")) == {}


# --- made-up answers --------------------------------------------------------------------------
def launch(mode: str = "single", number: str | None = "4711") -> Launch:
    return Launch(
        uuid="one", exec_dir="/jobs/one", submission_id="sub", remote_job_id=number, mode=mode, max_minutes=10
    )


def row(state: str, reason: str = "None", *, kind: str = "row", number: str = "4711", raw: str = "4711",
        comment: str = "tapisjob:sub", place: str = "/jobs/one", ended: str = "100",
        nodes: str = "node3") -> str:  # fmt: skip
    cells = [kind, number, raw, state, reason, nodes, ended, comment, place]
    return "\x1f".join([*cells, "0:0"] if kind == "book" else cells)


def report(
    marks: str,
    rows: Sequence[str] = (),
    *,
    later: str | None = None,
    job: Launch | None = None,
    now: int = 1000,
) -> Report | None:
    """Return what becomes of a job with these marks when Slurm shows these rows."""
    asked = job or launch()
    lines = [
        "lane /lane",
        f"now {now}",
        "user 1000",
        f"job one 4711 {marks}",
        *(r for r in rows if r.startswith("row")),
    ]
    lines += ["squeue 0", *(r for r in rows if not r.startswith("row")), f"again one 4711 {later or marks}"]
    answer = Answer(0, "\n".join([*lines, "looked", ""]), "")
    return SLURM.parse_look([asked], answer).get("one")


def sighting(marks: str, rows: Sequence[str] = (), **more: object) -> Sighting | None:
    found = report(marks, rows, **more)
    return found.sighting if found else None


FREE, CLAIMED, ENDED = "free - -", "claimed - slurm:4711:0", "ended 0 -"
TERMINATED = "ended 143:terminated slurm:4711:0"


@pytest.mark.parametrize("state", sorted(PHASES))
def test_a_job_that_slurm_has_is_never_absent_or_gone(state: str) -> None:
    assert sighting(FREE, [row(state)]) is Sighting.QUEUED
    waits_again = PHASES[state].value == "waiting"
    assert sighting(CLAIMED, [row(state)]) is (Sighting.VANISHED if waits_again else Sighting.RUNNING)
    assert sighting(ENDED, [row(state)]) is Sighting.ENDED


#: Slurm's word -> the condition of a job that ran, and what one is that had not begun.
STATES = {
    "COMPLETED": (Condition.SCHEDULER_TERMINATED, Sighting.REFUSED),
    "FAILED": (Condition.SCHEDULER_TERMINATED, Sighting.REFUSED),
    "CANCELLED": (Condition.SCHEDULER_CANCELLED, Sighting.REFUSED),
    "CANCELLED by 1000": (Condition.SCHEDULER_CANCELLED, Sighting.REFUSED),
    "CANCELLED+": (Condition.SCHEDULER_CANCELLED, Sighting.REFUSED),
    "TIMEOUT": (Condition.SCHEDULER_TIMEOUT, Sighting.ABSENT),
    "OUT_OF_MEMORY": (Condition.SCHEDULER_OUT_OF_MEMORY, Sighting.ABSENT),
    "NODE_FAIL": (Condition.SCHEDULER_TERMINATED, Sighting.ABSENT),
    "BOOT_FAIL": (Condition.SCHEDULER_TERMINATED, Sighting.ABSENT),
    "PREEMPTED": (Condition.SCHEDULER_TERMINATED, Sighting.ABSENT),
    "DEADLINE": (Condition.SCHEDULER_DEADLINE, Sighting.REFUSED),
    "REVOKED": (Condition.SCHEDULER_TERMINATED, Sighting.REFUSED),
    "LAUNCH_FAILED": (Condition.SCHEDULER_TERMINATED, Sighting.REFUSED),
    "RECONFIG_FAIL": (Condition.SCHEDULER_TERMINATED, Sighting.REFUSED),
    "SOMETHING_NEW": (Condition.SCHEDULER_TERMINATED, Sighting.REFUSED),
}


def test_every_end_of_slurm_is_known() -> None:
    assert set(ENDS) <= {state.split()[0].rstrip("+") for state in STATES}


@pytest.mark.parametrize("kind", ["row", "book"])
@pytest.mark.parametrize("state", STATES)
def test_an_end_tells_why_and_what_to_do(state: str, kind: str) -> None:
    condition, unbegun = STATES[state]
    ran = report(CLAIMED, [row(state, kind=kind)])
    assert ran is not None
    assert (ran.sighting, ran.condition) == (Sighting.VANISHED, condition)
    assert ran.reason
    assert sighting(FREE, [row(state, kind=kind, nodes="")]) is unbegun


@pytest.mark.parametrize("state", STATES)
def test_an_application_that_wrote_down_its_end_has_ended(state: str) -> None:
    found = report("ended 3 -", [row(state)])
    assert found is not None
    assert found.sighting is Sighting.ENDED
    own = state in ("COMPLETED", "FAILED", "SOMETHING_NEW")
    assert (found.condition is None) == own


def test_sentences_name_the_limit_and_the_node() -> None:
    late, lost = report(TERMINATED, [row("TIMEOUT")]), report(CLAIMED, [row("NODE_FAIL")])
    assert late
    assert lost
    assert late.reason == "stopped at its time limit of 10 min: give it more maxMinutes"
    assert lost.reason == "its node failed (node3): submit it again"


def test_a_job_that_is_being_ended_tells_why_before_it_is_over() -> None:
    found = report(TERMINATED, [row("COMPLETING", "TimeLimit")])
    assert found == Report(
        sighting=Sighting.ENDED,
        remote_job_id="4711",
        condition=Condition.SCHEDULER_TIMEOUT,
        reason="stopped at its time limit of 10 min: give it more maxMinutes",
    )


@pytest.mark.parametrize("mark", ["cancel", "timeout"])
def test_what_the_engine_ended_itself_is_not_laid_on_slurm(mark: str) -> None:
    found = report(f"{TERMINATED} {mark}", [row("CANCELLED")])
    assert found == Report(sighting=Sighting.ENDED, remote_job_id="4711")


# --- what is whose ----------------------------------------------------------------------------
def test_a_number_alone_is_no_identity() -> None:
    stranger = row("RUNNING", comment="(null)", place="/elsewhere")
    assert sighting(FREE, [stranger]) is Sighting.ABSENT
    assert sighting(CLAIMED, [stranger]) is Sighting.VANISHED


@pytest.mark.parametrize("comment", ["tapisjob:sub", "tapisjob:another"])
def test_a_number_that_another_job_of_ours_has_by_now_is_no_identity(comment: str) -> None:
    assert sighting(FREE, [row("COMPLETED", comment=comment, place="/jobs/two")]) is Sighting.ABSENT


def test_a_directory_that_slurm_knows_by_another_way_is_the_jobs() -> None:
    assert sighting(FREE, [row("PENDING", place="/data/jobs/one")]) is Sighting.QUEUED


def test_a_site_that_keeps_no_comments_is_known_by_the_directory() -> None:
    bare = row("RUNNING", comment="(null)")
    assert sighting(FREE, [bare]) is Sighting.QUEUED
    found = report(FREE, [bare], job=launch(number=None))
    assert found == Report(sighting=Sighting.QUEUED, remote_job_id="4711")


def test_the_copy_that_won_the_claim_counts() -> None:
    duplicate = row("COMPLETED", number="4711", raw="4711")
    winner = row("RUNNING", number="4700", raw="4700", comment="tapisjob:earlier")
    assert sighting("claimed - slurm:4700:0", [duplicate, winner]) is Sighting.RUNNING


def test_a_task_of_an_array_is_found_by_the_number_it_got_when_it_began() -> None:
    task = row("RUNNING", number="4711_3", raw="4714", place="/lane/submissions/sub")
    assert sighting("claimed - slurm:4714:0", [task], job=launch("array", "4711_3")) is Sighting.RUNNING


def test_tasks_that_were_cancelled_together_share_one_row() -> None:
    rest = row("CANCELLED", "JobArrayTaskLimit", number="4711", place="/lane/submissions/sub", nodes="")
    assert sighting(FREE, [rest], job=launch("array", "4711_3")) is Sighting.REFUSED


def test_cases_of_a_pack_have_the_state_of_their_allocation() -> None:
    place, job = "/lane/submissions/sub", launch("pack")
    assert sighting(FREE, [row("RUNNING", place=place)], job=job) is Sighting.QUEUED
    assert sighting(CLAIMED, [row("RUNNING", place=place)], job=job) is Sighting.RUNNING
    assert sighting(FREE, [row("TIMEOUT", place=place)], job=job) is Sighting.ABSENT
    assert sighting(FREE, [row("COMPLETED", place=place)], job=job) is Sighting.ABSENT
    assert sighting(FREE, [row("FAILED", place=place)], job=job) is Sighting.REFUSED
    one_failed = report("ended 1 -", [row("OUT_OF_MEMORY", place=place)], job=job)
    assert one_failed
    assert one_failed.condition is None


# --- moments and doubts -----------------------------------------------------------------------
def test_a_job_that_ends_during_the_look_has_not_vanished() -> None:
    assert sighting(CLAIMED, [row("COMPLETED")], later=ENDED) is Sighting.ENDED
    assert sighting(FREE, [row("COMPLETED")], later=ENDED) is Sighting.ENDED
    assert sighting(FREE, [], later=ENDED) is Sighting.ENDED


def test_a_job_that_begins_during_the_look_is_not_absent() -> None:
    assert report(FREE, [], later="claimed - -") is None


def test_a_mark_may_show_some_seconds_after_the_end() -> None:
    assert report(CLAIMED, [row("COMPLETED", ended="995")]) is None
    assert report(FREE, [row("FAILED", ended="995")]) is None
    assert sighting(CLAIMED, [row("COMPLETED", ended="900")]) is Sighting.VANISHED
    assert sighting(CLAIMED, [row("COMPLETED", ended="Unknown")]) is Sighting.VANISHED


def test_what_only_the_books_show_as_running_is_lost() -> None:
    assert sighting(FREE, [row("PENDING", kind="book")]) is Sighting.ABSENT
    assert sighting(CLAIMED, [row("RUNNING", kind="book")]) is Sighting.VANISHED


def test_while_the_books_do_not_answer_nothing_is_concluded() -> None:
    trouble = (
        "book\x1fsacct: error: slurm_persist_conn_open_without_init: failed to open persistent connection"
    )
    assert report(FREE, [trouble]) is None
    assert report(CLAIMED, [trouble]) is None
    assert sighting(ENDED, [trouble]) is Sighting.ENDED
    assert sighting(CLAIMED, [row("RUNNING"), trouble]) is Sighting.RUNNING


@pytest.mark.parametrize(
    "trouble",
    ["Slurm accounting storage is disabled", "/bin/sh: 55: sacct: not found", "sh: sacct: command not found"],
)
def test_without_books_the_list_decides(trouble: str) -> None:
    assert sighting(FREE, [f"book\x1f{trouble}"]) is Sighting.ABSENT
    assert sighting(CLAIMED, [f"book\x1f{trouble}"]) is Sighting.VANISHED


def test_a_start_that_slurm_took_back_with_its_node_is_no_cancel() -> None:
    cancelled = row("CANCELLED")
    by_slurm, by_the_user = (row(f"CANCELLED by {uid}", kind="book") for uid in (64030, 1000))
    assert sighting(FREE, [cancelled, by_slurm]) is Sighting.ABSENT
    assert sighting(FREE, [by_slurm]) is Sighting.ABSENT
    assert sighting(FREE, [cancelled, by_the_user]) is Sighting.REFUSED
    assert sighting(FREE, [by_the_user]) is Sighting.REFUSED
    assert sighting(FREE, [row("CANCELLED", nodes="")]) is Sighting.REFUSED
    assert sighting(CLAIMED, [cancelled, by_slurm]) is Sighting.VANISHED


def test_who_cancelled_a_start_is_waited_for() -> None:
    for answer in ((), (row("RUNNING", kind="book"),), ("book\x1fsacct: error: Connection refused",)):
        assert report(FREE, [row("CANCELLED"), *answer]) is None
    no_books = "book\x1fSlurm accounting storage is disabled"
    assert sighting(FREE, [row("CANCELLED"), no_books]) is Sighting.REFUSED


def test_a_job_whose_directory_is_gone_is_refused_once_slurm_is_done_with_it() -> None:
    missing = "missing - -"
    assert report(missing, [row("PENDING")]) is None
    assert sighting(missing, []) is Sighting.REFUSED


def test_a_claim_that_the_engine_took_itself_keeps_the_job_from_running() -> None:
    assert sighting("revoked - one cancel", [row("PENDING")]) is Sighting.ABSENT


# --- what it waits for ------------------------------------------------------------------------
REASONS = {
    "Priority": (Sighting.QUEUED, "jobs of higher priority are before it (Priority)"),
    "Resources": (Sighting.QUEUED, "it waits for free nodes (Resources)"),
    "ReqNodeNotAvail,_UnavailableNodes:c1": (
        Sighting.QUEUED,
        "nodes it could use are down or reserved (ReqNodeNotAvail,_UnavailableNodes:c1)",
    ),
    "AssocGrpCPUMinutesLimit": (
        Sighting.QUEUED,
        "its account or QOS has used up its hours for now (AssocGrpCPUMinutesLimit)",
    ),
    "QOSMaxJobsPerUserLimit": (
        Sighting.QUEUED,
        "other jobs of its user, account or QOS have to end first (QOSMaxJobsPerUserLimit)",
    ),
    "QOSMaxCpuPerUserLimit": (
        Sighting.QUEUED,
        "other jobs of its user, account or QOS have to end first (QOSMaxCpuPerUserLimit)",
    ),
    "JobHeldUser": (Sighting.HELD, "held by its owner; resume it to go on (JobHeldUser)"),
    "launch_failed_requeued_held": (
        Sighting.QUEUED,
        "Slurm could not launch it and holds it: release it with `scontrol release 4711`, or cancel it "
        "(launch_failed_requeued_held)",
    ),
    "A_reason_of_a_Slurm_to_come": (Sighting.QUEUED, "it waits (A reason of a Slurm to come)"),
    "PartitionTimeLimit": (
        Sighting.IMPOSSIBLE,
        "maxMinutes 10 is over the limit of its queue: lower it (PartitionTimeLimit)",
    ),
    "DependencyNeverSatisfied": (
        Sighting.IMPOSSIBLE,
        "the job of its --dependency ended in another way than asked for (DependencyNeverSatisfied)",
    ),
    "QOSMaxWallDurationPerJobLimit": (
        Sighting.IMPOSSIBLE,
        "maxMinutes 10 is over its account's limit: lower it (QOSMaxWallDurationPerJobLimit)",
    ),
    "AssocMaxCpuPerJobLimit": (
        Sighting.IMPOSSIBLE,
        "its account allows fewer cores: lower coresPerNode (AssocMaxCpuPerJobLimit)",
    ),
    "QOSMinGRES": (Sighting.IMPOSSIBLE, "its account allows less: ask for less (QOSMinGRES)"),
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_waiting_job_says_what_it_waits_for_or_what_to_change(reason: str) -> None:
    expected, sentence = REASONS[reason]
    found = report(FREE, [row("PENDING", reason)])
    assert found == Report(sighting=expected, remote_job_id="4711", reason=sentence)


#: All that squeue of Slurm 25.05 can say (job_state_reason.c): no word of it stops the engine.
ALL_REASONS = (Path(__file__).parent / "recorded" / "reasons.txt").read_text().split()


@pytest.mark.parametrize("reason", ALL_REASONS)
def test_no_reason_of_slurm_is_passed_over(reason: str) -> None:
    found, sentence = waiting(reason, number="4711", minutes=10)
    assert found in (Sighting.QUEUED, Sighting.HELD, Sighting.IMPOSSIBLE)
    assert reason in sentence or reason == "None"
