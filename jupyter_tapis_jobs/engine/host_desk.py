"""Adds hosts: connects, looks around, and stores system, credential and key together; looks again later."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ..model.dask import DASK, DaskCluster
from ..model.errors import (
    HostKeyError,
    HostSignInError,
    InvalidInputError,
    NotAllowedError,
    TapisJobsError,
    TransportError,
)
from ..model.new_host import HostCheck, NewHost
from ..model.paths import join
from ..model.system import System, parse_system
from ..model.times import iso
from ..model.update_interval import KEY
from ..model.user import User
from ..secrets.credentials import Secrets
from ..store import credentials, host_keys, host_variables
from ..store.credentials import CredentialRow
from .access import Way, address_of
from .credentials import CredentialDesk
from .discovery import NOTES, batch, definition, discover, notes
from .host_facts import HostFacts
from .host_report import report
from .host_trust import Trust, fingerprint, from_known_hosts, trusted
from .hosts import Door, RealHosts
from .new_credential import Tried
from .new_system import person_of
from .ports import Ports
from .systems import LOCAL, SystemCatalog

#: Where a user's jobs work on a system that was added as a host.
OWN_USER = "${apiUserId}"


@dataclass(frozen=True, slots=True)
class Added:
    """A host that was added: the system it became, and what was found there."""

    system: System
    report: Mapping[str, Any]


class HostDesk:
    """What is ours beyond Tapis: a host in one call."""

    def __init__(
        self,
        ports: Ports,
        systems: SystemCatalog,
        hosts: RealHosts,
        desk: CredentialDesk,
        on_ready: Callable[[str], Awaitable[None]],
    ) -> None:
        self._ports = ports
        self._systems = systems
        self._hosts = hosts
        self._desk = desk
        self._on_ready = on_ready

    async def add(self, user: User, given: NewHost) -> Added:
        """Connect to a new host, look at it, and store it as a system with the user's credential.

        Nothing is stored unless all went well. Raises ``HostKeyError`` for a key nobody has vouched
        for, ``CodeNeededError``, ``HostSignInError``, and ``InvalidInputError`` for a host that cannot
        be reached or used.
        """
        await self._refuse_taken(user, given)
        if given.dask is not None:
            DaskCluster.of(given.dask)
        system = _bare(given)
        secrets = self._secrets(user, given)
        # What ~/.ssh/config says counts for the server's own user when nobody is named.
        login = given.user or ("" if user.is_server_user else user.name)
        there, trust = await self._way(user, system, login, secrets, given)
        door = self._hosts.opened(there, keeps_key=False)
        door.access.code = given.code
        try:
            found = await _looked(door, given.id)
            await _want_place(door, given)
            tried = self._desk.remembered(
                there, user.name, found.user or login, secrets, door,
                trust=given.trust, code=given.code, how=trust.how if trust else None,
            )  # fmt: skip
            stored = await self._store(user, given, found, tried)
        except TransportError as fault:
            await door.transport.close()
            raise _as_input(fault) from fault
        except BaseException:
            await door.transport.close()
            raise
        await self._hosts.adopt(given.id, user.name, door)
        await self._on_ready(given.id)
        return Added(stored, await self._report(stored, found, user.name))

    async def check(self, user: User, system_id: str, asked: HostCheck) -> Mapping[str, Any]:
        """Connect now, look at the host again, and remember what is found; return the report."""
        system = await self._owned(user, system_id)
        person = person_of(system, user)
        await self._retry(system_id, person)
        door = await self._opened(system, person, asked)
        found = await _looked(door, system_id)
        await self._remember(user, system, person, found)
        await self._on_ready(system_id)
        return await self._report(await self._owned(user, system_id), found, person)

    async def learn(self, user: User, system_id: str) -> None:
        """Look at a host that was registered without a look, as far as its user may; trouble is no matter."""
        system = await self._owned(user, system_id)
        if _was_looked_at(system) or system.owner != user.name:
            return
        person = person_of(system, user)
        with suppress(TapisJobsError, OSError):
            found = await _looked(await self._hosts.door(system_id, person), system_id)
            await self._remember(user, system, person, found)

    async def every(self, user: User) -> Sequence[Mapping[str, Any]]:
        """Return how each of the user's hosts stands: connected, idle, trouble or code needed."""

        def work() -> list[tuple[System, CredentialRow | None]]:
            def read(conn: Connection) -> list[tuple[System, CredentialRow | None]]:
                return [(s, credentials.get(conn, s.id, person_of(s, user))) for s in mine]

            mine = [s for s in self._systems.owned(user) if s.id != LOCAL]
            return self._ports.database.read(read)

        found = await self._ports.workers.read(work)
        return [self._state(user, system, row) for system, row in found]

    # -- the parts of it

    def _state(self, user: User, system: System, row: CredentialRow | None) -> Mapping[str, Any]:
        person = person_of(system, user)
        door = self._hosts.known(system.id, person)
        transport = door.transport if door else None
        state, message, next_try = "idle", "Not connected; that happens when it is needed.", None
        if row is None:
            state, message = "trouble", f"There is no credential of {person}."
        elif transport is not None and transport.state == "connected":
            state, message = "connected", "Connected."
        elif transport is not None and transport.trouble is not None:
            state, message = transport.state, transport.trouble.message
            next_try = transport.next_try if isfinite(transport.next_try) else None
        return {
            "id": system.id,
            "state": state,
            "message": message,
            "nextTry": iso(next_try) if next_try else None,
            "user": (row.login_user if row else None) or person,
        }

    async def _refuse_taken(self, user: User, given: NewHost) -> None:
        await self._ports.workers.read(
            lambda: self._systems.refuse_taken(user, given.id, may_replace=given.replace)
        )

    def _secrets(self, user: User, given: NewHost) -> Secrets:
        is_own = user.is_server_user and user.name == self._hosts.server_user
        if given.key_file and not is_own:
            raise NotAllowedError(
                "keyFile lies on the server's machine and is for its own user only; "
                "give the key itself as privateKey."
            )
        if given.key_file and not Path(given.key_file).expanduser().is_file():
            raise InvalidInputError(
                f"There is no key file {given.key_file} on the server's machine.",
                field="keyFile",
                value=given.key_file,
            )
        if not (given.password or given.private_key) and not is_own:
            raise InvalidInputError(
                "Neither password nor privateKey is given; the server's own keys are for its own user only.",
                field="password",
            )
        return Secrets(
            password=given.password,
            private_key=given.private_key,
            passphrase=given.passphrase,
            key_file=given.key_file,
        )

    async def _way(
        self, user: User, system: System, login: str, secrets: Secrets, given: NewHost
    ) -> tuple[Way, Trust | None]:
        """Return the way into the new host, and whose word vouches for its key."""
        shared = given.code is not None
        first = self._desk.way(system, login, secrets, user.name, (), shared=shared)
        trust = None
        try:
            if given.trust:
                trust = await trusted(first.address, given.id, given.trust)
        except TransportError as fault:
            raise _as_input(fault) from fault
        if trust is None and given.known_hosts:
            trust = from_known_hosts(first.address, given.known_hosts, may_read=user.is_server_user)
        if trust is None:
            return first, None
        return self._desk.way(system, login, secrets, user.name, trust.keys, shared=shared), trust

    async def _store(self, user: User, given: NewHost, found: HostFacts, tried: Tried) -> System:
        """Store system, credential, key and variables in one transaction."""
        now = iso(self._ports.clock.now())
        raw = _head(given, tried.credential.method) | definition(
            found,
            root_dir=given.root_dir,
            working_dir=given.job_working_dir,
            checked=now,
            dask=given.dask,
        )

        def also(conn: Connection) -> None:
            credentials.remove(conn, given.id)
            tried.keep(conn)
            host_variables.forget(conn, given.id)
            host_variables.put(conn, given.id, user.name, dict(found.variables), now)

        store = self._systems.replace if given.replace else self._systems.create
        return await self._ports.workers.write(lambda: store(user, raw, also))

    async def _owned(self, user: User, system_id: str) -> System:
        def work() -> System:
            system = self._systems.get(user, system_id)
            if system.id == LOCAL:
                raise InvalidInputError("system local is this machine; it is always there.", field="systemId")
            return system

        return await self._ports.workers.read(work)

    async def _retry(self, system_id: str, person: str) -> None:
        """A person who asks now does not wait for the next try."""
        door = self._hosts.known(system_id, person)
        if door is not None and door.transport.state != "connected":
            await self._hosts.forget(system_id, person)

    async def _opened(self, system: System, person: str, asked: HostCheck) -> Door:
        """Connect with what is given; why that fails stands in the list of hosts from then on."""
        try:
            return await self._desk.open(system, person, code=asked.code, trust=asked.trust)
        except TransportError as fault:
            with suppress(HostSignInError):
                there = (await self._hosts.door(system.id, person)).transport
                if there.state != "connected":
                    there.note_trouble(fault)
            raise

    async def _remember(self, user: User, system: System, person: str, found: HostFacts) -> None:
        """Lay what was found now over the system; what its owner has written stays."""
        now = iso(self._ports.clock.now())
        changes: dict[str, Any] = {
            "notes": {**(system.notes or {}), NOTES: notes(found, now) | _wished(system)}
        }
        if _was_looked_at(system):
            changes |= _renewed(system, found)

        def work() -> None:
            self._systems.patch(user, system.id, changes)
            self._ports.database.write(
                lambda conn: host_variables.put(conn, system.id, person, dict(found.variables), now)
            )

        await self._ports.workers.write(work)

    async def _report(self, system: System, found: HostFacts, person: str) -> Mapping[str, Any]:
        keys = await self._ports.workers.read(
            lambda: self._ports.database.read(lambda conn: host_keys.of(conn, system.id, address_of(system)))
        )
        checked = (system.notes or {}).get(NOTES, {}).get("checked", "")
        told = report(found, system.to_wire(), checked)
        print_of = fingerprint(keys[-1].public) if keys else None
        return {**told, "fingerprint": print_of, "known": keys[-1].how if keys else None}


