"""Workflows on real servers, wherever their jobs run: processes here, processes and Slurm over SSH."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
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


def test_a_failed_node_is_tried_again_and_what_is_behind_it_then_runs(begin: Begin) -> None:
    flow, fields = begin()
    flow.add("bash", script="echo hello", name="first", **fields)
    flow.add(
        "bash", script="cat missing.txt", name="second",
        inputs=["output://first/missing.txt"], **fields,
    )  # fmt: skip
    flow.add("bash", script="exit 3", name="third", retries=1, **fields)
    flow.add("bash", script="true", name="last", after=["third"], **fields)
    flow.run().wait(SECONDS, progress=False)
    assert flow.status == "FAILED"
    assert states(flow) == {"first": "FINISHED", "second": "FAILED", "third": "FAILED", "last": "NOT_RUN"}
    told = flow.frame().set_index("node")
    assert told.loc["third", "attempt"] == 2
    assert "missing.txt" in told.loc["second", "problem"]
    assert "an output that node first did not leave" in told.loc["second", "problem"]


def test_a_workflow_goes_on_when_its_server_was_killed(serve: Callable[..., Any], tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serve() as server, closing((tapis := server.tapis()).connection):
        flow = tapis.workflow("survivor")
        first = flow.add("bash", script=f"until [ -e {gate} ]; do sleep 0.1; done; echo 1 > n", name="first")
        flow.add("bash", script="cat n", name="second", inputs=[first.output("n")], after=["first"])
        flow.run()
        server.process.process.kill()
        server.process.process.wait()
    gate.touch()
    with serve() as server, closing((tapis := server.tapis()).connection):
        again = tapis.workflow("survivor")
        again.wait(SECONDS, progress=False)
        assert states(again) == {"first": "FINISHED", "second": "FINISHED"}
        assert again.frame()["attempt"].tolist() == [1, 1]
        assert len(tapis.jobs()) == 2
