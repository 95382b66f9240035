"""Holding idle jobs of HTCondor and letting them go: ``condor_hold`` and ``condor_release``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from . import condor_identity as identity
from .base import Launch
from .condor_cancel import AT_ONCE

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
    """Name all jobs in a few calls; that none of them is in that state any more is no error."""
    uuids = [launch.uuid for launch in launches]
    calls = []
    for start in range(0, len(uuids), AT_ONCE):
        members = identity.text(",".join(uuids[start : start + AT_ONCE]))
        named = f"stringListMember({identity.UUID}, {members})"
        there = f"{identity.LANE} == {identity.text(lane_dir)}"
        calls.append(
            f"{command} -constraint {shlex.quote(f'{state} && {there} && {named}')} > /dev/null 2>&1"
        )
    return "\n".join((identity.PREPARE, *calls, "true\n"))
