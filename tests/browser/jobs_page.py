"""The tab of the jobs as a person finds her way in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_tapis_jobs.client.tapis import Tapis
from tests.browser.conftest import PATIENCE, Notebook, until_gate
from tests.conftest import TestServer

OPEN_JOBS = "Tapis Jobs: Open the jobs"
API = "**/tapis/v3/**"
SIGNED_OUT = '{"status": "error", "message": "JOBS_NOT_SIGNED_IN Sign in first.", "result": null}'


def expect(locator: Any) -> Any:
    """Return what a test waits for, with our patience."""
    from playwright.sync_api import expect as playwright_expect

    playwright_expect.set_options(timeout=PATIENCE)
    return playwright_expect(locator)


def lab_page(page: Any, server: TestServer) -> None:
    """Open Lab with its launcher and no notebook."""
    page.goto(f"{server.url}lab?token={server.token}&reset")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    page.wait_for_selector(".jp-Launcher")


def command(page: Any, server: TestServer, label: str) -> None:
    """Choose a command in the palette."""
    Notebook(page, server, server.root / "none.ipynb", "lab").command(label)


def open_jobs(page: Any, server: TestServer) -> Any:
    """Open Lab and in it the tab of the jobs; return the view."""
    lab_page(page, server)
    command(page, server, OPEN_JOBS)
    return jobs_tab(page)


def jobs_tab(page: Any) -> Any:
    """Wait until the tab of the jobs knows how many there are, and return it."""
    view = page.locator("#tapisjobs-main .tj-Jobs")
    expect(view.locator(".tj-Total")).to_contain_text("job")
    return view


def row(view: Any, name: str) -> Any:
    """Return the row of the job with this name."""
    return view.locator(".ag-row").filter(has=view.page.get_by_text(name, exact=True))


def found(view: Any, words: str, number: int) -> None:
    """Search for *words*, and wait until so many jobs are found and their rows have come."""
    view.locator(".tj-Search").fill(words)
    expect(view.locator("[aria-busy=true]")).to_have_count(0)
    expect(view.locator(".tj-Total")).to_have_text(f"{number:,} job{'s' * (number != 1)}")


def filter_form(view: Any, column: str) -> Any:
    """Open the filter in the head of a column, and return its form."""
    head = view.locator(f".ag-header-cell[col-id={column}]")
    head.hover()
    head.locator(".ag-header-cell-filter-button").click()
    form = view.get_by_role("form", name="Filter by")
    expect(form).to_be_visible()
    return form


def waiting_job(tapis: Tapis, gate: Path, name: str) -> Any:
    """Submit a job that runs until the gate is open."""
    return tapis.submit("bash", script=until_gate(gate), name=name, maxMinutes=5)


@contextmanager
def client(server: TestServer) -> Iterator[Tapis]:
    """A client beside the browser."""
    tapis = server.tapis()
    try:
        yield tapis
    finally:
        tapis.connection.close()


def listeners(tapis: Tapis) -> int:
    """Return how many connections for news the server has."""
    return int(tapis.connection.call("GET", "/v3/tapisjobs/server").result["listeners"])
