"""The notifier: takes what is due from the outbox to its receivers, beside the conveyor.

The outbox is in the store (``store.outbox``), so nothing is lost by a crash; what went out is noted at
once, so that at most what was on its way is sent again, with the same uuids. What one job has for one
address goes out in order. Receivers are served side by side, each by one courier: a slow or dead one
makes only its own notifications wait, and no job at all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from ..model.errors import InvalidInputError, StoreError, TapisJobsError, TransportError
from ..model.fields import DeliveryMethod
from ..model.job import Job, JobEvent
from ..model.notifications import Delivery, DeliveryState, Notice
from ..model.times import iso, parse_iso
from ..store import deliveries as rows
from ..store import lease as lease_row
from ..store.deliveries import Outcome
from ..store.lease import LeaseLostError
from .ports import Ports
from .senders import RefusedError, Session

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds until a notification is tried again, by the number of tries; then always the last.
RETRY_AFTER = (5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)
#: Seconds after its event until a notification is given up.
GIVE_UP = 24 * 3600.0
#: Tries of a notification that its receiver refuses.
REFUSALS = 3
#: Receivers served at a time, addresses of one receiver served at a time, notifications taken at once.
COURIERS, AT_ONCE, BATCH = 16, 4, 500
#: Seconds until the store is asked again after it had trouble.
STORE_RETRY = 5.0


class Notifier:
    """Delivers notifications. Lives on the engine's loop only; ``hear`` makes it look into the outbox."""

    def __init__(self, ports: Ports, *, epoch: int, on_lease_lost: Callable[[], None] = lambda: None) -> None:
        self._ports = ports
        self._epoch = epoch
        self._on_lease_lost = on_lease_lost
        self._is_looking = False
        self._again = False
        self._busy: set[str] = set()
        #: receiver -> ticks before which it is left alone, and failures in a row.
        self._resting: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        #: Addresses that were given up, which the log was told.
        self._dead: set[str] = set()
        self._outcomes: list[Outcome] = []
        self._writer: asyncio.Task[None] | None = None
        self._planned: float | None = None
        self._is_over = False

    def hear(self, events: Sequence[JobEvent], jobs: Sequence[Job]) -> None:
        """Listen to the conveyor: there may be something to deliver."""
        if events:
            self.wake()

    def wake(self) -> None:
        """Look into the outbox soon."""
        self._again = True
        if self._ports.senders and not self._is_looking and not self._is_over:
            self._is_looking = True
            self._ports.spawn(self._look(), "look into the outbox")

    # -- what is due

    async def _look(self) -> None:
        """Send couriers off until there is nothing for them, then plan the next look."""
        try:
            while self._again and len(self._busy) < COURIERS:
                self._again = False
                found = await self._ports.read(self._due)
                self._send_off(found)
                self._again = self._again or len(found) == BATCH
            self._plan(await self._ports.read(self._next_due))
        except LeaseLostError:
            self._end()
        except StoreError as trouble:
            log.warning("Notifications wait for the store: %s", trouble.message)
            self._again = False
            self._plan(self._ports.clock.now() + STORE_RETRY)
        except asyncio.CancelledError:
            self._is_over = True
            raise
        finally:
            self._is_looking = False
            if self._again and len(self._busy) < COURIERS:
                self.wake()

    def _due(self, connection: Connection) -> list[Delivery]:
        lease_row.check(connection, self._epoch)
        now = self._ports.clock.ticks()
        self._resting = {receiver: until for receiver, until in self._resting.items() if until > now}
        return rows.due(connection, self._now(), sorted({*self._busy, *self._resting}), BATCH)

    def _next_due(self, connection: Connection) -> float | None:
        found = rows.next_due(connection, self._now())
        return parse_iso(found) if found else None

    def _send_off(self, found: Sequence[Delivery]) -> None:
        by_receiver: dict[str, list[Delivery]] = {}
        for item in found:
            by_receiver.setdefault(item.receiver, []).append(item)
        for receiver, items in by_receiver.items():
            if len(self._busy) == COURIERS:
                return
            self._busy.add(receiver)
            self._ports.spawn(self._serve(receiver, items), f"notifications for {receiver}")

    def _plan(self, when: float | None) -> None:
        """Look again at *when* (seconds since the epoch), or when the first resting receiver has rested."""
        ticks = self._ports.clock.ticks()
        times = [] if when is None else [ticks + max(0.0, when - self._ports.clock.now())]
        first = min([*times, *self._resting.values()], default=None)
        if first is None or (self._planned is not None and self._planned <= first):
            return
        self._planned = first
        self._ports.spawn(self._wake_at(first), "next look into the outbox")

    async def _wake_at(self, ticks: float) -> None:
        await self._ports.clock.sleep(max(0.0, ticks - self._ports.clock.ticks()))
        if self._planned == ticks:
            self._planned = None
        self.wake()

    # -- one receiver

    async def _serve(self, receiver: str, items: Sequence[Delivery]) -> None:
        """Deliver some of what waits for one receiver, which is free again once all of it is written down."""
        try:
            notices = await self._ports.read(lambda connection: rows.notices(connection, items))
            await self._deliver(receiver, notices)
            await self._written()
        except StoreError as trouble:
            log.warning("Notifications for %s wait for the store: %s", receiver, trouble.message)
            self._rest(receiver, STORE_RETRY)
        except asyncio.CancelledError:
            # The engine ends: nobody is to be sent off any more.
            self._is_over = True
            raise
        except Exception:
            log.exception("notifications for %s failed by an unexpected fault", receiver)
            self._rest(receiver, RETRY_AFTER[-1])
        finally:
            self._busy.discard(receiver)
            self.wake()

    async def _deliver(self, receiver: str, notices: Sequence[Notice]) -> None:
        queues: dict[tuple[int, int], list[Notice]] = {}
        for notice in notices:
            queues.setdefault(notice.delivery.queue, []).append(notice)
        sender = self._ports.senders.get(notices[0].delivery.method) if notices else None
        if sender is None:
            self._rest(receiver, RETRY_AFTER[-1])
            return
        places = asyncio.Semaphore(AT_ONCE)
        try:
            async with sender.session(receiver) as session:
                waiting = list(queues.values())
                await asyncio.gather(*(self._in_order(session, queue, places) for queue in waiting))
        except TapisJobsError as trouble:
            # Nobody was asked: it is the same for the first of all.
            for queue in queues.values():
                self._failed(queue[0], trouble)

    async def _in_order(self, session: Session, queue: Sequence[Notice], places: asyncio.Semaphore) -> None:
        """Deliver to one address what it waits for, up to the first that cannot be delivered now."""
        async with places:
            for notice in queue:
                if notice.delivery.receiver in self._resting:
                    return
                try:
                    await session.send(notice)
                except TapisJobsError as trouble:
                    if not self._failed(notice, trouble):
                        return
                except Exception as fault:
                    log.exception("a notification could not be delivered by an unexpected fault")
                    if not self._failed(notice, TapisJobsError(f"{type(fault).__name__}: {fault}")):
                        return
                else:
                    self._failures.pop(notice.delivery.receiver, None)
                    self._dead.discard(notice.delivery.address)
                    self._note(notice.delivery, DeliveryState.DELIVERED)

    def _failed(self, notice: Notice, trouble: TapisJobsError) -> bool:
        """Note that a try failed; return whether it was the last, so that the next may go out."""
        item, tries = notice.delivery, notice.delivery.tries + 1
        age = self._ports.clock.now() - parse_iso(notice.event.created)
        is_over = (
            isinstance(trouble, InvalidInputError)
            or (isinstance(trouble, RefusedError) and tries >= REFUSALS)
            or age > GIVE_UP
        )
        if isinstance(trouble, TransportError) and item.receiver not in self._resting:
            self._failures[item.receiver] = self._failures.get(item.receiver, 0) + 1
            self._rest(item.receiver, _pause(self._failures[item.receiver]))
        state = DeliveryState.FAILED if is_over else DeliveryState.WAITING
        if is_over:
            self._tell_dead(item, notice.job, tries, trouble)
        self._note(item, state, trouble.message, _pause(tries))
        return is_over

    def _tell_dead(self, item: Delivery, job: Job, tries: int, trouble: TapisJobsError) -> None:
        """Say once in the log that an address is not told; a webhook's path may be a secret."""
        level = logging.DEBUG if item.address in self._dead else logging.WARNING
        self._dead.add(item.address)
        address = item.address if item.method is DeliveryMethod.EMAIL else item.receiver
        log.log(
            level,
            "Notifications for %s are given up after %d %s (job %s): %s",
            address,
            tries,
            "try" if tries == 1 else "tries",
            job.uuid,
            trouble.message,
        )

    def _rest(self, receiver: str, seconds: float) -> None:
        self._resting[receiver] = self._ports.clock.ticks() + seconds

    # -- writing down

    def _note(
        self, item: Delivery, state: DeliveryState, error: str | None = None, pause: float = 0.0
    ) -> None:
        now = self._ports.clock.now()
        self._outcomes.append(
            Outcome(delivery=item.id, state=state, next_try=iso(now + pause), when=iso(now), error=error)
        )
        if self._writer is None or self._writer.done():
            self._writer = self._ports.spawn(self._write_down(), "what became of notifications")

    async def _written(self) -> None:
        """Wait until all that is known is stored."""
        while self._writer is not None and not self._is_over:
            if self._writer.done() and not self._outcomes:
                return
            await asyncio.shield(self._writer)

    async def _write_down(self) -> None:
        """Store outcomes, together those that came up while the ones before were stored."""
        while self._outcomes and not self._is_over:
            batch, self._outcomes = self._outcomes, []
            try:
                await self._store(batch)
            except LeaseLostError:
                self._end()
            except StoreError as trouble:
                log.warning("What became of notifications waits for the store: %s", trouble.message)
                self._outcomes = [*batch, *self._outcomes]
                await self._ports.clock.sleep(STORE_RETRY)

    async def _store(self, outcomes: Sequence[Outcome]) -> None:
        await self._ports.write(lambda connection: rows.settle(connection, outcomes), epoch=self._epoch)

    def _end(self) -> None:
        """Another engine has taken over: it delivers from now on."""
        self._is_over = True
        self._outcomes.clear()
        self._on_lease_lost()

    def _now(self) -> str:
        return iso(self._ports.clock.now())


def _pause(tries: int) -> float:
    """Return the seconds until the next try after so many."""
    return RETRY_AFTER[min(tries, len(RETRY_AFTER)) - 1]
