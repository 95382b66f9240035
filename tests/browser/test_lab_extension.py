"""What the extension adds around the views in Lab: cells, commands, status bar, notifications, editor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import PATIENCE, Notebook
from tests.conftest import TestServer, running_server

MAIN = "#tapisjobs-main"


def expect(locator: Any) -> Any:
    """Playwright's, imported when it is used: this file is read also where there is no browser."""
    from playwright.sync_api import expect

    return expect(locator)


@pytest.fixture(scope="module")
def own_lab(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[TestServer]:
    """A JupyterLab whose jobs nobody else counts."""
    with running_server(tmp_path_factory.mktemp("own_lab"), module="jupyterlab") as server:
        yield server


@pytest.fixture
def opened(notebook: Callable[..., Notebook], own_lab: TestServer) -> Callable[..., Notebook]:
    """``opened(*cells)``: an open notebook in that Lab."""
    return lambda *cells: notebook(*cells, server=own_lab)


def test_who_has_no_jobs_yet_gets_cells_that_run_the_first_one(
    opened: Callable[..., Notebook], page: Any
) -> None:
    lab = opened("")
    lab.command("Open the jobs")
    page.locator(MAIN).get_by_role("button", name="Insert a cell that runs the first one").click()
    expect(lab.cell(0).locator(".cm-content")).to_have_text("%load_ext jupyter_tapis_jobs", timeout=PATIENCE)
    expect(lab.cell(1).locator(".cm-content")).to_contain_text("%%tapisjob python", timeout=PATIENCE)
    lab.run(0)
    lab.run(1)
    lab.expect_status(lab.card("first-job"), "FINISHED")
