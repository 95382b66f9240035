"""Jobs on the wire: the bodies and results of the routes about jobs, beside Tapis's own job."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ..model.fields import DeliveryMethod, DeliveryTarget
from ..model.notifications import DeliveryState
from ..model.status import EventType
from .wire import Wire


class SearchBody(Wire):
    """Parts of one WHERE clause, joined as they are."""

    search: list[str]


class MatchBody(Wire):
    """Parts of one WHERE clause about attributes of systems, joined as they are."""

    match: list[str] = Field(min_length=1)


class UserEvent(Wire):
    """An event that a user or a job adds to the history."""

    event_data: str = Field(min_length=1, max_length=16384)
    event_detail: str = Field("DEFAULT", max_length=64)


class SubscriptionRow(Wire):
    """A subscription as Tapis Notifications lists it."""

    uuid: str
    name: str
    tenant: str
    owner: str
    description: str | None = None
    enabled: bool
    type_filter: str = Field(description="jobs.CATEGORY.*")
    subject_filter: str = Field(description="The job's uuid.")
    delivery_targets: list[DeliveryTarget]
    ttl_minutes: int
    expiry: str
    created: str
    updated: str
    event_detail_filter: list[str] | None = Field(None, description="Ours: only these details.")


class NotificationRow(Wire):
    """One event for one address, and what became of it."""

    subscription_uuid: str
    event: EventType
    event_detail: str
    delivery_method: DeliveryMethod
    delivery_address: str
    state: DeliveryState
    tries: int
    last_error: str | None = None
    next_try: str | None = None
    updated: str


class Uuids(Wire):
    """Several jobs."""

    uuids: list[str] = Field(max_length=10_000)


class Collected(Uuids):
    """One output of several jobs, or all that a glob means."""

    path: str = Field(min_length=1, max_length=4096, description="Below each job's output directory.")
    glob: bool = Field(
        False,
        description="Whether path is a glob: * stays within a folder, ** goes below. "
        "Then each file comes as files/UUID/NAME.",
    )


class Refusal(Wire):
    """Why one request of several was not accepted."""

    message: str
    field: str | None = None
    value: Any = None


class Submitted(Wire):
    """One request of several: the job it became, or why not."""

    uuid: str | None = None
    name: str | None = None
    status: str | None = None
    error: Refusal | None = None


class Asked(Wire):
    """One job of several that were asked to do something; ``status`` is success or error."""

    uuid: str
    status: str
    message: str


class Told(Wire):
    """One sentence."""

    message: str


class ValueOrigin(Wire):
    """One value of a job: where it comes from, and what more there is to say."""

    field: str
    value: Any
    source: str = Field(description="request, script, input, app, queue, system, profile or default.")
    why: str


class Validated(Wire):
    """What a request would become. ``sources`` and ``origins`` tell where the values come from."""

    job: dict[str, Any]
    script: str
    environment: str
    sources: dict[str, str]
    origins: list[ValueOrigin]
    warnings: list[str]


class Visibility(Wire):
    """Whether lists show a job."""

    uuid: str
    visible: bool
    message: str


class FileRow(Wire):
    """One entry of a listing, as the Tapis Files service describes it. ``size`` in bytes."""

    name: str
    path: str
    type: str
    size: int
    last_modified: str
    mime_type: str | None = None
    owner: str | None = None
    group: str | None = None
    native_permissions: str | None = None
    url: str | None = None
