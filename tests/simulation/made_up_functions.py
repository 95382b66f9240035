"""Functions of packages on made-up time: they return, raise, or fail as often as they are told to."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from jupyter_tapis_jobs.model.processing import Outcome, Processing

PEAKS, BROKEN = "peaks", "broken"


class MadeUpFunctions:
    """``peaks`` returns the number of the attempt, ``broken`` always raises."""

    for_others = False

    def __init__(self, *, seconds: float = 3.0, failures: int = 0) -> None:
        self.seconds, self.failures = seconds, failures
        #: uuid -> how often it was processed to the end.
        self.ends: Counter[str] = Counter()
        #: uuid -> how often a function was called with it, at which times.
        self.calls: dict[str, list[float]] = {}
        self.workers, self.started, self.most = 0, 0, 0

    def offered(self) -> Collection[str]:
        return (PEAKS, BROKEN)

    @asynccontextmanager
    async def shift(self) -> AsyncIterator[MadeUpFunctions]:
        self.started += 1
        self.workers += 1
        self.most = max(self.most, self.workers)
        try:
            yield self
        finally:
            self.workers -= 1

    async def run(self, item: Processing) -> Outcome:
        calls = self.calls.setdefault(item.job_uuid, [])
        calls.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.seconds)
        self.ends[item.job_uuid] += 1
        if item.wish.name == BROKEN or len(calls) <= self.failures:
            return Outcome(problem="broken raised ValueError: no rows.\n\nTraceback …")
        return Outcome(result=json.dumps({"attempt": item.attempts}))
