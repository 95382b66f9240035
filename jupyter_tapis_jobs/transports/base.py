"""How a host is reached: the handful of verbs every transport has.

All paths are absolute on the host. A name on a host is bytes: what is not UTF-8 stands in the text
as surrogate escapes (PEP 383). Every verb raises ``TransportError`` when the host cannot be reached
or the link was lost before the answer came ("lost" does not mean "not done"), and ``OSError`` with
the host's errno when the host answered but refused (no such file, disk full).
"""

from __future__ import annotations

import errno
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

#: Entries of one listing: they are in memory.
MOST_ENTRIES = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a script on a host answered; ``exit_code`` is 128 + n after signal n."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file or directory to be made by ``put``; missing parents are made too."""

    path: str
    #: None makes a directory.
    content: bytes | None = None
    #: Exact, whatever the umask. A directory may be searched by those who may read it (0o660 makes
    #: 0o770); one that exists already keeps its mode.
    mode: int = 0o660


@dataclass(frozen=True, slots=True)
class Content:
    """The beginning of a small file, and when it was last written (seconds since the epoch)."""

    data: bytes
    modified: float


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


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path leads once every link is resolved, and what is there; ``info`` is None for nothing."""

    real_path: str
    info: FileInfo | None


def too_many(path: str) -> OSError:
    """Return the error for a directory that holds more than a listing may have."""
    return OSError(errno.E2BIG, f"holds more than {MOST_ENTRIES:,} entries", path)


class Transport(Protocol):
    """A connection to one host as one user."""

    async def run(self, script: str, *, timeout: float = 60.0, live: bool = False) -> Answer:
        """Run *script* with ``/bin/sh`` and return its answer.

        With *live* it never waits behind bulk work: for looks that somebody watches.

        The script's commands read ``/dev/null``, work in no particular directory and form a process
        group of their own. What it leaves running in the background needs its own output
        (``setsid … >file 2>&1 &``). Past *timeout* (seconds) the group is killed where it can be
        reached and ``TransportError`` raised.
        """
        ...

    async def put(self, entries: Iterable[Entry]) -> Mapping[str, OSError]:
        """Make many small files and directories in one round trip; return the ones that failed.

        Entries are made in their order. What stood at a file's path (a link itself, not its target) is
        replaced; until the call has returned, half of a file may be seen (``write`` never shows one).
        """
        ...

    async def get(self, paths: Sequence[str], *, limit: int = 65536) -> Mapping[str, Content]:
        """Return the first *limit* bytes of each file in one round trip.

        Left out is what is not there or is no file. A file that is there but cannot be read raises,
        for "cannot look" is not "is not there".
        """
        ...

    def read(self, path: str, *, offset: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        """Stream at most *length* bytes (None: to the end) of the file at *path* from *offset*.

        Links are followed; an offset behind the end gives nothing. Close the iterator when leaving
        it early.
        """
        ...

    async def write(
        self, path: str, chunks: AsyncIterator[bytes], *, mode: int = 0o660, resume: str | None = None
    ) -> int:
        """Write a file (aside, then renamed into place), making its parents; return its size in bytes.

        When *chunks* or the host fails nothing is left behind and an older file stays as it was. With
        *resume* (a word that names these very bytes) what had come stays aside, and *chunks* are put
        behind it: ask ``written`` first how much is there, and begin with the next byte.
        """
        ...

    async def written(self, path: str, resume: str) -> int:
        """Return how many bytes an earlier ``write`` of *path* with the same *resume* left aside."""
        ...

    async def look(self, paths: Sequence[str]) -> Mapping[str, Found]:
        """Return where each path leads and what is there, in one round trip."""
        ...

    async def copy_all(self, pairs: Sequence[tuple[str, str]]) -> Mapping[str, OSError]:
        """Do ``copy`` for many (source, target) in one round trip; return target -> why it failed."""
        ...

    def pack(self, root: str, names: Sequence[str] | None = None) -> AsyncGenerator[bytes, None]:
        """Stream a tar archive (ustar with GNU or pax long names) of files and trees below *root*.

        *names* are relative to *root*; None takes everything in it. Links stay links. A file that
        disappears meanwhile is left out; ``FileNotFoundError`` when *root* is not there.
        """
        ...

    async def unpack(
        self, root: str, chunks: AsyncIterator[bytes], *, within: Sequence[str] | None = None
    ) -> None:
        """Unpack such a stream below *root* (made when missing); files there are replaced.

        *within* names directories below *root*, relative to it, that hold all members of the stream: a
        host need not look through the rest of a large *root*.

        Members that are absolute, climb with ``..``, or would be written through a link that leads
        out of *root*, raise ``OSError`` (EPERM), and nothing is written outside *root*.
        """
        ...

    async def list(
        self, path: str, *, recurse: bool = False, depth: int | None = None, limit: int | None = None
    ) -> Sequence[FileInfo]:
        """List what is in a directory (or the one file at *path*); links are not followed.

        The order is by name, each directory right before what it holds. *depth* bounds the levels of
        a recursive listing (1: the directory's own entries), *limit* the number of entries. More than
        ``MOST_ENTRIES`` are refused (``OSError``, E2BIG).
        """
        ...

    async def list_all(
        self, folders: Sequence[str], *, depth: int | None = None
    ) -> Mapping[str, Sequence[FileInfo]]:
        """List what is below each of many directories, as ``list`` with *recurse*, in one round trip.

        Left out is what is not there or is no directory itself. More than ``MOST_ENTRIES`` in all are
        refused (``OSError``, E2BIG).
        """
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
        """Copy a file, a link itself, or a directory tree on the host, making the target's parents.

        *target* is the new path itself, not a directory to copy into; a directory that exists there
        is merged with. Modes, times and links inside are kept; blocks are shared where the file
        system can (reflink), but never a file.
        """
        ...

    async def move(self, source: str, target: str) -> None:
        """Rename on the host to exactly *target*, making its parents; a file there is replaced."""
        ...

    async def delete(self, path: str) -> None:
        """Delete a file, a link itself, or a directory tree; ``FileNotFoundError`` when not there."""
        ...

    def watch(self, folder: str) -> AsyncGenerator[Sequence[str], None]:
        """Yield the names of new files in *folder* (made when missing), for ever.

        Each batch is deleted when the next one is asked for, so that a reader that dies hears of it
        again. Names with a leading dot are files still being written; a name is used once.
        """
        ...

    async def environment(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return those of the login shell's environment variables that are set."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...
