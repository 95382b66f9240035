"""Subscriptions of jobs (Tapis Jobs, "Subscriptions"), and what was told, which is ours beside it."""

from __future__ import annotations

from ..model.extensions import Extension
from ..model.request import SubscriptionRequest
from ..store.deliveries import Told
from . import queries
from .call import Call
from .lists import LIMIT
from .reply import Reply, Rows
from .route import Route, Takes
from .wire_definitions import Changes, Located
from .wire_jobs import NotificationRow, SubscriptionRow


async def subscribe(call: Call) -> Reply:
    """Subscribe to a job that has not ended."""
    uuid = call.path["jobUuid"]
    made = await call.door.call(lambda engine: engine.subscriptions.add(call.user, uuid, call.body))
    stored = {"url": f"{call.base}/v3/jobs/subscribe/{made.uuid}"}
    return Reply(stored, f"JOBS_SUBSCRIPTION_CREATED Subscription {made.uuid} of job {uuid} created.")


async def get_subscriptions(call: Call) -> Reply:
    """List a job's subscriptions that are neither removed nor expired."""
    uuid, limit, skip = call.path["jobUuid"], _limit(call), call.query.skip
    rows = await call.door.call(lambda engine: engine.subscriptions.of_job(call.user, uuid, limit, skip))
    return Reply(rows, f"TAPIS_FOUND Job subscriptions found: {len(rows)}.")


async def delete_subscriptions(call: Call) -> Reply:
    """Remove one subscription, or all of a job."""
    uuid = call.path["uuid"]
    count = await call.door.call(lambda engine: engine.subscriptions.remove(call.user, uuid))
    return Reply({"changes": count}, f"JOBS_SUBSCRIPTIONS_DELETED Subscriptions removed: {count}.")


async def get_notifications(call: Call) -> Reply:
    """Tell what was told of a job and to whom, what waits to be told, and what went wrong."""
    uuid, limit, skip = call.path["jobUuid"], _limit(call), call.query.skip
    rows = await call.door.call(lambda engine: engine.subscriptions.deliveries(call.user, uuid, limit, skip))
    return Reply(Rows(rows, Told.to_wire), f"TAPIS_FOUND Job notifications found: {len(rows)}.")


def _limit(call: Call) -> int:
    return LIMIT if call.query.limit is None else int(call.query.limit)


_OF_JOB = "/v3/jobs/subscribe/{jobUuid}"
ROUTES = (
    Route("POST", _OF_JOB, "subscribe", subscribe, body=SubscriptionRequest, takes=Takes.RAW,
          result=Located),
    Route("GET", _OF_JOB, "getSubscriptions", get_subscriptions, queries.Paged,
          result=list[SubscriptionRow]),
    Route("DELETE", "/v3/jobs/subscribe/{uuid}", "deleteSubscriptions", delete_subscriptions,
          result=Changes),
    Route("GET", "/v3/jobs/{jobUuid}/notifications", "getJobNotifications", get_notifications,
          queries.Paged, result=list[NotificationRow], extension=Extension.SERVER),
)  # fmt: skip
