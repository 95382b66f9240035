"""Signing in on the wire: tokens, profiles, tenants and sites."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .wire import Text, Wire


class TokenRequest(Text):
    """OAuth 2's grants: ``password`` with name and password, ``refresh_token`` with such a token."""

    username: str | None = Field(None, min_length=1, max_length=256)
    password: Annotated[str | None, Field(repr=False)] = None
    refresh_token: Annotated[str | None, Field(repr=False)] = None
    grant_type: str = "password"


class RefreshRequest(Text):
    """A refresh token for which new tokens are given."""

    refresh_token: Annotated[str, Field(repr=False)]


class AccessToken(Text):
    """A token in Tapis's form."""

    access_token: str
    expires_in: int
    expires_at: str
    jti: str


class RefreshToken(Text):
    """A token that is good once, for the next tokens."""

    refresh_token: str
    expires_in: int
    expires_at: str
    jti: str


class TokenAnswer(Text):
    """What signing in gives."""

    access_token: AccessToken
    refresh_token: RefreshToken | None = None


class RevokeRequest(Text):
    """A token that shall not be taken any more."""

    token: str


class NewUserToken(Wire):
    """A token that the server's user makes: for themselves when no name is given."""

    username: str | None = Field(None, max_length=58, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]*$")
    days: int = Field(365, ge=1, le=3650)


class Profile(Text):
    """A person, as Tapis's authenticator describes one."""

    username: str
    email: str | None = None
    name: str | None = None
    given_name: str | None = None
    last_name: str | None = None
    create_time: str | None = None


class Site(Text):
    """The site of our one tenant."""

    site_id: str
    base_url: str
    primary: bool = True
    tenant_base_url_template: str
    site_admin_tenant_id: str
    services: list[str]


class Tenant(Text):
    """Our one tenant. ``base_url`` is what the caller put before ``/v3``."""

    tenant_id: str
    base_url: str
    site_id: str
    token_service: str
    security_kernel: str
    authenticator: str
    owner: str
    admin_user: str
    description: str
    public_key: str
    status: str = "ACTIVE"
    extensions: list[str] = Field(
        default_factory=list, description="Ours: what this server does beyond Tapis's specification."
    )
