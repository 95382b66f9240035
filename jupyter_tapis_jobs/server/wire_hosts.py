"""Hosts on the wire: what was found of them, and how they stand."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from .wire import Wire


class HostState(Wire):
    """How a host stands: connected, idle, trouble or code needed."""

    id: str
    state: str
    message: str
    next_try: str | None = None
    #: The name on the host.
    user: str


class HostQueue(Wire):
    """A queue of a host's scheduler and its limits per job; null is without limit."""

    name: str
    nodes: int | None = None
    #: Per node.
    cores: int | None = None
    memory_mb: Annotated[int | None, Field(alias="memoryMB")] = None
    minutes: int | None = None


class HostArrays(Wire):
    """The highest index of a job array; 0 where arrays are forbidden."""

    max: int


class HostRuntime(Wire):
    """A runtime that was found on a host."""

    type: str
    version: str | None = None


class HostReport(Wire):
    """What was found on a host. ``lines`` is for people."""

    scheduler: str | None = None
    queues: list[HostQueue]
    arrays: HostArrays
    runtimes: list[HostRuntime]
    home: str | None = None
    work_dir: str
    fingerprint: str | None = None
    #: How the host's key became known: pinned, known_hosts or accepted.
    known: str | None = None
    warnings: list[str]
    lines: list[str]


class AddedHost(Wire):
    """The system that a host became, and what was found there."""

    system: dict[str, Any]
    report: HostReport


class QueueLoad(Wire):
    """What goes on in a queue of a host's scheduler, whoever's jobs these are."""

    name: str
    state: str = Field(description="up, down, drain or inact.")
    idle_nodes: int
    nodes: int
    idle_cores: int
    cores: int
    running: int = Field(description="Jobs; each element of an array is one.")
    pending: int


class HostLoad(Wire):
    """How full the queues of a system are; ``asked`` is null where it tells nothing, and ``message`` why."""

    asked: str | None
    message: str
    queues: list[QueueLoad]


class HostPlace(Wire):
    """A directory of the caller on a system: HOME, WORK or SCRATCH, as a path below the system's root."""

    name: str
    path: str
