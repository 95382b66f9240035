"""How often a host is knocked at: never so often that a site would shut its users out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncssh

from ..model.errors import CodeNeededError, HostSignInError, TransportError

#: Seconds to wait after the first, second, … failed attempt.
PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
#: Seconds to wait after a refused sign-in: sites shut out who knocks often with a wrong key.
AFTER_REFUSAL = 900.0

Connect = Callable[[], Awaitable[asyncssh.SSHClientConnection]]


class Gate:
    """Makes connections one at a time; while it is too early for the next, the last error is raised."""

    def __init__(self, connect: Connect, now: Callable[[], float] = time.time) -> None:
        self._connect = connect
        self._now = now
        self._one_at_a_time = asyncio.Lock()
        self._failures = 0
        #: Why the last attempt failed; None when it did not.
        self.trouble: TransportError | None = None
        #: When the next attempt may be made (seconds since the epoch; infinite: when somebody asks for it).
        self.next_try = 0.0

    async def connection(self) -> asyncssh.SSHClientConnection:
        """Return a new connection, or raise ``TransportError``."""
        async with self._one_at_a_time:
            if self.trouble is not None and self._now() < self.next_try:
                raise self.trouble.with_traceback(None)
            try:
                made = await self._connect()
            except TransportError as trouble:
                self.note(trouble)
                raise
            self.retry_now()
            return made

    def retry_now(self) -> None:
        """Forget what failed: the next attempt is made when it is wanted."""
        self._failures, self.trouble, self.next_try = 0, None, 0.0

    def note(self, trouble: TransportError) -> None:
        """Remember an attempt that failed, here or beside this gate."""
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
        if isinstance(trouble, HostSignInError):
            pause = AFTER_REFUSAL
        if isinstance(trouble, CodeNeededError):
            pause = float("inf")
        self._failures += 1
        self.trouble, self.next_try = trouble, self._now() + pause
