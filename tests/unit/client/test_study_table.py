"""Studies as a notebook has them: preview, frame, attempts, waiting, and what is kept."""

import json

import pandas as pd
import pytest
from fake_tapis import FakeTapis, error
from study_samples import made, posted

from jupyter_tapis_jobs.model.errors import (
    ConflictError,
    InvalidInputError,
    JobError,
    NotFoundError,
    UnavailableError,
)


# --- preview ----------------------------------------------------------------------------------
def test_the_preview_tells_all_and_leaves_nothing(fake, tapis):
    preview = made(tapis).preview()
    text = str(preview)
    assert text.startswith(
        "fragility: 6 cases: 6 new\n  started: auto · at most 1 h of a node, by the time limit"
    )
    assert "no invalid case" in text
    assert "echo 10 0.02" in text
    assert "echo 10 0.02" in preview._repr_html_()
    assert (fake.jobs, fake.studies.known) == ({}, {})


def test_the_preview_tells_new_from_done_and_measures_what_ran(fake, tapis):
    made(tapis).run()
    fake.studies.move("fragility", "FINISHED")
    for job in fake.jobs.values():
        job["seconds"] = 36.0
    fake.studies.move("fragility", "FAILED", lambda case: case["k"] == 10)
    preview = made(tapis, cases={"k": [10, 20, 40], "damping": [0.02, 0.05]}).preview()
    assert (preview.new, preview.done, preview.failed, preview.others) == (2, 2, 2, 2)
    assert (preview.node_hours, preview.measured) == (pytest.approx(0.04), True)
    assert len(fake.jobs) == 6


def test_the_preview_of_a_study_found_again_counts_what_would_run_again(fake, tapis):
    made(tapis).run()
    fake.studies.move("fragility", "FINISHED")
    fake.studies.move("fragility", "FAILED", lambda case: case["k"] == 10)
    preview = fake.tapis().study("fragility").preview()
    assert (preview.new, preview.failed, preview.to_run, preview.others) == (0, 2, 2, 4)
    assert str(preview).startswith(
        "fragility: 2 cases: 2 ended badly, to run again · 4 others in the study stay"
    )


def test_the_preview_lists_every_invalid_case(fake, tapis):
    cases = {"k": [10, -1, 20]}
    preview = tapis.study("s", "bash", cases=cases, script="<b>", maxMinutes="{{ k }}").preview()
    assert (preview.new, len(preview.errors)) == (2, 1)
    assert "✗ Row 1 (k=-1): maxMinutes -1 is too small" in str(preview)
    assert "&lt;b&gt;" in preview._repr_html_()


# --- the frame, attempts, states --------------------------------------------------------------
def test_the_frame_has_parameters_first_and_one_row_a_case(fake, tapis):
    table = made(tapis).run().frame()
    assert list(table.columns)[:9] == [
        "k", "damping", "caseId", "jobUuid", "status", "exitCode", "queueSeconds", "runSeconds", "attempt",
    ]  # fmt: skip
    assert table["k"].tolist() == [10, 10, 20, 20, 30, 30]
    assert (table["k"].dtype, table["status"].tolist()) == ("int64", ["PENDING"] * 6)


def test_a_retry_is_a_new_attempt_and_keeps_the_old_one(fake, tapis):
    study = made(tapis).run()
    fake.studies.move("fragility", "FINISHED")
    fake.studies.move("fragility", "FAILED", lambda case: case["k"] == 30)
    study.retry("FAILED", maxMinutes=30)
    assert [item["maxMinutes"] for item in list(fake.requests.values())[6:]] == [30, 30]
    assert len(study.frame()) == 6
    assert study.frame(attempts="all")["attempt"].tolist() == [1, 1, 1, 1, 1, 2, 1, 2]


def test_a_retry_may_change_variables_of_the_environment(fake, tapis):
    study = made(tapis, cases={"k": [1], "damping": [0.1]}).run()
    fake.studies.move("fragility", "FAILED")
    study.retry(env={"TOLERANCE": 1e-3}, parameterSet={"logConfig": {"stdoutFilename": "a"}})
    assert posted(fake, "retry")[0]["changes"]["parameterSet"] == {
        "logConfig": {"stdoutFilename": "a"},
        "envVariables": [{"key": "TOLERANCE", "value": "0.001"}],
    }


