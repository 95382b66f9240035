"""Rows that are given again cost their ids: what the server has done or in flight is not rendered anew."""

import gc

import pytest
from study_samples import posted

from jupyter_tapis_jobs.client.study_cases import CaseBuilder
from jupyter_tapis_jobs.client.study_template import StudyTemplate
from jupyter_tapis_jobs.model.errors import InvalidInputError

MANY = 300
SCRIPT = "echo {{ k }}"


def study(tapis, count=MANY, **given):
    return tapis.study("big", "bash", **{"cases": {"k": range(count)}, "script": SCRIPT, **given})


def whole(body):
    """The cases of a body that came with their requests."""
    return [case["parameters"]["k"] for case in body["cases"] if set(case) != {"caseId"}]


@pytest.fixture
def done(fake, tapis):
    study(tapis).run()
    fake.studies.move("big", "FINISHED")
    return fake


def test_a_preview_of_rows_given_again_sends_the_new_ones_only(done, tapis):
    shown = study(tapis, MANY + 5).preview()
    assert (shown.cases, shown.new, shown.done, shown.errors) == (MANY + 5, 5, MANY, ())
    assert len(posted(done)[-1]["cases"]) == MANY + 5
    assert whole(posted(done)[-1]) == [*range(10), *range(MANY, MANY + 5)]
    assert shown.samples[0]["name"] == f"big-{MANY + 1}"
    assert study(tapis, MANY + 5).run().answer.submitted[0]["caseId"]
    assert whole(posted(done)[-1]) == [*range(MANY, MANY + 5)]


def test_what_ended_badly_goes_with_its_request_as_it_is_now(done, tapis):
    done.studies.move("big", "FAILED", lambda parameters: parameters["k"] == 200)
    shown = study(tapis, maxMinutes=30).preview()
    assert (shown.new, shown.failed, shown.done) == (0, 1, MANY - 1)
    (case,) = [case for case in posted(done)[-1]["cases"] if case.get("parameters", {}).get("k") == 200]
    assert case["request"]["maxMinutes"] == 30


def test_fresh_after_a_preview_sends_all_requests_as_they_are_now(done, tapis):
    again = study(tapis, maxMinutes=30)
    assert again.preview().done == MANY
    again.run(fresh=True)
    assert whole(posted(done)[-1]) == list(range(MANY))
    assert {case["request"]["maxMinutes"] for case in posted(done)[-1]["cases"]} == {30}


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"script": SCRIPT, "args": ["{{ j }}"], "inputs": ["mesh.msh"]}, 40),
        ({"script": SCRIPT, "args": ["{{ j }}"], "env": {"A": 1}, "memoryMB": "{{ 100 * k + 1 }}"}, 40),
        ({"script": SCRIPT, "args": ["{{ j }}"], "inputs": ["m{{ k % 2 }}.txt"]}, 0),
        ({"files": {"a": SCRIPT}, "args": ["{{ j }}"], "appId": "{{ 'bash' if k else 'python' }}"}, 0),
    ],
    ids=["a shared input", "resources", "an input of each row", "an app of each row"],
)
def test_ids_are_the_same_with_and_without_requests(tapis, tmp_path, monkeypatch, given, left):
    monkeypatch.chdir(tmp_path)
    for name in ("mesh.msh", "m0.txt", "m1.txt"):
        (tmp_path / name).write_text(name)
    template = StudyTemplate({"appId": "bash", **given}, defaults={"j": 7})
    rows = [{"k": k} for k in range(30)] + [{"k": k, "j": 8} for k in range(30)]
    first = CaseBuilder(tapis, template, "s").build(rows)
    again = CaseBuilder(tapis, template, "s").build(rows, 0, set(first.rows))
    assert first.errors == again.errors == []
    assert again.rows == first.rows
    assert [case.case_id for case in again.cases] == [case.case_id for case in first.cases]
    assert sum(case.request is None for case in again.cases) == left
    assert again.bytes_each == pytest.approx(first.bytes_each, abs=1)


def test_what_is_wrong_with_a_row_is_told_by_its_number_among_all(tapis):
    template = StudyTemplate({"appId": "bash", "script": "{{ 1 / (k - 25) }} {{ j }}"}, defaults={"j": 1})
    rows = [{"k": k, "j": 2} if k % 2 else {"k": k} for k in range(40)]
    built = CaseBuilder(tapis, template, "s").build(rows)
    assert [error["row"] for error in built.errors] == [25]
    assert built.errors[0]["message"].startswith("Row 25")
    again = CaseBuilder(tapis, template, "s").build(rows, 0, set(built.rows))
    assert [error["row"] for error in again.errors] == [25]
    assert again.errors[0]["message"].startswith("Row 25")


def test_two_rows_that_are_one_settled_case_are_still_told(done, tapis):
    rows = [{"k": k, "note": "a"} for k in range(MANY)] + [{"k": 250, "note": "b"}]
    with pytest.raises(InvalidInputError, match=rf"Row {MANY} is the same case as row 250"):
        tapis.study("big", "bash", cases=rows, script=SCRIPT, labels=["note"]).run()


def test_garbage_is_collected_again_whatever_becomes_of_the_cases(tapis):
    with pytest.raises(InvalidInputError):
        CaseBuilder(tapis, StudyTemplate({"appId": "bash"}), "s").build([{"k": 1}])
    assert gc.isenabled()
    CaseBuilder(tapis, StudyTemplate({"appId": "bash", "script": SCRIPT}), "s").build([{"k": 1}])
    assert gc.isenabled()
