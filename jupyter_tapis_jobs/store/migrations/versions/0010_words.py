"""Words looked for in jobs: an index of what people know a job by."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    known_by = ["id", "name", "uuid", "app_id", "exec_system_id", "remote_job_id", "status"]
    op.create_index("jobs_words", "jobs", ["owner", "visible", *known_by])
