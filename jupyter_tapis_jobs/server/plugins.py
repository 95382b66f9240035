"""The columns and actions that other packages have registered, loaded when they are first asked for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from ..model.row_extras import ACTIONS_GROUP, COLUMNS_GROUP, JobAction, JobColumn

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plugins:
    """By the names of their entry points; *faults* tell what could not be loaded."""

    columns: Mapping[str, JobColumn]
    actions: Mapping[str, JobAction]
    faults: tuple[str, ...]


@cache
def plugins() -> Plugins:
    """Return all; imports other packages, so away from every loop."""
    faults: list[str] = []
    columns = _loaded(COLUMNS_GROUP, JobColumn, faults)
    actions = _loaded(ACTIONS_GROUP, JobAction, faults)
    return Plugins(columns, actions, tuple(faults))


def _loaded(group: str, kind: type, faults: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        try:
            item = point.load()
        except Exception as fault:
            faults.append(f"{point.name} ({point.value}) cannot be loaded: {type(fault).__name__}: {fault}")
            log.warning("entry point of %s: %s", group, faults[-1], exc_info=True)
            continue
        if isinstance(item, kind):
            found[point.name] = item
        else:
            faults.append(f"{point.name} ({point.value}) is no {kind.__name__}, but {type(item).__name__}")
    return found
