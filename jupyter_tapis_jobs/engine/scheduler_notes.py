"""What a system's notes say of its scheduler: how one is reached that has no commands of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ..model.dask import DASK
from ..model.system import System
from .rights import LOCAL

#: The schedulers that are told about in a system's notes, under their name in lower case.
TOLD_BY_NOTES = frozenset({DASK})


def scheduler_notes(system: System) -> Mapping[str, Any]:
    """Return ``notes.dask`` of a system; on this machine Dask is asked by our own Python unless it says."""
    name = (system.batch_scheduler or "").lower()
    said = (system.notes or {}).get(name) or {}
    return {"python": sys.executable, **said} if system.id == LOCAL else said
