"""The jobs as a grid in a tab of Lab and in a cell: live, found, chosen; few or a hundred thousand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_tapis_jobs.client.tapis import Tapis
from tests.browser.conftest import Notebook, until_gate
from tests.browser.jobs_page import OPEN_JOBS, expect, filter_form, found, open_jobs, row
from tests.browser.many_jobs import MANY
from tests.conftest import TestServer

Open = Callable[..., Notebook]

PANEL = "import jupyter_tapis_jobs as tj\ntj.connect().panel()"


@pytest.fixture
def tapis(lab: TestServer) -> Iterator[Tapis]:
    """A client of the Lab's server."""
    client = lab.tapis()
    yield client
    client.connection.close()


def scroll_to(view: Any, number: int) -> None:
    """Scroll until the row with this number is the first that is seen, as dragging the bar does."""
    height = view.locator(".ag-row").first.evaluate("node => node.offsetHeight")
    view.locator(".ag-grid-viewport").evaluate("(node, top) => (node.scrollTop = top)", number * height)


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_the_panel_in_a_cell_moves_while_the_kernel_is_busy(
    notebook: Open, tapis: Tapis, gate: Path, tmp_path: Path, app: str
) -> None:
    busy, name = tmp_path / "busy", f"seen-in-{app}"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(busy)!r}).exists():\n    time.sleep(0.05)"
    opened = notebook(PANEL, wait, app=app)
    opened.run(0)
    view = opened.cell(0).locator(".tj-Jobs")
    expect(view.locator(".tj-Total")).to_be_visible()
    opened.run(1, wait=False)
    for one in (name, f"{name}-ended"):
        tapis.submit("bash", script=until_gate(gate), name=one, maxMinutes=5)
    found(view, name, 2)
    expect(row(view, name)).to_contain_text("RUNNING")
    time = row(view, name).locator("[col-id=time]")
    expect(time).not_to_have_text(time.inner_text())
    row(view, f"{name}-ended").locator(".tj-Pick").click()
    view.get_by_role("button", name="Cancel…", exact=True).click()
    view.locator(".tj-Question").get_by_role("button", name="Cancel the job").click()
    expect(row(view, f"{name}-ended")).to_contain_text("CANCELLED")
    gate.touch()
    expect(row(view, name)).to_contain_text("FINISHED")
    assert opened.is_busy(1)
    busy.touch()


def test_chosen_jobs_are_cancelled_in_the_tab_after_one_question(
    notebook: Open, tapis: Tapis, gate: Path
) -> None:
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
        expect(row(view, name)).to_contain_text("CANCELLED")
    expect(view.locator(".tj-Chip", has_text="cancelled")).to_contain_text("2")
    gate.touch()
    assert jobs[2].wait().status == "FINISHED"
    expect(row(view, names[2])).to_contain_text("FINISHED")


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
    expect(row(view, alone.name)).to_be_visible()
    studies = view.get_by_role("group", name="Filter by study")
    study = studies.get_by_role("button", name=re.compile("^beside "))
    expect(study).to_have_accessible_name("beside 0 of 3 ended")
    study.focus()
    opened.page.keyboard.press("Space")
    expect(view.locator(".tj-Total")).to_have_text("3 jobs")
    expect(study).to_have_attribute("aria-pressed", "true")
    expect(row(view, alone.name)).to_have_count(0)
    for number in (1, 2, 3):
        expect(row(view, f"beside-{number}")).to_be_visible()
    gate.touch()
    expect(study).to_have_accessible_name("beside 3 of 3 ended")
    expect(view.locator(".tj-Chip", has_text="finished")).to_contain_text("3")
    view.get_by_role("button", name="Studies", exact=True).click()
    expect(studies).to_be_hidden()
    view.get_by_role("button", name="Study beside").click()
    expect(row(view, alone.name)).to_be_visible()


