"""A workflow in a real JupyterLab: its graph moves while the kernel is free, and its names are text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jupyter_tapis_jobs.model.errors import NotFoundError
from tests.browser.conftest import PATIENCE, Notebook, until_gate
from tests.conftest import TestServer

NAME = "bridge"
LOAD = "%load_ext jupyter_tapis_jobs\nimport jupyter_tapis_jobs as tj\ntapis = tj.connect()"
#: A gate holds the mesh; of the solutions the last one fails until a file says that it may go.
FLOW = """
flow = tapis.workflow("{name}")
mesh = flow.add("bash", name="mesh", script="{gate}; echo 1 > mesh.vtk", maxMinutes=5)
solve = flow.map(
    "bash", {{"k": [1, 2, 3]}}, name="solve", inputs=[mesh.output("mesh.vtk")], maxMinutes=5,
    script="[ {{{{ k }}}} != 3 ] || [ -e '{mended}' ] || exit 4; echo {{{{ k }}}} > u.csv",
)
flow.add("bash", name="reduce", script="cat solve/*/u.csv", inputs=[solve.output("u.csv")], maxMinutes=5)
flow.run()
"""


@pytest.fixture
def places(lab: TestServer, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """The gate of the mesh, and what mends the last solution; the workflow is gone behind the test."""
    gate, mended = tmp_path / "gate", tmp_path / "mended"
    yield gate, mended
    gate.touch()
    tapis = lab.tapis()
    with closing(tapis.connection):
        try:
            tapis.workflow(NAME).wait(180, progress=False).delete()
        except NotFoundError:
            return


def graph(opened: Notebook) -> Any:
    return opened.page.get_by_role("img", name=f"workflow {NAME}")


def test_the_graph_of_a_workflow_moves_by_itself_to_its_failure_and_after_a_retry_to_its_end(
    notebook: Callable[..., Notebook], places: tuple[Path, Path]
) -> None:
    from playwright.sync_api import expect

    gate, mended = places
    source = FLOW.format(name=NAME, gate=until_gate(gate), mended=mended).strip()
    opened = notebook(LOAD, source, "flow.retry()")
    opened.run(0)
    opened.run(1)
    shown = graph(opened)
    expect(shown).to_have_count(1, timeout=PATIENCE)
    for words in ("mesh", "▶ running", "0 of 3 done", "reduce"):
        expect(shown).to_contain_text(words, timeout=PATIENCE)
    gate.touch()
    expect(shown).to_contain_text("2 of 3 done, 1 failed", timeout=PATIENCE)
    mended.touch()
    opened.run(2)
    again = graph(opened).last
    expect(again).to_contain_text("3 of 3 done", timeout=PATIENCE)
    expect(again.locator("text", has_text="✓ done")).to_have_count(2, timeout=PATIENCE)
