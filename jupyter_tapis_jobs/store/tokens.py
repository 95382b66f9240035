"""Tokens that were given out, and who was here. The tokens themselves are not kept."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from .tables import tokens, users


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token: whose it is and until when it is good, ISO times. ``revoked`` is when it was taken back."""

    jti: str
    user: str
    created: str
    expires: str
    revoked: str | None = None


_all = select(tokens.c.jti, tokens.c.user, tokens.c.created, tokens.c.expires, tokens.c.revoked)


def add(conn: Connection, token: Token) -> None:
    """Remember a token that was given out."""
    values = {"jti": token.jti, "user": token.user, "created": token.created, "expires": token.expires}
    conn.execute(insert(tokens).values(values))


def get(conn: Connection, jti: str) -> Token | None:
    """Return the token with this id, or None."""
    row = conn.execute(_all.where(tokens.c.jti == jti)).one_or_none()
    return Token(**row._mapping) if row else None


def of_user(conn: Connection, user: str) -> list[Token]:
    """Return a user's tokens, newest first."""
    rows = conn.execute(_all.where(tokens.c.user == user).order_by(tokens.c.created.desc()))
    return [Token(**row._mapping) for row in rows]


def every(conn: Connection) -> list[Token]:
    """Return all tokens, newest first."""
    return [Token(**row._mapping) for row in conn.execute(_all.order_by(tokens.c.created.desc()))]


def is_revoked(conn: Connection, jti: str) -> bool:
    """Tell whether the token with this id was taken back."""
    return conn.execute(select(tokens.c.revoked).where(tokens.c.jti == jti)).scalar() is not None


def revoke(conn: Connection, jti: str, now: str) -> bool:
    """Take a token back; return False when there is no such token or it was taken back before."""
    known = tokens.c.jti == jti
    return (
        conn.execute(update(tokens).where(known, tokens.c.revoked.is_(None)).values(revoked=now)).rowcount > 0
    )


def forget_expired(conn: Connection, now: str) -> int:
    """Delete the tokens that ran out before *now*; return how many."""
    return conn.execute(delete(tokens).where(tokens.c.expires < now)).rowcount


def seen(conn: Connection, user: str, now: str) -> None:
    """Remember that *user* was here."""
    new = upsert(users).values(name=user, created=now, last_seen=now)
    conn.execute(new.on_conflict_do_update(index_elements=[users.c.name], set_={"last_seen": now}))


def all_users(conn: Connection) -> list[str]:
    """Return the names of all who were here, in order."""
    return list(conn.execute(select(users.c.name).order_by(users.c.name)).scalars())
