"""Jobs, what was asked of them, their histories, and who works on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "jobs",
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=False),
        sa.Column("app_version", sa.Text(), nullable=False),
        sa.Column("job_type", sa.Text(), nullable=False),
        sa.Column("exec_system_id", sa.Text(), nullable=False),
        sa.Column("archive_system_id", sa.Text(), nullable=False),
        sa.Column("exec_system_logical_queue", sa.Text(), nullable=True),
        sa.Column("effective_user_id", sa.Text(), nullable=False),
        sa.Column("node_count", sa.Integer(), nullable=False),
        sa.Column("cores_per_node", sa.Integer(), nullable=False),
        sa.Column("memory_mb", sa.Integer(), nullable=False),
        sa.Column("max_minutes", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created", sa.Text(), nullable=False),
        sa.Column("last_updated", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("createdby", sa.Text(), nullable=False),
        sa.Column("createdby_tenant", sa.Text(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("visible", sa.Integer(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("tracking_id", sa.Text(), nullable=True),
        sa.Column("blocked_count", sa.Integer(), nullable=False),
        sa.Column("resume_status", sa.Text(), nullable=True),
        sa.Column("cancel_requested", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Text(), nullable=True),
        sa.Column("launch_mode", sa.Text(), nullable=False),
        sa.Column("remote_job_id", sa.Text(), nullable=True),
        sa.Column("remote_job_id2", sa.Text(), nullable=True),
        sa.Column("remote_outcome", sa.Text(), nullable=True),
        sa.Column("remote_result_info", sa.Text(), nullable=True),
        sa.Column("remote_queue", sa.Text(), nullable=True),
        sa.Column("remote_submitted", sa.Text(), nullable=True),
        sa.Column("remote_started", sa.Text(), nullable=True),
        sa.Column("remote_ended", sa.Text(), nullable=True),
        sa.Column("remote_submit_retries", sa.Integer(), nullable=False),
        sa.Column("remote_last_status_check", sa.Text(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("jobs_owner", "jobs", ["owner", "visible"], unique=False)
    op.create_index("jobs_owner_created", "jobs", ["owner", "visible", "created"], unique=False)
    op.create_index("jobs_owner_status", "jobs", ["owner", "status", "visible"], unique=False)
    op.create_index(
        "jobs_unfinished",
        "jobs",
        ["exec_system_id", "exec_system_logical_queue", "owner", "status"],
        unique=False,
        sqlite_where=sa.text("status NOT IN ('CANCELLED', 'FAILED', 'FINISHED')"),
    )
    op.create_index("jobs_uuid", "jobs", ["uuid"], unique=True)
    op.create_table(
        "job_definitions",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id"),
    )
    op.create_table(
        "job_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("event_detail", sa.Text(), nullable=False),
        sa.Column("created", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("job_events_job", "job_events", ["job_id"], unique=False)
    op.create_index("job_events_owner", "job_events", ["owner"], unique=False)
    op.create_table(
        "lease",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("expires", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
