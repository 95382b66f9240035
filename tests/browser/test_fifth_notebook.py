"""The fifth notebook in JupyterLab: its panel shows what its cells do, and does what a person asks of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.conftest import PATIENCE, Notebook, end_kernels
from tests.conftest import TestServer, until

FIFTH = Path(__file__).parents[2] / "notebooks" / "05-panel.ipynb"


@pytest.fixture
def opened(page: Any, lab: TestServer) -> Iterator[Notebook]:
    """The notebook, open; what it made is gone behind the test."""
    path = lab.root / "fifth.ipynb"
    shutil.copy(FIFTH, path)
    yield Notebook(page, lab, path, "lab").open()
    end_kernels(lab)
    tapis = lab.tapis()
    for job in tapis.jobs(name="endless", status="RUNNING")["uuid"]:
        tapis.job(job).cancel()
    if "springs" in list(tapis.studies(archived=True)["name"]):
        tapis.study("springs").cancel().delete()
    tapis.connection.close()


# It waits for a job of ten seconds, a study and its retry.
@pytest.mark.timeout(400)
def test_the_fifth_notebook_is_steered_by_its_panel_while_its_cells_run(
    opened: Notebook, lab: TestServer
) -> None:
    from playwright.sync_api import expect

    opened.command("Run All Cells")
    panel = opened.page.locator(".tj-Panel")
    row = panel.locator(".ag-row").filter(has=opened.page.get_by_text("endless", exact=True))
    expect(row).to_contain_text("RUNNING", timeout=PATIENCE)
    row.locator(".tj-Pick").click()
    panel.get_by_role("button", name="Cancel…").click()
    panel.locator(".tj-Question").get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("CANCELLED", timeout=PATIENCE)
    panel.get_by_role("tab", name="Studies", exact=True).click()
    expect(panel.get_by_text("12 of 12").first).to_be_visible(timeout=PATIENCE)
    written = until(lambda: all_run(opened))
    outputs = [output for cell in written.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert "3 of 12 cases failed" in str(outputs)
    assert lab.token not in opened.path.read_text()


def all_run(opened: Notebook) -> Any:
    """Return the notebook as it is saved once all its cells have run."""
    opened.wait_for_kernel()
    opened.save()
    notebook = nbformat.read(opened.path, as_version=4)
    return notebook if all(c.execution_count for c in notebook.cells if c.cell_type == "code") else None
