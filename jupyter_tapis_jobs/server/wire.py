"""What travels beside Tapis's own jobs, apps and systems: the bodies and results of the routes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..engine.linux import AclChange, Change, Recursion
from ..model.fields import DeliveryMethod, DeliveryTarget
from ..model.names import wire_name
from ..model.notifications import DeliveryState
from ..model.status import EventType


class Wire(BaseModel):
    """Base of all; names on the wire are Tapis's, unknown keys of bodies are refused."""

    model_config = ConfigDict(extra="forbid", alias_generator=wire_name, populate_by_name=True)


class Text(BaseModel):
    """A form of its own: unknown keys are let pass, as OAuth 2 and tapipy send more than is needed."""

    model_config = ConfigDict(extra="ignore")


# -- jobs


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
    """One output of several jobs."""

    path: str = Field(min_length=1, max_length=4096, description="Below each job's output directory.")


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


class Cancelled(Wire):
    """One job of several that were asked to end; ``status`` is success or error."""

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


# -- apps and systems


class Created(Wire):
    """Where a new app or system is, and what was odd about its definition."""

    url: str
    warnings: list[str] = Field(default_factory=list)


class Located(Wire):
    """Where a new thing is."""

    url: str


class Changes(Wire):
    """How many rows were changed."""

    changes: int


class Enabled(Wire):
    """Whether an app or a system may be used: Tapis's specification has one name, its service the other."""

    a_bool: bool
    a_boolean: bool


def enabled(yes: bool) -> dict[str, bool]:
    """Return ``Enabled`` as it is sent."""
    return {"aBool": yes, "aBoolean": yes}


class HistoryRow(Wire):
    """Who changed what, and when."""

    app_version: str | None = None
    jwt_tenant: str
    jwt_user: str
    obo_tenant: str
    obo_user: str
    operation: str
    description: str
    created: str


class Variable(Wire):
    """The value of an environment variable on a host, as Tapis names it."""

    name: str


class Credential(Wire):
    """What may be told of a credential; everything secret is null."""

    authn_method: str
    login_user: str | None = None
    password: None = None
    private_key: None = None
    public_key: None = None
    access_key: None = None
    access_secret: None = None
    access_token: None = None
    refresh_token: None = None
    tms_private_key: None = None
    tms_public_key: None = None
    tms_fingerprint: None = None
    certificate: None = None


# -- hosts


class HostState(Wire):
    """How a host stands: connected, idle, trouble or code needed."""

    id: str
    state: str
    message: str
    next_try: str | None = None
    #: The name on the host.
    user: str


class HostQueue(Wire):
    """A queue of a host's scheduler and its limits per job; null is without limit."""

    name: str
    nodes: int | None = None
    #: Per node.
    cores: int | None = None
    memory_mb: Annotated[int | None, Field(alias="memoryMB")] = None
    minutes: int | None = None


class HostArrays(Wire):
    """The highest index of a job array; 0 where arrays are forbidden."""

    max: int


class HostRuntime(Wire):
    """A runtime that was found on a host."""

    type: str
    version: str | None = None


class HostReport(Wire):
    """What was found on a host. ``lines`` is for people."""

    scheduler: str | None = None
    queues: list[HostQueue]
    arrays: HostArrays
    runtimes: list[HostRuntime]
    home: str | None = None
    work_dir: str
    fingerprint: str | None = None
    #: How the host's key became known: pinned, known_hosts or accepted.
    known: str | None = None
    warnings: list[str]
    lines: list[str]


class AddedHost(Wire):
    """The system that a host became, and what was found there."""

    system: dict[str, Any]
    report: HostReport


# -- files


class NewFolder(Wire):
    """A directory to be made, with its parents."""

    path: str


class Operation(StrEnum):
    """What is done with a file."""

    COPY = "COPY"
    MOVE = "MOVE"


class MoveCopy(Wire):
    """Where a file or directory goes; ``newPath`` is relative to the same system's rootDir."""

    operation: Operation
    new_path: str


class StatInfo(Wire):
    """What the host's ``stat`` tells. Sizes in bytes, times in seconds since the epoch."""

    absolute_path: str
    uid: int
    gid: int
    size: int
    perms: str
    access_time: int
    modify_time: int
    dir: bool
    link: bool


class LinuxOperation(Wire):
    """What is changed of a file's mode, owner or group."""

    operation: Change
    argument: str = Field(description="As the command takes it: 750, u+rwx; a user, user:group; a group.")


class LinuxOutcome(Wire):
    """A command that was run on the host, and what it said."""

    command: str
    exit_code: int
    std_out: str
    std_err: str


class AclRow(Wire):
    """One entry of an access list."""

    default_acl: bool
    type: str
    principal: str
    permissions: str


class NewAcl(Wire):
    """What is done with entries of an access list."""

    operation: AclChange
    recursion_method: Recursion = Recursion.NONE
    acl_string: str | None = Field(None, description="user:ada:rwx,group:staff:r-x")


