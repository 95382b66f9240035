"""What this server tells of itself: that it lives, how its engine stands, and its own description."""

from __future__ import annotations

from typing import Any

from .. import __version__
from ..engine.engine import Engine
from . import wire
from .call import Call
from .reply import Document, Reply
from .route import Answers, Route


async def health_check(call: Call) -> Reply:
    """Tell that the server answers."""
    return Reply({"status": "ok", "version": __version__}, "TAPIS_HEALTHY The service answers.")


async def ready_check(call: Call) -> Reply:
    """Tell that the engine carries jobs, or that another server's does."""
    thread = await call.door.thread()
    state = await thread.settled()
    return Reply({"status": str(state), "version": __version__}, "TAPIS_READY The service is ready.")


async def server_info(call: Call) -> Reply:
    """Tell version, engine, who the caller is, and where uploads go."""
    service = call.service
    info = {
        "version": __version__,
        "engine": await _engine(call),
        "user": call.user.name,
        "tenant": call.user.tenant,
        "isServerUser": call.user.is_server_user,
        "uploads": service.uploads(),
        "launchModes": ["single", "array", "pack", "auto"],
        "maxBodyBytes": service.max_body,
        "listeners": service.feed.listeners,
    }
    return Reply(info, "TAPISJOBS_FOUND Server described.")


async def _engine(call: Call) -> dict[str, Any]:
    holder = await call.door.holder()
    if holder is not None:
        told = {"pid": holder.pid, "url": holder.url, "started": holder.started}
        return {"state": "forwarding", "holder": told, "detail": {}}
    thread = await call.door.thread()
    health = await thread.run(_health)
    return {"state": str(thread.state), "holder": None, "detail": health}


async def _health(engine: Engine) -> dict[str, Any]:
    return engine.health()


async def openapi_document(call: Call) -> Document:
    """Describe all routes (OpenAPI 3.1)."""
    from .openapi import document

    return Document(document(call.base))


def _checks(service: str, health: str, ready: str) -> tuple[Route, ...]:
    return (
        Route(
            "GET",
            f"/v3/{service}/healthcheck",
            health,
            health_check,
            result=wire.Check,
            public=True,
            engine=False,
        ),
        Route(
            "GET",
            f"/v3/{service}/readycheck",
            ready,
            ready_check,
            result=wire.Check,
            public=True,
            engine=False,
        ),
    )


ROUTES = (
    *_checks("jobs", "checkHealth", "readycheck"),
    *_checks("apps", "healthCheck", "readyCheck"),
    *_checks("systems", "healthCheck", "readyCheck"),
    *_checks("files", "healthCheck", "readyCheck"),
    Route("GET", "/v3/tapisjobs/server", "getServer", server_info, result=wire.ServerInfo, engine=False),
    Route("GET", "/v3/openapi.json", "getOpenapi", openapi_document, answers=Answers.DOCUMENT, public=True,
          engine=False),
)  # fmt: skip
