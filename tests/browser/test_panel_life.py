"""The grid of jobs lives on: a page loaded again, a network, kernel and server that come back."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

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
from tests.browser.lost_network import Network, behind, close_what_lab_says
from tests.conftest import TestServer, running_server, until

Open = Callable[..., Notebook]

#: What an older server may not have.
NEWER = re.compile(r"/v3/tapisjobs/(jobs/(extras|values)|hosts/[^/]+/load|code)")
UNKNOWN = '{"status": "error", "message": "JOBS_UNKNOWN_ROUTE There is no such route here.", "result": null}'
PANEL = "import jupyter_tapis_jobs as tj\ntj.connect().panel()"
#: The tab of the jobs in a layout of Lab's.
TAB = "tapisjobs:jobs"
LIVE = re.compile(r"/tapisjobs/live")


def kept_layouts(page: Any) -> list[str]:
    """Return the layouts that Lab keeps from now on, as they come."""
    kept: list[str] = []

    def hear(request: Any) -> None:
        if request.method == "PUT" and "/api/workspaces" in request.url:
            kept.append(request.post_data or "")

    page.on("requestfinished", hear)
    return kept


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
        close_what_lab_says(page)
        way.lose()
        expect(view.locator(".tj-Trouble")).to_contain_text("What is shown is from before")
        view.locator(".tj-Search").fill("away")
        expect(row(view, "far-away")).to_be_visible()
        view.locator(".ag-header-cell[col-id=name]").click()
        expect(view.locator(".ag-header-cell[col-id=name]")).to_have_attribute("aria-sort", "descending")
        expect(row(view, "far-away")).to_be_visible()
        expect(row(view, "case-99999")).to_be_visible()
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
        close_what_lab_says(page)
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
