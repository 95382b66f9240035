"""How many commands may be under way on one connection; streams never wait for each other in a circle."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import Enum

#: A host allows ten at a time and frees their places late.
PLACES = 5
#: Of them, streams in one direction take at most so many: a quick command always finds a place.
STREAMS = 2


class Work(Enum):
    """What a place is taken for."""

    #: Ends by itself.
    COMMAND = "command"
    #: From the host: ends when its reader has taken all.
    OUT = "out"
    #: To the host: begins when its source has given something, so it does not hold one place waiting for two.
    IN = "in"


class Places:
    """The places of one connection."""

    def __init__(self, number: int = PLACES) -> None:
        self._all = asyncio.Semaphore(number)
        self._streams = {Work.OUT: asyncio.Semaphore(STREAMS), Work.IN: asyncio.Semaphore(STREAMS)}

    @asynccontextmanager
    async def taken(self, work: Work = Work.COMMAND) -> AsyncGenerator[None, None]:
        """Hold a place while the block runs."""
        async with self._streams.get(work, contextlib.nullcontext()), self._all:
            yield
