"""The fifth notebook, the panel, runs as it is; what it says of the panel is so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from notebook_runs import NOTEBOOKS, notebook_executed, plain

from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.notebook import panel
from tests.conftest import TestServer

FIFTH = NOTEBOOKS / "05-panel.ipynb"
LAB = NOTEBOOKS.parent / "labextension" / "src"
WIDGET = "application/vnd.jupyter.widget-view+json"
NAMES = ("swing", "broken-mesh", "endless", "from-the-form")
pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Run:
    """The notebook after its run, and a client of the server that it ran on."""

    notebook: Any
    tapis: Tapis

    def cell(self, name: str) -> Any:
        return next(cell for cell in self.notebook.cells if cell.id == name)

    def shown(self, name: str) -> str:
        """Return what a cell showed, as text."""
        return plain(self.cell(name))

    def request(self, name: str) -> dict[str, Any]:
        """Return the request of the newest job with this name."""
        uuid = self.tapis.jobs(name=name)["uuid"].iloc[0]
        return self.tapis.job(uuid).request()


@pytest.fixture(scope="module")
def run(server: TestServer) -> Iterator[Run]:
    if not (panel.FOLDER / "panel.js").is_file():
        pytest.skip("the panel is not built here: install Node.js 20 and run `pip install -e .` again")
    tapis = server.tapis()
    try:
        yield Run(notebook_executed(FIFTH, server), tapis)
    finally:
        if "springs" in list(tapis.studies(archived=True)["name"]):
            tapis.study("springs").cancel().delete()
        tapis.connection.close()
        (server.root / "oscillator.py").unlink(missing_ok=True)


def test_the_panel_is_a_widget_and_the_notebook_holds_no_token(run: Run, server: TestServer) -> None:
    assert any(WIDGET in output.get("data", {}) for output in run.cell("panel").outputs)
    written = json.dumps(run.notebook)
    assert server.token not in written
    assert not re.search(r"eyJ[\w-]{10,}\.eyJ", written)


def test_the_state_of_the_widget_is_small(run: Run) -> None:
    """The panel's module is not in it, but what fetches that."""
    assert 0 < len(json.dumps(run.notebook.metadata["widgets"])) < 30_000


def test_the_jobs_end_as_the_notebook_says(run: Run) -> None:
    jobs = run.tapis.jobs().drop_duplicates("name").set_index("name")
    ends = [jobs.loc[name, "status"] for name in NAMES]
    assert ends == ["FINISHED", "FAILED", "CANCELLED", "FINISHED"]
    assert "1.94 of the static displacement" in run.shown("busy")
    assert "10.00" in run.shown("response")


def test_an_own_action_says_what_it_found(run: Run) -> None:
    assert run.shown("own-action") == "'swing: 484.9 mm'"


def test_the_stiffest_cases_fail_together_and_a_shorter_step_mends_them(run: Run) -> None:
    told = run.shown("failures")
    assert "3 of 12 cases failed" in told
    assert "diverged at step" in told
    assert "(stiffness == 800)" in told
    assert set(run.tapis.study("springs").frame()["status"]) == {"FINISHED"}
    assert run.tapis.study("springs").collect("peak.csv")["peak"].notna().all()


def test_the_cell_from_the_form_is_what_the_server_writes_for_its_request(run: Run) -> None:
    request = run.request("from-the-form")
    code = run.tapis.connection.post("/v3/tapisjobs/code", {"request": request})
    assert code["cell"].strip() == run.cell("as-code").source.strip()


def test_what_notebook_and_readme_call_a_command_is_one() -> None:
    text = FIFTH.read_text() + (NOTEBOOKS.parent / "README.md").read_text()
    sources = "".join(path.read_text() for path in LAB.glob("lab_*.ts"))
    named = re.findall(r"\*Tapis Jobs: ([^*]+)\*", text)
    assert named
    assert [name for name in named if not re.search(rf"'(Tapis Jobs: )?{name}'", sources)] == []
