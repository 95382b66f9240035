"""Connects to an SSH host and signs in; whatever goes wrong there is told in a sentence."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.public_key import get_default_public_key_algs

from ..model.errors import CodeNeededError, HostKeyError, HostSignInError, TransportError
from .ssh_address import SSH_PORT, Address, HostKey, KnownKeys, SignIn

#: Seconds for reaching the host, and for signing in.
CONNECT_TIMEOUT, LOGIN_TIMEOUT = 15.0, 30.0
#: A frozen connection is given up after so many unanswered questions, one each so many seconds.
KEEPALIVE_COUNT, KEEPALIVE_INTERVAL = 3, 15.0

#: How a host breaks off that has no key of the kinds that are asked for.
_NO_COMMON_KEY = (asyncssh.KeyExchangeFailed, asyncssh.ConnectionLost)
_ONE_TIME = re.compile(r"one.?time|otp|token|verification|code|passcode|2fa|duo|factor", re.IGNORECASE)
_PASSWORD = re.compile(r"password|passwort|mot de passe", re.IGNORECASE)


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
    attempt = _Attempt(address, sign_in, keys)
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
        raise await attempt.told(error) from error


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
        raise _trouble(address, error) from error
    if key is None:
        raise TransportError(f"{_place(address)} shows no host key.")
    return shown(key)


def shown(key: asyncssh.SSHKey) -> HostKey:
    """Return what people and stores know a key by."""
    public = " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])
    return HostKey(public.split()[0], key.get_fingerprint("sha256"), public)


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


@dataclass
class _Attempt(asyncssh.SSHClient):
    """One attempt to sign in, and what was seen on the way."""

    address: Address
    sign_in: SignIn
    keys: KnownKeys
    #: The keys that count for the host, once it is known where it is.
    known: list[asyncssh.SSHKey] = field(default_factory=list)
    refused_key: HostKey | None = None
    #: What was asked and had no answer.
    unanswered: tuple[str, ...] = ()
    locked_keys: list[str] = field(default_factory=list)
    gave_password: bool = False
    gave_code: bool = False
    asked_password: bool = False

    # Host keys ---------------------------------------------------------------------------------

    def believed(self, host: str, addr: str, port: int | None) -> Sequence[Any]:
        """Return what asyncssh wants to know of a host: keys, authorities, revoked keys, …"""
        nothing: list[Any] = [[], [], [], [], [], [], []]
        if self.keys.pinned:
            nothing[0] = [asyncssh.import_public_key(text) for text in self.keys.pinned]
        elif self.keys.known_hosts and Path(self.keys.known_hosts).is_file():
            nothing = list(asyncssh.match_known_hosts(self.keys.known_hosts, host, addr, port))
        self.known = list(nothing[0])
        return nothing

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Decide on a key that is not among the believed ones."""
        if self.keys.accept_new and not self.known:
            return True
        self.refused_key = shown(key)
        return False

    # Secrets -----------------------------------------------------------------------------------

    def private_keys(self) -> list[asyncssh.SSHKey]:
        """Return the private keys to try; a key given as text must be readable."""
        found = []
        if self.sign_in.private_key:
            found.append(self._given_key(self.sign_in.private_key))
        for path in self.sign_in.key_files:
            try:
                found.append(asyncssh.read_private_key(path, self.sign_in.passphrase))
            except asyncssh.KeyImportError:
                try:
                    found.append(asyncssh.read_private_key(path))
                except (asyncssh.KeyImportError, OSError):
                    self.locked_keys.append(path)
            except OSError:
                self.locked_keys.append(path)
        return found

    def _given_key(self, text: str) -> asyncssh.SSHKey:
        try:
            return asyncssh.import_private_key(text, self.sign_in.passphrase)
        except asyncssh.KeyEncryptionError:
            raise HostSignInError(
                f"The passphrase does not open the private key for {_user(self.address)}. "
                "Give the passphrase the key was made with.",
                needs="passphrase",
            ) from None
        except asyncssh.KeyImportError as error:
            if "passphrase" in str(error).lower():
                raise HostSignInError(
                    f"The private key for {_user(self.address)} is locked with a passphrase: give it too.",
                    needs="passphrase",
                ) from None
            raise HostSignInError(
                f"The private key for {_user(self.address)} cannot be read ({error}). "
                "It is the whole file that begins with '-----BEGIN', not its .pub neighbour."
            ) from None

    def password_auth_requested(self) -> str | None:
        """Give the password, once."""
        self.asked_password = True
        return self._password()

    def kbdint_auth_requested(self) -> str:
        """Take part in questions and answers."""
        return ""

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> Sequence[str] | None:
        """Answer the host's questions; None gives up."""
        asked = [text for text, _ in prompts]
        answers = [self._answer(text) for text in asked]
        if any(answer is None for answer in answers):
            self.unanswered = tuple(
                text.strip() for text, answer in zip(asked, answers, strict=True) if answer is None
            )
            return None
        return [answer for answer in answers if answer is not None]

    def _answer(self, prompt: str) -> str | None:
        if _asks_password(prompt):
            self.asked_password = True
            return self._password()
        if self.sign_in.code is None or self.gave_code:
            return None
        self.gave_code = True
        return self.sign_in.code

    def _password(self) -> str | None:
        if self.gave_password or self.sign_in.password is None:
            return None
        self.gave_password = True
        return self.sign_in.password

    # What went wrong ---------------------------------------------------------------------------

    async def told(self, error: Exception) -> TransportError:
        """Return what to raise for *error*."""
        if isinstance(error, _NO_COMMON_KEY) and self.known and not self.keys.pinned:
            await self._compare_keys()
        if self.refused_key is not None:
            return self._untrusted(self.refused_key)
        if isinstance(error, asyncssh.PermissionDenied):
            return self._not_let_in()
        return _trouble(self.address, error)

    async def _compare_keys(self) -> None:
        """See whether the host shows a key of another kind: then it breaks off without a word."""
        found = await host_key(self.address)
        if found.public not in [shown(key).public for key in self.known]:
            self.refused_key = found

    def _untrusted(self, key: HostKey) -> HostKeyError:
        if self.known:
            known = shown(self.known[0]).fingerprint
            return HostKeyError(
                f"{_place(self.address)} shows another host key ({key.fingerprint}) than before ({known}). "
                "Either the host was set up anew, or somebody is in between: ask the site for its key, "
                "and add the host again with that fingerprint.",
                fingerprint=key.fingerprint,
                known=known,
            )
        return HostKeyError(
            f"{_place(self.address)} is not known yet; it shows the {key.type} key {key.fingerprint}. "
            "Compare it with what the site publishes, and add the host with that fingerprint.",
            fingerprint=key.fingerprint,
        )

    def _not_let_in(self) -> HostSignInError:
        questions = tuple(text for text in self.unanswered if not _asks_password(text))
        if questions and not self.gave_code:
            return CodeNeededError(
                f"{_place(self.address)} asks {_user(self.address)} for a one-time code "
                f"('{questions[0]}'). Give the code to connect.",
                prompts=questions,
            )
        why, needs = self._why()
        message = f"{_place(self.address)} does not let {_user(self.address)} in: {why}"
        return HostSignInError(message, needs=needs)

    def _why(self) -> tuple[str, str | None]:
        """Return the cause, and what the person could give that was missing or wrong."""
        if self.gave_code:
            return (
                "the one-time code or the password was not taken. A code is good once and not for long.",
                None,
            )
        if self.gave_password:
            return "the password was not taken. Check the password and the user's name.", "password"
        if self.sign_in.private_key or (self.sign_in.key_files and not self.locked_keys):
            return (
                "the key was not taken. Check the user's name, and that the public key "
                "stands in ~/.ssh/authorized_keys there."
            ), None
        if self.locked_keys:
            return f"the key {self.locked_keys[0]} cannot be opened. Give its passphrase.", "passphrase"
        if self.asked_password:
            return "it asks for a password and none was given.", "password"
        return "it takes none of what was given. Give a password or a private key.", None


def _asks_password(prompt: str) -> bool:
    return bool(_PASSWORD.search(prompt)) and not _ONE_TIME.search(prompt)


def _place(address: Address) -> str:
    return address.host if address.port == SSH_PORT else f"{address.host}, port {address.port},"


def _user(address: Address) -> str:
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
        "cannot be reached: the key of a host on the way is not known ({error}).",
    ),
    (asyncssh.ConnectionLost, _CLOSED),
    (ConnectionError, _CLOSED),
    (asyncssh.KeyExchangeFailed, "and this machine have no way of encryption in common ({error})."),
    (asyncssh.ProtocolError, "does not answer as an SSH server does ({error}). Check the port."),
    (asyncssh.ConfigParseError, "cannot be looked up: ~/.ssh/config has a mistake ({error})."),
    (asyncssh.ChannelOpenError, "cannot be reached from the host on the way ({error})."),
)


def _trouble(address: Address, error: Exception) -> TransportError:
    saying = next(
        (text for kind, text in _SAYINGS if isinstance(error, kind)), "cannot be reached ({error})."
    )
    reason = getattr(error, "reason", "") or getattr(error, "strerror", "") or str(error)
    return TransportError(f"{_place(address)} {saying.format(error=reason)}")
