"""Studies, systems and apps in a tab of Lab: seen live, steered, and a real host added by hand."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rig.rig import Host, Rig

from jupyter_tapis_jobs.client.tapis import Tapis
from tests.browser.conftest import PATIENCE, Notebook, until_gate
from tests.conftest import TestServer

Open = Callable[..., Notebook]

HOSTILE = "<img src=x onerror=window.harmed=1>"


@pytest.fixture
def tapis(lab: TestServer) -> Iterator[Tapis]:
    """A client of the Lab's server."""
    client = lab.tapis()
    yield client
    client.connection.close()


def place(notebook: Open, name: str) -> Any:
    """Open the tab, at one of its places; return the view."""
    return seen(notebook("1"), name)


def seen(opened: Notebook, name: str) -> Any:
    """Open the tab beside the notebook, at one of its places; return the view."""
    opened.command(f"Tapis Jobs: Open the {name.lower()}")
    return opened.page.get_by_role("region", name=name, exact=True)


def study(view: Any, name: str) -> Any:
    """Show the cases of a study; return what is told of it."""
    view.get_by_role("button", name=name, exact=True).click()
    return view.get_by_role("region", name="The study that is open")


def add_by_hand(view: Any, name: str, login: Host) -> None:
    """Fill in the form that adds a host; a key is not given."""
    view.get_by_role("button", name="Add a host…").click()
    for label, value in (("Name *", name), ("Host *", login.host), ("User", login.user)):
        view.get_by_label(label, exact=True).fill(value)
    view.get_by_text("Key, port and folder", exact=True).click()
    view.get_by_label("Port", exact=True).fill(str(login.port))


def system(view: Any, name: str) -> Any:
    """Return the card of a system."""
    return view.get_by_role("article", name=f"System {name}", exact=True)


def fingerprint(rig: Rig) -> str:
    """Return what OpenSSH says of the key of the rig's first host."""
    told = subprocess.run(["ssh-keygen", "-lf", rig.known_hosts], capture_output=True, text=True, check=True)
    return told.stdout.splitlines()[0].split()[1]


