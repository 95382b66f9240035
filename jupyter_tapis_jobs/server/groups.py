"""Groups of users: whose jobs a member may ask for together. A group shows nothing that is not shared.

They are those of the configuration, and those of the hub that somebody signs in by. A hub tells the groups
of who signs in, not who else is in them, so its members are those of them who were here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ..model.conditions import Comparison, Condition
from ..model.errors import NotAllowedError, TapisJobsError, did_you_mean
from ..model.texts import shown
from ..model.times import iso

if TYPE_CHECKING:
    from .door import Door

log = logging.getLogger(__name__)


class Groups:
    """The groups of a server's users; *configured* is group -> its members."""

    def __init__(self, configured: Mapping[str, Collection[str]], door: Door) -> None:
        self._configured = configured
        self._door = door
        #: User -> the hub's groups, as they are stored.
        self._stored: dict[str, frozenset[str]] = {}

    async def signed_in(self, user: str, groups: Collection[str]) -> None:
        """Remember the hub's *groups* of somebody who signs in; only what has changed is stored."""
        found = frozenset(groups)
        if self._stored.get(user) == found:
            return
        from ..store import memberships as rows

        try:
            await self._door.write(lambda c: rows.keep(c, user, found, iso(time.time())))
        except TapisJobsError as trouble:
            # A call that needs no group goes on; the next one tries again.
            log.warning("groups of %s could not be stored: %s", user, trouble.message)
            return
        self._stored[user] = found

    async def condition(self, user: str, name: str) -> Condition:
        """Return the condition that a job's owner is in group *name*.

        It narrows a list to these owners, and adds none to those that *user* may see. Raises
        ``NotAllowedError`` unless *user* is in the group; whether there are others is not told.
        """
        from ..store import memberships as rows

        hubs, others = await self._door.read(lambda c: (rows.groups_of(c, user), rows.members(c, name)))
        mine = sorted(hubs.union(group for group, members in self._configured.items() if user in members))
        if name not in mine:
            there = f"Your groups: {', '.join(mine)}." if mine else "You are in none (TapisJobsApp.groups)."
            raise NotAllowedError(f"You are not in a group {shown(name)}.{did_you_mean(name, mine)} {there}")
        members = others.union(self._configured.get(name, ()))
        return Comparison("owner", "in", tuple(sorted(members)))
