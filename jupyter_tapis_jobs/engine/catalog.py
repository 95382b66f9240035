"""What the catalogs of apps and of systems have in common: whose things are, how lists are searched."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection

from ..model.builtin import BUILTIN
from ..model.errors import InvalidInputError, NotAllowedError, NotFoundError, did_you_mean
from ..model.names import inner_name, wire_name
from ..model.search import Comparison, Condition
from ..model.times import iso
from ..model.user import User
from ..store import catalog_history, settings
from ..store.catalog_history import Entry
from ..store.database import Database
from ..store.page import Page
from .rights import Right, Standing, standing_of

T = TypeVar("T")
Kind = Literal["app", "system"]

#: The codes of Tapis's messages begin so.
_CODES: Mapping[Kind, str] = {"app": "APPAPI", "system": "SYSAPI"}

#: Which lists there are, and what belongs to them (Tapis Apps and Systems, "listType").
LISTS: Mapping[str, Callable[[Standing], bool]] = {
    "OWNED": lambda standing: standing.is_owner,
    "MINE": lambda standing: standing.is_owner or standing.is_shared,
    "SHARED_PUBLIC": lambda standing: standing.is_public or standing.is_builtin,
    "SHARED_DIRECT": lambda standing: standing.is_shared and not standing.is_owner,
    "READ_PERM": lambda standing: Right.READ in standing.granted and not standing.is_owner,
    "ALL": lambda standing: True,
}
LIST_TYPES = tuple(LISTS)
_VERBS = {Right.READ: "look at", Right.MODIFY: "change", Right.EXECUTE: "run jobs of"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Which part of a catalog is asked for; a *limit* of 0 or less means all."""

    where: Condition | None = None
    list_type: str = "OWNED"
    limit: int = 100
    skip: int = 0
    #: (attribute, "asc" or "desc"), the first one first.
    order_by: Sequence[tuple[str, str]] = ()
    #: The value of the first ``order_by`` attribute behind which the page begins.
    start_after: str | None = None
    compute_total: bool = False
    show_deleted: bool = False


class Catalog:
    """The part of a catalog that is the same for apps and systems."""

    kind: Kind

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def _time(self) -> str:
        return iso(self._now())

    def code(self, what: str) -> str:
        """Return Tapis's message code for *what*: ``APPAPI_NOT_FOUND``."""
        return f"{_CODES[self.kind]}_{what}"

    def missing(self, name: str) -> NotFoundError:
        """Return the error for a thing that is not there, or not theirs to see."""
        return NotFoundError(
            f"There is no {self.kind} {name}, or it is not yours to see.", code=self.code("NOT_FOUND")
        )

    def is_builtin(self, name: str) -> bool:
        """Tell whether the thing is there from the start."""
        return name in BUILTIN[self.kind]

    def standing(self, conn: Connection, user: User, name: str, owner: str) -> Standing:
        """Return how *user* stands to the thing."""
        return standing_of(conn, user, self.kind, name, owner)

    def refuse_unknown(self, standing: Standing, name: str, deleted: bool, deleted_too: bool = False) -> None:
        """Raise unless the user may know of the thing; a deleted one is its owner's to see, if at all."""
        if not standing.may_know or (deleted and not (deleted_too and standing.is_owner)):
            raise self.missing(name)

    def refuse(self, standing: Standing, name: str, right: Right) -> None:
        """Raise unless the user, who may know of the thing, has *right* on it."""
        if standing.is_builtin and right is Right.MODIFY:
            self.refuse_other(standing, name)
        elif not standing.may(right):
            raise NotAllowedError(
                f"You may not {_VERBS[right]} the {self.kind} {name}; its owner can grant you {right} on it.",
                code=self.code("UNAUTH"),
            )

    def refuse_other(self, standing: Standing, name: str) -> None:
        """Raise unless the user, who may know of the thing, is its owner."""
        if standing.is_owner:
            return
        whose = (
            "is part of this server; only the server's own user"
            if standing.is_builtin
            else "; only its owner"
        )
        raise NotAllowedError(
            f"The {self.kind} {name} {whose} may do this.".replace(" ;", ";"), code=self.code("UNAUTH")
        )

    def refuse_builtin(self, name: str, verb: str) -> None:
        """Raise for what nobody may do to a thing that is there from the start."""
        if self.is_builtin(name):
            raise NotAllowedError(
                f"The {self.kind} {name} is part of this server and cannot be {verb}; you can disable it.",
                code=self.code("UNAUTH"),
            )

    def is_listed(self, standing: Standing, listing: Listing, deleted: bool) -> bool:
        """Tell whether a thing belongs to the list that is asked for."""
        if not standing.may(Right.READ) or (deleted and not (listing.show_deleted and standing.is_owner)):
            return False
        return LISTS.get(listing.list_type, _no_list)(standing)

    def remembered(self, setting: str) -> str | None:
        """Return a small fact of the store."""
        return self._database.read(lambda conn: settings.get(conn, setting))

    def remember(self, setting: str, value: str) -> None:
        """Store a small fact."""
        self._database.write(lambda conn: settings.put(conn, setting, value))

    def record(
        self, conn: Connection, user: User, name: str, operation: str, detail: Any, version: str | None = None
    ) -> None:
        """Write down who changed what."""
        entry = Entry(
            kind=self.kind,
            item_id=name,
            version=version,
            user=user.name,
            operation=operation,
            description=json.dumps(detail, ensure_ascii=False),
            created=self._time(),
        )
        catalog_history.add(conn, entry)


