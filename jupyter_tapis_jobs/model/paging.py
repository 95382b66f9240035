"""Which jobs, in which order, how many: the paging parameters of lists and searches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .attributes import JOB_ATTRIBUTES, Kind, known_attribute
from .conditions import EVERYTHING, Comparison, Condition, Group, all_of
from .errors import InvalidInputError, did_you_mean
from .names import inner_name, wire_name
from .search_values import truth, wrong_value
from .texts import shown
from .wire import JOB_FIELDS

LIST_TYPES = ("MY_JOBS", "SHARED_JOBS", "ALL_JOBS")
DEFAULT_LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which jobs, in which order, how many."""

    where: Condition = EVERYTHING
    #: Zero or below is all.
    limit: int = DEFAULT_LIMIT
    skip: int = 0
    #: Only what comes after this value of the first ``order_by`` field.
    start_after: str | None = None
    order_by: tuple[tuple[str, Literal["asc", "desc"]], ...] = ()
    compute_total: bool = False
    #: Our names of the fields to show; ``allAttributes`` and ``summaryAttributes`` stand for themselves.
    select: tuple[str, ...] = ("summaryAttributes",)
    list_type: str = "MY_JOBS"
    include_hidden: bool = False


def job_query(
    params: Mapping[str, str], where: Condition = EVERYTHING, *, include_hidden: bool = False
) -> JobQuery:
    """Read the paging parameters of a list or search (limit, skip, startAfter, orderBy, ...)."""
    query = JobQuery(
        where=where,
        limit=_whole(params, "limit", DEFAULT_LIMIT),
        skip=max(0, _whole(params, "skip", 0)),
        start_after=params.get("startAfter") or None,
        order_by=order_by(params.get("orderBy", "")),
        compute_total=truth(params.get("computeTotal", "false"), "computeTotal"),
        select=selected(params.get("select", "")),
        list_type=_list_type(params.get("listType") or "MY_JOBS"),
        include_hidden=include_hidden,
    )
    if query.start_after is not None and not query.order_by:
        raise InvalidInputError(
            "startAfter needs orderBy, which says after what. Add orderBy.", field="startAfter"
        )
    if query.start_after is not None and query.skip:
        raise InvalidInputError("startAfter and skip cannot be used together. Leave one out.", field="skip")
    return query


#: Where words are looked for: what people know a job by.
WORDS_IN = ("name", "uuid", "app_id", "exec_system_id", "remote_job_id")


def holding(where: Condition, text: str) -> Condition:
    """Return *where* narrowed to jobs in which every word of *text* is found somewhere (``WORDS_IN``)."""
    words = [
        Group("OR", tuple(Comparison(field, "holds", word) for field in WORDS_IN)) for word in text.split()
    ]
    return all_of([part for part in (where, *words) if part != EVERYTHING])


def order_by(
    text: str, attributes: Mapping[str, Kind] = JOB_ATTRIBUTES
) -> tuple[tuple[str, Literal["asc", "desc"]], ...]:
    """Read ``created(desc),name``; no direction means asc."""
    found: list[tuple[str, Literal["asc", "desc"]]] = []
    for part in filter(None, map(str.strip, text.split(","))):
        match = re.fullmatch(
            r"([A-Za-z_][A-Za-z0-9_]*)\s*(?:\(\s*(asc|desc)\s*\))?", part, re.ASCII | re.IGNORECASE
        )
        if match is None:
            raise InvalidInputError(
                f"orderBy {shown(part)} cannot be read. Write attribute(asc) or attribute(desc).",
                field="orderBy",
                value=text,
            )
        down = (match[2] or "asc").lower() == "desc"
        found.append((known_attribute(match[1], attributes), "desc" if down else "asc"))
    return tuple(found)


def selected(text: str) -> tuple[str, ...]:
    """Read ``select``: names of job attributes, ``summaryAttributes`` or ``allAttributes``."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    groups = ("summaryAttributes", "allAttributes")
    for name in names:
        if name not in groups and inner_name(name) not in JOB_FIELDS:
            known = sorted(map(wire_name, JOB_FIELDS))
            raise InvalidInputError(
                f"select names '{name}', which a job does not have.{did_you_mean(name, (*known, *groups))} "
                f"Attributes: {', '.join((*groups, *known))}.",
                field="select",
                value=name,
            )
    return tuple(name if name in groups else inner_name(name) for name in names) or ("summaryAttributes",)


def _whole(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        raise wrong_value(name, text, "a whole number")
    return int(text)


def _list_type(text: str) -> str:
    name = text.upper()
    if name not in LIST_TYPES:
        raise InvalidInputError(
            f"listType '{text}' is not one of: {', '.join(LIST_TYPES)}.{did_you_mean(name, LIST_TYPES)}",
            field="listType",
            value=text,
        )
    return name
