"""The one place that finds out who calls.

A call signs in with ``X-Tapis-Token`` (a token of this store), with Jupyter's own token, or with the
browser's cookie, which needs the XSRF token for everything but reading. Jupyter makes a random name
for its token and cookie, so these act as the server's user; a hub's identities keep their names.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from tornado.web import HTTPError

from ..model.errors import NotAllowedError, NotSignedInError
from ..model.user import User
from .service import Service

if TYPE_CHECKING:
    from jupyter_server.base.handlers import JupyterHandler

TOKEN_HEADER = "X-Tapis-Token"  # noqa: S105 - the header's name
RESOURCE = "tapisjobs"
#: HTTP method -> the action that Jupyter's authorizer is asked about.
ACTIONS = {"GET": "read", "HEAD": "read", "OPTIONS": "read"}


async def sign_in(handler: JupyterHandler, service: Service) -> User:
    """Return who calls; raises ``NotSignedInError`` or ``NotAllowedError``."""
    token = handler.request.headers.get(TOKEN_HEADER)
    if token is not None:
        # Like Jupyter's own token it is explicit: no other site can make a browser send it.
        handler._token_authenticated = True  # type: ignore[attr-defined]
        return await _by_tapis_token(token, service)
    return await _by_jupyter(handler, service)


async def _by_tapis_token(token: str, service: Service) -> User:
    office = await service.tokens()
    claims = office.read(token)
    if claims.audience is not None:
        if not service.is_for_me(claims.audience):
            raise NotSignedInError(
                "The token was made for another server, or for an earlier run of this one."
            )
        return service.user(claims.user)
    from ..store import tokens as token_rows

    known = await service.door.read(lambda connection: token_rows.get(connection, claims.jti))
    if known is None or known.revoked is not None:
        raise NotSignedInError("The token was revoked. Sign in again for a new one.")
    return service.user(claims.user)


async def _by_jupyter(handler: JupyterHandler, service: Service) -> User:
    provider = handler.identity_provider
    found: Any = provider.get_user(handler)
    person = await found if inspect.isawaitable(found) else found
    handler.current_user = handler._jupyter_current_user = person
    if person is None:
        raise NotSignedInError(
            "Sign in first: with X-Tapis-Token (POST /v3/oauth2/tokens gives one), "
            "with 'Authorization: token …' and Jupyter's token, or in the browser."
        )
    _check_xsrf(handler)
    await _check_authorizer(handler, person)
    if not _names_people(provider):
        return service.owner
    if (groups := _hub_groups(person)) is not None:
        await service.groups.signed_in(person.username, groups)
    return service.user(person.username)


def _check_xsrf(handler: JupyterHandler) -> None:
    if handler.request.method in ACTIONS:
        return
    try:
        handler.check_xsrf_cookie()
    except HTTPError as fault:
        raise NotAllowedError(
            "A call with the browser's cookie needs the header X-XSRFToken with the value of the "
            "cookie _xsrf; a call with a token does not."
        ) from fault


async def _check_authorizer(handler: JupyterHandler, person: Any) -> None:
    action = ACTIONS.get(handler.request.method or "", "write")
    answer: Any = handler.authorizer.is_authorized(handler, person, action, RESOURCE)
    if not (await answer if inspect.isawaitable(answer) else answer):
        raise NotAllowedError(f"This server's rules do not let you {action} {RESOURCE}.")


def _hub_groups(person: object) -> Collection[str] | None:
    """Return the groups of one of JupyterHub's users; None where the hub does not tell them."""
    told = getattr(person, "hub_user", None)
    groups = told.get("groups") if isinstance(told, Mapping) else None
    return groups if isinstance(groups, list) else None


def _names_people(provider: object) -> bool:
    """Tell whether users have lasting names: not with Jupyter's own providers, which make them up."""
    return not type(provider).__module__.startswith("jupyter_server.")
