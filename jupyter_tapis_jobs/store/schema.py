"""The shape of the store on disk: made when new, migrated when old, refused when newer."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

from ..model.errors import StoreError
from . import processing_tables, study_tables, template_tables, workflow_tables
from .tables import metadata

#: Who adds tables to the others.
_MORE = (study_tables, workflow_tables, template_tables, processing_tables)

#: The newest revision, known without importing Alembic, which takes a fifth of a second.
HEAD = "0016"
#: All revisions, oldest first.
REVISIONS = tuple(f"{number:04}" for number in range(1, int(HEAD) + 1))

_MAKE_VERSION = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, " + (
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def revision(conn: Connection) -> str | None:
    """Return the stored revision; None for a file without tables.

    Raises ``StoreError`` for a database that is not ours.
    """
    names = {row[0] for row in conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))}
    if not names:
        return None
    stamped = (
        conn.execute(text("SELECT version_num FROM alembic_version")) if "alembic_version" in names else ()
    )
    found = next((str(row[0]) for row in stamped), None)
    if found is None:
        raise StoreError(
            "The file jobs.sqlite in the data folder is an SQLite database, but not a job store "
            "(it has no revision). Move it away or choose another data folder."
        )
    return found


def create(conn: Connection) -> None:
    """Make all tables of the newest revision in an empty file."""
    metadata.create_all(conn)
    conn.execute(text(_MAKE_VERSION))
    conn.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def refuse_newer(found: str, path: Path) -> None:
    """Raise ``StoreError`` when *found* is a revision this version does not know."""
    if found not in REVISIONS:
        raise StoreError(
            f"The job store {path} was written by a newer version of jupyter-tapis-jobs "
            f"(revision {found}; this one knows up to {HEAD}). "
            "Upgrade the package, or choose another data folder."
        )


def migrate(conn: Connection, target: str = "head") -> None:
    """Bring the store up to *target* inside the caller's transaction."""
    # Alembic is needed only for an old store, and importing it is slow.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = conn
    command.upgrade(config, target)
