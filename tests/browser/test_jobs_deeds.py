"""What a person does with chosen jobs and with the columns of the grid, and that all of it can be read."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import CONTRAST, faults
from tests.browser.jobs_page import (
    client,
    command,
    expect,
    filter_form,
    found,
    jobs_tab,
    open_jobs,
    row,
    waiting_job,
)
from tests.conftest import TestServer, running_server

STATUSES = (
    "PENDING", "STAGING_INPUTS", "QUEUED", "RUNNING", "ARCHIVING", "FINISHED", "FAILED", "CANCELLED",
    "PAUSED", "BLOCKED",
)  # fmt: skip
PACKAGE = """
from jupyter_tapis_jobs.model.row_extras import JobAction, JobColumn

DRIFT = JobColumn(title="Drift <b>mm</b>", kind="number", value=lambda row: len(row["name"]))
PRAISE = JobAction(title="Praise", confirm="Praise them?", statuses=("FINISHED",), run=lambda row: "done")
"""
ENTRY_POINTS = """
[jupyter_tapis_jobs.job_columns]
drift = praising:DRIFT
broken = praising:NOTHING

[jupyter_tapis_jobs.job_actions]
praise = praising:PRAISE
"""


def choose(view: Any, *names: str) -> None:
    """Tick the boxes of jobs."""
    for name in names:
        row(view, name).locator(".tj-Pick").click()
    expect(view.locator(".tj-BulkBar")).to_contain_text(f"{len(names)} selected")


def test_hidden_jobs_leave_the_list_and_an_undo_brings_them_back(page: Any, lab: TestServer) -> None:
    with client(lab) as tapis:
        for number in range(3):
            tapis.submit("bash", script="true", name=f"hide-{number}").wait(progress=False)
    view = open_jobs(page, lab)
    found(view, "hide-", 3)
    choose(view, "hide-0", "hide-1")
    view.get_by_role("button", name="Hide", exact=True).click()
    expect(view.locator(".tj-Results")).to_contain_text("2 of 2 are hidden.")
    expect(view.locator(".tj-Total")).to_have_text("1 job")
    view.get_by_role("button", name="Undo").click()
    expect(view.locator(".tj-Total")).to_have_text("3 jobs")
    page.keyboard.press("Escape")
    row(view, "hide-2").locator(".ag-cell[col-id=name]").click()
    page.keyboard.press("h")
    expect(view.locator(".tj-Total")).to_have_text("2 jobs")
    view.get_by_role("button", name="Columns").click()
    view.get_by_label("hidden jobs, too").check()
    expect(view.locator(".tj-Total")).to_have_text("3 jobs")
    choose(view, "hide-2")
    view.get_by_role("button", name="Show again").click()
    view.get_by_label("hidden jobs, too").uncheck()
    expect(row(view, "hide-2")).to_be_visible()
    expect(view.locator(".tj-Total")).to_have_text("3 jobs")


def test_chosen_jobs_are_submitted_again_shared_and_downloaded(
    page: Any, lab: TestServer, tmp_path: Path
) -> None:
    with client(lab) as tapis:
        for number in range(2):
            job = tapis.submit("bash", script=f"echo {number} > found.txt", name=f"repeated-{number}")
            job.wait(progress=False)
        view = open_jobs(page, lab)
        found(view, "repeated-", 2)
        choose(view, "repeated-0", "repeated-1")
        view.get_by_role("button", name="Share…").click()
        view.locator(".tj-Share input[type=text]").fill("grace")
        page.keyboard.press("Enter")
        expect(view.locator(".tj-Results")).to_contain_text("2 of 2 are shared with grace.")
        shares = tapis.connection.call("GET", f"/v3/jobs/{job.uuid}/share").result
        assert {(share["grantee"], share["jobResource"]) for share in shares} == {
            ("grace", "JOB_HISTORY"),
            ("grace", "JOB_OUTPUT"),
        }
        row(view, "repeated-0").locator(".tj-Pick").click()
        with page.expect_download() as download:
            view.get_by_role("button", name="Download").click()
        download.value.save_as(tmp_path / "outputs.zip")
        with zipfile.ZipFile(tmp_path / "outputs.zip") as outputs:
            assert any(name.endswith("found.txt") for name in outputs.namelist())
        row(view, "repeated-0").locator(".tj-Pick").click()
        view.get_by_role("button", name="Submit again…").click()
        expect(view.locator(".tj-Question")).to_contain_text("Submit these 2 jobs again?")
        view.get_by_role("button", name="Submit 2 jobs").click()
        expect(view.locator(".tj-Results")).to_contain_text("2 of 2 are submitted again.")
        expect(view.locator(".tj-Total")).to_have_text("4 jobs")


def test_a_waiting_job_is_paused_and_goes_on_after_an_undo_and_one_that_runs_says_why_not(
    page: Any, tmp_path: Path, bundle: Path, gate: Path
) -> None:
    one_by_one = "--TapisJobsApp.fork_cores=1"
    with (
        running_server(tmp_path / "server", one_by_one, module="jupyterlab") as server,
        client(server) as tapis,
    ):
        waiting_job(tapis, gate, "before")
        view = open_jobs(page, server)
        expect(row(view, "before")).to_contain_text("RUNNING")
        tapis.submit("bash", script="true", name="behind", maxMinutes=1)
        expect(row(view, "behind")).to_be_visible()
        choose(view, "before", "behind")
        view.get_by_role("button", name="Pause", exact=True).click()
        expect(view.locator(".tj-Results")).to_contain_text("1 of 2 are held.")
        expect(view.locator(".tj-Results")).to_contain_text("it began already and cannot be held")
        expect(row(view, "behind")).to_contain_text("PAUSED")
        view.get_by_role("button", name="Undo").click()
        expect(view.locator(".tj-Results")).to_contain_text("1 of 1 are as they were.")
        gate.touch()
        expect(row(view, "behind")).to_contain_text("FINISHED")


def test_columns_are_chosen_kept_under_a_name_and_found_again_by_a_page_that_is_loaded_again(
    page: Any, lab: TestServer
) -> None:
    with client(lab) as tapis:
        tapis.submit("bash", script="true", name="columns", tags=["<u>mine</u>"])
    view = open_jobs(page, lab)
    found(view, "columns", 1)
    view.get_by_role("button", name="Columns").click()
    view.get_by_label("Tags", exact=True).check()
    view.get_by_label("App", exact=True).uncheck()
    expect(row(view, "columns")).to_contain_text("<u>mine</u>")
    filter_form(view, "name").locator("input").first.fill("column")
    expect(view.locator(".tj-FilterChip")).to_have_text("Name contains column✕")
    view.get_by_label("Name of this set of columns").fill("with tags")
    view.get_by_role("button", name="Save").click()
    view.get_by_role("button", name="As at first").click()
    expect(view.locator(".ag-header-cell[col-id=tags]")).to_have_count(0)
    expect(view.locator(".tj-FilterChip")).to_have_count(0)
    view.get_by_role("button", name="with tags", exact=True).click()
    expect(view.locator(".ag-header-cell[col-id=tags]")).to_be_visible()
    expect(view.locator(".tj-FilterChip")).to_have_count(1)
    page.reload()
    again = jobs_tab(page)
    expect(again.locator(".tj-FilterChip")).to_have_text("Name contains column✕")
    expect(again.locator(".tj-Total")).to_have_text("1 job")
    expect(again.locator(".ag-header-cell[col-id=tags]")).to_be_visible()
    expect(again.locator(".ag-header-cell[col-id=appId]")).to_have_count(0)
    again.get_by_role("button", name="Columns").click()
    expect(again.get_by_role("button", name="with tags", exact=True)).to_be_visible()


@pytest.fixture
def praising_lab(tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestServer]:
    """A Lab beside which a package is installed that adds a column, an action and a mistake."""
    packages = tmp_path / "packages"
    facts = packages / "praising-1.0.dist-info"
    facts.mkdir(parents=True)
    (packages / "praising.py").write_text(PACKAGE)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: praising\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(packages), os.environ.get("PYTHONPATH", "")]))
    with running_server(tmp_path / "server", module="jupyterlab") as server:
        yield server


def test_a_column_and_an_action_of_another_package_are_in_the_grid_and_its_mistake_is_told(
    page: Any, praising_lab: TestServer
) -> None:
    with client(praising_lab) as tapis:
        for name, script in (("good", "true"), ("wrong", "exit 1")):
            tapis.submit("bash", script=script, name=name).wait(progress=False, check=False)
    view = open_jobs(page, praising_lab)
    expect(view.locator(".ag-header-cell", has_text="Drift <b>mm</b>")).to_be_visible()
    expect(row(view, "wrong").locator('[col-id="extra:drift"]')).to_have_text("5")
    expect(view.locator(".tj-Note")).to_contain_text("broken (praising:NOTHING) cannot be loaded")
    choose(view, "good", "wrong")
    view.get_by_role("button", name="Praise…").click()
    expect(view.locator(".tj-Question")).to_contain_text("Praise them? (2 jobs)")
    view.get_by_role("button", name="Praise", exact=True).click()
    expect(view.locator(".tj-Results")).to_contain_text("Praise: 1 of 2.")
    expect(view.locator(".tj-Refused")).to_contain_text("wrong: Praise is for jobs that are FINISHED.")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_every_text_of_the_grid_has_enough_contrast_in_every_state(
    page: Any, lab: TestServer, theme: str
) -> None:
    def as_all_states(route: Any) -> None:
        """What the server answers, with as many rows as there are states."""
        answer = route.fetch()
        told = answer.json()
        (first, *_) = told["result"]
        told["result"] = [
            {**first, "uuid": f"{number}-007", "name": f"state-{number}", "status": status}
            for number, status in enumerate(STATUSES)
        ]
        told["metadata"]["totalCount"] = len(STATUSES)
        route.fulfill(response=answer, json=told)

    def as_many(route: Any) -> None:
        answer = route.fetch()
        told = answer.json()
        told["result"]["counts"] = dict.fromkeys(STATUSES, 1)
        route.fulfill(response=answer, json=told)

    with client(lab) as tapis:
        tapis.submit("bash", script="true", name="contrast").wait(progress=False)
    page.route("**/v3/jobs/search?*", as_all_states)
    page.route("**/v3/tapisjobs/jobs/counts*", as_many)
    view = open_jobs(page, lab)
    if theme == "JupyterLab Dark":
        command(page, lab, "Theme: JupyterLab Dark")
        page.wait_for_selector('body[data-jp-theme-light="false"]', state="attached")
    choose(view, "state-3", "state-6")
    view.get_by_role("button", name="Columns").click()
    view.get_by_role("button", name="Cancel…").click()
    expect(view.locator(".tj-Question")).to_be_visible()
    expect(view.locator(".tj-Chip:visible")).to_have_count(len(STATUSES))
    faint = faults(page, "#tapisjobs-main .tj-Jobs", CONTRAST)
    assert not faint, faint