def _no_list(_: Standing) -> bool:
    """A list that does not exist is refused with a sentence later."""
    return False


def history_to_wire(entry: Entry, tenant: str) -> dict[str, Any]:
    """Return a change in Tapis's words (``AppHistoryItem``, ``SystemHistoryItem``)."""
    version = {"appVersion": entry.version} if entry.kind == "app" else {}
    return version | {
        "jwtTenant": tenant,
        "jwtUser": entry.user,
        "oboTenant": tenant,
        "oboUser": entry.user,
        "operation": _OPERATIONS.get(entry.operation) or _snake(entry.operation),
        "description": entry.description,
        "created": entry.created,
    }


#: What is written down -> Tapis's word for it, where that is not the same in capitals.
_OPERATIONS = {"replace": "MODIFY"}


def _snake(name: str) -> str:
    """Return ``CHANGE_OWNER`` for ``changeOwner``."""
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in name).upper()


def selected(wire: Mapping[str, Any], select: Iterable[str], summary: Sequence[str]) -> dict[str, Any]:
    """Return the attributes that *select* names; ``allAttributes`` and ``summaryAttributes`` are groups.

    An attribute of an attribute (``jobAttributes.execSystemId``) selects the whole of it.
    Raises ``InvalidInputError`` for an unknown name.
    """
    wanted: dict[str, None] = {}
    for name in select:
        if name == "allAttributes":
            return dict(wire)
        names = summary if name == "summaryAttributes" else [_known(name.partition(".")[0], wire)]
        wanted.update(dict.fromkeys(names))
    return {name: wire[name] for name in wanted}


def paged(items: Sequence[T], to_wire: Callable[[T], Mapping[str, Any]], listing: Listing) -> Page[T]:
    """Search, order and cut a list of things that fits in memory."""
    if listing.list_type not in LIST_TYPES:
        raise InvalidInputError(
            f"listType {listing.list_type} is not one of: {', '.join(LIST_TYPES)}."
            + did_you_mean(listing.list_type, LIST_TYPES),
            field="listType",
            value=listing.list_type,
        )
    found = [(to_wire(item), item) for item in items]
    if listing.where is not None:
        where = listing.where
        found = [(wire, item) for wire, item in found if matches(where, wire)]
    total = len(found) if listing.compute_total else -1
    for name, direction in reversed(listing.order_by):
        found.sort(key=lambda pair: _sort_key(_value_of(name, pair[0])), reverse=direction == "desc")
    start = _behind(found, listing) + max(listing.skip, 0)
    end = start + listing.limit if listing.limit > 0 else None
    return Page([item for _, item in found[start:end]], total)


def _behind(found: Sequence[tuple[Mapping[str, Any], Any]], listing: Listing) -> int:
    """Return how many of the ordered things come up to and with ``start_after``."""
    if listing.start_after is None:
        return 0
    if not listing.order_by:
        raise InvalidInputError("startAfter needs orderBy, which says after what.", field="startAfter")
    name, direction = listing.order_by[0]
    falls = direction == "desc"
    for place, (wire, _) in enumerate(found):
        value = _value_of(name, wire)
        if value is not None:
            bound = _like_its_kind(name, value, listing.start_after)
            if (value < bound) if falls else (value > bound):
                return place
    return len(found)


