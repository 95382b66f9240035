"""Whether what came as a request has the parts of one, before anybody looks into them."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping
from typing import Any

from .errors import InvalidInputError

_LISTS = ("appArgs", "containerArgs", "schedulerOptions", "envVariables")
#: What names an entry, and is text.
_TEXTS = ("name", "key", "sourceUrl", "targetPath", "arg")
#: Values that a request may hold; YAML's aliases make many out of few.
_MOST = 200_000


def refuse_odd_parts(request: Mapping[str, Any]) -> None:
    """Raise ``InvalidInputError`` unless inputs, arguments and variables are lists of objects."""
    parameters = request.get("parameterSet")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise InvalidInputError("parameterSet must be an object.", field="parameterSet", value=parameters)
    parts = {f"parameterSet.{name}": (parameters or {}).get(name) for name in _LISTS}
    for field, items in {"fileInputs": request.get("fileInputs"), **parts}.items():
        if items is None:
            continue
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise InvalidInputError(f"{field} must be a list of objects.", field=field)
        for number, item in enumerate(items):
            odd = next((name for name in _TEXTS if not isinstance(item.get(name, ""), str | None)), None)
            if odd is not None:
                raise InvalidInputError(f"{field}[{number}].{odd} must be text.", field=f"{field}.{odd}")


def as_json(value: Any) -> Any:
    """Return *value*, read from YAML, in JSON's kinds: dates as text, keys as text."""
    return _as_json(value, iter(range(_MOST)))


def _as_json(value: Any, left: Iterator[int]) -> Any:
    if next(left, None) is None:
        raise InvalidInputError(f"A request has at most {_MOST:,} values.", field="request")
    if isinstance(value, Mapping):
        return {str(key): _as_json(item, left) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_as_json(item, left) for item in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise InvalidInputError(f"{value!r:.60} is no value of a request.", field="request")
