"""Who is told of a job's events: the request's subscriptions, then the app's."""

from __future__ import annotations

from typing import Any

from .app import AppSubscription, JobAttributes
from .fields import EventCategory
from .request import SubmitRequest, SubscriptionRequest

#: Minutes: a week where nothing is said, four weeks at most.
DEFAULT_TTL = 10_080
MOST_TTL = 40_320


def merged_subscriptions(request: SubmitRequest, attributes: JobAttributes) -> tuple[dict[str, Any], ...]:
    """Return the subscriptions of a job in Tapis's words."""
    own = [_in_words(item, item.event_category_filter) for item in request.subscriptions or ()]
    return (
        *own,
        *(_in_words(item, item.job_event_category_filter) for item in attributes.subscriptions or ()),
    )


def _in_words(item: SubscriptionRequest | AppSubscription, category: EventCategory) -> dict[str, Any]:
    ttl = item.ttl_minutes
    return {
        "description": item.description,
        "enabled": item.enabled is not False,
        "eventCategoryFilter": category.value,
        "deliveryTargets": [
            {"deliveryMethod": target.delivery_method.value, "deliveryAddress": target.delivery_address}
            for target in item.delivery_targets
        ],
        "ttlMinutes": DEFAULT_TTL if ttl is None or ttl < 1 else min(ttl, MOST_TTL),
    }
