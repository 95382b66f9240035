"""What app and system definitions have in common: unknown keys are kept, every attribute is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .errors import InvalidInputError, did_you_mean
from .fields import StoredModel, known_names
from .validation import friendly

Stored = TypeVar("Stored", bound=StoredModel)


def parse_stored(model: type[Stored], raw: Mapping[str, Any], what: str) -> tuple[Stored, list[str]]:
    """Read a definition; returns it and a warning for each unknown key."""
    if not isinstance(raw, Mapping):
        raise InvalidInputError(f"the definition of {what} is an object, not {type(raw).__name__}.")
    try:
        definition = model.model_validate(dict(raw))
    except ValidationError as fault:
        raise friendly(fault, what, model) from None
    return definition, list(unknown_keys(definition))


def unknown_keys(part: BaseModel, place: str = "") -> Iterator[str]:
    """Yield a sentence for each key of *part*, at any depth, that is not Tapis's."""
    names = known_names(type(part))
    for key in part.model_extra or {}:
        yield f"'{place}{key}' is not an attribute that Tapis knows; it is kept.{did_you_mean(key, names)}"
    for name, field in type(part).model_fields.items():
        here = f"{place}{field.alias or name}"
        yield from _unknown_inside(getattr(part, name), here)


def _unknown_inside(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from unknown_keys(value, f"{place}.")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unknown_inside(item, f"{place}[{number}]")


def to_wire(part: BaseModel) -> dict[str, Any]:
    """Return *part* in Tapis's words: every attribute, null when unset, and the unknown keys."""
    return part.model_dump(mode="json", by_alias=True)
