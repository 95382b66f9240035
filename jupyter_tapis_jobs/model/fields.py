"""The building blocks of what travels: model base classes, and field types with Tapis's limits."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationInfo

from .names import wire_name

Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
#: At least one; used for what is measured.
Positive = Annotated[int, Strict(), Field(ge=1)]
Notes = dict[str, Any]

#: Stands for "no value yet" (Tapis Jobs, "envVariables"; Tapis Apps, "dtnSystemInputDir").
NOT_SET = "!tapis_not_set"


class JobType(StrEnum):
    """How a job is started: FORK runs it at once on the host, BATCH through the host's scheduler."""

    FORK = "FORK"
    BATCH = "BATCH"


class ArchiveMode(StrEnum):
    """When outputs are archived: ALWAYS, not when the application failed, or NEVER."""

    ALWAYS = "ALWAYS"
    SKIP_ON_FAIL = "SKIP_ON_FAIL"
    NEVER = "NEVER"


class InputMode(StrEnum):
    """What a request may do with an argument or variable that a definition names."""

    REQUIRED = "REQUIRED"
    FIXED = "FIXED"
    INCLUDE_ON_DEMAND = "INCLUDE_ON_DEMAND"
    INCLUDE_BY_DEFAULT = "INCLUDE_BY_DEFAULT"


class FileInputMode(StrEnum):
    """What a request may do with an input that an app names."""

    REQUIRED = "REQUIRED"
    OPTIONAL = "OPTIONAL"
    FIXED = "FIXED"


class RuntimeType(StrEnum):
    """What an app's image is."""

    DOCKER = "DOCKER"
    SINGULARITY = "SINGULARITY"
    ZIP = "ZIP"


class EventCategory(StrEnum):
    """Which events of a job a subscription is about."""

    JOB_NEW_STATUS = "JOB_NEW_STATUS"
    JOB_INPUT_TRANSACTION_ID = "JOB_INPUT_TRANSACTION_ID"
    JOB_ARCHIVE_TRANSACTION_ID = "JOB_ARCHIVE_TRANSACTION_ID"
    JOB_SUBSCRIPTION = "JOB_SUBSCRIPTION"
    JOB_SHARE_EVENT = "JOB_SHARE_EVENT"
    JOB_ERROR_MESSAGE = "JOB_ERROR_MESSAGE"
    JOB_USER_EVENT = "JOB_USER_EVENT"
    ALL = "ALL"


class DeliveryMethod(StrEnum):
    """How a notification travels; WEBHOOK and EMAIL are delivered."""

    WEBHOOK = "WEBHOOK"
    EMAIL = "EMAIL"
    QUEUE = "QUEUE"
    ACTOR = "ACTOR"


class RequestModel(BaseModel):
    """Part of a request: a key that it does not know is an error."""

    model_config = ConfigDict(alias_generator=wire_name, frozen=True, extra="forbid")


class StoredModel(BaseModel):
    """Part of an app or system definition: a key that it does not know is kept."""

    model_config = ConfigDict(alias_generator=wire_name, frozen=True, extra="allow")


def default_for_null(model: type[BaseModel], value: Any, info: ValidationInfo) -> Any:
    """Return the default of a field that a file or an answer of Tapis says to be null."""
    return model.model_fields[str(info.field_name)].get_default() if value is None else value


class DeliveryTarget(RequestModel):
    """Where a notification goes."""

    delivery_method: DeliveryMethod = Field(description="WEBHOOK and EMAIL are delivered.")
    delivery_address: str = Field(min_length=1, description="A URL, or an e-mail address.")


def known_names(model: type[BaseModel]) -> list[str]:
    """Return the wire names of *model*'s fields."""
    return [field.alias or name for name, field in model.model_fields.items()]


def model_inside(annotation: Any) -> type[BaseModel] | None:
    """Return the model that *annotation* (``list[Model] | None`` ...) holds, if it holds one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(model_inside, get_args(annotation))), None)
