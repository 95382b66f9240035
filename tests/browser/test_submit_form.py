"""The form of an app in Lab: jobs by the form, by a cell opened in it, by its code; hostile and lost apps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from forwarder import Forwarder
from made_systems import made_up_cluster
from rig.rig import Rig

from jupyter_tapis_jobs.client.tapis import Tapis
from tests.browser.conftest import PATIENCE, STARTED, Notebook, signed_in
from tests.browser.jobs_page import lab_page
from tests.conftest import TestServer

Open = Callable[..., Notebook]

OPEN_FORM = "Tapis Jobs: Submit a job"
OPEN_CELL = "Tapis Jobs: Open the cell in the form"
LOAD = "%load_ext jupyter_tapis_jobs"
HOSTILE = "<img src=x onerror=window.harmed=1>"
QUEUES = [
    {"name": "development", "hpcQueueName": "dev", "maxNodeCount": 4, "maxMinutes": 120},
    {"name": "normal", "hpcQueueName": "normal", "minNodeCount": 2, "maxNodeCount": 512, "maxMinutes": 2880},
]
CLUSTER = made_up_cluster(QUEUES, effectiveUserId="me", description=HOSTILE)


@pytest.fixture
def tapis(lab: TestServer) -> Iterator[Tapis]:
    """A client of the Lab's server."""
    client = lab.tapis()
    yield client
    client.connection.close()


def app(name: str, **more: Any) -> dict[str, Any]:
    """Return an app that wants a mesh and a kind, all its words hostile."""
    notes = {"label": HOSTILE, "enum_values": [{"a": HOSTILE}, {"b": "Plastic"}]}
    argument = {"name": "kind", "arg": "a", "inputMode": "REQUIRED", "description": HOSTILE, "notes": notes}
    mesh = {"name": "mesh", "inputMode": "REQUIRED", "description": HOSTILE}
    attributes = {
        "execSystemId": CLUSTER["id"],
        "fileInputs": [mesh],
        "parameterSet": {"appArgs": [argument]},
    }
    raw = {"id": name, "version": "1", "runtime": "ZIP", "containerImage": "/a.zip", "jobType": "BATCH"}
    about = {"label": HOSTILE, "helpUrl": "javascript:window.harmed=1", "category": HOSTILE}
    return raw | {"description": HOSTILE, "notes": about, "jobAttributes": attributes} | more


def define(server: TestServer, kind: str, raw: dict[str, Any]) -> httpx.Response:
    """Register a definition; one that is there already stays."""
    return httpx.post(f"{server.url}tapis/v3/{kind}", json=raw, headers=signed_in(server))


def form(opened: Notebook, name: str) -> Any:
    """Open the form and choose an app; return the place of the form."""
    opened.command(OPEN_FORM)
    view = opened.page.locator("#tapisjobs-main .tj-Submit")
    view.get_by_role("combobox", name="App").select_option(label=name)
    view.locator(".tj-Form").wait_for()
    return view


def called(name: str) -> str:
    """Return what the menu calls an app that ``app`` made."""
    return f"{HOSTILE} ({name} 1)"


def field(view: Any, label: str) -> Any:
    """Return a text field by its label."""
    return view.get_by_role("textbox", name=label)


def submitted(view: Any, name: str) -> None:
    """Submit what stands in the form, and wait for the end of the job in its place."""
    from playwright.sync_api import expect

    view.get_by_role("button", name="Submit", exact=True).click()
    sent = view.get_by_role("region", name="The submitted job")
    expect(sent).to_contain_text(name, timeout=PATIENCE)
    expect(sent).to_contain_text("done in", timeout=PATIENCE)


def test_a_job_is_tried_and_submitted_by_the_form(notebook: Open) -> None:
    from playwright.sync_api import expect

    opened = notebook("1")
    view = form(opened, "bash 1.0")
    field(view, "Name").fill("by-form")
    field(view, "Script").fill("echo from the form")
    view.get_by_role("button", name="Dry run").click()
    tried = view.get_by_role("region", name="Dry run")
    expect(tried).to_contain_text("Nothing has been submitted", timeout=PATIENCE)
    expect(tried).to_contain_text("node-hours")
    submitted(view, "by-form")
    view.get_by_role("button", name="Open the job").click()
    details = opened.page.locator("#tapisjobs-main .tj-Details")
    expect(details).to_contain_text("from the form", timeout=PATIENCE)


