"""Subscriptions of jobs: with the request, added and removed later, and what was told (Tapis Jobs)."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Connection

from ..model.errors import InvalidInputError, NotFoundError
from ..model.fields import DeliveryMethod
from ..model.job import Job, JobDefinition, JobEvent
from ..model.notifications import Subscription, subscription_of
from ..model.status import EventType
from ..model.subscriptions import parse_subscription
from ..model.times import iso
from ..model.user import User
from ..store import deliveries as delivery_rows
from ..store import jobs as job_rows
from ..store import outbox
from ..store import subscriptions as rows
from ..store.deliveries import Told
from .ports import Ports

T = TypeVar("T")

#: Subscriptions that are added to one job.
MOST = 100
ADDED, REMOVED = "added", "removed"


def checked(ports: Ports, definition: JobDefinition) -> JobDefinition:
    """Return a definition with a warning for addresses where nothing will arrive.

    A webhook that may not be called is an ``InvalidInputError``; a request or app from elsewhere runs also
    where no mail is sent.
    """
    warnings: list[str] = []
    for number, words in enumerate(definition.subscriptions):
        for place, target in enumerate(words["deliveryTargets"]):
            try:
                _check(ports, target)
            except InvalidInputError as reason:
                if target["deliveryMethod"] == DeliveryMethod.EMAIL:
                    warnings.append(reason.message)
                    continue
                field = f"subscriptions[{number}].deliveryTargets[{place}].deliveryAddress"
                raise InvalidInputError(reason.message, field=field, value=reason.value) from None
    if not warnings:
        return definition
    return replace(definition, warnings=(*definition.warnings, *dict.fromkeys(warnings)))


def _check(ports: Ports, target: Mapping[str, Any]) -> None:
    sender = ports.senders.get(DeliveryMethod(target["deliveryMethod"]))
    if sender is not None:
        sender.check(target["deliveryAddress"])


class Subscriptions:
    """Who is told of jobs. *job_of* finds a caller's job; *announce* tells listeners of a stored event."""

    def __init__(
        self,
        ports: Ports,
        *,
        epoch: int,
        job_of: Callable[[User, str], Awaitable[Job]],
        announce: Callable[[Sequence[JobEvent], Sequence[Job]], None],
    ) -> None:
        self._ports = ports
        self._epoch = epoch
        self._job_of = job_of
        self._announce = announce

    def store_new(
        self,
        connection: Connection,
        new: Sequence[tuple[Job, JobDefinition]],
        events: Sequence[JobEvent],
    ) -> None:
        """Store the subscriptions of new jobs, whose first *events* they hear of, too."""
        pairs = [(job.id, self._made(words)) for job, made in new for words in made.subscriptions]
        if pairs:
            rows.add(connection, pairs)
            outbox.fill(connection, events)

    async def add(self, user: User, job_uuid: str, raw: Mapping[str, Any]) -> Subscription:
        """Subscribe to a job that has not ended; its definition stays as it is."""
        job = await self._job_of(user, job_uuid)
        words = parse_subscription(raw)
        for target in words["deliveryTargets"]:
            _check(self._ports, target)
        made = self._made(words)

        def work(connection: Connection) -> tuple[Job, JobEvent]:
            present = job_rows.get(connection, job.uuid)
            _refuse_ended(present)
            if len(rows.of_job(connection, job.id, made.created)) >= MOST:
                raise InvalidInputError(f"job {job.name} has {MOST} subscriptions; no more are taken.")
            rows.add(connection, [(job.id, made)])
            return present, job_rows.add_event(connection, present, self._event(present, ADDED, 1))

        present, event = await self._ports.write(work, epoch=self._epoch)
        self._announce([event], [present])
        return made

    async def of_job(self, user: User, job_uuid: str, limit: int, skip: int) -> list[dict[str, Any]]:
        """Return the subscriptions of a job that still count, as Tapis lists them."""
        job = await self._job_of(user, job_uuid)
        found = await self._ports.read(lambda c: rows.of_job(c, job.id, self._now()))
        chosen = found[max(skip, 0) :]
        return [item.to_wire(job) for item in (chosen[:limit] if limit > 0 else chosen)]

    async def remove(self, user: User, uuid: str) -> int:
        """Remove a subscription, or all of a job when *uuid* is a job's; return how many."""
        one = await self._ports.read(lambda c: rows.find(c, uuid, self._now()))
        try:
            job = await self._job_of(user, one.job_uuid if one else uuid)
        except NotFoundError:
            raise NotFoundError(f"there is no job or subscription {uuid}, or it is not yours.") from None

        def work(connection: Connection) -> tuple[Job, JobEvent | None, int]:
            now = self._now()
            present = job_rows.get(connection, job.uuid)
            found = rows.of_job(connection, job.id, now)
            going = [item for item in found if one is None or item.uuid == uuid]
            rows.remove(connection, going, now)
            if not going:
                return present, None, 0
            event = self._event(present, REMOVED, len(going))
            return present, job_rows.add_event(connection, present, event), len(going)

        present, event, count = await self._ports.write(work, epoch=self._epoch)
        if event is not None:
            self._announce([event], [present])
        return count

    async def deliveries(self, user: User, job_uuid: str, limit: int = -1, skip: int = 0) -> list[Told]:
        """Return what was told of a job, and what waits to be told, oldest first."""
        job = await self._job_of(user, job_uuid)
        return await self._ports.read(lambda c: delivery_rows.of_job(c, job.id, limit, skip))

    def _made(self, words: Mapping[str, Any]) -> Subscription:
        now = self._ports.clock.now()
        return subscription_of(
            words,
            uuid=str(uuids.UUID(int=self._ports.random.getrandbits(128), version=4)),
            created=iso(now),
            expires=iso(now + 60 * words["ttlMinutes"]),
        )

    def _event(self, job: Job, action: str, number: int) -> JobEvent:
        return JobEvent(
            job_uuid=job.uuid,
            owner=job.owner,
            event=EventType.JOB_SUBSCRIPTION,
            event_detail=action,
            created=self._now(),
            description=f"{number} subscription{'s' * (number != 1)} {action}.",
            data={"action": action, "numSubscriptions": number},
        )

    def _now(self) -> str:
        return iso(self._ports.clock.now())


def _refuse_ended(job: Job) -> None:
    if job.status.is_terminal:
        raise InvalidInputError(
            f"job {job.name} is {job.status} already; there is nothing more to be told of it.",
            field="jobUuid",
        )