async def _looked(door: Door, name: str) -> HostFacts:
    """Look at a host as it is without help, and let later scripts have what they need there."""
    door.transport.prepare({})
    found = await discover(door.transport, name)
    door.transport.prepare(found.environment)
    return found


async def _want_place(door: Door, given: NewHost) -> None:
    """Refuse a place for jobs where they cannot work; one with macros is known when a job comes."""
    place = given.job_working_dir
    if place is None or "$" in place + given.root_dir:
        return
    path = join(given.root_dir, place)
    try:
        await door.transport.mkdir(path)
        answer = await door.transport.run(f"test -w {shlex.quote(path)} && test -x {shlex.quote(path)}")
        why = "" if answer.exit_code == 0 else "it belongs to somebody else"
    except OSError as cause:
        why = cause.strerror or str(cause)
    if why:
        raise InvalidInputError(
            f"jobWorkingDir {path} is no place for jobs on {given.id}: {why}. Name one where you may write, "
            "or leave it out.",
            field="jobWorkingDir",
            value=place,
        )


def _head(given: NewHost, method: str) -> dict[str, Any]:
    """Return the attributes of the system that the person gives."""
    return {
        "id": given.id,
        "host": given.host,
        "port": given.port or -1,
        "defaultAuthnMethod": "PASSWORD" if method == "PASSWORD" else "PKI_KEYS",
        "effectiveUserId": OWN_USER,
    }


