"""The card of a job, live in JupyterLab and Notebook, driven by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import CARD_MIME, PATIENCE, Notebook, end_kernels, until_gate
from tests.conftest import until

Open = Callable[..., Notebook]

LOAD = "%load_ext jupyter_tapis_jobs"


def job_cell(name: str, *lines: str) -> str:
    """Return a cell that submits a job of the app bash."""
    return "\n".join((f"%%tapisjob bash --name {name} --minutes 5", *lines))


def busy_cell(gate: Path) -> str:
    """Return a cell that keeps the kernel until there is a gate."""
    return f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.05)"


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_a_job_submitted_in_a_cell_has_a_card_that_moves_to_its_end_by_itself(
    notebook: Open, gate: Path, app: str
) -> None:
    from playwright.sync_api import expect

    opened = notebook(LOAD, job_cell("live", "echo step one", until_gate(gate), "echo step two"), app=app)
    opened.run(0)
    opened.run(1)
    card = opened.card("live")
    opened.expect_status(card, "RUNNING")
    expect(card.locator(".tj-Lines")).to_contain_text("step one", timeout=PATIENCE)
    gate.touch()
    opened.expect_status(card, "✓ FINISHED")
    expect(card.locator(".tj-Lines")).to_contain_text("step two", timeout=PATIENCE)
    expect(card.locator(".tj-Words")).to_contain_text("done in")
    expect(card.locator(".tj-Files")).to_contain_text("tapisjob.out", timeout=PATIENCE)
    expect(card.get_by_role("button", name="Cancel")).to_be_hidden()


def test_time_ticks_on_the_page_while_another_cell_runs(notebook: Open, gate: Path) -> None:
    opened = notebook(LOAD, job_cell("ticks", until_gate(gate)), busy_cell(gate))
    opened.run(0)
    opened.run(1)
    card = opened.card("ticks")
    opened.expect_status(card, "RUNNING")
    opened.run(2, wait=False)
    words = card.locator(".tj-Words")
    shown = words.inner_text()
    until(lambda: words.inner_text() != shown)
    assert opened.is_busy(2)
    gate.touch()
    opened.expect_status(card, "FINISHED")


def test_cancel_asks_once_and_acts_while_another_cell_runs(
    notebook: Open, gate: Path, tmp_path: Path
) -> None:
    busy = tmp_path / "busy"
    opened = notebook(LOAD, job_cell("cancelled", until_gate(gate)), busy_cell(busy))
    opened.run(0)
    opened.run(1)
    card = opened.card("cancelled")
    opened.expect_status(card, "RUNNING")
    opened.run(2, wait=False)
    card.get_by_role("button", name="Cancel", exact=True).click()
    opened.expect_status(card, "RUNNING")
    card.get_by_role("button", name="Cancel the job").click()
    opened.expect_status(card, "⊘ CANCELLED")
    assert opened.is_busy(2)
    busy.touch()


def test_a_card_goes_on_when_its_kernel_is_gone(notebook: Open, gate: Path) -> None:
    opened = notebook(LOAD, job_cell("orphan", until_gate(gate)))
    opened.run(0)
    opened.run(1)
    card = opened.card("orphan")
    opened.expect_status(card, "RUNNING")
    end_kernels(opened.server)
    gate.touch()
    opened.expect_status(card, "FINISHED")


def test_the_saved_notebook_shows_the_end_anywhere_and_again_here(notebook: Open) -> None:
    opened = notebook(LOAD, job_cell("saved", "echo kept"))
    opened.run(0)
    opened.run(1)
    opened.expect_status(opened.card("saved"), "FINISHED")
    data = until(lambda: finished_output(opened.save()))
    assert "FINISHED" in "".join(data["text/html"])
    assert "FINISHED" in "".join(data["text/plain"])
    assert "kept" in data[CARD_MIME]["tail"]
    assert opened.server.token not in opened.path.read_text()
    opened.open()
    opened.expect_status(opened.card("saved"), "FINISHED")


def test_output_opens_and_grows_while_the_job_prints(notebook: Open, gate: Path) -> None:
    from playwright.sync_api import expect

    lines = ("for i in 1 2 3 4 5 6; do echo line $i; done", until_gate(gate), "echo the last line")
    opened = notebook(LOAD, job_cell("talks", *lines))
    opened.run(0)
    opened.run(1)
    card = opened.card("talks")
    opened.expect_status(card, "RUNNING")
    card.get_by_role("button", name="Output").click()
    output = card.locator(".tj-Output")
    expect(output).to_contain_text("line 1", timeout=PATIENCE)
    gate.touch()
    expect(output).to_contain_text("the last line", timeout=PATIENCE)
    assert output.inner_text().count("line 1") == 1


def test_a_job_is_submitted_again_from_its_card_and_has_a_card_there(notebook: Open) -> None:
    opened = notebook(LOAD, job_cell("twice", "echo once more"))
    opened.run(0)
    opened.run(1)
    card = opened.page.locator(".tj-Card").first
    opened.expect_status(card, "FINISHED")
    card.get_by_role("button", name="More").click()
    card.get_by_role("button", name="Resubmit").click()
    again = card.locator(".tj-Below .tj-Card")
    opened.expect_status(again, "FINISHED")
    assert again.get_attribute("data-uuid") != card.get_attribute("data-uuid")


def test_all_cards_of_a_page_share_one_connection(notebook: Open, page: Any, gate: Path) -> None:
    sockets: list[Any] = []
    page.on("websocket", lambda socket: sockets.append(socket) if "tapisjobs/live" in socket.url else None)
    opened = notebook(LOAD, *(job_cell(name, until_gate(gate)) for name in ("first", "second")))
    for index in range(3):
        opened.run(index)
    gate.touch()
    for name in ("first", "second"):
        opened.expect_status(opened.card(name), "FINISHED")
    assert len(sockets) == 1


def finished_output(saved: dict[str, Any]) -> dict[str, Any] | None:
    """Return the data of the second cell's card once it tells the end."""
    for output in saved["cells"][1]["outputs"]:
        data = output.get("data", {})
        if data.get(CARD_MIME, {}).get("job", {}).get("status") == "FINISHED":
            return dict(data)
    return None
