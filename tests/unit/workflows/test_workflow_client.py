"""A workflow in the kernel: what is built, its graph, what is wrong told early."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from jupyter_tapis_jobs.client.workflow_graph import Box, svg
from jupyter_tapis_jobs.client.workflow_nodes import Node, Wanted, names_of
from jupyter_tapis_jobs.client.workflow_state import state_of
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.notebook.study_progress import bundle

INFO = {
    "name": "<dam>",
    "status": "RUNNING",
    "counts": {"FINISHED": 3, "RUNNING": 1, "WAITING": 2, "NOT_RUN": 1},
    "groups": [
        {"name": "mesh", "after": [], "isFanOut": False, "counts": {"FINISHED": 1}},
        {"name": "solve", "after": ["mesh"], "isFanOut": True, "counts": {"FINISHED": 2, "RUNNING": 1}},
        {"name": "reduce", "after": ["solve[1]", "solve"], "isFanOut": False, "counts": {"WAITING": 1}},
    ],
}


def places(markup: str) -> dict[str, tuple[float, float]]:
    """Return name -> where its box begins."""
    titles = re.findall(r'<text x="(\d+)" y="(\d+)" fill="#fff" font-weight="bold">([^<]+)<', markup)
    return {name: (float(x), float(y)) for x, y, name in titles}


def test_boxes_stand_behind_what_they_wait_for() -> None:
    found = places(state_of(INFO).picture)
    assert found["mesh"][0] < found["solve"][0] < found["reduce"][0]


def test_a_fan_out_is_one_box_with_its_counts() -> None:
    picture = state_of(INFO).picture
    assert "▶ 2 of 3 done" in picture
    assert picture.count("marker-end") == 2


def test_every_text_of_the_picture_is_escaped_and_it_is_well_formed() -> None:
    boxes = [Box(name="<script>&\x1b", after=(), counts={"RUNNING": 1})]
    ElementTree.fromstring(svg(boxes, "</title><b>"))  # noqa: S314 - our own
    html = bundle(state_of(INFO))["text/html"]
    assert "<dam>" not in html
    assert 'aria-label="workflow &lt;dam&gt;"' in html


def test_the_line_tells_status_and_states() -> None:
    line = state_of(INFO).line
    assert line == "<dam>  RUNNING  3 of 7   ✓ 3 done   ▶ 1 running   · 2 waiting   · 1 not run"


@pytest.mark.parametrize(
    ("status", "is_over"), [("RUNNING", False), ("PAUSED", False), ("FINISHED", True), ("FAILED", True)]
)
def test_a_workflow_is_waited_for_until_nothing_goes_on_by_itself(status: str, is_over: bool) -> None:
    assert state_of({**INFO, "status": status}).is_over is is_over


def test_a_chain_of_thousands_is_drawn_as_well() -> None:
    boxes = [Box(name="n0", after=(), counts={"WAITING": 1})]
    boxes += [Box(name=f"n{k}", after=(f"n{k - 1}",), counts={"WAITING": 1}) for k in range(1, 3000)]
    assert len(places(svg(list(reversed(boxes)), "chain"))) == 3000


def test_nodes_are_waited_for_by_themselves_or_by_their_names() -> None:
    assert names_of([Node("a"), "b"]) == ("a", "b")
    assert names_of(Node("a")) == names_of("a") == ("a",)
    with pytest.raises(InvalidInputError, match=r"after must hold nodes .* not int"):
        names_of([3])


def test_the_graph_knows_before_it_is_run_whose_outputs_are_taken() -> None:
    mesh = Node("mesh")
    given = {"inputs": [mesh.output("a b.vtk"), ("data:,x", "x")]}
    assert Wanted("solve", "bash", given, ("other",), 0).waits_for == ["other", "mesh"]
