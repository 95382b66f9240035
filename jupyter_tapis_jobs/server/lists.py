"""What all lists share: order, part, chosen attributes, and the metadata that tells about them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..model.errors import InvalidInputError, did_you_mean
from .queries import Listed

Order = tuple[tuple[str, str], ...]

#: Rows of a list when the caller does not say (Tapis, "limit").
LIMIT = 100

#: Tapis words for whole groups of attributes.
SUMMARY, ALL = "summaryAttributes", "allAttributes"
_ORDER = re.compile(r"^([A-Za-z_][\w.]*)\s*(?:\(\s*(asc|desc)\s*\))?$", re.IGNORECASE)


def order_of(words: str | None) -> Order:
    """Return ``created(desc),name`` as (("created", "desc"), ("name", "asc"))."""
    return tuple(_one_order(part.strip()) for part in (words or "").split(",") if part.strip())


def _one_order(part: str) -> tuple[str, str]:
    found = _ORDER.match(part)
    if found is None:
        raise InvalidInputError(
            f"orderBy '{part}' is not of the form attribute(asc) or attribute(desc).",
            field="orderBy",
            value=part,
        )
    return found.group(1), (found.group(2) or "asc").lower()


def metadata(query: Listed, count: int, total: int, default_limit: int) -> dict[str, Any]:
    """Return Tapis's description of a list."""
    return {
        "recordCount": count,
        "recordLimit": default_limit if query.limit is None else query.limit,
        "recordsSkipped": query.skip,
        "orderBy": query.order_by,
        "startAfter": query.start_after,
        "totalCount": total,
    }


def chosen(select: str | None, known: Iterable[str], summary: Iterable[str]) -> tuple[str, ...] | None:
    """Return the attributes that ``select`` names; None means all. An unknown one is an error."""
    if not select or select == SUMMARY:
        return tuple(summary)
    names: list[str] = []
    known = list(known)
    for name in filter(None, (part.strip() for part in select.split(","))):
        if name == ALL:
            return None
        names += list(summary) if name == SUMMARY else [_known(name, known)]
    return tuple(dict.fromkeys(names))


def _known(name: str, known: list[str]) -> str:
    # A dotted name chooses inside an attribute; the attribute is given whole.
    head = name.split(".")[0]
    if head not in known:
        raise InvalidInputError(
            f"select '{name}' is not an attribute.{did_you_mean(head, known)}", field="select", value=name
        )
    return head


def only(names: tuple[str, ...] | None, to_wire: Callable[[Any], Mapping[str, Any]]) -> Callable[[Any], Any]:
    """Return *to_wire* cut down to *names*."""
    if names is None:
        return to_wire
    return lambda item: {name: value for name, value in to_wire(item).items() if name in names}
