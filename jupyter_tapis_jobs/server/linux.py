"""What Linux itself knows of files, and changes of them (Tapis Files, "utils/linux")."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..engine.linux import Outcome
from ..model.names import wire_name
from . import queries
from .call import Call
from .reply import Reply
from .route import Route, Takes
from .wire_files import AclRow, LinuxOperation, LinuxOutcome, NewAcl, StatInfo


async def get_stat_info(call: Call) -> Reply:
    """Tell what the host knows of a file, a directory or a link."""
    system, path, follow = call.path["systemId"], call.path["path"], call.query.follow_links
    found = await call.door.ask(lambda e: e.linux.stat(call.user, system, path, follow_links=follow))
    return Reply(_wire(found), f"FILES_FOUND {path} found.")


async def run_operation(call: Call) -> Reply:
    """Change the mode, owner or group of a file or directory."""
    system, path, asked = call.path["systemId"], call.path["path"], call.body
    recursive = call.query.recursive
    outcome = await call.door.ask(
        lambda e: e.linux.change(
            call.user, system, path, asked.operation, asked.argument, recursive=recursive
        )
    )
    return _told(outcome, asked.operation)


async def get_facl(call: Call) -> Reply:
    """Tell the access list of a file or directory."""
    system, path = call.path["systemId"], call.path["path"]
    entries = await call.door.ask(lambda e: e.linux.get_facl(call.user, system, path))
    return Reply([_wire(entry) for entry in entries], f"FILES_FOUND {len(entries)} entries of {path} found.")


async def set_facl(call: Call) -> Reply:
    """Change the access list of a file or directory."""
    system, path, asked = call.path["systemId"], call.path["path"], call.body
    outcome = await call.door.ask(
        lambda e: e.linux.set_facl(
            call.user, system, path, asked.operation, asked.acl_string, asked.recursion_method
        )
    )
    return _told(outcome, f"setfacl {asked.operation}")


def _told(outcome: Outcome, what: str) -> Reply:
    """Return what a command said; that it failed is not the call's fault, and so no error."""
    return Reply(_wire(outcome), f"FILES_DONE {what} ended with exit code {outcome.exit_code}.")


def _wire(record: Any) -> dict[str, Any]:
    return {wire_name(name): value for name, value in asdict(record).items()}


_LINUX = "/v3/files/utils/linux"
ROUTES = (
    Route("GET", f"{_LINUX}/{{systemId}}/{{path}}", "getStatInfo", get_stat_info, queries.FileStat,
          result=StatInfo),
    Route("POST", f"{_LINUX}/{{systemId}}/{{path}}", "runLinuxNativeOp", run_operation, queries.FileChange,
          LinuxOperation, Takes.MODEL, LinuxOutcome),
    Route("GET", f"{_LINUX}/facl/{{systemId}}/{{path}}", "getFacl", get_facl, result=list[AclRow]),
    Route("POST", f"{_LINUX}/facl/{{systemId}}/{{path}}", "setFacl", set_facl, body=NewAcl,
          takes=Takes.MODEL, result=LinuxOutcome),
)  # fmt: skip
