"""Signing in (Tapis Authenticator): tokens, who one is, and people as dapi asks for them."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import Connection

from ..model.errors import InvalidInputError, NotAllowedError, NotFoundError, NotSignedInError
from ..model.extensions import Extension
from ..model.times import iso
from ..store import tokens as token_rows
from .call import Call
from .reply import Reply
from .route import Route, Takes
from .tokens import Grant, TokenKind
from .wire_jobs import Told
from .wire_people import NewUserToken, Profile, RefreshRequest, RevokeRequest, TokenAnswer, TokenRequest

_DAY = 24 * 3600


async def create_token(call: Call) -> Reply:
    """Give tokens for the server user's name and Jupyter's token or password, or for a refresh token."""
    grant = _GRANTS.get(call.body.grant_type)
    if grant is None:
        raise InvalidInputError(
            f"grant_type '{call.body.grant_type}' is not supported; it is 'password' or 'refresh_token'.",
            field="grant_type",
            value=call.body.grant_type,
        )
    return await grant(call)


async def _by_password(call: Call) -> Reply:
    name, password = (_given(call, field, "password") for field in ("username", "password"))
    await _check_password(call, name, password)
    return await _pair(call, call.service.server_user)


async def refresh_token(call: Call) -> Reply:
    """Give new tokens for a refresh token, which is good once."""
    office = await call.service.tokens()
    claims = office.read(_given(call, "refresh_token", "refresh_token"), kind=TokenKind.REFRESH)
    now = iso(call.now)
    if not await call.door.write(lambda connection: token_rows.revoke(connection, claims.jti, now)):
        raise NotSignedInError("The refresh token was used or revoked. Sign in again for a new one.")
    return await _pair(call, claims.user)


_GRANTS: Mapping[str, Callable[[Call], Awaitable[Reply]]] = {
    "password": _by_password,
    "refresh_token": refresh_token,
}


def _given(call: Call, field: str, grant: str) -> str:
    value = getattr(call.body, field, None)
    if value is None:
        raise InvalidInputError(f"grant_type {grant} needs {field}.", field=field)
    return str(value)


async def _pair(call: Call, name: str) -> Reply:
    """Make an access token, and one that is good for the next and lives twice as long."""
    seconds = call.service.token_seconds
    access = await _granted(call, name, seconds)
    refresh = await _granted(call, name, 2 * seconds, TokenKind.REFRESH)
    return Reply({**_to_wire(access), **_to_wire(refresh)}, "AUTHN_TOKEN_CREATED Tokens created.")


async def _check_password(call: Call, name: str, password: str) -> None:
    """Raise unless name and password are those of the server's user."""
    token, is_password = call.service.secrets()
    if not token and is_password is None:
        raise NotSignedInError(
            "This Jupyter server has neither a token nor a password, so nobody can sign in by name. "
            "Start it with one (IdentityProvider.token), or make a token with `jupyter tapisjobs token`."
        )
    by_token = bool(token) and hmac.compare_digest(token.encode(), password.encode())
    if not by_token and is_password is not None:
        by_token = await asyncio.to_thread(is_password, password)
    if not (by_token and hmac.compare_digest(name.encode(), call.service.server_user.encode())):
        raise NotSignedInError(
            "Name or password is wrong. The name is that of the server's user, "
            "the password is the Jupyter server's token" + (" or password." if is_password else ".")
        )


async def revoke_token(call: Call) -> Reply:
    """Take a token back: one's own, or as the server's user anybody's."""
    office = await call.service.tokens()
    claims = office.read(call.body.token, kind=None)
    if claims.user != call.user.name and not call.user.is_server_user:
        raise NotAllowedError("The token is not yours to revoke.")
    if claims.audience is not None:
        raise InvalidInputError(
            "This token ends with the server that made it; it cannot be revoked.", field="token"
        )
    now = iso(call.now)
    revoked = await call.door.write(lambda connection: token_rows.revoke(connection, claims.jti, now))
    done = "Token revoked." if revoked else "The token was revoked already."
    return Reply({"message": done}, f"AUTHN_TOKEN_REVOKED {done}")


