"""Tapis's envelope, in which every JSON answer travels, good or bad."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from .. import __version__

#: Exactly this: tapipy hands on bytes when a charset follows.
JSON = "application/json"
#: Rows that are put into JSON before others get their turn on the loop: about a millisecond's work.
SLICE = 200


def envelope(
    result: Any, message: str, *, good: bool = True, metadata: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the envelope around *result*."""
    return {
        "status": "success" if good else "error",
        "message": message,
        "version": __version__,
        "commit": "",
        "build": "",
        "metadata": None if metadata is None else dict(metadata),
        "result": result,
    }


def text(value: Any) -> str:
    """Return *value* as JSON. Only ASCII, so that a file name that is not UTF-8 does not break it."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def frame(message: str, metadata: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return what stands before and after the result of a good answer."""
    head = text(envelope(None, message, metadata=metadata))
    return head.removesuffix("null}"), "}"


async def sliced(pieces: Iterator[str]) -> AsyncIterator[bytes]:
    """Yield *pieces* as bytes and let others on the loop work between them."""
    for piece in pieces:
        yield piece.encode("ascii")
        await asyncio.sleep(0)


def list_pieces(items: Any, to_wire: Any, message: str, metadata: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the JSON of a long list in slices."""
    head, tail = frame(message, metadata)
    yield head + "["
    for start in range(0, len(items), SLICE):
        body = text([to_wire(item) for item in items[start : start + SLICE]])
        yield ("," if start else "") + body[1:-1]
    yield "]" + tail


def column_pieces(names: Any, slices: Any, message: str, metadata: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the JSON of {column: [values]} from slices that hold each column's values as JSON text."""
    head, tail = frame(message, metadata)
    yield head + "{"
    for index, name in enumerate(names):
        yield ("," if index else "") + text(name) + ":["
        yield from _joined(part[index] for part in slices)
        yield "]"
    yield "}" + tail


def _joined(parts: Iterator[str]) -> Iterator[str]:
    first = True
    for part in parts:
        if part:
            yield part if first else "," + part
            first = False
