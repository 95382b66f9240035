"""The table of what is done with the outputs of jobs that have ended."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, Table, Text, text

from .tables import metadata

#: One row for each job whose request wants it. ``ends`` (statuses) and ``result`` are JSON. ``due`` is when
#: the server has to look: a function of its own may begin, or the claim of a kernel has run out.
processings = Table(
    "processings",
    metadata,
    Column("job_id", Integer, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("runs", Text, nullable=False),
    Column("max_minutes", Float, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("ends", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Text),
    Column("claim", Text),
    Column("result", Text),
    Column("problem", Text),
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
)
Index("processings_due", processings.c.due, sqlite_where=text("due IS NOT NULL"))
Index("processings_running", processings.c.runs, sqlite_where=text("status = 'RUNNING'"))
