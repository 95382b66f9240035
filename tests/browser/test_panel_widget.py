"""The panel in a cell: through the kernel where it must be, with a notebook's own columns and actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_tapis_jobs.client.tapis import Tapis
from tests.browser.conftest import Notebook
from tests.browser.jobs_page import API, SIGNED_OUT, client, expect, found, row, waiting_job
from tests.conftest import TestServer, until

Open = Callable[..., Notebook]

PANEL = "import jupyter_tapis_jobs as tj\ntapis = tj.connect()\npanel = tapis.panel()\npanel"
BOXED = (
    "import ipywidgets, jupyter_tapis_jobs as tj\n"
    "ipywidgets.VBox([ipywidgets.Label('above'), tj.connect().panel()])"
)


@pytest.fixture
def tapis(lab: TestServer) -> Iterator[Tapis]:
    """A client of the Lab's server."""
    with client(lab) as made:
        yield made


def waiting_for(path: Path) -> str:
    """Return a cell that runs until the file is there."""
    return f"import pathlib, time\nwhile not pathlib.Path({str(path)!r}).exists():\n    time.sleep(0.05)"


def without_a_way(page: Any) -> None:
    """Make the page one that is not Jupyter's own, and that cannot reach the server."""
    page.route(API, lambda route: route.abort())
    page.evaluate("document.getElementById('jupyter-config-data').remove()")


def condition(panel: Any, kind: str) -> Any:
    """Return the sentence of one kind above the views."""
    return panel.locator(f".tj-mod-{kind}")


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_a_page_without_a_way_to_the_server_goes_through_the_kernel(
    notebook: Open, tapis: Tapis, gate: Path, tmp_path: Path, app: str
) -> None:
    busy, name = tmp_path / "busy", f"through-the-kernel-{app}"
    opened = notebook(BOXED, waiting_for(busy), app=app)
    without_a_way(opened.page)
    opened.run(0)
    panel = opened.cell(0).locator(".tj-Panel")
    expect(condition(panel, "way")).to_contain_text("wait for the running cell")
    expect(opened.cell(0).get_by_text("above", exact=True)).to_be_visible()
    expect(panel.locator(".tj-Total")).to_contain_text("job")
    waiting_job(tapis, gate, name)
    found(panel, name, 1)
    expect(row(panel, name)).to_contain_text("RUNNING")
    opened.run(1, wait=False)
    gate.touch()
    expect(row(panel, name)).to_contain_text("FINISHED")
    # News come also while a cell runs; what the page says waits where the kernel hears nothing meanwhile.
    assert opened.is_busy(1)
    panel.get_by_role("tab", name="Apps", exact=True).click()
    busy.touch()
    expect(panel.get_by_role("heading", name="python 1.0")).to_be_visible()
    expect(condition(panel, "waiting")).to_be_hidden()
    told = opened.path.read_text() if app == "notebook" else str(opened.save())
    assert opened.server.token not in told


