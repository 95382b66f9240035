"""The rules of studies: how many cases go at a time, and after how many failures no more are begun."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection

from ..model.study import Study
from ..store import studies as rows
from .ports import Ports


class StudyRules:
    """Looks rules up as they are stored now. Lives on the engine's loop only."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def of(self, ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """Return study -> what it adds to the ``Limits`` of its jobs; none for one that is gone."""
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return {}

        def look(connection: Connection) -> dict[int, dict[str, Any]]:
            found = rows.by_ids(connection, wanted)
            return {number: _limits(connection, study) for number, study in found.items()}

        return await self._ports.read(look)


def _limits(connection: Connection, study: Study) -> dict[str, Any]:
    return {
        "study": study.name,
        "per_study": study.max_running,
        "stopped": _stopped(connection, study),
    }


def _stopped(connection: Connection, study: Study) -> str:
    """Return why no more cases of a study are begun, or ''."""
    most = study.max_failures
    if most is None or most < 1 or rows.failed(connection, study) < most:
        return ""
    return (
        f"study {study.name} is stopped: as many cases have failed as it allows (maxFailures {most:,}). "
        "The others wait until failed ones are run again or maxFailures is raised."
    )
