"""The first notebook, opened and run by a person in JupyterLab."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat

from tests.browser.conftest import CARD_MIME, PATIENCE, Notebook, end_kernels
from tests.conftest import TestServer, until

FIRST = Path(__file__).parents[2] / "notebooks" / "01-first-job.ipynb"


def test_the_first_notebook_runs_to_its_plot_and_its_table(page: Any, lab: TestServer) -> None:
    from playwright.sync_api import expect

    path = lab.root / "first.ipynb"
    shutil.copy(FIRST, path)
    opened = Notebook(page, lab, path, "lab").open()
    opened.command("Run All Cells")
    card = page.locator(".tj-Card").first
    expect(card.locator(".tj-Status").first).to_contain_text("✓ FINISHED", timeout=PATIENCE)
    until(lambda: all_have_run(opened))
    outputs = [output for cell in code_cells(opened) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    shown = {mime for output in outputs for mime in output.get("data", {})}
    assert {CARD_MIME, "image/png", "text/html"} <= shown
    assert "peak roof displacement" in "".join(str(output) for output in outputs)
    end_kernels(lab)


def code_cells(opened: Notebook) -> list[Any]:
    opened.save()
    cells = nbformat.read(opened.path, as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code" and cell.source]


def all_have_run(opened: Notebook) -> bool:
    opened.wait_for_kernel()
    return all(cell.execution_count for cell in code_cells(opened))
