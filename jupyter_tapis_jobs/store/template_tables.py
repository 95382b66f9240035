"""The table of job templates."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from .tables import metadata

#: Templates of users. ``request`` is JSON, and so is ``required``, a list of names.
templates = Table(
    "templates",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("description", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("required", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
)
