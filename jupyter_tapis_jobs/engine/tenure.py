"""How long this engine may act: it keeps the store's lease, and knows when it has slept past it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..model.errors import StoreError
from ..store import lease as lease_row
from .ports import Ports

log = logging.getLogger(__name__)

#: Seconds between two renewals of the lease, which runs for three times as long.
RENEWAL = 10.0


class Tenure:
    """The lease of one epoch."""

    def __init__(self, ports: Ports, *, epoch: int, on_lost: Callable[[], None]) -> None:
        self._ports = ports
        self._epoch = epoch
        self._on_lost = on_lost
        self._until = ports.clock.ticks() + lease_row.SECONDS

    def may_act(self) -> bool:
        """Tell whether the lease still runs; an engine that slept past it may not act."""
        return self._ports.clock.ticks() < self._until

    async def keep(self) -> None:
        """Renew the lease; without it this engine must not act (the store and the hosts refuse it too)."""
        while True:
            await self._ports.clock.sleep(RENEWAL)
            begun = self._ports.clock.ticks()
            try:
                await self._ports.write(lambda c: lease_row.renew(c, self._epoch, self._ports.clock.now()))
                self._until = begun + lease_row.SECONDS
            except lease_row.LeaseLostError:
                self._on_lost()
                return
            except StoreError as trouble:
                log.error("The lease cannot be renewed now: %s", trouble.message)  # noqa: TRY400
