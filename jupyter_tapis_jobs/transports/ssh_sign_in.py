"""Connects to an SSH host and signs in; whatever goes wrong there is told in a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncssh
from asyncssh.public_key import get_default_public_key_algs

from ..model.errors import TransportError
from .ssh_address import SSH_PORT, Address, HostKey, KnownKeys, SignIn
from .ssh_attempt import Attempt, shown
from .ssh_sayings import place, trouble

#: Seconds for reaching the host, and for signing in.
CONNECT_TIMEOUT, LOGIN_TIMEOUT = 15.0, 30.0
#: A frozen connection is given up after so many unanswered questions, one each so many seconds.
KEEPALIVE_COUNT, KEEPALIVE_INTERVAL = 3, 15.0

#: How a host breaks off that has no key of the kinds that are asked for.
_NO_COMMON_KEY = (asyncssh.KeyExchangeFailed, asyncssh.ConnectionLost, ConnectionError)


async def connect(
    address: Address,
    sign_in: SignIn,
    keys: KnownKeys,
    *,
    keepalive_interval: float = KEEPALIVE_INTERVAL,
    keepalive_count: int = KEEPALIVE_COUNT,
) -> asyncssh.SSHClientConnection:
    """Return a connection whose user is signed in.

    Raises ``HostKeyError``, ``CodeNeededError``, ``HostSignInError``, and for everything else
    ``TransportError``.
    """
    attempt = Attempt(address, sign_in, keys)
    private_keys = attempt.private_keys()
    options = _where(address) | {
        "client_factory": lambda: attempt,
        "known_hosts": attempt.believed,
        "server_host_key_algs": _key_algorithms(keys) if keys.pinned else (),
        "client_keys": private_keys or (() if _takes_own_keys(address, sign_in) else None),
        "passphrase": sign_in.passphrase,
        "agent_path": () if sign_in.use_agent else None,
        "gss_host": None,
        "gss_kex": False,
        "gss_auth": False,
        # Whatever the configuration says: with a forwarded agent each job there could sign in elsewhere.
        "agent_forwarding": False,
        "request_pty": False,
        # The fast cipher first: asyncssh prefers one that takes twice as long.
        "encryption_algs": "^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
        "compression_algs": None,
        "keepalive_interval": keepalive_interval,
        "keepalive_count_max": keepalive_count,
        "connect_timeout": CONNECT_TIMEOUT,
        "login_timeout": LOGIN_TIMEOUT,
    }
    try:
        return await asyncssh.connect(address.host, **options)
    except (asyncssh.Error, asyncssh.ConfigParseError, OSError, ValueError) as error:
        raise await _told(attempt, error) from error


async def host_key(address: Address, algorithm: str | None = None) -> HostKey:
    """Return the key that the host shows now, by its choice or of a kind (``ssh-ed25519``).

    Raises ``TransportError`` when the host is not reached, or has no key of that kind.
    """
    options = _where(address)
    options.pop("username", None)
    if algorithm is not None:
        options["server_host_key_algs"] = [algorithm]
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT + LOGIN_TIMEOUT):
            key = await asyncssh.get_server_host_key(address.host, **options)
    except (asyncssh.Error, asyncssh.ConfigParseError, OSError, ValueError) as error:
        raise trouble(address, error) from error
    if key is None:
        raise TransportError(f"{place(address)} shows no host key.")
    return shown(key)


def _where(address: Address) -> dict[str, Any]:
    """Return the options that say where the host is; the configuration fills what is not said."""
    config: Any = None
    if address.config is not None:
        config = [address.config]
    elif address.use_config:
        config = ()
    is_configured = config is not None and address.port == SSH_PORT
    return {
        "port": () if is_configured else address.port,
        "username": address.user or (),
        "config": config,
    }


def _takes_own_keys(address: Address, sign_in: SignIn) -> bool:
    """Tell whether the keys of agent, configuration and ~/.ssh count: what asyncssh takes by itself."""
    has_secret = bool(sign_in.password or sign_in.private_key)
    return sign_in.use_agent or not (has_secret or (address.config is None and not address.use_config))


def _key_algorithms(keys: KnownKeys) -> Sequence[str]:
    """Return the kinds of host keys to ask for: pinned ones first, but others too, to see what changed."""
    pinned = [asyncssh.import_public_key(text) for text in keys.pinned]
    names = [name for key in pinned for name in key.sig_algorithms]
    return [name.decode() for name in dict.fromkeys([*names, *get_default_public_key_algs()])]


async def _told(attempt: Attempt, error: Exception) -> TransportError:
    """Return what to raise; a host with other kinds of keys than the known ones breaks off without a word."""
    if isinstance(error, _NO_COMMON_KEY) and attempt.known and not attempt.keys.pinned:
        found = await host_key(attempt.address)
        if found.public not in [shown(key).public for key in attempt.known]:
            attempt.refused_key = found
    return attempt.told(error)
