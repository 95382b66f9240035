"""What kind of Tapis a server is: found out by a call that every Tapis has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.errors import TapisJobsError
from ..model.extensions import Extension
from .connection import Connection


def is_ours(connection: Connection) -> bool:
    """Return whether the tenant at this address says that it can do more than Tapis's specification.

    ``GET /v3/tenants`` is published and needs no token. Raises what the connection raises.
    """
    return any(Extension.SERVER in (tenant.get("extensions") or ()) for tenant in _tenants(connection))


def speaks_tapis(connection: Connection) -> bool:
    """Return whether there is any Tapis at this address, ours or not."""
    try:
        return bool(_tenants(connection))
    except TapisJobsError:
        return False


def _tenants(connection: Connection) -> list[Mapping[str, Any]]:
    found = connection.get("/v3/tenants")
    return [tenant for tenant in found or [] if isinstance(tenant, Mapping)]
