"""The grid of jobs lives on: many jobs, a page loaded again, a network, kernel and server that come back."""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from made_jobs import job_maker

from jupyter_tapis_jobs.model.job import JobDefinition
from jupyter_tapis_jobs.model.resolve import definition_json
from jupyter_tapis_jobs.model.status import Condition, JobStatus
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store.database import Database
from tests.browser.conftest import PATIENCE, Notebook
from tests.browser.jobs_page import (
    API,
    OPEN_JOBS,
    SIGNED_OUT,
    client,
    command,
    expect,
    filter_form,
    found,
    jobs_tab,
    listeners,
    open_jobs,
    row,
    waiting_job,
)
from tests.browser.lost_network import Network, behind
from tests.conftest import TestServer, own_folders, running_server, until

Open = Callable[..., Notebook]

MANY = 10_000
#: What an older server may not have.
NEWER = re.compile(r"/v3/tapisjobs/(jobs/(extras|values)|hosts/[^/]+/load|code)")
UNKNOWN = '{"status": "error", "message": "JOBS_UNKNOWN_ROUTE There is no such route here.", "result": null}'
PANEL = "import jupyter_tapis_jobs as tj\ntj.connect().panel()"
#: The tab of the jobs in a layout of Lab's.
TAB = "tapisjobs:jobs"
LIVE = re.compile(r"/tapisjobs/live")
_CREATED = "2026-01-01T00:00:00.000000Z"
_DEFINITION = definition_json(
    JobDefinition(
        job_type="FORK",
        app_runtime="ZIP",
        container_image="tapis://local/apps/bash-1.0.zip",
        exec_system_id="local",
        exec_system_exec_dir="/work",
        exec_system_input_dir="/work",
        exec_system_output_dir="/work",
        archive_system_id="local",
        archive_system_dir="/work",
        job_working_dir="/work",
        host="localhost",
        root_dir="/",
    )
)


def fill(folder: Path, count: int) -> None:
    """Put so many ended jobs of this user into the store of a server that is yet to come."""
    make = job_maker(getpass.getuser(), "jupyter", _CREATED)
    ended = {"ended": _CREATED, "remote_started": _CREATED}
    ends = (
        {"status": JobStatus.FINISHED, "condition": Condition.NORMAL_COMPLETION, "exit_code": 0, **ended},
        {"status": JobStatus.FAILED, "condition": Condition.SCHEDULER_TIMEOUT, "exit_code": 124, **ended},
    )
    rows = [
        (make(name=f"case-{number:05d}", **ends[number % 20 == 0]), "{}", _DEFINITION)
        for number in range(count)
    ]
    database = Database.open(Path(own_folders(folder)["JUPYTER_DATA_DIR"]) / "tapisjobs")
    try:
        database.write(partial(job_rows.insert, new=rows))
    finally:
        database.close()


