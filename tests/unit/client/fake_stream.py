"""A stream of events that a test writes while the client reads it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import httpx


class EventStream(httpx.AsyncByteStream):
    """A response body that the test writes while it is read."""

    def __init__(self) -> None:
        self._ready = threading.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        while (piece := await self._queue.get()) is not None:
            yield piece

    def write(self, text: str) -> None:
        """Send *text* to whoever reads, who is waited for."""
        self._put(text.encode())

    def end(self) -> None:
        """Close the body, as a server does that stops."""
        self._put(None)

    def _put(self, piece: bytes | None) -> None:
        assert self._ready.wait(10), "nobody reads the event stream"
        self._loop.call_soon_threadsafe(self._queue.put_nowait, piece)
