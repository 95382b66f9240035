"""Notifications: who is subscribed to a job, and what a delivery of one event says.

The body is Tapis's own (tapis-notifications, "Notification"); names and values of ``event.data`` are
those of Tapis Jobs, "Job Events".
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from .errors import InvalidInputError
from .fields import DeliveryMethod, EventCategory
from .job import Job, JobEvent
from .status import TERMINAL, EventType
from .texts import shown

#: Where events come from and what they are called (Tapis Jobs, "Subscriptions").
SOURCE = "https://tapis.io/jobs"
SERVICE = "jobs"
#: Methods that are delivered; a subscription may name others, as in Tapis.
DELIVERED = frozenset({DeliveryMethod.WEBHOOK, DeliveryMethod.EMAIL})

_NAMESPACE = uuid5(NAMESPACE_URL, SOURCE)
#: One plain address: no display name, no list, nothing that a mail header could be made of.
_EMAIL = re.compile(
    r"(?=.{1,320}\Z)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
)
#: Characters of a webhook's URL.
_LONGEST_URL = 2048


class DeliveryState(StrEnum):
    """What became of one event for one address."""

    #: It goes out next, or is tried again at ``nextTry``.
    WAITING = "WAITING"
    DELIVERED = "DELIVERED"
    #: Given up; ``lastError`` says why.
    FAILED = "FAILED"
    #: Its subscription was removed before it went out.
    DROPPED = "DROPPED"


#: Detail of the JOB_ERROR_MESSAGE that tells why a job failed, before the status that ends it.
FINAL_MESSAGE = "FINAL_MESSAGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where notifications of a subscription go."""

    method: DeliveryMethod
    address: str

    @property
    def receiver(self) -> str:
        """What answers for all addresses like this one: the mail server, or a web server."""
        if self.method is not DeliveryMethod.WEBHOOK:
            return self.method.value
        url = urlsplit(self.address)
        return f"{url.scheme}://{url.netloc}".lower()

    def to_wire(self) -> dict[str, Any]:
        """Return Tapis's words."""
        return {"deliveryMethod": self.method.value, "deliveryAddress": self.address}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who is told of which events of one job, until ``expires`` (ISO).

    ``details`` (ours beyond Tapis) narrows it to events with one of these details: statuses, mostly.
    """

    uuid: str
    description: str | None
    enabled: bool
    category: EventCategory
    details: tuple[str, ...] | None
    targets: tuple[Target, ...]
    ttl_minutes: int
    created: str
    expires: str
    #: Given by the store.
    id: int = 0
    job_uuid: str = ""

    def to_wire(self, job: Job) -> dict[str, Any]:
        """Return the subscription as Tapis Notifications lists it."""
        kind = "*" if self.category is EventCategory.ALL else self.category.value
        words: dict[str, Any] = {
            "uuid": self.uuid,
            "name": self.uuid,
            "tenant": job.tenant,
            "owner": job.owner,
            "description": self.description,
            "enabled": self.enabled,
            "typeFilter": f"{SERVICE}.{kind}.*",
            "subjectFilter": job.uuid,
            "deliveryTargets": [target.to_wire() for target in self.targets],
            "ttlMinutes": self.ttl_minutes,
            "expiry": self.expires,
            "created": self.created,
            "updated": self.created,
        }
        return words | ({"eventDetailFilter": list(self.details)} if self.details else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one address of a subscription, and what became of it. Times are ISO."""

    id: int
    job_id: int
    subscription_id: int
    target: int
    event_id: int
    method: DeliveryMethod
    address: str
    receiver: str
    state: DeliveryState
    tries: int
    next_try: str
    last_error: str | None
    updated: str

    @property
    def queue(self) -> tuple[int, int]:
        """What is delivered in order: all events of one job for one address."""
        return (self.subscription_id, self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """All that one delivery tells of. ``number`` counts the job's events, ``before`` is its last status."""

    delivery: Delivery
    subscription: str
    event: JobEvent
    job: Job
    number: int
    before: str | None

    def to_wire(self) -> dict[str, Any]:
        """Return the notification that Tapis would send; the same at every try."""
        event_uuid = self.event.uuid or made_uuid(f"event {self.event.job_uuid} {self.event.id}")
        detail = self.event.event_detail
        return {
            "uuid": made_uuid(f"delivery {self.subscription} {self.delivery.target} {self.event.id}"),
            "tenant": self.job.tenant,
            "subscriptionName": self.subscription,
            "eventUuid": event_uuid,
            "event": {
                "source": SOURCE,
                "type": f"{SERVICE}.{self.event.event}.{detail}",
                "subject": self.job.uuid,
                "data": json.dumps(self.data(), ensure_ascii=False),
                "seriesId": self.job.uuid,
                "seriesSeqCount": self.number,
                "timestamp": self.event.created,
                "received": self.event.created,
                "user": self.job.owner,
                "tenant": self.job.tenant,
                "uuid": event_uuid,
                "deleteSubscriptionsMatchingSubject": self.is_last,
            },
            "deliveryTarget": Target(method=self.delivery.method, address=self.delivery.address).to_wire(),
            "created": self.event.created,
        }

    @property
    def is_last(self) -> bool:
        """True for the event that ends the job and with it its subscriptions."""
        return self.event.event is EventType.JOB_NEW_STATUS and self.event.event_detail in TERMINAL

    def data(self) -> dict[str, Any]:
        """Return what the event says of the job."""
        job, event = self.job, self.event
        told: dict[str, Any] = {
            "jobName": job.name,
            "jobOwner": job.owner,
            "jobUuid": job.uuid,
            "message": event.description,
        }
        if event.event is EventType.JOB_NEW_STATUS:
            told |= {"newJobStatus": event.event_detail, "oldJobStatus": self.before}
        if event.event in (EventType.JOB_USER_EVENT, EventType.JOB_ERROR_MESSAGE):
            told["jobStatus"] = self.before
        if self.is_last or event.event is EventType.JOB_ERROR_MESSAGE:
            told |= {
                "blockedCount": job.blocked_count,
                "condition": job.condition,
                "remoteJobId": job.remote_job_id,
                "remoteJobId2": job.remote_job_id2,
                "remoteOutcome": job.remote_outcome,
                "remoteResultInfo": job.remote_result_info,
                "remoteQueue": job.remote_queue,
                "remoteSubmitted": job.remote_submitted,
                "remoteStarted": job.remote_started,
                "remoteEnded": job.remote_ended,
            }
        return told | {name: value for name, value in event.data.items() if value is not None}


def made_uuid(text: str) -> str:
    """Return the uuid that *text* always has: a receiver knows by it what it was sent before."""
    return str(uuid5(_NAMESPACE, text))


def subscription_of(words: Mapping[str, Any], *, uuid: str, created: str, expires: str) -> Subscription:
    """Return a subscription from its words in a job's definition (``model.subscriptions``)."""
    details = words.get("eventDetailFilter")
    return Subscription(
        uuid=uuid,
        description=words.get("description"),
        enabled=bool(words["enabled"]),
        category=EventCategory(words["eventCategoryFilter"]),
        details=tuple(details) if details else None,
        targets=tuple(
            Target(method=DeliveryMethod(target["deliveryMethod"]), address=target["deliveryAddress"])
            for target in words["deliveryTargets"]
        ),
        ttl_minutes=int(words["ttlMinutes"]),
        created=created,
        expires=expires,
    )


def check_address(method: DeliveryMethod, address: str, field: str) -> None:
    """Raise ``InvalidInputError`` for what is no e-mail address, or no URL of a webhook."""
    if method is DeliveryMethod.EMAIL and not _EMAIL.fullmatch(address):
        raise InvalidInputError(
            f"{field} {shown(address)} is not one e-mail address, like train301@example.org.",
            field=field,
            value=address,
        )
    if method is DeliveryMethod.WEBHOOK and (reason := _no_webhook(address)):
        raise InvalidInputError(
            f"{field} {shown(address)} is no webhook: {reason}. It takes a URL like https://example.org/hook.",
            field=field,
            value=address,
        )


def _no_webhook(address: str) -> str | None:
    """Return why *address* cannot be a webhook's URL, None when it can."""
    if len(address) > _LONGEST_URL:
        return f"it is longer than {_LONGEST_URL:,} characters"
    if not address.isascii() or any(character <= " " or character == "\x7f" for character in address):
        return "a space, control or non-ASCII character is in it"
    try:
        url = urlsplit(address)
        _ = url.port
    except ValueError as fault:
        return str(fault)
    if url.scheme.lower() not in ("http", "https") or not url.hostname:
        return "it does not begin with https:// or http:// and a host"
    if url.username is not None or url.password is not None:
        return "a user name or password in it would be shown to everybody who sees the subscription"
    return None


def is_plainly_private(address: str) -> bool:
    """Tell whether a webhook's URL names this machine or a private address in so many words."""
    host = urlsplit(address).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return False
