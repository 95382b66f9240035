"""A workflow as a notebook builds and follows it: jobs that wait for one another, kept by the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, JobError, NotFoundError, TapisJobsError, did_you_mean
from ..model.extensions import Extension
from ..model.given_names import refuse_bad_name
from . import frames
from .progress import Silent
from .study_watch import TextDisplay, Watch, choose_display, wait_for_study
from .waiting import WaitInterrupted
from .words import duration
from .workflow_calls import WorkflowCalls, nodes_frame, workflow_rows
from .workflow_nodes import Node, Wanted, names_of
from .workflow_state import WorkflowState, state_of

if TYPE_CHECKING:
    import pandas as pd

    from .job import Job
    from .tapis import Tapis

WORKFLOWS: frames.Columns = {
    "name": frames.TEXT,
    "status": frames.TEXT,
    "created": frames.TIME,
    "nodes": frames.NUMBER,
    "finished": frames.NUMBER,
    "failed": frames.NUMBER,
    "waiting": frames.NUMBER,
}


class Workflow:
    """One workflow. Made by ``tapis.workflow``, not by hand; the server keeps it once it is run."""

    def __init__(self, tapis: Tapis, name: str) -> None:
        refuse_bad_name(name, "a workflow")
        #: The client that it was made with.
        self.tapis = tapis
        self.name = name
        self._calls = WorkflowCalls(tapis.connection, name)
        self._wanted: list[Wanted] = []

    def __repr__(self) -> str:
        try:
            return self.state().text
        except TapisJobsError as cause:
            return f"Workflow({self.name!r}): {cause.message}"

    # --- building ----------------------------------------------------------------------------
    def add(
        self,
        app: str | Path | Mapping[str, Any],
        /,
        *,
        name: str,
        after: Any = (),
        retries: int = 0,
        **given: Any,
    ) -> Node:
        """Add one job, called *name* in the workflow; *app* and *given* are as for ``tapis.submit``.

        It is submitted when all of *after* (nodes or their names) and all whose outputs are among its
        inputs (``inputs=[mesh.output("mesh.vtk")]``) are FINISHED. *retries* are the new jobs that it gets
        when it FAILED. Nothing is sent yet.
        """
        return self._add(Wanted(name, app, given, names_of(after), retries))

    def map(
        self,
        app: str | Path | Mapping[str, Any],
        cases: Any,
        /,
        *,
        name: str,
        after: Any = (),
        retries: int = 0,
        labels: Any = (),
        **given: Any,
    ) -> Node:
        """Add a job for each row of *cases*, with ``{{ column }}`` in the texts of *given*, as a study's.

        *cases* are a frame, a list of mappings, a mapping of lists (their grid) or a CSV file; *labels* are
        columns that the texts need not use. The nodes are ``name[0]``, ``name[1]`` …; who waits for
        *name* waits for all of them, and ``output(path)`` of it brings that output of each as
        ``name/ROW/path``, with the rows and how they ended as ``name.csv``.
        """
        from .cases import cases_of

        rows = cases_of(cases)
        return self._add(Wanted(name, app, given, names_of(after), retries, rows=rows, labels=labels))

    def _add(self, wanted: Wanted) -> Node:
        if any(known.name == wanted.name for known in self._wanted):
            raise InvalidInputError(
                f"Workflow '{self.name}' has a node '{wanted.name}' already. Give this one another name.",
                field="name",
                value=wanted.name,
            )
        self._wanted.append(wanted)
        return Node(wanted.name)

    # --- running -----------------------------------------------------------------------------
    def run(self, *, fresh: bool = False) -> Workflow:
        """Have the server run the workflow, and return at once.

        The same nodes again join what is there: nothing is doubled. Other nodes take the place of a
        workflow that has ended; *fresh* begins anew. Raises ``InvalidInputError`` that names the node and
        what is wrong with it, ``ConflictError`` while another workflow of this name is under way.
        """
        from .workflow_nodes import built

        self.tapis.need(Extension.WORKFLOWS, "run workflows")
        if not self._wanted:
            raise InvalidInputError(
                f"Workflow '{self.name}' has no nodes. Add them: flow.add('bash', script=…, name='mesh')."
            )
        self._calls.run(built(self.tapis, self.name, self._wanted), fresh=fresh)
        return self

    def wait(self, timeout: float | None = None, *, check: bool = False, progress: bool = True) -> Workflow:
        """Wait until nothing goes on by itself, and show how it goes.

        *timeout* in seconds; when it passes, or on Ctrl-C, the workflow goes on. With *check* a workflow
        that did not end FINISHED raises ``JobError``.
        """
        self._info()
        display = choose_display() if progress else TextDisplay(Silent())
        try:
            state = wait_for_study(self.watch(), display, timeout, self.tapis.rest)
        except WaitInterrupted:
            raise WaitInterrupted("Stopped waiting. The workflow goes on; flow.wait() waits again.") from None
        except JobError as late:
            raise JobError(
                f"Workflow '{self.name}' has not ended after {duration(timeout or 0.0)}. It goes on; "
                "flow.wait() waits again.",
                code=late.code,
            ) from None
        if check and not _is_finished(state):
            raise JobError(
                f"Workflow '{self.name}' is {self.status}. flow.frame() tells why in its column problem; "
                "flow.retry() tries again."
            )
        return self

    def retry(self) -> Workflow:
        """Give all nodes that ended badly new jobs; what was not run because of them waits again."""
        return self._do("retry")

    def cancel(self) -> Workflow:
        """Cancel the jobs under way; no more are submitted."""
        return self._do("cancel")

    def pause(self) -> Workflow:
        """Hold back the jobs that have not begun, and submit no more; what runs goes on."""
        return self._do("pause")

    def resume(self) -> Workflow:
        """Let a paused workflow go on."""
        return self._do("resume")

    def delete(self) -> None:
        """Remove the workflow from the server; its jobs stay, as jobs."""
        self._info()
        self._calls.delete()

    def _do(self, verb: str) -> Workflow:
        self._info()
        self._calls.do(verb)
        return self

    # --- looking -----------------------------------------------------------------------------
    @property
    def status(self) -> str:
        """``RUNNING``, ``PAUSED``, ``FINISHED``, ``FAILED`` or ``CANCELLED``, as it is now."""
        return str(self._info().get("status"))

    def state(self) -> WorkflowState:
        """Return how the workflow stands; before it is run: what its nodes are."""
        self.tapis.need(Extension.WORKFLOWS, "run workflows")
        try:
            return state_of(self._calls.info())
        except NotFoundError:
            if not self._wanted:
                raise
            return state_of(_planned(self.name, self._wanted))

    def watch(self) -> Watch:
        """Return what looks at the workflow again and again, for a display of its progress."""
        return Watch(self.state)

    def frame(self) -> pd.DataFrame:
        """Return a frame with a row a node.

        Columns: ``node status jobUuid after problem`` (text; ``status`` is that of its last job, WAITING or
        NOT_RUN), ``attempt`` (Int64, from 1; 0 without a job), ``created remoteStarted ended`` (time, UTC).
        """
        self._info()
        return nodes_frame(self._calls.nodes())

    def job(self, node: str | Node) -> Job:
        """Return the last job of a node; ``NotFoundError`` where it has none, with the reason."""
        name = node.name if isinstance(node, Node) else node
        self._info()
        rows = {str(row["name"]): row for row in self._calls.nodes()}
        if name not in rows:
            raise NotFoundError(f"Workflow '{self.name}' has no node '{name}'.{did_you_mean(name, rows)}")
        row = rows[name]
        if not row.get("jobUuid"):
            why = row.get("problem") or f"it is {row.get('state')}"
            raise NotFoundError(f"Node {name} has no job: {why}")
        return self.tapis.job(str(row["jobUuid"]))

    def _info(self) -> Mapping[str, Any]:
        self.tapis.need(Extension.WORKFLOWS, "run workflows")
        try:
            return self._calls.info()
        except NotFoundError:
            names = [str(row.get("name")) for row in workflow_rows(self.tapis.connection)]
            hint = "flow.run() begins it." if self._wanted else "flow.add(…) and flow.run() make it."
            raise NotFoundError(
                f"Workflow '{self.name}' is not here.{did_you_mean(self.name, names)} {hint}"
            ) from None


def workflow_of(tapis: Tapis, name: str) -> Workflow:
    """Return the workflow of a name, to be built or followed."""
    tapis.need(Extension.WORKFLOWS, "run workflows")
    return Workflow(tapis, name)


def workflows_frame(tapis: Tapis) -> pd.DataFrame:
    """Return the caller's workflows, newest first."""
    tapis.need(Extension.WORKFLOWS, "run workflows")
    return frames.from_rows([_row(row) for row in workflow_rows(tapis.connection)], WORKFLOWS)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    counts = row.get("counts") or {}
    return {
        **row,
        "finished": counts.get("FINISHED", 0),
        "failed": counts.get("FAILED", 0) + counts.get("CANCELLED", 0) + counts.get("NOT_RUN", 0),
        "waiting": counts.get("WAITING", 0),
    }


def _planned(name: str, wanted: Sequence[Wanted]) -> Mapping[str, Any]:
    """Return what the server would tell of a workflow that is not run yet."""
    sizes = {one.name: 1 if one.rows is None else len(one.rows) for one in wanted}
    groups = [
        {
            "name": one.name,
            "after": one.waits_for,
            "isFanOut": one.rows is not None,
            "counts": {"WAITING": sizes[one.name]},
        }
        for one in wanted
    ]
    return {"name": name, "counts": {"WAITING": sum(sizes.values())}, "groups": groups}


def _is_finished(state: Any) -> bool:
    return isinstance(state, WorkflowState) and state.status == "FINISHED"
