"""What the APIs of apps and of systems have in common: lists, chosen attributes, counted changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..engine.catalog import Listing, selected
from ..model import search as searches
from ..model.search import Condition
from ..store.page import Page
from .call import Call
from .lists import LIMIT, metadata
from .reply import Reply, Rows

#: Groups of attributes.
_SUMMARY, _ALL = "summaryAttributes", "allAttributes"

Attributes = Mapping[str, searches.Kind]


def listing(call: Call, where: Condition, attributes: Attributes) -> Listing:
    """Return which part of a catalog the call asks for."""
    query = call.query
    return Listing(
        where=where,
        list_type=query.list_type,
        limit=_limit(call),
        skip=query.skip,
        order_by=searches.order_by(query.order_by or "", attributes),
        start_after=query.start_after,
        compute_total=query.compute_total,
        show_deleted=query.show_deleted,
    )


def listed(call: Call, attributes: Attributes) -> Listing:
    """Return the part that ``search=(attribute.operator.value)~(…)`` selects."""
    given = call.query.search
    where = searches.from_list(given, attributes) if given else searches.EVERYTHING
    return listing(call, where, attributes)


def queried(call: Call, attributes: Attributes) -> Listing:
    """Return the part that ``attribute.operator=value`` selects."""
    return listing(call, searches.from_query(call.conditions, attributes), attributes)


def clause(call: Call, attributes: Attributes) -> Listing:
    """Return the part that a WHERE clause selects."""
    return listing(call, searches.from_sql(" ".join(call.body.search), attributes), attributes)


def page(
    call: Call,
    found: Page[Any],
    to_wire: Callable[[Any], Mapping[str, Any]],
    summary: Sequence[str],
    what: str,
) -> Reply:
    """Return a list with the chosen attributes of each row."""
    names = _names(call.query.select) or [_SUMMARY]
    rows = Rows(found.rows, lambda item: selected(to_wire(item), names, summary))
    if found.rows:
        # A wrong name is told now, not in the middle of the answer.
        rows.to_wire(found.rows[0])
    told = metadata(call.query, len(found.rows), found.total, _limit(call))
    return Reply(rows, f"TAPIS_FOUND {what} found: {len(found.rows)}.", told)


def cut(call: Call, wire: Mapping[str, Any], summary: Sequence[str]) -> dict[str, Any]:
    """Return the chosen attributes of one thing; all when none are chosen."""
    return selected(wire, _names(call.query.select) or [_ALL], summary)


def _limit(call: Call) -> int:
    given: int | None = call.query.limit
    return LIMIT if given is None else given


def _names(select: str | None) -> list[str]:
    return [name.strip() for name in (select or "").split(",") if name.strip()]


def counted(changes: int, message: str) -> Reply:
    """Return how many rows a call has changed."""
    return Reply({"changes": changes}, message)
