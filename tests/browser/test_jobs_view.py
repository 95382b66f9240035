"""The jobs as a grid: in a tab of Lab and in a cell, live, found, chosen and cancelled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_tapis_jobs.client.tapis import Tapis
from tests.browser.conftest import PATIENCE, Notebook, until_gate
from tests.conftest import TestServer

Open = Callable[..., Notebook]

PANEL = "import jupyter_tapis_jobs as tj\ntj.connect().panel()"
OPEN_JOBS = "Tapis Jobs: Open the jobs"


@pytest.fixture
def tapis(lab: TestServer) -> Iterator[Tapis]:
    """A client of the Lab's server."""
    client = lab.tapis()
    yield client
    client.connection.close()


def row(view: Any, name: str) -> Any:
    """Return the row of the job with this name."""
    return view.locator(".ag-row").filter(has=view.page.get_by_text(name, exact=True))


def found(view: Any, words: str, number: int) -> None:
    """Search for *words*, and wait until so many jobs are found."""
    from playwright.sync_api import expect

    view.locator(".tj-Search").fill(words)
    expect(view.locator(".tj-Total")).to_have_text(f"{number} job{'s' * (number != 1)}", timeout=PATIENCE)


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_the_panel_in_a_cell_moves_while_the_kernel_is_busy(
    notebook: Open, tapis: Tapis, gate: Path, tmp_path: Path, app: str
) -> None:
    from playwright.sync_api import expect

    busy, name = tmp_path / "busy", f"seen-in-{app}"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(busy)!r}).exists():\n    time.sleep(0.05)"
    opened = notebook(PANEL, wait, app=app)
    opened.run(0)
    view = opened.cell(0).locator(".tj-Jobs")
    expect(view.locator(".tj-Total")).to_be_visible(timeout=PATIENCE)
    opened.run(1, wait=False)
    for one in (name, f"{name}-ended"):
        tapis.submit("bash", script=until_gate(gate), name=one, maxMinutes=5)
    found(view, name, 2)
    expect(row(view, name)).to_contain_text("RUNNING", timeout=PATIENCE)
    time = row(view, name).locator("[col-id=time]")
    expect(time).not_to_have_text(time.inner_text(), timeout=PATIENCE)
    row(view, f"{name}-ended").locator(".tj-Pick").click()
    view.get_by_role("button", name="Cancel…", exact=True).click()
    view.locator(".tj-Question").get_by_role("button", name="Cancel the job").click()
    expect(row(view, f"{name}-ended")).to_contain_text("CANCELLED", timeout=PATIENCE)
    gate.touch()
    expect(row(view, name)).to_contain_text("FINISHED", timeout=PATIENCE)
    assert opened.is_busy(1)
    busy.touch()


def test_chosen_jobs_are_cancelled_in_the_tab_after_one_question(
    notebook: Open, tapis: Tapis, gate: Path
) -> None:
    from playwright.sync_api import expect

    names = [f"tab-{number}" for number in range(3)]
    jobs = [tapis.submit("bash", script=until_gate(gate), name=name, maxMinutes=5) for name in names]
    opened = notebook("1")
    opened.command(OPEN_JOBS)
    view = opened.page.locator("#tapisjobs-main .tj-Jobs")
    found(view, "tab-", 3)
    for name in names[:2]:
        row(view, name).locator(".tj-Pick").click()
    expect(view.locator(".tj-Bulk")).to_contain_text("2 selected")
    opened.page.keyboard.press("c")
    expect(view.locator(".tj-Question")).to_contain_text("End these 2 jobs?")
    view.get_by_role("button", name="Cancel 2 jobs").click()
    for name in names[:2]:
        expect(row(view, name)).to_contain_text("CANCELLED", timeout=PATIENCE)
    expect(view.locator(".tj-Chip", has_text="cancelled")).to_contain_text("2", timeout=PATIENCE)
    gate.touch()
    assert jobs[2].wait().status == "FINISHED"
    expect(row(view, names[2])).to_contain_text("FINISHED", timeout=PATIENCE)


def test_the_grid_shows_the_jobs_of_the_study_that_is_chosen_beside_it(
    notebook: Open, tapis: Tapis, gate: Path
) -> None:
    from playwright.sync_api import expect

    script = f"{until_gate(gate)} # {{{{ k }}}}"
    tapis.study("beside", "bash", cases={"k": [1, 2, 3]}, script=script, maxMinutes=5).run()
    alone = tapis.submit("bash", script="true", name="in-no-study")
    opened = notebook("1")
    opened.page.set_viewport_size({"width": 1600, "height": 900})
    opened.command(OPEN_JOBS)
    view = opened.page.locator("#tapisjobs-main .tj-Jobs")
    expect(row(view, alone.name)).to_be_visible(timeout=PATIENCE)
    studies = view.get_by_role("group", name="Filter by study")
    study = studies.get_by_role("button", name=re.compile("^beside "))
    expect(study).to_have_accessible_name("beside 0 of 3 ended", timeout=PATIENCE)
    study.focus()
    opened.page.keyboard.press("Space")
    expect(view.locator(".tj-Total")).to_have_text("3 jobs", timeout=PATIENCE)
    expect(study).to_have_attribute("aria-pressed", "true")
    expect(row(view, alone.name)).to_have_count(0)
    for number in (1, 2, 3):
        expect(row(view, f"beside-{number}")).to_be_visible(timeout=PATIENCE)
    gate.touch()
    expect(study).to_have_accessible_name("beside 3 of 3 ended", timeout=PATIENCE)
    expect(view.locator(".tj-Chip", has_text="finished")).to_contain_text("3", timeout=PATIENCE)
    view.get_by_role("button", name="Studies", exact=True).click()
    expect(studies).to_be_hidden()
    view.get_by_role("button", name="Study beside").click()
    expect(row(view, alone.name)).to_be_visible(timeout=PATIENCE)


def test_a_hostile_name_is_text_in_the_grid_and_in_the_question(
    notebook: Open, tapis: Tapis, gate: Path
) -> None:
    from playwright.sync_api import expect

    name = "<img src=x onerror=window.harmed=1>"
    job = tapis.submit("bash", script=until_gate(gate), name=name, maxMinutes=5)
    opened = notebook("1")
    opened.command(OPEN_JOBS)
    view = opened.page.locator("#tapisjobs-main .tj-Jobs")
    found(view, job.uuid, 1)
    row(view, name).locator(".tj-Pick").click()
    view.get_by_role("button", name="Cancel…").click()
    expect(view.locator(".tj-Question")).to_contain_text(name)
    assert opened.page.evaluate("window.harmed") is None
    gate.touch()
    job.wait()
