"""What this server tells of itself: that it lives, how its engine stands, and its own description."""

from __future__ import annotations

import itertools
from typing import Any

from .. import __version__
from ..engine.engine import Engine
from ..model.extensions import Extension
from .call import Call
from .reply import Document, Reply
from .route import Action, Answers, Route
from .wire_jobs import Told
from .wire_server import Check, JobsCheck, ServerInfo

_checks_made = itertools.count(1)


async def health_check(call: Call) -> Reply:
    """Tell that the server answers."""
    return Reply({"status": "ok", "version": __version__}, "TAPIS_HEALTHY The service answers.")


async def ready_check(call: Call) -> Reply:
    """Tell that the engine carries jobs, or that another server's does."""
    thread = await call.door.thread()
    state = await thread.settled()
    return Reply({"status": str(state), "version": __version__}, "TAPIS_READY The service is ready.")


async def jobs_health_check(call: Call) -> Reply:
    """Tell that the server answers, and whether store and engine are there by now."""
    return _with_access(await health_check(call), is_there=call.door.state == "running")


async def jobs_ready_check(call: Call) -> Reply:
    """Tell that store and engine are there."""
    return _with_access(await ready_check(call), is_there=True)


def _with_access(reply: Reply, *, is_there: bool) -> Reply:
    """Add what the Jobs service tells of the services that it rests on; here they are one process."""
    access = {"databaseAccess": is_there, "queueAccess": is_there, "tenantsAccess": True}
    return Reply({**reply.result, "checkNum": next(_checks_made), **access}, reply.message)


async def hello(call: Call) -> Reply:
    """Greet, as Tapis services do for those who try their way to them."""
    return Reply({"message": "Hello from Tapis Jobs inside Jupyter."}, "TAPIS_HELLO Hello.")


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
        "extensions": list(service.extensions),
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


def _check(path: str, operation: str, action: Action, result: Any = Check) -> Route:
    return Route("GET", f"/v3/{path}", operation, action, result=result, public=True, engine=False)


def _checks(service: str) -> tuple[Route, ...]:
    return (
        _check(f"{service}/healthcheck", "healthCheck", health_check),
        _check(f"{service}/readycheck", "readyCheck", ready_check),
    )


ROUTES = (
    _check("jobs/healthcheck", "checkHealth", jobs_health_check, JobsCheck),
    _check("jobs/readycheck", "readycheck", jobs_ready_check, JobsCheck),
    _check("jobs/ready", "ready", jobs_ready_check, JobsCheck),
    _check("jobs/hello", "sayHello", hello, Told),
    *_checks("apps"),
    *_checks("systems"),
    *_checks("files"),
    _check("oauth2/hello", "hello", hello, Told),
    _check("oauth2/ready", "ready", ready_check),
    _check("tokens/hello", "hello", hello, Told),
    _check("tokens/ready", "ready", ready_check),
    Route("GET", "/v3/tapisjobs/server", "getServer", server_info, result=ServerInfo, engine=False,
          extension=Extension.SERVER),
    Route("GET", "/v3/openapi.json", "getOpenapi", openapi_document, answers=Answers.DOCUMENT, public=True,
          engine=False, extension=Extension.SERVER),
)  # fmt: skip
