"""Postits as rows: links that let anybody read a path for a while."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from .tables import postits

#: Of ``allowed_uses``: without limit.
UNLIMITED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class PostItRow:
    """One postit. ``expires`` of None is for ever; the path is relative to the system's rootDir."""

    id: str
    owner: str
    system_id: str
    path: str
    allowed_uses: int
    times_used: int
    expires: str | None
    created: str
    updated: str

    def is_good(self, now: str) -> bool:
        """Tell whether it can be used at the moment *now*."""
        has_uses = self.allowed_uses == UNLIMITED or self.times_used < self.allowed_uses
        return has_uses and (self.expires is None or now < self.expires)


def get(conn: Connection, postit_id: str) -> PostItRow | None:
    """Return a postit, or None."""
    row = conn.execute(select(postits).where(postits.c.id == postit_id)).one_or_none()
    return PostItRow(**row._mapping) if row else None


def of_owner(conn: Connection, owner: str) -> list[PostItRow]:
    """Return a user's postits, oldest first."""
    rows = conn.execute(select(postits).where(postits.c.owner == owner).order_by(postits.c.created))
    return [PostItRow(**row._mapping) for row in rows]


def add(conn: Connection, row: PostItRow) -> None:
    """Store a new postit."""
    conn.execute(insert(postits).values(asdict(row)))


def change(conn: Connection, postit_id: str, **columns: str | int | None) -> None:
    """Change columns of a postit."""
    conn.execute(update(postits).where(postits.c.id == postit_id).values(columns))


def use(conn: Connection, postit_id: str, now: str) -> bool:
    """Count one use; False when there is none left or the time is over."""
    used = (
        update(postits)
        .where(postits.c.id == postit_id, *_is_good(now))
        .values(times_used=postits.c.times_used + 1, updated=now)
    )
    return conn.execute(used).rowcount == 1


def remove(conn: Connection, postit_id: str) -> int:
    """Delete a postit; return 0 or 1."""
    return conn.execute(delete(postits).where(postits.c.id == postit_id)).rowcount


def remove_expired(conn: Connection, before: str) -> int:
    """Delete the postits whose time was over before the moment *before*; return how many."""
    return conn.execute(delete(postits).where(postits.c.expires < before)).rowcount


def _is_good(now: str) -> tuple[ColumnElement[bool], ...]:
    has_uses = or_(postits.c.allowed_uses == UNLIMITED, postits.c.times_used < postits.c.allowed_uses)
    return has_uses, or_(postits.c.expires.is_(None), postits.c.expires > now)
