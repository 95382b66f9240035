"""Claims in shell: how a job is kept from starting, and how a script says that it is gone.

A job starts only when its launch script wins the claim in its directory (``link`` fails where the name is
taken; link(2)); who takes the claim first, with the word "revoked", keeps it from starting for good.
"""

from __future__ import annotations

from ..model import marks
from ..transports.base import Answer

#: ``revoke UUID DIRECTORY``: takes the claim where it is still free.
REVOKE = f"""\
revoke() {{
  own="$2/{marks.FOLDER}/revoke.$$"; echo "{marks.REVOKED} $1" > "$own"
  ln "$own" "$2/{marks.CLAIM}" 2> /dev/null; rm -f "$own"
}}
"""


def gone(answer: Answer) -> frozenset[str]:
    """Return the uuids of the lines ``<uuid> gone``."""
    words = (line.split() for line in answer.stdout.split("\n"))
    return frozenset(word[0] for word in words if len(word) == 2 and word[1] == "gone")
