"""Apps, systems and credentials on the wire, beside Tapis's own definitions."""

from __future__ import annotations

from pydantic import Field

from .wire import Wire


class Created(Wire):
    """Where a new app or system is, and what was odd about its definition."""

    url: str
    warnings: list[str] = Field(default_factory=list)


class Located(Wire):
    """Where a new thing is."""

    url: str


class Changes(Wire):
    """How many rows were changed."""

    changes: int


class Enabled(Wire):
    """Whether an app or a system may be used: Tapis's specification has one name, its service the other."""

    a_bool: bool
    a_boolean: bool


def enabled(yes: bool) -> dict[str, bool]:
    """Return ``Enabled`` as it is sent."""
    return {"aBool": yes, "aBoolean": yes}


class HistoryRow(Wire):
    """Who changed what, and when."""

    app_version: str | None = None
    jwt_tenant: str
    jwt_user: str
    obo_tenant: str
    obo_user: str
    operation: str
    description: str
    created: str


class Variable(Wire):
    """The value of an environment variable on a host, as Tapis names it."""

    name: str


class Credential(Wire):
    """What may be told of a credential; everything secret is null."""

    authn_method: str
    login_user: str | None = None
    password: None = None
    private_key: None = None
    public_key: None = None
    access_key: None = None
    access_secret: None = None
    access_token: None = None
    refresh_token: None = None
    tms_private_key: None = None
    tms_public_key: None = None
    tms_fingerprint: None = None
    certificate: None = None
