"""Who is in which groups of the hub, as it was when each of them was here last."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import Connection, func, literal, select
from sqlalchemy.dialects.sqlite import insert as upsert

from .tables import users


def keep(conn: Connection, user: str, groups: Collection[str], now: str) -> None:
    """Remember in which groups *user*, who is here, is."""
    text = json.dumps(sorted(groups))
    new = upsert(users).values(name=user, created=now, last_seen=now, groups=text)
    changed = {"last_seen": now, "groups": text}
    conn.execute(new.on_conflict_do_update(index_elements=[users.c.name], set_=changed))


def groups_of(conn: Connection, user: str) -> frozenset[str]:
    """Return the groups that *user* is in."""
    text = conn.execute(select(users.c.groups).where(users.c.name == user)).scalar()
    return frozenset(json.loads(text) if text else ())


def members(conn: Connection, group: str) -> frozenset[str]:
    """Return the users who are in *group*."""
    named = select(func.json_each(users.c.groups).table_valued("value").c.value)
    return frozenset(conn.execute(select(users.c.name).where(literal(group).in_(named))).scalars())
