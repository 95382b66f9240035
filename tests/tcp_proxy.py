"""A TCP proxy in front of a server, whose connections a test cuts, freezes and slows down."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Passes bytes on between its port and a server, as long as it is let."""

    host: str
    server_port: int
    port: int = 0
    #: How often somebody has connected.
    connections: int = 0
    #: Whether new connections are closed at once.
    refuses: bool = False
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _served: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    def freeze(self) -> None:
        """Nothing goes through any more, and nothing is closed."""
        self._flowing.clear()

    def thaw(self) -> None:
        """It goes on."""
        self._flowing.set()

    def drop(self) -> None:
        """Cut all connections."""
        for writer in self._open:
            writer.transport.abort()

    async def end(self) -> None:
        """Cut all connections; nothing is left open."""
        served = dict(self._served)
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)
        for writer in served.values():
            # Also of a task that was cancelled before it began.
            writer.transport.abort()
        await asyncio.sleep(0)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection in."""
        served = asyncio.create_task(self._serve(reader, writer))
        self._served[served] = writer
        served.add_done_callback(self._served.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        both = {writer}
        try:
            if not self.refuses:
                there_reader, there_writer = await asyncio.open_connection(self.host, self.server_port)
                both.add(there_writer)
                self._open |= both
                await asyncio.gather(self._pass(reader, there_writer), self._pass(there_reader, writer))
        except (asyncio.CancelledError, OSError):
            # It is over, or there is no server: whoever has connected sees the end at once.
            pass
        finally:
            self._open -= both
            for end in both:
                end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def proxied(host: str, port: int) -> AsyncIterator[Proxy]:
    """A proxy to *host* and *port*, on a port of its own."""
    proxy = Proxy(host, port)
    proxy.thaw()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1")
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        await _take_no_more(server)
        server.close()
        proxy.thaw()
        await proxy.end()


async def _take_no_more(server: asyncio.Server) -> None:
    """Let a server take in no more, and wait until what it has just accepted is served.

    Python 3.11 forgets a connection, and leaves it open, that was accepted in the turn in which its server
    was closed (``Server._attach`` in asyncio/base_events.py wants an open one).
    """
    for listening in server.sockets:
        asyncio.get_running_loop().remove_reader(listening.fileno())
    for _ in range(5):
        await asyncio.sleep(0)
