"""What the extension adds around the views in Lab: cells, commands, status bar, notifications, editor."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from made_systems import made_up_cluster

from jupyter_tapis_jobs.client.tapis import Tapis
from tests.browser.conftest import PATIENCE, STARTED, Notebook, signed_in, until_gate
from tests.browser.jobs_page import lab_page, row
from tests.conftest import TestServer, running_server

MAIN = "#tapisjobs-main"
TOAST = ".Toastify__toast"
#: A few of our words in another language, as a language pack has them.
DOMAIN = "jupyter_tapis_jobs"
GERMAN = {
    "Open the jobs": ["Aufträge öffnen"],
    "Jobs": ["Aufträge"],
    "Submit…": ["Absenden…"],
    "Search jobs": ["Aufträge suchen"],
}
#: The colour of the innermost element that begins with some words.
COLOUR = """(cell, words) => {
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (data.startsWith(words)) return getComputedStyle(parentElement).color;
  }
  return null;
}"""

#: What one of its places shows when it is there.
PLACES = {
    "Jobs": "in-the-sidebar",
    "Studies": "narrow",
    "Systems": "The server's own machine.",
    "Apps": "bash 1.0",
    "Submit": "Open a cell or JSON",
}
#: What is wider than the sidebar, and the controls of which a part cannot be seen.
CUT_OFF = """side => {
  const isSeen = node => node.checkVisibility() && node.getClientRects().length > 0;
  const style = node => getComputedStyle(node);
  const wide = [side, ...side.querySelectorAll('.tj-Frame, .tj-Frame > .tj-Tabs > .tj-TabPanel')];
  const isWide = node => node.scrollWidth > node.clientWidth;
  const controls = [...side.querySelectorAll('button, input, select, textarea, summary, [role=tab]')];
  const isCut = control => {
    const { left, right } = control.getBoundingClientRect();
    for (let each = control.parentElement; each !== side.parentElement; each = each.parentElement) {
      const box = each.getBoundingClientRect();
      if (style(each).overflowX !== 'visible' && (left < box.left - 1 || right > box.right + 1)) return true;
    }
    const isLabel = control.matches('button, summary') && style(control).textOverflow !== 'ellipsis';
    return isLabel && control.scrollWidth > control.clientWidth + 1;
  };
  const found = [...wide.filter(isSeen).filter(isWide), ...controls.filter(isSeen).filter(isCut)];
  return found.map(node => `${node.className}: ${node.textContent.slice(0, 30)}`);
}"""


def expect(locator: Any) -> Any:
    """Playwright's, imported when it is used: this file is read also where there is no browser."""
    from playwright.sync_api import expect

    return expect(locator)


#: A cluster that nobody connects to.
CLUSTER = made_up_cluster([{"name": name, "hpcQueueName": name} for name in ("large", "normal")])


