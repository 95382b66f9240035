"""Scheduler profiles of the Systems API: what a site's Slurm needs or does not take."""

from __future__ import annotations

from typing import Any

from ..model.profile import SchedulerProfile
from .call import Call
from .catalogs import counted
from .reply import Reply
from .route import Route, Takes
from .wire_definitions import Changes, Located


async def create_profile(call: Call) -> Reply:
    """Register a scheduler profile; its name is unique."""
    profile = await call.door.change(lambda t: t.profiles.create(call.user, call.body))
    stored = {"url": f"{call.base}{_PROFILES}/{profile.name}"}
    return Reply(stored, f"SYSAPI_PRF_CREATED Scheduler profile created: {profile.name}.")


async def list_profiles(call: Call) -> Reply:
    """List all scheduler profiles."""
    found = await call.door.look_up(lambda t: t.profiles.every())
    rows = [_wire(call, profile) for profile in found]
    return Reply(rows, f"TAPIS_FOUND Scheduler profiles found: {len(rows)}.")


async def get_profile(call: Call) -> Reply:
    """Return one scheduler profile."""
    profile = await call.door.look_up(lambda t: t.profiles.get(call.path["name"]))
    return Reply(_wire(call, profile), f"TAPIS_FOUND Scheduler profile found: {profile.name}.")


async def delete_profile(call: Call) -> Reply:
    """Delete a scheduler profile of the caller's own."""
    changes = await call.door.change(lambda t: t.profiles.delete(call.user, call.path["name"]))
    return counted(changes, f"SYSAPI_PRF_DELETED Scheduler profile deleted: {call.path['name']}.")


def _wire(call: Call, profile: SchedulerProfile) -> dict[str, Any]:
    return profile.to_wire() | {"tenant": call.user.tenant}


_PROFILES = "/v3/systems/schedulerProfile"
ROUTES = (
    Route("GET", _PROFILES, "getSchedulerProfiles", list_profiles, result=list[SchedulerProfile]),
    Route("POST", _PROFILES, "createSchedulerProfile", create_profile, body=SchedulerProfile,
          takes=Takes.RAW, result=Located, status=201),
    Route("GET", f"{_PROFILES}/{{name}}", "getSchedulerProfile", get_profile, result=SchedulerProfile),
    Route("DELETE", f"{_PROFILES}/{{name}}", "deleteSchedulerProfile", delete_profile, result=Changes),
)  # fmt: skip
