"""Holding idle jobs of HTCondor and letting them go: ``condor_hold`` and ``condor_release``."""

from __future__ import annotations

from collections.abc import Sequence

from . import condor_identity as identity
from .base import Launch

#: JobStatus and HoldReasonCode (HTCondor's manual, "Job ClassAd Attributes"): idle; held by its user, or
#: submitted so. What runs is not held, for HTCondor would end it; other holds are not the owner's.
_IDLE = "JobStatus == 1"
_OURS = "JobStatus == 5 && (HoldReasonCode == 1 || HoldReasonCode == 15)"


def hold_script(lane_dir: str, launches: Sequence[Launch]) -> str:
    """Return the script that holds those that wait for a machine."""
    return _script("condor_hold", _IDLE, lane_dir, launches)


def release_script(lane_dir: str, launches: Sequence[Launch]) -> str:
    """Return the script that lets those go that their owner holds."""
    return _script("condor_release", _OURS, lane_dir, launches)


def _script(command: str, state: str, lane_dir: str, launches: Sequence[Launch]) -> str:
    """That none of the jobs is in that state any more is no error."""
    there = f"{identity.LANE} == {identity.text(lane_dir)}"
    return "\n".join((identity.PREPARE, *identity.for_all(command, launches, state, there), "true\n"))
