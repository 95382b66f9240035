"""The values of a search, read from text: numbers, truth values, times."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from .attributes import Kind
from .conditions import Value
from .errors import InvalidInputError
from .texts import shown


def typed(text: str, kind: Kind, name: str) -> Value:
    """Return what *text*, compared with attribute *name*, says."""
    match kind:
        case Kind.NUMBER:
            if re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
                return int(text)
            raise wrong_value(name, text, "a whole number")
        case Kind.TRUTH:
            return truth(text, name)
        case Kind.TIME:
            return _time(text, name)
    return text


def truth(text: str, field: str) -> bool:
    """Return what ``true`` or ``False``, in any capitals, says."""
    said = {"true": True, "false": False}.get(text.strip().lower())
    if said is None:
        raise wrong_value(field, text, "true or false")
    return said


_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?)?)?"
    r"(Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)


def _time(text: str, name: str) -> str:
    """Return a time, of which the end may be missing (``2026-11``), as ``model.times`` writes it."""
    found = _TIME.fullmatch(text.strip())
    try:
        if found:
            return _utc_text(found)
    except (ValueError, OverflowError):
        pass
    raise wrong_value(name, text, "a time such as 2026-11-21T04:48:47Z or 2026-11")


def _utc_text(found: re.Match[str]) -> str:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    plain = (
        f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}"
        f".{(fraction or '0')[:6].ljust(6, '0')}{zone or 'Z'}"
    )
    return datetime.fromisoformat(plain).astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def wrong_value(name: str, text: str, expected: str) -> InvalidInputError:
    """Return the error for a value that is not what it must be."""
    return InvalidInputError(f"{name} must be {expected}, not {shown(text)}.", field=name, value=text)
