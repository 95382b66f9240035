"""Conditions on a job's notes, which are JSON in its definition; a path and a value are always bound.

A value that reads as a number is compared with numbers, ``true`` and ``false`` with truth values, and every
value with texts; an order is one among numbers or one among texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select, true

from ..model.search_notes import note_number, note_path
from .tables import job_definitions, jobs

_TRUTHS = {"true": 1, "false": 0}
_OPPOSITES = {"neq": "eq", "nin": "in", "nlike": "like"}
_Test = Callable[[ColumnElement[Any], Any], ColumnElement[bool]]
_ORDERS: Mapping[str, _Test] = {
    "gt": lambda found, value: found > value,
    "gte": lambda found, value: found >= value,
    "lt": lambda found, value: found < value,
    "lte": lambda found, value: found <= value,
}


def note(name: str) -> ColumnElement[Any]:
    """Return the value of the attribute ``notes.…``; null where a job has none."""
    return _of_definition(func.json_extract(job_definitions.c.definition, note_path(name)))


def note_condition(name: str, op: str, value: Any, on_text: Mapping[str, _Test]) -> ColumnElement[bool]:
    """Return a condition on a note; *on_text* compares texts by like and holds.

    It is true or false for every job, so that NOT of it finds those that have no such note.
    """
    asked = _OPPOSITES.get(op)
    found = func.coalesce(_holds(name, asked or op, value, on_text), false())
    return not_(found) if asked else found == true()


def _holds(name: str, op: str, value: Any, on_text: Mapping[str, _Test]) -> ColumnElement[bool]:
    if op in on_text:
        return and_(_kind(name) == "text", on_text[op](note(name), value))
    if op in _ORDERS:
        return _in_order(name, _ORDERS[op], str(value))
    values: Sequence[Any] = value if isinstance(value, tuple) else (value,)
    return or_(false(), *(_same(name, str(one)) for one in values))


def _same(name: str, text: str) -> ColumnElement[bool]:
    found = [and_(_kind(name) == "text", note(name) == text)]
    number = note_number(text)
    if number is not None:
        found.append(and_(_kind(name).in_(["integer", "real"]), note(name) == number))
    if text.lower() in _TRUTHS:
        found.append(_kind(name) == text.lower())
    return or_(*found)


def _in_order(name: str, test: _Test, text: str) -> ColumnElement[bool]:
    number = note_number(text)
    if number is None:
        return and_(_kind(name) == "text", test(note(name), text))
    return and_(_kind(name).in_(["integer", "real"]), test(note(name), number))


def _kind(name: str) -> ColumnElement[Any]:
    return _of_definition(func.json_type(job_definitions.c.definition, note_path(name)))


def _of_definition(found: ColumnElement[Any]) -> ColumnElement[Any]:
    return select(found).where(job_definitions.c.job_id == jobs.c.id).scalar_subquery()
