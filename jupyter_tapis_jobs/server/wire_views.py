"""What views in a browser ask for, on the wire."""

from __future__ import annotations

from pydantic import Field

from .wire import Wire


class StatusCounts(Wire):
    """How many jobs have each status; a status that no job has is left out."""

    counts: dict[str, int] = Field(description="Jobs by status.")
    total: int
    last_event: int = Field(description="Id of the newest event that is counted in; later ones change it.")
