"""What a person who looks at a host is told of it now: its load, their allocations and places there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ..model.errors import HostSignInError
from ..model.names import wire_name
from ..model.paths import within
from ..model.system import SchedulerType, System
from ..model.times import iso
from ..model.user import User
from ..transports.base import Transport
from .host_facts import PLACES, SOON
from .host_variables import HostVariables
from .hosts import RealHosts
from .new_system import person_of
from .ports import Ports
from .queue_load import SCRIPT, queue_loads
from .rights import Right
from .systems import LOCAL, SystemCatalog

#: System and its user there.
Lane = tuple[str, str]

#: Seconds for which an answer is given again, whether it was good or not: load changes, accounts hardly do.
LOAD_SECONDS = 30.0
ACCOUNT_SECONDS = 3600.0
#: Seconds for a whole question.
_LONGEST = 45.0
#: A database of accounts may know several clusters.
_ACCOUNTS = (
    SOON
    + """\
cluster=$(soon scontrol show config | sed -n 's/^ClusterName *= *//p')
soon sacctmgr -nP show assoc cluster="$cluster" user="$(id -un)" format=account
"""
)


@dataclass(slots=True)
class _Said:
    """What was answered of a system as it was ``updated``, and until when it is said again."""

    answer: asyncio.Future[Any]
    updated: str | None
    until: float = float("inf")


class HostNow:
    """Asks a host only while somebody looks, and once in a while however many look.

    Load and allocations are told to those who may run jobs on the system.
    """

    def __init__(
        self, ports: Ports, systems: SystemCatalog, hosts: RealHosts, variables: HostVariables
    ) -> None:
        self._ports = ports
        self._systems = systems
        self._hosts = hosts
        self._variables = variables
        self._said: dict[tuple[str, Lane], _Said] = {}

    async def load(self, user: User, system_id: str) -> Mapping[str, Any]:
        """Return the load of each queue of a cluster to which there is a connection; it makes none.

        ``asked`` is when the host was asked, ISO-8601 UTC; None with a ``message`` where it tells nothing.
        """
        system = await self._system(user, system_id, Right.EXECUTE)
        lane = (system.id, person_of(system, user))
        if not _is_slurm(system):
            has_pool = system.can_run_batch and system.batch_scheduler is SchedulerType.CONDOR
            return _nothing("HTCondor has no queues to tell of." if has_pool else "It has no scheduler.")
        if system_id != LOCAL and not self._is_connected(lane):
            return _nothing("There is no connection now.")
        found: Mapping[str, Any] = await self._once("load", system, lane, LOAD_SECONDS, self._ask_load)
        return found

    async def allocations(self, user: User, system_id: str) -> Sequence[str]:
        """Return the accounts that a cluster lets its user charge; empty where it keeps none.

        Raises ``TransportError`` when it cannot be reached.
        """
        system = await self._system(user, system_id, Right.EXECUTE)
        if not _is_slurm(system):
            return []
        lane = (system.id, person_of(system, user))
        found: Sequence[str] = await self._once("accounts", system, lane, ACCOUNT_SECONDS, self._ask_accounts)
        return found

    async def places(self, user: User, system_id: str) -> Sequence[Mapping[str, str]]:
        """Return where files of the user lie on a system (HOME, WORK, SCRATCH): paths below its root.

        Raises ``TransportError`` when the host has never told it and cannot be reached.
        """
        system = await self._system(user, system_id, Right.READ)
        root = system.root_dir or "/"
        try:
            told = await self._variables.of(system, person_of(system, user), PLACES)
        except HostSignInError:
            return []
        found = [(name, told[name]) for name in ("HOME", *PLACES) if name in told]
        return [
            {"name": name, "path": "/" + path.rstrip("/")[len(root.rstrip("/")) :].strip("/")}
            for name, path in dict(found).items()
            if within(root, path)
        ]

    # -- the parts of it

    async def _system(self, user: User, system_id: str, right: Right) -> System:
        return await self._ports.workers.read(lambda: self._systems.get(user, system_id, right=right))

    def _is_connected(self, lane: Lane) -> bool:
        door = self._hosts.known(*lane)
        return door is not None and door.transport.state == "connected"

    async def _once(
        self,
        what: str,
        system: System,
        lane: Lane,
        seconds: float,
        ask: Callable[[Transport], Awaitable[Any]],
    ) -> Any:
        """Give the last answer while it is new; those who come together wait for one answer."""
        said = self._said.get((what, lane))
        if said is None or said.until <= self._ports.clock.now() or said.updated != system.updated:
            said = _Said(asyncio.ensure_future(self._ask(lane, ask)), system.updated)
            said.answer.add_done_callback(partial(self._keep, said, seconds))
            self._said[what, lane] = said
        return await asyncio.shield(said.answer)

    def _keep(self, said: _Said, seconds: float, answer: asyncio.Future[Any]) -> None:
        """A host that is away for a moment is asked again soon, whatever was asked."""
        is_good = not answer.cancelled() and answer.exception() is None
        said.until = self._ports.clock.now() + (seconds if is_good else min(seconds, LOAD_SECONDS))

    async def _ask(self, lane: Lane, ask: Callable[[Transport], Awaitable[Any]]) -> Any:
        return await ask(await self._hosts.transport(*lane))

    async def _ask_load(self, transport: Transport) -> Mapping[str, Any]:
        answer = await transport.run(SCRIPT, timeout=_LONGEST, live=True)
        if answer.exit_code:
            why = (answer.stderr.strip().splitlines() or ["it gave no answer in 20 seconds"])[-1]
            return _nothing(f"Slurm does not tell it: {why}")
        loads = [asdict(each) for each in queue_loads(answer.stdout)]
        queues = [{wire_name(name): value for name, value in each.items()} for each in loads]
        return {"asked": iso(self._ports.clock.now()), "message": "", "queues": queues}

    async def _ask_accounts(self, transport: Transport) -> Sequence[str]:
        answer = await transport.run(_ACCOUNTS, timeout=_LONGEST, live=True)
        names = {line.strip() for line in answer.stdout.splitlines()} if not answer.exit_code else set()
        return sorted(names - {""})


def _is_slurm(system: System) -> bool:
    return bool(system.can_run_batch) and system.batch_scheduler is SchedulerType.SLURM


def _nothing(message: str) -> Mapping[str, Any]:
    return {"asked": None, "message": message, "queues": []}