def test_a_cell_is_opened_in_the_form_and_submitted_from_there(notebook: Open) -> None:
    from playwright.sync_api import expect

    opened = notebook("%%tapisjob bash --name by-cell --minutes 7 --env MODE=fast\necho from the cell")
    opened.cell(0).locator(".cm-content").click()
    opened.command(OPEN_CELL)
    view = opened.page.locator("#tapisjobs-main .tj-Submit")
    expect(field(view, "Script")).to_have_value(re.compile(r"^echo from the cell\s*$"), timeout=PATIENCE)
    expect(field(view, "Name").first).to_have_value("by-cell")
    expect(field(view, "Time limit (minutes)")).to_have_value("7")
    submitted(view, "by-cell")


def test_json_is_opened_in_the_form_and_submitted_from_there(notebook: Open) -> None:
    from playwright.sync_api import expect

    opened = notebook("1")
    opened.command(OPEN_FORM)
    view = opened.page.locator("#tapisjobs-main .tj-Submit")
    view.get_by_text("Open a cell or JSON", exact=True).click()
    script = {"name": "script", "sourceUrl": "data:,echo%20from%20the%20JSON"}
    request = {"appId": "bash", "name": "by-json", "maxMinutes": 7, "fileInputs": [script]}
    field(view, "A %%tapisjob cell, JSON or YAML").fill(json.dumps(request))
    view.get_by_role("button", name="Fill the form").click()
    expect(field(view, "Script")).to_have_value("echo from the JSON", timeout=PATIENCE)
    expect(field(view, "Name").first).to_have_value("by-json")
    expect(field(view, "Time limit (minutes)")).to_have_value("7")
    submitted(view, "by-json")


def test_a_template_fills_the_form_and_what_it_wants_is_asked_for(notebook: Open, tapis: Tapis) -> None:
    from playwright.sync_api import expect

    script = 'echo "a load of $LOAD"'
    tapis.template("pier", "bash", required=["LOAD"], description="A pier.", script=script, replace=True)
    opened = notebook("1")
    opened.command(OPEN_FORM)
    view = opened.page.locator("#tapisjobs-main .tj-Submit")
    view.get_by_role("combobox", name="Template").select_option(label="pier")
    expect(field(view, "Script")).to_have_value(script, timeout=PATIENCE)
    expect(view).to_contain_text("A pier.")
    field(view, "Name").first.fill("by-template")
    rows = view.get_by_role("group", name="More variables")
    load = field(rows, "Value")
    expect(field(rows, "Name")).to_have_value("LOAD")
    view.get_by_role("button", name="Submit", exact=True).click()
    expect(rows).to_contain_text("This is needed.")
    load.fill("12 kN")
    submitted(view, "by-template")
    found = tapis.job(tapis.jobs(name="by-template")["uuid"][0])
    assert found.read("tapisjob.out") == "a load of 12 kN\n"
    tapis.template("pier").delete()


def test_the_code_beside_the_form_is_put_into_a_cell_and_submits_the_same(notebook: Open) -> None:
    from playwright.sync_api import expect

    opened = notebook(LOAD, "")
    opened.run(0)
    opened.cell(1).locator(".cm-content").click()
    view = form(opened, "bash 1.0")
    field(view, "Name").fill("by-code")
    field(view, "Script").fill("echo from the code")
    beside = view.locator(".tj-Beside")
    if beside.get_attribute("open") is None:
        beside.locator("summary").click()
    code = beside.get_by_label("Code of this form")
    expect(code).to_contain_text("--name by-code", timeout=PATIENCE)
    expect(code).to_contain_text("echo from the code", timeout=PATIENCE)
    beside.get_by_role("button", name="JSON").click()
    expect(code).to_contain_text('"appId": "bash"')
    view.get_by_role("button", name="Open in a cell").click()
    expect(opened.cell(1)).to_contain_text("%%tapisjob bash", timeout=PATIENCE)
    opened.run(1, wait=False)
    opened.expect_status(opened.card("by-code"), "FINISHED")


