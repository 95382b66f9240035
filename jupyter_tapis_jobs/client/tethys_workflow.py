"""Tethys's workflows (CONDORWORKFLOW) on top of ours: nodes with parents, run as one.

``execute`` runs it, ``stop`` cancels it, ``resubmit`` begins it anew; ``retry`` of a node are its retries.
The engine itself submits the nodes, so a workflow runs on every system, not on HTCondor only.

Source: Tethys Platform's "Condor Workflow Job Type" (``CondorWorkflow``, ``CondorWorkflowNode``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..model.errors import ConflictError, InvalidInputError
from .tethys_job import STATUSES, TethysJob
from .workflow import Workflow

if TYPE_CHECKING:
    from .tapis import Tapis

#: Tethys's word for each status of a workflow.
WORKFLOW_STATUSES: Mapping[str, str] = {
    "RUNNING": "Running",
    "PAUSED": "Paused",
    "FINISHED": "Complete",
    "FAILED": "Error",
    "CANCELLED": "Aborted",
}
_PENDING = "Pending"


class TethysNode:
    """A job of a workflow that is not executed yet; it waits for its parents."""

    def __init__(self, name: str, app: str, retry: int, request: Mapping[str, Any]) -> None:
        self.name = name
        self.app = app
        self.retry = retry
        self.request = request
        self.parent_nodes: list[TethysNode] = []

    def __repr__(self) -> str:
        return f"<TethysNode {self.name}>"

    def add_parent(self, parent: TethysNode) -> None:
        """Wait for this node as well."""
        if parent not in self.parent_nodes:
            self.parent_nodes.append(parent)

    def remove_parent(self, parent: TethysNode) -> None:
        """Wait for it no more."""
        self.parent_nodes = [node for node in self.parent_nodes if node is not parent]


class TethysWorkflow:
    """A workflow by Tethys's names: its nodes until ``execute``, then the workflow of the server.

    *common* are fields that each node's request has unless it has its own.
    """

    def __init__(self, tapis: Tapis, name: str, common: Mapping[str, Any]) -> None:
        self._tapis = tapis
        self._common = common
        self.name = name
        self.nodes: list[TethysNode] = []
        #: The server's workflow, once it was executed.
        self.workflow: Workflow | None = None

    def __repr__(self) -> str:
        return f"<TethysWorkflow {self.name}: {len(self.nodes)} nodes>"

    def create_node(self, name: str, *, app: str = "bash", retry: int = 0, **fields: Any) -> TethysNode:
        """Add a job, and return it for ``add_parent``; *fields* are those of ``tapis.submit``.

        Raises ``ConflictError`` once the workflow was executed.
        """
        if self.workflow is not None:
            raise ConflictError(f"workflow {self.name} was executed already; more nodes are another one's.")
        node = TethysNode(name, app, retry, {**self._common, **fields})
        self.nodes.append(node)
        return node

    @property
    def num_jobs(self) -> int:
        """How many nodes it has."""
        return len(self.nodes)

    @property
    def status(self) -> str:
        """Tethys's word for how it stands."""
        return WORKFLOW_STATUSES[self.workflow.status] if self.workflow else _PENDING

    @property
    def statuses(self) -> dict[str, int]:
        """How many nodes stand in each of Tethys's words; ``Unsubmitted`` have no job yet, or get none."""
        states = self._begun().frame()["status"]
        return dict(Counter(STATUSES.get(state, "Unsubmitted") for state in states))

    def execute(self) -> None:
        """Run it. ``ConflictError`` when it was executed already, ``InvalidInputError`` without nodes."""
        if self.workflow is not None:
            raise ConflictError(f"workflow {self.name} was executed already; resubmit() does it again.")
        self._run(fresh=False)

    def resubmit(self) -> None:
        """Run the same nodes from the beginning; ``ConflictError`` while they are under way."""
        self._begun()
        self._run(fresh=True)

    def _run(self, *, fresh: bool) -> None:
        flow = Workflow(self._tapis, self.name)
        for node in self.nodes:
            parents = [parent.name for parent in node.parent_nodes]
            flow.add(node.app, name=node.name, after=parents, retries=node.retry, **node.request)
        self.workflow = flow.run(fresh=fresh)

    def stop(self) -> None:
        """End what is under way; no more is submitted."""
        self._begun().cancel()

    def pause(self) -> None:
        """Hold back what has not begun."""
        self._begun().pause()

    def resume(self) -> None:
        """Let it go on."""
        self._begun().resume()

    def get_logs(self) -> dict[str, dict[str, str]]:
        """Return node -> name -> text of what its job has printed; nothing of nodes without a job."""
        table = self._begun().frame()
        uuids = dict(zip(table["node"], table["jobUuid"], strict=True))
        return {name: self._log(uuid) if isinstance(uuid, str) else {} for name, uuid in uuids.items()}

    def _log(self, uuid: str) -> dict[str, str]:
        return TethysJob(self._tapis, {}, self._tapis.job(uuid)).get_logs()

    def delete(self) -> None:
        """Forget it; its jobs stay. ``ConflictError`` while it is under way."""
        if self.workflow is not None:
            self.workflow.delete()
            self.workflow = None

    def _begun(self) -> Workflow:
        if self.workflow is None:
            raise ConflictError(f"workflow {self.name} was not executed yet; execute() does it.")
        return self.workflow


def refuse_here(job_type: str) -> None:
    """Raise ``InvalidInputError`` for the type of job that is a workflow."""
    if job_type == "CONDORWORKFLOW":
        raise InvalidInputError(
            "A CONDORWORKFLOW has nodes: manager.create_workflow(name) makes one, and its create_node(…) "
            "and add_parent(…) say what runs after what.",
            field="job_type",
            value=job_type,
        )
