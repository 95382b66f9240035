"""The calls of one workflow to our server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import frames
from .connection import Connection, segment

if TYPE_CHECKING:
    import pandas as pd

_WORKFLOWS = "/v3/tapisjobs/workflows"
#: Seconds that a call with thousands of requests may take.
_LONG = 600.0
NODES: frames.Columns = {
    "node": frames.TEXT,
    "status": frames.TEXT,
    "jobUuid": frames.TEXT,
    "attempt": frames.NUMBER,
    "after": frames.TEXT,
    "problem": frames.TEXT,
    "created": frames.TIME,
    "remoteStarted": frames.TIME,
    "ended": frames.TIME,
}


class WorkflowCalls:
    """One workflow at the server, by name."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._path = f"{_WORKFLOWS}/{segment(name)}"

    def run(self, nodes: Sequence[Mapping[str, Any]], *, fresh: bool) -> None:
        """Begin the workflow, or join the same one."""
        body = {"name": self._name, "nodes": nodes, "fresh": fresh}
        self._connection.call("POST", _WORKFLOWS, json=body, seconds=_LONG)

    def info(self) -> Mapping[str, Any]:
        """Return how the workflow stands, as a graph."""
        found: Mapping[str, Any] = self._connection.get(self._path)
        return found

    def nodes(self) -> list[Mapping[str, Any]]:
        """Return its nodes in order."""
        return self._connection.get(f"{self._path}/nodes") or []

    def do(self, verb: str) -> None:
        """Cancel, pause, resume or retry it."""
        self._connection.post(f"{self._path}/{verb}")

    def delete(self) -> None:
        """Remove it."""
        self._connection.call("DELETE", self._path)


def workflow_rows(connection: Connection) -> list[Mapping[str, Any]]:
    """Return the caller's workflows, newest first."""
    return connection.get(_WORKFLOWS) or []


def nodes_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return nodes as a frame; what each waits for is one text."""
    named = [
        {**row, "node": row["name"], "status": row["state"], "after": ", ".join(row["after"])} for row in rows
    ]
    return frames.from_rows(named, NODES)
