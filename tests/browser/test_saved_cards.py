"""Cards of notebooks that come from elsewhere: shown as saved, harmless, and readable in every theme."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import nbformat
import pytest

from jupyter_tapis_jobs.model.status import JobStatus
from tests.browser.accessibility import CONTRAST, faults
from tests.browser.conftest import CARD_MIME, PATIENCE, Notebook, choose_theme
from tests.conftest import TestServer

Open = Callable[..., Notebook]

#: What a job may print, name itself or write; none of it may become HTML.
HOSTILE = '<img src=x onerror="window.harmed=1"><script>window.harmed=1</script></pre>\u202eevil'


def saved_cell(status: str, **more: Any) -> nbformat.NotebookNode:
    """Return an executed cell that shows a job this server has never heard of."""
    uuid = f"00000000-0000-4000-8000-{abs(hash(status)) % 10**12:012d}-007"
    row = {
        "uuid": uuid,
        "status": status,
        "created": "2026-01-01T10:00:00.000000Z",
        "lastUpdated": "2026-01-01T10:02:00.000000Z",
        "execSystemId": "frontera",
        "maxMinutes": 5,
        **more.pop("job", {}),
    }
    if status in ("FINISHED", "FAILED", "CANCELLED"):
        row["ended"] = "2026-01-01T10:03:05.000000Z"
    card = {"uuid": uuid, "name": status.lower(), "job": row, "history": [], "tail": [], "outputs": []} | more
    data = {CARD_MIME: card, "text/html": "<div>plain HTML</div>", "text/plain": "plain text"}
    output = nbformat.v4.new_output("display_data", data=data)
    return nbformat.v4.new_code_cell("job", outputs=[output], execution_count=1)


def test_a_job_of_another_server_is_shown_as_saved_without_buttons(notebook: Open) -> None:
    from playwright.sync_api import expect

    opened = notebook(saved_cell("RUNNING", tail=["step 180 of 500"]), saved_cell("FINISHED"))
    running, finished = opened.card("running"), opened.card("finished")
    expect(running.locator(".tj-Words")).to_contain_text("last known at", timeout=PATIENCE)
    expect(running.locator(".tj-Lines")).to_have_text("step 180 of 500")
    expect(finished.locator(".tj-Words")).to_have_text("done in 3 min 05 s")
    expect(opened.page.locator(".tj-Card button:visible")).to_have_count(0)


def test_text_of_a_job_is_never_html(notebook: Open) -> None:
    from playwright.sync_api import expect

    failure = {"cause": HOSTILE, "evidence": HOSTILE, "nextStep": HOSTILE}
    outputs = [{"path": HOSTILE, "size": 7}]
    cell = saved_cell(
        "FAILED",
        name=HOSTILE,
        tail=[HOSTILE],
        outputs=outputs,
        failure=failure,
        job={"execSystemId": HOSTILE},
    )
    opened = notebook(cell)
    card = opened.page.locator(".tj-Card")
    expect(card.locator(".tj-Lines")).to_contain_text("<script>", timeout=PATIENCE)
    expect(card.locator(".tj-Failure")).to_contain_text("<img")
    expect(card.locator("img, script, a")).to_have_count(0)
    assert opened.page.evaluate("window.harmed") is None
    assert "\u202e" not in card.inner_text()


def test_damaged_cards_do_not_harm_the_page(notebook: Open) -> None:
    from playwright.sync_api import expect

    odd = (None, 7, "text", [], {}, {"uuid": {}, "job": 3, "history": [[]], "tail": "no"})
    opened = notebook(*map(damaged_cell, odd), saved_cell("CANCELLED"))
    expect(opened.card("cancelled").locator(".tj-Status")).to_contain_text("CANCELLED", timeout=PATIENCE)


def damaged_cell(card: Any) -> nbformat.NotebookNode:
    """Return an executed cell whose card is something else."""
    cell = saved_cell("FINISHED")
    cell.outputs[0].data[CARD_MIME] = card
    return cell


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_all_states_can_be_read_in_every_theme(notebook: Open, lab: TestServer, theme: str) -> None:
    from playwright.sync_api import expect

    choose_theme(lab, theme)
    failure = {"cause": "exit code 1", "evidence": "No module named 'scipy'", "nextStep": "job.history()"}
    states = [saved_cell(s, tail=["a line"], failure=failure if s == "FAILED" else None) for s in JobStatus]
    opened = notebook(*states)
    choose_theme(lab, "JupyterLab Light")
    opened.page.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
    opened.page.set_viewport_size({"width": 1000, "height": 3600})
    expect(opened.page.locator(".tj-Card")).to_have_count(len(JobStatus), timeout=PATIENCE)
    faint = faults(opened.page, ".tj-Card", CONTRAST)
    assert not faint, json.dumps(faint, indent=1)
