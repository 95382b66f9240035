"""What a tar archive says of its members: headers, and members that tell of the next one (long names)."""

from __future__ import annotations

import errno
import math
import os
import tarfile

#: Members whose content tells of the next one: a long name, a long link, pax records.
ABOUT_NEXT = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
#: The most that such a content may hold: a path is at most some kilobytes.
MOST_ABOUT_NEXT = 1 << 20
#: The last second that the eleven octal digits of a header can name.
_LAST_TIME = 8**11 - 1


def header(block: bytes) -> tarfile.TarInfo:
    """Read a header; raises ``OSError`` (EINVAL) for what is none."""
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as error:
        raise _damaged(str(error)) from None
    _refuse_odd(info)
    if info.type in ABOUT_NEXT and info.size > MOST_ABOUT_NEXT:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    return info


def told(kind: bytes, content: bytes) -> dict[str, str]:
    """Return what a member of *kind* tells of the next one, in the words of pax (path, linkpath, size, …)."""
    if kind in (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
        key = "path" if kind == tarfile.GNUTYPE_LONGNAME else "linkpath"
        return {key: os.fsdecode(content.rstrip(b"\0"))}
    return _pax_records(content)


def apply(info: tarfile.TarInfo, words: dict[str, str]) -> None:
    """Let *info* have what was told of it before."""
    info.name, info.linkname = words.get("path", info.name), words.get("linkpath", info.linkname)
    try:
        info.size = int(words.get("size", info.size))
        info.mtime = float(words.get("mtime", info.mtime))
    except ValueError:
        raise _damaged("a damaged number") from None
    _refuse_odd(info)


def _refuse_odd(info: tarfile.TarInfo) -> None:
    """Refuse what no archive says that was made of files; a time that no file has becomes one."""
    if info.size < 0 or "\0" in info.name + info.linkname:
        raise _damaged("a damaged header")
    info.mtime = min(max(info.mtime, 0), _LAST_TIME) if math.isfinite(info.mtime) else 0


def _pax_records(content: bytes) -> dict[str, str]:
    """Return the records of a pax header, each written as ``length key=value`` and a newline."""
    records = {}
    while content:
        digits, _, _ = content.partition(b" ")
        if not digits.isdigit() or len(digits) > 9 or not len(digits) + 1 < int(digits) <= len(content):
            raise _damaged("a damaged header")
        key, _, value = content[len(digits) + 1 : int(digits) - 1].partition(b"=")
        records[os.fsdecode(key)] = os.fsdecode(value)
        content = content[int(digits) :]
    return records


def _damaged(why: str) -> OSError:
    return OSError(errno.EINVAL, f"This is no tar archive: {why}")
