"""A made-up file system: files and folders of one host, each folder knowing what is in it."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable, Iterator


class Disk:
    """Absolute paths only. Times are seconds since the epoch, as the host's clock says them."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._files: dict[str, tuple[bytes, float]] = {}
        #: folder -> the names in it, in the order they came.
        self._folders: dict[str, dict[str, None]] = {"/": {}}
        #: Nothing more can be written.
        self.is_full = False
        #: folder -> what is called when a file has come into it.
        self.on_new: dict[str, dict[Callable[[], None], None]] = {}

    # -- reading

    def kind(self, path: str) -> str | None:
        """Return ``file``, ``dir`` or None."""
        return "file" if path in self._files else "dir" if path in self._folders else None

    def read(self, path: str) -> bytes:
        """Return a file's bytes; raises ``FileNotFoundError``."""
        try:
            return self._files[path][0]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path) from None

    def text(self, path: str) -> str:
        """Return a file's text, '' when it is not there."""
        return self._files.get(path, (b"", 0.0))[0].decode()

    def modified(self, path: str) -> float:
        """Return when a file was last written."""
        return self._files[path][1] if path in self._files else 0.0

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder."""
        return list(self._folders.get(folder, ()))

    def walk(self, folder: str) -> Iterator[str]:
        """Yield the paths of everything below a folder, each folder right before what it holds."""
        for name in sorted(self._folders.get(folder, ())):
            path = f"{folder.rstrip('/')}/{name}"
            yield path
            yield from self.walk(path)

    # -- writing

    def write(self, path: str, data: bytes) -> None:
        """Write a file into a folder that is there; a full disk leaves it empty."""
        folder, name = posixpath.split(path)
        if folder not in self._folders:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        is_new = path not in self._files
        self._files[path] = (b"" if self.is_full else data, self._now())
        self._folders[folder][name] = None
        if is_new:
            for listener in self.on_new.get(folder, ()):
                listener()
        if self.is_full and data:
            raise OSError(errno.ENOSPC, "No space left on device", path)

    def append(self, path: str, data: bytes) -> None:
        """Add to a file, which is made when it is not there; a full disk leaves it as it was."""
        if self.is_full and path in self._files:
            raise OSError(errno.ENOSPC, "No space left on device", path)
        self.write(path, self._files.get(path, (b"", 0.0))[0] + data)

    def mkdir(self, path: str) -> None:
        """Make a folder and its parents."""
        while path not in self._folders:
            self._folders[path] = {}
            folder, name = posixpath.split(path)
            self.mkdir(folder)
            self._folders[folder][name] = None
            path = folder

    def delete(self, path: str) -> None:
        """Delete a file or a tree; raises ``FileNotFoundError``."""
        if self.kind(path) is None:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        for inner in [*self.walk(path)][::-1]:
            self._drop(inner)
        self._drop(path)

    def _drop(self, path: str) -> None:
        self._files.pop(path, None)
        self._folders.pop(path, None)
        folder, name = posixpath.split(path)
        self._folders[folder].pop(name, None)

    def copy(self, source: str, target: str) -> None:
        """Copy a file or a tree, making the target's parents."""
        self.mkdir(posixpath.dirname(target))
        if source in self._files:
            self.write(target, self.read(source))
            return
        if source not in self._folders:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", source)
        self.mkdir(target)
        for path in [*self.walk(source)]:
            place = target + path[len(source) :]
            if path in self._folders:
                self.mkdir(place)
            else:
                self.write(place, self.read(path))
