"""The job store: one SQLite file, one writer, readers with connections of their own."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event

from ..model.errors import StoreError
from . import schema
from .claim import Claim
from .filesystem import on_network
from .troubles import in_plain_words

T = TypeVar("T")

FILE_NAME = "jobs.sqlite"
#: Seconds to wait for another program's lock before it is called trouble.
BUSY_SECONDS = 10.0
#: How many readers keep their connection; more of them open one for the occasion.
READERS = 4
#: Pages of 4 KiB that the log may hold before a commit folds them into the store. SQLite's own 1,000 are
#: less than what a thousand new jobs write, so that each such commit would write everything twice.
LOG_PAGES = 8192


class Database:
    """The store in one folder. ``write`` from one thread at a time, ``read`` from any.

    A committed transaction survives a ``kill -9`` of the process in every mode: the write-ahead log
    with ``synchronous=NORMAL`` on a local disk (a power cut may cost the last moments, never the
    store), the rollback journal with ``synchronous=FULL`` on a network file system.
    """

    def __init__(self, path: Path, claim: Claim, journal: str) -> None:
        self.path = path
        self.journal = journal
        self._claim = claim
        self._writing = threading.Lock()
        self._open = True
        self._writer = _engine(path, journal, begin="BEGIN IMMEDIATE", pool_size=1)
        self._reader = _engine(path, journal, begin="BEGIN", pool_size=READERS)

    @classmethod
    def open(cls, folder: Path, *, networked: Callable[[Path], bool] = on_network) -> Database:
        """Open the store in *folder*; make folder (mode 0700) and store when they are not there.

        An old store is backed up and migrated. After an unclean end the file is checked first.
        *networked* tells whether a folder is on a network file system.
        Raises ``StoreError`` when the store is read-only, damaged, newer than this version, or full.
        """
        path = folder / FILE_NAME
        with in_plain_words(path):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            claim = Claim(folder)
            try:
                return cls._opened(path, claim, "DELETE" if networked(folder) else "WAL")
            except BaseException:
                claim.release()
                raise

    @classmethod
    def _opened(cls, path: Path, claim: Claim, journal: str) -> Database:
        unclean = claim.alone and ended_uncleanly(path)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        if unclean:
            check(path)
        database = cls(path, claim, journal)
        try:
            database._bring_up_to_date()
        except BaseException:
            database.close()
            raise
        claim.share()
        return database

    def _bring_up_to_date(self) -> None:
        # Asked on the writer's connection: the first one to a new file sets its journal mode.
        with self._writer.connect() as conn, conn.begin():
            found = schema.revision(conn)
            if found is None:
                schema.create(conn)
        if found is None or found == schema.HEAD:
            return
        schema.refuse_newer(found, self.path)
        if not self._claim.alone:
            raise StoreError(
                f"The job store {self.path} must be brought up to date, but an older version of "
                "jupyter-tapis-jobs has it open. Stop the other Jupyter server first."
            )
        self.backup(f"before-{schema.HEAD}.sqlite")
        self.write(schema.migrate)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run *work* in one transaction: all of it is stored, or nothing when it raises."""
        self._refuse_closed()
        with self._writing, in_plain_words(self.path), self._writer.begin() as conn:
            return work(conn)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run *work* on one unchanging view of the store; it cannot write."""
        with self._reading() as conn:
            return work(conn)

    def read_slices(self, work: Callable[[Connection], Iterator[T]]) -> Iterator[T]:
        """Yield what *work* yields, on one unchanging view that is kept until the last one is taken."""
        with self._reading() as conn:
            yield from work(conn)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._refuse_closed()
        with in_plain_words(self.path), self._reader.begin() as conn:
            yield conn

    def _refuse_closed(self) -> None:
        if not self._open:
            raise StoreError(f"The job store {self.path} is closed; its server is stopping.")

    def backup(self, name: str = FILE_NAME) -> Path:
        """Write a compact copy into the folder ``backup`` and return its path.

        The copy before it is kept as ``<name>.1``; a copy that fails leaves both as they were.
        """
        folder = self.path.parent / "backup"
        target, aside = folder / name, folder / f"{name}.new"
        with in_plain_words(target):
            folder.mkdir(mode=0o700, exist_ok=True)
            aside.unlink(missing_ok=True)
            self._copy_into(aside)
            if target.exists():
                target.replace(folder / f"{name}.1")
            aside.replace(target)
        return target

    def _copy_into(self, target: Path) -> None:
        # A plain connection: VACUUM INTO must stand outside of any transaction.
        source = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            source.execute("VACUUM INTO ?", (str(target),))
            _flush(target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        finally:
            source.close()

    def close(self) -> None:
        """Close all connections; the last one to close folds the log into the store."""
        if self._open:
            self._open = False
            with self._writing:
                self._reader.dispose()
                self._writer.dispose()
            self._claim.release()


def ended_uncleanly(path: Path) -> bool:
    """Tell whether the store's last user died: a clean end leaves neither log nor journal."""
    leftovers = (path.with_name(f"{path.name}-{end}") for end in ("wal", "journal"))
    return any(left.exists() and left.stat().st_size > 0 for left in leftovers)


def check(path: Path) -> None:
    """Read the whole store once; raises ``StoreError`` when a page of it is damaged."""
    with in_plain_words(path):
        conn = sqlite3.connect(path, timeout=BUSY_SECONDS)
        try:
            found = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            conn.close()
    if found != "ok":
        raise StoreError(
            f"The job store {path} is damaged ({found}). "
            f"Move it away and put the newest file of {path.parent}/backup in its place."
        )


def _engine(path: Path, journal: str, *, begin: str, pool_size: int) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        pool_size=pool_size,
        max_overflow=-1,
        pool_use_lifo=True,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS, "isolation_level": None},
    )
    writes = begin != "BEGIN"

    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA synchronous = {'NORMAL' if journal == 'WAL' else 'FULL'}")
        connection.execute("PRAGMA cache_size = -16384")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        # Only the writer may change the mode: it needs the store for itself.
        connection.execute(f"PRAGMA journal_mode = {journal}" if writes else "PRAGMA query_only = ON")

    def start(conn: Connection) -> None:
        conn.exec_driver_sql(begin)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", start)
    return engine


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
