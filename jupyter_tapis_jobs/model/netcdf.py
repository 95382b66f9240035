"""The header of a NetCDF file in the classic formats, in the words of ``ncdump -h``.

Source: NetCDF Classic Format Specification (CDF-1, CDF-2, CDF-5). Read is plain Python, so that a damaged
file harms nobody.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 0x0A, 0x0B, 0x0C
#: nc_type -> name and letter of ``struct``.
_TYPES = {
    1: ("byte", "b"),
    2: ("char", "s"),
    3: ("short", "h"),
    4: ("int", "i"),
    5: ("float", "f"),
    6: ("double", "d"),
    7: ("ubyte", "B"),
    8: ("ushort", "H"),
    9: ("uint", "I"),
    10: ("int64", "q"),
    11: ("uint64", "Q"),
}
#: Values and characters of one attribute that are shown.
_SHOWN = 200


def header(data: bytes) -> str:
    """Return the header that *data*, a file's first bytes, holds; raises ``ValueError`` when it does not."""
    try:
        return "\n".join(_lines(_Reader(data)))
    except (struct.error, IndexError, KeyError) as fault:
        raise ValueError("the header is damaged, or longer than what was read") from fault


@dataclass(slots=True)
class _Reader:
    """Takes numbers and names one after the other."""

    data: bytes
    at: int = 4

    @property
    def version(self) -> int:
        return self.data[3]

    def number(self) -> int:
        """Take an unsigned number of 4 bytes."""
        return int(self._take(">I", 4))

    def count(self) -> int:
        """Take a count or length: of 4 bytes, of 8 in CDF-5."""
        return int(self._take(">Q", 8)) if self.version == 5 else self.number()

    def place(self) -> None:
        """Pass over a place in the file."""
        self._take(">I", 4) if self.version == 1 else self._take(">Q", 8)

    def name(self) -> str:
        """Take a name."""
        return self.raw(self.count()).decode("utf-8", "replace")

    def raw(self, size: int) -> bytes:
        """Take bytes, which are padded to a multiple of 4."""
        found = self.data[self.at : self.at + size]
        if len(found) < size:
            raise IndexError
        self.at += size + -size % 4
        return found

    def _take(self, form: str, size: int) -> int:
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += size
        return int(value)

    def items(self, tag: int) -> Iterator[int]:
        """Take the head of a list; yield the number of each of its items."""
        found, count = self.number(), self.count()
        if found not in (0, tag) or (not found and count):
            raise IndexError
        yield from range(count)


def _lines(reader: _Reader) -> Iterator[str]:
    records = reader.count()
    names: list[str] = []
    yield "dimensions:"
    for _ in reader.items(_DIMENSIONS):
        name, size = reader.name(), reader.count()
        names.append(name)
        yield f"  {name} = {size or f'UNLIMITED ; // ({records} currently)'}{' ;' if size else ''}"
    about = list(_attributes(reader, ""))
    yield "variables:"
    for _ in reader.items(_VARIABLES):
        name = reader.name()
        over = ", ".join([names[reader.count()] for _ in range(reader.count())])
        attributes = list(_attributes(reader, name))
        kind = _TYPES[reader.number()][0]
        reader.count()
        reader.place()
        yield f"  {kind} {name}{f'({over})' if over else ''} ;"
        yield from attributes
    if about:
        yield "// global attributes:"
        yield from about


def _attributes(reader: _Reader, owner: str) -> Iterator[str]:
    for _ in reader.items(_ATTRIBUTES):
        name = reader.name()
        _, letter = _TYPES[reader.number()]
        count = reader.count()
        if letter == "s":
            text = reader.raw(count).decode("utf-8", "replace").rstrip("\0")
            shown = f'"{text[:_SHOWN]}{"…" if len(text) > _SHOWN else ""}"'
        else:
            raw = reader.raw(count * struct.calcsize(f">{letter}"))
            values = struct.unpack(f">{count}{letter}", raw)
            shown = ", ".join(map(str, values[:_SHOWN])) + (", …" if count > _SHOWN else "")
        yield f"    {owner}:{name} = {shown} ;"
