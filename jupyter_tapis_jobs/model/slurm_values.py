"""Values as Slurm writes them: times, memory, numbers (manual page of sbatch)."""

from __future__ import annotations

import re

#: ``d-h``, ``d-h:m``, ``d-h:m:s``, ``m``, ``m:s``, ``h:m:s``.
_TIME = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?")
_NO_LIMIT = ("-1", "infinite", "unlimited")
_MEMORY = re.compile(r"(\d+)([KMGT]?)B?", re.IGNORECASE)
#: A unit of memory -> how many KiB it has; without a unit a number counts MiB.
_KIB = {"K": 1, "": 1024, "M": 1024, "G": 1024**2, "T": 1024**3}


def minutes_of(text: str) -> int | None:
    """Return a time in minutes, begun ones counted as whole; 0 is without limit, None is no time."""
    if text.lower() in _NO_LIMIT:
        return 0
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    days, *rest = found.groups()
    parts = [int(part) for part in rest if part is not None]
    if days is not None:
        hours, minutes, seconds = [*parts, 0, 0][:3]
    elif len(parts) == 3:
        hours, minutes, seconds = parts
    else:
        hours, (minutes, seconds) = 0, [*parts, 0][:2]
    return -(-(((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds) // 60)


def megabytes_of(text: str) -> int | None:
    """Return an amount of memory in MiB, rounded up; None is no amount."""
    found = _MEMORY.fullmatch(text)
    return None if found is None else -(-int(found[1]) * _KIB[found[2].upper()] // 1024)


def number_of(text: str) -> int | None:
    """Return a number from 1 on; None is none."""
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else None
