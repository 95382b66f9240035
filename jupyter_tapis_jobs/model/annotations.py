"""What is written on a job after it was submitted: tags and notes (Tapis Jobs, "annotation")."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import Field

from .errors import InvalidInputError
from .fields import Notes, RequestModel
from .request import Tag

#: Of tags and of notes, as JSON, UTF-8.
MOST_BYTES = 131_072


class Annotation(RequestModel):
    """Tags and notes for a job; what is left out stays as it is."""

    tags: list[Tag] | None = Field(None, description="PUT replaces the tags, [] clears them; PATCH adds.")
    notes: Notes | None = Field(None, description="PUT replaces the notes, {} clears them; PATCH sets keys.")


Tags = tuple[str, ...]
#: Lays an annotation over a job's tags and notes.
Annotate = Callable[[Annotation, Sequence[str], Mapping[str, Any]], tuple[Tags, dict[str, Any]]]


def replaced(asked: Annotation, tags: Sequence[str], notes: Mapping[str, Any]) -> tuple[Tags, dict[str, Any]]:
    """Return the tags and notes after a PUT: those that are given, in the place of the others."""
    return _fitting(tags if asked.tags is None else asked.tags, notes if asked.notes is None else asked.notes)


def added(asked: Annotation, tags: Sequence[str], notes: Mapping[str, Any]) -> tuple[Tags, dict[str, Any]]:
    """Return the tags and notes after a PATCH: more tags, and the top-level keys of notes set."""
    return _fitting([*tags, *(asked.tags or ())], {**notes, **(asked.notes or {})})


def _fitting(tags: Sequence[str], notes: Mapping[str, Any]) -> tuple[Tags, dict[str, Any]]:
    kept = sorted(set(tags))
    for field, value in (("tags", kept), ("notes", dict(notes))):
        size = len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if size > MOST_BYTES:
            raise InvalidInputError(
                f"{field} of the job would have {size:,} bytes; at most {MOST_BYTES:,} are kept. "
                "Leave some out, or write them into a file.",
                field=field,
            )
    return tuple(kept), dict(notes)
