"""Previews of outputs (ours): what a file holds, from its first bytes."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from ..model.extensions import Extension
from ..model.output_preview import LOOKED_AT, preview_of
from .call import Call
from .reply import Reply
from .route import Route
from .wire_views import OutputPreview


async def preview_output(call: Call) -> Reply:
    """Show the beginning of an output, while the job runs and after: text, a table, JSON, a header."""
    uuid, path = call.path["jobUuid"], call.path["path"]
    head, size = await call.door.ask(
        lambda engine: engine.views.output_head(call.user, uuid, path, LOOKED_AT)
    )
    name = path.rstrip("/").rpartition("/")[2]
    return Reply(await asyncio.to_thread(_shown, name, head, size), f"JOBS_OUTPUT_SHOWN {name} shown.")


def _shown(name: str, head: bytes, size: int) -> dict[str, Any]:
    told = asdict(preview_of(name, head, size))
    return {"name": name, "size": size, "mediaType": told.pop("media_type"), **told}


ROUTES = (
    Route("GET", "/v3/jobs/{jobUuid}/output/preview/{path}", "previewJobOutput", preview_output,
          result=OutputPreview, extension=Extension.VIEWS),
)  # fmt: skip
