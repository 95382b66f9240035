"""Lists of jobs: a search in Tapis's words becomes one indexed query with bound values.

An attribute of the job's row is a column; any other is read out of the job's definition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from ..model.errors import InvalidInputError, did_you_mean
from ..model.job import Job, JobDefinition
from ..model.search import EVERYTHING, Comparison, Condition, JobQuery, from_query
from ..model.search_notes import PREFIX
from ..model.status import TERMINAL
from .page import Page
from .records import JOB_COLUMNS, job_from_row
from .search_notes import note_condition
from .shares import PUBLIC
from .shares import with_user as shares_with_user
from .statements import Statement
from .tables import job_definitions, jobs, shares

#: The columns of Tapis's ``/list`` row (Tapis Jobs, "getJobList").
SUMMARY_COLUMNS = (
    "uuid",
    "name",
    "owner",
    "tenant",
    "app_id",
    "app_version",
    "status",
    "condition",
    "created",
    "remote_started",
    "ended",
    "last_updated",
    "exec_system_id",
    "archive_system_id",
)
_DEFINED = frozenset(field.name for field in fields(JobDefinition))
#: Attributes that Tapis calls differently.
_ALIASES = {"mpi": "is_mpi"}
_terminal = sorted(status.value for status in TERMINAL)
_job = select(*(jobs.c[name] for name in JOB_COLUMNS))


def search(conn: Connection, query: JobQuery, owner: str) -> Page[Job]:
    """Return one page of *owner*'s jobs: the newest first, unless the query says otherwise."""
    query = _narrowed(conn, query, owner)
    found = [job_from_row(row) for row in conn.execute(_page(_job, query, owner)).all()]
    return Page(found, _total(conn, query, owner) if query.compute_total else -1)


def summary_columns(
    conn: Connection, query: JobQuery, owner: str, chunk: int = 5000
) -> Iterator[tuple[list[Any], ...]]:
    """Yield the page as one list of values for each of ``SUMMARY_COLUMNS``, *chunk* rows at a time."""
    query = _narrowed(conn, query, owner)
    statement = select(*(_attribute(name).label(name) for name in SUMMARY_COLUMNS))
    for rows in Statement(_page(statement, query, owner)).slices(conn, chunk):
        yield tuple(map(list, zip(*rows, strict=True)))


def _page(statement: Select[Any], query: JobQuery, owner: str) -> Select[Any]:
    if query.limit <= 0 or _is_in_order(query):
        return _cut(statement, query, owner)
    # What has to be sorted are ids alone: rows are read only for the page.
    page = _cut(select(jobs.c.id), query, owner).correlate(None)
    return statement.where(jobs.c.id.in_(page)).order_by(*_order(query))


def _is_in_order(query: JobQuery) -> bool:
    """True where an index gives the jobs in the order that is asked for."""
    return query.where in (None, EVERYTHING) and [name for name, _ in query.order_by] in ([], ["created"])


def _cut(statement: Select[Any], query: JobQuery, owner: str) -> Select[Any]:
    statement = statement.where(*_conditions(query, owner))
    if query.start_after is not None:
        statement = statement.where(_after(query))
    statement = statement.order_by(*_order(query))
    if query.limit > 0 or query.skip > 0:
        # SQLite takes an offset only with a limit; a negative one is none.
        statement = statement.limit(query.limit if query.limit > 0 else -1)
    return statement.offset(query.skip) if query.skip > 0 else statement


def counts(conn: Connection, query: JobQuery, owner: str) -> dict[str, int]:
    """Return how many of *owner*'s jobs that *query* selects have each status; pages do not matter."""
    query = _narrowed(conn, query, owner)
    # Of all jobs the index of statuses tells. An expression keeps SQLite from it where conditions would
    # have it look into each row.
    by = jobs.c.status if query.where == EVERYTHING else jobs.c.status.op("||")("")
    found = conn.execute(select(by, func.count()).where(*_conditions(query, owner)).group_by(by))
    return {row[0]: row[1] for row in found}


def values(conn: Connection, query: JobQuery, owner: str, name: str, most: int) -> list[tuple[str, int]]:
    """Return the values of attribute *name* and how many jobs have each, the most frequent *most* of them."""
    query = _narrowed(conn, query, owner)
    value, number = _attribute(name), func.count()
    found = select(value, number).where(*_conditions(query, owner), value.is_not(None), value != "")
    rows = conn.execute(found.group_by(value).order_by(number.desc(), value).limit(most))
    return [(row[0], row[1]) for row in rows]


def _total(conn: Connection, query: JobQuery, owner: str) -> int:
    return int(conn.execute(select(func.count(jobs.c.id)).where(*_conditions(query, owner))).scalar_one())


def _conditions(query: JobQuery, owner: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_LISTS[query.list_type](owner)]
    if not query.include_hidden:
        found.append(jobs.c.visible == 1)
    if query.where is not None:
        found.append(_condition(query.where))
    return found


def _narrowed(conn: Connection, query: JobQuery, owner: str) -> JobQuery:
    """Where nothing is shared with *owner*, all jobs are their own, which are found in order."""
    if query.list_type != "ALL_JOBS" or shares_with_user(conn, "job", owner):
        return query
    return replace(query, list_type="MY_JOBS")


def _mine(owner: str) -> ColumnElement[bool]:
    return jobs.c.owner == owner


def _shared(owner: str) -> ColumnElement[bool]:
    """Of any part of which *owner* is the grantee: few, found by index."""
    grantee = shares.c.grantee.in_([owner, PUBLIC])
    return jobs.c.uuid.in_(select(shares.c.item_id).where(shares.c.kind == "job", grantee)) & ~_mine(owner)


