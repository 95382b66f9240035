"""Hosts in one call each: added, listed, looked at again, asked about this moment. Ours, beyond Tapis."""

from __future__ import annotations

from ..model.extensions import Extension
from ..model.new_host import HostCheck, NewHost
from .call import Call
from .reply import Reply
from .route import Route, Takes
from .wire_hosts import AddedHost, HostLoad, HostPlace, HostReport, HostState


async def add_host(call: Call) -> Reply:
    """Connect to a host, look at it, and register it as a system with the caller's credential."""
    added = await call.door.desks(lambda d: d.hosts.add(call.user, call.body))
    result = {"system": added.system.to_wire() | {"hasCredentials": True}, "report": added.report}
    return Reply(result, f"TAPISJOBS_HOST_ADDED Host added: {added.system.id}.")


async def list_hosts(call: Call) -> Reply:
    """Tell how the caller's hosts stand: connected, idle, trouble, or code needed."""
    rows = await call.door.desks(lambda d: d.hosts.every(call.user))
    return Reply(rows, f"TAPISJOBS_FOUND Hosts found: {len(rows)}.")


async def check_host(call: Call) -> Reply:
    """Connect to a host now and look at it again."""
    name, asked = call.path["systemId"], call.body or HostCheck.model_validate({})
    report = await call.door.desks(lambda d: d.hosts.check(call.user, name, asked))
    return Reply(report, f"TAPISJOBS_HOST_READY {name} is ready.")


async def get_load(call: Call) -> Reply:
    """Tell how full the queues of a system are now; nothing where there is no connection to it."""
    name = call.path["systemId"]
    load = await call.door.desks(lambda d: d.now.load(call.user, name))
    return Reply(load, f"TAPISJOBS_LOAD_FOUND Load of {len(load['queues'])} queues of {name}.")


async def get_allocations(call: Call) -> Reply:
    """List the accounts that a system's scheduler lets the caller charge."""
    name = call.path["systemId"]
    found = await call.door.desks(lambda d: d.now.allocations(call.user, name))
    return Reply(found, f"TAPISJOBS_FOUND Allocations found: {len(found)}.")


async def get_places(call: Call) -> Reply:
    """List where the caller's files lie on a system: home, work and scratch directories."""
    name = call.path["systemId"]
    found = await call.door.desks(lambda d: d.now.places(call.user, name))
    return Reply(found, f"TAPISJOBS_FOUND Places found: {len(found)}.")


_HOSTS = "/v3/tapisjobs/hosts"
ROUTES = (
    Route("POST", _HOSTS, "addHost", add_host, body=NewHost, takes=Takes.SECRET, result=AddedHost,
          status=201, extension=Extension.HOSTS),
    Route("GET", _HOSTS, "getHosts", list_hosts, result=list[HostState], extension=Extension.HOSTS),
    Route("POST", f"{_HOSTS}/{{systemId}}/check", "checkHost", check_host, body=HostCheck | None,
          takes=Takes.SECRET, result=HostReport, extension=Extension.HOSTS),
    Route("GET", f"{_HOSTS}/{{systemId}}/load", "getHostLoad", get_load, result=HostLoad,
          extension=Extension.HOSTS),
    Route("GET", f"{_HOSTS}/{{systemId}}/allocations", "getHostAllocations", get_allocations,
          result=list[str], extension=Extension.HOSTS),
    Route("GET", f"{_HOSTS}/{{systemId}}/places", "getHostPlaces", get_places, result=list[HostPlace],
          extension=Extension.HOSTS),
)  # fmt: skip
