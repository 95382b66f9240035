"""Files on their way to the caller: always as attachments that no browser runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from urllib.parse import quote

from .reply import Stream

#: With a charset tapipy does not guess it, which takes it seconds; the bytes are the same.
OCTETS = "application/octet-stream; charset=latin-1"


def attachment(
    name: str, chunks: AsyncIterator[bytes], size: int | None, *, part: tuple[int, int] | None = None
) -> Stream:
    """Return the answer that sends *chunks*, *size* bytes if known.

    *part* is (offset, size of the whole file) when only a range of it is sent.
    """
    headers = {
        "Content-Type": OCTETS,
        "Content-Disposition": f"attachment; filename*=UTF-8''{_quoted(name)}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    if size is not None:
        headers["Content-Length"] = str(size)
        chunks = exactly(chunks, size)
    if size and part is not None:
        headers["Content-Range"] = f"bytes {part[0]}-{part[0] + size - 1}/{part[1]}"
    return Stream(chunks=chunks, headers=headers, status=206 if size and part is not None else 200)


def _quoted(name: str) -> str:
    return quote(name.encode("utf-8", errors="surrogateescape"), safe="")


async def exactly(chunks: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """Yield no more than *size* bytes: a file may grow while it is sent."""
    left = size
    try:
        async for chunk in chunks:
            yield chunk[:left]
            left -= len(chunk[:left])
            if left <= 0:
                return
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
