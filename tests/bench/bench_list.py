"""The newest 100 of 100,000 jobs over REST, and all of them as a frame."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Callable
from pathlib import Path

import harness
from store_of_jobs import filled, owner

from jupyter_tapis_jobs.client import frames
from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.model.names import wire_name
from jupyter_tapis_jobs.store.search import SUMMARY_COLUMNS

#: Calls of which one value is the median.
_CALLS = 50
_NEWEST = "/tapis/v3/jobs/list?limit=100&orderBy=created(desc)"
_FAILED = "/tapis/v3/jobs/search?status=FAILED&limit=100&orderBy=created(desc)"
_COLUMNS = ", ".join(SUMMARY_COLUMNS)
_NEWEST_FIRST = " ".join(
    ("SELECT", _COLUMNS, "FROM jobs WHERE owner = ? AND visible = 1 ORDER BY created DESC")
)
_TIMES = [name for name in SUMMARY_COLUMNS if frames.JOBS[wire_name(name)] == frames.TIME]


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(100_000, 2_000)
    with harness.folder() as place:
        data = place / "data" / "tapisjobs"
        taken = harness.seconds(lambda: filled(data, count))
        harness.say(f"{count} jobs put into the store in {taken:.1f} s")
        with harness.server(place) as server:
            line, tapis = server.line(), server.tapis()
            harness.engine_ready(line)
            store = sqlite3.connect(data / "jobs.sqlite")
            newest, failed, api, query = harness.interleaved(
                plan.pairs,
                _typical(lambda: line.ask(_NEWEST)),
                _typical(lambda: line.ask(_FAILED)),
                _typical(lambda: line.ask("/api")),
                _typical(lambda: _rows(store)),
            )
            _frame(tapis, count)
            ours, theirs = harness.interleaved(
                plan.pairs, lambda: _frame(tapis, count), lambda: _plain_frame(data / "jobs.sqlite", count)
            )
    what = f"newest 100 of {count:,} jobs over REST"
    row = harness.Row
    harness.table(
        [
            row(what=what, ours=newest, against="Jupyter's own `GET /api`", theirs=api, goal="5 ms"),
            row(what=what, ours=newest, against="the query with plain sqlite3", theirs=query),
            row(
                what=f"newest 100 that FAILED of {count:,}",
                ours=failed,
                against="Jupyter's own `GET /api`",
                theirs=api,
            ),
            row(
                what=f"{count:,} jobs as a frame, `tapis.jobs()`",
                ours=ours,
                against="pandas.read_sql of the same columns and types",
                theirs=theirs,
                goal="1.5 s",
            ),
        ]
    )


def _typical(work: Callable[[], object]) -> Callable[[], float]:
    return lambda: statistics.median(harness.seconds(work) for _ in range(_CALLS))


def _rows(store: sqlite3.Connection) -> list[tuple[object, ...]]:
    return store.execute(f"{_NEWEST_FIRST} LIMIT 100", (owner(),)).fetchall()


def _frame(tapis: Tapis, count: int) -> float:
    lengths: list[int] = []
    taken = harness.seconds(lambda: lengths.append(len(tapis.jobs())))
    if lengths != [count]:
        raise RuntimeError(f"the frame has {lengths[0]} rows, not {count}")
    return taken


def _plain_frame(path: Path, count: int) -> float:
    import pandas as pd

    how = {"utc": True, "format": "ISO8601"}

    def work() -> None:
        store = sqlite3.connect(path)
        frame = pd.read_sql(_NEWEST_FIRST, store, params=(owner(),), parse_dates=dict.fromkeys(_TIMES, how))
        store.close()
        if len(frame) != count:
            raise RuntimeError(f"the frame has {len(frame)} rows, not {count}")

    return harness.seconds(work)


if __name__ == "__main__":
    main()
