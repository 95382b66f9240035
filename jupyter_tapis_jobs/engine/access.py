"""How one user gets into one host: from system, credential and known keys to connections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..model.errors import InvalidInputError
from ..model.system import System, SystemType
from ..secrets.credentials import Secrets
from ..transports.ssh_address import SSH_PORT, Address, KnownKeys, SignIn

if TYPE_CHECKING:
    from asyncssh import SSHClientConnection, SSHKey

#: Where OpenSSH's own client looks.
KNOWN_HOSTS = Path("~/.ssh/known_hosts")

#: Makes a connection: the three parts of ``transports.ssh_sign_in.connect``.
Connect = Callable[[Address, SignIn, KnownKeys], Awaitable["SSHClientConnection"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The way of one user into one host."""

    #: What sentences call the host.
    name: str
    address: Address
    sign_in: SignIn
    keys: KnownKeys
    #: One connection has to do: the host asks for a code each time.
    shared: bool = False


def way(
    system: System,
    user: str,
    secrets: Secrets,
    *,
    is_own: bool,
    pinned: tuple[str, ...],
    accept_new: bool,
    shared: bool = False,
) -> Way:
    """Return the way of the host user *user* into *system*.

    *is_own*: it is the way of the server's own user, for whom ``~/.ssh`` (config, known_hosts, keys)
    and the agent count too; they are nobody else's.
    """
    has_secret = bool(secrets.password or secrets.private_key)
    return Way(
        name=system.id,
        address=Address(host=system.host, port=port_of(system), user=user, use_config=is_own),
        sign_in=SignIn(
            password=secrets.password,
            private_key=secrets.private_key,
            passphrase=secrets.passphrase,
            use_agent=is_own and not has_secret,
            key_files=_key_files(secrets) if is_own and not has_secret else (),
            code=None,
        ),
        keys=KnownKeys(
            pinned=pinned,
            known_hosts=str(KNOWN_HOSTS.expanduser()) if is_own else None,
            accept_new=accept_new and not pinned,
        ),
        shared=shared,
    )


def refuse_no_host(system: System) -> None:
    """Raise for what is no host: buckets, Globus collections and iRODS zones can be registered, not used."""
    if system.system_type is not SystemType.LINUX:
        raise InvalidInputError(
            f"system {system.id} is of type {system.system_type}, which is not supported by this server; it "
            "works with LINUX hosts.",
            field="systemId",
            value=system.id,
        )


def port_of(system: System) -> int:
    """Return the system's port; Tapis writes -1 for none."""
    return system.port if system.port and system.port > 0 else SSH_PORT


def address_of(system: System) -> str:
    """Return ``host:port``, by which keys are remembered."""
    return f"{system.host}:{port_of(system)}"


def _key_files(secrets: Secrets) -> tuple[str, ...]:
    """Return the key file that was given; without one OpenSSH's own places count."""
    return (str(Path(secrets.key_file).expanduser()),) if secrets.key_file else ()


def openssh_text(key: SSHKey) -> str:
    """Return a key as ``ssh-ed25519 AAAA…``."""
    return " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])


class Access:
    """Makes the connections of one way; a one-time code is used for the next one and forgotten."""

    def __init__(self, way: Way, connect: Connect, *, when_shown: Callable[[str], Awaitable[None]]) -> None:
        self.way = way
        self._connect = connect
        self._when_shown = when_shown
        #: A one-time code for the next connection.
        self.code: str | None = None
        #: The key that the host has shown: ``ssh-ed25519 AAAA…``.
        self.shown: str | None = None

    async def connect(self) -> SSHClientConnection:
        """Connect and sign in; a host's first key is kept, and no other taken from then on."""
        way, code, self.code = self.way, self.code, None
        connection = await self._connect(way.address, replace(way.sign_in, code=code), way.keys)
        await self._note(connection)
        return connection

    async def _note(self, connection: SSHClientConnection) -> None:
        key = connection.get_server_host_key()
        if key is None:
            return
        self.shown = openssh_text(key)
        if not self.way.keys.pinned:
            keys = replace(self.way.keys, pinned=(self.shown,), accept_new=False)
            self.way = replace(self.way, keys=keys)
            await self._when_shown(self.shown)
