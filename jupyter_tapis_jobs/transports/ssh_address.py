"""Where an SSH host is, how somebody signs in there, and which host keys are believed."""

from __future__ import annotations

from dataclasses import dataclass, field

#: The port of SSH; as an address's port it gives way to what ``~/.ssh/config`` says.
SSH_PORT = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An SSH host and the user there (empty: what the configuration or the machine says)."""

    host: str
    port: int = SSH_PORT
    user: str = ""
    #: Whether ``~/.ssh/config`` of the server's user counts: HostName, Port, User, IdentityFile, ProxyJump.
    use_config: bool = True
    #: Another file in its place.
    config: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Everything that may let a user in; what is None or empty is not tried."""

    password: str | None = field(default=None, repr=False)
    #: The text of a private key, PEM or OpenSSH.
    private_key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    use_agent: bool = False
    #: Files with private keys; those whose passphrase is not known are passed over.
    key_files: tuple[str, ...] = ()
    #: A one-time code, good for one connection.
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKeys:
    """The host keys that are believed: *pinned* ones; only without any, those of a known_hosts file."""

    #: ``ssh-ed25519 AAAA…``
    pinned: tuple[str, ...] = ()
    #: Path of a known_hosts file.
    known_hosts: str | None = None
    #: Whether the key of a host that is not known yet is believed.
    accept_new: bool = False


@dataclass(frozen=True, slots=True)
class HostKey:
    """A key that a host shows: ``ssh-ed25519``, ``SHA256:…``, ``ssh-ed25519 AAAA…``."""

    type: str
    fingerprint: str
    public: str
