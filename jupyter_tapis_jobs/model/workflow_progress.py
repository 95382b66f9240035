"""How far a workflow is: which nodes may get a job now, which have one, which will never have one.

A node that ends costs what waits for it, however many nodes there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from .status import JobStatus
from .workflow import Node, Standing, Wish, WorkflowStatus, units_of

#: States of a node without a job: something before it is not done yet, or will never be.
WAITING, NOT_RUN = "WAITING", "NOT_RUN"


class Progress:
    """The nodes of one workflow, by their positions from 0, and where each stands."""

    def __init__(self, nodes: Sequence[Node], standings: Iterable[Standing]) -> None:
        self.nodes = nodes
        self.standings = list(standings)
        self.units = units_of(nodes)
        #: Nodes that get a job now, and those whose job has not ended.
        self.ready: set[int] = set()
        self.under_way: set[int] = set()
        #: Unit -> the nodes that wait for it, and how many of it are not done.
        self._children: defaultdict[str, list[int]] = defaultdict(list)
        self._left = {
            unit: sum(not self.standings[place].is_done for place in places)
            for unit, places in self.units.items()
        }
        for position, node in enumerate(nodes):
            for unit in node.after:
                self._children[unit].append(position)
        self._missing = [sum(self._left[unit] > 0 for unit in node.after) for node in nodes]
        for position in range(len(nodes)):
            self._sort(position)

    def settle(self, position: int, standing: Standing) -> None:
        """Take in where a node stands now."""
        was_done = self.standings[position].is_done
        self.standings[position] = standing
        if standing.is_done and not was_done:
            for unit in self.nodes[position].units:
                self._one_less(unit)
        self._sort(position)

    def is_over(self, wish: Wish) -> bool:
        """Tell whether nothing is under way or will be."""
        return not self.under_way and (wish is Wish.CANCEL or not self.ready)

    def status(self, wish: Wish) -> WorkflowStatus:
        """Return how the whole stands."""
        if all(standing.is_done for standing in self.standings):
            return WorkflowStatus.FINISHED
        if not self.is_over(wish):
            return WorkflowStatus.PAUSED if wish is Wish.PAUSE else WorkflowStatus.RUNNING
        return WorkflowStatus.CANCELLED if wish is Wish.CANCEL else WorkflowStatus.FAILED

    def states(self, wish: Wish) -> list[str]:
        """Return the state of each node: its job's status, or what it is without one."""
        lost = self._lost()
        never = wish is Wish.CANCEL
        return [
            _state(standing, is_lost=never or position in lost)
            for position, standing in enumerate(self.standings)
        ]

    def _one_less(self, unit: str) -> None:
        self._left[unit] -= 1
        if not self._left[unit]:
            for child in self._children[unit]:
                self._missing[child] -= 1
                self._sort(child)

    def _sort(self, position: int) -> None:
        standing = self.standings[position]
        for group, belongs in (
            (self.under_way, standing.is_under_way),
            (self.ready, not self._missing[position] and standing.wants_job),
        ):
            (group.add if belongs else group.discard)(position)

    def _lost(self) -> set[int]:
        """Return the nodes behind one that ended badly, or is behind such a one."""
        bad = [p for p, s in enumerate(self.standings) if _is_bad(s)]
        found: set[int] = set()
        units = [unit for position in bad for unit in self.nodes[position].units]
        seen = set(units)
        while units:
            for child in self._children[units.pop()]:
                if child not in found:
                    found.add(child)
                    fresh = [unit for unit in self.nodes[child].units if unit not in seen]
                    seen.update(fresh)
                    units += fresh
        return found


def ended(ends: Mapping[str, int], wish: Wish) -> tuple[WorkflowStatus, dict[str, int]]:
    """Return how a workflow ended, and its nodes counted by their states.

    *ends* counts them by the last status of their jobs; of '' are those that were not run.
    """
    states = {status or NOT_RUN: count for status, count in ends.items()}
    if states.keys() <= {JobStatus.FINISHED}:
        return WorkflowStatus.FINISHED, states
    return (WorkflowStatus.CANCELLED if wish is Wish.CANCEL else WorkflowStatus.FAILED), states


def _is_bad(standing: Standing) -> bool:
    ended = standing.job_uuid is not None and not standing.is_under_way and not standing.is_done
    return bool(standing.problem) or (ended and not standing.wants_job)


def _state(standing: Standing, *, is_lost: bool) -> str:
    if standing.problem:
        return JobStatus.FAILED
    if standing.job_uuid is not None:
        return standing.status or ""
    return NOT_RUN if is_lost else WAITING
