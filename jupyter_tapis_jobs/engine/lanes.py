"""The lanes of an engine, each made when its first job comes: ours on this machine, others' over SSH."""

from __future__ import annotations

from pathlib import Path

from .lane import Lane, LaneKey
from .systems import LOCAL

#: Cores that FORK jobs share on a host that is reached over SSH: it is others' machine, too.
SSH_FORK_CORES = 16
#: Jobs of this machine that a station takes at once.
LOCAL_COHORT = 250


class Lanes:
    """One lane for each system and effective user."""

    def __init__(self, folder: Path, *, fork_cores: int | None) -> None:
        self._folder = folder
        self._fork_cores = fork_cores
        self._made: dict[LaneKey, Lane] = {}

    def of(self, key: LaneKey) -> Lane:
        """Return the lane of a key."""
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]

    def _make(self, key: LaneKey) -> Lane:
        lane = Lane(key=key, fork_cores=SSH_FORK_CORES)
        if key[0] == LOCAL:
            lane.folder = str(self._folder / "lanes" / f"{key[0]}-{key[1]}")
            # Nothing travels on this machine: small cohorts let the first jobs start sooner.
            lane.fork_cores, lane.cohort = self._fork_cores, LOCAL_COHORT
        return lane
