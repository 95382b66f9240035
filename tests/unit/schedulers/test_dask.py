"""What is asked of Dask and what its answers mean: pure text, and the program's own files of marks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_tapis_jobs.model import files, marks
from jupyter_tapis_jobs.schedulers.base import Launch, Report, Sighting, Submission
from jupyter_tapis_jobs.schedulers.dask import DaskScheduler
from jupyter_tapis_jobs.schedulers.dask_remote import marks as remote
from jupyter_tapis_jobs.schedulers.dask_remote import worker
from jupyter_tapis_jobs.schedulers.dask_remote.way import why_not
from jupyter_tapis_jobs.transports.base import Answer

DASK = DaskScheduler()
NOTES = {"address": "tcp://grid:8786"}
JOB = Launch(uuid="u-1", exec_dir="/w/it's $(here); x", submission_id="s", max_minutes=3, notes=NOTES)


def submission(*jobs: Launch) -> Submission:
    return Submission(id="s", lane_dir="/home/ada/.tapisjobs/x", epoch=4, launches=jobs)


def answer(*lines: dict[str, Any] | str) -> Answer:
    said = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    return Answer(0, "".join(f"{line}\n" for line in said), "")


def request_of(script: str) -> dict[str, Any]:
    """Return the request that a script hands to the program."""
    text = script.split("<<'END_OF_REQUEST' || exit 1\n", 1)[1].split("\nEND_OF_REQUEST\n", 1)[0]
    return dict(json.loads(text))


# what is asked


def test_a_submission_says_key_place_limit_and_events_of_each_job() -> None:
    request = request_of(DASK.submit_script(submission(JOB)))
    assert request["verb"] == "submit"
    assert request["jobs"] == [
        {
            "uuid": "u-1",
            "key": "tapisjob-s-u-1",
            "place": JOB.exec_dir,
            "seconds": 180,
            "cores": 1,
            "events": "/home/ada/.tapisjobs/x/events",
        }
    ]


def test_the_cluster_is_that_of_the_notes() -> None:
    tls = {"ca": "/c/ca.pem", "cert": "/c/cert.pem", "key": "/c/key.pem"}
    notes = {"address": "tls://grid:8786", "tls": tls, "python": "/opt/it's/python", "seconds": 9}
    script = DASK.look_script("/lane", [replace(JOB, notes=notes)])
    assert request_of(script)["cluster"] == {
        "address": "tls://grid:8786", "schedulerFile": None, "jobqueue": None, "tls": tls, "seconds": 9,
    }  # fmt: skip
    assert "python='/opt/it'\"'\"'s/python'\n" in script


def test_a_cancel_says_why_and_how_long_it_may_take() -> None:
    request = request_of(DASK.cancel_script([JOB], why="timeout", grace=30))
    assert (request["verb"], request["why"], request["grace"]) == ("cancel", "timeout", 30)


def test_no_text_of_a_user_ends_the_request_early() -> None:
    place = "/w/\nEND_OF_REQUEST\nrm -rf /"
    script = DASK.look_script("/lane", [replace(JOB, exec_dir=place)])
    assert request_of(script)["jobs"][0]["place"] == place


def test_the_program_knows_the_marks_by_our_names() -> None:
    assert (remote.FOLDER, remote.CLAIM, remote.EXIT) == (marks.FOLDER, marks.CLAIM, marks.EXIT)
    assert (remote.KILLED, remote.REVOKED, remote.SCRIPT) == (
        marks.KILLED, marks.REVOKED, files.LAUNCH_SCRIPT,
    )  # fmt: skip


# what is answered


def test_what_was_taken_waits_under_the_key_of_its_task() -> None:
    told = DASK.parse_submit(submission(JOB), answer("a banner", {"accepted": ["u-1"]}))
    assert told == {"u-1": Report(sighting=Sighting.QUEUED, remote_job_id="tapisjob-s-u-1")}


def test_nothing_is_known_of_jobs_whose_answer_was_cut_off() -> None:
    assert DASK.parse_submit(submission(JOB), answer('{"accep')) == {}
    assert DASK.parse_look([JOB], answer({"job": "u-1", "marks": "free"})) == {}


def test_a_scheduler_that_cannot_be_asked_is_away_for_all() -> None:
    said = answer({"trouble": "the Dask scheduler at tcp://grid:8786 cannot be reached"})
    for told in (DASK.parse_submit(submission(JOB), said), DASK.parse_look([JOB], said)):
        assert told["u-1"].sighting is Sighting.AWAY
        assert told["u-1"].reason == "the Dask scheduler at tcp://grid:8786 cannot be reached"


def test_what_is_known_to_be_lost_on_the_host_is_told_without_the_scheduler() -> None:
    other = replace(JOB, uuid="u-2")
    line = {"job": "u-1", "before": "claimed", "marks": "claimed", "task": None, "refused": None}
    told = DASK.parse_look([JOB, other], answer(line, {"trouble": "it cannot be reached"}))
    assert [told[name].sighting for name in ("u-1", "u-2")] == [Sighting.VANISHED, Sighting.AWAY]


def test_a_python_that_is_not_there_is_named() -> None:
    job = replace(JOB, notes={**NOTES, "python": "/opt/none"})
    told = DASK.parse_look([job], answer("no such python"))
    assert told["u-1"].reason == "there is no /opt/none on the host: correct notes.dask.python"


#: marks before and after, state of the task, what a worker told -> what it means.
MEANINGS = (
    ("free", "ended", None, None, Sighting.ENDED),
    ("claimed", "ended", "memory", None, Sighting.ENDED),
    ("revoked", "revoked", None, None, Sighting.ABSENT),
    ("free", "free", None, None, Sighting.ABSENT),
    ("free", "free", "processing", None, Sighting.QUEUED),
    ("free", "free", "no-worker", None, Sighting.QUEUED),
    ("free", "free", None, "a worker on n1 does not see it", Sighting.REFUSED),
    ("free", "claimed", "processing", None, Sighting.RUNNING),
    ("free", "claimed", None, None, None),
    ("claimed", "claimed", None, None, Sighting.VANISHED),
    ("claimed", "claimed", "queued", None, Sighting.VANISHED),
    ("missing", "missing", None, None, Sighting.REFUSED),
    ("claimed", "missing", "processing", None, None),
)


@pytest.mark.parametrize(("before", "after", "task", "refused", "meaning"), MEANINGS)
def test_marks_and_task_mean_together(before, after, task, refused, meaning) -> None:
    line = {"job": "u-1", "before": before, "marks": after, "task": task, "refused": refused}
    told = DASK.parse_look([JOB], answer(line, {"looked": 1, "workers": 2}))
    assert (told["u-1"].sighting if "u-1" in told else None) is meaning
    if refused:
        assert told["u-1"].reason == f"Dask could not start the job: {refused}"


def test_a_job_that_waits_says_for_what() -> None:
    line = {"job": "u-1", "before": "free", "marks": "free", "task": "no-worker", "refused": None}
    for workers, reason in ((0, "has no workers now"), (3, "waits for a Dask worker")):
        told = DASK.parse_look([JOB], answer(line, {"looked": 1, "workers": workers}))
        assert reason in told["u-1"].reason


def test_those_are_gone_that_are_said_to_be_gone() -> None:
    assert DASK.parse_cancel([JOB], answer({"gone": "u-1"}, {"trouble": "x"})) == {"u-1"}


# on the host


def test_a_job_that_was_revoked_can_never_be_claimed(tmp_path: Path) -> None:
    place = str(tmp_path)
    assert remote.state(place) == "missing"
    (tmp_path / marks.FOLDER).mkdir()
    assert remote.state(place) == "free"
    remote.revoke(place, "u-1")
    assert remote.state(place) == "revoked"
    assert (tmp_path / marks.CLAIM).read_text() == "revoked u-1\n"
    assert [item.name for item in (tmp_path / marks.FOLDER).iterdir()] == ["claim"]


def test_a_claim_is_never_taken_from_a_job_that_has_begun(tmp_path: Path) -> None:
    (tmp_path / marks.FOLDER).mkdir()
    (tmp_path / marks.CLAIM).write_text("u-1 12 host boot\n")
    remote.revoke(str(tmp_path), "u-1")
    assert remote.fresh_state(str(tmp_path)) == "claimed"
    (tmp_path / marks.EXIT).write_text("0\n")
    assert remote.fresh_state(str(tmp_path)) == "ended"


def test_a_worker_that_does_not_see_a_job_says_so_to_the_scheduler(tmp_path, monkeypatch) -> None:
    said: list[tuple[str, dict[str, str]]] = []
    worker_here = SimpleNamespace(log_event=lambda topic, event: said.append((topic, event)))
    monkeypatch.setattr("distributed.get_worker", lambda: worker_here)
    monkeypatch.setattr(worker, "SHOWN_LATE", 0)
    worker.run_job({"uuid": "u-1", "key": "k", "place": f"{tmp_path}/none", "seconds": 9, "events": ""})
    ((topic, event),) = said
    assert (topic, event["key"]) == (worker.TOPIC, "k")
    assert f"does not see {tmp_path}/none: Dask's workers need the file system of the host" in event["why"]


def test_an_address_that_is_none_is_told() -> None:
    assert why_not("grid", None, 1.0) == "grid is no address of a Dask scheduler, such as tcp://host:8786"
