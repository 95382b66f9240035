"""Patterns of an archive filter (Tapis Jobs, "ArchiveFilter"): Java globs, or ``REGEX:`` and one.

``*`` stays in one directory, ``**`` crosses them, ``?`` is one character of a name, ``[…]`` and
``{a,b}`` as in a shell (java.nio.file.FileSystem.getPathMatcher). A pattern matches a whole path,
relative to the job's output directory. Of Java's regular expressions those are understood that Python
writes the same, named groups and the POSIX classes ``\\p{Alpha}`` ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from .errors import InvalidInputError
from .job import ArchiveFilter
from .macros import simply
from .slow_patterns import why_slow

REGEX = "REGEX:"
#: Names of outputs are short: so many repeats behind each other are soon tried.
_LOOPS = 4


def selects(chosen: ArchiveFilter, path: str) -> bool:
    """Tell whether the output at *path* is archived: excludes first, then includes; no includes means all."""
    if _any_matches(chosen.excludes, path):
        return False
    return not chosen.includes or _any_matches(chosen.includes, path)


def with_macros(chosen: ArchiveFilter, values: Mapping[str, str]) -> ArchiveFilter:
    """Return the filter with its macros put in; raises ``InvalidInputError`` for what is no pattern then."""
    filled = replace(
        chosen,
        includes=tuple(simply(pattern, values) for pattern in chosen.includes),
        excludes=tuple(simply(pattern, values) for pattern in chosen.excludes),
    )
    for pattern in (*filled.includes, *filled.excludes):
        compiled(pattern)
    return filled


def _any_matches(patterns: Iterable[str], path: str) -> bool:
    return any(pattern == "**/*" or compiled(pattern).fullmatch(path) for pattern in patterns)


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return *pattern* as a regular expression; raises ``InvalidInputError`` when it is not one."""
    try:
        if pattern.startswith(REGEX):
            return re.compile(_quick(_from_java(pattern.removeprefix(REGEX))), re.DOTALL)
        return re.compile(_from_glob(pattern), re.DOTALL)
    except (re.error, _NotTakenError) as fault:
        raise InvalidInputError(
            f"archiveFilter pattern {pattern!r} cannot be read: {fault}. Use a glob such as results/*.csv, "
            f"or {REGEX} and a regular expression.",
            field="parameterSet.archiveFilter",
            value=pattern,
        ) from fault


#: Java's names of classes (java.util.regex.Pattern) -> what stands in brackets.
_CLASSES = {
    "Lower": "a-z", "Upper": "A-Z", "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9",
    "XDigit": "0-9a-fA-F", "Space": r"\s", "Punct": r"!-/:-@\[-`{-~",
}  # fmt: skip
_JAVA = re.compile(r"\\p\{(\w+)\}|\(\?<(?=[A-Za-z])|\\.|\[\^?|\]|.", re.DOTALL)


def _from_java(regex: str) -> str:
    """Put what Java writes differently into Python's words."""
    parts, inside = [], False
    for found in _JAVA.finditer(regex):
        part = found[0]
        if found[1] in _CLASSES:
            part = _CLASSES[found[1]] if inside else f"[{_CLASSES[found[1]]}]"
        elif part == "(?<" and not inside:
            part = "(?P<"
        elif part[0] == "[" or part == "]":
            inside = part[0] == "["
        parts.append(part)
    return "".join(parts)


class _NotTakenError(ValueError):
    """A glob that Java would not take, or an expression that could take for ever."""


def _quick(regex: str) -> str:
    """Return *regex* if it is done soon with every name."""
    if why := why_slow(regex, _LOOPS):
        raise _NotTakenError(f"it could take for ever on some names, as {why}")
    return regex


_PLAIN = {"**": ".*", "*": "[^/]*", "?": "[^/]", "/": "/"}
_TOKENS = re.compile(r"\*\*|\\.|\[!?[^\]]+\]|.", re.DOTALL)


def _from_glob(glob: str) -> str:
    """Translate token by token; a comma is special inside braces only."""
    parts, is_group = [], False
    for part in _TOKENS.findall(glob):
        if part == "{":
            if is_group:
                raise _NotTakenError("a {…} cannot stand inside another")
            is_group = True
            parts.append("(?:")
        elif part == "}" and is_group:
            is_group = False
            parts.append(")")
        elif part == "," and is_group:
            parts.append("|")
        elif part == "[":
            raise _NotTakenError("a [ is never closed")
        elif part == "\\":
            raise _NotTakenError("it ends in a backslash")
        elif len(part) > 2 and part.startswith("["):
            parts.append(_char_class(part))
        elif part.startswith("\\") and len(part) == 2:
            parts.append(re.escape(part[1]))
        else:
            parts.append(_PLAIN.get(part, re.escape(part)))
    if is_group:
        raise _NotTakenError("a { is never closed")
    return "".join(parts)


def _char_class(token: str) -> str:
    """Translate ``[abc]`` or ``[!abc]``; as in Java, neither crosses a directory."""
    if "/" in token:
        raise _NotTakenError("a [ ] cannot hold a /")
    negated = token[1] == "!"
    members = (
        token[1 + negated : -1]
        .replace("\\", r"\\")
        .replace("[", r"\[")
        .replace("^", r"\^")
        .replace("&&", r"&\&")
    )
    return f"(?!/)[{'^' * negated}{members}]"
