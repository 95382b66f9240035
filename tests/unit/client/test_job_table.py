"""Chosen jobs as a table: columns and actions of one's own, and what is told when they fail."""

from __future__ import annotations

import pytest
from fake_tapis import result

from jupyter_tapis_jobs import InvalidInputError
from jupyter_tapis_jobs.notebook.job_table import draw


def broken(job):
    raise ValueError(f"no peak in {job.name}")


@pytest.fixture
def jobs(fake):
    return [fake.add_job("FINISHED", name="a <b>"), fake.add_job("RUNNING", name="c")]


def test_a_table_has_the_columns_that_are_given(tapis, jobs):
    table = tapis.table(jobs, columns=["name", "status", {"Twice": lambda job: job.name * 2}])
    assert table.rows() == [["a <b>", "FINISHED", "a <b>a <b>"], ["c", "RUNNING", "cc"]]
    assert repr(table).splitlines()[0].split() == ["name", "status", "Twice"]
    assert "<td>a &lt;b&gt;</td>" in table._repr_html_()
    assert "<b>" not in table._repr_html_()


def test_a_column_that_fails_says_so_in_its_place_and_the_others_stand(tapis, jobs):
    table = tapis.table(jobs, columns=["name", {"Peak": broken}])
    assert table.rows() == [["a <b>", "ValueError: no peak in a <b>"], ["c", "ValueError: no peak in c"]]


def test_an_action_that_raises_says_one_sentence_and_the_next_goes_on(tapis, jobs):
    table = tapis.table(jobs, actions=[{"Peak": broken, "Name": lambda job: job.name}])
    said = table.do("Peak", table.jobs[0])
    assert (said.text, said.is_fault) == ("Peak: ValueError: no peak in a <b>", True)
    assert table.do("Name", table.jobs[0]).text == "a <b>"


def test_built_in_actions_do_what_they_say(fake, tapis, jobs):
    submitted = tapis.submit("bash", script="true")
    table = tapis.table([submitted, jobs[1]], actions=["resubmit", "|", "terminate", "delete"])
    finished, running = table.jobs
    assert "submitted again as" in table.do("resubmit", finished).text
    assert table.do("terminate", running).text == "asked to end"
    assert ("POST", f"/v3/jobs/{running.uuid}/cancel") in fake.calls
    fake.instead[f"/v3/jobs/{finished.uuid}/hide"] = lambda request: result({})
    assert table.do("delete", finished).text == "hidden"
    assert [job.uuid for job in table.jobs] == [running.uuid]


def test_an_action_that_is_not_in_the_table_and_odd_parts_are_refused(tapis, jobs):
    table = tapis.table(jobs, actions=["logs"])
    assert "no action 'terminate'" in table.do("terminate", table.jobs[0]).text
    with pytest.raises(InvalidInputError, match=r"actions holds 'log'\. Did you mean 'logs'"):
        tapis.table(jobs, actions=["log"])
    with pytest.raises(InvalidInputError, match="actions holds 'results'"):
        tapis.table(jobs, actions=["results"])
    with pytest.raises(InvalidInputError, match="columns holds 3"):
        tapis.table(jobs, columns=[3])
    with pytest.raises(InvalidInputError, match="results must be a function"):
        tapis.table(jobs, results="peak.csv")


def test_results_have_a_button_that_gives_what_the_function_returns(tapis, jobs):
    table = tapis.table(jobs, results=lambda job: {"job": job.name})
    assert "results" in table.actions
    assert table.do("results", table.jobs[1]).value == {"job": "c"}


def test_the_widget_shows_text_as_text_and_what_a_button_says_below_its_row(tapis, jobs):
    pytest.importorskip("ipywidgets")
    table = tapis.table(
        jobs, columns=["name"], actions=[{"Peak": broken}, "|", {"Name": lambda job: job.name}]
    )
    head, first, _, _ = draw(table).children
    assert [label.value for label in head.children] == ["name"]
    line, place = first.children
    name, peak, _, plain = line.children
    assert name.value == "a <b>"
    peak.click()
    assert "".join(output["text"] for output in place.outputs) == "✗ Peak: ValueError: no peak in a <b>\n"
    plain.click()
    assert "".join(output["text"] for output in place.outputs) == "a <b>\n"
