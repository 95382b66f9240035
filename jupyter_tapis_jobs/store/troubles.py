"""What SQLite complains about, said so that a user knows what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from ..model.errors import StoreError

_LOCKED = "The job store {path} is locked by another program. Close that program and try again."
#: SQLite's primary result code -> the sentence; ``{path}`` is the file, ``{folder}`` its folder.
_SENTENCES = {
    sqlite3.SQLITE_FULL: "The disk that holds the job store {path} is full; "
    "nothing of this change was stored. Free some space and try again.",
    sqlite3.SQLITE_READONLY: "The job store {path} cannot be written: the file or its folder is read-only. "
    "Make {folder} writable, or choose another data folder.",
    sqlite3.SQLITE_PERM: "The job store {path} cannot be used: permission denied. "
    "Make {folder} readable and writable for you, or choose another data folder.",
    sqlite3.SQLITE_CANTOPEN: "The job store {path} cannot be opened. "
    "Make {folder} readable and writable for you, or choose another data folder.",
    sqlite3.SQLITE_CORRUPT: "The job store {path} is damaged. "
    "Move it away and put the newest file of {folder}/backup in its place.",
    sqlite3.SQLITE_NOTADB: "The file {path} is no job store, or it is damaged. "
    "Move it away and put the newest file of {folder}/backup in its place.",
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_IOERR: "The disk under the job store {path} reports an input/output error; "
    "nothing of this change was stored. Check the disk, its space and its quota.",
}


@contextmanager
def in_plain_words(path: Path) -> Iterator[None]:
    """Turn trouble with the store at *path* into ``StoreError``; other mistakes pass as they are."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        sentence = sentence_for(error, path)
        if sentence is None:
            raise
        raise StoreError(sentence) from error
    except OSError as error:
        raise StoreError(
            f"The job store {path} cannot be used: {error.strerror or error}. "
            f"Make {path.parent} readable and writable for you, or choose another data folder."
        ) from error


def sentence_for(error: DBAPIError | sqlite3.Error, path: Path) -> str | None:
    """Return the sentence for a result code of SQLite, or None where it is no trouble of the store."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(origin, "sqlite_errorcode", None)
    if code is None:
        return None
    # The low byte is the primary code, the rest says more precisely what happened.
    sentence = _SENTENCES.get(code & 0xFF)
    return sentence and sentence.format(path=path, folder=path.parent)
