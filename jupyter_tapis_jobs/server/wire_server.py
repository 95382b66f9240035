"""This server on the wire: its health, its engine, what it is."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from .wire import Wire


class Check(Wire):
    """That a service answers."""

    status: str
    version: str


class JobsCheck(Check):
    """That the Jobs service answers, and reaches what it rests on."""

    check_num: int
    database_access: bool
    queue_access: bool
    tenants_access: bool


class Health(Wire):
    """How the job engine stands."""

    state: str
    holder: dict[str, Any] | None = None
    detail: dict[str, Any] = Field(default_factory=dict)


class Place(Wire):
    """A directory on a system."""

    system: str
    path: str


class ServerInfo(Wire):
    """This server, its engine and who you are to it."""

    version: str
    engine: Health
    user: str
    tenant: str
    is_server_user: bool
    uploads: Place
    extensions: list[str]
    launch_modes: list[str]
    max_body_bytes: int
    #: How many listen to events at this server now.
    listeners: int
