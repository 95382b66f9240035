"""A tar archive unpacked below one directory, as its bytes come, and never outside of it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tarfile
from dataclasses import dataclass, field

from . import tar_headers

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK = tarfile.BLOCKSIZE
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)


@dataclass
class Unpacker:
    """Takes an archive's bytes with ``feed`` (any sizes) and ends with ``finish`` or ``close``.

    What is neither file, directory nor link is left out. Raises ``OSError``: EPERM for a member that
    would lie outside of *root*, EINVAL for what is no archive, and what the file system refuses.
    """

    root: str
    _waiting: bytearray = field(default_factory=bytearray)
    #: Bytes of the present member's content, and of its padding, that are still to come.
    _left: int = 0
    _padding: int = 0
    _file: int | None = None
    _member: tarfile.TarInfo | None = None
    _about: bytearray | None = None
    _next: dict[str, str] = field(default_factory=dict)
    _safe: set[str] = field(default_factory=set)
    _directories: dict[str, tarfile.TarInfo] = field(default_factory=dict)
    _ended: bool = False

    def __post_init__(self) -> None:
        os.makedirs(self.root, exist_ok=True)
        self.root = os.path.realpath(self.root)

    def feed(self, piece: bytes) -> None:
        """Take the next bytes and make of them what can be made."""
        self._waiting += piece
        view, position = memoryview(self._waiting), 0
        try:
            while position < len(view) and not self._ended:
                taken = self._take(view[position:])
                if not taken:
                    break
                position += taken
        finally:
            view.release()
        del self._waiting[: len(self._waiting) if self._ended else position]

    def finish(self) -> None:
        """Give directories their modes and times; an archive that broke off is refused."""
        if not self._ended and (self._left or self._padding or self._waiting or self._next):
            raise OSError(errno.EINVAL, "The archive breaks off", self.root)
        for path, info in reversed(self._directories.items()):
            with contextlib.suppress(FileNotFoundError):
                os.chmod(path, info.mode & 0o777)
                os.utime(path, (info.mtime, info.mtime))

    def close(self) -> None:
        """Leave the file that is being written."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _take(self, view: memoryview) -> int:
        """Use some of *view* and return how much; 0 means more is needed."""
        if self._left:
            return self._take_content(view[: self._left])
        if self._padding:
            taken = min(self._padding, len(view))
            self._padding -= taken
            return taken
        if len(view) < _BLOCK:
            return 0
        self._take_header(bytes(view[:_BLOCK]))
        return _BLOCK

    def _take_header(self, block: bytes) -> None:
        if not any(block):
            self._ended = True
            return
        info = tar_headers.header(block)
        if info.type in tar_headers.ABOUT_NEXT:
            self._begin_about(info)
        elif info.type == tarfile.XGLTYPE:
            self._begin_content(info.size)
        else:
            self._apply_next(info)
            self._begin(info)

    def _begin_content(self, size: int) -> None:
        self._left, self._padding = size, -size % _BLOCK

    def _take_content(self, content: memoryview) -> int:
        if self._about is not None:
            self._about += content
        elif self._file is not None:
            _write_all(self._file, content)
        self._left -= len(content)
        if not self._left:
            self._end_content()
        return len(content)

    def _end_content(self) -> None:
        if self._about is not None and self._member is not None:
            self._next |= tar_headers.told(self._member.type, bytes(self._about))
        elif self._file is not None and self._member is not None:
            os.fchmod(self._file, self._member.mode & 0o777)
            os.utime(self._file, (self._member.mtime, self._member.mtime))
        self._about = None
        self.close()

    # What a member is made of ------------------------------------------------------------------

    def _begin_about(self, info: tarfile.TarInfo) -> None:
        self._member, self._about = info, bytearray()
        self._begin_content(info.size)

    def _apply_next(self, info: tarfile.TarInfo) -> None:
        told, self._next = self._next, {}
        if any(key.startswith("GNU.sparse") for key in told) or info.type == tarfile.GNUTYPE_SPARSE:
            raise OSError(errno.EINVAL, "Archives with sparse files are not read", info.name)
        tar_headers.apply(info, told)

    def _begin(self, info: tarfile.TarInfo) -> None:
        self._member = info
        if info.type in _FILES:
            path = self._place(info.name)
            self._file = self._create(path)
            self._begin_content(info.size)
            if not info.size:
                self._end_content()
        elif info.type == tarfile.DIRTYPE:
            self._make_directory(info)
        elif info.type == tarfile.SYMTYPE:
            self._make_way(path := self._place(info.name))
            os.symlink(info.linkname, path)
            self._safe.clear()
        elif info.type == tarfile.LNKTYPE:
            source, path = self._place(info.linkname), self._place(info.name)
            if source != path:
                self._make_way(path)
                os.link(source, path, follow_symlinks=False)
        elif info.type not in (tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE):
            self._begin_content(info.size)

    def _create(self, path: str) -> int:
        try:
            return os.open(path, _CREATE, 0o600)
        except FileExistsError:
            self._make_way(path)
            return os.open(path, _CREATE, 0o600)

    def _make_way(self, path: str) -> None:
        """Remove what stands where a file or link goes; a directory stays and is told of."""
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISDIR(os.lstat(path).st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
            os.unlink(path)

    def _make_directory(self, info: tarfile.TarInfo) -> None:
        path = self._place(info.name)
        if path == self.root:
            return
        if os.path.islink(path) and os.path.isdir(path):
            self._check(path)
            return
        if not os.path.isdir(path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            os.mkdir(path, 0o700)
        self._directories[path] = info

    # Where it may lie --------------------------------------------------------------------------

    def _place(self, name: str) -> str:
        """Return the path of *name* below the root; its parents are made and lead nowhere else."""
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts:
            raise PermissionError(errno.EPERM, "An archive's member would lie outside", name)
        path = "/".join([self.root.rstrip("/"), *parts])
        if len(parts) > 1 and (parent := path.rpartition("/")[0]) not in self._safe:
            self._check(parent)
            os.makedirs(parent, exist_ok=True)
            self._safe.add(parent)
        return path

    def _check(self, path: str) -> None:
        real = os.path.realpath(path)
        if real != self.root and not real.startswith(f"{self.root.rstrip('/')}/"):
            raise PermissionError(errno.EPERM, "A link leads outside", path)


def _write_all(fd: int, content: memoryview) -> None:
    while content:
        content = content[os.write(fd, content) :]
