"""The hidden names that files have until they are whole."""

from __future__ import annotations

import hashlib
import os


def parent(path: str) -> str:
    """Return the directory that *path* is in."""
    return path.rstrip("/").rpartition("/")[0] or "/"


def aside_name(path: str, token: str) -> str:
    """Return the hidden name beside *path* that a file has until it is complete."""
    return f"{parent(path).rstrip('/')}/.tapisjob-{token}"


def part_token(path: str, resume: str) -> str:
    """Return the token of what a broken write of *path* leaves for the next one with the same word."""
    text = os.fsencode(f"{path.rpartition('/')[2]}\0{resume}")
    return f"part-{hashlib.sha256(text).hexdigest()[:24]}"
