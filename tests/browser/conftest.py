"""A real JupyterLab, and a person's hands and eyes in a real Chromium."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest

from tests.browser.many_jobs import MANY, fill
from tests.conftest import TestServer, chromium_program, running_server, until

CARD_MIME = "application/vnd.tapisjobs.job+json"
#: Milliseconds: an element or a state that another process brings; a cell's start after its keys.
PATIENCE, STARTED = 120_000, 4_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Nothing here runs without a browser and the built extension; all of it may take a while."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.needs("chromium", "playwright", "jupyterlab"))
            item.add_marker(pytest.mark.timeout(480))


@pytest.fixture(scope="session")
def bundle() -> Path:
    """Where Jupyter finds our Lab extension."""
    folder = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / "jupyter-tapis-jobs"
    if not (folder / "package.json").is_file():
        pytest.skip(
            "the Lab extension is not built here: install Node.js 20 and run `pip install -e .` again"
        )
    return folder


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[TestServer]:
    """One JupyterLab for all tests here; each opens a notebook of its own."""
    with running_server(tmp_path_factory.mktemp("lab"), module="jupyterlab") as server:
        yield server


@pytest.fixture(scope="module")
def full_lab(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[TestServer]:
    """A JupyterLab whose user has a hundred thousand jobs."""
    folder = tmp_path_factory.mktemp("full")
    fill(folder, MANY)
    with running_server(folder, module="jupyterlab") as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_program(),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page that nobody has signed in at; its picture is kept when TAPISJOBS_SHOTS names a folder."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    if os.environ.get("TAPISJOBS_SHOTS"):
        with suppress(Exception):
            page.screenshot(path=Path(os.environ["TAPISJOBS_SHOTS"]) / f"{request.node.name}.png")
    context.close()


class Notebook:
    """An open notebook: cells are run with the keyboard, cards are found by their job's name."""

    def __init__(self, page: Any, server: TestServer, path: Path, app: str) -> None:
        self.page = page
        self.server = server
        self.path = path
        self._app = app

    def open(self) -> Notebook:
        """Load the page and wait until the kernel is ready."""
        where = "lab/tree" if self._app == "lab" else "notebooks"
        query = f"token={self.server.token}" + ("&reset" if self._app == "lab" else "")
        self.page.goto(f"{self.server.url}{where}/{self.path.name}?{query}")
        return self._opened()

    def reload(self) -> Notebook:
        """Load the page again; the kernel lives on."""
        self.page.reload()
        return self._opened()

    def _opened(self) -> Notebook:
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        self.wait_for_kernel()
        return self

    def wait_for_kernel(self) -> None:
        """Wait until the page is connected to its kernel, which has nothing to do.

        The toolbar shows "idle" also before there is a kernel; a cell that is run then makes Lab ask for one.
        """
        until(self._has_idle_kernel)
        self._expect(self.page.locator(".jp-Toolbar-kernelName")).to_contain_text(
            "Python 3", timeout=PATIENCE
        )
        self.page.wait_for_selector('.jp-NotebookPanel-toolbar [data-status="idle"]')

    def _has_idle_kernel(self) -> bool:
        sessions = httpx.get(f"{self.server.url}api/sessions", headers=signed_in(self.server)).json()
        kernels = [session["kernel"] for session in sessions if session["path"] == self.path.name]
        return any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels)

    def cell(self, index: int) -> Any:
        """Return one cell."""
        return self.page.locator(f'.jp-CodeCell[data-windowed-list-index="{index}"]')

    def run(self, index: int, *, wait: bool = True) -> None:
        """Run one cell. Keys that a page still busy with its start has lost are pressed again."""
        prompt = self.cell(index).locator(".jp-InputPrompt")
        for _ in range(10):
            self.cell(index).locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            with suppress(AssertionError):
                self._expect(prompt).not_to_have_text(re.compile(r"^\[ \]:$"), timeout=STARTED)
                break
        if wait:
            self._expect(prompt).to_have_text(re.compile(r"^\[\d+\]:$"), timeout=PATIENCE)

    def command(self, label: str) -> None:
        """Choose a command in the palette."""
        entry = self.page.locator(".lm-CommandPalette-input")
        for _ in range(10):
            self.page.keyboard.press("Control+Shift+c")
            with suppress(AssertionError):
                self._expect(entry).to_be_visible(timeout=STARTED)
                break
        entry.fill(label)
        self.page.locator(".lm-CommandPalette-item", has_text=label).first.click()

    def is_busy(self, index: int) -> bool:
        """Return True while the cell runs."""
        return bool(self.cell(index).locator(".jp-InputPrompt").inner_text() == "[*]:")

    def card(self, name: str) -> Any:
        """Return the live card of a job."""
        return self.page.locator(".tj-Card").filter(has=self.page.locator(f'.tj-Name:text-is("{name}")')).last

    def expect_status(self, card: Any, status: str) -> None:
        """Wait until the card shows this state, as word."""
        self._expect(card.locator(".tj-Status").first).to_contain_text(status, timeout=PATIENCE)

    def save(self) -> dict[str, Any]:
        """Save it as a person does, and return what the file then holds."""
        unsaved = self.page.locator(".lm-TabBar-tab.jp-mod-dirty")
        for _ in range(10):
            self.page.keyboard.press("Control+s")
            with suppress(AssertionError):
                self._expect(unsaved).to_have_count(0, timeout=STARTED)
                break
        return until(self._read)

    def _read(self) -> dict[str, Any] | None:
        with suppress(ValueError):
            return dict(json.loads(self.path.read_text()))
        return None

    def _expect(self, locator: Any) -> Any:
        from playwright.sync_api import expect

        return expect(locator)


@pytest.fixture
def notebook(page: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Notebook]]:
    """``notebook(*cells, app="lab")``: an open notebook with these cells (sources or finished cells)."""

    used: list[TestServer] = []

    def opened(*cells: str | dict[str, Any], app: str = "lab", server: TestServer | None = None) -> Notebook:
        if server is None:
            server = request.getfixturevalue("lab")
            used.append(server)
        path = server.root / f"{request.node.name}.ipynb"
        write_notebook(path, *cells)
        return Notebook(page, server, path, app).open()

    yield opened
    for shared in used:
        end_kernels(shared)


def signed_in(server: TestServer) -> dict[str, str]:
    """Return the headers of the server's own user."""
    return {"Authorization": f"token {server.token}"}


def choose_theme(server: TestServer, theme: str) -> None:
    """Choose a theme as the settings menu does."""
    address = server.url + "lab/api/settings/@jupyterlab/apputils-extension:themes"
    httpx.put(
        address,
        headers=signed_in(server),
        json={"raw": json.dumps({"theme": theme})},
    ).raise_for_status()


def end_kernels(server: TestServer) -> None:
    """End all kernels of the server, as the menu does."""
    with httpx.Client(base_url=server.url, headers=signed_in(server)) as client:
        for kernel in client.get("api/kernels").json():
            client.delete(f"api/kernels/{kernel['id']}").raise_for_status()


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file that jobs and cells of these tests wait for."""
    return tmp_path / "gate"


def write_notebook(path: Path, *cells: str | dict[str, Any]) -> None:
    """Write a notebook for this Python's kernel."""
    made = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), path)


def until_gate(gate: Path) -> str:
    """Return shell words that wait for the gate."""
    return f"until [ -e '{gate}' ]; do sleep 0.05; done"
