"""A store with systems of two users, and hosts that are reached only in name."""

from __future__ import annotations

from itertools import count

import pytest
from in_place import Clock, InPlace

from jupyter_tapis_jobs.engine.hosts import RealHosts
from jupyter_tapis_jobs.engine.systems import SystemCatalog
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.secrets.credentials import Safe, Secrets
from jupyter_tapis_jobs.store import credentials, host_keys
from jupyter_tapis_jobs.store.credentials import CredentialRow
from jupyter_tapis_jobs.store.database import Database
from jupyter_tapis_jobs.store.host_keys import HostKeyRow

NOW = "2026-11-21T09:00:00.000000Z"


@pytest.fixture
def database(tmp_path):
    opened = Database.open(tmp_path / "store")
    yield opened
    opened.close()


@pytest.fixture
def owner():
    return User("train301", "local", True)


@pytest.fixture
def other():
    return User("train302", "local", False)


@pytest.fixture
def systems(database):
    seconds = count(1_700_000_000)
    return SystemCatalog(database, lambda: float(next(seconds)))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def safe(tmp_path):
    return Safe(tmp_path / "keys")


@pytest.fixture
def hosts(database, clock, safe, owner):
    return RealHosts(database, InPlace(), clock, safe=safe, server_user=owner.name)


@pytest.fixture
def add_system(systems, owner):
    """``add_system("name", **changes)``: a system of the owner, or of *user*."""

    def add(name, user=owner, **changes):
        raw = {
            "id": name, "systemType": "LINUX", "host": "login1.example.org", "rootDir": "/", "canExec": False,
            "defaultAuthnMethod": "PASSWORD", **changes,
        }  # fmt: skip
        return systems.create(user, raw)

    return add


@pytest.fixture
def add_credential(database, safe):
    """``add_credential("system", "user")``: a password, or *secrets*; *key* is pinned."""

    def add(system_id, user, secrets=None, *, login_user=None, key=None, needs_code=0):
        row = CredentialRow(
            system_id=system_id, user=user, login_user=login_user, method="PASSWORD",
            secret=safe.lock(secrets or Secrets(password="correct horse")), needs_code=needs_code,
            created=NOW, updated=NOW,
        )  # fmt: skip
        database.write(lambda conn: credentials.put(conn, row))
        if key:
            pinned = HostKeyRow(
                system_id=system_id, address="login1.example.org:22", public=key, how="pinned", created=NOW
            )
            database.write(lambda conn: host_keys.replace(conn, pinned))

    return add
