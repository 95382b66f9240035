"""Everyone can use all of it, in light and dark: it can be read and heard, and the keyboard is seen."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from made_systems import made_up_cluster

from jupyter_tapis_jobs.client.tapis import Tapis
from tests.browser.accessibility import faults, stops
from tests.browser.conftest import choose_theme, signed_in, until_gate
from tests.browser.jobs_page import client, command, expect, lab_page, row
from tests.conftest import TestServer, running_server

PLACES = ("Jobs", "Studies", "Systems", "Apps", "Submit")
TABS = ("Output", "Files", "Timeline", "Request", "Script", "Notes")
QUEUE = {"name": "normal", "hpcQueueName": "normal", "maxNodeCount": 512, "maxMinutes": 2880}
#: Wants a file, and has limits that can be missed.
MESHER = {
    "id": "mesher",
    "version": "1",
    "description": "Makes a mesh",
    "runtime": "ZIP",
    "containerImage": "/mesher.zip",
    "jobType": "BATCH",
    "notes": {"label": "Mesher", "helpUrl": "https://example.org", "category": "Meshes"},
    "jobAttributes": {
        "execSystemId": "made-up-cluster",
        "fileInputs": [{"name": "mesh", "inputMode": "REQUIRED", "description": "The mesh"}],
        "parameterSet": {"appArgs": [{"name": "kind", "arg": "a", "inputMode": "REQUIRED"}]},
    },
}
#: Every colour of a terminal, and files to look into.
WRITES = r"""
for colour in 0 1 2 3 4 5 6 7; do
    printf '\033[3%sm front \033[9%sm bright \033[0;2;3%sm dim \033[0m' $colour $colour $colour
    printf '\033[4%sm back \033[10%sm bright \033[0m\n' $colour $colour
done
printf 'k,drift\n1,0.5\n' > peak.csv
mkdir more
printf '{"peak": 0.5}' > more/facts.json
"""
FAILS = "[ {{ k }} -lt 3 ] || { echo no convergence; exit 3; }\nprintf 'drift\\n{{ k }}.5\\n' > peak.csv"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[TestServer]:
    """A Lab with a job in progress, one that ended well, one that failed, a study, a host and an app."""
    gate = tmp_path_factory.mktemp("gate") / "gate"
    with running_server(tmp_path_factory.mktemp("house"), module="jupyterlab") as server:
        with client(server) as tapis:
            fill(tapis, gate)
        cluster = made_up_cluster([QUEUE], effectiveUserId="me", description="Made up")
        for kind, definition in (("systems", cluster), ("apps", MESHER)):
            address = f"{server.url}tapis/v3/{kind}"
            httpx.post(address, json=definition, headers=signed_in(server)).raise_for_status()
        yield server
        gate.touch()


def fill(tapis: Tapis, gate: Path) -> None:
    """Submit what is seen in the views."""
    tapis.study("bend", "bash", cases={"k": [1, 2, 3]}, script=FAILS, maxMinutes=5).run().wait(progress=False)
    tapis.submit("bash", script=WRITES, name="well", tags=["<b>"]).wait(progress=False)
    tapis.submit("bash", script="no-such-mesher", name="wrong").wait(progress=False, check=False)
    tapis.submit("bash", script=until_gate(gate), name="working", maxMinutes=60)


class Home:
    """The tab in one theme, and what is asked of all that it shows."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.frame = page.locator("#tapisjobs-main .tj-Frame")

    def place(self, name: str) -> Any:
        """Go to a place of the tab, and return it."""
        self.frame.get_by_role("tablist", name="Tapis Jobs").get_by_role("tab", name=name).click()
        return self.frame.get_by_role("tabpanel", name=name, exact=True)

    def suits_everyone(self, where: str = "#tapisjobs-main .tj-Frame") -> None:
        """Fail where something cannot be read, has no name, or does not show the keyboard."""
        wrong = faults(self.page, where)
        came = stops(self.page, self.page.locator(where))
        nameless = [stop.html for stop in came if not stop.name]
        unmarked = [stop.html for stop in came if not stop.is_marked]
        assert came
        assert not wrong + nameless + unmarked, json.dumps([wrong, nameless, unmarked], indent=1)


@pytest.fixture(scope="module", params=["JupyterLab Light", "JupyterLab Dark"])
def home(request: pytest.FixtureRequest, chromium: Any, house: TestServer) -> Iterator[Home]:
    """The tab in Lab, in one theme for all tests here."""
    choose_theme(house, request.param)
    context = chromium.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.route(re.compile(r"/v3/tapisjobs/hosts(\?|$)"), as_new_host)
    lab_page(page, house)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", request.param)
    command(page, house, "Tapis Jobs: Open the jobs")
    yield Home(page)
    context.close()


@pytest.fixture(autouse=True)
def picture(request: pytest.FixtureRequest, home: Home) -> Iterator[None]:
    """Keep a picture of the end of a test when TAPISJOBS_SHOTS names a folder."""
    yield
    if os.environ.get("TAPISJOBS_SHOTS"):
        with suppress(OSError):
            home.page.screenshot(path=Path(os.environ["TAPISJOBS_SHOTS"]) / f"{request.node.name}.png")


