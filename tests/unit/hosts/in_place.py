"""An engine's surroundings that a test has in its hand: time, and work done where it is asked for."""

from __future__ import annotations

import asyncio


class Clock:
    """Time that goes on when a test says so."""

    def __init__(self):
        self.seconds = 1_795_251_600.0

    def now(self):
        return self.seconds

    async def sleep(self, seconds):
        self.seconds += seconds
        await asyncio.sleep(0)


class InPlace:
    """Runs blocking work where it is asked for."""

    async def write(self, work):
        return work()

    async def read(self, work):
        await asyncio.sleep(0)
        return work()
