"""What is looked for: a tree of conditions, read from any of Tapis's three grammars.

- query parameters ``status.eq=FINISHED&created.gt=2026-01`` and the list
  ``(status.eq.FINISHED)~(name.like.case*)``: ``search_dots``;
- text like SQL's WHERE, ``status = 'FINISHED' AND nodeCount > 1``: ``search_sql``.

What can be searched is in ``attributes``, the tree in ``conditions``, order and pages in ``paging``.
"""

from __future__ import annotations

from .attributes import APP_ATTRIBUTES, JOB_ATTRIBUTES, SYSTEM_ATTRIBUTES, Kind
from .conditions import EVERYTHING, Comparison, Condition, Group, both
from .paging import DEFAULT_LIMIT, JobQuery, holding, job_query, order_by, selected
from .search_dots import from_list, from_query
from .search_sql import from_sql

__all__ = [
    "APP_ATTRIBUTES",
    "DEFAULT_LIMIT",
    "EVERYTHING",
    "JOB_ATTRIBUTES",
    "SYSTEM_ATTRIBUTES",
    "Comparison",
    "Condition",
    "Group",
    "JobQuery",
    "Kind",
    "both",
    "from_list",
    "from_query",
    "from_sql",
    "holding",
    "job_query",
    "order_by",
    "selected",
]