@pytest.mark.parametrize(
    ("which", "rows"),
    [
        (None, [1, 2]),
        ("failed", [1]),
        ("SCHEDULER_TIMEOUT", [1]),
        ("timeout", [1]),
        ("k > 20 and damping < .04", [4]),
        ([False, True, False, False, False, True], [1, 5]),
        (lambda table: table["k"] == 30, [4, 5]),
        (lambda table: table.iloc[:1], [0]),
        (lambda table: table["caseId"].tolist()[2:4], [2, 3]),
    ],
)
def test_a_retry_takes_status_condition_query_mask_or_rows(fake, tapis, which, rows):
    study = made(tapis).run()
    fake.studies.move("fragility", "FINISHED")
    jobs = list(fake.jobs.values())
    jobs[1] |= {"status": "FAILED", "condition": "SCHEDULER_TIMEOUT"}
    jobs[2] |= {"status": "CANCELLED", "condition": "CANCELLED_BY_USER"}
    table = study.frame()
    study.retry(which(table) if callable(which) else which)
    assert study.frame()["attempt"].tolist() == [1 + (row in rows) for row in range(6)]


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("FALED", "Did you mean 'FAILED'"),
        ("kk > 3", "cannot be evaluated"),
        ([True], "1 values, the study 6 cases"),
        (["nobody"], "no case 'nobody'"),
        (3, "does not name cases"),
        (pd.DataFrame({"k": [1]}), "no column 'caseId'"),
    ],
)
def test_what_names_no_cases_is_refused(tapis, which, said):
    study = made(tapis).run()
    with pytest.raises(InvalidInputError, match=said):
        study.retry(which)


def test_cases_in_flight_are_not_retried(tapis):
    study = made(tapis).run()
    with pytest.raises(ConflictError, match="all of them are in flight"):
        study.retry("k > 0")
    with pytest.raises(InvalidInputError, match="retry changes fields of the request and env, not args"):
        study.retry("k > 0", args=["x"])


def test_cancel_ends_all_or_some(fake, tapis):
    study = made(tapis).run()
    study.cancel("k == 10")
    assert fake.calls[-1][1] == "/v3/jobs/cancel/bulk"
    study.cancel()
    assert set(study.frame()["status"]) == {"CANCELLED"}


def test_wait_shows_counts_until_all_have_ended(fake, tapis, capsys):
    study = made(tapis).run()
    steps = iter(["RUNNING", "FINISHED"])
    tapis.rest = lambda seconds: fake.studies.move("fragility", next(steps))
    study.wait()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("fragility  ░░░░░░░░░░░░░░░░░░░░  0 of 6   ○ 6 accepted")
    assert "▶ 6 running" in lines[1]
    assert lines[2] == "fragility  ████████████████████  6 of 6   ✓ 6 done"


def test_wait_with_check_tells_of_failures_and_a_timeout_of_what_is_left(fake, tapis):
    study = made(tapis).run()
    with pytest.raises(JobError, match="6 cases of study 'fragility' have not ended"):
        study.wait(timeout=0, progress=False)
    fake.studies.move("fragility", "FINISHED")
    fake.studies.move("fragility", "FAILED", lambda case: case["k"] == 10)
    with pytest.raises(JobError, match="2 of 6 cases of study 'fragility' did not end well"):
        study.wait(check=True, progress=False)


def test_wait_tells_at_its_end_what_failed_and_where(fake, tapis, capsys):
    study = made(tapis).run()
    fake.studies.move("fragility", "FINISHED")
    fake.studies.move("fragility", "FAILED", lambda case: case["k"] == 30)
    for uuid, job in fake.jobs.items():
        fake.outputs[uuid] = {"tapisjob.out": b"OpenSees > analyze failed\n"}
        job["exitCode"] = 1 if job["status"] == "FAILED" else 0
    study.wait()
    assert '  ✗ 2  "OpenSees > analyze failed"  (k == 30)' in capsys.readouterr().out
    assert study.failures()[0].exit_code == 1
    assert "analyze failed" in repr(study.show(4))


def test_wait_ends_when_too_many_failures_have_stopped_the_study(fake, tapis, capsys):
    study = made(tapis, max_failures=2).run()
    fake.studies.move("fragility", "FAILED", lambda case: case["k"] == 10)
    fake.studies.move("fragility", "BLOCKED", lambda case: case["k"] > 10)
    study.wait(timeout=0)
    assert "stopped after maxFailures=2" in capsys.readouterr().out


def test_wait_outlasts_a_server_that_is_away(fake, tapis, capsys):
    study = made(tapis).run()
    path = "/v3/tapisjobs/studies/fragility"
    steps = iter([lambda: fake.instead.update({path: lambda request: error(503, "Restarting.")}),
                  lambda: (fake.instead.clear(), fake.studies.move("fragility", "FINISHED"))])  # fmt: skip
    tapis.rest = lambda seconds: next(steps)()
    study.wait()
    assert "Restarting." in capsys.readouterr().out
    fake.instead[path] = lambda request: error(503, "Restarting.")
    with pytest.raises(UnavailableError):
        study.wait(progress=False)


