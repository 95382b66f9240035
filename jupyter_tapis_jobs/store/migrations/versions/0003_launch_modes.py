"""How a job is started together with others, and why so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("jobs", sa.Column("launch_reason", sa.Text()))
    op.add_column("jobs", sa.Column("cohort_id", sa.Text()))
