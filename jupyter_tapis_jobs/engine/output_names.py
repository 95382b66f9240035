"""What lies in the output directories of many jobs, listed by one script."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..transports.base import Transport

#: Directories that are listed at once: their listing is in memory.
_AT_ONCE = 1000

#: Each name comes with a letter: d an empty directory, l a large file, f another file or a link.
_SCRIPT = """\
LC_ALL=C find {roots} -type d -empty -exec printf 'd%s\\0' {{}} + \
-o -type f -size +{large}c -exec printf 'l%s\\0' {{}} + \
-o \\( -type f -o -type l \\) -exec printf 'f%s\\0' {{}} +
"""


@dataclass(slots=True)
class Names:
    """Names below one directory, relative to it; directories with something in them follow from it."""

    files: list[str] = field(default_factory=list)
    large: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def chosen(self, selects: Callable[[str], bool]) -> Names:
        """Return the files that are selected, without directories that hold nothing."""
        return Names([*filter(selects, self.files)], [*filter(selects, self.large)])

    def without(self, place: str) -> Names:
        """Return what is not *place*, nor below it."""

        def stays(name: str) -> bool:
            return name != place and not name.startswith(f"{place}/")

        return Names(*([*filter(stays, names)] for names in (self.files, self.large, self.empty)))


async def output_names(
    transport: Transport, roots: Sequence[str], large: int
) -> Mapping[str, Names | OSError]:
    """List directories (real paths, none below another); files over *large* bytes are told apart.

    What cannot be listed whole is an error: half of a job's outputs are not its outputs.
    """
    found: dict[str, Names | OSError] = {}
    for start in range(0, len(roots), _AT_ONCE):
        some = roots[start : start + _AT_ONCE]
        words = " ".join(map(shlex.quote, some))
        answer = await transport.run(_SCRIPT.format(roots=words, large=large), timeout=3600)
        found |= {root: Names() for root in some}
        found |= _complaints(answer.stderr, some)
        _enter(answer.stdout, found)
    return found


_LISTS = {"d": "empty", "l": "large", "f": "files"}
#: Parts of a path that no listing has: a job can put a command of its own in the place of the host's.
_ODD = frozenset({"", ".", ".."})


def _enter(stdout: str, found: dict[str, Names | OSError]) -> None:
    for line in stdout.split("\0"):
        path, root = line[1:], line[1:]
        while root and root not in found:
            root = root.rpartition("/")[0]
        names, name = found.get(root), path[len(root) + 1 :]
        if not isinstance(names, Names) or path == root:
            continue
        if line[0] not in _LISTS or _ODD.intersection(name.split("/")):
            found[root] = PermissionError(errno.EPERM, f"The host told of an odd name, {name!r}", root)
        else:
            getattr(names, _LISTS[line[0]]).append(name)


def _complaints(stderr: str, roots: Sequence[str]) -> dict[str, OSError]:
    """Return what ``find`` could not look into; a file that disappears meanwhile is none."""
    faults: dict[str, OSError] = {}
    for line in stderr.splitlines():
        for root in roots:
            if root not in line:
                continue
            if not line.endswith("No such file or directory"):
                faults[root] = PermissionError(errno.EACCES, line.rpartition(": ")[2], root)
            elif line[: line.rindex(":")].rstrip("'’\"").endswith(root):
                faults[root] = FileNotFoundError(errno.ENOENT, "No such file or directory", root)
    return faults
