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

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.refuses:
            writer.close()
            return
        there_reader, there_writer = await asyncio.open_connection(self.host, self.server_port)
        both = {writer, there_writer}
        self._open |= both
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self._pass(reader, there_writer), self._pass(there_reader, writer))
        self._open -= both

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def proxied(host: str, port: int) -> AsyncIterator[Proxy]:
    """A proxy to *host* and *port*, on a port of its own."""
    proxy = Proxy(host, port)
    proxy.thaw()
    server = await asyncio.start_server(proxy._serve, "127.0.0.1")
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.thaw()
        proxy.drop()
        await asyncio.sleep(0)
