"""What is shown of an output file from its first bytes: text, a table, a picture, JSON, or a header.

Nothing in the file is run or followed; what it holds comes as texts and numbers.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import dataclass, field
from enum import StrEnum

from . import netcdf

#: Bytes of a file that are looked at, and characters of its text that are shown.
LOOKED_AT, SHOWN = 256 * 1024, 128 * 1024
#: Rows and columns of a table, and characters of one of its cells.
ROWS, COLUMNS, CELL = 500, 100, 1000
#: Of a text: at most one in so many signs may be unreadable.
_READABLE = 20
_PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
}
_HDF5 = b"\x89HDF\r\n\x1a\n"
_TABLES = {"csv": ",", "tsv": "\t"}
_JSONS = frozenset({"json", "geojson", "ipynb"})
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


class PreviewKind(StrEnum):
    """What is shown."""

    TEXT = "text"
    TABLE = "table"
    IMAGE = "image"
    JSON = "json"
    HEADER = "header"
    BINARY = "binary"


Cell = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What is shown of a file. ``truncated``: the file goes on behind it."""

    kind: PreviewKind
    text: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)
    media_type: str | None = None
    truncated: bool = False
    #: What is odd about the file, one or two sentences.
    note: str = ""


def preview_of(name: str, head: bytes, size: int) -> Preview:
    """Return what is shown of the file *name* of *size* bytes that begins with *head*."""
    is_cut = size > len(head)
    picture = next((kind for magic, kind in _PICTURES.items() if head.startswith(magic)), None)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        picture = "image/webp"
    if head.startswith(netcdf.MAGIC):
        return _netcdf(head)
    if head.startswith(_HDF5):
        return _hdf5(name)
    text = _text(head, is_cut)
    if picture and (text is None or picture != "image/bmp"):
        return Preview(kind=PreviewKind.IMAGE, media_type=picture)
    if text is None:
        return Preview(kind=PreviewKind.BINARY, truncated=is_cut)
    ending = name.rpartition(".")[2].lower()
    found = None
    if ending in _TABLES:
        found = _table(text, _TABLES[ending], is_cut)
    elif ending in _JSONS and not is_cut:
        found = _json(text)
    return found or _plain(text, is_cut)


def _plain(text: str, is_cut: bool, note: str = "") -> Preview:
    return Preview(kind=PreviewKind.TEXT, text=text[:SHOWN], truncated=is_cut or len(text) > SHOWN, note=note)


def _text(head: bytes, is_cut: bool) -> str | None:
    """Return the text of a file, None where it is none. A sign that the cut splits is left out."""
    if b"\0" in head:
        return None
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        if is_cut and len(head) - fault.start < 4 and fault.reason == "unexpected end of data":
            return head[: fault.start].decode("utf-8-sig")
    text = head.decode("utf-8", "replace")
    return text if text.count("\ufffd") * _READABLE <= len(text) else None


# -- tables


def _table(text: str, delimiter: str, is_cut: bool) -> Preview | None:
    """Return the first rows by columns; None where the text is no table after all."""
    if is_cut:
        # The last line may be half a one.
        text = text[: text.rfind("\n") + 1]
    lines: list[list[str]] = []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for line in reader:
            if line:
                lines.append(line)
            if len(lines) > ROWS + 1:
                break
    except csv.Error:
        return None
    if not lines:
        return None
    names, rows = _named(lines)
    width = len(names)
    odd = [number for number, row in enumerate(rows, 1) if len(row) != width]
    widest = max([width, *map(len, rows)])
    names += [str(number) for number in range(width + 1, widest + 1)]
    cells = [[_cell(text) for text in row] + [None] * (widest - len(row)) for row in rows[:ROWS]]
    return Preview(
        kind=PreviewKind.TABLE,
        columns=[name[:CELL] for name in names[:COLUMNS]],
        rows=[row[:COLUMNS] for row in cells],
        truncated=is_cut or len(rows) > ROWS or widest > COLUMNS,
        note=_about_odd(odd, width),
    )


def _named(lines: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return names and rows; a first line of numbers is a row, one behind ``#`` holds names."""
    first = lines[0]
    if first[0].lstrip().startswith("#"):
        return [first[0].lstrip().lstrip("#").strip(), *(name.strip() for name in first[1:])], lines[1:]
    if all(_NUMBER.fullmatch(text.strip()) for text in first):
        return [str(number) for number in range(1, len(first) + 1)], lines
    return [name.strip() for name in first], lines[1:]


def _about_odd(odd: list[int], width: int) -> str:
    if not odd:
        return ""
    first = ", ".join(map(str, odd[:5])) + (", …" if len(odd) > 5 else "")
    rows = "1 row does" if len(odd) == 1 else f"{len(odd):,} rows do"
    return f"{rows} not have {width} values as the first line has: {first}."


def _cell(text: str) -> Cell:
    words = text.strip()
    if not words:
        return None
    if not _NUMBER.fullmatch(words) or len(words) > 25:
        return text[:CELL]
    number = float(words) if re.search(r"[.eE]", words) else int(words)
    # What a browser's numbers cannot hold stays as it is written.
    return number if math.isfinite(number) and abs(number) < 2**53 else words


# -- others


def _json(text: str) -> Preview | None:
    try:
        shown = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return _plain(text, False, "This is no valid JSON.")
    return Preview(kind=PreviewKind.JSON, text=shown[:SHOWN], truncated=len(shown) > SHOWN)


def _netcdf(head: bytes) -> Preview:
    try:
        text = netcdf.header(head)
    except ValueError as fault:
        return Preview(kind=PreviewKind.HEADER, note=f"A NetCDF file: {fault}.")
    return Preview(kind=PreviewKind.HEADER, text=text[:SHOWN], truncated=len(text) > SHOWN)


def _hdf5(name: str) -> Preview:
    tool = "xarray.open_dataset" if name.lower().endswith((".nc", ".nc4")) else "h5py.File"
    words = (
        "An HDF5 file; its header is shown where h5py is installed beside the Jupyter server "
        f"(pip install h5py). job.download() brings it to the notebook, where {tool} opens it."
    )
    return Preview(kind=PreviewKind.HEADER, note=words)
