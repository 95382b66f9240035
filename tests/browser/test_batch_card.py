"""The card of a batch job lives through its queue, its run and its end, on a real cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from rig.rig import Rig

from jupyter_tapis_jobs.client.tapis import Tapis
from tests.browser.conftest import PATIENCE, Notebook
from tests.browser.jobs_page import expect
from tests.conftest import TestServer

LOAD = "%load_ext jupyter_tapis_jobs"


@pytest.fixture
def cluster(lab: TestServer, rig: Rig) -> Iterator[Tapis]:
    """The Lab's server with the rig as system ``cluster``."""
    tapis = lab.tapis()
    tapis.connection.post("/v3/tapisjobs/hosts", {**rig.adding(), "id": "cluster", "replace": True})
    yield tapis
    tapis.connection.post("/v3/systems/cluster/delete")
    tapis.connection.close()


@pytest.fixture
def gate(rig: Rig) -> Iterator[str]:
    """A file in the home on the cluster, which the job waits for."""
    name = f"gate-{uuid4().hex}"
    yield name
    rig.ssh(f"rm -f {name}")


def number_of(card: Any) -> str:
    """Return the number that Slurm gave the job of a card."""
    facts = card.locator(".tj-Facts").inner_text()
    number = re.search(r"BATCH (\d+)", facts)
    assert number, facts
    return number[1]


def test_the_card_of_a_batch_job_tells_why_it_waits_then_what_it_prints_then_its_end(
    notebook: Callable[..., Notebook], cluster: Tapis, rig: Rig, gate: str
) -> None:
    opened = notebook(
        LOAD,
        "\n".join(
            (
                "%%tapisjob bash --name held --system cluster --queue development --minutes 5 "
                "--set 'parameterSet.schedulerOptions=[{arg: --begin=now+1hour}]'",
                "echo step one",
                f'until [ -e "$HOME/{gate}" ]; do sleep 0.1; done',
                "echo step two",
            )
        ),
    )
    opened.run(0)
    opened.run(1)
    card = opened.card("held")
    opened.expect_status(card, "◷ QUEUED")
    words = card.locator(".tj-Words")
    expect(words).to_contain_text("in queue development")
    # Told without a change of its state.
    expect(words).to_contain_text("its earliest start has not come yet", timeout=PATIENCE)
    rig.slurm("scontrol", "update", f"JobId={number_of(card)}", "StartTime=now")
    opened.expect_status(card, "▶ RUNNING")
    expect(card.locator(".tj-Lines")).to_contain_text("step one", timeout=PATIENCE)
    rig.ssh(f"touch {gate}")
    opened.expect_status(card, "✓ FINISHED")
    expect(card.locator(".tj-Lines")).to_contain_text("step two", timeout=PATIENCE)
    expect(card.locator(".tj-Files")).to_contain_text("tapisjob.out", timeout=PATIENCE)


def test_a_held_batch_job_is_let_go_from_its_card_and_cancelled_while_it_waits(
    notebook: Callable[..., Notebook], cluster: Tapis, rig: Rig
) -> None:
    opened = notebook(
        LOAD,
        "%%tapisjob bash --name unwanted --system cluster --minutes 5 "
        "--set 'parameterSet.schedulerOptions=[{arg: --hold}, {arg: --begin=now+1hour}]'\necho never",
    )
    opened.run(0)
    opened.run(1)
    card: Any = opened.card("unwanted")
    opened.expect_status(card, "⏸ PAUSED")
    resume = card.get_by_role("button", name="Resume", exact=True)
    resume.click()
    opened.expect_status(card, "◷ QUEUED")
    expect(resume).to_be_hidden()
    number = number_of(card)
    assert number in rig.slurm("squeue", "--noheader", "--format=%i").split()
    card.get_by_role("button", name="Cancel", exact=True).click()
    card.get_by_role("button", name="Cancel the job").click()
    opened.expect_status(card, "⊘ CANCELLED")
    assert number not in rig.slurm("squeue", "--noheader", "--format=%i").split()
