"""How far an application says it is: a percentage and a few words, as it may write them.

On a line that begins with ``LINE_MARK``: ``40% step 12`` or ``12/30 step 12``. In a file:
``{"percent": 40, "message": …}`` or ``{"done": 12, "total": 30, …}``. In a callback:
``{"progress": 40, "message": …}``; there 40 may be the text of a line or the object of a file, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import InvalidInputError
from .texts import UNPRINTED, shown

#: What a line of the output begins with that tells of progress.
LINE_MARK = "tapisjob-progress:"
#: The file that tells the same, in the output or the execution directory.
FILE = "progress.json"
#: Bytes of that file, and of a callback.
MOST_BYTES = 4096
#: Characters of the words.
LONGEST = 200

_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_TEXT = re.compile(rf"({_NUMBER})\s*(?:%|/\s*({_NUMBER}))(?:\s+(.*))?", re.DOTALL | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What was told: *percent* 0 to 100, None where only words came."""

    percent: float | None = None
    message: str = ""


def from_line(text: str) -> Progress:
    """Read what follows ``LINE_MARK``: ``40% words`` or ``12/30 words``. Raises ``InvalidInputError``."""
    return _from_text(LINE_MARK, text)


def from_file(text: str) -> Progress:
    """Read ``progress.json``. Raises ``InvalidInputError``."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, Mapping):
        raise _fault(FILE, text.strip(), 'is no JSON object. Write {"percent": 40, "message": "…"}')
    return _from_record(FILE, value)


def from_callback(body: Mapping[str, Any]) -> Progress | None:
    """Read the body of a callback; None when it tells nothing. Raises ``InvalidInputError``."""
    told, words = body.get("progress"), body.get("message")
    if told is None and words is None:
        return None
    if words is not None and not isinstance(words, str):
        raise _fault("message", words, "is no text")
    if isinstance(told, str) and _number(told) is None:
        found = _from_text("progress", told)
    elif isinstance(told, Mapping):
        found = _from_record("progress", told)
    else:
        found = Progress(percent=None if told is None else _percent("progress", told))
    return found if words is None else Progress(percent=found.percent, message=_words(words))


def _from_text(field: str, text: str) -> Progress:
    if not (found := _TEXT.fullmatch(text.strip())):
        raise _fault(field, text.strip(), "is no progress. Write '40% some words' or '12/30 some words'")
    number, total, words = found.groups()
    percent = _percent(field, number) if total is None else _share(field, number, total)
    return Progress(percent=percent, message=_words(words or ""))


def _from_record(field: str, value: Mapping[str, Any]) -> Progress:
    words = value.get("message")
    if words is not None and not isinstance(words, str):
        raise _fault(f"{field}: message", words, "is no text")
    message = _words(words or "")
    if (percent := value.get("percent")) is not None:
        return Progress(percent=_percent(f"{field}: percent", percent), message=message)
    if "done" in value or "total" in value:
        return Progress(percent=_share(field, value.get("done"), value.get("total")), message=message)
    if not message:
        raise _fault(field, dict(value), "tells no progress. Give percent, done and total, or message")
    return Progress(message=message)


def _percent(field: str, value: Any) -> float:
    number = _number(value)
    if number is None or not 0 <= number <= 100:
        raise _fault(field, value, "is not a number from 0 to 100 (%)")
    return round(number, 4)


def _share(field: str, done: Any, total: Any) -> float:
    part, whole = _number(done), _number(total)
    if part is None or whole is None or not (0 <= part <= whole and whole > 0):
        raise _fault(field, f"{done}/{total}", "is no part of a whole. Give done from 0 to total, above 0")
    return round(100 * part / whole, 4)


def _number(value: Any) -> float | None:
    """Return a number that stands there as one or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _words(text: str) -> str:
    """Return a message in one line that a terminal and a page may show."""
    line = " ".join(UNPRINTED.sub(" ", text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _fault(field: str, value: object, why: str) -> InvalidInputError:
    return InvalidInputError(f"{field} {shown(value)} {why}.", field=field.rstrip(":"), value=value)
