"""A real JupyterLab and a real Chromium for the benchmarks of what people see."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import harness
import nbformat
from jupyter_core.paths import jupyter_path

HERE = Path(__file__).parent
#: Milliseconds: what another process brings; until keys that a page has lost are pressed again.
PATIENCE, STARTED = 120_000, 5_000
_CHROMIUM = "/usr/bin/chromium"


def why_not() -> str | None:
    """Return why no page can be looked at here; None when it can."""
    if shutil.which("chromium") is None:
        return "there is no chromium: apt-get install chromium"
    return None if bundle() else "the Lab extension is not built here"


def bundle() -> Path | None:
    """Return where Jupyter finds the Lab extension; None when it was not built."""
    folders = (Path(folder) / "jupyter-tapis-jobs" for folder in jupyter_path("labextensions"))
    return next((folder for folder in folders if (folder / "package.json").is_file()), None)


def lab_server(place: Path, **more: Any) -> AbstractContextManager[harness.BenchServer]:
    """Run a JupyterLab whose jobs can be moved."""
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    options = ("--ServerApp.jpserver_extensions=mover=True", "--LabApp.expose_app_in_browser=True")
    return harness.server(place, *options, module="jupyterlab", more={"PYTHONPATH": path}, **more)


@contextmanager
def chromium() -> Iterator[Any]:
    """Run a headless Chromium while the block runs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@contextmanager
def opened(browser: Any, server: harness.BenchServer, path: str = "lab") -> Iterator[Any]:
    """Open a page of Lab as somebody who was never there, until it has settled."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.add_init_script(path=HERE / "eyes.js")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{server.url}{path}?token={server.token}&reset")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    page.wait_for_function("window.jupyterapp !== undefined")
    page.evaluate("jupyterapp.restored.then(() => true)")
    try:
        yield page
    finally:
        context.close()


@contextmanager
def notebook(browser: Any, server: harness.BenchServer, root: Path, *cells: str) -> Iterator[Any]:
    """Open a notebook with a kernel of its own that has nothing to do, and end the kernel afterwards."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = [nbformat.v4.new_code_cell(cell) for cell in cells]
    file = root / "bench.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), file)
    line = server.line()
    with opened(browser, server, f"lab/tree/{file.name}") as page:
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        harness.until(lambda: _is_idle(line))
        page.wait_for_selector('.jp-NotebookPanel-toolbar [data-status="idle"]')
        yield page
    for session in _sessions(line):
        line.ask(f"/api/sessions/{session['id']}", method="DELETE")


def _sessions(line: harness.Line) -> list[Mapping[str, Any]]:
    return list(json.loads(line.ask("/api/sessions")))


def _is_idle(line: harness.Line) -> bool:
    kernels = [session["kernel"] for session in _sessions(line)]
    return any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels)


def run_cell(page: Any, index: int) -> None:
    """Run one cell with the keyboard, until it has a number."""
    from playwright.sync_api import expect

    cell = page.locator(f'.jp-CodeCell[data-windowed-list-index="{index}"]')
    prompt = cell.locator(".jp-InputPrompt")
    for _ in range(10):
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        with suppress(AssertionError):
            expect(prompt).not_to_have_text(re.compile(r"^\[ \]:$"), timeout=STARTED)
            break
    expect(prompt).to_have_text(re.compile(r"^\[\d+\]:$"), timeout=PATIENCE)