def as_new_host(route: Any) -> None:
    """Answer as a server whose person has not seen the key of the host yet."""
    if route.request.method != "POST":
        route.continue_()
        return
    message = "JOBS_HOST_KEY cluster shows a key that is new here."
    route.fulfill(
        status=409, json={"message": message, "result": {"fingerprint": "SHA256:Zk3", "known": False}}
    )


# --- what each place shows --------------------------------------------------------------------
def jobs(view: Any) -> None:
    expect(row(view, "well")).to_be_visible()


def studies(view: Any) -> None:
    view.get_by_role("button", name="bend", exact=True).click()
    expect(view.get_by_role("option")).to_have_count(3)
    expect(view.get_by_role("region", name="Why cases failed")).to_contain_text("no convergence")
    for title in ("Plot", "Extend…"):
        view.get_by_text(title, exact=True).click()
    expect(view.locator("circle")).to_have_count(3)


def systems(view: Any) -> None:
    expect(view.get_by_role("article", name="System made-up-cluster")).to_contain_text("normal")
    view.get_by_role("button", name="Add a host…").click()
    view.get_by_text("Key, port and folder", exact=True).click()
    view.get_by_label("Port", exact=True).fill("far")
    view.get_by_role("button", name="Connect", exact=True).click()
    expect(view.locator("[aria-invalid=true]")).not_to_have_count(0)


def apps(view: Any) -> None:
    expect(view.get_by_role("list", name="Apps").get_by_role("listitem")).not_to_have_count(0)
    view.get_by_role("button", name="Import…").click()


def submit(view: Any) -> None:
    view.get_by_role("combobox", name="App").select_option(label="Mesher (mesher 1)")
    view.get_by_role("textbox", name="Nodes").fill("600")
    view.get_by_role("button", name="Submit", exact=True).click()
    expect(view).to_contain_text("This must be 1 to 512.")


SHOWS: dict[str, Callable[[Any], None]] = {
    "Jobs": jobs, "Studies": studies, "Systems": systems, "Apps": apps, "Submit": submit,
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_everyone_can_use_each_place(home: Home, place: str) -> None:
    SHOWS[place](home.place(place))
    home.suits_everyone()


def details(home: Home, name: str) -> Any:
    """Open a job beside the grid, and return what is told of it."""
    view = home.place("Jobs")
    row(view, name).get_by_text(name, exact=True).dblclick()
    shown = view.locator(".tj-Details")
    expect(shown.get_by_role("heading", name=name)).to_be_visible()
    return shown


@pytest.mark.parametrize(("job", "tab"), [("wrong", "Output"), *(("well", tab) for tab in TABS)])
def test_everyone_can_use_each_tab_of_a_job(home: Home, job: str, tab: str) -> None:
    shown = details(home, job)
    shown.get_by_role("tab", name=tab, exact=True).click()
    if (job, tab) == ("well", "Files"):
        shown.get_by_role("button", name="peak.csv", exact=True).click()
        expect(shown.get_by_role("cell", name="0.5")).to_be_visible()
    home.suits_everyone("#tapisjobs-main [aria-label=Jobs] .tj-Dock")


def test_everyone_can_choose_jobs_and_answer_what_is_asked_of_them(home: Home) -> None:
    view = home.place("Jobs")
    for name in ("well", "working"):
        row(view, name).locator(".tj-Pick").click()
    view.get_by_role("button", name="Columns").click()
    view.get_by_role("button", name="Share…").click()
    home.suits_everyone()
    view.get_by_role("button", name="Cancel…", exact=True).click()
    expect(view.locator(".tj-Question")).to_contain_text("working")
    home.suits_everyone()


def test_everyone_can_answer_whether_a_key_is_trusted(home: Home) -> None:
    view = home.place("Systems")
    form = view.get_by_role("form", name="Add a host")
    if not form.is_visible():
        view.get_by_role("button", name="Add a host…").click()
    for label, value in (("Name *", "cluster"), ("Host *", "login.example.org"), ("Port", "22")):
        form.get_by_label(label, exact=True).fill(value)
    form.get_by_role("button", name="Connect", exact=True).click()
    asked = view.get_by_role("dialog")
    expect(asked).to_contain_text("Trust the key of cluster?")
    try:
        home.suits_everyone("#tapisjobs-main .tj-Dialog")
    finally:
        asked.get_by_role("button", name="Stop").click()


def test_everyone_can_choose_a_file(home: Home) -> None:
    view = home.place("Submit")
    menu = view.get_by_role("combobox", name="App")
    # Another app first: the form that is there from before would take the click, and then go.
    menu.select_option(label="bash 1.0")
    expect(view.get_by_role("textbox", name="Script")).to_be_visible()
    menu.select_option(label="Mesher (mesher 1)")
    view.get_by_role("button", name="Browse…").first.click()
    view.locator(".tj-Picker").get_by_role("combobox").select_option("local")
    expect(view.locator(".tj-Picker").get_by_role("listitem").first).to_be_visible()
    home.suits_everyone()
