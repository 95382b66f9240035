"""Catalogs over an empty store, and three users: the server's own and two others."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from jupyter_tapis_jobs.engine.apps import AppCatalog
from jupyter_tapis_jobs.engine.builtin import ensure_builtin
from jupyter_tapis_jobs.engine.systems import SystemCatalog
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.store.database import Database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data folder."""
    return tmp_path / "tapisjobs"


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    """An empty store."""
    opened = Database.open(folder)
    yield opened
    opened.close()


@pytest.fixture
def apps(database: Database) -> AppCatalog:
    """The catalog of apps; each look at the clock is a second later."""
    seconds = count(1_700_000_000)
    return AppCatalog(database, lambda: float(next(seconds)))


@pytest.fixture
def systems(database: Database) -> SystemCatalog:
    """The catalog of systems."""
    seconds = count(1_700_000_000)
    return SystemCatalog(database, lambda: float(next(seconds)))


@pytest.fixture
def owner() -> User:
    """The server's own user."""
    return User("train301", "local", True)


@pytest.fixture
def other() -> User:
    """Somebody else with a token."""
    return User("train302", "local", False)


@pytest.fixture
def builtin(apps: AppCatalog, systems: SystemCatalog, owner: User, folder: Path) -> None:
    """What is there from the start."""
    ensure_builtin(apps, systems, owner, folder)
