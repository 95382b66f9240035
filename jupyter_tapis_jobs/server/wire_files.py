"""Files on the wire: operations, access lists, transfers, postits."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from ..engine.linux import AclChange, Change, Recursion
from ..model.names import wire_name
from .wire import Wire


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
