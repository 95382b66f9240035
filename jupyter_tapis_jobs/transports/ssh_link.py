"""One SSH connection, made when it is needed and made again when it was lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine

import asyncssh

from ..model.errors import TransportError
from .ssh_gate import Gate

#: Bytes that may be under way to us: enough for a fast line around the world.
WINDOW, PACKET = 16 << 20, 256 << 10
#: Seconds between attempts to get a place on a connection that has none free.
_PLACES_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
#: Seconds for what is still to be said when a connection is closed.
_LAST_WORDS = 3.0

Process = asyncssh.SSHClientProcess[bytes]
Connection = asyncssh.SSHClientConnection


class Link:
    """A connection with a few places for commands."""

    def __init__(self, gate: Gate, name: str, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._gate = gate
        self._name = name
        self._sleep = sleep
        self._making = asyncio.Lock()
        self._connection: Connection | None = None
        self._later: set[asyncio.Task[None]] = set()

    def later(self, work: Coroutine[None, None, None]) -> None:
        """Do *work* beside everything else; ``close`` waits for it."""
        task = asyncio.ensure_future(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    @property
    def is_connected(self) -> bool:
        """True while the connection lives."""
        return self._connection is not None and not self._connection.is_closed()

    async def process(self, command: str) -> tuple[Process, Connection]:
        """Start *command*, and return it and the connection it runs on."""
        for pause in (*_PLACES_PAUSES, None):
            connection = await self._connected()
            try:
                return await self._opened(connection, command), connection
            except asyncssh.ChannelOpenError as error:
                if not connection.is_closed():
                    await self._wait_for_place(error, pause)
            except (asyncssh.Error, OSError) as error:
                if not connection.is_closed():
                    raise TransportError(f"{self._name} does not start a command ({error}).") from error
        raise TransportError(f"The connection to {self._name} breaks off again and again.")

    async def close(self) -> None:
        """End the connection."""
        if self._later:
            await asyncio.wait(self._later, timeout=_LAST_WORDS)
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_LAST_WORDS):
                    await connection.wait_closed()
            connection.abort()

    async def _opened(self, connection: Connection, command: str) -> Process:
        """Open a channel; one that opens when nobody wants it any more is closed."""
        opening: asyncio.Task[Process] = asyncio.ensure_future(
            connection.create_process(command, encoding=None, window=WINDOW, max_pktsize=PACKET)
        )
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            self.later(_closed(opening))
            raise

    async def _wait_for_place(self, error: asyncssh.ChannelOpenError, pause: float | None) -> None:
        if pause is None:
            raise TransportError(
                f"{self._name} allows no more commands on this connection ({error.reason}). "
                "It will be tried again; the site's MaxSessions may be very low."
            ) from error
        await self._sleep(pause)

    async def _connected(self) -> Connection:
        async with self._making:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._gate.connection()
            return self._connection


async def _closed(opening: asyncio.Task[Process]) -> None:
    with contextlib.suppress(asyncssh.Error, OSError):
        (await opening).close()
