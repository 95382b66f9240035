"""How a field is spelled: ``memory_mb`` inside, ``memoryMB`` on the wire."""

from __future__ import annotations

import re
from functools import lru_cache

#: Parts that Tapis writes in capitals.
_CAPITALS = {"mb": "MB"}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(maxsize=1024)
def wire_name(name: str) -> str:
    """Return Tapis's spelling of *name*: ``exec_system_id`` -> ``execSystemId``."""
    first, *rest = name.split("_")
    return first + "".join(_CAPITALS.get(part, part.capitalize()) for part in rest)


@lru_cache(maxsize=1024)
def inner_name(name: str) -> str:
    """Return our spelling of *name*, which may already have it: ``memoryMB`` -> ``memory_mb``."""
    return _HUMP.sub("_", name).lower()