async def create_user_token(call: Call) -> Reply:
    """Make a token for oneself or for somebody else; only the server's user may."""
    if not call.user.is_server_user:
        raise NotAllowedError("Only the server's own user makes tokens for others.")
    name = call.body.username or call.user.name
    grant = await _granted(call, name, call.body.days * _DAY)
    return Reply(_to_wire(grant), f"AUTHN_TOKEN_CREATED Token for {name} created.")


async def _granted(call: Call, name: str, seconds: int, kind: TokenKind = TokenKind.ACCESS) -> Grant:
    """Make a token and remember it, so that it can be revoked."""
    office = await call.service.tokens()
    grant = office.issue(name, issuer=call.service.issuer, now=call.now, seconds=seconds, kind=kind)
    row = token_rows.Token(
        jti=grant.jti, user=grant.user, created=iso(grant.created), expires=iso(grant.expires)
    )
    now = iso(call.now)

    def store(connection: Connection) -> None:
        token_rows.forget_expired(connection, now)
        token_rows.add(connection, row)
        token_rows.seen(connection, name, now)

    await call.door.write(store)
    return grant


def _to_wire(grant: Grant) -> dict[str, Any]:
    name = f"{grant.kind}_token"
    told = {"expires_in": grant.expires - grant.created, "expires_at": iso(grant.expires), "jti": grant.jti}
    return {name: {name: grant.token, **told}}


async def userinfo(call: Call) -> Reply:
    """Tell who the caller is."""
    return Reply(_profile(call.user.name), "AUTHN_USER_FOUND User profile retrieved.")


async def list_profiles(call: Call) -> Reply:
    """List the people that the caller may know of: the server's user knows all, others themselves."""
    names = [call.user.name]
    if call.user.is_server_user:
        names = sorted({*names, *await call.door.read(token_rows.all_users)})
    return Reply([_profile(name) for name in names], f"AUTHN_USERS_FOUND {len(names)} profiles retrieved.")


async def get_profile(call: Call) -> Reply:
    """Tell about one person."""
    name = call.path["username"]
    known = name == call.user.name
    if not known and call.user.is_server_user:
        known = name in await call.door.read(token_rows.all_users)
    if not known:
        raise NotFoundError(
            f"There is no user {name[:80]}, or you may not know of them.", code="AUTHN_NO_USER"
        )
    return Reply(_profile(name), "AUTHN_USER_FOUND User profile retrieved.")


def _profile(name: str) -> dict[str, Any]:
    person = {"username": name, "email": None, "name": name}
    return {**person, "given_name": name, "last_name": None, "create_time": None}


ROUTES = (
    Route("POST", "/v3/oauth2/tokens", "create_token", create_token, body=TokenRequest,
          takes=Takes.SECRET, result=TokenAnswer, public=True, engine=False),
    Route("POST", "/v3/oauth2/tokens/revoke", "revoke_token", revoke_token, body=RevokeRequest,
          takes=Takes.SECRET, result=Told, engine=False),
    Route("GET", "/v3/oauth2/userinfo", "get_userinfo", userinfo, result=Profile, engine=False),
    Route("GET", "/v3/oauth2/profiles", "list_profiles", list_profiles, result=list[Profile],
          engine=False),
    Route("GET", "/v3/oauth2/profiles/{username}", "get_profile", get_profile, result=Profile,
          engine=False),
    Route("PUT", "/v3/tokens", "refresh_token", refresh_token, body=RefreshRequest, takes=Takes.SECRET,
          result=TokenAnswer, public=True, engine=False),
    Route("POST", "/v3/tokens/revoke", "revoke_token", revoke_token, body=RevokeRequest,
          takes=Takes.SECRET, result=Told, engine=False),
    Route("POST", "/v3/tapisjobs/tokens", "createUserToken", create_user_token, body=NewUserToken,
          takes=Takes.MODEL, result=TokenAnswer, engine=False, extension=Extension.SERVER),
)  # fmt: skip
