"""Workflows on real servers, wherever their jobs run: processes here, processes and Slurm over SSH."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from jupyter_tapis_jobs import Tapis
from jupyter_tapis_jobs.client.workflow import Workflow

#: Where the jobs of a workflow run: a fixture that gives the client, and what each request says.
PLACES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "here": ("tapis", {"maxMinutes": 5}),
    "ssh": ("cluster", {"execSystemId": "cluster", "maxMinutes": 5}),
    "slurm": ("cluster", {"execSystemId": "cluster", "jobType": "BATCH", "maxMinutes": 5, "memoryMB": 50}),
}
SECONDS = 240.0

Begin = Callable[[], tuple[Workflow, dict[str, Any]]]


@pytest.fixture(params=PLACES)
def begin(request: pytest.FixtureRequest) -> Begin:
    """``begin()``: a new workflow with the test's own name, and what the requests of its place say."""
    fixture, fields = PLACES[request.param]
    tapis: Tapis = request.getfixturevalue(fixture)
    name = request.node.name.replace("[", "-").replace("]", "")[-60:]
    return lambda: (tapis.workflow(name), fields)


def states(flow: Workflow) -> dict[str, str]:
    frame = flow.frame()
    return dict(zip(frame["node"], frame["status"], strict=True))


def test_a_workflow_hands_outputs_on_from_one_job_to_a_fan_out_to_one_job(begin: Begin) -> None:
    flow, fields = begin()
    mesh = flow.add("bash", script="echo 7 > mesh.txt", name="mesh", **fields)
    solve = flow.map(
        "bash",
        {"k": [1, 2, 3]},
        name="solve",
        inputs=[mesh.output("mesh.txt")],
        script="echo $(( {{ k }} * $(cat mesh.txt) )) > u.csv",
        **fields,
    )
    flow.add(
        "bash",
        name="reduce",
        inputs=[solve.output("u.csv")],
        script="cat solve/*/u.csv; cut -d, -f1-3 solve.csv",
        **fields,
    )
    flow.run().wait(SECONDS, progress=False)
    told = flow.frame()
    assert set(told["status"]) == {"FINISHED"}, told.to_string()
    assert told["node"].tolist() == ["mesh", "solve[0]", "solve[1]", "solve[2]", "reduce"]
    assert told["after"].tolist() == ["", "mesh", "mesh", "mesh", "solve"]
    assert told["attempt"].tolist() == [1] * 5
    assert flow.job("reduce").read("tapisjob.out").split() == [
        "7", "14", "21", "k,node,status",
        "1,solve[0],FINISHED", "2,solve[1],FINISHED", "3,solve[2],FINISHED",
    ]  # fmt: skip
    assert flow.job("solve[1]").name.endswith(".solve[1]")
    # The same cell again doubles nothing.
    uuids = told["jobUuid"].tolist()
    assert flow.run().frame()["jobUuid"].tolist() == uuids
    assert flow.status == "FINISHED"
