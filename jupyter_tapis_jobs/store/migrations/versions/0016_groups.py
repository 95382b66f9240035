"""Which groups the hub says that users are in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; who was here before is asked again with the next sign-in."""
    op.add_column("users", sa.Column("groups", sa.Text(), nullable=True))
