"""How a host is reached: the handful of verbs every transport has.

All paths are absolute on the host. Every verb raises ``TransportError`` when the host cannot be
reached or the link was lost before the answer came ("lost" does not mean "not done"), and
``OSError`` with the host's errno when the host answered but refused (no such file, disk full).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What a script on a host answered."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file or directory to be made by ``put``; missing parents are made too."""

    path: str
    #: None makes a directory.
    content: bytes | None = None
    mode: int = 0o660


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """One entry of a listing, in the words of the Tapis Files service.

    ``type`` is file, dir, symbolic_link, other or unknown; ``size`` in bytes;
    ``last_modified`` ISO-8601 UTC.
    """

    path: str
    name: str
    type: str
    size: int
    last_modified: str
    owner: str = ""
    group: str = ""
    native_permissions: str = ""


class Transport(Protocol):
    """A connection to one host as one user."""

    async def run(self, script: str, *, stdin: bytes = b"", timeout: float = 60.0) -> Answer:
        """Run *script* with ``/bin/sh`` and return its answer. *timeout* in seconds."""
        ...

    async def put(self, entries: Iterable[Entry]) -> Mapping[str, OSError]:
        """Make many small files and directories in one round trip; return the ones that failed."""
        ...

    async def get(self, paths: Sequence[str], *, limit: int = 65536) -> Mapping[str, bytes]:
        """Return the first *limit* bytes of each file in one round trip; missing files are left out."""
        ...

    def read(self, path: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Stream a file's bytes from *offset*."""
        ...

    async def write(self, path: str, chunks: AsyncIterator[bytes], *, mode: int = 0o660) -> int:
        """Write a file (aside, then renamed into place), making its parents; return its size."""
        ...

    async def list(self, path: str, *, recurse: bool = False, limit: int | None = None) -> Sequence[FileInfo]:
        """List a directory (or the one file at *path*), sorted by path; links are not followed."""
        ...

    async def stat(self, path: str) -> FileInfo | None:
        """Return what is at *path* (a link itself, not its target), or None."""
        ...

    async def real_path(self, path: str) -> str:
        """Return *path* with every link resolved, as the host sees it; missing tails are kept."""
        ...

    async def mkdir(self, path: str) -> None:
        """Make a directory and its parents; an existing one is fine."""
        ...

    async def copy(self, source: str, target: str) -> None:
        """Copy a file or a directory tree on the host (reflink where the file system can)."""
        ...

    async def move(self, source: str, target: str) -> None:
        """Rename on the host."""
        ...

    async def delete(self, path: str) -> None:
        """Delete a file, a link itself, or a directory tree."""
        ...

    def watch(self, folder: str) -> AsyncIterator[Sequence[str]]:
        """Yield the names of new files in *folder*, moving each away once it is reported."""
        ...

    async def environment(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return host environment variables of the login shell that are set."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...