class TransferElement(Wire):
    """One source and where it goes."""

    source_uri: Annotated[str, Field(alias="sourceURI", max_length=4096)]
    destination_uri: Annotated[str, Field(alias="destinationURI", max_length=4096)]
    optional: bool | None = Field(None, description="The transfer does not fail with it.")
    transfer_type: Literal["TRANSFER"] | None = Field(
        None, description="Tapis's other types are for its own services; moveCopy moves within a system."
    )


class NewTransfer(Wire):
    """What is to be brought."""

    tag: str | None = Field(None, max_length=4096)
    elements: list[TransferElement] = Field(min_length=1, max_length=1000)


class TransferRow(Wire):
    """A transfer or a part of it. Sizes in bytes."""

    model_config = ConfigDict(extra="allow", alias_generator=wire_name, populate_by_name=True)

    uuid: str
    status: str
    created: str
    start_time: str | None
    end_time: str | None
    error_message: str | None


class Transfer(TransferRow):
    """A transfer; ``parentTasks`` are its elements."""

    tag: str | None
    username: str
    tenant_id: str
    total_transfers: int
    complete_transfers: int
    estimated_total_bytes: int
    total_bytes_transferred: int
    parent_tasks: list[TransferRow]


_Uses = Annotated[int | None, Field(ge=-1, le=2**31 - 1, description="-1 is without limit.")]
_Seconds = Annotated[int | None, Field(ge=1, le=2**31 - 1, description="From now on.")]


class NewPostIt(Wire):
    """How often (once) and for how long (30 days) a link can be used."""

    allowed_uses: _Uses = None
    valid_seconds: _Seconds = None
    unlimited: bool = Field(False, description="Ours: without end and number of uses.")


class ChangedPostIt(NewPostIt):
    """How often and until when a link can be used from now on."""

    expiration: str | None = Field(None, max_length=64, description="ISO-8601.")
    unlimited: bool = Field(False, description="Without end and number of uses.")


class PostIt(Wire):
    """A link with which anybody reads a path. ``expiration`` of null is for ever."""

    id: str
    postit_id: str
    system_id: str
    owner: str
    tenant_id: str
    path: str
    allowed_uses: int
    times_used: int
    jwt_user: str
    jwt_tenant_id: str
    redeem_url: str
    expiration: str | None
    created: str
    updated: str


# -- signing in


class TokenRequest(Text):
    """OAuth 2's grants: ``password`` with name and password, ``refresh_token`` with such a token."""

    username: str | None = Field(None, min_length=1, max_length=256)
    password: Annotated[str | None, Field(repr=False)] = None
    refresh_token: Annotated[str | None, Field(repr=False)] = None
    grant_type: str = "password"


class RefreshRequest(Text):
    """A refresh token for which new tokens are given."""

    refresh_token: Annotated[str, Field(repr=False)]


class AccessToken(Text):
    """A token in Tapis's form."""

    access_token: str
    expires_in: int
    expires_at: str
    jti: str


class RefreshToken(Text):
    """A token that is good once, for the next tokens."""

    refresh_token: str
    expires_in: int
    expires_at: str
    jti: str


class TokenAnswer(Text):
    """What signing in gives."""

    access_token: AccessToken
    refresh_token: RefreshToken | None = None


class RevokeRequest(Text):
    """A token that shall not be taken any more."""

    token: str


class NewUserToken(Wire):
    """A token that the server's user makes: for themselves when no name is given."""

    username: str | None = Field(None, max_length=58, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]*$")
    days: int = Field(365, ge=1, le=3650)


class Profile(Text):
    """A person, as Tapis's authenticator describes one."""

    username: str
    email: str | None = None
    name: str | None = None
    given_name: str | None = None
    last_name: str | None = None
    create_time: str | None = None


# -- tenants


class Site(Text):
    """The site of our one tenant."""

    site_id: str
    base_url: str
    primary: bool = True
    tenant_base_url_template: str
    site_admin_tenant_id: str
    services: list[str]


class Tenant(Text):
    """Our one tenant. ``base_url`` is what the caller put before ``/v3``."""

    tenant_id: str
    base_url: str
    site_id: str
    token_service: str
    security_kernel: str
    authenticator: str
    owner: str
    admin_user: str
    description: str
    public_key: str
    status: str = "ACTIVE"
    extensions: list[str] = Field(
        default_factory=list, description="Ours: what this server does beyond Tapis's specification."
    )


# -- this server


class Check(Wire):
    """That a service answers."""

    status: str
    version: str


class JobsCheck(Check):
    """That the Jobs service answers, and reaches what it rests on."""

    check_num: int
    database_access: bool
    queue_access: bool
    tenants_access: bool


class Health(Wire):
    """How the job engine stands."""

    state: str
    holder: dict[str, Any] | None = None
    detail: dict[str, Any] = Field(default_factory=dict)


class Place(Wire):
    """A directory on a system."""

    system: str
    path: str


class ServerInfo(Wire):
    """This server, its engine and who you are to it."""

    version: str
    engine: Health
    user: str
    tenant: str
    is_server_user: bool
    uploads: Place
    extensions: list[str]
    launch_modes: list[str]
    max_body_bytes: int
    #: How many listen to events at this server now.
    listeners: int