# --- keeping ----------------------------------------------------------------------------------
def test_studies_are_listed_renamed_archived_and_deleted(fake, tapis):
    study = made(tapis).run()
    made(tapis, "second").run()
    fake.studies.move("fragility", "FINISHED", lambda case: case["k"] == 10)
    assert tapis.studies()[["name", "cases", "finished", "active"]].values.tolist() == [
        ["second", 6, 0, 6], ["fragility", 6, 2, 4],
    ]  # fmt: skip
    study.rename("third").archive()
    assert (study.name, tapis.studies()["name"].tolist()) == ("third", ["second"])
    assert set(tapis.studies(archived=True)["name"]) == {"second", "third"}
    study.delete()
    assert list(fake.studies.known) == ["second"]
    with pytest.raises(NotFoundError):
        study.frame()


def test_settings_go_to_the_server_by_either_spelling(fake, tapis):
    study = made(tapis, max_running=5, maxFailures=3, launchMode="pack").run()
    assert fake.studies.known["fragility"].settings == {
        "maxRunning": 5,
        "maxFailures": 3,
        "launchMode": "pack",
    }
    study.set(maxRunning=None)
    assert fake.studies.known["fragility"].settings["maxRunning"] is None


def test_the_job_of_a_case_is_found_by_row_and_by_id(fake, tapis):
    study = made(tapis).run()
    table = study.frame()
    assert study.job(1).uuid == study.job(table["caseId"][1]).uuid == table["jobUuid"][1]
    with pytest.raises(NotFoundError, match="there is no row 9"):
        study.job(9)


def test_what_a_study_prints_is_its_state(fake, tapis):
    study = made(tapis)
    line, rest = repr(study).splitlines()
    assert line == "fragility  ░░░░░░░░░░░░░░░░░░░░  0 of 6   · 6 not submitted"
    assert rest == "  6 rows given; study.run() runs what is new of them"
    study.run()
    assert repr(study) == "fragility  ░░░░░░░░░░░░░░░░░░░░  0 of 6   ○ 6 accepted"
    assert "0 of 6   ○ 6 accepted\n  6 rows given" in repr(made(tapis))


def test_adding_ten_cases_costs_the_ten(fake, tapis):
    study = made(tapis, cases={"k": range(2000), "damping": [0.02]}).run()
    before = len(fake.calls)
    study.extend({"k": range(2000, 2010), "damping": [0.02]}).run()
    assert len(fake.calls) - before <= 6
    assert len(posted(fake)[-1]["cases"]) == 10
    assert len(json.dumps(posted(fake)[-1])) < 20_000


def test_fakes_are_alike():
    """The fake answers a study that is not there as the server does."""
    with pytest.raises(NotFoundError):
        FakeTapis().tapis().study("nothing")


# --- what a newcomer gets wrong ---------------------------------------------------------------
@pytest.mark.parametrize(
    "look",
    [
        lambda study: study.frame(),
        lambda study: study.collect("u.csv"),
        lambda study: study.plot(),
        lambda study: study.failures(),
        lambda study: study.job(0),
        lambda study: study.cancel(),
        lambda study: study.retry(),
        lambda study: study.export("s.zip"),
    ],
)
def test_a_study_that_has_not_run_says_so(tapis, look):
    with pytest.raises(
        NotFoundError, match=r"'fragility' has not run yet\. study\.run\(\) submits its cases\."
    ):
        look(made(tapis))


def test_looking_first_does_not_keep_a_changed_template_from_the_server(fake, tapis):
    made(tapis).run()
    changed = made(tapis, script="echo {{ k }} {{ damping }} again")
    changed.frame()
    changed.run()
    assert fake.studies.known["fragility"].template["request"]["script"] == "echo {{ k }} {{ damping }} again"


@pytest.mark.parametrize("field", ["script", "args", "appId", "appVersion", "fileInputs"])
def test_a_retry_does_not_change_what_makes_the_case(fake, tapis, field):
    study = made(tapis).run()
    fake.studies.move("fragility", "FAILED")
    with pytest.raises(InvalidInputError, match=f"not {field}: what is run makes the case"):
        study.retry("FAILED", **{field: "x"})


def test_a_mask_may_hold_what_is_not_known_and_an_empty_list_means_no_case(fake, tapis):
    study = made(tapis).run()
    fake.studies.move("fragility", "FINISHED")
    study.retry(pd.Series([True, None, False, None, False, False], dtype="boolean"))
    assert [case["caseId"] for case in study.answer.submitted] == [study.frame()["caseId"][0]]
    with pytest.raises(ConflictError, match="no case fits"):
        study.retry([])


def test_a_case_is_named_by_a_whole_number_or_its_id(tapis):
    study = made(tapis).run()
    with pytest.raises(InvalidInputError, match=r"1\.5 names no case"):
        study.job(1.5)
    assert study.job(1).uuid == study.job(study.frame()["caseId"][1]).uuid
