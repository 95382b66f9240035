"""Which outputs a glob means: ``*`` stays within a folder, ``**`` goes below, ``?`` is one character."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from .errors import InvalidInputError
from .texts import shown

_BELOW = "**"
#: More of them would make one long name cost minutes.
_MOST_BELOW = 4
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
    if pattern.count(_BELOW) > _MOST_BELOW:
        raise _refused(pattern, f"it holds {_BELOW} more than {_MOST_BELOW} times")
    try:
        return re.compile(_expression(_PIECES.split(pattern)), re.DOTALL)
    except re.error as cause:
        raise _refused(pattern, str(cause)) from cause


def _refused(pattern: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"{shown(pattern)} is no glob: {why}. Write it as *.csv or run[0-9].json.",
        field="path",
        value=pattern,
    )


def _expression(pieces: list[str]) -> str:
    """Return the pieces as one regular expression that does not try what cannot help.

    Where another star follows, the first place that fits what stands between the two is as good as any.
    """
    found, since = "", 0
    stars = [place for place, piece in enumerate(pieces) if piece in _STARS]
    for place, after in pairwise(stars):
        found += "".join(map(_meant, pieces[since:place]))
        between = "".join(map(_meant, pieces[place + 1 : after]))
        is_free = pieces[place] == "*" and pieces[after] != "**/"
        found += f"(?>[^/]*?{between})" if is_free else _meant(pieces[place]) + between
        since = after
    return found + "".join(map(_meant, pieces[since:]))


_STARS = ("*", "**", "**/")


def _meant(piece: str) -> str:
    if piece in _MEANT:
        return _MEANT[piece]
    if piece.startswith("[") and piece.endswith("]") and len(piece) > 2:
        inside = piece[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        # A slash parts folders; no set of characters has it.
        return f"(?!/)[^{inside[1:]}]" if inside.startswith("!") else f"(?!/)[{inside}]"
    return re.escape(piece)