def test_columns_and_actions_of_the_notebook_are_in_its_panel_and_run_in_its_kernel(
    notebook: Open, tapis: Tapis, gate: Path, tmp_path: Path
) -> None:
    busy, name = tmp_path / "busy", "letters-of-my-name"
    adding = (
        "@tapis.in_panel(column='Letters', kind='number')\ndef letters(job):\n    return len(job.name)\n"
        "@tapis.in_panel(action='Greet')\ndef greet(job):\n    open('greeted', 'w').write(job.uuid)"
    )
    job = waiting_job(tapis, gate, name)
    opened = notebook(PANEL, adding, waiting_for(busy))
    # Wide enough for a column beside our own.
    opened.page.set_viewport_size({"width": 1700, "height": 900})
    opened.run(0)
    panel = opened.cell(0).locator(".tj-Panel")
    found(panel, name, 1)
    of_the_server: list[Any] = []
    opened.page.route("**/jobs/extras/values", lambda route: of_the_server.append(route))
    opened.run(1)
    expect(panel.locator(".ag-header-cell", has_text="Letters")).to_have_count(1)
    told = row(panel, name).locator('[col-id="extra:kernel:letters"]')
    expect(told).to_have_text(str(len(name)))
    # What the server tells later, of columns of its own, takes nothing away.
    with opened.page.expect_response("**/jobs/extras/values"):
        of_the_server[0].continue_()
    opened.page.unroute("**/jobs/extras/values")
    opened.page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    expect(told).to_have_text(str(len(name)))
    opened.run(2, wait=False)
    row(panel, name).locator(".tj-Pick").click()
    panel.get_by_role("button", name="Greet", exact=True).click()
    busy.touch()
    expect(panel.get_by_text("Greet: 1 of 1.")).to_be_visible()
    assert (opened.server.root / "greeted").read_text() == job.uuid
    gate.touch()
    job.wait(progress=False)


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_a_page_that_is_loaded_again_has_the_panel_live_and_with_its_additions_though_no_cell_is_run(
    notebook: Open, tapis: Tapis, gate: Path, tmp_path: Path, app: str
) -> None:
    name, greeted = f"loaded-again-in-{app}", tmp_path / "greeted"
    adding = (
        "@tapis.in_panel(column='Letters', kind='number')\ndef letters(job):\n    return len(job.name)\n"
        f"@tapis.in_panel(action='Greet')\ndef greet(job):\n    open({str(greeted)!r}, 'w').write(job.uuid)"
    )
    job = waiting_job(tapis, gate, name)
    opened = notebook(PANEL, adding, app=app)
    # Wide enough for a column beside our own.
    opened.page.set_viewport_size({"width": 1700, "height": 900})
    opened.run(0)
    opened.run(1)
    expect(opened.cell(0).locator(".ag-header-cell", has_text="Letters")).to_have_count(1)
    opened.save()
    # What is saved names the panel; the panel itself is the kernel's.
    until(lambda: "widget-view" in opened.path.read_text())
    opened.reload()
    panel = opened.cell(0).locator(".tj-Panel")
    expect(panel).to_have_count(1)
    found(panel, name, 1)
    expect(row(panel, name)).to_contain_text("RUNNING")
    expect(row(panel, name).locator('[col-id="extra:kernel:letters"]')).to_have_text(str(len(name)))
    gate.touch()
    expect(row(panel, name)).to_contain_text("FINISHED")
    row(panel, name).locator(".tj-Pick").click()
    panel.get_by_role("button", name="Greet", exact=True).click()
    expect(panel.get_by_text("Greet: 1 of 1.")).to_be_visible()
    assert greeted.read_text() == job.uuid
    expect(opened.cell(0).locator(".jp-InputPrompt")).to_have_text("[1]:")


def test_a_sign_in_that_has_ended_is_told_and_the_panel_recovers(notebook: Open) -> None:
    opened = notebook(PANEL)
    opened.run(0)
    panel = opened.cell(0).locator(".tj-Panel")
    expect(panel.locator(".tj-Total")).to_contain_text("job")
    opened.page.route(API, lambda route: route.fulfill(status=401, body=SIGNED_OUT))
    panel.locator(".tj-Search").fill("x")
    expect(condition(panel, "signedOut")).to_contain_text("not signed in at the Jupyter server any more")
    opened.page.unroute(API)
    expect(condition(panel, "signedOut")).to_be_hidden()


@pytest.mark.parametrize(
    ("theirs", "words"),
    [("99.0.0", "pip install -U jupyter-tapis-jobs"), ("0.0.1", "Start the Jupyter server again")],
)
def test_a_server_of_another_version_is_told_and_the_rest_works(
    notebook: Open, theirs: str, words: str
) -> None:
    def older_or_newer(route: Any) -> None:
        answer = route.fetch()
        told = answer.json()
        told["result"]["version"] = theirs
        route.fulfill(response=answer, json=told)

    opened = notebook(PANEL)
    opened.page.route("**/tapis/v3/tapisjobs/server", older_or_newer)
    opened.run(0)
    panel = opened.cell(0).locator(".tj-Panel")
    expect(condition(panel, "version")).to_contain_text(words)
    expect(panel.locator(".tj-Total")).to_contain_text("job")


def test_the_panel_in_a_cell_speaks_the_language_of_the_page(notebook: Open) -> None:
    opened = notebook(PANEL, app="notebook")
    # What the page has is the translator of its settings; a language that nobody speaks stands in for it.
    language = "globalThis[Symbol.for('jupyter-tapis-jobs: language')]"
    assert opened.page.evaluate(f"typeof {language}.gettext") == "function"
    told = "{gettext: words => `⟦${words}⟧`, ngettext: (one, many) => `⟦${many}⟧`}"
    opened.page.evaluate(f"() => {{ {language} = {told}; }}")
    opened.run(0)
    panel = opened.cell(0).locator(".tj-Panel")
    expect(panel.get_by_role("tab", name="⟦Systems⟧", exact=True)).to_be_visible()
