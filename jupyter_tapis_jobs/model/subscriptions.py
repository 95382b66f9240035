"""Who is told of a job's events: the request's subscriptions, then the app's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .app import AppSubscription, JobAttributes
from .errors import InvalidInputError, did_you_mean
from .fields import DeliveryTarget, EventCategory
from .legacy import today_subscription
from .notifications import check_address
from .request import SubmitRequest, SubscriptionRequest
from .status import JobStatus

#: Minutes: a week where nothing is said, four weeks at most.
DEFAULT_TTL = 10_080
MOST_TTL = 40_320
#: Addresses that one subscription takes.
MOST_TARGETS = 50


def merged_subscriptions(request: SubmitRequest, attributes: JobAttributes) -> tuple[dict[str, Any], ...]:
    """Return the subscriptions of a job in Tapis's words; the app's follow the request's."""
    own = [
        _in_words(item, item.event_category_filter, f"subscriptions[{number}]")
        for number, item in enumerate(request.subscriptions or ())
    ]
    inherited = [
        _in_words(item, item.job_event_category_filter, f"jobAttributes.subscriptions[{number}] of the app")
        for number, item in enumerate(attributes.subscriptions or ())
    ]
    return (*own, *inherited)


def parse_subscription(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a subscription that is added to a running job, in Tapis's words.

    Raises ``InvalidInputError``. Source: Tapis Jobs, "Subscriptions" (``ReqSubscribe``).
    """
    from pydantic import ValidationError

    from .validation import friendly

    if not isinstance(raw, Mapping):
        raise InvalidInputError(
            "a subscription is an object with eventCategoryFilter and deliveryTargets, "
            f"not {type(raw).__name__}."
        )
    try:
        item = SubscriptionRequest.model_validate(today_subscription(raw))
    except ValidationError as fault:
        raise friendly(fault, "subscription", SubscriptionRequest) from fault
    return _in_words(item, item.event_category_filter, "")


def _in_words(
    item: SubscriptionRequest | AppSubscription, category: EventCategory, place: str
) -> dict[str, Any]:
    field = f"{place}." if place else ""
    _check_targets(item.delivery_targets, f"{field}deliveryTargets")
    ttl = item.ttl_minutes
    words: dict[str, Any] = {
        "description": item.description,
        "enabled": item.enabled is not False,
        "eventCategoryFilter": category.value,
        "deliveryTargets": [
            {"deliveryMethod": target.delivery_method.value, "deliveryAddress": target.delivery_address}
            for target in item.delivery_targets
        ],
        "ttlMinutes": DEFAULT_TTL if ttl is None or ttl < 1 else min(ttl, MOST_TTL),
    }
    if item.event_detail_filter:
        _check_details(item.event_detail_filter, category, f"{field}eventDetailFilter")
        words["eventDetailFilter"] = list(item.event_detail_filter)
    return words


def _check_targets(targets: Sequence[DeliveryTarget], field: str) -> None:
    if len(targets) > MOST_TARGETS:
        raise InvalidInputError(
            f"{field} holds {len(targets)} addresses; {MOST_TARGETS} are taken.", field=field
        )
    for number, target in enumerate(targets):
        check_address(target.delivery_method, target.delivery_address, f"{field}[{number}].deliveryAddress")


def _check_details(details: Sequence[str], category: EventCategory, field: str) -> None:
    """A misspelt status would never be told."""
    if category is not EventCategory.JOB_NEW_STATUS:
        return
    known = [status.value for status in JobStatus]
    for word in details:
        if word not in known:
            hint = did_you_mean(word, known)
            raise InvalidInputError(
                f"{field}: {word!r} is no status of a job.{hint} Valid: {', '.join(known)}.",
                field=field,
                value=word,
            )
