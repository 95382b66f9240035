"""The credentials of users for systems (Tapis Systems): tried on the host, stored, never told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection

from ..model.errors import InvalidInputError, NotAllowedError, NotFoundError
from ..model.new_host import NewCredential
from ..model.system import System
from ..model.texts import VARIABLE_NAME, shown
from ..model.times import iso
from ..model.user import User
from ..secrets.credentials import Secrets
from ..store import credentials as rows
from ..store import host_keys
from ..store.credentials import CredentialRow
from .access import Way, address_of, way
from .host_trust import trusted
from .hosts import Door, RealHosts, is_dynamic
from .new_credential import Tried, login_user_of, secrets_of
from .new_system import as_given, person_of, resolved_root
from .ports import Ports
from .systems import LOCAL, SystemCatalog

T = TypeVar("T")

NOT_FOUND = "SYSAPI_CRED_NOT_FOUND"
#: All that Tapis's answer may hold, most of it secret: null here, always.
_ATTRIBUTES = (
    "password", "privateKey", "publicKey", "accessKey", "accessSecret", "accessToken", "refreshToken",
    "tmsPrivateKey", "tmsPublicKey", "tmsFingerprint", "certificate",
)  # fmt: skip
#: Seconds for the sign-in that shows that a credential is good.
TRY_SECONDS = 60.0


class CredentialDesk:
    """Creates, checks and removes credentials.

    On a system with a fixed effectiveUserId they are its owner's to give, by the host user's name; on
    others each user gives their own. Anything else is a ``NotFoundError``.
    """

    def __init__(self, ports: Ports, systems: SystemCatalog, hosts: RealHosts) -> None:
        self._ports = ports
        self._systems = systems
        self._hosts = hosts

    # -- what a client asks for

    async def create(
        self, user: User, system_id: str, person: str, given: NewCredential, *, skip_check: bool = False
    ) -> None:
        """Store a credential, after it was tried on the host; one that is there is replaced.

        Raises what the sign-in raises (``HostKeyError``, ``HostSignInError``, ``CodeNeededError``,
        ``TransportError``); then the old credential stays.
        """
        system = await self._system(user, system_id, person)
        tried = await self.tried(system, person, given, skip_check=skip_check)
        await self._ports.write(tried.keep)
        await self.settle(tried)

    async def remove(self, user: User, system_id: str, person: str) -> int:
        """Delete a credential and close what it had opened; return 0 or 1."""
        await self._system(user, system_id, person, deleted_too=True)
        removed = await self._ports.write(lambda conn: rows.remove(conn, system_id, person))
        await self._hosts.forget(system_id, person)
        if not removed:
            raise _missing(system_id, person)
        return removed

    async def get(self, user: User, system_id: str, person: str) -> dict[str, Any]:
        """Return what may be told of a credential: its kind and the name on the host."""
        await self._system(user, system_id, person)
        row = await self._row(system_id, person)
        told: dict[str, Any] = dict.fromkeys(_ATTRIBUTES)
        method = "PASSWORD" if row.method == "PASSWORD" else "PKI_KEYS"
        return {"authnMethod": method, "loginUser": row.login_user, **told}

    async def check(
        self, user: User, system_id: str, person: str, *, code: str | None = None, trust: str | None = None
    ) -> None:
        """Sign in with the stored credential now; raises what stands in the way."""
        system = await self._system(user, system_id, person)
        await self._row(system_id, person)
        await self.open(system, person, code=code, trust=trust)

    async def create_system(
        self, user: User, raw: Mapping[str, Any], given: NewCredential | None, *, skip_check: bool = False
    ) -> System:
        """Store a new system together with its credential, once that has let its user in."""
        system = as_given(user, raw, given)
        await self._ports.workers.read(lambda: self._systems.refuse_taken(user, system.id))
        person, tried = person_of(system, user), None
        if given is not None:
            tried = await self.tried(system, person, given, skip_check=skip_check)
        try:
            root = await resolved_root(system, tried)
            keep = tried.keep if tried else _nothing
            stored = await self._ports.workers.write(
                lambda: self._systems.create(user, {**raw, "rootDir": root}, keep)
            )
        except BaseException:
            if tried is not None and tried.door is not None:
                await tried.door.transport.close()
            raise
        if tried is not None:
            await self.settle(tried)
        return stored

    async def host_eval(self, user: User, system_id: str, name: str) -> str:
        """Return an environment variable of the effective user's login shell on the host."""
        if not VARIABLE_NAME.fullmatch(name):
            raise InvalidInputError(
                f"envVarName {shown(name)} is no name of a variable.", field="envVarName", value=name
            )
        system = await self._ports.workers.read(lambda: self._systems.get(user, system_id))
        if system.id == LOCAL and not user.is_server_user:
            raise NotAllowedError("The variables of this machine are its own user's only.")
        person = person_of(system, user)
        transport = await self._ports.hosts.transport(system_id, person)
        value = (await transport.environment([name])).get(name)
        if value is None:
            raise InvalidInputError(
                f"{name} is not set for {person} on system {system_id}.", field="envVarName", value=name
            )
        return value

    # -- the parts of it

    async def open(
        self, system: System, person: str, *, code: str | None = None, trust: str | None = None
    ) -> Door:
        """Return a lane's door with a living connection: the one that is there, else a new one."""
        known = self._hosts.known(system.id, person)
        if known is not None and known.transport.state == "connected" and not trust:
            await known.transport.run("exit 0", timeout=TRY_SECONDS)
            return known
        believed = None
        if trust is not None:
            address = (await self._stored(system.id, person))[0].address
            believed = await trusted(address, system.id, trust)
        stored, environment = await self._ports.workers.read(
            lambda: self._hosts.stored(
                system.id, person, trust=believed.keys if believed else None, shared=code is not None
            )
        )
        door = await self._tried(self._hosts.opened(stored, environment), code)
        await self._note(stored, door, code=code, trust=trust, person=person)
        await self._hosts.adopt(system.id, person, door)
        return door

    async def _stored(self, system_id: str, person: str) -> tuple[Way, Mapping[str, str]]:
        return await self._ports.workers.read(lambda: self._hosts.stored(system_id, person))

    async def _note(
        self, stored: Way, door: Door, *, code: str | None, trust: str | None, person: str
    ) -> None:
        """Remember the key that was trusted, and that codes are asked for."""
        key = (
            self._hosts.key_row(stored, door.access.shown, "pinned") if trust and door.access.shown else None
        )

        def work(conn: Connection) -> None:
            if key is not None:
                host_keys.replace(conn, key)
            if code is not None:
                rows.note_code(conn, stored.name, person)

        if key is not None or code is not None:
            await self._ports.write(work)

    async def tried(self, system: System, person: str, given: NewCredential, *, skip_check: bool) -> Tried:
        """Return what is to be stored, after the sign-in has worked (or was not wanted)."""
        secrets = secrets_of(system, given, is_own=self._hosts.is_own(system, person))
        login = login_user_of(system, given)
        pinned = await self._pinned(system)
        if given.trust is not None:
            at = self.way(system, login or person, secrets, person, pinned)
            pinned = (await trusted(at.address, system.id, given.trust)).keys
        there = self.way(system, login or person, secrets, person, pinned, shared=given.code is not None)
        door = None
        if not skip_check:
            door = await self._tried(self._hosts.opened(there, keeps_key=False), given.code)
        return self.remembered(there, person, login, secrets, door, trust=given.trust, code=given.code)

    def remembered(
        self,
        there: Way,
        person: str,
        login: str | None,
        secrets: Secrets,
        door: Door | None,
        *,
        trust: str | None,
        code: str | None,
        how: str | None = None,
    ) -> Tried:
        """Return the rows of a credential and of the host's key."""
        now = iso(self._ports.clock.now())
        row = CredentialRow(
            system_id=there.name,
            user=person,
            login_user=login,
            method="PKI_KEYS" if secrets.private_key else "PASSWORD" if secrets.password else "AGENT",
            secret=self._hosts.safe.lock(secrets),
            needs_code=int(code is not None),
            created=now,
            updated=now,
        )
        shown = door.access.shown if door else None
        key = self._hosts.key_row(there, shown, how or ("pinned" if trust else None)) if shown else None
        return Tried(row, key, door)

    async def settle(self, tried: Tried) -> None:
        """Let the lane use the connection of the try, or a new one with the new credential."""
        lane = (tried.credential.system_id, tried.credential.user)
        if tried.door is not None:
            await self._hosts.adopt(*lane, tried.door)
        else:
            await self._hosts.forget(*lane)

    def way(
        self,
        system: System,
        login: str,
        secrets: Secrets,
        person: str,
        pinned: tuple[str, ...],
        *,
        shared: bool = False,
    ) -> Way:
        """Return the way into a system with what is given, not with what is stored."""
        return way(
            system,
            login,
            secrets,
            is_own=self._hosts.is_own(system, person),
            pinned=pinned,
            accept_new=self._hosts.accept_new,
            shared=shared,
        )

    async def _tried(self, door: Door, code: str | None) -> Door:
        door.access.code = code
        try:
            await door.transport.run("exit 0", timeout=TRY_SECONDS)
        except BaseException:
            await door.transport.close()
            raise
        return door

    async def _pinned(self, system: System) -> tuple[str, ...]:
        def work(conn: Connection) -> tuple[str, ...]:
            return tuple(row.public for row in host_keys.of(conn, system.id, address_of(system)))

        return await self._ports.read(work)

    async def _system(self, user: User, system_id: str, person: str, *, deleted_too: bool = False) -> System:
        """Return the system, if the credential of *person* for it is the user's business."""

        def work() -> System:
            if system_id == LOCAL:
                raise InvalidInputError(
                    "system local is this machine: it needs no credential.", field="systemId"
                )
            find = self._systems.get_deleted_too if deleted_too else self._systems.get
            system = find(user, system_id)
            mine = person == user.name if is_dynamic(system) else system.owner == user.name
            if not mine:
                raise _missing(system_id, person)
            return system

        return await self._ports.workers.read(work)

    async def _row(self, system_id: str, person: str) -> CredentialRow:
        row = await self._ports.read(lambda conn: rows.get(conn, system_id, person))
        if row is None:
            raise _missing(system_id, person)
        return row


def _nothing(_: Connection) -> None:
    """Keep nothing."""


def _missing(system_id: str, person: str) -> NotFoundError:
    return NotFoundError(f"There is no credential of {person[:80]} for system {system_id}.", code=NOT_FOUND)
