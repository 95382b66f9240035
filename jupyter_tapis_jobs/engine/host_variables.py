"""The environment variables of users on hosts: asked at most once an hour, remembered in the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..model.errors import TransportError
from ..model.system import System
from ..model.times import iso, parse_iso
from ..store import host_variables as rows
from .ports import Ports
from .systems import LOCAL

#: System, when that was changed last, and the host's user.
Lane = tuple[str, str, str]
Variable = tuple[str, str, str, str]

#: Seconds for which what a host said is believed.
BELIEVED = 3600.0


class HostVariables:
    """Answers from memory, then from the store, then from the host."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        #: When each was asked for, and the value; None: it is not set there.
        self._known: dict[Variable, tuple[float, str | None]] = {}

    async def of(self, system: System, user: str, names: Collection[str]) -> Mapping[str, str]:
        """Return those of the variables *names* of *user* on *system* that are set.

        A host that cannot be reached is believed what it said last, however long ago: where a user's
        directories are hardly changes. Raises ``TransportError`` when it never said it.
        """
        lane = (system.id, system.updated or "", user)
        # This machine is at hand, and may be set up anew whenever the server starts.
        if system.id != LOCAL and (missing := self._stale(lane, names)):
            await self._recall(lane, missing)
        if missing := self._stale(lane, names):
            try:
                await self._ask(lane, missing)
            except TransportError:
                if any((*lane, name) not in self._known for name in missing):
                    raise
        values = {name: self._known[*lane, name][1] for name in names}
        return {name: value for name, value in values.items() if value is not None}

    def _stale(self, lane: Lane, names: Collection[str]) -> list[str]:
        oldest = self._ports.clock.now() - BELIEVED
        never = (float("-inf"), None)
        return sorted(name for name in names if self._known.get((*lane, name), never)[0] < oldest)

    async def _recall(self, lane: Lane, names: list[str]) -> None:
        """Read what was heard before this engine began, or when the host was added."""
        system_id, _, user = lane
        found = await self._ports.workers.read(
            lambda: self._ports.database.read(lambda conn: rows.get(conn, system_id, user, names))
        )
        for name, (value, asked) in found.items():
            self._known[*lane, name] = (parse_iso(asked), value)

    async def _ask(self, lane: Lane, names: list[str]) -> None:
        system_id, _, user = lane
        transport = await self._ports.hosts.transport(system_id, user)
        heard, now = await transport.environment(names), self._ports.clock.now()
        values = {name: heard.get(name) for name in names}
        for name, value in values.items():
            self._known[*lane, name] = (now, value)
        if system_id != LOCAL:
            await self._ports.workers.write(
                lambda: self._ports.database.write(
                    lambda conn: rows.put(conn, system_id, user, values, iso(now))
                )
            )
