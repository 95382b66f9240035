"""Subscriptions as rows. One that was removed stays, for what was told of it; it counts no more."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, insert, select, update

from ..model.fields import DeliveryMethod, EventCategory
from ..model.notifications import DeliveryState, Subscription, Target
from .statements import Statement
from .tables import deliveries, jobs, subscriptions

_columns = [column for column in subscriptions.c if column.name not in ("id", "removed")]
_insert = Statement(insert(subscriptions).values({column.name: None for column in _columns}))
_all = (
    select(
        jobs.c.uuid.label("job_uuid"), *(c for c in subscriptions.c if c.name not in ("removed", "job_id"))
    )
    .join_from(subscriptions, jobs)
    .where(subscriptions.c.removed.is_(None))
)


def add(conn: Connection, new: Iterable[tuple[int, Subscription]]) -> None:
    """Store subscriptions of jobs, (job id, subscription) pairs."""
    _insert.many(conn, ([values[name] for name in _insert.names] for values in map(_row, new)))


def _row(pair: tuple[int, Subscription]) -> dict[str, Any]:
    job_id, item = pair
    targets = [{**target.to_wire(), "receiver": target.receiver} for target in item.targets]
    return {
        "job_id": job_id,
        "uuid": item.uuid,
        "description": item.description,
        "enabled": int(item.enabled),
        "category": item.category.value,
        "details": json.dumps(item.details) if item.details else None,
        "targets": json.dumps(targets),
        "ttl_minutes": item.ttl_minutes,
        "created": item.created,
        "expires": item.expires,
    }


def of_job(conn: Connection, job_id: int, now: str) -> list[Subscription]:
    """Return a job's subscriptions that are neither removed nor expired, in the order they were made."""
    mine = _all.where(subscriptions.c.job_id == job_id, subscriptions.c.expires > now)
    return [_from_row(row._mapping) for row in conn.execute(mine.order_by(subscriptions.c.id))]


def find(conn: Connection, uuid: str, now: str) -> Subscription | None:
    """Return the subscription with this uuid, or None."""
    this = _all.where(subscriptions.c.uuid == uuid, subscriptions.c.expires > now)
    found = conn.execute(this).one_or_none()
    return _from_row(found._mapping) if found else None


def remove(conn: Connection, items: Iterable[Subscription], now: str) -> None:
    """Take subscriptions back; what waits for their addresses does not go out any more."""
    ids = [item.id for item in items]
    conn.execute(update(subscriptions).where(subscriptions.c.id.in_(ids)).values(removed=now))
    conn.execute(
        update(deliveries)
        .where(deliveries.c.subscription_id.in_(ids), deliveries.c.state == DeliveryState.WAITING.value)
        .values(state=DeliveryState.DROPPED.value, updated=now)
    )


def _from_row(row: Any) -> Subscription:
    return Subscription(
        id=row["id"],
        job_uuid=row["job_uuid"],
        uuid=row["uuid"],
        description=row["description"],
        enabled=row["enabled"] == 1,
        category=EventCategory(row["category"]),
        details=tuple(json.loads(row["details"])) if row["details"] else None,
        targets=tuple(
            Target(method=DeliveryMethod(target["deliveryMethod"]), address=target["deliveryAddress"])
            for target in json.loads(row["targets"])
        ),
        ttl_minutes=row["ttl_minutes"],
        created=row["created"],
        expires=row["expires"],
    )
