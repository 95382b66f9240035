"""Which host keys are believed: somebody named the fingerprint, or known_hosts holds it."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from ..model.errors import HostKeyError, InvalidInputError, TransportError
from ..transports.ssh_address import SSH_PORT, Address
from .access import KNOWN_HOSTS, openssh_text

CONFIG = Path("~/.ssh/config")
#: The kinds of host keys that sites tell the fingerprints of.
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512")


@dataclass(frozen=True, slots=True)
class Trust:
    """Keys that are believed, and ``how`` they became known: pinned or known_hosts."""

    keys: tuple[str, ...]
    how: str


def fingerprint(public: str) -> str:
    """Return ``SHA256:…`` of ``ssh-ed25519 AAAA…``."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


async def trusted(address: Address, name: str, wanted: str) -> Trust:
    """Return the host's key with the fingerprint *wanted*; a host may have keys of several kinds.

    Raises ``HostKeyError`` when it has no such key, ``TransportError`` when it is not reached.
    """
    from ..transports.ssh_sign_in import host_key

    first = await host_key(address)
    if first.fingerprint == wanted.rstrip("="):
        return Trust((first.public,), "pinned")
    for kind in KINDS:
        with suppress(TransportError):
            shown = await host_key(address, kind)
            if shown.fingerprint == wanted.rstrip("="):
                return Trust((shown.public,), "pinned")
    raise HostKeyError(
        f"{name} shows the key {first.fingerprint}, not {wanted}, which you trust. "
        "Ask the site which one is right before you trust another.",
        fingerprint=first.fingerprint,
        known=wanted,
    )


def from_known_hosts(address: Address, given: str, *, may_read: bool) -> Trust:
    """Return the keys of a host in *given*: lines of a known_hosts file, or (*may_read*) its path.

    Raises ``InvalidInputError`` when it is no such file or does not know the host.
    """
    import asyncssh

    is_path = "\n" not in given and " " not in given.strip()
    if is_path and not may_read:
        raise InvalidInputError(
            "knownHosts as a path is for the server's own user; give the lines of the file.",
            field="knownHosts",
        )
    try:
        lines = Path(given).expanduser().read_bytes() if is_path else given.encode()
        host, port = _reached(address)
        found = asyncssh.match_known_hosts(lines, host, _number(host), port)[0]
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"knownHosts cannot be read as a known_hosts file: {error}.", field="knownHosts"
        ) from None
    if not found:
        raise InvalidInputError(
            f"knownHosts does not know {host} at port {port}. "
            "Leave it out and compare the fingerprint, or give the right file.",
            field="knownHosts",
        )
    return Trust(tuple(dict.fromkeys(map(openssh_text, found))), "known_hosts")


def is_in_known_hosts(address: Address, public: str) -> bool:
    """Tell whether the user's own known_hosts holds this key of the host."""
    import asyncssh

    path = KNOWN_HOSTS.expanduser()
    if not path.is_file():
        return False
    host, port = _reached(address)
    found = asyncssh.match_known_hosts(str(path), host, _number(host), port)[0]
    return public in map(openssh_text, found)


def _reached(address: Address) -> tuple[str, int]:
    """Return host and port as ``~/.ssh/config`` has them, by which known_hosts knows them."""
    import asyncssh

    if not address.use_config:
        return address.host, address.port
    path = CONFIG.expanduser()
    options = asyncssh.SSHClientConnectionOptions(
        host=address.host, config=[str(path)] if path.is_file() else None
    )
    told = options.port if address.port == SSH_PORT else address.port
    return str(options.host or address.host), int(told or SSH_PORT)


def _number(host: str) -> str:
    """Return *host* if it is an address in numbers, else nothing."""
    try:
        return str(ip_address(host))
    except ValueError:
        return ""
