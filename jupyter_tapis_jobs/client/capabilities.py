"""Whether a server is ours: found out by a call that every Tapis has."""

from __future__ import annotations

from collections.abc import Mapping

from ..model.extensions import Extension
from .connection import Connection


def is_ours(connection: Connection) -> bool:
    """Return whether the tenant at this address says that it can do more than Tapis's specification.

    ``GET /v3/tenants`` is published and needs no token. Raises what the connection raises.
    """
    tenants = connection.get("/v3/tenants") or []
    return any(
        Extension.SERVER in (tenant.get("extensions") or ())
        for tenant in tenants
        if isinstance(tenant, Mapping)
    )