def test_a_hostile_name_is_text_in_the_grid_and_in_the_question(
    notebook: Open, tapis: Tapis, gate: Path
) -> None:
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


# --- a hundred thousand -----------------------------------------------------------------------
def test_a_hundred_thousand_jobs_are_found_sorted_and_scrolled_with_few_rows_in_the_page(
    page: Any, full_lab: TestServer
) -> None:
    view = open_jobs(page, full_lab)
    expect(view.locator(".tj-Total")).to_have_text("100,000 jobs")
    view.locator(".tj-Chip", has_text="failed").click()
    expect(view.locator(".tj-Total")).to_have_text("5,000 jobs")
    view.locator(".tj-Chip", has_text="failed").click()
    view.locator(".ag-header-cell[col-id=name]").click()
    expect(row(view, "case-99999")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Control+End")
    expect(row(view, "case-00000")).to_be_visible()
    assert view.locator(".ag-row").count() < 200
    found(view, "case-0123", 10)
    expect(view.locator(".ag-row")).to_have_count(10)
    found(view, "", MANY)


def test_pages_of_rows_that_were_left_long_ago_are_not_kept_and_fetched_again(
    page: Any, full_lab: TestServer
) -> None:
    view = open_jobs(page, full_lab)
    view.locator(".ag-header-cell[col-id=name]").click()
    expect(row(view, "case-99999")).to_be_visible()
    # The grid keeps twenty pages of a hundred rows.
    for number in range(1, 26):
        scroll_to(view, 100 * number)
        expect(row(view, f"case-{99_999 - 100 * number}")).to_be_visible()
    with page.expect_request(lambda request: "skip=0&" in request.url):
        scroll_to(view, 0)
    expect(row(view, "case-99999")).to_be_visible()


def test_single_columns_are_filtered_by_the_server_together_with_words_and_states(
    page: Any, full_lab: TestServer
) -> None:
    view = open_jobs(page, full_lab)
    total, chips = view.locator(".tj-Total"), view.locator(".tj-FilterChip")
    states = filter_form(view, "status")
    expect(states).to_contain_text("FAILED 5,000")
    states.get_by_label("FAILED").check()
    expect(total).to_have_text("5,000 jobs")
    page.keyboard.press("Escape")
    expect(states).to_be_hidden()
    # The keyboard alone opens the filter of the column where it is.
    view.locator(".ag-row .ag-cell[col-id=name]").first.click()
    page.keyboard.press("f")
    expect(view.locator(".tj-ColumnFilter input").first).to_be_focused()
    page.keyboard.type("case-01")
    page.keyboard.press("Enter")
    expect(total).to_have_text("50 jobs")
    found(view, "case-012", 5)
    days = filter_form(view, "created")
    days.locator("input").first.fill("2026-02-01")
    expect(total).to_have_text("0 jobs")
    expect(view).to_contain_text("No job is like this.")
    days.get_by_role("button", name="Clear").click()
    expect(total).to_have_text("5 jobs")
    page.keyboard.press("Escape")
    expect(chips).to_have_text(["State is FAILED✕", "Name contains case-01✕"])
    expect(view.get_by_role("button", name="failed 5", exact=True)).to_be_visible()
    chips.first.click()
    found(view, "", 1000)
    chips.first.click()
    expect(total).to_have_text(f"{MANY:,} jobs")


def test_all_that_a_filter_finds_are_chosen_and_counted_also_when_another_filter_hides_them(
    page: Any, full_lab: TestServer
) -> None:
    view = open_jobs(page, full_lab)
    found(view, "case-01", 1000)
    row(view, "case-01999").locator(".tj-Pick").click()
    view.get_by_role("button", name="Select all 1,000").click()
    expect(view.locator(".tj-Bulk")).to_contain_text("1,000 selected")
    found(view, "case-012", 100)
    expect(view.locator(".tj-Bulk")).to_contain_text("1,000 selected, 900 not in view")
