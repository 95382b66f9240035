"""Tells the header of an HDF5 file; a program of its own, as the library may fall over what a stranger wrote.

It opens no file itself: it asks for bytes on its standard output (``R``, offset, count), gets them on its
standard input, and ends with ``T``, a length and the text, or ``F`` where the file is damaged.
"""

from __future__ import annotations

import importlib
import io
import resource
import struct
import sys
from collections.abc import Iterator
from typing import IO, Any

#: Bytes asked for at once; objects and characters that are told; values of one attribute.
PAGE, OBJECTS, SHOWN, VALUES = 64 * 1024, 2_000, 128 * 1024, 200
#: Bytes of memory and seconds of processor time that it may use.
_MEMORY, _TIME = 2 * 1024**3, 10


class Remote(io.RawIOBase):
    """A file of *size* bytes that is read through the caller, page by page."""

    def __init__(self, size: int, ask: IO[bytes], answer: IO[bytes]) -> None:
        super().__init__()
        self._size, self._ask, self._answer = size, ask, answer
        self._at = 0
        self._pages: dict[int, bytes] = {}

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """And at any place."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill *buffer* from where the file stands; behind its end there are zeros."""
        wanted = memoryview(buffer).cast("B")
        first, last = self._at // PAGE, (self._at + len(wanted) - 1) // PAGE
        data = b"".join(self._page(number) for number in range(first, last + 1))
        start = self._at - first * PAGE
        piece = data[start : start + len(wanted)].ljust(len(wanted), b"\0")
        wanted[:] = piece
        self._at += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a byte, as files do."""
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        """Return where the file stands."""
        return self._at

    def _page(self, number: int) -> bytes:
        if number not in self._pages:
            count = max(0, min(PAGE, self._size - number * PAGE))
            self._pages[number] = self._bytes(number * PAGE, count) if count else b""
        return self._pages[number]

    def _bytes(self, offset: int, count: int) -> bytes:
        self._ask.write(b"R" + struct.pack(">QQ", offset, count))
        self._ask.flush()
        data = self._answer.read(count)
        if len(data) < count:
            raise EOFError("the caller has gone")
        return data


def told(file: Any) -> Iterator[str]:
    """Yield a header's lines: groups, datasets with type and shape, attributes. No link is followed."""
    yield from _attributes(file, "")
    names: list[str] = []

    def visit(name: str) -> bool | None:
        names.append(name)
        return True if len(names) > OBJECTS else None

    file.visit(visit)
    for name in names[:OBJECTS]:
        thing = file[name]
        indent = "  " * name.count("/")
        if hasattr(thing, "shape"):
            yield f"{indent}{name.rpartition('/')[2]}  {thing.dtype} {_shape(thing)}"
        else:
            yield f"{indent}{name.rpartition('/')[2]}/"
        yield from _attributes(thing, indent + "  ")
    if len(names) > OBJECTS:
        yield f"… more than {OBJECTS:,} groups and datasets"


def _shape(thing: Any) -> str:
    if thing.shape is None:
        return "(empty)"
    limits = thing.maxshape or thing.shape
    sizes = [
        f"{size} of any" if most is None else str(size)
        for size, most in zip(thing.shape, limits, strict=True)
    ]
    return f"({', '.join(sizes)})"


def _attributes(thing: Any, indent: str) -> Iterator[str]:
    # netCDF-4 keeps its own books in these.
    books = {
        "DIMENSION_LIST",
        "REFERENCE_LIST",
        "CLASS",
        "NAME",
        "_Netcdf4Coordinates",
        "_Netcdf4Dimid",
        "_NCProperties",
    }
    for name in list(thing.attrs)[:VALUES]:
        if name in books:
            continue
        try:
            value = thing.attrs[name]
        except (OSError, TypeError, ValueError):
            value = "…"
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        words = f'"{value}"' if isinstance(value, str) else str(value)
        yield f"{indent}:{name} = {words[:VALUES]}{'…' if len(words) > VALUES else ''}"


def main() -> None:
    """Read through standard input and output the file whose size is the only argument."""
    h5py: Any = importlib.import_module("h5py")
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_TIME, _TIME))
    say = sys.stdout.buffer
    try:
        with h5py.File(Remote(int(sys.argv[1]), say, sys.stdin.buffer), "r") as file:
            text = "\n".join(told(file))[:SHOWN].encode("utf-8", "replace")
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, MemoryError, RecursionError):
        say.write(b"F" + bytes(16))
    else:
        say.write(b"T" + struct.pack(">QQ", len(text), 0) + text)
    say.flush()


if __name__ == "__main__":
    main()
