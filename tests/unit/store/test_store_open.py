"""Opening a store: new, old, newer, damaged, read-only, full, on a network file system."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from jupyter_tapis_jobs.model.errors import StoreError
from jupyter_tapis_jobs.store import claim, filesystem, schema
from jupyter_tapis_jobs.store import database as module
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store.database import Database
from jupyter_tapis_jobs.store.tables import metadata


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _names(database: Database) -> list[tuple[str, str]]:
    """Every table and index with the words that make it."""

    def work(conn):
        rows = conn.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
        )
        return [(name, "".join((sql or "").split())) for name, sql in rows]

    return database.read(work)


def _make_old(folder: Path, revision: str) -> None:
    """Make a store as an earlier version left it."""
    folder.mkdir(parents=True)
    engine = sqlalchemy.create_engine(f"sqlite:///{folder / 'jobs.sqlite'}")
    with engine.begin() as conn:
        schema.migrate(conn, revision)
    engine.dispose()


def test_a_new_store_is_for_its_owner_only(folder, database):
    assert _mode(folder) == 0o700
    assert _mode(folder / "jobs.sqlite") == 0o600


def test_a_new_store_is_the_same_as_a_migrated_one(tmp_path, database):
    _make_old(tmp_path / "old", "head")
    migrated = Database.open(tmp_path / "old")
    assert _names(migrated) == _names(database)
    migrated.close()


def test_the_known_revisions_are_alembics():
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).with_name("migrations")))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(sorted(s.revision for s in scripts.walk_revisions())) == schema.REVISIONS
    assert scripts.get_current_head() == schema.HEAD


def test_the_newest_revision_is_the_tables_in_the_code(database):
    def work(conn):
        return compare_metadata(MigrationContext.configure(conn), metadata)

    assert database.read(work) == []


def test_an_old_store_migrates_with_its_jobs_and_is_backed_up_first(folder, new_job):
    _make_old(folder, "0001")
    old = sqlite3.connect(folder / "jobs.sqlite")
    known = [row[1] for row in old.execute("PRAGMA table_info(jobs)")]
    row = dict(zip(job_rows.JOB_COLUMNS, job_rows.job_to_row(new_job(name="from before")), strict=True))
    marks = ",".join("?" * len(known))
    values = [row[name] for name in known]
    old.execute(f"INSERT INTO jobs ({','.join(known)}) VALUES ({marks})", values)  # noqa: S608 - names of our own
    old.commit()
    old.close()
    database = Database.open(folder)
    assert [job.name for job in database.read(job_rows.active)] == ["from before"]
    assert database.read(schema.revision) == schema.HEAD
    database.close()
    with sqlite3.connect(folder / "backup" / f"before-{schema.HEAD}.sqlite") as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    copy.close()


def test_opening_a_store_of_this_version_does_not_import_alembic(folder, database):
    database.close()
    program = (
        "import sys; from pathlib import Path; from jupyter_tapis_jobs.store.database import Database; "
        f"Database.open(Path({str(folder)!r})).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(folder, database):
    database.write(lambda conn: conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    before = (folder / "jobs.sqlite").read_bytes()
    with pytest.raises(StoreError, match=r"newer version .*revision 9999.*Upgrade the package"):
        Database.open(folder)
    assert (folder / "jobs.sqlite").read_bytes() == before


def test_an_old_store_that_an_old_server_has_open_is_not_migrated_under_it(folder):
    _make_old(folder, "0001")
    other = claim.Claim(folder)
    other.share()
    try:
        with pytest.raises(StoreError, match="Stop the other Jupyter server first"):
            Database.open(folder)
    finally:
        other.release()
    Database.open(folder).close()


def test_a_database_of_another_program_is_refused(folder):
    folder.mkdir()
    with sqlite3.connect(folder / "jobs.sqlite") as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    with pytest.raises(StoreError, match="not a job store"):
        Database.open(folder)


def test_a_file_that_is_no_database_says_so(folder):
    folder.mkdir()
    (folder / "jobs.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match=r"no job store, or it is damaged.*backup"):
        Database.open(folder)


def _crashed_copy(folder: Path, target: Path) -> None:
    """Copy a store as a killed process leaves it: with its log."""
    target.mkdir()
    for name in ("jobs.sqlite", "jobs.sqlite-wal"):
        (target / name).write_bytes((folder / name).read_bytes())


def test_a_damaged_page_is_found_at_the_start_after_an_unclean_end(
    tmp_path, folder, database, new_job, store_jobs
):
    store_jobs(*(new_job() for _ in range(300)))
    database.write(lambda conn: None)
    sqlite3.connect(folder / "jobs.sqlite").execute("PRAGMA wal_checkpoint(FULL)").connection.close()
    store_jobs(new_job())
    _crashed_copy(folder, tmp_path / "copy")
    with (tmp_path / "copy" / "jobs.sqlite").open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\xff" * 4096 * 10)
    with pytest.raises(StoreError, match=r"is damaged.*newest file of .*backup"):
        Database.open(tmp_path / "copy")


def test_a_damaged_page_that_is_met_later_says_so(folder, database, new_job, store_jobs):
    store_jobs(*(new_job() for _ in range(300)))
    database.close()
    with (folder / "jobs.sqlite").open("r+b") as file:
        # The first pages hold the tables' names, and opening reads those.
        size = file.seek(0, os.SEEK_END)
        file.seek(4096 * 90)
        file.write(b"\xff" * (size - 4096 * 90))
    reopened = Database.open(folder)
    with pytest.raises(StoreError, match="is damaged"):
        reopened.read(job_rows.active)
    reopened.close()


def test_a_clean_end_leaves_no_log_and_is_not_checked(folder, database, new_job, store_jobs, monkeypatch):
    store_jobs(new_job())
    assert module.ended_uncleanly(folder / "jobs.sqlite")
    database.close()
    assert not module.ended_uncleanly(folder / "jobs.sqlite")
    monkeypatch.setattr(module, "check", lambda path: pytest.fail(f"{path} was read for nothing"))
    Database.open(folder).close()


def test_a_store_that_somebody_has_open_is_not_checked(folder, database, new_job, store_jobs, monkeypatch):
    store_jobs(new_job())
    monkeypatch.setattr(module, "check", lambda path: pytest.fail(f"{path} was read for nothing"))
    second = Database.open(folder)
    assert len(second.read(job_rows.active)) == 1
    second.close()


def test_many_may_open_a_new_store_at_once(folder):
    opened: list[Database] = []
    threads = [threading.Thread(target=lambda: opened.append(Database.open(folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({tuple(_names(database)) for database in opened}) == 1
    assert len(opened) == 4
    for database in opened:
        database.close()


@pytest.mark.parametrize(("networked", "journal"), [(True, "delete"), (False, "wal")])
def test_the_journal_follows_the_file_system(folder, networked, journal, new_job):
    database = Database.open(folder, networked=lambda _: networked)
    job = new_job()
    database.write(lambda conn: job_rows.insert(conn, [(job, "{}", "{}")]))
    mode = database.read(lambda conn: conn.exec_driver_sql("PRAGMA journal_mode").scalar())
    assert mode == journal
    assert database.read(lambda conn: job_rows.get(conn, job.uuid)).name == job.name
    database.close()


def test_a_store_that_moves_to_a_network_file_system_keeps_its_jobs(folder, new_job):
    database = Database.open(folder, networked=lambda _: False)
    database.write(lambda conn: job_rows.insert(conn, [(new_job(), "{}", "{}")]))
    database.close()
    moved = Database.open(folder, networked=lambda _: True)
    assert len(moved.read(job_rows.active)) == 1
    assert moved.journal == "DELETE"
    moved.close()


def test_the_kernel_is_asked_what_a_folder_lies_on(tmp_path, monkeypatch):
    if sys.platform == "linux":
        assert filesystem.file_system_magic(Path("/proc")) == 0x9FA0
        assert filesystem.file_system_magic(tmp_path / "missing") is None
    monkeypatch.setattr(filesystem, "file_system_magic", lambda _: 0x6969)
    assert filesystem.on_network(tmp_path)
    monkeypatch.setattr(filesystem, "file_system_magic", lambda _: 0xEF53)
    assert not filesystem.on_network(tmp_path)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """``tiny_disk("size=1m")``: a file system of its own, mounted below the test's folder."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        place = tmp_path / "disk"
        place.mkdir(exist_ok=True)
        again = ["-o", "remount"] if place in mounted else []
        done = subprocess.run(
            ["mount", "-t", "tmpfs", *again, "-o", options, "tmpfs", str(place)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in set(mounted):
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.needs("root")
def test_a_full_disk_stores_all_of_a_call_or_nothing(tiny_disk, new_job):
    database = Database.open(tiny_disk("size=2m") / "tapisjobs")
    stored = 0

    def more(conn):
        return job_rows.insert(conn, [(new_job(), "{}", "x" * 5000) for _ in range(20)])

    with pytest.raises(StoreError, match=r"is full; nothing of this change was stored.*Free some space"):  # noqa: PT012
        for _ in range(100):
            database.write(more)
            stored += 20
    assert len(database.read(job_rows.active)) == stored > 0
    _grow(database, tiny_disk)
    database.write(more)
    assert len(database.read(job_rows.active)) == stored + 20
    database.close()


def _grow(database: Database, tiny_disk: Callable[..., Path]) -> None:
    tiny_disk("size=20m")
    assert database.read(lambda conn: conn.exec_driver_sql("PRAGMA quick_check").scalar()) == "ok"


@pytest.mark.needs("root")
def test_a_new_store_on_a_full_disk_says_so(tiny_disk):
    disk = tiny_disk("size=64k")
    with pytest.raises(StoreError, match="is full"):
        Database.open(disk / "tapisjobs")


@pytest.mark.needs("root")
def test_a_read_only_disk_is_named_at_the_start(tiny_disk):
    disk = tiny_disk("size=5m")
    Database.open(disk / "tapisjobs").close()
    tiny_disk("size=5m,ro")
    with pytest.raises(
        StoreError, match=r"cannot be used: Read-only file system.*choose another data folder"
    ):
        Database.open(disk / "tapisjobs")


@pytest.mark.needs("not root")
def test_a_read_only_folder_is_named_at_the_start(folder):
    folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="cannot be used: Permission denied"):
        Database.open(folder)


def test_a_folder_that_is_a_file_is_named_at_the_start(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        Database.open(tmp_path / "file")


def test_a_closed_store_says_so(database):
    database.close()
    with pytest.raises(StoreError, match="is closed"):
        database.read(job_rows.active)
    with pytest.raises(StoreError, match="is closed"):
        database.write(job_rows.active)


def test_a_backup_is_a_whole_store_and_the_one_before_is_kept(tmp_path, database, new_job, store_jobs):
    store_jobs(new_job())
    first = database.backup()
    store_jobs(new_job())
    assert database.backup() == first
    assert _mode(first) == 0o600
    for path, number in ((first, 2), (first.with_name("jobs.sqlite.1"), 1)):
        (tmp_path / "restored").mkdir(exist_ok=True)
        (tmp_path / "restored" / "jobs.sqlite").write_bytes(path.read_bytes())
        restored = Database.open(tmp_path / "restored")
        assert len(restored.read(job_rows.active)) == number
        restored.close()
    assert sorted(os.listdir(first.parent)) == ["jobs.sqlite", "jobs.sqlite.1"]
