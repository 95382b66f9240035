"""The hosts of a real engine: this machine, and what is reached over SSH, one pooled transport per lane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ..model.errors import HostSignInError
from ..model.system import System
from ..model.times import iso
from ..secrets.credentials import Safe
from ..store import credentials as credential_rows
from ..store import host_keys
from ..store.credentials import CredentialRow
from ..store.database import Database
from ..store.host_keys import HostKeyRow
from ..transports.base import Transport
from ..transports.local import LocalTransport
from .access import Access, Connect, Way, address_of, refuse_no_host, way
from .discovery import NOTES
from .host_trust import is_in_known_hosts
from .ports import Clock, Workers
from .rights import is_dynamic as is_dynamic
from .systems import LOCAL, SystemCatalog

if TYPE_CHECKING:
    from asyncssh import SSHClientConnection

    from ..transports.ssh_address import Address, KnownKeys, SignIn
    from .prepared import PreparedTransport

#: (system id, effective user).
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Door:
    """An opened way: how its connections are made, and the transport that uses them."""

    access: Access
    transport: PreparedTransport


class RealHosts:
    """Finds the transport of a lane; connections live until the engine ends or ``forget``.

    *server_user*: whose ``~/.ssh`` and agent may be used, for their own lanes only. *accept_new*: take
    the key of a host never seen before without asking.
    """

    def __init__(
        self,
        database: Database,
        workers: Workers,
        clock: Clock,
        *,
        safe: Safe,
        server_user: str,
        accept_new: bool = False,
        connect: Connect | None = None,
    ) -> None:
        self._database = database
        self._workers = workers
        self._clock = clock
        self._systems = SystemCatalog(database, clock.now)
        self._connect = connect
        self._local = LocalTransport()
        self._doors: dict[Key, Door] = {}
        #: Grows with every ``forget``: what was read before is not believed after.
        self._changes = 0
        self.safe = safe
        self.server_user = server_user
        self.accept_new = accept_new

    async def transport(self, system_id: str, effective_user: str) -> Transport:
        """Return the lane's transport; it connects when it is first used.

        Raises ``HostSignInError`` when the user has no credential for the system.
        """
        if system_id == LOCAL:
            return self._local
        return (await self.door(system_id, effective_user)).transport

    async def door(self, system_id: str, effective_user: str) -> Door:
        """Return the lane's door, opened at the first call."""
        key = (system_id, effective_user)
        while key not in self._doors:
            changes = self._changes
            stored, environment = await self._workers.read(lambda: self.stored(system_id, effective_user))
            if changes == self._changes and key not in self._doors:
                self._doors[key] = self.opened(stored, environment)
        return self._doors[key]

    def opened(
        self, through: Way, environment: Mapping[str, str] | None = None, *, keeps_key: bool = True
    ) -> Door:
        """Open a way without putting it into the pool; *keeps_key*: remember the first key it shows."""
        from .prepared import PreparedTransport

        async def when_shown(public: str) -> None:
            if keeps_key:
                await self._keep_key(through, public)

        access = Access(through, self._connect or _connect, when_shown=when_shown)
        transport = PreparedTransport(
            access.connect,
            name=through.name,
            shared=through.shared,
            now=self._clock.now,
            sleep=self._clock.sleep,
        )
        transport.prepare(environment or {})
        return Door(access, transport)

    async def adopt(self, system_id: str, effective_user: str, door: Door) -> None:
        """Put an open door into the pool, in the place of the lane's old one."""
        self._changes += 1
        old = self._doors.pop((system_id, effective_user), None)
        self._doors[system_id, effective_user] = door
        if old is not None:
            await old.transport.close()

    async def forget(self, system_id: str, user: str | None = None) -> None:
        """Close the connections of a system (of one user): credential or definition has changed."""
        self._changes += 1
        keys = [key for key in self._doors if key[0] == system_id and user in (None, key[1])]
        for door in [self._doors.pop(key) for key in keys]:
            await door.transport.close()

    async def close(self) -> None:
        """Close all connections."""
        doors, self._doors = list(self._doors.values()), {}
        self._changes += 1
        for door in doors:
            await door.transport.close()

    def known(self, system_id: str, effective_user: str) -> Door | None:
        """Return the lane's door if it has been opened."""
        return self._doors.get((system_id, effective_user))

    # -- what is stored of a way; on a reader thread

    def stored(
        self,
        system_id: str,
        effective_user: str,
        *,
        trust: tuple[str, ...] | None = None,
        shared: bool = False,
    ) -> tuple[Way, dict[str, str]]:
        """Return the way as it is stored, and what Slurm's commands need there.

        *trust*: believe these keys instead of the stored ones. Raises ``HostSignInError`` without a
        credential, ``InvalidInputError`` for a system that is no host.
        """
        system = self._systems.find(system_id)
        refuse_no_host(system)

        def work(conn: Connection) -> tuple[CredentialRow | None, list[HostKeyRow]]:
            credential = credential_rows.get(conn, system_id, effective_user)
            return credential, host_keys.of(conn, system_id, address_of(system))

        credential, keys = self._database.read(work)
        if credential is None:
            raise HostSignInError(
                f"{effective_user} has no credential for system {system_id}. "
                "Give one with tapis.add_host(…, replace=True), or createUserCredential in Tapis."
            )
        there = way(
            system,
            credential.login_user or effective_user,
            self.safe.unlock(credential.secret),
            is_own=self.is_own(system, effective_user),
            pinned=trust or tuple(key.public for key in keys),
            accept_new=self.accept_new,
            shared=shared or bool(credential.needs_code),
        )
        return there, dict(_environment(system))

    def is_own(self, system: System, effective_user: str) -> bool:
        """True for the lanes of the server's own user, who may use their ``~/.ssh`` and agent."""
        return (effective_user if is_dynamic(system) else system.owner) == self.server_user

    async def _keep_key(self, through: Way, public: str) -> None:
        """Remember the first key that a system's address has shown."""
        row = self.key_row(through, public)
        await self._workers.write(lambda: self._database.write(lambda conn: host_keys.replace(conn, row)))

    def key_row(self, through: Way, public: str, how: str | None = None) -> HostKeyRow:
        """Return what is remembered of a key; *how* it became known is found out when it is not said."""
        counts = through.keys.known_hosts is not None
        first = "known_hosts" if counts and is_in_known_hosts(through.address, public) else "accepted"
        return HostKeyRow(
            system_id=through.name,
            address=f"{through.address.host}:{through.address.port}",
            public=public,
            how=how or first,
            created=iso(self._clock.now()),
        )


def _environment(system: System) -> Iterator[tuple[str, str]]:
    """Yield what the look at a host found to be missing without a login shell."""
    told = (system.notes or {}).get(NOTES)
    found = told.get("environment") if isinstance(told, dict) else None
    for name, value in found.items() if isinstance(found, dict) else ():
        if isinstance(value, str) and name.isidentifier():
            yield name, value


async def _connect(address: Address, sign_in: SignIn, keys: KnownKeys) -> SSHClientConnection:
    from ..transports.ssh_sign_in import connect

    return await connect(address, sign_in, keys)
