"""Holding jobs where nobody knows a hold: their claims are taken, so whoever starts them passes them over.

For schedulers whose jobs' directories are on the host itself. A job that is let go starts anew; a copy of
its first start that still comes may win the claim instead, once.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ..model import marks
from .base import Launch
from .claims import REVOKE

#: Says which jobs had not begun, and never will by what was handed over.
_HOLD = """\
hold() {{
  [ -d "$2/{folder}" ] || return
  revoke "$1" "$2"
  read -r first rest < "$2/{claim}" && [ "$first" = {revoked} ] && echo "$1 gone"
}}
"""

_RELEASE = """\
release() {{
  read -r first rest 2> /dev/null < "$1/{claim}" && [ "$first" = {revoked} ] && rm -f "$1/{claim}"
}}
"""


def hold_script(launches: Sequence[Launch]) -> str:
    """Return the script that takes the claims of jobs that have not begun."""
    calls = "".join(f"hold {job.uuid} {shlex.quote(job.exec_dir)}\n" for job in launches)
    functions = _HOLD.format(folder=marks.FOLDER, claim=marks.CLAIM, revoked=marks.REVOKED)
    return f"{REVOKE}{functions}{calls}true\n"


def release_script(launches: Sequence[Launch]) -> str:
    """Return the script that frees the claims that were taken so."""
    calls = "".join(f"release {shlex.quote(job.exec_dir)}\n" for job in launches)
    return _RELEASE.format(claim=marks.CLAIM, revoked=marks.REVOKED) + calls + "true\n"