def _sort_key(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    return (1, value) if isinstance(value, int | float | str) else (2, json.dumps(value))


def matches(where: Condition, wire: Mapping[str, Any]) -> bool:
    """Tell whether a thing in Tapis's words fits a search; an attribute that is null fits no comparison."""
    if isinstance(where, Comparison):
        value = _value_of(where.field, wire)
        return value is not None and _OPERATORS[where.op](where.field, value, where.value)
    parts = (matches(part, wire) for part in where.parts)
    if where.joint == "NOT":
        return not all(parts)
    return any(parts) if where.joint == "OR" else all(parts)


def names_in(where: Condition | None) -> set[str]:
    """Return the attributes that a search is about, in our spelling."""
    if where is None:
        return set()
    if isinstance(where, Comparison):
        return {inner_name(where.field)}
    return set().union(*(names_in(part) for part in where.parts))


def _known(name: str, wire: Mapping[str, Any]) -> str:
    spelled = wire_name(inner_name(name))
    if spelled not in wire:
        raise InvalidInputError(f"there is no attribute '{name}'.{did_you_mean(spelled, wire)}", field=name)
    return spelled


def _value_of(name: str, wire: Mapping[str, Any]) -> Any:
    return wire[_known(name, wire)]


def _like_its_kind(name: str, value: Any, given: Any) -> Any:
    """Return what a value is compared with, as the same kind of thing."""
    try:
        if isinstance(value, bool):
            return {"true": True, "false": False}[str(given).lower()]
        return type(value)(given) if isinstance(value, int | float | str) else given
    except (ValueError, KeyError, TypeError) as error:
        expected = "true or false" if isinstance(value, bool) else "a number"
        raise InvalidInputError(
            f"{name} is compared with {given!r}; it is {expected}.", field=name, value=given
        ) from error


def _compared(test: Callable[[Any, Any], bool]) -> Callable[[str, Any, Any], bool]:
    return lambda name, value, given: test(value, _like_its_kind(name, value, given))


def _within(name: str, value: Any, given: Iterable[Any]) -> bool:
    return any(value == _like_its_kind(name, value, one) for one in given)


def _between(name: str, value: Any, given: Sequence[Any]) -> bool:
    low, high = (_like_its_kind(name, value, bound) for bound in given)
    return bool(low <= value <= high)


def _like(name: str, value: Any, given: Any) -> bool:
    return re.fullmatch(_pattern(str(given)), str(value), re.DOTALL) is not None


@lru_cache(maxsize=64)
def _pattern(like: str) -> str:
    """Return a pattern of SQL (``%``, ``_``, a backslash before what is meant literally) as a regular one."""
    signs = {"%": ".*", "_": "."}
    return re.sub(r"\\?.", lambda sign: signs.get(sign[0], re.escape(sign[0][-1])), like, flags=re.DOTALL)


def _contains(name: str, value: Any, given: Any) -> bool:
    wanted = [given] if isinstance(given, str) else list(given)
    return isinstance(value, list) and any(one in value for one in wanted)


#: Tapis's search operators; arguments are the attribute's name, its value, and what it is compared with.
_OPERATORS: Mapping[str, Callable[[str, Any, Any], bool]] = {
    "eq": _compared(lambda value, given: value == given),
    "neq": _compared(lambda value, given: value != given),
    "gt": _compared(lambda value, given: value > given),
    "gte": _compared(lambda value, given: value >= given),
    "lt": _compared(lambda value, given: value < given),
    "lte": _compared(lambda value, given: value <= given),
    "in": _within,
    "nin": lambda name, value, given: not _within(name, value, given),
    "like": _like,
    "nlike": lambda name, value, given: not _like(name, value, given),
    "holds": lambda name, value, given: str(given).lower() in str(value).lower(),
    "between": _between,
    "nbetween": lambda name, value, given: not _between(name, value, given),
    "contains": _contains,
    "ncontains": lambda name, value, given: not _contains(name, value, given),
}
