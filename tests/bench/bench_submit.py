"""1,000 requests accepted in one call, against reading the same body and storing rows of the same size."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import harness

from jupyter_tapis_jobs.store.database import LOG_PAGES, Database

_NEWEST = "SELECT * FROM {} WHERE {} IN (SELECT id FROM jobs ORDER BY id DESC LIMIT ?)"
_INSERT, _EMPTY = "INSERT INTO {} VALUES ({})", "DELETE FROM {}"
#: Table -> the statement that finds the rows that one call writes. What became of the jobs afterwards
#: is no part of it, so only the first event of each counts.
_TABLES = {
    "jobs": _NEWEST.format("jobs", "id"),
    "job_definitions": _NEWEST.format("job_definitions", "job_id"),
    "job_events": _NEWEST.format("job_events", "job_id") + " GROUP BY job_id HAVING id = min(id)",
}


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(1000, 100)
    body = harness.bulk_body(count)
    harness.say(f"{count} requests in one call, {len(body) / 1000:.0f} kB")
    with harness.folder() as place, harness.server(place) as server:
        line = server.line()
        harness.engine_ready(line)
        harness.cleared(line, harness.submitted(line, body))
        floor = _floor(server.data / "jobs.sqlite", place / "floor", body, count)
        ours, theirs = harness.interleaved(plan.pairs, lambda: _accepted(line, body), floor)
    against = f"json.loads of the body and {count:,} such rows into plain sqlite3"
    what = f"accept {count:,} requests in one call"
    harness.table([harness.Row(what=what, ours=ours, against=against, theirs=theirs, goal="150 ms")])


def _accepted(line: harness.Line, body: bytes) -> float:
    uuids: list[str] = []
    taken = harness.seconds(lambda: uuids.extend(harness.submitted(line, body)))
    harness.cleared(line, uuids)
    return taken


def _floor(store: Path, folder: Path, body: bytes, count: int) -> Callable[[], float]:
    """Return the floor: the rows that the store really holds of such a call, into the same tables."""
    rows = {table: _newest(store, table, count) for table in _TABLES}
    Database.open(folder).close()
    floor = sqlite3.connect(folder / store.name, isolation_level=None)
    for pragma in ("foreign_keys = ON", "synchronous = NORMAL", "cache_size = -16384"):
        floor.execute(f"PRAGMA {pragma}")
    floor.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")

    def fill() -> None:
        json.loads(body)
        floor.execute("BEGIN IMMEDIATE")
        for table, values in rows.items():
            floor.executemany(_INSERT.format(table, ",".join("?" * len(values[0]))), values)
        floor.execute("COMMIT")

    def measured() -> float:
        for table in reversed(rows):
            floor.execute(_EMPTY.format(table))
        return harness.seconds(fill)

    return measured


def _newest(store: Path, table: str, count: int) -> list[tuple[object, ...]]:
    with sqlite3.connect(store) as source:
        return source.execute(_TABLES[table], (count,)).fetchall()


if __name__ == "__main__":
    main()
