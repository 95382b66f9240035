"""The catalog of scheduler profiles (Tapis Systems): anyone's to read, the owner's to delete."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from ..model.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError, did_you_mean
from ..model.profile import SchedulerProfile, parse_profile
from ..model.times import iso
from ..model.user import User
from ..store import profiles as rows
from ..store.database import Database
from ..store.profiles import ProfileRow

#: What the catalog keeps beside the definition.
_KEPT = ("tenant", "owner", "uuid", "created", "updated")


class ProfileCatalog:
    """Profiles by name, which is unique in the tenant. Methods that write belong on the writer thread."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def find(self, name: str) -> SchedulerProfile:
        """Return the profile that a job or a system names; ``InvalidInputError`` with the nearest name."""
        row = self._database.read(lambda conn: rows.get(conn, name))
        if row is None:
            raise InvalidInputError(self._unknown(name), field="schedulerProfile", value=name)
        return _profile(row)

    def get(self, name: str) -> SchedulerProfile:
        """Return a profile; ``NotFoundError`` with the nearest name."""
        row = self._database.read(lambda conn: rows.get(conn, name))
        if row is None:
            raise self._missing(name)
        return _profile(row)

    def usable(
        self, user: User, name: str, lenders: Collection[str | None] = (), *, server_user: str | None
    ) -> SchedulerProfile:
        """Return a profile for *user*'s jobs: anybody's that only hides options and loads modules by name.

        One with commands is used where its owner is trusted with commands already: the user, the
        server's user, and *lenders*, who own the system and the app. A name says nothing about who was
        first to take it.
        """
        profile = self.get(name)
        if profile.owner not in (user.name, server_user, *lenders) and not profile.is_harmless:
            raise NotAllowedError(
                f"Scheduler profile {name} is {profile.owner}'s, and its commands would run as you. "
                "Make one of your own with createSchedulerProfile, and name that.",
                code="SYSAPI_UNAUTH",
            )
        return profile

    def every(self) -> list[SchedulerProfile]:
        """Return all profiles, by name."""
        return [_profile(row) for row in self._database.read(rows.every)]

    def create(self, user: User, raw: Mapping[str, Any]) -> SchedulerProfile:
        """Store a new profile of *user*; ``ConflictError`` when the name is taken."""
        profile, _ = parse_profile(raw)
        now = iso(self._now())
        definition = {name: value for name, value in profile.to_wire().items() if name not in _KEPT}
        row = ProfileRow(
            name=profile.name,
            owner=user.name,
            definition=json.dumps(definition, ensure_ascii=False),
            uuid=str(uuid4()),
            created=now,
            updated=now,
        )

        def work(conn: Connection) -> None:
            if rows.get(conn, profile.name) is not None:
                raise ConflictError(
                    f"Scheduler profile {profile.name} already exists. "
                    "Delete it first, or choose another name.",
                    code="SYSAPI_PRF_EXISTS",
                )
            rows.add(conn, row)

        self._database.write(work)
        return _profile(row)

    def delete(self, user: User, name: str) -> int:
        """Delete a profile of the user's own; return 1."""

        def work(conn: Connection) -> int:
            row = rows.get(conn, name)
            if row is None:
                raise self._missing(name)
            if user.name != row.owner and not user.is_server_user:
                raise NotAllowedError(
                    f"Scheduler profile {name} is {row.owner}'s to delete.", code="SYSAPI_UNAUTH"
                )
            return rows.remove(conn, name)

        return self._database.write(work)

    def _missing(self, name: str) -> NotFoundError:
        return NotFoundError(self._unknown(name), code="SYSAPI_PRF_NOT_FOUND")

    def _unknown(self, name: str) -> str:
        names = [row.name for row in self._database.read(rows.every)]
        there = f" Profiles: {', '.join(names)}." if names and len(names) <= 10 else ""
        none = "" if names else " There are none yet; createSchedulerProfile makes one."
        return f"There is no scheduler profile {name[:80]}.{did_you_mean(name, names)}{there}{none}"


@lru_cache(maxsize=64)
def _profile(row: ProfileRow) -> SchedulerProfile:
    """Return the profile of a row; the same object for the same row."""
    kept = {"owner": row.owner, "uuid": row.uuid, "created": row.created, "updated": row.updated}
    return SchedulerProfile.model_validate(json.loads(row.definition) | kept)
