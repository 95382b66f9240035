"""Bytes on their way, told to the owners of the jobs they are for; at most every second."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import cast

from .ports import Clock

#: Tells what jobs are waiting for: (uuids, text). Must not block.
Note = Callable[[Sequence[str], str], None]

#: Seconds between two notes; what takes less time is not told at all.
INTERVAL = 1.0

_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def no_note(uuids: Sequence[str], text: str) -> None:
    """Tell nobody."""


class Progress:
    """Counts the bytes that are moved for some jobs; ``total`` is None when it is not known."""

    def __init__(
        self, note: Note, clock: Clock, uuids: Sequence[str], *, what: str, total: int | None = None
    ) -> None:
        self._note = note
        self._clock = clock
        self._uuids = uuids
        self._what = what
        self._total = total
        self._told = clock.now()
        self.done = 0

    def add(self, size: int) -> None:
        """Count *size* more bytes."""
        self.done += size
        now = self._clock.now()
        if now - self._told >= INTERVAL:
            self._told = now
            self._note(self._uuids, self.text())

    def text(self) -> str:
        """Return the state in words: ``copying inputs 41 of 90 MB``."""
        if self._total is None:
            return f"{self._what} {_amount(self.done, self.done)} {_unit(self.done)[1]}"
        most = max(self._total, self.done)
        return f"{self._what} {_amount(self.done, most)} of {_amount(most, most)} {_unit(most)[1]}"

    async def counted(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Pass chunks on and count them."""
        async with aclosing(cast(AsyncGenerator[bytes, None], chunks)):
            async for chunk in chunks:
                self.add(len(chunk))
                yield chunk


class Part:
    """One file of many: after a break it stands where the host says, not at what was sent."""

    def __init__(self, whole: Progress) -> None:
        self._whole = whole
        self._done = 0

    def at(self, size: int) -> None:
        """Say how much of the file is there."""
        self._whole.add(size - self._done)
        self._done = size

    async def counted(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Pass the file's next chunks on and count them."""
        async with aclosing(self._whole.counted(chunks)) as counted:
            async for chunk in counted:
                self._done += len(chunk)
                yield chunk


def _unit(size: int) -> tuple[int, str]:
    return next((unit for unit in _UNITS if size >= unit[0]), (1, "bytes"))


def _amount(size: int, most: int) -> str:
    """Return *size* in the unit of *most*, with a decimal while it is below ten."""
    factor = _unit(most)[0]
    value = size / factor
    return f"{value:.1f}" if factor > 1 and 0 < value < 9.95 else f"{value:.0f}"
