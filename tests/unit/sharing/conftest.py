"""Catalogs over an empty store, with what shares their things; Ada owns one of each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from three_people import ADA, APP, KEEPER, SYSTEM

from jupyter_tapis_jobs.engine.apps import AppCatalog
from jupyter_tapis_jobs.engine.builtin import ensure_builtin
from jupyter_tapis_jobs.engine.path_sharing import PathSharing
from jupyter_tapis_jobs.engine.sharing import Sharing
from jupyter_tapis_jobs.engine.systems import SystemCatalog
from jupyter_tapis_jobs.store.database import Database


def _now() -> float:
    return float(next(_seconds))


_seconds = count(1_700_000_000)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "tapisjobs")
    yield opened
    opened.close()


@pytest.fixture
def apps(database: Database) -> AppCatalog:
    found = AppCatalog(database, _now)
    found.create(ADA, APP)
    return found


@pytest.fixture
def systems(database: Database) -> SystemCatalog:
    found = SystemCatalog(database, _now)
    found.create(ADA, SYSTEM)
    return found


@pytest.fixture
def sharing(database: Database, apps: AppCatalog, systems: SystemCatalog) -> Sharing:
    return Sharing(database, (apps, systems), _now)


@pytest.fixture
def paths(database: Database, systems: SystemCatalog) -> PathSharing:
    return PathSharing(database, systems, _now)


@pytest.fixture
def builtin(apps: AppCatalog, systems: SystemCatalog, tmp_path: Path) -> None:
    ensure_builtin(apps, systems, KEEPER, tmp_path / "tapisjobs")
