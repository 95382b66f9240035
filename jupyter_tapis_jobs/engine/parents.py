"""What a child system has from its parent, and what neither may do because of the other.

A child is stored whole and rewritten with its parent, so that whoever reads a system need not know of this.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from ..model.errors import ConflictError, InvalidInputError
from ..model.names import wire_name
from ..model.system import System
from ..store import systems as rows
from ..store.systems import SystemRow
from .stored_systems import KEPT

#: What is a child's own; all the rest is as its parent has it. A child has no children.
OWN = ("id", "effectiveUserId", "rootDir", "parentId", "allowChildren")
#: The attribute that names the parent.
PARENT = "parentId"


def children(conn: Connection, parent_id: str) -> list[SystemRow]:
    """Return the children of a system, deleted ones too."""
    return [row for row in rows.every(conn) if json.loads(row.definition).get(PARENT) == parent_id]


def follow(conn: Connection, parent: SystemRow, now: str) -> list[str]:
    """Rewrite the children of a system after it has changed; return their ids."""
    found = children(conn, parent.id)
    for child in found:
        rows.change(conn, child.id, now, definition=inherited(parent, child))
    return [child.id for child in found]


def inherited(parent: SystemRow, child: SystemRow) -> str:
    own = json.loads(child.definition)
    whole = json.loads(parent.definition) | {name: own.get(name) for name in OWN} | {PARENT: parent.id}
    return json.dumps(whole, ensure_ascii=False)


def refuse_inherited(child: System, raw: Mapping[str, Any]) -> None:
    """Raise when *raw* changes what a child has from its parent; any other system may change."""
    if child.parent_id is None:
        return
    wire, settled = child.to_wire(), {"id", "rootDir", PARENT, *map(wire_name, KEPT)}
    for name, value in raw.items():
        is_inherited = name not in OWN or name == "allowChildren"
        if is_inherited and name not in settled and value != wire.get(name):
            raise InvalidInputError(
                f"{name} of system {child.id} is that of its parent {child.parent_id}. Change it there, or "
                "make this one stand alone first (unlinkFromParent).",
                field=name,
                value=value,
            )


def refuse_put(child: System) -> None:
    """Raise for a child, which cannot be replaced as a whole."""
    if child.parent_id is not None:
        raise InvalidInputError(
            f"system {child.id} is a child of {child.parent_id} and cannot be replaced as a whole. Patch its "
            "effectiveUserId, or make it stand alone first (unlinkFromParent).",
            field="systemId",
            value=child.id,
        )


def refuse_parent(conn: Connection, system_id: str, what: str, *, deleted_too: bool = True) -> None:
    """Raise when a system has children."""
    found = [row.id for row in children(conn, system_id) if deleted_too or not row.deleted]
    if found:
        more = "" if len(found) == 1 else f" and {len(found) - 1} more"
        raise ConflictError(
            f"System {system_id} has a child, {found[0]}{more}, and {what}. Make its children stand alone "
            "first (unlinkChildren).",
            code="SYSAPI_CHILD_HAS_CHILD",
        )
