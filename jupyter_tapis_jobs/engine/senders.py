"""What carries notifications to a receiver: e-mail, webhooks, or a made-up one in a simulation."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ..model.errors import TapisJobsError
from ..model.notifications import Notice


class RefusedError(TapisJobsError):
    """A receiver does not take this notification; it may after a while, but is not asked for long."""

    code = "JOBS_NOTIFICATION_REFUSED"


class Session(Protocol):
    """A receiver that is ready to take notifications."""

    async def send(self, notice: Notice) -> None:
        """Deliver one. Errors tell how to go on.

        ``InvalidInputError``: never. ``RefusedError``: this one is not taken. ``TransportError``: nothing
        can be delivered there now. ``UnavailableError``: this one later.
        """
        ...


class Sender(Protocol):
    """Delivers by one method."""

    def check(self, address: str) -> None:
        """Raise ``InvalidInputError`` for an address where nothing will ever be delivered; asks nobody."""
        ...

    def session(self, receiver: str) -> AbstractAsyncContextManager[Session]:
        """Open the way to a receiver (``Target.receiver``); the same errors as ``Session.send``."""
        ...
