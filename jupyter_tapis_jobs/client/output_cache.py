"""Outputs of ended jobs on this machine, so that a result is fetched once."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

#: Bytes of a file that is still kept, and of all that is kept; the oldest go first.
_LARGEST, _ALL = 16_000_000, 1_000_000_000
#: Names of one question.
_ASKED = 500


def default_place() -> Path:
    """Return where outputs are kept: below the user's cache folder."""
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(caches).expanduser() / "jupyter_tapis_jobs" / "outputs.sqlite"


class OutputCache:
    """What was fetched of jobs that have ended; their outputs do not change any more.

    A place that cannot be used (read-only, damaged, locked) keeps nothing and harms nobody.
    """

    def __init__(self, place: Path | None = None, *, largest: int = _LARGEST, limit: int = _ALL) -> None:
        self._place = default_place() if place is None else place
        self._largest = largest
        self._limit = limit

    def get(self, uuids: Sequence[str], path: str) -> dict[str, bytes]:
        """Return uuid -> content of the output *path*, as far as it is kept."""
        found: dict[str, bytes] = {}
        try:
            with self._opened() as store:
                for start in range(0, len(uuids), _ASKED):
                    some = uuids[start : start + _ASKED]
                    marks = ",".join("?" * len(some))
                    query = f"SELECT uuid, content FROM outputs WHERE path = ? AND uuid IN ({marks})"  # noqa: S608
                    found |= dict(store.execute(query, (path, *some)))
        except (OSError, sqlite3.Error):
            return {}
        return found

    def put(self, contents: Mapping[str, bytes], path: str) -> None:
        """Keep the output *path* of ended jobs: uuid -> content."""
        rows = [(uuid, path, data) for uuid, data in contents.items() if len(data) <= self._largest]
        if not rows:
            return
        try:
            with self._opened() as store:
                store.executemany("INSERT OR REPLACE INTO outputs VALUES (?, ?, ?)", rows)
                self._make_room(store)
        except (OSError, sqlite3.Error):
            return

    def forget(self) -> None:
        """Remove all that is kept."""
        for suffix in ("", "-journal"):
            self._place.with_name(self._place.name + suffix).unlink(missing_ok=True)

    # --- parts -------------------------------------------------------------------------------
    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self._place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._place.exists():
            os.close(os.open(self._place, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(self._place, timeout=5)) as store, store:
            store.execute("PRAGMA synchronous = OFF")
            store.execute(
                "CREATE TABLE IF NOT EXISTS outputs (uuid TEXT, path TEXT, content BLOB, UNIQUE (uuid, path))"
            )
            yield store

    def _make_room(self, store: sqlite3.Connection) -> None:
        """Remove the oldest until the rest fits; what was put last has the highest row id."""
        (held,) = store.execute("SELECT coalesce(sum(length(content)), 0) FROM outputs").fetchone()
        if held <= self._limit:
            return
        for rowid, size in store.execute(
            "SELECT rowid, length(content) FROM outputs ORDER BY rowid"
        ).fetchall():
            if held <= self._limit:
                return
            store.execute("DELETE FROM outputs WHERE rowid = ?", (rowid,))
            held -= size
