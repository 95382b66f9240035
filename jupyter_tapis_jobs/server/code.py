"""Copy as code, and back (ours): a request as a cell, Python and JSON; a cell or JSON as a request."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from ..model.definition_text import read_definitions
from ..model.errors import InvalidInputError
from ..model.extensions import Extension
from ..model.job_code import cell_of, python_of
from ..model.job_text import read_text
from ..model.request_shape import refuse_odd_parts
from .call import Call
from .reply import Reply
from .route import Route, Takes
from .wire_views import JobCode, ReadDefinitions, ReadRequest, RequestOf, TextOfDefinitions, TextOfJob


async def write_code(call: Call) -> Reply:
    """Return a request as the cell, the Python call and the JSON that stand for it."""
    request: dict[str, Any] = call.body.request
    name, version = request.get("appId"), request.get("appVersion")
    if not isinstance(name, str) or not name:
        raise InvalidInputError("The request names no app: appId is missing.", field="appId")
    refuse_odd_parts(request)
    app = await _app(call, name, None if version is None else str(version))

    def write() -> dict[str, Any]:
        return {
            "cell": cell_of(request, app),
            "python": python_of(request, app),
            "json": json.dumps(request, ensure_ascii=False, indent=2),
        }

    return Reply(await asyncio.to_thread(write), "JOBS_CODE_WRITTEN Request written as code.")


async def read_code(call: Call) -> Reply:
    """Return the request that a ``%%tapisjob`` cell, JSON or YAML stands for; nothing is run or submitted."""
    text = await asyncio.to_thread(read_text, call.body.text)
    app = await _app(call, text.app_id, text.app_version)
    request = await asyncio.to_thread(text.request, app)
    told = {"request": request, "warnings": text.warnings}
    return Reply(told, f"JOBS_CODE_READ Request of app {text.app_id} read.")


async def read_text_of_definitions(call: Call) -> Reply:
    """Return the definitions in a text of YAML or JSON as JSON; nothing is stored."""
    found = await asyncio.to_thread(read_definitions, call.body.text)
    return Reply({"definitions": found}, f"JOBS_DEFINITIONS_READ Definitions read: {len(found)}.")


async def _app(call: Call, name: str, version: str | None) -> dict[str, Any]:
    app = await call.door.look_up(lambda t: t.apps.get(call.user, name, version))
    return app.to_wire()


_OURS = Extension.VIEWS
ROUTES = (
    Route("POST", "/v3/tapisjobs/code", "writeCode", write_code, body=RequestOf, takes=Takes.MODEL,
          result=JobCode, extension=_OURS),
    Route("POST", "/v3/tapisjobs/code/read", "readCode", read_code, body=TextOfJob, takes=Takes.MODEL,
          result=ReadRequest, extension=_OURS),
    Route("POST", "/v3/tapisjobs/definitions/read", "readDefinitions", read_text_of_definitions,
          body=TextOfDefinitions, takes=Takes.MODEL, result=ReadDefinitions, extension=_OURS),
)  # fmt: skip
