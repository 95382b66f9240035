"""Transfers between systems, and from the Web (Tapis Files, "Transfers")."""

from __future__ import annotations

from typing import Any

from ..model.transfer import Element, TransferStatus, TransferTask
from . import queries, wire_files
from .call import Call
from .reply import Reply, Rows
from .route import Route, Takes
from .wire_files import NewTransfer


async def create_transfer_task(call: Call) -> Reply:
    """Bring files and directories from systems or the Web to systems, in the background."""
    wanted = [(e.source_uri, e.destination_uri, bool(e.optional)) for e in call.body.elements]
    task = await call.door.ask(lambda e: e.transfers.create(call.user, wanted, call.body.tag))
    return Reply(_task(call, task), f"FILES_TXFR_CREATED Transfer accepted: {task.uuid}.")


async def get_recent_transfer_tasks(call: Call) -> Reply:
    """List one's own transfers, newest first."""
    query = call.query
    found = await call.door.ask(lambda e: e.transfers.recent(call.user, query.limit, query.offset))
    rows = Rows(found, lambda task: _task(call, task))
    return Reply(rows, f"FILES_TXFR_FOUND Transfers found: {len(found)}.")


async def get_transfer_task(call: Call) -> Reply:
    """Tell how a transfer stands."""
    task = await _found(call)
    return Reply(_task(call, task), f"FILES_TXFR_FOUND Transfer is {task.status}: {task.uuid}.")


async def get_transfer_task_details(call: Call) -> Reply:
    """Tell how a transfer and each of its elements stand."""
    task = await _found(call)
    told = _task(call, task, details=True)
    return Reply(told, f"FILES_TXFR_FOUND Transfer is {task.status}: {task.uuid}.")


async def _found(call: Call) -> TransferTask:
    return await call.door.ask(lambda e: e.transfers.get(call.user, call.path["transferTaskId"]))


async def cancel_transfer_task(call: Call) -> Reply:
    """End a transfer; what it has brought stays."""
    task = await call.door.ask(lambda e: e.transfers.cancel(call.user, call.path["transferTaskId"]))
    if task.status is TransferStatus.CANCELLED:
        words = f"Transfer {task.uuid} is cancelled."
    else:
        words = f"Transfer {task.uuid} had ended before: {task.status}."
    return Reply(words, f"FILES_TXFR_CANCELLED {words}")


def _task(call: Call, task: TransferTask, *, details: bool = False) -> dict[str, Any]:
    """Return a transfer in Tapis's words; with *details* also what its elements consist of."""
    whose = {"tenantId": call.service.tenant, "username": task.owner}
    done = [e for e in task.elements if e.status is TransferStatus.COMPLETED]
    return whose | {
        "id": task.id,
        "uuid": task.uuid,
        "tag": task.tag,
        "status": task.status,
        "totalTransfers": len(task.elements),
        "completeTransfers": len(done),
        "estimatedTotalBytes": sum(_total(element) for element in task.elements),
        "totalBytesTransferred": sum(element.bytes_moved for element in task.elements),
        "errorMessage": task.error,
        "created": task.created,
        "startTime": task.started,
        "endTime": task.ended,
        "parentTasks": [_parent(task, element, whose, details=details) for element in task.elements],
    }


def _parent(task: TransferTask, element: Element, whose: dict[str, Any], *, details: bool) -> dict[str, Any]:
    """Return an element: a parent task whose one child is the stream that carries all of it."""
    told = whose | {
        "id": element.id,
        "taskId": task.id,
        "uuid": element.uuid,
        "sourceURI": element.source,
        "destinationURI": element.destination,
        "optional": element.optional,
        "transferType": "TRANSFER",
        "status": element.status,
        "totalBytes": _total(element),
        "bytesTransferred": element.bytes_moved,
        "errorMessage": element.error,
        "created": task.created,
        "startTime": element.started,
        "endTime": element.ended,
    }
    if not details:
        return told
    child = told | {"parentTaskId": element.id, "retries": element.retries, "dir": element.is_directory}
    return told | {"children": [child]}


def _total(element: Element) -> int:
    """Return the bytes of an element, as far as they are known."""
    return element.bytes_moved if element.total_bytes is None else element.total_bytes


_TRANSFERS = "/v3/files/transfers"
_TRANSFER = f"{_TRANSFERS}/{{transferTaskId}}"
ROUTES = (
    Route("GET", _TRANSFERS, "getRecentTransferTasks", get_recent_transfer_tasks, queries.TransferList,
          result=list[wire_files.Transfer]),
    Route("POST", _TRANSFERS, "createTransferTask", create_transfer_task, body=NewTransfer,
          takes=Takes.MODEL, result=wire_files.Transfer),
    Route("GET", _TRANSFER, "getTransferTask", get_transfer_task, queries.TransferItem,
          result=wire_files.Transfer),
    Route("DELETE", _TRANSFER, "cancelTransferTask", cancel_transfer_task, result=str),
    Route("GET", f"{_TRANSFER}/details", "getTransferTaskDetails", get_transfer_task_details,
          result=wire_files.Transfer),
)  # fmt: skip
