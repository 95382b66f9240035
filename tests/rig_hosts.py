"""Transports to the rig's hosts, for the tests of several folders."""

from __future__ import annotations

from rig.rig import Rig

from jupyter_tapis_jobs.transports.ssh import SshTransport
from jupyter_tapis_jobs.transports.ssh_address import Address, KnownKeys, SignIn
from jupyter_tapis_jobs.transports.ssh_sign_in import connect


def address(rig: Rig, host: str = "login1", *, user: str | None = None, port: int | None = None) -> Address:
    """Return where a host of the rig is; nothing of this machine's own configuration counts."""
    it = rig.hosts[host]
    return Address(host=it.host, port=port or it.port, user=user or it.user, use_config=False)


def key(rig: Rig) -> SignIn:
    """Return the sign-in with the rig's key."""
    return SignIn(key_files=(str(rig.key),))


def known(rig: Rig) -> KnownKeys:
    """Return the keys of all hosts of the rig, whatever the port they are reached at."""
    lines = rig.known_hosts.read_text().splitlines()
    return KnownKeys(pinned=tuple(line.partition(" ")[2] for line in lines if line.strip()))


def ssh_transport(
    rig: Rig,
    host: str = "login1",
    *,
    user: str | None = None,
    port: int | None = None,
    shared: bool = False,
    watch_step: float = 0.02,
    keepalive_interval: float = 15.0,
) -> SshTransport:
    """Return a transport to a host of the rig."""

    async def connected() -> object:
        where = address(rig, host, user=user, port=port)
        return await connect(where, key(rig), known(rig), keepalive_interval=keepalive_interval)

    return SshTransport(connected, name=host, shared=shared, watch_step=watch_step)
