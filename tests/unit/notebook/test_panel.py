"""``tapis.panel()``: a widget where there is a notebook, and elsewhere one sentence that says what to do."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest
from fake_tapis import FakeTapis

from jupyter_tapis_jobs.client import panel as client_panel
from jupyter_tapis_jobs.client import tapis_parts
from jupyter_tapis_jobs.client.panel_extras import PanelExtras
from jupyter_tapis_jobs.model.errors import InvalidInputError, JobError
from jupyter_tapis_jobs.notebook import panel
from tests.conftest import until


@pytest.fixture
def in_a_notebook(monkeypatch):
    """A kernel of a notebook whose panels are words."""
    monkeypatch.setattr(client_panel, "in_notebook", lambda: True)
    monkeypatch.setattr(client_panel, "_in_notebook", [lambda tapis: f"a panel of {tapis.connection.url}"])


def tapis(server):
    """Return a client of a server that says this of itself."""
    return SimpleNamespace(server=lambda: server, connection=SimpleNamespace(url="https://tenant.example"))


def test_in_a_notebook_there_is_a_panel(in_a_notebook):
    assert client_panel.panel_of(tapis({"version": "1"})) == "a panel of https://tenant.example"


def test_a_panel_of_another_tapis_is_refused_with_the_way_to_its_jobs(in_a_notebook):
    with pytest.raises(JobError, match=r"https://tenant\.example is another Tapis.*tapis\.jobs\(\)"):
        client_panel.panel_of(tapis(None))


def test_outside_of_a_notebook_the_refusal_says_where_there_are_panels():
    with pytest.raises(JobError, match="Call it in JupyterLab"):
        client_panel.panel_of(tapis({"version": "1"}))


def test_without_anywidget_the_refusal_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    panel._widget.cache_clear()
    with pytest.raises(JobError, match="pip install anywidget"):
        panel.make(tapis({}))


def test_without_its_module_the_refusal_says_what_was_missing(monkeypatch, tmp_path):
    pytest.importorskip("anywidget")
    monkeypatch.setattr(panel, "FOLDER", tmp_path)
    panel._widget.cache_clear()
    with pytest.raises(JobError, match=r"Install Node\.js"):
        panel.make(tapis({}))


@pytest.fixture
def made(monkeypatch, tmp_path):
    """A panel over a server in memory, and what it sends."""
    pytest.importorskip("anywidget")
    (tmp_path / "panel_loader.js").write_text("export default { render() {} }")
    (tmp_path / "panel.js").write_text("the panel")
    (tmp_path / "panel.css").write_text(".tj-Panel {}")
    monkeypatch.setattr(panel, "FOLDER", tmp_path)
    monkeypatch.setattr(panel, "EXTRAS", PanelExtras())
    panel._widget.cache_clear()
    fake = FakeTapis()
    widget = panel.make(fake.tapis())
    sent = []
    monkeypatch.setattr(widget, "send", lambda told, beside=(): sent.append((told, list(beside))))
    yield SimpleNamespace(
        widget=widget, fake=fake, sent=sent, says=lambda **told: widget._handle_custom_msg(told, [])
    )
    monkeypatch.undo()
    widget.close()
    panel._widget.cache_clear()


def test_a_panel_carries_neither_address_nor_token(made):
    state = made.widget.get_state()
    own = {name for name in state if not name.startswith("_")}
    assert own <= {"layout", "tooltip", "tabbable", "extras", "version"}
    told = str({name: value for name, value in state.items() if name != "layout"})
    assert "http" not in told
    assert "secret" not in told


def test_a_notebook_holds_the_loader_and_gets_the_panel_itself_when_it_asks(made):
    state = str(made.widget.get_state())
    assert "export default { render() {} }" in state
    assert "the panel" not in state
    assert ".tj-Panel" not in state
    made.says(type="module", id="m")
    assert made.sent == [({"type": "module", "id": "m"}, [b"the panel", b".tj-Panel {}"])]


def test_where_no_widget_is_drawn_one_sentence_says_what_to_do(made):
    assert repr(made.widget) == "The jobs of this Jupyter server, live. Run this cell again to see them."


def test_a_call_of_the_page_goes_over_the_kernels_connection(made):
    uuid = made.fake.add_job("RUNNING")
    made.says(type="call", id="1", method="GET", path=f"/v3/jobs/{uuid}", body=None)
    until(lambda: made.sent)
    ((told, (body,)),) = made.sent
    assert told["status"] == 200
    assert json.loads(body)["result"]["uuid"] == uuid


def test_columns_and_actions_of_the_notebook_run_in_its_kernel(made):
    extras, uuid = panel.EXTRAS, made.fake.add_job("RUNNING")
    extras.add("Letters", None, "number", None, ())(lambda job: len(job.name))
    extras.add("Broken", None, "text", None, ())(lambda job: job.nothing)
    extras.add(None, "Say it", "text", None, ("RUNNING",))(lambda job: f"it is {job.name}")
    extras.add(None, "Break", "text", None, ())(lambda job: 1 / 0)
    assert [column["name"] for column in made.widget.extras["columns"]] == ["kernel:letters", "kernel:broken"]
    made.says(type="values", id="1", uuids=[uuid])
    made.says(type="run", id="2", name="kernel:say-it", uuids=[uuid, "nobody"])
    made.says(type="run", id="3", name="kernel:break", uuids=[uuid])
    made.says(type="run", id="4", name="kernel:gone", uuids=[uuid])
    values, said, broken, gone = (told["result"] for told, _ in made.sent)
    assert values == {uuid: {"kernel:letters": 5, "kernel:broken": None}}
    assert [row["status"] for row in said] == ["success", "error"]
    assert said[0]["message"] == "it is job-1"
    assert broken[0]["message"] == "ZeroDivisionError: division by zero"
    assert "run the cell that adds it" in gone[0]["message"]


def test_an_action_is_for_jobs_of_its_statuses_only(made):
    done, uuid = [], made.fake.add_job("RUNNING")
    panel.EXTRAS.add(None, "Late", "text", "Sure?", ("FINISHED",))(done.append)
    made.says(type="run", id="1", name="kernel:late", uuids=[uuid])
    assert made.sent[0][0]["result"][0]["message"] == "Late is for jobs that are FINISHED."
    assert not done
    assert made.widget.extras["actions"] == [
        {"name": "kernel:late", "title": "Late", "confirm": "Sure?", "statuses": ["FINISHED"]}
    ]


@pytest.mark.parametrize(
    "given", [{}, {"column": "A", "action": "B"}, {"column": "a\nb"}, {"action": "x" * 101}, {"action": 7}]
)
def test_a_title_that_is_none_is_refused(given):
    with pytest.raises(InvalidInputError, match="title"):
        FakeTapis().tapis().in_panel(**given)


def test_the_decorator_leaves_the_function_as_it_is(monkeypatch):
    monkeypatch.setattr(tapis_parts, "EXTRAS", PanelExtras())

    @FakeTapis().tapis().in_panel(column="Twice", kind="number")
    def twice(job):
        return 2

    assert twice(None) == 2


def test_a_kind_or_status_that_is_none_is_refused_with_those_that_are():
    tapis = FakeTapis().tapis()
    with pytest.raises(InvalidInputError, match="text, number, time"):
        tapis.in_panel(column="A", kind="colour")
    with pytest.raises(InvalidInputError, match="Did you mean 'FINISHED'"):
        tapis.in_panel(action="A", statuses="FINISHD")


def test_one_status_needs_no_list(made):
    panel.EXTRAS.add(None, "Late", "text", None, "FINISHED")(id)
    assert made.widget.extras["actions"][0]["statuses"] == ["FINISHED"]
