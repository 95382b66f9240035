"""Workflows on the wire: the body and the results of the routes about them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import Field

from ..engine.workflows import Summary, Told
from ..model.workflow import MOST_RETRIES, Node, Plan, WorkflowStatus, group_and_row
from .wire import Wire


class NewNode(Wire):
    """A job of a workflow, which waits for others."""

    name: str = Field(description="A word; of a fan-out with its row: solve[0], solve[1] ...")
    request: dict[str, Any] = Field(
        description="A job request. In fileInputs the sourceUrl output://NODE/path is an output of another "
        "node; of a fan-out, output://GROUP/path, that of each of its nodes below GROUP/ROW/, and GROUP.csv."
    )
    after: list[str] = Field(
        default_factory=list,
        description="Nodes and fan-outs that must be FINISHED before, beside those whose outputs it takes.",
    )
    retries: int = Field(0, description=f"New jobs it gets when it FAILED, 0 to {MOST_RETRIES}.")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Of a fan-out: the row of the table behind this node."
    )


class NewWorkflow(Wire):
    """A workflow that is to begin; one of that name with the same nodes is joined."""

    name: str
    nodes: list[NewNode]
    fresh: bool = Field(False, description="Begin anew although the same has ended.")


class WorkflowGroup(Wire):
    """A node, or a whole fan-out as one."""

    name: str
    after: list[str]
    is_fan_out: bool
    counts: dict[str, int] = Field(description="Nodes by their state.")


class WorkflowRow(Wire):
    """A workflow, and how many of its nodes have each state."""

    name: str
    owner: str
    status: WorkflowStatus
    created: str
    nodes: int
    counts: dict[str, int] = Field(
        description="Nodes by their state: the status of their last job, WAITING or NOT_RUN."
    )


class WorkflowDetails(WorkflowRow):
    """A workflow as a graph, each fan-out as one."""

    groups: list[WorkflowGroup] = Field(description="In the order given.")


class WorkflowNode(Wire):
    """A node, and what has become of it."""

    name: str
    state: str = Field(description="The status of its last job; WAITING, or NOT_RUN where it will get none.")
    after: list[str]
    attempt: int
    retries: int
    job_uuid: str | None
    problem: str | None = Field(description="Why it got no job, or why its job failed.")
    created: str | None
    remote_started: str | None
    ended: str | None


class WorkflowTold(Wire):
    """One sentence; ``asked`` is the number of jobs or nodes that it is about."""

    name: str
    message: str
    asked: int = 0


def plans_of(nodes: list[NewNode]) -> list[Plan]:
    """Return nodes as they are given."""
    return [
        Plan(
            node=Node(name=node.name, after=tuple(node.after), retries=node.retries),
            request=node.request,
            parameters=node.parameters,
        )
        for node in nodes
    ]


def row_to_wire(summary: Summary) -> dict[str, Any]:
    """Return a workflow in short."""
    flow = summary.workflow
    return {
        "name": flow.name,
        "owner": flow.owner,
        "status": summary.status,
        "created": flow.created,
        "nodes": sum(summary.counts.values()),
        "counts": dict(summary.counts),
    }


def details_to_wire(told: Told) -> dict[str, Any]:
    """Return a workflow as a graph."""
    groups: dict[str, dict[str, Any]] = {}
    counts: dict[str, Counter[str]] = {}
    for row, state in zip(told.nodes, told.states, strict=True):
        group, _ = group_and_row(row.node.name)
        name = row.node.name if group is None else group
        found = groups.setdefault(name, {"name": name, "after": {}, "isFanOut": group is not None})
        found["after"] |= dict.fromkeys(row.node.after)
        counts.setdefault(name, Counter())[state] += 1
    shown = [{**g, "after": list(g["after"]), "counts": dict(counts[n])} for n, g in groups.items()]
    return {**row_to_wire(told.summary), "groups": shown}


def nodes_to_wire(told: Told) -> list[dict[str, Any]]:
    """Return the nodes of a workflow in order."""
    origins = {row.standing.job_uuid: row.node.name for row in told.nodes if row.standing.job_uuid}
    return [_node(row, state, origins) for row, state in zip(told.nodes, told.states, strict=True)]


def _node(row: Any, state: str, origins: dict[str, str]) -> dict[str, Any]:
    node, standing = row.node, row.standing
    failed = state == "FAILED"
    problem = standing.problem or (row.message if failed else None)
    return {
        "name": node.name,
        "state": state,
        "after": list(node.after),
        "attempt": standing.attempt,
        "retries": node.retries,
        "jobUuid": standing.job_uuid,
        "problem": _with_origin(problem, standing.job_uuid, origins),
        "created": row.created,
        "remoteStarted": row.started,
        "ended": row.ended,
    }


def _with_origin(problem: str | None, own: str | None, origins: dict[str, str]) -> str | None:
    """Return why a node failed; of an input that is not there also which node should have left it."""
    if not problem or "does not exist" not in problem:
        return problem
    found = next((name for uuid, name in origins.items() if uuid != own and uuid in problem), None)
    return f"{problem} It is an output that node {found} did not leave." if found else problem
