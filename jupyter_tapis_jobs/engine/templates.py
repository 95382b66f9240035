"""The templates of jobs: each owner's own, which nobody else sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from ..model.errors import ConflictError, NotFoundError
from ..model.new_template import checked_template
from ..model.template import JobTemplate, no_template
from ..model.times import iso
from ..model.user import User
from ..store import templates as rows
from ..store.database import Database


class TemplateCatalog:
    """Templates by owner and name. Methods that write belong on the writer thread."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def every(self, user: User) -> list[JobTemplate]:
        """Return the user's own templates, by name."""
        return self._database.read(lambda conn: rows.of_owner(conn, user.name))

    def get(self, user: User, name: str) -> JobTemplate:
        """Return one of the user's own; ``NotFoundError`` with the nearest name for every other."""
        found = self._database.read(lambda conn: rows.get(conn, user.name, name))
        if found is None:
            raise self._missing(user, name)
        return found

    def save(
        self,
        user: User,
        name: str,
        request: Mapping[str, Any],
        *,
        required: Sequence[str] = (),
        description: str = "",
        replace: bool = False,
    ) -> JobTemplate:
        """Store a template; ``ConflictError`` when the name is taken and *replace* is not said."""
        given = checked_template(name, request, required, description)
        now = iso(self._now())

        def work(conn: Connection) -> JobTemplate:
            old = rows.get(conn, user.name, name)
            if old is not None and not replace:
                raise ConflictError(
                    f"You have a template {name} already, of {old.updated[:10]}. replace=True saves over it; "
                    "or choose another name."
                )
            template = JobTemplate(owner=user.name, created=old.created if old else now, updated=now, **given)
            rows.put(conn, template)
            return template

        return self._database.write(work)

    def delete(self, user: User, name: str) -> None:
        """Delete one of the user's own; ``NotFoundError`` for every other."""
        if not self._database.write(lambda conn: rows.remove(conn, user.name, name)):
            raise self._missing(user, name)

    def _missing(self, user: User, name: str) -> NotFoundError:
        return NotFoundError(no_template(name, [template.name for template in self.every(user)]))
