"""Previews of outputs (ours): what a file holds, from its first bytes."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from ..model.extensions import Extension
from ..model.output_preview import LOOKED_AT, preview_of
from . import hdf5_header
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
    shown = await asyncio.to_thread(_shown, name, head, size)
    if hdf5_header.is_readable(head):
        text = await hdf5_header.header(_reader(call, uuid, path, head), size)
        shown |= {"text": text or "", "note": "" if text else hdf5_header.DAMAGED}
    return Reply(shown, f"JOBS_OUTPUT_SHOWN {name} shown.")


def _reader(call: Call, uuid: str, path: str, head: bytes) -> hdf5_header.Read:
    """Return what brings bytes of the output; those of *head* are there."""

    async def read(offset: int, count: int) -> bytes:
        if offset + count <= len(head):
            return head[offset : offset + count]
        part, _ = await call.door.ask(
            lambda engine: engine.views.output_head(call.user, uuid, path, count, offset=offset)
        )
        return part

    return read


def _shown(name: str, head: bytes, size: int) -> dict[str, Any]:
    told = asdict(preview_of(name, head, size))
    return {"name": name, "size": size, "mediaType": told.pop("media_type"), **told}


ROUTES = (
    Route("GET", "/v3/jobs/{jobUuid}/output/preview/{path}", "previewJobOutput", preview_output,
          result=OutputPreview, extension=Extension.VIEWS),
)  # fmt: skip
