"""``tapis.panel()``: a widget where there is a notebook, and elsewhere one sentence that says what to do."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from jupyter_tapis_jobs.client import panel as client_panel
from jupyter_tapis_jobs.model.errors import JobError
from jupyter_tapis_jobs.notebook import panel


@pytest.fixture
def in_a_notebook(monkeypatch):
    """A kernel of a notebook whose panels are words."""
    monkeypatch.setattr(client_panel, "in_notebook", lambda: True)
    monkeypatch.setattr(client_panel, "_in_notebook", [lambda: "a panel"])


def tapis(server):
    """Return a client of a server that says this of itself."""
    return SimpleNamespace(server=lambda: server, connection=SimpleNamespace(url="https://tenant.example"))


def test_in_a_notebook_there_is_a_panel(in_a_notebook):
    assert client_panel.panel_of(tapis({"version": "1"})) == "a panel"


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
        panel.make()


def test_without_its_module_the_refusal_says_what_was_missing(monkeypatch, tmp_path):
    pytest.importorskip("anywidget")
    monkeypatch.setattr(panel, "FOLDER", tmp_path)
    panel._widget.cache_clear()
    with pytest.raises(JobError, match=r"Install Node\.js"):
        panel.make()


def test_a_panel_carries_neither_address_nor_token(monkeypatch, tmp_path):
    pytest.importorskip("anywidget")
    (tmp_path / "panel.js").write_text("export default { render() {} }")
    (tmp_path / "panel.css").write_text(".tj-Panel {}")
    monkeypatch.setattr(panel, "FOLDER", tmp_path)
    panel._widget.cache_clear()
    made = panel.make()
    own = {name for name in made.get_state() if not name.startswith("_")}
    assert own <= {"layout", "tooltip", "tabbable"}
    assert "http" not in str(
        {name: value for name, value in made.get_state().items() if name not in ("layout",)}
    )
    panel._widget.cache_clear()