@pytest.fixture(scope="module")
def own_lab(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[TestServer]:
    """A JupyterLab whose jobs nobody else counts."""
    with running_server(tmp_path_factory.mktemp("own_lab"), module="jupyterlab") as server:
        yield server


@pytest.fixture
def opened(notebook: Callable[..., Notebook], own_lab: TestServer) -> Callable[..., Notebook]:
    """``opened(*cells)``: an open notebook in that Lab."""
    return lambda *cells: notebook(*cells, server=own_lab)


@pytest.fixture
def tapis(own_lab: TestServer) -> Iterator[Tapis]:
    """A client of that Lab's server."""
    client = own_lab.tapis()
    yield client
    client.connection.close()


def test_who_has_no_jobs_yet_gets_cells_that_run_the_first_one(
    opened: Callable[..., Notebook], page: Any
) -> None:
    lab = opened("")
    lab.command("Open the jobs")
    page.locator(MAIN).get_by_role("button", name="Insert a cell that runs the first one").click()
    expect(lab.cell(0).locator(".cm-content")).to_have_text("%load_ext jupyter_tapis_jobs", timeout=PATIENCE)
    expect(lab.cell(1).locator(".cm-content")).to_contain_text("%%tapisjob python", timeout=PATIENCE)
    lab.run(0)
    lab.run(1)
    lab.expect_status(lab.card("first-job"), "FINISHED")


def test_the_status_bar_counts_and_a_failure_pops_up_and_leads_to_its_job(
    opened: Callable[..., Notebook], tapis: Tapis, page: Any, gate: Path
) -> None:
    opened("1")
    item = page.locator(".tj-StatusButton")
    expect(item).to_have_text("▶ 0  ◷ 0", timeout=PATIENCE)
    running = tapis.submit("bash", script=until_gate(gate), name="long", maxMinutes=5)
    expect(item).to_have_text("▶ 1  ◷ 0", timeout=PATIENCE)
    tapis.submit("bash", script="exit 3", name="<b>broken</b>")
    toast = page.locator(TOAST).filter(has_text="<b>broken</b> failed")
    expect(toast).to_be_visible(timeout=PATIENCE)
    expect(item).to_have_text("▶ 1  ◷ 0  ✗ 1", timeout=PATIENCE)
    expect(item).to_have_attribute("aria-label", re.compile("1 running, 0 waiting, .*1 failed within a day"))
    toast.get_by_role("button", name="Show").click()
    expect(page.locator(f"{MAIN} .tj-Details")).to_contain_text("<b>broken</b>", timeout=PATIENCE)
    gate.touch()
    running.wait(progress=False)
    expect(item).to_have_text("▶ 0  ◷ 0  ✗ 1", timeout=PATIENCE)


def test_a_study_is_told_once_when_all_its_cases_have_ended(
    opened: Callable[..., Notebook], tapis: Tapis, page: Any, gate: Path
) -> None:
    opened("1")
    expect(page.locator(".tj-StatusButton")).to_contain_text("▶ 0", timeout=PATIENCE)
    script = f"[ {{{{ k }}}} -eq 1 ] || {until_gate(gate)}"
    study = tapis.study("frames", "bash", cases={"k": [1, 2, 3]}, script=script, maxMinutes=5)
    study.run()
    expect(page.locator(".tj-StatusButton")).to_contain_text("▶ 2", timeout=PATIENCE)
    toasts = page.locator(TOAST)
    gate.touch()
    told = toasts.filter(has_text="Study frames has ended: ✓ 3 done")
    expect(told).to_be_visible(timeout=PATIENCE)
    assert toasts.filter(has_text="is done after").count() == 0
    told.get_by_role("button", name="Show").click()
    expect(page.locator(MAIN).get_by_text("frames", exact=True).first).to_be_visible(timeout=PATIENCE)


def test_in_quiet_hours_a_failure_is_kept_in_the_list_and_nothing_pops_up(
    opened: Callable[..., Notebook], own_lab: TestServer, tapis: Tapis, page: Any
) -> None:
    now = datetime.now()
    hours = {
        "quietFrom": f"{now - timedelta(hours=1):%H:%M}",
        "quietUntil": f"{now + timedelta(hours=2):%H:%M}",
    }
    set_in_lab(own_lab, "jupyter-tapis-jobs:notify", hours)
    # Lab's own question, whether one wants its news.
    set_in_lab(own_lab, "@jupyterlab/apputils-extension:notification", {"fetchNews": "false"})
    # Wide enough for all of the status bar.
    page.set_viewport_size({"width": 1700, "height": 900})
    opened("1")
    expect(page.locator(".tj-StatusButton")).to_contain_text("▶ 0", timeout=PATIENCE)
    kept = page.locator(".jp-Notification-Status [role=button]")
    expect(kept).to_have_attribute("title", "No notifications", timeout=PATIENCE)
    tapis.submit("bash", script="exit 3", name="at-night")
    expect(kept).to_have_attribute("title", "1 notification", timeout=PATIENCE)
    assert page.locator(TOAST).count() == 0
    set_in_lab(own_lab, "jupyter-tapis-jobs:notify", {})


def set_in_lab(server: TestServer, plugin: str, settings: dict[str, str]) -> None:
    """Store a person's settings of one plugin; pages that are loaded from now on have them."""
    url = f"{server.url}lab/api/settings/{plugin}"
    httpx.put(url, json={"raw": json.dumps(settings)}, headers=signed_in(server)).raise_for_status()


def test_the_jobs_open_by_a_shortcut_from_the_launcher_and_from_the_status_bar(
    opened: Callable[..., Notebook], page: Any
) -> None:
    lab = opened("1")
    view = page.locator(f"{MAIN} .tj-Jobs")
    lab.cell(0).locator(".cm-content").click()
    page.keyboard.press("Control+Alt+j")
    expect(view).to_be_visible(timeout=PATIENCE)
    lab.command("Close Tab")
    expect(view).to_have_count(0)
    lab.command("New Launcher")
    page.locator(".jp-LauncherCard", has_text="Tapis Jobs").click()
    expect(view).to_be_visible(timeout=PATIENCE)
    lab.command("Close Tab")
    page.locator(".tj-StatusButton").click()
    expect(view).to_be_visible(timeout=PATIENCE)


def test_tab_completes_options_apps_systems_and_queues(
    opened: Callable[..., Notebook], own_lab: TestServer, page: Any
) -> None:
    made = httpx.post(f"{own_lab.url}tapis/v3/systems", json=CLUSTER, headers=signed_in(own_lab))
    assert made.status_code == 201, made.text
    lab = opened("%load_ext jupyter_tapis_jobs", "")
    lab.run(0)
    line = lab.cell(1).locator(".cm-content")
    line.click()
    for typed, offered in (
        ("%%tapisjob py", "python"),
        (" --min", "--minutes"),
        (" 5 --system made", "made-up-cluster"),
        (" --queue lar", "large"),
    ):
        page.keyboard.type(typed)
        complete(page, line, offered)
    expect(line).to_have_text("%%tapisjob python --minutes 5 --system made-up-cluster --queue large")


def complete(page: Any, line: Any, offered: str) -> None:
    """Press Tab until the cell ends with what is *offered*, choosing it where there are more."""
    for _ in range(10):
        page.keyboard.press("Tab")
        with suppress(AssertionError):
            expect(line).to_have_text(re.compile(re.escape(offered) + "$"), timeout=STARTED)
            return
    raise AssertionError(f"Tab did not bring {offered}: {line.inner_text()}")


def test_the_body_of_a_cell_is_coloured_as_what_it_is(opened: Callable[..., Notebook], page: Any) -> None:
    lab = opened(
        "%%tapisjob bash\nfor i in 1 2; do echo $i; done  # lambda",
        "%%tapisjob my-app\nname: wave  # import\n",
        "%%tapisjob python\nfor i in (1, 2): print(i)",
    )

    def colour(cell: int, word: str) -> Any:
        return lab.cell(cell).locator(".cm-content").evaluate(COLOUR, word)

    for cell, word in ((0, "done"), (1, "name")):
        body = lab.cell(cell).locator(".tj-CellBody")
        expect(body.get_by_text(word, exact=True)).to_be_visible(timeout=PATIENCE)
    keyword = colour(2, "for")
    assert colour(0, "done") == colour(0, "for") == keyword
    assert colour(0, "# lambda") == colour(1, "# import") != keyword
    assert colour(1, "name") not in (keyword, colour(1, "# import"))


def test_words_come_in_the_language_of_lab(opened: Callable[..., Notebook], page: Any) -> None:
    """A language pack is what Lab's server answers with; here it is answered in its place."""

    def answer(route: Any) -> None:
        language = route.request.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
        about = {"domain": DOMAIN, "language": language, "plural_forms": "nplurals=2; plural=(n != 1);"}
        route.fulfill(json={"data": {DOMAIN: {"": about, **GERMAN}}, "message": ""})

    page.route("**/lab/api/translations/**", answer)
    lab = opened("1")
    lab.command("Aufträge öffnen")
    view = page.locator(MAIN)
    expect(view.get_by_role("tab", name="Aufträge", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(view.get_by_role("button", name="Absenden…", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(view.get_by_role("searchbox", name="Aufträge suchen")).to_be_visible(timeout=PATIENCE)


def test_in_the_narrow_sidebar_a_job_moves_and_nothing_is_cut_off(
    own_lab: TestServer, tapis: Tapis, page: Any, gate: Path
) -> None:
    kernels = running_kernels(own_lab)
    tapis.study("narrow", "bash", cases={"k": [1, 2]}, script="exit {{ k }}", maxMinutes=5).run()
    lab_page(page, own_lab)
    page.locator('.jp-SideBar [data-id="tapisjobs-side"]').click()
    side = page.locator("#tapisjobs-side")
    tapis.submit("bash", script=f"{until_gate(gate)}; echo seen", name="in-the-sidebar", maxMinutes=5)
    job = row(side, "in-the-sidebar")
    expect(job).to_contain_text("RUNNING", timeout=PATIENCE)
    gate.touch()
    expect(job).to_contain_text("FINISHED", timeout=PATIENCE)
    job.dblclick()
    expect(side.locator(".tj-Details")).to_contain_text("seen", timeout=PATIENCE)
    assert side.evaluate("side => side.clientWidth") < 320
    for tab in ("Output", "Files", "Timeline", "Request", "Script", "Notes"):
        side.get_by_role("tab", name=tab, exact=True).click()
        assert side.evaluate(CUT_OFF) == [], tab
    for control in ("Columns", "Studies"):
        side.get_by_role("button", name=control, exact=True).click()
        assert side.evaluate(CUT_OFF) == [], control
    for place, words in PLACES.items():
        side.get_by_role("tab", name=place, exact=True).click()
        expect(side.get_by_text(words, exact=True).locator("visible=true").first).to_be_visible(
            timeout=PATIENCE
        )
        assert side.evaluate(CUT_OFF) == [], place
    assert running_kernels(own_lab) == kernels


def running_kernels(server: TestServer) -> set[str]:
    """Return the ids of the server's kernels."""
    kernels = httpx.get(f"{server.url}api/kernels", headers=signed_in(server)).raise_for_status().json()
    return {kernel["id"] for kernel in kernels}
