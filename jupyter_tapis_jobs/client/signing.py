"""The sign-in of one connection: a token, or a name and password that get one whenever it is needed."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..model.errors import NotSignedInError
from .endpoint import TOKEN_HEADER, Endpoint, sign_in
from .words import duration

#: Seconds before its end from which a token is not used any more, where a new one can be had.
_MARGIN = 30.0


class SignIn:
    """Gives the headers of each call. Thread-safe.

    ``ask`` makes the call for a token: it takes the body of Tapis's password grant and returns its result.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        ask: Callable[[Mapping[str, str]], Mapping[str, Any]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = endpoint.url
        self._headers = dict(endpoint.headers)
        self._grant = endpoint.password_grant
        self._ask, self._now = ask, now
        self._expires = _expiry(self._headers.get(TOKEN_HEADER))
        # Asking for the token is itself a call of this connection.
        self._lock = threading.RLock()
        self._asking = False

    def headers(self) -> dict[str, str]:
        """Return the sign-in; a password is changed for a token at the first call, and when that runs out."""
        with self._lock:
            if self._asking:
                return {}
            if self._grant is not None and self._needs_token():
                self._asking = True
                try:
                    self._headers.update(self._new_token(*self._grant))
                finally:
                    self._asking = False
                self._expires = _expiry(self._headers.get(TOKEN_HEADER))
            return dict(self._headers)

    def explained(self, refused: NotSignedInError) -> NotSignedInError:
        """Return *refused* in words that help: a token that has run out says so, and since when."""
        late = 0.0 if self._expires is None else self._now() - self._expires
        if late <= 0:
            return refused
        end = datetime.fromtimestamp(self._expires or 0.0, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return NotSignedInError(
            f"The token for {self._url} expired {duration(late)} ago ({end}). Jobs go on without it. "
            f"Sign in again: connect('{self._url}', token=…), or with username= and password=, "
            "which gets new tokens by itself.",
            code="JOBS_TOKEN_EXPIRED",
        )

    def _needs_token(self) -> bool:
        if TOKEN_HEADER not in self._headers and "Authorization" not in self._headers:
            return True
        return self._expires is not None and self._now() > self._expires - _MARGIN

    def _new_token(self, name: str, password: str) -> dict[str, str]:
        result = self._ask({"username": name, "password": password, "grant_type": "password"})
        return sign_in(str(result["access_token"]["access_token"]))


def _expiry(token: str | None) -> float | None:
    """Return when a JWT ends, in seconds since the epoch; its signature is the server's to check."""
    if token is None or token.count(".") != 2:
        return None
    part = token.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return float(claims["exp"])
    except (ValueError, KeyError, TypeError):
        return None
