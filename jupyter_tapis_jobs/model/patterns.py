"""Patterns of an archive filter (Tapis Jobs, "ArchiveFilter"): Java globs, or ``REGEX:`` and one.

``*`` stays in one directory, ``**`` crosses them, ``?`` is one character of a name, ``[…]`` and
``{a,b}`` as in a shell (java.nio.file.FileSystem.getPathMatcher). A pattern matches a whole path,
relative to the job's output directory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from .errors import InvalidInputError
from .job import ArchiveFilter

REGEX = "REGEX:"


def selects(chosen: ArchiveFilter, path: str) -> bool:
    """Tell whether the output at *path* is archived: excludes first, then includes; no includes means all."""
    if _any_matches(chosen.excludes, path):
        return False
    return not chosen.includes or _any_matches(chosen.includes, path)


def _any_matches(patterns: Iterable[str], path: str) -> bool:
    return any(pattern == "**/*" or compiled(pattern).fullmatch(path) for pattern in patterns)


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return *pattern* as a regular expression; raises ``InvalidInputError`` when it is not one."""
    try:
        if pattern.startswith(REGEX):
            return re.compile(pattern.removeprefix(REGEX), re.DOTALL)
        return re.compile(_from_glob(pattern), re.DOTALL)
    except (re.error, IndexError) as fault:
        raise InvalidInputError(
            f"archiveFilter pattern {pattern!r} cannot be read: {fault}. Use a glob such as results/*.csv, "
            f"or {REGEX} and a regular expression.",
            field="parameterSet.archiveFilter",
            value=pattern,
        ) from fault


_PLAIN = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", "/": "/"}
_TOKENS = re.compile(r"\*\*|\\.|\[!?[^\]]+\]|.", re.DOTALL)


def _from_glob(glob: str) -> str:
    """Translate token by token; a comma is special inside braces only."""
    parts, depth = [], 0
    for part in _TOKENS.findall(glob):
        depth += (part == "{") - (part == "}")
        if part == "," and depth:
            parts.append("|")
        elif len(part) > 2 and part.startswith("["):
            parts.append(_char_class(part))
        elif part.startswith("\\") and len(part) == 2:
            parts.append(re.escape(part[1]))
        else:
            parts.append(_PLAIN.get(part, re.escape(part)))
    return "".join(parts)


def _char_class(token: str) -> str:
    """Translate ``[abc]`` or ``[!abc]``; as in Java, neither crosses a directory."""
    negated = token[1] == "!"
    members = (
        token[1 + negated : -1]
        .replace("\\", r"\\")
        .replace("[", r"\[")
        .replace("^", r"\^")
        .replace("&&", r"&\&")
    )
    return f"(?!/)[{'^' * negated}{members}]"
