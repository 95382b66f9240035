"""What all lists tell about themselves."""

from __future__ import annotations

from typing import Any

from .queries import Listed

#: Rows of a list when the caller does not say (Tapis, "limit").
LIMIT = 100


def metadata(query: Listed, count: int, total: int, limit: int) -> dict[str, Any]:
    """Return Tapis's description of a list of *count* rows, of *total* if that was counted."""
    return {
        "recordCount": count,
        "recordLimit": limit,
        "recordsSkipped": query.skip,
        "orderBy": query.order_by,
        "startAfter": query.start_after,
        "totalCount": total,
    }
