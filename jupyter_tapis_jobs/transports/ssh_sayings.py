"""Why a host was not reached, in sentences."""

from __future__ import annotations

import socket

import asyncssh

from ..model.errors import TransportError
from .ssh_address import SSH_PORT, Address


def place(address: Address) -> str:
    """Return what sentences call the host."""
    return address.host if address.port == SSH_PORT else f"{address.host}, port {address.port},"


def user(address: Address) -> str:
    """Return what sentences call the user there."""
    return f"user '{address.user}'" if address.user else "the user"


_CLOSED = (
    "closed the connection before anybody was signed in. It may be overloaded, or block this machine "
    "for a while after too many attempts."
)
#: Kind of error -> what to say behind the host's name; the first that fits counts.
_SAYINGS: tuple[tuple[type[Exception], str], ...] = (
    (socket.gaierror, "cannot be found: no such host name. Check the name, or the network."),
    (ConnectionRefusedError, "refuses the connection: nothing listens there. Check host and port."),
    (TimeoutError, "does not answer. Check host and port, and whether a VPN is needed."),
    (
        asyncssh.HostKeyNotVerifiable,
        "cannot be trusted ({error}); a host on the way to it must be in known_hosts too.",
    ),
    (asyncssh.ConnectionLost, _CLOSED),
    (ConnectionError, _CLOSED),
    (asyncssh.KeyExchangeFailed, "and this machine have no way of encryption in common ({error})."),
    (asyncssh.ProtocolError, "does not answer as an SSH server does ({error}). Check the port."),
    (asyncssh.ConfigParseError, "cannot be looked up: ~/.ssh/config has a mistake ({error})."),
    (asyncssh.ChannelOpenError, "cannot be reached from the host on the way ({error})."),
)


def trouble(address: Address, error: Exception) -> TransportError:
    """Return the error whose sentence tells why the host was not reached."""
    reason = getattr(error, "reason", "") or getattr(error, "strerror", "") or str(error)
    if "timeout" in reason.lower():
        error = TimeoutError()
    saying = next(
        (text for kind, text in _SAYINGS if isinstance(error, kind)), "cannot be reached ({error})."
    )
    return TransportError(f"{place(address)} {saying.format(error=reason)}")
