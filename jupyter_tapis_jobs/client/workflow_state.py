"""How a workflow stands: its nodes by state, how far it is, and its graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .study_state import Group, StudyState, groups_of
from .words import state_words
from .workflow_graph import Box, svg

#: States of nodes without a job, in the words of a person.
_WITHOUT_JOB = {"WAITING": "waiting", "NOT_RUN": "not run"}
_GOING_ON = ("RUNNING", "PAUSED")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowState(StudyState):
    """All that the progress of a workflow shows, at one moment; ``counts`` are nodes by their state."""

    kind: ClassVar[str] = "workflow"
    #: RUNNING, PAUSED, FINISHED, FAILED, CANCELLED; "" before it is run.
    status: str = ""
    boxes: tuple[Box, ...] = ()

    @property
    def is_over(self) -> bool:
        """True when nothing goes on by itself."""
        return self.status not in _GOING_ON

    @property
    def groups(self) -> tuple[Group, ...]:
        """The states that any node is in."""
        colour = state_words("").colour
        without = (Group("·", word, colour, self.counts.get(s, 0)) for s, word in _WITHOUT_JOB.items())
        return (*groups_of(self.counts), *(group for group in without if group.count))

    @property
    def line(self) -> str:
        """``dam  RUNNING  12 of 102   ✓ 12 done   ▶ 8 running   · 82 waiting``."""
        head = f"{self.name}  {self.status or 'not run yet'}  {self.ended:,} of {self.total:,}"
        return "   ".join([head, *map(str, self.groups), *filter(None, (self.trouble,))])

    @property
    def picture(self) -> str:
        """The graph as SVG."""
        return svg(self.boxes, self.name)


def state_of(info: Mapping[str, Any]) -> WorkflowState:
    """Return how a workflow stands as the server tells it."""
    return WorkflowState(
        name=str(info.get("name")),
        counts=dict(info.get("counts") or {}),
        status=str(info.get("status") or ""),
        boxes=tuple(
            Box(
                name=str(group["name"]),
                after=tuple(group.get("after") or ()),
                counts=dict(group.get("counts") or {}),
                is_fan_out=bool(group.get("isFanOut")),
            )
            for group in info.get("groups") or ()
        ),
    )
