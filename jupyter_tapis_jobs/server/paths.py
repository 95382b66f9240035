"""How a request's path is read: doubled slashes, one decoding, parameters that span several parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

#: ``{path}`` is the only parameter that may hold slashes or be empty.
REST = "path"
_PARAMETER = re.compile(r"^\{(\w+)\}$")


class Matcher:
    """Matches paths against one pattern such as ``/v3/files/ops/{systemId}/{path}``."""

    def __init__(self, pattern: str) -> None:
        self.parts = pattern.strip("/").split("/")
        self._regex = re.compile("".join(map(_part_regex, self.parts)) + "/*")

    @property
    def order(self) -> tuple[int, ...]:
        """Sorts literal parts before parameters, and parameters before the rest of a path."""
        return tuple(_rank(part) for part in self.parts)

    def match(self, path: str) -> Mapping[str, str] | None:
        """Return the parameters' texts, percent-decoded once, or None.

        Bytes that are not UTF-8 stand in the text as surrogate escapes, as file names do.
        """
        found = self._regex.fullmatch(path)
        if found is None:
            return None
        return {
            name: unquote(text or "", errors="surrogateescape") for name, text in found.groupdict().items()
        }


def _rank(part: str) -> int:
    parameter = _PARAMETER.match(part)
    if parameter is None:
        return 0
    return 2 if parameter.group(1) == REST else 1


def _part_regex(part: str) -> str:
    parameter = _PARAMETER.match(part)
    if parameter is None:
        return f"/+{re.escape(part)}"
    name = parameter.group(1)
    # tapipy pastes "/a/b" behind the slash of the pattern, and "" for the root is "/" there.
    return rf"(?:/+(?P<{name}>.*?))?" if name == REST else rf"/+(?P<{name}>[^/]+)"