def _bare(given: NewHost) -> System:
    """Return the system before anything is known of the host."""
    raw = _head(given, "PASSWORD") | {"systemType": "LINUX", "canExec": False, "rootDir": given.root_dir}
    return parse_system(raw)[0]


def _was_looked_at(system: System) -> bool:
    """Tell whether a look has made a system what it is; its owner may have noted something before any."""
    return "checked" in ((system.notes or {}).get(NOTES) or {})


def _renewed(system: System, found: HostFacts) -> dict[str, Any]:
    """Return what a new look changes of a system that a look has made."""
    runtimes = [{"runtimeType": kind, "version": version} for kind, version in found.runtimes]
    now = batch(found)
    if not now or system.batch_scheduler == DASK:
        return {"jobRuntimes": runtimes}
    return {
        "jobRuntimes": runtimes,
        **now,
        "batchLogicalQueues": _queues(system, found),
        "batchDefaultLogicalQueue": _default(system, found),
    }


def _queues(system: System, found: HostFacts) -> list[dict[str, Any]]:
    """Return the queues with the limits of now; what the owner added to them stays."""
    wire = {queue["name"]: queue for queue in system.to_wire()["batchLogicalQueues"] or []}
    now = {queue["name"]: queue for queue in batch(found).get("batchLogicalQueues", ())}
    own = [queue for name, queue in wire.items() if queue["hpcQueueName"] in now and name not in now]
    return [{**wire.get(name, {}), **queue} for name, queue in now.items()] + own


def _default(system: System, found: HostFacts) -> str | None:
    names = {queue["name"] for queue in _queues(system, found)}
    kept = system.batch_default_logical_queue
    default: str | None = batch(found).get("batchDefaultLogicalQueue")
    return kept if kept in names or default is None else default


def _as_input(fault: TransportError) -> TapisJobsError:
    """A host that is not reached is a wrong host or port; what it says of key and sign-in stays as it is."""
    if isinstance(fault, HostKeyError | HostSignInError):
        return fault
    return InvalidInputError(fault.message, field="host", code=fault.code)


def _wished(system: System) -> dict[str, Any]:
    """Return what the owner has written beside the facts that were found."""
    said = (system.notes or {}).get(NOTES) or {}
    return {KEY: said[KEY]} if KEY in said else {}
