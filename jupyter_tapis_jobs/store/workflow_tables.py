"""The tables of workflows: what was asked for, and each node with its last job."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from .study_tables import studies


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


#: Workflows of users. ``digest`` names the definition; ``wish`` is the owner's last word about going on.
workflows = Table(
    "workflows",
    studies.metadata,
    Column("id", Integer, primary_key=True),
    _text("owner"),
    _text("name"),
    _text("digest"),
    _text("created"),
    _text("wish"),
    _number("is_over"),
    UniqueConstraint("owner", "name"),
    sqlite_autoincrement=True,
)
# Those that an engine takes up when it starts.
Index("workflows_active", workflows.c.is_over)

#: The nodes of workflows in order. ``after``, ``parameters`` and ``request`` are JSON; ``outcome`` is the
#: status of a job that was removed. The long columns are the last, so that the others are read quickly.
workflow_nodes = Table(
    "workflow_nodes",
    studies.metadata,
    Column("workflow_id", Integer, ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    _text("name"),
    _number("retries"),
    _number("attempt"),
    _number("most_attempts"),
    Column("job_uuid", Text),
    Column("outcome", Text),
    _text("problem"),
    _text("after"),
    _text("parameters"),
    _text("request"),
)
# Which node a job is of: asked for jobs that are removed.
Index("workflow_nodes_job", workflow_nodes.c.job_uuid)
