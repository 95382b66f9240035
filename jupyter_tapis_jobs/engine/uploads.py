"""Files that kernels sent along with their jobs: those that no job needs any more are removed.

They lie as ``<two digits>/<hash of the content>/<name>``, and may serve many jobs.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: The folder of them below the server's data.
FOLDER = "uploads"
_HASH = re.compile(r"/([0-9a-f]{64})/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """Uploads that are, or would be, removed; ``size`` in bytes."""

    files: int = 0
    size: int = 0


NONE = Uploads()


def kept(folder: Path, name: str, content: bytes) -> Path:
    """Put *content* among the uploads below *folder*, whole or not at all; return where it is."""
    digest = hashlib.sha256(content).hexdigest()
    place = folder / digest[:2] / digest
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, part = tempfile.mkstemp(dir=place)
    with os.fdopen(number, "wb") as file:
        file.write(content)
    return Path(part).rename(place / name)


def named_in(requests: Iterable[str]) -> set[str]:
    """Return the hashes of all uploads that job requests, as texts, name."""
    return {found for request in requests for found in _HASH.findall(request)}


def swept(folder: Path, older: float, needed: set[str], *, dry_run: bool) -> Uploads:
    """Remove the uploads below *folder* older than *older* (seconds since the epoch) and not *needed*.

    *needed* are hashes. With *dry_run* what would go is only counted.
    """
    files = size = 0
    for place in list(_places(folder)):
        inside = [path for path in place.rglob("*") if path.is_file() and not path.is_symlink()]
        if place.name in needed or any(path.stat().st_mtime >= older for path in (place, *inside)):
            continue
        files += len(inside)
        size += sum(path.stat().st_size for path in inside)
        if not dry_run:
            shutil.rmtree(place)
    return Uploads(files=files, size=size)


def _places(folder: Path) -> Iterator[Path]:
    """Yield the directories of single contents; what else lies there is not ours."""
    if folder.is_dir() and not folder.is_symlink():
        for place in folder.glob("[0-9a-f][0-9a-f]/*"):
            if place.is_dir() and not place.is_symlink() and _HASH.fullmatch(f"/{place.name}/"):
                yield place