def test_limits_are_told_while_one_types_and_a_file_is_chosen_on_a_system(
    notebook: Open, lab: TestServer
) -> None:
    from playwright.sync_api import expect

    define(lab, "systems", CLUSTER)
    define(lab, "apps", app("limited"))
    (lab.root / "meshes").mkdir(exist_ok=True)
    (lab.root / "meshes" / "a wave.msh").write_text("x")
    view = form(notebook("1"), called("limited"))
    nodes = field(view, "Nodes")
    expect(nodes).to_have_value("2")
    nodes.fill("600")
    expect(view).to_contain_text("This must be 2 to 512.")
    view.get_by_role("combobox", name="Queue").select_option("development")
    expect(view).to_contain_text("This must be 1 to 4.")
    nodes.fill("3")
    expect(nodes).to_have_attribute("aria-invalid", "false")
    slider = view.get_by_role("slider", name="Nodes")
    slider.focus()
    slider.press("ArrowRight")
    expect(nodes).to_have_value("4")
    view.get_by_role("button", name="Browse…").first.click()
    picker = view.locator(".tj-Picker")
    picker.get_by_role("combobox").select_option("local")
    picker.get_by_role("textbox", name="Folder").fill(str(lab.root))
    picker.get_by_role("textbox", name="Folder").press("Enter")
    picker.get_by_role("button", name="meshes/").click()
    picker.get_by_role("button", name="a wave.msh").click()
    expect(field(view, "mesh")).to_have_value(f"tapis://local{lab.root}/meshes/a wave.msh")


def test_the_slider_of_the_time_limit_follows_the_queue(notebook: Open, lab: TestServer) -> None:
    from playwright.sync_api import expect

    define(lab, "systems", CLUSTER)
    define(lab, "apps", app("timed"))
    view = form(notebook("1"), called("timed"))
    slider = view.get_by_role("slider", name="Time limit (minutes)")
    expect(slider).to_have_attribute("max", "2880")
    view.get_by_role("combobox", name="Queue").select_option("development")
    expect(slider).to_have_attribute("max", "120")
    slider.focus()
    slider.press("End")
    minutes = field(view, "Time limit (minutes)")
    expect(minutes).to_have_value("120")
    minutes.fill("121")
    expect(view).to_contain_text("This must be 1 to 120.")


def test_a_file_is_chosen_on_another_host_and_one_that_is_not_reached_says_so(
    notebook: Open, lab: TestServer, tapis: Tapis, rig: Rig, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    define(lab, "systems", CLUSTER)
    define(lab, "apps", app("far"))
    folder = rig.ssh("mktemp -d").strip()
    rig.ssh(f"touch '{folder}/a far wave.msh'")
    with closing(Forwarder(rig.hosts["login1"].port)) as way:
        it, keys = rig.hosts["login1"], tmp_path / "known_hosts"
        keys.write_text(rig.known_hosts.read_text().replace(f"]:{it.port}", f"]:{way.port}"))
        tapis.add_host("far-host", host=it.host, port=way.port, user=it.user, key=rig.key, knownHosts=keys)
        view = form(notebook("1"), called("far"))
        view.get_by_role("button", name="Browse…").first.click()
        picker = view.locator(".tj-Picker")
        picker.get_by_role("combobox").select_option("far-host")
        expect(picker.get_by_role("button", name="Home")).to_be_visible(timeout=PATIENCE)
        picker.get_by_role("textbox", name="Folder").fill(folder)
        picker.get_by_role("textbox", name="Folder").press("Enter")
        picker.get_by_role("button", name="a far wave.msh").click()
        chosen = f"tapis://far-host{folder}/a far wave.msh"
        expect(field(view, "mesh")).to_have_value(chosen)
    view.get_by_role("button", name="Browse…").first.click()
    expect(picker.get_by_role("status")).to_contain_text("refuses the connection", timeout=PATIENCE)
    picker.get_by_role("combobox").select_option("local")
    expect(picker.get_by_role("listitem").first).to_be_visible(timeout=PATIENCE)
    expect(field(view, "mesh")).to_have_value(chosen)
    rig.ssh(f"rm -r '{folder}'")
    tapis.connection.post("/v3/systems/far-host/delete")


def test_what_a_definition_says_is_text_and_what_could_take_for_ever_is_refused(
    notebook: Open, lab: TestServer
) -> None:
    from playwright.sync_api import expect

    define(lab, "systems", CLUSTER)
    define(lab, "apps", app("hostile"))
    slow = {"name": "x", "notes": {"validator": {"regex": "^(a+)+$"}}}
    refused = define(lab, "apps", app("slow", jobAttributes={"parameterSet": {"appArgs": [slow]}}))
    assert refused.status_code == 400
    assert "could take for ever" in refused.json()["message"]
    opened = notebook("1")
    view = form(opened, called("hostile"))
    expect(view).to_contain_text(HOSTILE)
    expect(view.locator("img")).to_have_count(0)
    expect(view.get_by_role("link", name="Help")).to_have_count(0)
    field(view, "mesh").fill(HOSTILE)
    view.get_by_role("button", name="Dry run").click()
    expect(view.get_by_role("status").filter(has_text=HOSTILE).first).to_be_visible(timeout=PATIENCE)
    assert opened.page.evaluate("window.harmed") is None


def test_an_app_that_is_gone_is_told_in_its_place_and_others_can_be_chosen(
    notebook: Open, lab: TestServer
) -> None:
    from playwright.sync_api import expect

    define(lab, "apps", {"id": "leaving", "version": "1", "runtime": "ZIP", "containerImage": "/a.zip"})
    view = form(notebook("1"), "leaving 1")
    gone = httpx.post(f"{lab.url}tapis/v3/apps/leaving/delete", headers=signed_in(lab))
    assert gone.is_success
    view.get_by_role("button", name="Submit", exact=True).click()
    expect(view.get_by_role("status").filter(has_text="leaving").first).to_be_visible(timeout=PATIENCE)
    view.get_by_role("combobox", name="App").select_option(label="bash 1.0")
    field(view, "Script").fill("echo still here")
    field(view, "Name").fill("after-all")
    submitted(view, "after-all")


# --- without a mouse --------------------------------------------------------------------------
def go(page: Any, control: Any, *, key: str = "Tab") -> None:
    """Press the tab key until *control* has the keyboard."""
    control.wait_for()
    for _ in range(100):
        if control.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"the tab key does not come to {control}")


