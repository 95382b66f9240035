"""Answers of the API as data frames: the same columns and types whatever comes, also when nothing comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: Column -> what it holds: text, a time (UTC), a whole number (may be missing), any number, or
#: True and False.
Columns = Mapping[str, str]
TEXT, TIME, NUMBER, REAL, TRUTH = "text", "time", "number", "real", "truth"

#: Tapis's summary attributes, in the order in which a person reads them.
JOBS: Columns = {
    "uuid": TEXT,
    "name": TEXT,
    "status": TEXT,
    "condition": TEXT,
    "appId": TEXT,
    "appVersion": TEXT,
    "execSystemId": TEXT,
    "archiveSystemId": TEXT,
    "created": TIME,
    "remoteStarted": TIME,
    "ended": TIME,
    "lastUpdated": TIME,
    "owner": TEXT,
    "tenant": TEXT,
}
HISTORY: Columns = {"created": TIME, "event": TEXT, "eventDetail": TEXT, "description": TEXT}
NOTIFICATIONS: Columns = {
    "event": TEXT,
    "eventDetail": TEXT,
    "deliveryAddress": TEXT,
    "state": TEXT,
    "tries": NUMBER,
    "lastError": TEXT,
    "updated": TIME,
}
SHARES: Columns = {"user": TEXT, "gives": TEXT}
OUTPUTS: Columns = {"path": TEXT, "size": NUMBER, "type": TEXT, "lastModified": TIME}
FILES: Columns = {
    "name": TEXT,
    "path": TEXT,
    "type": TEXT,
    "size": NUMBER,
    "lastModified": TIME,
    "owner": TEXT,
}
APPS: Columns = {
    "id": TEXT,
    "version": TEXT,
    "description": TEXT,
    "runtime": TEXT,
    "jobType": TEXT,
    "owner": TEXT,
}
SYSTEMS: Columns = {
    "id": TEXT,
    "description": TEXT,
    "host": TEXT,
    "batchScheduler": TEXT,
    "batchDefaultLogicalQueue": TEXT,
    "queues": TEXT,
    "owner": TEXT,
}
HOSTS: Columns = {"id": TEXT, "state": TEXT, "message": TEXT, "nextTry": TIME, "user": TEXT}
QUEUES: Columns = {
    "name": TEXT,
    "nodes": NUMBER,
    "cores": NUMBER,
    "memoryMB": NUMBER,
    "minutes": NUMBER,
    "default": TRUTH,
}

#: What an application tells of its progress (``tapis.jobs(progress=True)``).
PROGRESS: Columns = {"progress": REAL, "progressMessage": TEXT, "progressTold": TIME}

_TYPES = {NUMBER: "Int64", REAL: "float64", TRUTH: "bool"}


def from_columns(values: Mapping[str, Sequence[Any]], columns: Columns) -> pd.DataFrame:
    """Return the frame of ``{column: values}``; a column that is not there is empty."""
    import pandas as pd

    length = max((len(column) for column in values.values()), default=0)
    nothing = [None] * length
    return pd.DataFrame({name: _series(values.get(name, nothing), kind) for name, kind in columns.items()})


def from_rows(rows: Sequence[Mapping[str, Any]], columns: Columns) -> pd.DataFrame:
    """Return the frame of *rows*, one mapping each."""
    return from_columns({name: [row.get(name) for row in rows] for name in columns}, columns)


def _series(values: Sequence[Any], kind: str) -> pd.Series[Any]:
    import pandas as pd

    if kind == TIME:
        return pd.Series(pd.to_datetime(list(values), utc=True, format="ISO8601")).astype(
            "datetime64[us, UTC]"
        )
    if kind in _TYPES:
        return pd.Series(values, dtype=_TYPES[kind])
    return pd.Series(values, dtype="str")


def with_queues(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a system with the names of its queues as one text."""
    names = [str(queue.get("name")) for queue in row.get("batchLogicalQueues") or []]
    return {**row, "queues": ", ".join(names) or None}
