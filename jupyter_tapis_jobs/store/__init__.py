"""What is remembered: SQLAlchemy Core over SQLite, migrated by Alembic."""
