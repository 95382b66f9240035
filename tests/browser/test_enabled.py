"""The extension is there without further steps: listed, loaded, and with its command."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import jupyter_tapis_jobs
from jupyter_tapis_jobs.servers import stop
from tests.browser.conftest import PATIENCE, Notebook, until_gate
from tests.browser.test_card import LOAD, job_cell
from tests.conftest import TestServer, own_folders, running_server

Open = Callable[..., Notebook]


def listed(tmp_path: Path, *words: str) -> str:
    """Return what ``jupyter … list`` says, without colours."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        env={**os.environ, **own_folders(tmp_path)},
        text=True,
        capture_output=True,
        check=True,
    )
    return re.sub(r"\x1b\[\d+m", "", done.stdout + done.stderr)


def test_jupyter_lists_the_server_extension_as_enabled_and_whole(tmp_path: Path) -> None:
    told = listed(tmp_path, "jupyter", "server", "extension", "list")
    assert re.search(r"jupyter_tapis_jobs enabled\s+- Validating jupyter_tapis_jobs\.\.\.\s+\S+ \S+ OK", told)


def test_jupyter_lists_the_lab_extension_as_enabled_and_whole(tmp_path: Path, bundle: Path) -> None:
    told = listed(tmp_path, "jupyter", "labextension", "list")
    assert re.search(rf"jupyter-tapis-jobs v{re.escape(jupyter_tapis_jobs.__version__)} enabled OK", told)


def test_the_palette_tells_about_this_server(notebook: Open) -> None:
    from playwright.sync_api import expect

    opened = notebook("")
    opened.command("Tapis Jobs: About this server")
    dialog = opened.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text(jupyter_tapis_jobs.__version__, timeout=PATIENCE)
    expect(dialog).to_contain_text("running")


def test_the_units_of_the_extension_hold() -> None:
    folder = Path(jupyter_tapis_jobs.__file__).parents[1] / "labextension"
    if shutil.which("node") is None or not (folder / "lib").is_dir():
        pytest.skip(
            "the Lab extension was not built from these sources: install Node.js 20 and install again"
        )
    tests = sorted(map(str, (folder / "test").glob("*.test.js")))
    done = subprocess.run(["node", "--test", *tests], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_card_waits_for_a_server_that_is_started_again(
    notebook: Open, gate: Path, tmp_path: Path, bundle: Path
) -> None:
    from playwright.sync_api import expect

    with running_server(tmp_path / "server", module="jupyterlab") as first:
        opened = notebook(LOAD, job_cell("patient", "echo begun", until_gate(gate)), server=first)
        opened.run(0)
        opened.run(1)
        card = opened.card("patient")
        opened.expect_status(card, "RUNNING")
        expect(card.locator(".tj-Lines")).to_contain_text("begun", timeout=PATIENCE)
    expect(card.locator(".tj-Trouble")).to_contain_text("The server does not answer", timeout=PATIENCE)
    expect(card.get_by_role("button", name="Cancel", exact=True)).to_be_hidden()
    with again(first):
        gate.touch()
        opened.expect_status(card, "FINISHED")
        expect(card.locator(".tj-Trouble")).to_be_hidden()


@contextmanager
def again(before: TestServer) -> Iterator[None]:
    """Start the server again, at the address and with the token that the page knows."""
    environment = {**os.environ, **before.environment, "JUPYTER_TOKEN": before.token}
    with before.process.log.open("ab") as log:
        process = subprocess.Popen(
            before.process.process.args, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        stop(process)
