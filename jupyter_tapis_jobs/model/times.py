"""Times as text: ISO-8601, UTC, six digits of a second, ``Z``."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """Return *seconds* since the epoch as ``2026-11-21T04:48:47.123456Z``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def parse_iso(text: str) -> float:
    """Return ISO-8601 *text* as seconds since the epoch; without a zone it is UTC."""
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
