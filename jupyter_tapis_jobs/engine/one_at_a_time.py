"""One at a time: whoever changes a study or a workflow holds it alone meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary


class Numbered(Protocol):
    """A record that keeps its number, whatever name it has."""

    @property
    def id(self) -> int:
        """Return its number in the store."""


Record = TypeVar("Record", bound=Numbered)


class OneAtATime:
    """The locks of records, by their numbers. Lives on the engine's loop only."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def lock(self, number: int) -> asyncio.Lock:
        """Return what is held while the record of a number is changed."""
        return self._locks.setdefault(number, asyncio.Lock())

    @asynccontextmanager
    async def held(self, find: Callable[[], Awaitable[Record]]) -> AsyncIterator[Record]:
        """Give the record that *find* finds, which nobody else changes meanwhile."""
        while True:
            number = (await find()).id
            async with self.lock(number):
                found = await find()
                # Another one may have got the name while this waited.
                if found.id == number:
                    yield found
                    return
