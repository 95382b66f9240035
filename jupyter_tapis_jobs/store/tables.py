"""The tables: what is remembered, column by column.

Times are ISO-8601 UTC text, which sorts as it reads; records inside a row are JSON text.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, Text, UniqueConstraint, text

from ..model.status import TERMINAL

metadata = MetaData()


def _text(name: str, *, required: bool = False, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=not required, server_default=default)


def _number(name: str, *, required: bool = True) -> Column[int]:
    return Column(name, Integer, nullable=not required)


#: The columns are the fields of ``model.job.Job``, in their order; ids are never used twice.
jobs = Table(
    "jobs",
    metadata,
    _text("uuid", required=True),
    _text("tenant", required=True),
    _text("owner", required=True),
    _text("name", required=True),
    _text("description", required=True),
    _text("app_id", required=True),
    _text("app_version", required=True),
    _text("job_type", required=True),
    _text("exec_system_id", required=True),
    _text("archive_system_id", required=True),
    _text("exec_system_logical_queue"),
    _text("effective_user_id", required=True),
    *map(_number, ("node_count", "cores_per_node", "memory_mb", "max_minutes")),
    _text("status", required=True),
    _text("created", required=True),
    _text("last_updated", required=True),
    Column("id", Integer, primary_key=True),
    _text("createdby", required=True),
    _text("createdby_tenant", required=True),
    _text("condition"),
    _text("last_message"),
    _text("ended"),
    _number("visible"),
    _text("tags", required=True),
    _text("tracking_id"),
    _number("blocked_count"),
    _text("resume_status"),
    _text("cancel_requested"),
    _number("attempt"),
    _text("submission_id"),
    _text("launch_mode", required=True),
    _text("remote_job_id"),
    _text("remote_job_id2"),
    _text("remote_outcome"),
    _text("remote_result_info"),
    _text("remote_queue"),
    _text("remote_submitted"),
    _text("remote_started"),
    _text("remote_ended"),
    _number("remote_submit_retries"),
    _text("remote_last_status_check"),
    _number("exit_code", required=False),
    _text("launch_reason"),
    _text("cohort_id"),
    _text("hold_wish"),
    Column("progress", sa.Float),
    *map(_text, ("progress_message", "progress_told")),
    sqlite_autoincrement=True,
)

#: Jobs with something still to happen. SQLite uses the partial index only for these very words.
UNFINISHED = text("status NOT IN ({})".format(", ".join(f"'{status}'" for status in sorted(TERMINAL))))

Index("jobs_uuid", jobs.c.uuid, unique=True)
# The newest jobs of an owner: an index of SQLite ends with the row's id, so it is in order already.
Index("jobs_owner", jobs.c.owner, jobs.c.visible)
Index("jobs_owner_created", jobs.c.owner, jobs.c.visible, jobs.c.created)
Index("jobs_owner_status", jobs.c.owner, jobs.c.status, jobs.c.visible)
# Jobs in which words are found, the newest first: nothing but the index is read for those that are not.
_KNOWN_BY = ("id", "name", "uuid", "app_id", "exec_system_id", "remote_job_id", "status")
Index("jobs_words", jobs.c.owner, jobs.c.visible, *(jobs.c[name] for name in _KNOWN_BY))
# What the engine works on, and how many jobs a system, a queue and an owner have there.
Index(
    "jobs_unfinished",
    jobs.c.exec_system_id,
    jobs.c.exec_system_logical_queue,
    jobs.c.owner,
    jobs.c.status,
    sqlite_where=UNFINISHED,
)

#: The request as it came and what became of it. Apart from ``jobs``, so that lists read short rows.
job_definitions = Table(
    "job_definitions",
    metadata,
    Column("job_id", Integer, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    _text("request", required=True),
    _text("definition", required=True),
)

job_events = Table(
    "job_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", Integer, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    _text("owner", required=True),
    _text("event", required=True),
    _text("event_detail", required=True),
    _text("created", required=True),
    _text("description", required=True),
    _text("data", required=True),
    _text("uuid", required=True),
    sqlite_autoincrement=True,
)
# A job's history in order; an owner's events after the last one seen.
Index("job_events_job", job_events.c.job_id)
Index("job_events_owner", job_events.c.owner)

#: At most one row (id 1): the engine that works on this store. The epoch only grows.
lease = Table(
    "lease",
    metadata,
    Column("id", Integer, primary_key=True),
    _number("epoch"),
    _text("holder"),
    _text("expires"),
)

settings = Table("settings", metadata, Column("name", Text, primary_key=True), _text("value", required=True))

#: What all versions of an app share.
apps = Table(
    "apps",
    metadata,
    Column("id", Text, primary_key=True),
    _text("owner", required=True),
    _number("enabled"),
    _number("deleted"),
    _text("created", required=True),
    _text("updated", required=True),
)
Index("apps_owner", apps.c.owner)

app_versions = Table(
    "app_versions",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("app_id", Text, ForeignKey("apps.id", ondelete="CASCADE"), nullable=False),
    _text("version", required=True),
    _text("definition", required=True),
    _number("enabled"),
    _number("locked"),
    _text("uuid", required=True),
    _text("created", required=True),
    _text("updated", required=True),
    UniqueConstraint("app_id", "version"),
    sqlite_autoincrement=True,
)

systems = Table(
    "systems",
    metadata,
    Column("id", Text, primary_key=True),
    _text("owner", required=True),
    _text("definition", required=True),
    _number("enabled"),
    _number("deleted"),
    _text("uuid", required=True),
    _text("created", required=True),
    _text("updated", required=True),
)
Index("systems_owner", systems.c.owner)

#: How users sign in to hosts. ``user`` is the effective user of the lane; ``secret`` is encrypted.
credentials = Table(
    "credentials",
    metadata,
    Column("system_id", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    _text("login_user"),
    _text("method", required=True),
    _text("secret", required=True),
    _number("needs_code"),
    _text("created", required=True),
    _text("updated", required=True),
)

#: The host keys that were accepted; for another address than the one they came from they count nothing.
host_keys = Table(
    "host_keys",
    metadata,
    Column("system_id", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("public", Text, primary_key=True),
    _text("how", required=True),
    _text("created", required=True),
)

#: The environment variables of users on hosts; a ``value`` of null was not set there.
host_variables = Table(
    "host_variables",
    metadata,
    Column("system_id", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    _text("value"),
    _text("asked", required=True),
)

scheduler_profiles = Table(
    "scheduler_profiles",
    metadata,
    Column("name", Text, primary_key=True),
    _text("owner", required=True),
    _text("definition", required=True),
    _text("uuid", required=True),
    _text("created", required=True),
    _text("updated", required=True),
)

#: Who changed what of an app or a system, and when. ``kind`` is app or system.
catalog_history = Table(
    "catalog_history",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("kind", required=True),
    _text("item_id", required=True),
    _text("version"),
    _text("user", required=True),
    _text("operation", required=True),
    _text("description", required=True),
    _text("created", required=True),
    sqlite_autoincrement=True,
)
Index("catalog_history_item", catalog_history.c.kind, catalog_history.c.item_id)

#: Tokens that were given out; the token itself is not kept.
tokens = Table(
    "tokens",
    metadata,
    Column("jti", Text, primary_key=True),
    _text("user", required=True),
    _text("created", required=True),
    _text("expires", required=True),
    _text("revoked"),
)
Index("tokens_user", tokens.c.user)

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    *(_text(name, required=True) for name in ("created", "last_seen")),
    _text("groups"),
)

#: Transfers that were asked for by themselves; those of jobs are the jobs' own.
transfers = Table(
    "transfers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uuid", Text, nullable=False, unique=True),
    _text("owner", required=True),
    _text("tag"),
    _text("status", required=True),
    _text("error"),
    _text("created", required=True),
    _text("started"),
    _text("ended"),
    sqlite_autoincrement=True,
)
# An owner's newest ones; those that the engine works on.
Index("transfers_owner", transfers.c.owner)
Index("transfers_ended", transfers.c.ended)

#: What one transfer brings from where to where. Sizes in bytes; ``total_bytes`` is null until it is known.
transfer_elements = Table(
    "transfer_elements",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("transfer_id", Integer, ForeignKey("transfers.id", ondelete="CASCADE"), nullable=False),
    _text("uuid", required=True),
    _text("source", required=True),
    _text("destination", required=True),
    _number("optional"),
    _text("status", required=True),
    _text("error"),
    _number("is_directory"),
    _number("total_bytes", required=False),
    _number("bytes_moved"),
    _number("retries"),
    _text("started"),
    _text("ended"),
    sqlite_autoincrement=True,
)
Index("transfer_elements_transfer", transfer_elements.c.transfer_id)

#: Links that let anybody read a path, a number of times and until a moment. ``allowed_uses`` of -1 is
#: without limit; ``expires`` of null is for ever.
postits = Table(
    "postits",
    metadata,
    Column("id", Text, primary_key=True),
    _text("owner", required=True),
    _text("system_id", required=True),
    _text("path", required=True),
    _number("allowed_uses"),
    _number("times_used"),
    _text("expires"),
    _text("created", required=True),
    _text("updated", required=True),
)
Index("postits_owner", postits.c.owner)

#: Who is told of a job's events. ``details`` and ``targets`` are JSON; one with ``removed`` counts no more.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", Integer, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    _text("uuid", required=True),
    _text("description"),
    _number("enabled"),
    _text("category", required=True),
    _text("details"),
    _text("targets", required=True),
    _number("ttl_minutes"),
    _text("created", required=True),
    _text("expires", required=True),
    _text("removed"),
    sqlite_autoincrement=True,
)
Index("subscriptions_uuid", subscriptions.c.uuid, unique=True)
# Who is to be told of a new event: asked for every event of every job.
Index("subscriptions_job", subscriptions.c.job_id, sqlite_where=text("removed IS NULL"))

#: One event for one address: the notifier's outbox, and afterwards the record of what became of it.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", Integer, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    _number("subscription_id"),
    _number("target"),
    _number("event_id"),
    _text("method", required=True),
    _text("address", required=True),
    _text("receiver", required=True),
    _text("state", required=True),
    _number("tries"),
    _text("next_try", required=True),
    _text("last_error"),
    _text("updated", required=True),
    sqlite_autoincrement=True,
)
_WAITING = text("state = 'WAITING'")
# What was told of a job; what waits at one address of one job, in order; what is due.
Index("deliveries_job", deliveries.c.job_id)
Index(
    "deliveries_queue",
    deliveries.c.subscription_id,
    deliveries.c.target,
    deliveries.c.id,
    sqlite_where=_WAITING,
)
Index("deliveries_due", deliveries.c.next_try, sqlite_where=_WAITING)

#: What users were granted. ``kind`` is app, system or path; only a path has ``path`` (from rootDir), else "".
permissions = Table(
    "permissions",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("permission", Text, primary_key=True),
    _text("created", required=True),
)
Index("permissions_user", permissions.c.user, permissions.c.kind)

#: What is shared with whom. ``kind`` is app, system, path or job; ``grantee`` is a user, or ~public.
shares = Table(
    "shares",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("grantee", Text, primary_key=True),
    Column("privilege", Text, primary_key=True),
    _text("grantor", required=True),
    _text("created", required=True),
)
Index("shares_grantee", shares.c.grantee, shares.c.kind)
