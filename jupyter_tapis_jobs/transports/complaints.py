"""What commands say on standard error, as the system's own errors."""

from __future__ import annotations

import errno
import os
import re

#: Words of commands that are not the system's own.
_WORDS = {
    "cannot overwrite non-directory": errno.EEXIST,
    "cannot overwrite directory": errno.EISDIR,
    "into itself": errno.EINVAL,
    "are the same file": errno.EINVAL,
    "to a subdirectory of itself": errno.EINVAL,
    "does not look like a tar archive": errno.EINVAL,
    "Unexpected EOF in archive": errno.EINVAL,
    "Member name contains '..'": errno.EPERM,
    "Removing leading": errno.EPERM,
    "Wrote only": errno.ENOSPC,
}
_NUMBERS = {os.strerror(number): number for number in errno.errorcode}
_ESCAPES = {"n": "\n", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "r": "\r", "v": "\v"}


def error_of(complaint: str, path: str) -> OSError:
    """Return the error that a command's first line tells of."""
    line = next((line for line in complaint.splitlines() if line), "")
    number = errno_of(line)
    if number is None:
        return OSError(errno.EIO, line or "The command failed and said nothing", path)
    words = os.strerror(number)
    return OSError(number, words if line.endswith(words) else line, path)


def errno_of(line: str) -> int | None:
    """Return the number of the error that a line tells of: such lines end with the system's own words."""
    for words, number in _WORDS.items():
        if words in line:
            return number
    return _NUMBERS.get(line.rpartition(": ")[2].rstrip())


def unescaped(text: str) -> str:
    r"""Return a name as it is, that GNU tar wrote with ``\n``, ``\303`` and the like."""
    raw = re.sub(rb"\\([0-7]{3}|.)", _unescape, os.fsencode(text), flags=re.DOTALL)
    return os.fsdecode(raw)


def _unescape(found: re.Match[bytes]) -> bytes:
    sign = found[1].decode("latin-1")
    return bytes([int(sign, 8)]) if len(sign) == 3 else _ESCAPES.get(sign, sign).encode("latin-1")
