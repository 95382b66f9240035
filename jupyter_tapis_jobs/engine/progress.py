"""Bytes on their way, told to the owners of the jobs they are for; at most every second."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import cast

from ..model.errors import UnavailableError
from .oversight import Oversight
from .ports import Clock

#: Seconds between two notes; what takes less time is not told at all. Of many jobs it is told less often.
INTERVAL, FOR_EACH_JOB = 1.0, 0.01

_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


class AbandonedError(UnavailableError):
    """The bytes are not needed any more, or are another engine's to move."""


class Progress:
    """Counts the bytes that are moved for some jobs; ``total`` is None when it is not known."""

    def __init__(
        self,
        oversight: Oversight,
        clock: Clock,
        uuids: Sequence[str],
        *,
        what: str,
        total: int | None = None,
    ) -> None:
        self._oversight = oversight
        self._clock = clock
        self._uuids = uuids
        self._what = what
        self.total = total
        self._interval = max(INTERVAL, FOR_EACH_JOB * len(uuids))
        self._told = clock.now()
        self.done = 0

    def add(self, size: int) -> None:
        """Count *size* more bytes."""
        self.done += size
        now = self._clock.now()
        if now - self._told >= self._interval:
            self._told = now
            self._oversight.note(self._uuids, self.text())

    def text(self) -> str:
        """Return the state in words: ``copying inputs 41 of 90 MB``."""
        if self.total is None:
            return f"{self._what} {_amount(self.done, self.done)} {_unit(self.done)[1]}"
        most = max(self.total, self.done)
        return f"{self._what} {_amount(self.done, most)} of {_amount(most, most)} {_unit(most)[1]}"

    def part(self, uuids: Sequence[str]) -> Part:
        """Return the count of one transfer, that is for some of the jobs."""
        return Part(self, uuids, self._oversight)


class Part:
    """One transfer of many: after a break it stands where the host says, not at what was sent."""

    def __init__(self, whole: Progress, uuids: Sequence[str], oversight: Oversight) -> None:
        self._whole = whole
        self._uuids = uuids
        self._oversight = oversight
        self._done = 0

    def at(self, size: int) -> None:
        """Say how much of the file is there."""
        self._whole.add(size - self._done)
        self._done = size

    async def counted(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Pass chunks on and count them; raises ``AbandonedError`` once no job wants them."""
        async with aclosing(cast(AsyncGenerator[bytes, None], chunks)):
            async for chunk in chunks:
                if not any(map(self._oversight.is_wanted, self._uuids)):
                    raise AbandonedError("the transfer stopped, for it is not needed at the moment.")
                self.at(self._done + len(chunk))
                yield chunk


def _unit(size: int) -> tuple[int, str]:
    return next((unit for unit in _UNITS if size >= unit[0]), (1, "bytes"))


def _amount(size: int, most: int) -> str:
    """Return *size* in the unit of *most*, with a decimal while it is below ten."""
    factor = _unit(most)[0]
    value = size / factor
    return f"{value:.1f}" if factor > 1 and 0 < value < 9.95 else f"{value:.0f}"
