"""What every server has from the start: for all to see, for the server's own user to change."""

from __future__ import annotations

from collections.abc import Mapping

#: Kind -> ids.
BUILTIN: Mapping[str, frozenset[str]] = {
    "app": frozenset({"bash", "python", "slurm"}),
    "system": frozenset({"local"}),
    "profile": frozenset(),
}
