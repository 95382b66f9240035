"""What owners asked for about holding their jobs back, until it is done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no job of before was asked to be held."""
    op.add_column("jobs", sa.Column("hold_wish", sa.Text(), nullable=True))
