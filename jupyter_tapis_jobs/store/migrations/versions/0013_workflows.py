"""Workflows: jobs that wait for one another, and which of them there are already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "workflows",
        _number("id"),
        *map(_text, ("owner", "name", "digest", "created", "wish")),
        _number("is_over"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("owner", "name"),
        sqlite_autoincrement=True,
    )
    op.create_index("workflows_active", "workflows", ["is_over"])
    op.create_table(
        "workflow_nodes",
        _number("workflow_id"),
        _number("position"),
        _text("name"),
        *map(_number, ("retries", "attempt", "most_attempts")),
        _text("job_uuid", nullable=True),
        _text("outcome", nullable=True),
        *map(_text, ("problem", "after", "parameters", "request")),
        sa.PrimaryKeyConstraint("workflow_id", "position"),
        sa.ForeignKeyConstraint(["workflow_id"], ["workflows.id"], ondelete="CASCADE"),
    )
    op.create_index("workflow_nodes_job", "workflow_nodes", ["job_uuid"])
