"""A host is added in a notebook: what it asks is asked there, and no answer stays in the notebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rig.rig import Rig

from tests.browser.conftest import PATIENCE, Notebook
from tests.conftest import until

SETUP = "import jupyter_tapis_jobs as tj\ntapis = tj.connect()"


def asked(opened: Notebook, cell: int, question: str, answer: str) -> None:
    """Wait for the question below the cell, and type the answer."""
    asking = opened.cell(cell).locator(".jp-Stdin", has_text=question)
    box = asking.locator(".jp-Stdin-input")
    box.wait_for(timeout=PATIENCE)
    box.fill(answer)
    box.press("Enter")


def test_trust_password_and_code_are_asked_in_the_notebook_and_kept_out_of_it(
    notebook: Callable[..., Notebook], rig_variant: Callable[[str], Rig]
) -> None:
    from playwright.sync_api import expect

    rig = rig_variant("sign-in")
    login = rig.hosts["otp"]
    assert login.password
    add = f'tapis.add_host("guarded", host="{login.host}", port={login.port}, user="{login.user}")'
    opened = notebook(SETUP, add)
    opened.run(0)
    opened.run(1, wait=False)
    asked(opened, 1, "Trust it? [y/N]", "y")
    asked(opened, 1, "guarded: password:", login.password)
    code = rig.code()
    asked(opened, 1, "guarded: One-time", code)
    shown: Any = opened.cell(1).locator(".jp-OutputArea")
    expect(shown).to_contain_text("ready", timeout=PATIENCE)
    expect(shown.locator("table")).to_contain_text("normal (default)", timeout=PATIENCE)
    saved = str(until(opened.save))
    assert "SHA256:" in saved
    assert login.password not in saved
    assert code not in saved
    connection = opened.server.tapis().connection
    connection.post("/v3/systems/guarded/delete")
    connection.close()


def test_a_no_to_the_key_is_one_sentence_and_adds_nothing(
    notebook: Callable[..., Notebook], rig: Rig
) -> None:
    from playwright.sync_api import expect

    login = rig.hosts["login1"]
    where = f'host="{login.host}", port={login.port}, user="{login.user}", key="{rig.key}"'
    add = f'tapis.add_host("strange", {where})'
    opened = notebook(SETUP, add, "tapis.systems()['id'].tolist()")
    opened.run(0)
    opened.run(1, wait=False)
    asked(opened, 1, "Trust it? [y/N]", "")
    shown = opened.cell(1).locator(".jp-OutputArea")
    expect(shown).to_contain_text("strange was not added: its key SHA256:", timeout=PATIENCE)
    expect(shown).not_to_contain_text("Traceback")
    opened.run(2)
    expect(opened.cell(2).locator(".jp-OutputArea")).not_to_contain_text("strange", timeout=PATIENCE)
