"""Postits: links with which anybody reads one path, some times and for a while (Tapis Files, "PostIts").

Whoever has the link needs no sign-in: it works with the rights of its owner at that moment. A use is counted
once the bytes can be sent, in one step with the look whether one is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from ..model.errors import InvalidInputError, NotFoundError, StoreError, TapisJobsError, UnavailableError
from ..model.paths import normalise
from ..model.times import iso, parse_iso
from ..model.user import User
from ..store import postits as rows
from ..store.page import Page
from ..store.postits import UNLIMITED, PostItRow
from .catalog import Listing, paged
from .files import Download, FileService
from .ports import Ports

T = TypeVar("T")

#: Source: Tapis Files, "PostIts": uses and seconds of a new one when nothing is said.
USES, SECONDS = 1, 30 * 24 * 3600
#: Seconds for which an expired one is still listed.
KEPT = 30 * 24 * 3600.0
#: The most that is counted or waited for.
MOST = 2**31 - 1
#: The attributes of a row in a list (Tapis Files, "summaryAttributes").
SUMMARY = (
    "id", "postitId", "systemId", "owner", "tenantId", "path", "allowedUses", "timesUsed", "jwtUser",
    "jwtTenantId", "redeemUrl", "expiration", "created", "updated",
)  # fmt: skip


class PostIts:
    """Makes, lists, changes and redeems postits; only its owner knows of one, but for who has the link."""

    def __init__(self, ports: Ports, files: FileService) -> None:
        self._ports = ports
        self._files = files

    async def create(
        self,
        user: User,
        system_id: str,
        path: str,
        *,
        allowed_uses: int | None = None,
        valid_seconds: int | None = None,
        unlimited: bool = False,
    ) -> PostItRow:
        """Make a postit for a path that *user* may read and that is there."""
        changes = _changes(
            self._ports.clock.now(),
            allowed_uses=USES if allowed_uses is None and not unlimited else allowed_uses,
            valid_seconds=SECONDS if valid_seconds is None and not unlimited else valid_seconds,
            unlimited=unlimited,
        )
        await self._files.stat(user, system_id, path, follow_links=True)
        now = self._ports.clock.now()
        row = PostItRow(
            id=str(UUID(int=self._ports.random.getrandbits(128), version=4)),
            owner=user.name,
            system_id=system_id,
            path=normalise(path),
            times_used=0,
            created=iso(now),
            updated=iso(now),
            **changes,
        )

        def work(connection: Connection) -> None:
            rows.remove_expired(connection, iso(now - KEPT))
            rows.add(connection, row)

        await self._ports.write(work)
        return row

    async def search(
        self, user: User, listing: Listing, to_wire: Callable[[PostItRow], dict[str, Any]]
    ) -> Page[PostItRow]:
        """Return a page of the user's own."""
        found = await self._ports.read(lambda c: rows.of_owner(c, user.name))
        return paged(found, to_wire, listing)

    async def get(self, user: User, postit_id: str) -> PostItRow:
        """Return one of the user's own; ``NotFoundError`` for every other."""
        row = await self._row(postit_id)
        if row is None or row.owner != user.name:
            raise _missing(postit_id)
        return row

    async def change(
        self,
        user: User,
        postit_id: str,
        *,
        allowed_uses: int | None = None,
        valid_seconds: int | None = None,
        expiration: str | None = None,
        unlimited: bool = False,
    ) -> PostItRow:
        """Change how often and until when it can be used; what has been used stays counted."""
        row = await self.get(user, postit_id)
        now = self._ports.clock.now()
        changes = _changes(
            now,
            allowed_uses=allowed_uses,
            valid_seconds=valid_seconds,
            expiration=expiration,
            unlimited=unlimited,
        ) | {"updated": iso(now)}
        await self._ports.write(lambda c: rows.change(c, postit_id, **changes))
        return replace(row, **changes)

    async def delete(self, user: User, postit_id: str) -> int:
        """Delete one of the user's own; return how many were deleted."""
        await self.get(user, postit_id)
        return await self._ports.write(lambda c: rows.remove(c, postit_id))

    async def redeem(
        self, postit_id: str, person: Callable[[str], User], *, as_zip: bool | None = None
    ) -> Download:
        """Open what a postit leads to and count the use; a directory is zipped unless *as_zip* says no.

        *person* returns the user of a name. Errors tell nothing of system and path: who has the link is
        not known. ``InvalidInputError`` when it is used up or its time is over.
        """
        row = await self._row(postit_id)
        if row is None:
            raise _missing(postit_id)
        self._refuse_used_up(row, row.is_good(iso(self._ports.clock.now())))
        download = await self._open(row, person(row.owner), as_zip)
        try:
            # Others may have used it while the file was opened: this look and the count are one step.
            now = iso(self._ports.clock.now())
            used = await self._ports.write(lambda c: rows.use(c, postit_id, now))
            self._refuse_used_up(row, used)
        except BaseException:
            await download.chunks.aclose()
            raise
        return download

    async def _open(self, row: PostItRow, owner: User, as_zip: bool | None) -> Download:
        try:
            info = await self._files.stat(owner, row.system_id, row.path, follow_links=True)
            if info.type == "dir" and as_zip is False:
                raise InvalidInputError(
                    "The postit leads to a directory, which is sent as a zip file only: leave zip=false out.",
                    field="zip",
                    code="POSTITS_REDEEM_DIR_NOZIP",
                )
            zipped = info.type == "dir" if as_zip is None else as_zip
            return await self._files.open(owner, row.system_id, row.path, as_zip=zipped)
        except UnavailableError as trouble:
            raise UnavailableError("What the postit leads to cannot be reached now. Try again.") from trouble
        except StoreError:
            raise
        except TapisJobsError as fault:
            if fault.code == "POSTITS_REDEEM_DIR_NOZIP":
                raise
            raise NotFoundError(
                "What the postit leads to is not there any more, or its owner may not read it any more."
            ) from fault

    def _refuse_used_up(self, row: PostItRow, is_good: bool) -> None:
        if not is_good:
            raise InvalidInputError(
                f"The postit {row.id} can be used no more: its uses or its time are over. Ask for a new one.",
                code="POSTIT_NOT_REDEEMABLE",
            )

    async def _row(self, postit_id: str) -> PostItRow | None:
        return await self._ports.read(lambda c: rows.get(c, postit_id))


