"""Credentials at rest: what is secret in them is one encrypted text; only here it becomes readable."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ..model.errors import StoreError
from .credential_key import credential_key

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The secret part of a credential; it shows nothing of itself."""

    password: str | None = field(default=None, repr=False)
    #: PEM or OpenSSH text.
    private_key: str | None = field(default=None, repr=False)
    public_key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    #: A key file on the server's machine, for its own user.
    key_file: str | None = field(default=None, repr=False)


class Safe:
    """Locks secrets with a key that is found or made when it is first needed; any thread may call.

    *folder* is where the key lies when the system keeps no secrets (see ``credential_key``).
    """

    def __init__(self, folder: Path, key: Callable[[Path], bytes] = credential_key) -> None:
        self._folder = folder
        self._key = key
        self._lock = Lock()
        self._fernet: Fernet | None = None

    def lock(self, secrets: Secrets) -> str:
        """Return *secrets* as an encrypted text."""
        return self._opened().encrypt(json.dumps(asdict(secrets)).encode()).decode("ascii")

    def unlock(self, text: str) -> Secrets:
        """Return what ``lock`` has encrypted. Raises ``StoreError`` when the key is another one."""
        from cryptography.fernet import InvalidToken

        try:
            return Secrets(**json.loads(self._opened().decrypt(text.encode("ascii"))))
        except InvalidToken:
            raise StoreError(
                "A stored credential cannot be decrypted: its key is gone or was replaced. "
                "Give the credential again, with tapis.add_host(…, replace=True) or createUserCredential."
            ) from None

    def _opened(self) -> Fernet:
        from cryptography.fernet import Fernet

        with self._lock:
            if self._fernet is None:
                self._fernet = Fernet(self._key(self._folder))
            return self._fernet
