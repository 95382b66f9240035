"""Deliveries as rows: what is due, what it tells, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, text

from ..model.fields import DeliveryMethod
from ..model.notifications import Delivery, DeliveryState, Notice
from .jobs import get_many
from .records import event_from_row
from .statements import Row, Statement

_COLUMNS = tuple(field.name for field in fields(Delivery))
_NAMES = ", ".join(f"d.{name}" for name in _COLUMNS)

# Of each queue only what stands before its first one that has to wait: that is what keeps the order.
_due = Statement(
    text(
        f"SELECT {_NAMES} FROM deliveries d WHERE d.state = 'WAITING' AND d.next_try <= :now"  # noqa: S608
        " AND d.receiver NOT IN (SELECT b.value FROM json_each(:busy) b)"
        " AND NOT EXISTS (SELECT 1 FROM deliveries h WHERE h.subscription_id = d.subscription_id"
        " AND h.target = d.target AND h.state = 'WAITING' AND h.id < d.id AND h.next_try > :later)"
        " ORDER BY d.id LIMIT :most"
    )
)
_next = Statement(text("SELECT min(next_try) FROM deliveries WHERE state = 'WAITING' AND next_try > :now"))
_told = Statement(
    text(
        "SELECT d.id, s.uuid,"
        " (SELECT count(*) FROM job_events x WHERE x.job_id = e.job_id AND x.id <= e.id),"
        " (SELECT x.event_detail FROM job_events x WHERE x.job_id = e.job_id AND x.id < e.id"
        " AND x.event = 'JOB_NEW_STATUS' ORDER BY x.id DESC LIMIT 1),"
        " e.id, j.uuid, e.owner, e.event, e.event_detail, e.created, e.description, e.data, e.uuid"
        " FROM deliveries d JOIN job_events e ON e.id = d.event_id JOIN jobs j ON j.id = d.job_id"
        " JOIN subscriptions s ON s.id = d.subscription_id"
        " WHERE d.id IN (SELECT value FROM json_each(:ids))"
    )
)
_settle = Statement(
    text(
        "UPDATE deliveries SET state = :state, tries = tries + 1, next_try = :next_try,"
        " last_error = :last_error, updated = :updated WHERE id = :id"
    )
)
_of_job = Statement(
    text(
        f"SELECT s.uuid, e.event, e.event_detail, {_NAMES} FROM deliveries d"  # noqa: S608
        " JOIN job_events e ON e.id = d.event_id JOIN subscriptions s ON s.id = d.subscription_id"
        " WHERE d.job_id = :job ORDER BY d.id LIMIT :limit OFFSET :skip"
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a try to deliver went. ``next_try`` and ``when`` are ISO times."""

    delivery: int
    state: DeliveryState
    next_try: str
    when: str
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A delivery as its owner sees it."""

    delivery: Delivery
    subscription: str
    event: str
    event_detail: str

    def to_wire(self) -> dict[str, Any]:
        """Return it in Tapis's style (the call is ours)."""
        item = self.delivery
        return {
            "subscriptionUuid": self.subscription,
            "event": self.event,
            "eventDetail": self.event_detail,
            "deliveryMethod": item.method.value,
            "deliveryAddress": item.address,
            "state": item.state.value,
            "tries": item.tries,
            "lastError": item.last_error,
            "nextTry": item.next_try if item.state is DeliveryState.WAITING else None,
            "updated": item.updated,
        }


def due(conn: Connection, now: str, busy: Iterable[str], most: int) -> list[Delivery]:
    """Return what may go out at *now* (ISO), oldest first; nothing for the receivers *busy*."""
    return [_from_row(row) for row in _due.run(conn, now, json.dumps(list(busy)), now, most)]


def next_due(conn: Connection, now: str) -> str | None:
    """Return when something is due after *now*, None when nothing is."""
    found: str | None = _next.run(conn, now)[0][0]
    return found


def notices(conn: Connection, items: Sequence[Delivery]) -> list[Notice]:
    """Return what deliveries tell, in the order given; the job is as it is now."""
    rows = {row[0]: row for row in _told.run(conn, json.dumps([item.id for item in items]))}
    jobs = get_many(conn, {row[5]: None for row in rows.values()})
    return [
        Notice(
            delivery=item,
            subscription=row[1],
            number=row[2],
            before=row[3],
            event=event_from_row(row[4:]),
            job=jobs[row[5]],
        )
        for item in items
        if (row := rows.get(item.id)) is not None
    ]


def settle(conn: Connection, outcomes: Iterable[Outcome]) -> None:
    """Note how tries went."""
    _settle.many(conn, ((o.state.value, o.next_try, o.error, o.when, o.delivery) for o in outcomes))


def of_job(conn: Connection, job_id: int, limit: int = -1, skip: int = 0) -> list[Told]:
    """Return what was told or is to be told of a job, oldest first; a *limit* of 0 or less means all."""
    rows = _of_job.run(conn, job_id, limit if limit > 0 else -1, max(skip, 0))
    return [
        Told(subscription=row[0], event=row[1], event_detail=row[2], delivery=_from_row(row[3:]))
        for row in rows
    ]


def _from_row(row: Row) -> Delivery:
    values = dict(zip(_COLUMNS, row, strict=True))
    return Delivery(
        **{**values, "method": DeliveryMethod(values["method"]), "state": DeliveryState(values["state"])}
    )
