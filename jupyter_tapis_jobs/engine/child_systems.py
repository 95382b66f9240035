"""Child systems: a parent's definition for another host user and root directory (Tapis Systems)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from ..model.errors import InvalidInputError
from ..model.macros import host_variables
from ..model.names import wire_name
from ..model.system import System
from ..model.times import iso
from ..model.user import User
from ..store import systems as rows
from ..store.database import Database
from ..store.systems import SystemRow
from .parents import PARENT, children, inherited
from .rights import LOCAL
from .stored_systems import KEPT
from .systems import SystemCatalog


class ChildSystems:
    """Makes children of systems, and systems of children. Methods belong on the store's writer thread."""

    def __init__(self, database: Database, systems: SystemCatalog, now: Callable[[], float]) -> None:
        self._database = database
        self._systems = systems
        self._now = now

    def create(
        self,
        user: User,
        parent_id: str,
        *,
        child_id: str | None,
        effective_user_id: str,
        root_dir: str,
        enabled: bool = True,
    ) -> System:
        """Make a child of a system that *user* sees; it is theirs, with credentials of its own.

        Raises ``InvalidInputError`` where the parent takes no children, ``ConflictError`` for a taken id.
        """
        parent = self._systems.get(user, parent_id)
        if not parent.allow_children or parent_id == LOCAL:
            raise InvalidInputError(
                f"system {parent_id} takes no children; its owner says so with allowChildren.",
                field=PARENT,
                value=parent_id,
            )
        if host_variables([root_dir]):
            raise InvalidInputError(
                f"rootDir {root_dir!r} of a child system is to be written out: nothing asks the host for it.",
                field="rootDir",
                value=root_dir,
            )
        name = child_id or f"{parent_id}-{user.name}"
        own = {"id": name, "effectiveUserId": effective_user_id, "rootDir": root_dir, "allowChildren": False}
        taken = {key: value for key, value in parent.to_wire().items() if key not in map(wire_name, KEPT)}

        def link(conn: Connection) -> None:
            above, below = rows.get(conn, parent_id), rows.get(conn, name)
            if above is None or below is None or above.deleted:
                raise self._systems.missing(parent_id)
            rows.change(conn, name, self._time(), definition=inherited(above, below))

        self._systems.create(user, {**taken, **own, "enabled": enabled}, link)
        return self._systems.get(user, name)

    def ids(self, parent_id: str) -> list[str]:
        """Return the children of a system, deleted ones too."""
        return [row.id for row in self._database.read(lambda conn: children(conn, parent_id))]

    def unlink_from_parent(self, user: User, child_id: str) -> int:
        """Make a child of the user's own stand alone, as it is now; return 0 when it did already."""

        def work(conn: Connection) -> int:
            return self._unlink(conn, user, [self._own(conn, user, child_id)])

        return self._database.write(work)

    def unlink_children(
        self, user: User, parent_id: str, child_ids: Sequence[str], *, every: bool = False
    ) -> int:
        """Make some or all children of the user's own system stand alone; return how many."""

        def work(conn: Connection) -> int:
            parent = self._own(conn, user, parent_id)
            found = {row.id: row for row in children(conn, parent.id)}
            odd = next((name for name in child_ids if name not in found), None)
            if odd is not None:
                raise InvalidInputError(
                    f"system {odd} is no child of {parent_id}. "
                    f"Its children are: {', '.join(found) or 'none'}.",
                    field="childSystemIds",
                    value=odd,
                )
            wanted = found if every else dict.fromkeys(child_ids)
            return self._unlink(conn, user, [found[name] for name in wanted])

        if not child_ids and not every:
            raise InvalidInputError(
                "childSystemIds names no system; name some, or say all=true.", field="childSystemIds"
            )
        return self._database.write(work)

    def _unlink(self, conn: Connection, user: User, found: Sequence[SystemRow]) -> int:
        changes = 0
        for row in found:
            definition = json.loads(row.definition)
            if (parent := definition.get(PARENT)) is None:
                continue
            alone = json.dumps(definition | {PARENT: None}, ensure_ascii=False)
            rows.change(conn, row.id, self._time(), definition=alone)
            self._systems.record(conn, user, row.id, "unlink", {PARENT: parent})
            changes += 1
        return changes

    def _own(self, conn: Connection, user: User, system_id: str) -> SystemRow:
        row = rows.get(conn, system_id)
        if row is None:
            raise self._systems.missing(system_id)
        standing = self._systems.standing(conn, user, system_id, row.owner)
        self._systems.refuse_unknown(standing, system_id, bool(row.deleted))
        self._systems.refuse_other(standing, system_id)
        return row

    def _time(self) -> str:
        return iso(self._now())
