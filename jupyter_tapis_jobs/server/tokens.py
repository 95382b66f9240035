"""Tokens: RS256 JWTs in Tapis's form, given out, read and revoked."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ..model.errors import NotSignedInError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

#: Seconds for which a token is good that one server makes to call another.
FORWARD_SECONDS = 60


class TokenKind(StrEnum):
    """What a token is good for: calls, or the next pair of tokens."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token that was given out. ``expires`` and ``created`` are seconds since the epoch."""

    token: str
    jti: str
    user: str
    created: int
    expires: int
    kind: TokenKind = TokenKind.ACCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a good token says. ``audience`` is the one server it is for, or None for all of the store."""

    jti: str
    user: str
    expires: int
    audience: str | None


class TokenOffice:
    """Gives out and reads the tokens of one store; all servers of the store share its key."""

    def __init__(self, key: RSAPrivateKey, tenant: str) -> None:
        self._key = key
        self._public = key.public_key()
        self._tenant = tenant

    def issue(
        self,
        user: str,
        *,
        issuer: str,
        now: float,
        seconds: int,
        audience: str | None = None,
        kind: TokenKind = TokenKind.ACCESS,
    ) -> Grant:
        """Return a token for *user* with the claims of Tapis's own (Tapis "Authentication")."""
        import jwt

        created, jti = int(now), secrets.token_hex(16)
        claims: dict[str, Any] = {
            "jti": jti,
            "iss": issuer,
            "sub": f"{user}@{self._tenant}",
            "iat": created,
            "exp": created + seconds,
            "tapis/tenant_id": self._tenant,
            "tapis/token_type": str(kind),
            "tapis/delegation": False,
            "tapis/delegation_sub": None,
            "tapis/username": user,
            "tapis/account_type": "user",
        }
        if audience is not None:
            claims["aud"] = audience
        token = jwt.encode(claims, self._key, algorithm="RS256")
        return Grant(token=token, jti=jti, user=user, created=created, expires=created + seconds, kind=kind)

    def read(self, token: str, *, kind: TokenKind | None = TokenKind.ACCESS) -> Claims:
        """Return what *token* says; raises ``NotSignedInError`` unless it is ours and still good.

        ``kind`` is what it must be good for; None: whatever.
        """
        import jwt

        try:
            claims = jwt.decode(
                token,
                self._public,
                algorithms=["RS256"],
                options={"require": ["exp", "jti", "sub"], "verify_aud": False},
            )
        except jwt.ExpiredSignatureError as fault:
            raise NotSignedInError("The token has expired. Sign in again for a new one.") from fault
        except (jwt.InvalidTokenError, ValueError) as fault:
            raise NotSignedInError(
                "X-Tapis-Token is not a token of this server. Sign in at /v3/oauth2/tokens for one."
            ) from fault
        return self._claims(claims, kind)

    def _claims(self, claims: Mapping[str, Any], kind: TokenKind | None) -> Claims:
        user = claims.get("tapis/username")
        right = claims.get("tapis/token_type") in ([kind] if kind else list(TokenKind))
        mine = claims.get("tapis/tenant_id") == self._tenant and right
        audience = claims.get("aud")
        if not (mine and isinstance(user, str) and user and isinstance(audience, str | None)):
            raise NotSignedInError(f"The token is no {kind or TokenKind.ACCESS} token of this tenant.")
        return Claims(jti=str(claims["jti"]), user=user, expires=int(claims["exp"]), audience=audience)

    def public_key(self) -> str:
        """Return the public key as PEM text, for those who check tokens."""
        from ..secrets.keys import public_pem

        return public_pem(self._key)
