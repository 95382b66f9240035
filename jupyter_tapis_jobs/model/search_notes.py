"""Searches by a job's notes: ``notes.mesh``, ``notes.soil.layer``; points lead inside of objects."""

from __future__ import annotations

import re

from .attributes import OPS, Kind
from .errors import InvalidInputError
from .texts import CONTROL, shown

PREFIX = "notes."
#: What may be asked of a note; between is two of these.
NOTE_OPS = tuple(op for op in OPS[Kind.TEXT] if op not in ("between", "nbetween"))
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def note_and_op(key: str) -> tuple[str, str]:
    """Split ``notes.mesh.eq`` into attribute and operator; a last part that is none belongs to the name."""
    name, _, last = key.rpartition(".")
    if name.startswith(PREFIX) and last.lower() in NOTE_OPS:
        return name, last.lower()
    return key, "eq"


def note_path(name: str) -> str:
    """Return where in a job's definition the attribute ``notes.…`` is, as a JSON path of SQLite."""
    keys = name.removeprefix(PREFIX).split(".")
    if not all(keys) or '"' in name or CONTROL.search(name):
        raise InvalidInputError(
            f"{shown(name)} names no note. Write notes.KEY, or notes.KEY.KEY for what is inside; a key "
            "without quotes and points.",
            field="notes",
            value=name,
        )
    return "$.notes" + "".join(f'."{key}"' for key in keys)


def check_note_op(op: str, name: str) -> None:
    """Raise ``InvalidInputError`` unless a note can be compared by *op*."""
    if op not in NOTE_OPS:
        raise InvalidInputError(
            f"'{op}' is not an operator for {shown(name)}. Operators: {', '.join(NOTE_OPS)}.",
            field=name,
            value=op,
        )


def note_number(text: str) -> int | float | None:
    """Return the number that *text* is, or None."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
