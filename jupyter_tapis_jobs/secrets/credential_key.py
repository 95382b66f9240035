"""The key that encrypts credentials: in the system's keyring where there is one, else in a file.

A key file is only as safe as the home it lies in. Which of both holds the key is settled when it is
made: ``credentials.name`` beside the store says under which name the keyring has it.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from ..model.errors import StoreError
from .once import write_once

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "jupyter-tapis-jobs"
#: Keyrings that keep secrets from others who can read the disk; those of files, and of nothing, do not.
REAL = (
    "keyring.backends.SecretService",
    "keyring.backends.libsecret",
    "keyring.backends.kwallet",
    "keyring.backends.macOS",
    "keyring.backends.Windows",
)


def system_keyring() -> KeyringBackend | None:
    """Return the system's keyring, or None where it has none that deserves the name."""
    import keyring.core

    found = keyring.core.get_keyring()
    # The chain of all keyrings is asked one by one: not every link of it will do.
    links = [*getattr(found, "backends", ()), found]
    return next((link for link in links if type(link).__module__.startswith(REAL)), None)


def credential_key(folder: Path, keyring: KeyringBackend | None = None) -> bytes:
    """Return the Fernet key of the store whose keys lie in *folder*; make it at the first call.

    *keyring*: where the system keeps secrets; None looks for it. Two processes that make the key at
    once get the same one. Raises ``StoreError`` when it cannot be read or made.
    """
    file, note = folder / "credentials.key", folder / "credentials.name"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists() and not note.exists():
            _make(file, note, keyring or system_keyring())
        return _from_keyring(note, keyring or system_keyring()) if note.exists() else _from_file(file)
    except OSError as error:
        raise StoreError(
            f"The key of the credentials in {folder} cannot be used: {error.strerror or error}. "
            f"Make {folder} readable and writable for you, or choose another data folder."
        ) from error


def _make(file: Path, note: Path, keyring: KeyringBackend | None) -> None:
    from cryptography.fernet import Fernet

    key, name = Fernet.generate_key(), secrets.token_hex(8)
    if keyring is not None and _kept(keyring, name, key.decode()):
        write_once(note, name.encode())
    else:
        write_once(file, key)


def _kept(keyring: KeyringBackend, name: str, key: str) -> bool:
    """Put the key into the keyring; False when that is locked or gives back something else."""
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, name, key)
        return keyring.get_password(SERVICE, name) == key
    except KeyringError:
        return False


def _from_keyring(note: Path, keyring: KeyringBackend | None) -> bytes:
    from keyring.errors import KeyringError

    try:
        name = note.read_text().strip()
        key = keyring.get_password(SERVICE, name) if keyring else None
    except KeyringError:
        key = None
    if not key:
        raise StoreError(
            "The key of the stored credentials is in the system's keyring, which is locked or not there. "
            f"Unlock it and try again; or delete {note} and give the credentials again."
        )
    return key.encode("ascii")


def _from_file(file: Path) -> bytes:
    from cryptography.fernet import Fernet

    if file.stat().st_mode & 0o077:
        file.chmod(0o600)
    key = file.read_bytes().strip()
    try:
        Fernet(key)
    except ValueError:
        raise StoreError(
            f"The key of the credentials {file} is damaged. Put it back from a copy; "
            "or delete it and give the credentials again."
        ) from None
    return key
