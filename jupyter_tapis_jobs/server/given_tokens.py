"""Tokens that were given out (ours): which are still good, and taking one back by its id."""

from __future__ import annotations

from typing import Any

from ..model.errors import NotFoundError
from ..model.extensions import Extension
from ..model.times import iso
from ..store import tokens as token_rows
from ..store.tokens import Token
from . import queries, wire
from .call import Call
from .reply import Reply
from .route import Route
from .wire_jobs import Told


class TokenList(queries.Query):
    """``GET /v3/tapisjobs/tokens``."""

    username: str | None = None


class GivenToken(wire.Wire):
    """A token without its text, which is not kept. ``revoked`` is when it was taken back."""

    id: str
    username: str
    created: str
    expires: str
    revoked: str | None


async def list_tokens(call: Call) -> Reply:
    """List tokens that have not run out: one's own; of all users for the server's own user."""
    wanted, now = call.query.username, iso(call.now)
    found = await call.door.read(token_rows.every)
    rows = [
        _to_wire(token)
        for token in found
        if token.expires > now and _may_see(call, token) and wanted in (None, token.user)
    ]
    return Reply(rows, f"AUTHN_TOKENS_FOUND {len(rows)} tokens found.")


async def revoke_given_token(call: Call) -> Reply:
    """Take a token back by its id: one's own, or as the server's user anybody's."""
    name, now = call.path["tokenId"], iso(call.now)
    token = await call.door.read(lambda connection: token_rows.get(connection, name))
    if token is None or not _may_see(call, token):
        raise NotFoundError(
            f"There is no token {name[:80]}, or it is not yours. `jupyter tapisjobs token list` shows yours.",
            code="AUTHN_NO_TOKEN",
        )
    revoked = await call.door.write(lambda connection: token_rows.revoke(connection, name, now))
    done = f"Token of {token.user} revoked." if revoked else "The token was revoked already."
    return Reply({"message": done}, f"AUTHN_TOKEN_REVOKED {done}")


def _may_see(call: Call, token: Token) -> bool:
    return call.user.is_server_user or token.user == call.user.name


def _to_wire(token: Token) -> dict[str, Any]:
    return {
        "id": token.jti,
        "username": token.user,
        "created": token.created,
        "expires": token.expires,
        "revoked": token.revoked,
    }


_TOKENS = "/v3/tapisjobs/tokens"
ROUTES = (
    Route("GET", _TOKENS, "listUserTokens", list_tokens, TokenList, result=list[GivenToken], engine=False,
          extension=Extension.SERVER),
    Route("DELETE", f"{_TOKENS}/{{tokenId}}", "revokeUserToken", revoke_given_token, result=Told,
          engine=False, extension=Extension.SERVER),
)  # fmt: skip