#: Whose jobs are listed (Tapis Jobs, "listType").
_LISTS: Mapping[str, Callable[[str], ColumnElement[bool]]] = {
    "MY_JOBS": _mine,
    "SHARED_JOBS": _shared,
    "ALL_JOBS": lambda owner: _mine(owner) | _shared(owner),
}


def _order(query: JobQuery) -> list[ColumnElement[Any]]:
    order = [(_attribute(name), direction == "desc") for name, direction in query.order_by]
    # The id settles equal values, so that pages never overlap.
    order.append((jobs.c.id, order[-1][1] if order else True))
    return [column.desc() if falls else column.asc() for column, falls in order]


def _after(query: JobQuery) -> ColumnElement[bool]:
    if not query.order_by or query.start_after is None:
        raise InvalidInputError("startAfter needs orderBy, which says after what.", field="startAfter")
    name, direction = query.order_by[0]
    operator = "lt" if direction == "desc" else "gt"
    return _condition(from_query({f"{name}.{operator}": query.start_after}))


def _condition(node: Condition) -> ColumnElement[bool]:
    if isinstance(node, Comparison) and node.field.startswith(PREFIX):
        return note_condition(node.field, node.op, node.value, _ON_TEXT)
    if isinstance(node, Comparison):
        return _OPERATORS[node.op](node.field, node.value)
    parts = [_condition(part) for part in node.parts]
    if node.joint == "NOT":
        return not_(and_(true(), *parts))
    return or_(false(), *parts) if node.joint == "OR" else and_(true(), *parts)


def _attribute(name: str) -> ColumnElement[Any]:
    """Return the column of an attribute, or the place in the definition where it is kept."""
    name = _ALIASES.get(name, name)
    if name == "condition":
        # Clients see why a job ended once it has ended.
        return case((jobs.c.status.in_(_terminal), jobs.c.condition))
    if name in jobs.c:
        return jobs.c[name]
    if name not in _DEFINED:
        known = [*JOB_COLUMNS, *_DEFINED]
        raise InvalidInputError(
            f"Jobs cannot be searched by '{name}'.{did_you_mean(name, known)}", field=name
        )
    return (
        select(func.json_extract(job_definitions.c.definition, f"$.{name}"))
        .where(job_definitions.c.job_id == jobs.c.id)
        .scalar_subquery()
    )


def _stored(value: Any) -> Any:
    """Return *value* as columns have it: flags are 0 and 1."""
    return int(value) if isinstance(value, bool) else value


def _compared(
    make: Callable[[ColumnElement[Any], Any], ColumnElement[bool]],
) -> Callable[[str, Any], ColumnElement[bool]]:
    return lambda name, value: make(_attribute(name), _stored(value))


def _within(name: str, values: Sequence[Any]) -> ColumnElement[bool]:
    return _attribute(name).in_([_stored(value) for value in values])


def _between(name: str, bounds: Sequence[Any]) -> ColumnElement[bool]:
    low, high = bounds
    return _attribute(name).between(low, high)


def _is_like(found: ColumnElement[Any], pattern: Any) -> ColumnElement[bool]:
    # GLOB, as SQLite's LIKE takes a for A and Tapis does not.
    return found.op("GLOB", is_comparison=True)(_glob(str(pattern)))


def _has_in_it(found: ColumnElement[Any], word: Any) -> ColumnElement[bool]:
    # SQLite's LIKE takes capitals for small letters.
    return found.contains(str(word), autoescape=True)


#: How texts are compared otherwise than by their order.
_ON_TEXT = {"like": _is_like, "holds": _has_in_it}


def _like(name: str, pattern: Any) -> ColumnElement[bool]:
    return _is_like(_attribute(name), pattern)


def _holds(name: str, word: str) -> ColumnElement[bool]:
    return _has_in_it(_attribute(name), word)


def _glob(like: str) -> str:
    """Return a pattern of SQL (``%``, ``_``, a backslash before what is meant literally) for GLOB."""
    return re.sub(r"\\?.", lambda sign: _GLOB.get(sign[0], _literally(sign[0][-1])), like, flags=re.DOTALL)


_GLOB: Mapping[str, str] = {"%": "*", "_": "?"}


def _literally(sign: str) -> str:
    return f"[{sign}]" if sign in "*?[" else sign


def _contains(name: str, values: Sequence[Any]) -> ColumnElement[bool]:
    """One of *values* is in the list."""
    return or_(false(), *(_has(name, str(value)) for value in values))


def _has(name: str, value: str) -> ColumnElement[bool]:
    items = func.json_each(_attribute(name)).table_valued("value")
    return exists(select(literal(1)).select_from(items).where(items.c.value == value))


#: Tapis's search operators (Tapis Jobs, "Search").
_OPERATORS: Mapping[str, Callable[[str, Any], ColumnElement[bool]]] = {
    "eq": _compared(lambda column, value: column == value),
    "neq": _compared(lambda column, value: column != value),
    "gt": _compared(lambda column, value: column > value),
    "gte": _compared(lambda column, value: column >= value),
    "lt": _compared(lambda column, value: column < value),
    "lte": _compared(lambda column, value: column <= value),
    "in": _within,
    "nin": lambda name, values: not_(_within(name, values)),
    "like": _like,
    "nlike": lambda name, pattern: not_(_like(name, pattern)),
    "between": _between,
    "nbetween": lambda name, bounds: not_(_between(name, bounds)),
    "contains": _contains,
    "ncontains": lambda name, values: not_(_contains(name, values)),
    # Ours.
    "holds": _holds,
}
