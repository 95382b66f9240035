"""Job templates as rows, by owner and name. Every function works inside the caller's transaction."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, select
from sqlalchemy.dialects.sqlite import insert

from ..model.template import JobTemplate
from .template_tables import templates


def get(conn: Connection, owner: str, name: str) -> JobTemplate | None:
    """Return a template of *owner*, or None."""
    row = conn.execute(select(templates).where(_is(owner, name))).one_or_none()
    return _read(row) if row else None


def of_owner(conn: Connection, owner: str) -> list[JobTemplate]:
    """Return all templates of *owner*, by name."""
    found = select(templates).where(templates.c.owner == owner).order_by(templates.c.name)
    return [_read(row) for row in conn.execute(found)]


def put(conn: Connection, template: JobTemplate) -> None:
    """Store a template in the place of the one that has its name."""
    values = asdict(template) | {"required": json.dumps(template.required, ensure_ascii=False)}
    conn.execute(insert(templates).values(values).on_conflict_do_update(set_=values))


def remove(conn: Connection, owner: str, name: str) -> int:
    """Delete a template; return 0 or 1."""
    return conn.execute(delete(templates).where(_is(owner, name))).rowcount


def _is(owner: str, name: str) -> ColumnElement[bool]:
    return (templates.c.owner == owner) & (templates.c.name == name)


def _read(row: Row[Any]) -> JobTemplate:
    return JobTemplate(**{**row._mapping, "required": tuple(json.loads(row.required))})
