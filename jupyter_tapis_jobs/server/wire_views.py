"""What views in a browser ask for, on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from .wire import Wire


class StatusCounts(Wire):
    """How many jobs have each status; a status that no job has is left out."""

    counts: dict[str, int] = Field(description="Jobs by status.")
    total: int
    last_event: int = Field(description="Id of the newest event that is counted in; later ones change it.")


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
