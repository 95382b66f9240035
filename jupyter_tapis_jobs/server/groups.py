"""Groups of users: whose jobs a member may ask for together. A group shows nothing that is not shared."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..model.conditions import Comparison, Condition
from ..model.errors import NotAllowedError, did_you_mean
from ..model.texts import shown


def of_group(groups: Mapping[str, Collection[str]], user: str, name: str) -> Condition:
    """Return the condition that a job's owner is in group *name*.

    It narrows a list to these owners, and adds none to those that *user* may see. Raises
    ``NotAllowedError`` unless *user* is in the group; whether there are others is not told.
    """
    mine = sorted(group for group, members in groups.items() if user in members)
    if name not in mine:
        there = f"Your groups: {', '.join(mine)}." if mine else "You are in none (TapisJobsApp.groups)."
        raise NotAllowedError(f"You are not in a group {shown(name)}.{did_you_mean(name, mine)} {there}")
    return Comparison("owner", "in", tuple(sorted(groups[name])))
