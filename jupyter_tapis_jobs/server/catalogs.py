"""What the APIs of apps and of systems have in common: lists, chosen attributes, counted changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..engine.catalog import Listing, selected
from ..model import search as searches
from ..store.page import Page
from .call import Call
from .lists import ALL, LIMIT, SUMMARY, metadata, order_of
from .reply import Reply, Rows


def listing(call: Call, where: Any) -> Listing:
    """Return which part of a catalog the call asks for."""
    query = call.query
    return Listing(
        where=where,
        list_type=query.list_type,
        limit=LIMIT if query.limit is None else query.limit,
        skip=query.skip,
        order_by=order_of(query.order_by),
        start_after=query.start_after,
        compute_total=query.compute_total,
        show_deleted=query.show_deleted,
    )


def conditions(call: Call) -> Any:
    """Return the search of a plain list: ``search=(attribute.operator.value)~(…)``."""
    return searches.from_list(call.query.search) if call.query.search else None


def query_conditions(call: Call) -> Any:
    """Return the search of ``attribute.operator=value``."""
    return searches.from_query(call.conditions) if call.conditions else None


def sql_conditions(call: Call) -> Any:
    """Return the search of a WHERE clause."""
    clause = " ".join(call.body.search)
    return searches.from_sql(clause) if clause.strip() else None


def page(
    call: Call,
    found: Page[Any],
    to_wire: Callable[[Any], Mapping[str, Any]],
    summary: Sequence[str],
    what: str,
) -> Reply:
    """Return a list with the chosen attributes of each row."""
    names = _names(call.query.select) or [SUMMARY]
    rows = Rows(found.rows, lambda item: selected(to_wire(item), names, summary))
    if found.rows:
        # A wrong name is told now, not in the middle of the answer.
        rows.to_wire(found.rows[0])
    told = metadata(call.query, len(found.rows), found.total, LIMIT)
    return Reply(rows, f"TAPIS_FOUND {what} found: {len(found.rows)}.", told)


def cut(call: Call, wire: Mapping[str, Any], summary: Sequence[str]) -> dict[str, Any]:
    """Return the chosen attributes of one thing; all when none are chosen."""
    return selected(wire, _names(call.query.select) or [ALL], summary)


def _names(select: str | None) -> list[str]:
    return [name.strip() for name in (select or "").split(",") if name.strip()]


def counted(changes: int, message: str) -> Reply:
    """Return how many rows a call has changed."""
    return Reply({"changes": changes}, message)
