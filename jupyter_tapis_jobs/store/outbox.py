"""The outbox: what is to be delivered is stored with the event itself, so that no crash loses it.

One statement for all events of a transaction, however many jobs and subscriptions there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from ..model.job import JobEvent
from ..model.notifications import DELIVERED
from ..model.status import TERMINAL, EventType
from .statements import Statement

_METHODS = ", ".join(f"'{method}'" for method in sorted(DELIVERED))
_ENDS = ", ".join(f"'{status}'" for status in sorted(TERMINAL))

# CROSS JOIN keeps the order: from the few new events to the subscriptions of their jobs.
_fill = Statement(
    text(
        "INSERT INTO deliveries (job_id, subscription_id, target, event_id,"  # noqa: S608 - words of our own
        " method, address, receiver,"
        " state, tries, next_try, updated)"
        " SELECT e.job_id, s.id, t.key, e.id, json_extract(t.value, '$.deliveryMethod'),"
        " json_extract(t.value, '$.deliveryAddress'), json_extract(t.value, '$.receiver'),"
        " 'WAITING', 0, e.created, e.created"
        " FROM job_events e CROSS JOIN subscriptions s CROSS JOIN json_each(s.targets) t"
        " WHERE e.id BETWEEN :first AND :last AND s.job_id = e.job_id AND s.removed IS NULL"
        " AND s.enabled = 1 AND s.expires > e.created AND s.category IN ('ALL', e.event)"
        " AND (s.details IS NULL OR e.event_detail IN (SELECT d.value FROM json_each(s.details) d))"
        f" AND json_extract(t.value, '$.deliveryMethod') IN ({_METHODS})"
        " ORDER BY e.id, s.id, t.key"
    )
)
_end = Statement(
    text(
        "UPDATE subscriptions SET removed ="  # noqa: S608
        " (SELECT max(created) FROM job_events WHERE id = :latest)"
        " WHERE removed IS NULL AND job_id IN (SELECT job_id FROM job_events"
        f" WHERE id BETWEEN :first AND :last AND event = 'JOB_NEW_STATUS' AND event_detail IN ({_ENDS}))"
    )
)


def fill(conn: Connection, events: Sequence[JobEvent]) -> None:
    """Note whom to tell of stored *events*, whose ids follow each other.

    The event that ends a job ends its subscriptions; what is noted goes out all the same.
    """
    if not events:
        return
    first, last = events[0].id, events[-1].id
    _fill.run(conn, first, last)
    if any(_is_end(event) for event in events):
        _end.run(conn, last, first, last)


def _is_end(event: JobEvent) -> bool:
    return event.event is EventType.JOB_NEW_STATUS and event.event_detail in TERMINAL
