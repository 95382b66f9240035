"""Copies of many jobs' launch files on their host, by two processes in place of two per job."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping, Sequence

from ..model import files
from ..transports.base import Transport

#: From so many jobs on it is worth the while.
MANY = 10

#: One tar reads all launch files, another one writes them, each a few directories further down.
_SCRIPT = """\
LC_ALL=C; export LC_ALL
cd {root} || exit 1
{{
{names}
}} | {{ tar -c -f - --null -T - --transform={deeper} || printf x; }} | tar -x -p -f - --no-same-owner
"""
_FEW = 50


async def copy_launch_files(transport: Transport, places: Mapping[str, str]) -> bool:
    """Copy the launch files of jobs, exec directory -> where to; True when all of them came.

    It works where each goes to the same place below its own directory, as it nearly always does.
    """
    deeper = {posixpath.relpath(target, exec_dir) for exec_dir, target in places.items()}
    if len(places) < MANY or len(deeper) != 1 or (below := deeper.pop()).startswith("."):
        return False
    root = posixpath.commonpath(list(places))
    names = [
        shlex.quote(f"{posixpath.relpath(exec_dir, root)}/{name}")
        for exec_dir in places
        for name in files.LAUNCH_FILES
    ]
    script = _SCRIPT.format(root=shlex.quote(root), names=_printed(names), deeper=_transform(below))
    answer = await transport.run(script, timeout=600)
    return answer.exit_code == 0 and not answer.stderr


def _printed(words: Sequence[str]) -> str:
    return "\n".join(
        f"printf '%s\\0' {' '.join(words[start : start + _FEW])}" for start in range(0, len(words), _FEW)
    )


def _transform(below: str) -> str:
    """Return tar's rule that puts *below* before the last part of a name."""
    plain = "".join(f"\\{letter}" if letter in "\\&," else letter for letter in below)
    return shlex.quote(f"s,[^/]*$,{plain}/&,")