# --- studies ----------------------------------------------------------------------------------
def test_a_study_moves_in_its_map_and_what_failed_is_grouped_and_tried_again(
    notebook: Open, tapis: Tapis, gate: Path, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    mended = tmp_path / "mended"
    script = (
        f"{until_gate(gate)}\n[ {{{{ k }}}} -lt 2 -o -e '{mended}' ] || {{ echo no convergence; exit 3; }}"
    )
    tapis.study("moves", "bash", cases={"k": [0, 1, 2, 3]}, script=script, maxMinutes=5).run()
    told = study(place(notebook, "Studies"), "moves")
    squares = told.get_by_role("option")
    expect(squares).to_have_count(4, timeout=PATIENCE)
    expect(told).to_contain_text("0 of 4 ended", timeout=PATIENCE)
    gate.touch()
    expect(told).to_contain_text("4 of 4 ended", timeout=PATIENCE)
    expect(squares.nth(0)).to_have_attribute("aria-label", "k 0: FINISHED", timeout=PATIENCE)
    expect(squares.nth(3)).to_have_attribute("aria-label", "k 3: FAILED, exit code 3", timeout=PATIENCE)
    group = told.get_by_role("region", name="Why cases failed").get_by_role("listitem")
    expect(group).to_contain_text("2 failed: exit code 3", timeout=PATIENCE)
    expect(group).to_contain_text("no convergence", timeout=PATIENCE)
    mended.touch()
    group.get_by_role("button", name="Retry 2").click()
    expect(told).to_contain_text("✓ 4 finished", timeout=PATIENCE)
    expect(squares.nth(3)).to_have_attribute("aria-label", "k 3: FINISHED", timeout=PATIENCE)


def test_a_case_opens_beside_the_map_by_the_keyboard_and_a_hostile_name_is_text(
    notebook: Open, tapis: Tapis
) -> None:
    from playwright.sync_api import expect

    tapis.study(HOSTILE, "bash", cases={"k": [1, 2]}, script="echo seen {{ k }}", maxMinutes=5).run().wait(
        progress=False
    )
    view = place(notebook, "Studies")
    told = study(view, HOSTILE)
    expect(told.get_by_role("option")).to_have_count(2, timeout=PATIENCE)
    told.get_by_role("listbox").focus()
    view.page.keyboard.press("ArrowRight")
    view.page.keyboard.press("Enter")
    expect(view.locator(".tj-Dock")).to_contain_text("seen 2", timeout=PATIENCE)
    assert view.page.evaluate("window.harmed") is None


def test_a_study_is_cancelled_after_one_question(notebook: Open, tapis: Tapis, gate: Path) -> None:
    from playwright.sync_api import expect

    tapis.study(
        "ended", "bash", cases={"k": [1, 2]}, script=f"{until_gate(gate)} # {{{{ k }}}}", maxMinutes=5
    ).run()
    told = study(place(notebook, "Studies"), "ended")
    told.get_by_role("button", name="Cancel…").click(timeout=PATIENCE)
    expect(told.locator(".tj-Question")).to_contain_text("End 2 cases of study ended", timeout=PATIENCE)
    told.get_by_role("button", name="Cancel 2 cases").click()
    expect(told).to_contain_text("⊘ 2 cancelled", timeout=PATIENCE)


def test_results_of_a_study_are_drawn_and_its_extension_is_code(notebook: Open, tapis: Tapis) -> None:
    from playwright.sync_api import expect

    script = 'printf "k,drift\\n{{ k }},{{ k }}.5\\n" > peak.csv'
    ran = tapis.study("drawn", "bash", cases={"k": [1, 2, 3]}, script=script, maxMinutes=5).run()
    ran.wait(progress=False)
    opened = notebook("1")
    told = study(seen(opened, "Studies"), "drawn")
    told.get_by_text("Plot", exact=True).click(timeout=PATIENCE)
    expect(told.locator("circle")).to_have_count(3, timeout=PATIENCE)
    told.get_by_label("Output with results").fill("peak.csv")
    told.get_by_role("button", name="Read them").click()
    expect(told.get_by_text("read of 3 cases")).to_be_visible(timeout=PATIENCE)
    told.get_by_label("What is drawn").select_option("drift")
    expect(told.get_by_role("img", name="drift over k: 3 cases")).to_be_visible(timeout=PATIENCE)
    expect(told.locator("circle title").nth(1)).to_have_text("k 2: drift 2.5", timeout=PATIENCE)
    told.get_by_text("Extend…", exact=True).click()
    told.get_by_label("k", exact=True).fill("3..5")
    expect(told.get_by_text("The code that runs 3 cases")).to_be_visible(timeout=PATIENCE)
    table = told.get_by_label("Or a table")
    table.fill("m\n4")
    expect(told.get_by_text("There is no parameter m")).to_be_visible(timeout=PATIENCE)
    table.fill("k\n4\n5\n")
    expect(told.get_by_text("The code that runs 2 cases")).to_be_visible(timeout=PATIENCE)
    told.get_by_role("button", name="Put it into a cell").click()
    expect(opened.cell(1)).to_contain_text('{"k": 5}', timeout=PATIENCE)
    opened.run(1)
    seen(opened, "Studies")
    expect(told).to_contain_text("5 of 5 ended", timeout=PATIENCE)
    squares = told.get_by_role("listbox", name="Cases of study drawn").get_by_role("option")
    expect(squares).to_have_count(5, timeout=PATIENCE)


# --- systems ----------------------------------------------------------------------------------
def test_a_host_is_added_by_hand_after_its_fingerprint_was_seen(
    notebook: Open, tapis: Tapis, rig: Rig
) -> None:
    from playwright.sync_api import expect

    view = place(notebook, "Systems")
    add_by_hand(view, "by-hand", rig.hosts["login1"])
    view.get_by_label("Key file of this computer").set_input_files(rig.key)
    view.get_by_role("button", name="Connect", exact=True).click()
    asked = view.get_by_role("dialog")
    expect(asked).to_contain_text("Trust the key of by-hand?", timeout=PATIENCE)
    expect(asked.locator("code")).to_have_text(fingerprint(rig), timeout=PATIENCE)
    asked.get_by_role("button", name="Stop").click()
    expect(view.get_by_role("form", name="Add a host")).to_contain_text("nothing was added", timeout=PATIENCE)
    assert "by-hand" not in tapis.systems()["id"].tolist()
    view.get_by_role("button", name="Connect", exact=True).click()
    asked.get_by_role("button", name="Trust this key").click(timeout=PATIENCE)
    expect(view.get_by_role("form", name="Add a host")).to_contain_text("by-hand is ready.", timeout=PATIENCE)
    card = system(view, "by-hand")
    expect(card).to_contain_text("connected", timeout=PATIENCE)
    queue = card.get_by_role("row").filter(has_text="normal · default")
    expect(queue).to_contain_text("of 4 nodes", timeout=PATIENCE)
    expect(queue).to_contain_text("waiting", timeout=PATIENCE)
    view.get_by_role("button", name="Connect", exact=True).click()
    expect(asked).to_contain_text("Replace system by-hand?", timeout=PATIENCE)
    view.page.keyboard.press("Escape")
    card.get_by_role("button", name="Check now").click()
    expect(card.locator(".tj-Note")).to_contain_text("Slurm", timeout=PATIENCE)
    tapis.connection.post("/v3/systems/by-hand/delete")


def test_password_and_code_are_asked_in_a_dialogue_and_stay_nowhere_in_the_page(
    notebook: Open, tapis: Tapis, rig_variant: Callable[[str], Rig]
) -> None:
    from playwright.sync_api import expect

    rig = rig_variant("sign-in")
    login = rig.hosts["otp"]
    assert login.password
    view = place(notebook, "Systems")
    add_by_hand(view, "by-code", login)
    view.get_by_role("button", name="Connect", exact=True).click()
    asked = view.get_by_role("dialog")
    asked.get_by_role("button", name="Trust this key").click(timeout=PATIENCE)
    asked.get_by_label("Password").fill(login.password, timeout=PATIENCE)
    view.page.keyboard.press("Enter")
    code = rig.code()
    asked.get_by_label("One-time code").fill(code, timeout=PATIENCE)
    view.page.keyboard.press("Enter")
    expect(view.get_by_role("form", name="Add a host")).to_contain_text("by-code is ready.", timeout=PATIENCE)
    expect(system(view, "by-code")).to_contain_text("connected", timeout=PATIENCE)
    held = view.page.evaluate(
        "[document.body.innerHTML, ...[...document.querySelectorAll('input')].map(each => each.value)].join()"
    )
    assert login.password not in held
    assert code not in held
    tapis.connection.post("/v3/systems/by-code/delete")


@pytest.fixture
def two_hosts(tapis: Tapis, rig_variant: Callable[[str], Rig]) -> Iterator[Rig]:
    """Two hosts of a cluster as the systems `of-login1` and `of-login2`; the first may be broken."""
    rig = rig_variant("faults")
    for name in ("login1", "login2"):
        tapis.add_host(f"of-{name}", **rig.reaching(name), replace=True)
    yield rig
    for name in ("login1", "login2"):
        tapis.connection.post(f"/v3/systems/of-{name}/delete")


def test_a_host_that_is_gone_says_why_while_others_go_on_and_recovers_by_itself_for_its_job(
    notebook: Open, tapis: Tapis, two_hosts: Rig
) -> None:
    from playwright.sync_api import expect

    folder = Path(two_hosts.ssh("mktemp -d").strip())
    job = tapis.submit(
        "bash", script=until_gate(folder / "gate"), name="cut-off", execSystemId="of-login1", maxMinutes=5
    )
    view = place(notebook, "Systems")
    gone, other = system(view, "of-login1"), system(view, "of-login2")
    expect(gone.get_by_role("row").filter(has_text="normal")).to_contain_text("1 running", timeout=PATIENCE)
    with two_hosts.refused_connections("login1"):
        expect(gone.locator(".tj-State")).to_have_text("⚠ trouble", timeout=PATIENCE)
        expect(gone).to_contain_text(re.compile(r"refuses the connection.*next try is at"), timeout=PATIENCE)
        expect(gone).to_contain_text("There is no connection now")
        other.get_by_role("button", name="Check now").click()
        expect(other.locator(".tj-Note")).to_contain_text("Slurm", timeout=PATIENCE)
        expect(other.locator(".tj-State")).to_have_text("● connected")
        expect(other.get_by_role("row").filter(has_text="normal")).to_contain_text("of 4 nodes")
        expect(system(view, "local").locator(".tj-State")).to_have_text("● here")
    expect(gone.locator(".tj-State")).to_have_text("● connected", timeout=PATIENCE)
    expect(gone).not_to_contain_text("refuses the connection")
    (folder / "gate").touch()
    assert job.wait(progress=False).status == "FINISHED"
    two_hosts.ssh(f"rm -r '{folder}'")


def test_a_look_at_a_host_that_is_gone_leaves_its_cause_in_the_card_until_the_next_look(
    notebook: Open, two_hosts: Rig
) -> None:
    from playwright.sync_api import expect

    card = system(place(notebook, "Systems"), "of-login1")
    look = card.get_by_role("button", name="Check now")
    state = card.locator(".tj-State")
    expect(state).to_have_text("● connected", timeout=PATIENCE)
    with two_hosts.refused_connections("login1"):
        look.click()
        expect(state).to_have_text("⚠ trouble", timeout=PATIENCE)
        expect(card).to_contain_text(re.compile(r"refuses the connection.*when a job or a person needs it"))
        expect(card.locator(".tj-Note")).to_be_hidden()
    look.click()
    expect(state).to_have_text("● connected", timeout=PATIENCE)
    expect(card.locator(".tj-Note")).to_contain_text("Slurm")
    expect(card).not_to_contain_text("refuses the connection")


# --- apps -------------------------------------------------------------------------------------
def test_an_app_is_found_while_typing_and_its_form_opens(notebook: Open) -> None:
    from playwright.sync_api import expect

    view = place(notebook, "Apps")
    view.get_by_label("Search apps").fill("shell script")
    found = view.get_by_role("list", name="Apps").get_by_role("listitem")
    expect(found).to_have_count(1, timeout=PATIENCE)
    found.get_by_role("button", name="Submit…").click()
    form = view.page.get_by_role("region", name="Submit a job")
    expect(form.locator("select").first).to_have_value("0", timeout=PATIENCE)


def test_apps_are_imported_from_a_file_and_from_text_and_replaced_when_asked(
    notebook: Open, tapis: Tapis, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    app = {"id": "brought", "version": "1.0", "runtime": "ZIP", "containerImage": "tapis://local/x.zip"}
    (tmp_path / "brought.yaml").write_text("".join(f"{name}: {value}\n" for name, value in app.items()))
    view = place(notebook, "Apps")
    view.get_by_role("button", name="Import…").click()
    form = view.get_by_role("form", name="Import apps")
    form.get_by_label("Files").set_input_files(tmp_path / "brought.yaml")
    form.get_by_role("button", name="Import", exact=True).click()
    outcome = form.get_by_role("listitem")
    expect(outcome).to_contain_text("created brought 1.0", timeout=PATIENCE)
    expect(view.get_by_role("list", name="Apps")).to_contain_text("brought 1.0", timeout=PATIENCE)
    words = form.get_by_label("Or their YAML or JSON")
    words.fill(json.dumps([{**app, "description": HOSTILE}, {"id": "none"}]))
    form.get_by_role("button", name="Import", exact=True).click()
    expect(outcome).to_contain_text("Number 2 is no app", timeout=PATIENCE)
    words.fill(json.dumps({**app, "description": HOSTILE}))
    form.get_by_role("button", name="Import", exact=True).click()
    expect(outcome).to_contain_text("exists brought 1.0", timeout=PATIENCE)
    outcome.get_by_role("button", name="Replace it").click()
    expect(outcome).to_contain_text("replaced brought 1.0", timeout=PATIENCE)
    expect(view.get_by_role("list", name="Apps")).to_contain_text(HOSTILE, timeout=PATIENCE)
    assert view.page.evaluate("window.harmed") is None
    tapis.connection.post("/v3/apps/brought/delete")
