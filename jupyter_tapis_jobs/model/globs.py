"""Which outputs a glob means: ``*`` stays within a folder, ``**`` goes below, ``?`` is one character."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from .errors import InvalidInputError
from .texts import shown

_BELOW = "**"
_PIECES = re.compile(r"(\*\*/|\*\*|\*|\?|\[!?[^\]]+\])")
_MEANT = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def is_glob(path: str) -> bool:
    """True where *path* means several files."""
    return any(mark in path for mark in "*?[")


def names_matching(names: Iterable[str], pattern: str) -> list[str]:
    """Return the *names* (paths, relative) that *pattern* means, sorted.

    Raises ``InvalidInputError`` for what is no pattern.
    """
    wanted = _compiled(pattern)
    return sorted(name for name in names if wanted.fullmatch(name))


def levels(pattern: str) -> int | None:
    """Return how many levels below their folder the files that *pattern* means can lie; None: any."""
    return None if _BELOW in pattern else pattern.count("/") + 1


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile("".join(map(_meant, _PIECES.split(pattern))), re.DOTALL)
    except re.error as cause:
        raise InvalidInputError(
            f"{shown(pattern)} is no glob: {cause}. Write it as *.csv or run[0-9].json.",
            field="path",
            value=pattern,
        ) from cause


def _meant(piece: str) -> str:
    if piece in _MEANT:
        return _MEANT[piece]
    if piece.startswith("[") and piece.endswith("]") and len(piece) > 2:
        inside = piece[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        # A slash parts folders; no set of characters has it.
        return f"(?!/)[^{inside[1:]}]" if inside.startswith("!") else f"(?!/)[{inside}]"
    return re.escape(piece)
