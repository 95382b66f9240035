"""The tokens by which running applications call back: one for each job, good for nothing else."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import cached_property
from pathlib import Path

from ..model.errors import StoreError
from .once import write_once

_BYTES = 32


class CallbackTokens:
    """HMAC-SHA256 over a job's uuid; the key is made once and lies beside the server's other keys.

    Whoever has a job's token may tell its progress while it runs, and no more: it is no sign-in.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "callback.key"

    def of(self, uuid: str) -> str:
        """Return the token of a job. Raises ``StoreError`` when the key cannot be used."""
        return hmac.new(self._key, uuid.encode(), hashlib.sha256).hexdigest()

    def is_of(self, uuid: str, token: str) -> bool:
        """Tell, always in the same time, whether *token* is the job's."""
        return hmac.compare_digest(self.of(uuid).encode(), token.encode("utf-8", "replace"))

    @cached_property
    def _key(self) -> bytes:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._path.exists():
                write_once(self._path, secrets.token_bytes(_BYTES))
            key = self._path.read_bytes()
        except OSError as error:
            raise StoreError(
                f"The key {self._path} of the callbacks cannot be used: {error.strerror or error}. "
                f"Make {self._path.parent} readable and writable for you, or choose another data folder."
            ) from error
        if len(key) != _BYTES:
            raise StoreError(
                f"The key {self._path} of the callbacks is damaged. Delete it: a new one is made, "
                "and jobs that run now cannot call back any more."
            )
        return key
