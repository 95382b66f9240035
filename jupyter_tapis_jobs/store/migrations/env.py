"""Runs the revisions on the connection it is given, inside that connection's own transaction."""

from __future__ import annotations

from alembic import context

from jupyter_tapis_jobs.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True
)
context.run_migrations()
