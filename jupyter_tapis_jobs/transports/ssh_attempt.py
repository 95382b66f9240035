"""One attempt to sign in at a host: which keys are believed, what its questions are answered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from ..model.errors import CodeNeededError, HostKeyError, HostSignInError, TransportError
from .ssh_address import Address, HostKey, KnownKeys, SignIn
from .ssh_sayings import place, trouble, user

_ONE_TIME = re.compile(r"one.?time|otp|token|verification|code|passcode|2fa|duo|factor", re.IGNORECASE)
_PASSWORD = re.compile(r"password|passwort|mot de passe", re.IGNORECASE)


def shown(key: asyncssh.SSHKey) -> HostKey:
    """Return what people and stores know a key by."""
    public = " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])
    return HostKey(public.split()[0], key.get_fingerprint("sha256"), public)


@dataclass
class Attempt(asyncssh.SSHClient):
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
                f"The passphrase does not open the private key for {user(self.address)}. "
                "Give the passphrase the key was made with.",
                needs="passphrase",
            ) from None
        except asyncssh.KeyImportError as error:
            if "passphrase" in str(error).lower():
                raise HostSignInError(
                    f"The private key for {user(self.address)} is locked with a passphrase: give it too.",
                    needs="passphrase",
                ) from None
            raise HostSignInError(
                f"The private key for {user(self.address)} cannot be read ({error}). "
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

    def told(self, error: Exception) -> TransportError:
        """Return what to raise for *error*."""
        if self.refused_key is not None:
            return self._untrusted(self.refused_key)
        if isinstance(error, asyncssh.PermissionDenied):
            return self._not_let_in()
        return trouble(self.address, error)

    def _untrusted(self, key: HostKey) -> HostKeyError:
        if self.known:
            known = shown(self.known[0]).fingerprint
            return HostKeyError(
                f"{place(self.address)} shows another host key ({key.fingerprint}) than before ({known}). "
                "Either the host was set up anew, or somebody is in between: ask the site for its key, "
                "and add the host again with that fingerprint.",
                fingerprint=key.fingerprint,
                known=known,
            )
        return HostKeyError(
            f"{place(self.address)} is not known yet; it shows the {key.type} key {key.fingerprint}. "
            "Compare it with what the site publishes, and add the host with that fingerprint.",
            fingerprint=key.fingerprint,
        )

    def _not_let_in(self) -> HostSignInError:
        questions = tuple(text for text in self.unanswered if not _asks_password(text))
        if questions and not self.gave_code:
            return CodeNeededError(
                f"{place(self.address)} asks {user(self.address)} for a one-time code "
                f"('{questions[0]}'). Give the code to connect.",
                prompts=questions,
            )
        why, needs = self._why()
        message = f"{place(self.address)} does not let {user(self.address)} in: {why}"
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
