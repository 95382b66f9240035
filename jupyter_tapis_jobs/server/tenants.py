"""Our one tenant and site, described as the Tapis Tenants service does; read by tapipy before it signs in."""

from __future__ import annotations

from typing import Any

from ..model.errors import NotFoundError
from . import wire_people
from .call import Call
from .reply import Reply
from .route import Route

SITE = "jupyter"


async def list_sites(call: Call) -> Reply:
    """List our one site."""
    return Reply([_site(call)], "TENANTS_SITES_FOUND 1 site retrieved.")


async def get_site(call: Call) -> Reply:
    """Tell about our one site."""
    if call.path["siteId"] != SITE:
        raise NotFoundError(
            f"There is no site {call.path['siteId'][:80]}; this server's is {SITE}.", code="TENANTS_NOT_FOUND"
        )
    return Reply(_site(call), "TENANTS_SITES_FOUND Site retrieved.")


def _site(call: Call) -> dict[str, Any]:
    return {
        "site_id": SITE,
        "base_url": call.base,
        "primary": True,
        "tenant_base_url_template": call.base,
        "site_admin_tenant_id": call.service.tenant,
        "services": ["apps", "files", "jobs", "systems", "tenants", "tokens", "authenticator"],
    }


async def list_tenants(call: Call) -> Reply:
    """List our one tenant."""
    return Reply([await _tenant(call)], "TENANTS_FOUND 1 tenant retrieved.")


async def get_tenant(call: Call) -> Reply:
    """Tell about our one tenant."""
    if call.path["tenantId"] != call.service.tenant:
        raise NotFoundError(
            f"There is no tenant {call.path['tenantId'][:80]}; this server's is {call.service.tenant}.",
            code="TENANTS_NOT_FOUND",
        )
    return Reply(await _tenant(call), "TENANTS_FOUND Tenant retrieved.")


async def _tenant(call: Call) -> dict[str, Any]:
    office = await call.service.tokens()
    return {
        "tenant_id": call.service.tenant,
        "base_url": call.base,
        "site_id": SITE,
        "token_service": f"{call.base}/v3/tokens",
        "security_kernel": f"{call.base}/v3/security",
        "authenticator": f"{call.base}/v3/oauth2",
        "owner": call.service.server_user,
        "admin_user": call.service.server_user,
        "description": "Tapis Jobs inside Jupyter",
        "public_key": office.public_key(),
        "status": "ACTIVE",
        "extensions": list(call.service.extensions),
    }


ROUTES = (
    Route("GET", "/v3/sites", "list_sites", list_sites, result=list[wire_people.Site], public=True,
          engine=False),
    Route("GET", "/v3/sites/{siteId}", "get_site", get_site, result=wire_people.Site, public=True,
          engine=False),
    Route("GET", "/v3/tenants", "list_tenants", list_tenants, result=list[wire_people.Tenant], public=True,
          engine=False),
    Route("GET", "/v3/tenants/{tenantId}", "get_tenant", get_tenant, result=wire_people.Tenant, public=True,
          engine=False),
)  # fmt: skip
