"""Workflows (ours): jobs that wait for one another, submitted by the engine as they become ready."""

from __future__ import annotations

from ..engine.workflows import Told
from ..model.extensions import Extension
from .call import Call
from .reply import Reply, Rows
from .route import Route, Takes
from .wire_workflows import (
    NewWorkflow,
    WorkflowDetails,
    WorkflowNode,
    WorkflowRow,
    WorkflowTold,
    details_to_wire,
    nodes_to_wire,
    plans_of,
    row_to_wire,
)


async def run_workflow(call: Call) -> Reply:
    """Begin a workflow; one of that name with the same nodes is joined."""
    body = call.body
    plans = plans_of(body.nodes)
    await call.door.ask(
        lambda engine: engine.workflows.run(call.user, body.name, plans, fresh=body.fresh)
    )  # fmt: skip
    return await _details(call, body.name, "JOBS_WORKFLOW_READY")


async def get_workflows(call: Call) -> Reply:
    """List one's own workflows, newest first."""
    found = await call.door.ask(lambda engine: engine.workflows.summaries(call.user))
    return Reply(Rows(found, row_to_wire), f"JOBS_WORKFLOWS_FOUND Workflows found: {len(found)}.")


async def get_workflow(call: Call) -> Reply:
    """Return one workflow as a graph, each fan-out as one."""
    return await _details(call, call.path["name"], "JOBS_WORKFLOW_FOUND")


async def get_nodes(call: Call) -> Reply:
    """List the nodes of a workflow in order."""
    told = await _told(call, call.path["name"])
    return Reply(nodes_to_wire(told), f"JOBS_WORKFLOW_NODES_FOUND Nodes found: {len(told.nodes)}.")


async def delete_workflow(call: Call) -> Reply:
    """Forget a workflow; its jobs stay."""
    name = call.path["name"]
    await call.door.ask(lambda engine: engine.workflows.remove(call.user, name))
    words = f"Workflow {name} is deleted; its jobs are still there."
    return Reply({"name": name, "message": words, "asked": 0}, f"JOBS_WORKFLOW_DELETED {words}")


async def cancel_workflow(call: Call) -> Reply:
    """Ask the jobs of a workflow to end, and submit no more."""
    asked = await call.door.ask(lambda engine: engine.workflows.cancel(call.user, call.path["name"]))
    return _did(call, asked, "CANCEL_ACCEPTED", f"{asked:,} jobs are asked to end, and none will follow")


async def pause_workflow(call: Call) -> Reply:
    """Hold back what has not begun, and submit no more until it is resumed."""
    asked = await call.door.ask(lambda engine: engine.workflows.pause(call.user, call.path["name"]))
    return _did(
        call, asked, "PAUSED", f"{asked:,} jobs are held back, and none will follow until it is resumed"
    )


async def resume_workflow(call: Call) -> Reply:
    """Let a paused workflow go on."""
    asked = await call.door.ask(lambda engine: engine.workflows.resume(call.user, call.path["name"]))
    return _did(call, asked, "RESUMED", f"{asked:,} held jobs go on, and others follow")


async def retry_workflow(call: Call) -> Reply:
    """Give nodes that ended badly new jobs, and let those behind them wait again."""
    asked = await call.door.ask(lambda engine: engine.workflows.retry(call.user, call.path["name"]))
    return _did(call, asked, "RETRIED", f"{asked:,} nodes are tried again")


def _did(call: Call, asked: int, code: str, what: str) -> Reply:
    name = call.path["name"]
    words = f"Workflow {name}: {what}."
    return Reply({"name": name, "message": words, "asked": asked}, f"JOBS_WORKFLOW_{code} {words}")


async def _details(call: Call, name: str, code: str) -> Reply:
    told = await _told(call, name)
    words = f"Workflow {name} is {told.status}; it has {len(told.nodes):,} nodes."
    return Reply(details_to_wire(told), f"{code} {words}")


async def _told(call: Call, name: str) -> Told:
    found: Told = await call.door.ask(lambda engine: engine.workflows.told(call.user, name))
    return found


_WORKFLOWS = "/v3/tapisjobs/workflows"
_WORKFLOW = f"{_WORKFLOWS}/{{name}}"
_OURS = Extension.WORKFLOWS
ROUTES = (
    Route("GET", _WORKFLOWS, "getWorkflows", get_workflows, result=list[WorkflowRow], extension=_OURS),
    Route("POST", _WORKFLOWS, "runWorkflow", run_workflow, body=NewWorkflow, takes=Takes.MODEL,
          result=WorkflowDetails, extension=_OURS),
    Route("GET", _WORKFLOW, "getWorkflow", get_workflow, result=WorkflowDetails, extension=_OURS),
    Route("DELETE", _WORKFLOW, "deleteWorkflow", delete_workflow, result=WorkflowTold, extension=_OURS),
    Route("GET", f"{_WORKFLOW}/nodes", "getWorkflowNodes", get_nodes, result=list[WorkflowNode],
          extension=_OURS),
    Route("POST", f"{_WORKFLOW}/cancel", "cancelWorkflow", cancel_workflow, result=WorkflowTold,
          extension=_OURS),
    Route("POST", f"{_WORKFLOW}/pause", "pauseWorkflow", pause_workflow, result=WorkflowTold,
          extension=_OURS),
    Route("POST", f"{_WORKFLOW}/resume", "resumeWorkflow", resume_workflow, result=WorkflowTold,
          extension=_OURS),
    Route("POST", f"{_WORKFLOW}/retry", "retryWorkflow", retry_workflow, result=WorkflowTold,
          extension=_OURS),
)  # fmt: skip