def _missing(postit_id: str) -> NotFoundError:
    return NotFoundError(f"There is no postit {postit_id[:80]}, or it is not yours.", code="POSTIT_NOT_FOUND")


def _changes(
    now: float,
    *,
    allowed_uses: int | None = None,
    valid_seconds: int | None = None,
    expiration: str | None = None,
    unlimited: bool = False,
) -> dict[str, Any]:
    """Return the columns that a call sets."""
    if unlimited:
        given = {"allowedUses": allowed_uses, "validSeconds": valid_seconds, "expiration": expiration}
        for name, value in given.items():
            if value is not None:
                raise InvalidInputError(
                    f"unlimited is without end and number of uses; leave {name} out.", field=name, value=value
                )
        return {"allowed_uses": UNLIMITED, "expires": None}
    if valid_seconds is not None and expiration is not None:
        raise InvalidInputError(
            "validSeconds and expiration both say when it ends; give one.", field="expiration"
        )
    changes: dict[str, Any] = {}
    if allowed_uses is not None:
        changes["allowed_uses"] = allowed_uses
    if valid_seconds is not None:
        changes["expires"] = iso(now + valid_seconds)
    if expiration is not None:
        changes["expires"] = _moment(expiration)
    return changes


def _moment(text: str) -> str:
    try:
        return iso(parse_iso(text))
    except (ValueError, OverflowError) as fault:
        raise InvalidInputError(
            f"expiration {text[:60]!r} is no time; write it as 2026-12-31T23:59:59Z.",
            field="expiration",
            value=text,
        ) from fault
