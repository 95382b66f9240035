"""The marks in a job's directory, as the host and the workers read and write them."""

from __future__ import annotations

import contextlib
import os

#: As in ``model/marks.py`` and ``model/files.py``.
FOLDER, CLAIM, EXIT, KILLED = ".tapisjob", ".tapisjob/claim", ".tapisjob/exit", ".tapisjob/killed"
SCRIPT, REVOKED, LOST = "tapisjob.sh", "revoked", "lost"


def read(path: str) -> str:
    """Return the text of a small file; nothing where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def write(path: str, text: str) -> None:
    """Write a small file where that can be done."""
    with contextlib.suppress(OSError), open(path, "w", encoding="utf-8") as file:
        file.write(text)


def state(place: str) -> str:
    """Say what the marks in a job's directory tell: missing, ended, revoked, claimed or free."""
    if not os.path.isdir(os.path.join(place, FOLDER)):
        return "missing"
    if read(os.path.join(place, EXIT)):
        return "ended"
    claim = read(os.path.join(place, CLAIM))
    return ("revoked" if claim.startswith(f"{REVOKED} ") else "claimed") if claim else "free"


def fresh_state(place: str) -> str:
    """Say it once more, after making a file there: then a network file system shows what others wrote."""
    token = os.path.join(place, FOLDER, f"look.{os.getpid()}")
    write(token, "")
    with contextlib.suppress(OSError):
        os.unlink(token)
    return state(place)


def revoke(place: str, uuid: str) -> None:
    """Claim a job that has not begun, so that it never will: by an atomic link, as its launch script does."""
    own = os.path.join(place, FOLDER, f"revoke.{os.getpid()}")
    write(own, f"{REVOKED} {uuid}\n")
    with contextlib.suppress(OSError):
        os.link(own, os.path.join(place, CLAIM))
    with contextlib.suppress(OSError):
        os.unlink(own)