def write(page: Any, control: Any, words: str) -> None:
    """Go to a field and write in it, in place of what is there."""
    go(page, control)
    page.keyboard.press("Control+a")
    page.keyboard.type(words)


def test_a_job_is_submitted_and_a_host_added_by_the_keyboard_alone(
    page: Any, lab: TestServer, tapis: Tapis, rig: Rig
) -> None:
    from playwright.sync_api import expect

    lab_page(page, lab)
    view, keys = page.locator("#tapisjobs-main .tj-Submit"), page.keyboard
    for _ in range(10):
        keys.press("Control+Alt+n")
        with suppress(AssertionError):
            expect(view).to_be_visible(timeout=STARTED)
            break
    menu = view.get_by_role("combobox", name="App")
    expect(menu).to_contain_text("bash 1.0", timeout=PATIENCE)
    go(page, menu)
    keys.type("bash")
    write(page, field(view, "Name"), "by-keys-alone")
    write(page, field(view, "Script"), "echo no mouse")
    go(page, view.get_by_role("button", name="Dry run"))
    keys.press("Enter")
    tried = view.get_by_role("region", name="Dry run")
    expect(tried).to_contain_text("Nothing has been submitted", timeout=PATIENCE)
    go(page, view.get_by_role("button", name="Submit", exact=True))
    keys.press("Enter")
    expect(view.get_by_role("region", name="The submitted job")).to_contain_text("done in", timeout=PATIENCE)

    places = page.get_by_role("tablist", name="Tapis Jobs")
    go(page, places.get_by_role("tab", name="Submit"), key="Shift+Tab")
    keys.press("ArrowLeft")
    keys.press("ArrowLeft")
    systems = page.get_by_role("region", name="Systems", exact=True)
    go(page, systems.get_by_role("button", name="Add a host…"))
    keys.press("Enter")
    login = rig.hosts["login1"]
    for label, words in (("Name *", "by-keys"), ("Host *", login.host), ("User", login.user)):
        write(page, systems.get_by_label(label, exact=True), words)
    go(page, systems.locator("summary", has_text="Key, port and folder"))
    keys.press("Enter")
    write(page, systems.get_by_label("Key file on the server", exact=True), str(rig.key))
    write(page, systems.get_by_label("Port", exact=True), str(login.port))
    keys.press("Enter")
    asked = systems.get_by_role("dialog")
    expect(asked).to_contain_text("Trust the key of by-keys?", timeout=PATIENCE)
    go(page, asked.get_by_role("button", name="Trust this key"))
    keys.press("Enter")
    expect(systems.get_by_role("form", name="Add a host")).to_contain_text(
        "by-keys is ready.", timeout=PATIENCE
    )
    tapis.connection.post("/v3/systems/by-keys/delete")
