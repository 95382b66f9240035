"""One call: who makes it, what of, with which parameters and body."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError
from .service import Service

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    from ..model.user import User
    from .body import Piped
    from .door import Door

#: Query parameters that say nothing about what is asked for.
NOISE = frozenset({"pretty", "token", "_"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A decoded request. ``query`` and ``body`` are the route's models; a RAW body is plain JSON."""

    service: Service
    #: None only on public routes.
    caller: User | None
    path: Mapping[str, str]
    query: Any
    #: Query parameters that the model does not know: the conditions of a search.
    conditions: Mapping[str, str]
    body: Any
    upload: Piped | None
    headers: Mapping[str, str]
    #: What stood before ``/v3``: the base URL as the caller wrote it.
    base: str

    @property
    def user(self) -> User:
        """Who makes the call."""
        if self.caller is None:
            raise RuntimeError("a public route asked who calls")
        return self.caller

    @property
    def door(self) -> Door:
        """The way to the engine."""
        return self.service.door

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()


def query_of(arguments: Mapping[str, list[bytes]]) -> dict[str, str]:
    """Return the query as text: repeated parameters joined by commas, empty ones left out."""
    try:
        given = {name: ",".join(v.decode("utf-8") for v in values) for name, values in arguments.items()}
    except UnicodeDecodeError as fault:
        raise InvalidInputError("A query parameter is not UTF-8.", field="query") from fault
    return {name: words for name, words in given.items() if words}


def read_query(model: type[BaseModel] | None, given: Mapping[str, str]) -> tuple[Any, dict[str, str]]:
    """Return the query as its model, and what the model does not know."""
    if model is None:
        return None, {}
    known = {field.alias or name for name, field in model.model_fields.items()}
    mine = {name: words for name, words in given.items() if name in known}
    rest = {name: words for name, words in given.items() if name not in known and name not in NOISE}
    return checked(model, mine, "query"), rest


def checked(model: Any, value: Any, what: str, *, secret: bool = False) -> Any:
    """Return *value* as *model*; raises ``InvalidInputError`` in friendly words.

    The words do not hold the value when it is *secret*.
    """
    from pydantic import TypeAdapter, ValidationError

    from ..model.fields import model_inside
    from ..model.validation import friendly

    try:
        return TypeAdapter(model).validate_python(value)
    except ValidationError as fault:
        told = friendly(fault, what, model_inside(model))
        if secret:
            raise _without_value(fault, told) from None
        raise told from fault


#: Kinds of mistakes whose sentences name no value.
_NAMELESS = frozenset({"missing", "extra_forbidden", "string_too_long", "string_too_short"})


def _without_value(fault: ValidationError, told: InvalidInputError) -> InvalidInputError:
    """Return what is wrong with a body that holds a secret; the value itself is not told."""
    details = fault.errors(include_input=False, include_url=False)
    first = next((d for d in details if d["type"] == "extra_forbidden"), details[0])
    if first["type"] in _NAMELESS:
        return InvalidInputError(told.message, field=told.field)
    words = first["msg"][:1].lower() + first["msg"][1:]
    return InvalidInputError(f"{told.field or 'body'} cannot be used: {words}.", field=told.field)
