"""What a workflow may be: names, what waits for what, circles, retries; and which node gets a job when."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.workflow import Node, Plan, Standing, Wish, job_name, parse
from jupyter_tapis_jobs.model.workflow_outputs import output_url, with_outputs
from jupyter_tapis_jobs.model.workflow_progress import Progress


def plan(name: str, *after: str, takes: str | None = None, retries: int = 0) -> Plan:
    request: dict[str, Any] = {"appId": "bash"}
    if takes:
        request["fileInputs"] = [{"sourceUrl": takes}]
    return Plan(node=Node(name=name, after=after, retries=retries), request=request, parameters={})


def after(name: str, plans: list[Plan]) -> tuple[str, ...]:
    return next(p.node.after for p in parse("flow", plans) if p.node.name == name)


@pytest.mark.parametrize("name", ["", "a b", "a.b", "solve[", "solve[01]", "1st", "a" * 41, "<b>"])
def test_a_node_is_named_by_a_word(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"cannot name a node.*Name a node by a word \(mesh\)"):
        parse("flow", [plan(name)])


@pytest.mark.parametrize("names", [("a", "a"), ("a[0]", "a[0]"), ("a", "a[0]")])
def test_a_name_is_one_nodes_only(names: tuple[str, str]) -> None:
    with pytest.raises(InvalidInputError, match="Two nodes are named 'a"):
        parse("flow", [plan(name) for name in names])


def test_what_is_waited_for_and_is_no_node_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        InvalidInputError, match=r"node solve waits for 'mehs', which is no node .* Did you mean 'mesh'\?"
    ):
        parse("flow", [plan("mesh"), plan("solve", "mehs")])


def test_a_circle_is_refused_and_named() -> None:
    plans = [plan("a", "c"), plan("b[0]", "a"), plan("b[1]"), plan("c", "b")]
    with pytest.raises(InvalidInputError) as refused:
        parse("flow", plans)
    told = refused.value.message
    assert told.startswith("The nodes wait for one another in a circle: ")
    assert {"a", "b", "b[0]", "c"} == set(str(refused.value.value).split(" -> "))


def test_a_node_that_waits_for_itself_is_a_circle() -> None:
    with pytest.raises(InvalidInputError, match="circle: a -> a"):
        parse("flow", [plan("a", "a")])


@pytest.mark.parametrize("retries", [-1, 11])
def test_retries_have_bounds(retries: int) -> None:
    with pytest.raises(InvalidInputError, match=rf"retries of node a is {retries}; it takes 0 to 10"):
        parse("flow", [plan("a", retries=retries)])


def test_an_output_that_is_used_is_waited_for() -> None:
    plans = [plan("mesh"), plan("solve", takes="output://mesh/mesh.vtk")]
    assert after("solve", plans) == ("mesh",)


def test_a_workflow_without_nodes_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="nodes must hold 1 to 20,000 nodes, not 0"):
        parse("flow", [])


@pytest.mark.parametrize("path", ["", "/", "../x", "a/../../x"])
def test_an_output_is_named_by_a_path_below_the_jobs_outputs(path: str) -> None:
    with pytest.raises(InvalidInputError):
        output_url("mesh", path)


def test_an_output_with_odd_characters_is_found_again() -> None:
    url = output_url("mesh", "a dir/ü #1?.csv")
    seen: list[tuple[str, str]] = []

    def bring(node: str, path: str, item: Any) -> list[dict[str, Any]]:
        seen.append((node, path))
        return []

    assert with_outputs({"fileInputs": [{"sourceUrl": url}, {"sourceUrl": "data:,x"}]}, bring) == {
        "fileInputs": [{"sourceUrl": "data:,x"}]
    }
    assert seen == [("mesh", "a dir/ü #1?.csv")]


def test_a_jobs_name_is_the_flows_and_the_nodes_and_never_too_long() -> None:
    assert job_name("dam", "solve[3]") == "dam.solve[3]"
    assert job_name("d" * 120, "solve[3]") == "d" * 55 + ".solve[3]"


# --- progress ---------------------------------------------------------------------------------
def progress(*plans: Plan) -> Progress:
    nodes = [p.node for p in parse("flow", plans)]
    return Progress(nodes, [Standing(most_attempts=1 + node.retries) for node in nodes])


def ends(flow: Progress, name: str, status: JobStatus, attempt: int = 1) -> None:
    place = next(p for p, node in enumerate(flow.nodes) if node.name == name)
    most = flow.standings[place].most_attempts
    flow.settle(place, Standing(attempt=attempt, most_attempts=most, job_uuid=f"u-{name}", status=status))


def ready(flow: Progress) -> set[str]:
    return {flow.nodes[place].name for place in flow.ready}


def states(flow: Progress) -> dict[str, str]:
    return dict(zip((node.name for node in flow.nodes), flow.states(Wish.RUN), strict=True))


def test_a_node_is_ready_when_all_before_it_are_finished() -> None:
    flow = progress(
        plan("mesh"), plan("solve[0]", "mesh"), plan("solve[1]", "mesh"), plan("reduce", "solve", "mesh")
    )
    assert ready(flow) == {"mesh"}
    ends(flow, "mesh", JobStatus.RUNNING)
    assert (ready(flow), len(flow.under_way)) == (set(), 1)
    ends(flow, "mesh", JobStatus.FINISHED)
    assert ready(flow) == {"solve[0]", "solve[1]"}
    ends(flow, "solve[0]", JobStatus.FINISHED)
    assert ready(flow) == {"solve[1]"}
    ends(flow, "solve[1]", JobStatus.FINISHED)
    assert ready(flow) == {"reduce"}
    ends(flow, "reduce", JobStatus.FINISHED)
    assert flow.is_over(Wish.RUN)
    assert flow.status(Wish.RUN) == "FINISHED"


def test_what_is_behind_a_failed_node_is_not_run_and_what_is_beside_it_goes_on() -> None:
    flow = progress(plan("a"), plan("b", "a"), plan("c", "b"), plan("d"), plan("e", "d"))
    ends(flow, "d", JobStatus.RUNNING)
    ends(flow, "a", JobStatus.FAILED)
    assert states(flow) == {"a": "FAILED", "b": "NOT_RUN", "c": "NOT_RUN", "d": "RUNNING", "e": "WAITING"}
    assert flow.status(Wish.RUN) == "RUNNING"
    ends(flow, "d", JobStatus.FINISHED)
    assert ready(flow) == {"e"}
    ends(flow, "e", JobStatus.FINISHED)
    assert flow.status(Wish.RUN) == "FAILED"


def test_a_failed_node_is_ready_again_while_it_has_retries_and_a_cancelled_one_never() -> None:
    flow = progress(plan("a", retries=1), plan("b", retries=1), plan("c", "a"))
    ends(flow, "a", JobStatus.FAILED, attempt=1)
    ends(flow, "b", JobStatus.CANCELLED, attempt=1)
    assert ready(flow) == {"a"}
    assert states(flow)["c"] == "WAITING"
    ends(flow, "a", JobStatus.FAILED, attempt=2)
    assert ready(flow) == set()
    assert states(flow)["c"] == "NOT_RUN"


def test_a_paused_workflow_is_not_over_and_a_cancelled_one_is_when_nothing_is_under_way() -> None:
    flow = progress(plan("a"), plan("b", "a"))
    assert flow.status(Wish.PAUSE) == "PAUSED"
    assert flow.status(Wish.CANCEL) == "CANCELLED"
    assert flow.states(Wish.CANCEL) == ["NOT_RUN", "NOT_RUN"]
    ends(flow, "a", JobStatus.RUNNING)
    assert flow.status(Wish.CANCEL) == "RUNNING"
