"""A workflow: jobs that wait for one another, each with its request; what waits has no job yet."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import Any

from .batch_script import LONGEST_NAME
from .errors import InvalidInputError, did_you_mean
from .given_names import refuse_bad_name
from .status import JobStatus
from .texts import shown
from .workflow_outputs import named_nodes

#: Characters of a node's name; jobs that one node may have by itself beside the first.
LONGEST_NODE, MOST_RETRIES = 40, 10
#: Nodes of one workflow.
MOST_NODES = 20_000
_NODE = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)(?:\[(0|[1-9][0-9]*)\])?", re.ASCII)
_WAYS_OF_NAMES = "Name a node by a word (mesh), one of a fan-out by its row (solve[0])."


class Wish(StrEnum):
    """The last word of a workflow's owner about going on with it."""

    RUN = "RUN"
    PAUSE = "PAUSE"
    CANCEL = "CANCEL"


class WorkflowStatus(StrEnum):
    """How a whole workflow stands."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    #: All nodes are.
    FINISHED = "FINISHED"
    #: Nothing goes on, and not all nodes are FINISHED.
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """What is kept of a workflow beside its nodes. Times are ISO-8601 UTC text."""

    owner: str
    name: str
    #: Names the definition: equal ones have the same.
    digest: str
    created: str
    wish: Wish = Wish.RUN
    #: Nothing of it is under way or will be, unless its owner asks.
    is_over: bool = False
    #: Given by the store.
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A place in a workflow. ``after`` names what must be FINISHED before: nodes, or groups of a fan-out."""

    name: str
    after: tuple[str, ...] = ()
    retries: int = 0

    @property
    def units(self) -> tuple[str, ...]:
        """What others may wait for by it: itself, and its group."""
        group = group_and_row(self.name)[0]
        return (self.name,) if group is None else (self.name, group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A node as it is given: with its request and, of a fan-out, with the row of the table behind it."""

    node: Node
    request: Mapping[str, Any]
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a node stands: its last job and what became of it."""

    #: Jobs it had so far, and how many it may have by itself.
    attempt: int = 0
    most_attempts: int = 1
    job_uuid: str | None = None
    #: Of its last job; None before there is one, and when nobody knows any more.
    status: JobStatus | None = None
    #: Why it got no job, or "".
    problem: str = ""

    @property
    def is_done(self) -> bool:
        """True when those that wait for it need wait no longer."""
        return self.status is JobStatus.FINISHED

    @property
    def is_under_way(self) -> bool:
        """True while its job has not ended."""
        return self.status is not None and not self.status.is_terminal

    @property
    def wants_job(self) -> bool:
        """True when it gets a job as soon as nothing is before it."""
        if self.problem:
            return False
        again = self.status is JobStatus.FAILED and self.attempt < self.most_attempts
        return self.job_uuid is None or again


def group_and_row(name: str) -> tuple[str | None, int]:
    """Return the group and the row of one node of a fan-out (``solve[3]``); of another None and 0."""
    found = _NODE.fullmatch(name)
    return (found[1], int(found[2])) if found and found[2] is not None else (None, 0)


def units_of(nodes: Sequence[Node]) -> dict[str, list[int]]:
    """Return name -> positions of the nodes that have it: each node alone, and the groups of fan-outs."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for position, node in enumerate(nodes):
        for unit in node.units:
            found[unit].append(position)
    return dict(found)


def job_name(flow: str, node: str) -> str:
    """Return the name of a node's job: ``FLOW.NODE``, with as much of the flow's as there is room for."""
    return f"{flow[: LONGEST_NAME - len(node) - 1]}.{node}"


def parse(name: str, plans: Sequence[Plan]) -> list[Plan]:
    """Return *plans* with all that each must wait for: what it says, and what it uses outputs of.

    Raises ``InvalidInputError`` that names the node and what is wrong with it: its name, what it waits for,
    a cycle, its retries.
    """
    refuse_bad_name(name, "a workflow")
    if not 1 <= len(plans) <= MOST_NODES:
        raise InvalidInputError(
            f"nodes must hold 1 to {MOST_NODES:,} nodes, not {len(plans):,}.", field="nodes"
        )
    _refuse_bad_names([plan.node.name for plan in plans])
    found = [replace(plan, node=replace(plan.node, after=_after(plan))) for plan in plans]
    nodes = [plan.node for plan in found]
    known = units_of(nodes)
    for node in nodes:
        _refuse_bad_node(node, known)
    _refuse_cycle(nodes, known)
    return found


def _after(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*plan.node.after, *named_nodes(plan.request)]))


def _refuse_bad_names(names: Sequence[str]) -> None:
    groups = {group for name in names if (group := group_and_row(name)[0]) is not None}
    seen: set[str] = set()
    for name in names:
        if not _NODE.fullmatch(name) or len(name) > LONGEST_NODE:
            raise InvalidInputError(
                f"name {shown(name)} cannot name a node: at most {LONGEST_NODE} letters, digits, - and _. "
                f"{_WAYS_OF_NAMES}",
                field="nodes.name",
                value=name,
            )
        if name in seen or name in groups:
            raise InvalidInputError(
                f"Two nodes are named {shown(name)}. Give one of them another name.",
                field="nodes.name",
                value=name,
            )
        seen.add(name)


def _refuse_bad_node(node: Node, known: Iterable[str]) -> None:
    if not 0 <= node.retries <= MOST_RETRIES:
        raise InvalidInputError(
            f"retries of node {node.name} is {node.retries}; it takes 0 to {MOST_RETRIES}.",
            field="nodes.retries",
            value=node.retries,
        )
    missing = next((name for name in node.after if name not in known), None)
    if missing is not None:
        raise InvalidInputError(
            f"node {node.name} waits for {shown(missing)}, which is no node of this workflow."
            f"{did_you_mean(missing, known)}",
            field="nodes.after",
            value=missing,
        )


def _refuse_cycle(nodes: Sequence[Node], known: Mapping[str, Sequence[int]]) -> None:
    waits: dict[str, Iterable[str]] = {
        unit: [nodes[place].name for place in places] for unit, places in known.items()
    }
    waits |= {node.name: node.after for node in nodes}
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as fault:
        # It tells each behind what it waits for.
        cycle = " -> ".join(fault.args[1])
        raise InvalidInputError(
            f"The nodes wait for one another in a circle: {cycle}. Leave out one of these.",
            field="nodes.after",
            value=cycle,
        ) from None
