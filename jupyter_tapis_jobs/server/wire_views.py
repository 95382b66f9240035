"""What views in a browser ask for, on the wire."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ..model.output_preview import PreviewKind
from .wire import Wire


class StatusCounts(Wire):
    """How many jobs have each status; a status that no job has is left out."""

    counts: dict[str, int] = Field(description="Jobs by status.")
    total: int
    last_event: int = Field(description="Id of the newest event that is counted in; later ones change it.")


class ValueCounts(Wire):
    """The values of one attribute of jobs, those that most jobs have first."""

    values: dict[str, int] = Field(
        description="How many jobs have each value; jobs without one are left out."
    )
    is_all: bool = Field(description="False where there are more values than are told.")


class RequestOf(Wire):
    """A request that is to be written as code; it need not be complete."""

    request: dict[str, Any]


class JobCode(Wire):
    """A request as code."""

    cell: str | None = Field(description="A %%tapisjob cell; null where no cell can say the same.")
    python: str = Field(description="A call of tapis.submit.")
    json_: str = Field(alias="json", description="The request as it is.")


class TextOfJob(Wire):
    """What somebody has: a %%tapisjob cell, or a request in JSON or YAML."""

    text: str = Field(max_length=4_000_000)


class ReadRequest(Wire):
    """The request that was read."""

    request: dict[str, Any]
    warnings: list[str] = Field(description="What could not be taken over, one sentence each.")


class TextOfDefinitions(Wire):
    """Definitions as somebody has them: YAML (of one or several documents) or JSON."""

    text: str = Field(max_length=4_000_000)


class ReadDefinitions(Wire):
    """What each document of the text holds, as it is."""

    definitions: list[Any]


class OfferedSystem(Wire):
    """A system that a form offers."""

    id: str
    description: str | None
    can_run_batch: bool


class OfferedQueue(Wire):
    """A queue that a form offers; ``limits`` has minimum and maximum by field."""

    name: str
    description: str | None
    limits: dict[str, dict[str, int]]


class AppForm(Wire):
    """The form of a job of an app."""

    app_id: str
    app_version: str
    job_type: Literal["FORK", "BATCH"]
    about: dict[str, Any] = Field(description="label, description, category, icon, helpUrl, …")
    systems: list[OfferedSystem]
    exec_system_id: str | None
    queues: list[OfferedQueue]
    schema_: dict[str, Any] = Field(alias="schema", description="JSON Schema (2020-12) of the values.")
    ui: dict[str, Any] = Field(description="Hints as rjsf takes them (ui:widget).")
    values: dict[str, Any] = Field(description="What the form is filled with at first.")


class FilledForm(Wire):
    """A form's values, and what of a request a form has no fields for."""

    values: dict[str, Any]
    rest: dict[str, Any] = Field(default_factory=dict)


class FormRequest(Wire):
    """The request that a filled form asks for."""

    request: dict[str, Any]


class OutputPreview(Wire):
    """What is shown of an output. ``size`` in bytes."""

    name: str
    size: int
    kind: PreviewKind
    text: str = Field(description="Of the kinds text, json and header.")
    columns: list[str] = Field(description="Of a table: the names of its columns.")
    rows: list[list[str | int | float | None]] = Field(description="Of a table: its first rows.")
    media_type: str | None = Field(description="Of an image.")
    truncated: bool = Field(description="Whether the file goes on behind what is shown.")
    note: str = Field(description="What is odd about the file.")


class ExtraColumn(Wire):
    """A column that another package adds."""

    name: str
    title: str
    kind: Literal["text", "number", "time"]


class ExtraAction(Wire):
    """An action that another package adds."""

    name: str
    title: str
    confirm: str | None = Field(description="What is asked before; null does it at once.")
    statuses: list[str] = Field(description="Of which statuses a job must be; none means any.")


class RowExtras(Wire):
    """What other packages add to the rows of jobs."""

    columns: list[ExtraColumn]
    actions: list[ExtraAction]
    faults: list[str] = Field(description="What could not be loaded, and why.")


class SomeJobs(Wire):
    """Jobs, as many as a page has."""

    uuids: list[str] = Field(max_length=1000)


class ColumnValues(Wire):
    """What added columns have, by job and column."""

    values: dict[str, dict[str, str | int | float | bool | None]]