@pytest.fixture(scope="module")
def full_lab(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[TestServer]:
    """A JupyterLab whose user has ten thousand jobs."""
    folder = tmp_path_factory.mktemp("full")
    fill(folder, MANY)
    with running_server(folder, module="jupyterlab") as server:
        yield server


def kept_layouts(page: Any) -> list[str]:
    """Return the layouts that Lab keeps from now on, as they come."""
    kept: list[str] = []

    def hear(request: Any) -> None:
        if request.method == "PUT" and "/api/workspaces" in request.url:
            kept.append(request.post_data or "")

    page.on("requestfinished", hear)
    return kept


def test_ten_thousand_jobs_are_found_sorted_and_scrolled_with_few_rows_in_the_page(
    page: Any, full_lab: TestServer
) -> None:
    view = open_jobs(page, full_lab)
    expect(view.locator(".tj-Total")).to_have_text("10,000 jobs")
    view.locator(".tj-Chip", has_text="failed").click()
    expect(view.locator(".tj-Total")).to_have_text("500 jobs")
    view.locator(".tj-Chip", has_text="failed").click()
    view.locator(".ag-header-cell[col-id=name]").click()
    expect(row(view, "case-09999")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Control+End")
    expect(row(view, "case-00000")).to_be_visible()
    assert view.locator(".ag-row").count() < 200
    found(view, "case-0123", 10)
    expect(view.locator(".ag-row")).to_have_count(10)
    found(view, "", MANY)


def test_single_columns_are_filtered_by_the_server_together_with_words_and_states(
    page: Any, full_lab: TestServer
) -> None:
    view = open_jobs(page, full_lab)
    total, chips = view.locator(".tj-Total"), view.locator(".tj-FilterChip")
    states = filter_form(view, "status")
    expect(states).to_contain_text("FAILED 500")
    states.get_by_label("FAILED").check()
    expect(total).to_have_text("500 jobs")
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


def test_a_page_that_is_loaded_again_shows_the_jobs_again_and_their_news(
    page: Any, full_lab: TestServer, gate: Path
) -> None:
    with client(full_lab) as tapis:
        kept = kept_layouts(page)
        open_jobs(page, full_lab)
        waiting_job(tapis, gate, "loaded-again")
        # Lab keeps its tabs a moment after they change.
        until(lambda: page.wait_for_timeout(20) or any(TAB in layout for layout in kept))
        page.reload()
        view = jobs_tab(page)
        expect(row(view, "loaded-again")).to_contain_text("RUNNING")
        gate.touch()
        expect(row(view, "loaded-again")).to_contain_text("FINISHED")


def test_a_panel_outlives_its_kernel_and_a_new_one_is_made_after_the_restart(
    notebook: Open, lab: TestServer, gate: Path
) -> None:
    with client(lab) as tapis:
        book = notebook(PANEL, "1")
        book.run(0)
        view = book.cell(0).locator(".tj-Jobs")
        expect(view.locator(".tj-Total")).to_be_visible()
        waiting_job(tapis, gate, "kernel-restart")
        found(view, "kernel-restart", 1)
        # What is typed into the panel is not the notebook's: Lab's keys are there again outside of it.
        book.cell(1).locator(".cm-content").click()
        book.command("Restart Kernel…")
        book.page.locator(".jp-Dialog .jp-mod-warn").click()
        book.page.wait_for_selector(".jp-Dialog", state="detached")
        book.wait_for_kernel()
        gate.touch()
        expect(row(view, "kernel-restart")).to_contain_text("FINISHED")
        book.run(0)
        again = book.cell(0).locator(".tj-Jobs")
        expect(again).to_have_count(1)
        found(again, "kernel-restart", 1)


def test_a_lost_network_is_told_and_what_was_missed_is_seen_when_it_is_back(
    page: Any, full_lab: TestServer, gate: Path
) -> None:
    with client(full_lab) as tapis, Network(full_lab) as way:
        waiting_job(tapis, gate, "far-away")
        view = open_jobs(page, behind(full_lab, way))
        expect(row(view, "far-away")).to_contain_text("RUNNING")
        way.lose()
        expect(view.locator(".tj-Trouble")).to_contain_text("What is shown is from before")
        view.locator(".tj-Search").fill("away")
        expect(row(view, "far-away")).to_be_visible()
        view.locator(".ag-header-cell[col-id=name]").click()
        expect(view.locator(".ag-header-cell[col-id=name]")).to_have_attribute("aria-sort", "descending")
        expect(row(view, "far-away")).to_be_visible()
        expect(row(view, "case-09999")).to_be_visible()
        gate.touch()
        way.find()
        expect(row(view, "far-away")).to_contain_text("FINISHED")
        expect(view.locator(".tj-Total")).to_have_text("1 job")
        expect(view.locator(".tj-Trouble")).to_be_hidden()


def test_a_connection_that_only_went_silent_is_noticed_and_made_anew(
    page: Any, tmp_path: Path, bundle: Path, gate: Path
) -> None:
    with ExitStack() as servers:
        often = "--TapisJobsApp.keepalive_seconds=1"
        server = servers.enter_context(running_server(tmp_path / "server", often, module="jupyterlab"))
        way = servers.enter_context(Network(server))
        tapis = servers.enter_context(client(server))
        job = waiting_job(tapis, gate, "while-asleep")
        view = open_jobs(page, behind(server, way))
        expect(row(view, "while-asleep")).to_contain_text("RUNNING")
        sockets: list[Any] = []
        page.on("websocket", lambda ws: sockets.append(ws) if LIVE.search(ws.url) else None)
        way.sleep()
        # What is open stays open, and brings nothing: the page tries with a new one.
        until(lambda: page.wait_for_timeout(20) or sockets)
        gate.touch()
        job.wait(progress=False)
        way.wake()
        expect(row(view, "while-asleep")).to_contain_text("FINISHED")
        expect(view.locator(".tj-Trouble")).to_be_hidden()


def test_a_sign_in_that_has_ended_is_told_above_the_views_of_lab_and_they_recover(
    page: Any, full_lab: TestServer
) -> None:
    view = open_jobs(page, full_lab)
    page.route(API, lambda route: route.fulfill(status=401, body=SIGNED_OUT))
    view.locator(".tj-Search").fill("case-01234")
    told = page.locator("#tapisjobs-main .tj-mod-signedOut")
    expect(told).to_contain_text("not signed in at the Jupyter server any more")
    page.unroute(API)
    expect(told).to_be_hidden()
    expect(view.locator(".tj-Total")).to_have_text("1 job")


def test_an_older_server_that_lacks_a_route_says_so_in_its_place_and_the_rest_works(
    page: Any, full_lab: TestServer, gate: Path
) -> None:
    with client(full_lab) as tapis:
        page.route(NEWER, lambda route: route.fulfill(status=404, body=UNKNOWN))
        waiting_job(tapis, gate, "at-an-older-server")
        view = open_jobs(page, full_lab)
        view.locator(".ag-row").get_by_text("at-an-older-server", exact=True).dblclick()
        expect(view.locator(".tj-Dock")).to_contain_text("at-an-older-server")
        gate.touch()
        expect(row(view, "at-an-older-server")).to_contain_text("FINISHED")
        filter_form(view, "name")
        tabs = page.locator("#tapisjobs-main")
        tabs.get_by_role("tab", name="Systems", exact=True).click()
        expect(tabs.get_by_role("heading", name="local")).to_be_visible()
        tabs.get_by_role("tab", name="Submit", exact=True).click()
        tabs.get_by_role("combobox", name="App").select_option("bash 1.0")
        tabs.locator(".tj-Form").wait_for()
        expect(tabs.locator(".tj-Beside .tj-Note")).to_contain_text("There is no such route here.")


def test_a_panel_in_a_cell_and_the_tab_of_lab_have_one_connection(
    notebook: Open, lab: TestServer, gate: Path
) -> None:
    with client(lab) as tapis:
        book = notebook(PANEL)
        book.run(0)
        panel = book.cell(0).locator(".tj-Jobs")
        expect(panel.locator(".tj-Total")).to_contain_text("job")
        command(book.page, lab, OPEN_JOBS)
        tab = jobs_tab(book.page)
        waiting_job(tapis, gate, "seen-twice")
        expect(row(tab, "seen-twice")).to_contain_text("RUNNING")
        gate.touch()
        expect(row(tab, "seen-twice")).to_contain_text("FINISHED")
        until(lambda: listeners(tapis) == 1)


def test_a_server_that_was_killed_and_started_again_is_found_again_with_its_jobs(
    page: Any, tmp_path: Path, bundle: Path, gate: Path
) -> None:
    folder = tmp_path / "server"
    with ExitStack() as servers:
        first = servers.enter_context(running_server(folder, module="jupyterlab"))
        way = servers.enter_context(Network(first))
        with client(first) as tapis:
            waiting_job(tapis, gate, "through-the-end")
        view = open_jobs(page, behind(first, way))
        expect(row(view, "through-the-end")).to_contain_text("RUNNING")
        first.process.process.kill()
        first.process.process.wait()
        expect(view.locator(".tj-Trouble")).to_contain_text("What is shown is from before")
        second = servers.enter_context(running_server(folder, module="jupyterlab"))
        way.lead_to(second)
        expect(view.locator(".tj-Trouble")).to_be_hidden()
        gate.touch()
        expect(row(view, "through-the-end")).to_contain_text("FINISHED")


def test_two_tabs_of_a_browser_have_one_socket_which_goes_to_the_other_when_one_is_closed(
    page: Any, full_lab: TestServer, gate: Path
) -> None:
    other = page.context.new_page()
    other.set_default_timeout(PATIENCE)
    sockets: dict[Any, list[Any]] = {page: [], other: []}
    for one in sockets:
        one.on("websocket", lambda ws, own=sockets[one]: own.append(ws) if LIVE.search(ws.url) else None)

    def open_sockets(*pages: Any) -> int:
        return sum(not socket.is_closed() for one in pages for socket in sockets[one])

    with client(full_lab) as tapis:
        open_jobs(page, full_lab)
        view = open_jobs(other, full_lab)
        waiting_job(tapis, gate, "two-tabs")
        for one in (jobs_tab(page), view):
            expect(row(one, "two-tabs")).to_contain_text("RUNNING")
        assert open_sockets(page, other) == 1
        until(lambda: listeners(tapis) == 1)
        page.close()
        gate.touch()
        expect(row(view, "two-tabs")).to_contain_text("FINISHED")
        # The end of a closed page's socket may never be told here; the server knows it.
        until(lambda: other.wait_for_timeout(20) or (open_sockets(other), listeners(tapis)) == (1, 1))


def test_all_can_be_done_with_the_keyboard_alone(page: Any, full_lab: TestServer, gate: Path) -> None:
    with client(full_lab) as tapis:
        job = waiting_job(tapis, gate, "by-keys")
        view = open_jobs(page, full_lab)
        view.locator(".tj-Search").focus()
        page.keyboard.type("by-keys")
        expect(view.locator(".tj-Total")).to_have_text("1 job")
        keys = page.keyboard
        keys.press("Enter")
        keys.press("?")
        expect(view.locator(".tj-Help")).to_contain_text("cancel, after a question")
        keys.press("?")
        expect(view.locator(".tj-Help")).to_be_hidden()
        keys.press("Enter")
        expect(view.locator(".tj-Dock")).to_contain_text("by-keys")
        keys.press("Escape")
        # There is room again for all columns: the keyboard is at the same row once they are drawn.
        expect(row(view, "by-keys").locator(".ag-cell-focus")).to_be_focused()
        keys.press("x")
        expect(view.locator(".tj-Bulk")).to_contain_text("1 selected")
        keys.press("c")
        expect(view.locator(".tj-Question")).to_contain_text("End this job? by-keys")
        keys.press("Enter")
        expect(row(view, "by-keys")).to_contain_text("CANCELLED")
        assert job.wait().status == "CANCELLED"
