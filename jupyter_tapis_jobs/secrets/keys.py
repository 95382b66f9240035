"""The key that signs the server's tokens: made once, kept beside the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..model.errors import StoreError
from .once import write_once

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_BITS = 2048


def signing_key(folder: Path) -> RSAPrivateKey:
    """Return the RSA key in ``folder/signing.pem``; make folder (0700) and file (0600) when they are missing.

    Two processes that make it at once get the same key. The file is only as safe as the home it lies in.
    Raises ``StoreError`` when it cannot be read, made or understood.
    """
    path = folder / "signing.pem"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            write_once(path, _new_pem())
        return _load(path)
    except OSError as error:
        raise StoreError(
            f"The signing key {path} cannot be used: {error.strerror or error}. "
            f"Make {folder} readable and writable for you, or choose another data folder."
        ) from error


def public_pem(key: RSAPrivateKey) -> str:
    """Return the public half as PEM text."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _new_pem() -> bytes:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load(path: Path) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise StoreError(_damaged(path)) from error
    if not isinstance(key, RSAPrivateKey):
        raise StoreError(_damaged(path))
    return key


def _damaged(path: Path) -> str:
    return (
        f"The signing key {path} is damaged or no RSA key. Delete it: a new one is made, "
        "and tokens given out before must be asked for again."
    )
