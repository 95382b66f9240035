"""Requests that become jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from model_samples import CREATED, UUID, Resolved, make_app, make_system

from jupyter_tapis_jobs.model.app import App
from jupyter_tapis_jobs.model.batch_request import ScriptedRequest
from jupyter_tapis_jobs.model.request import parse_request
from jupyter_tapis_jobs.model.resolve import Profiles, resolve
from jupyter_tapis_jobs.model.system import System
from jupyter_tapis_jobs.model.user import User


@pytest.fixture(scope="session")
def resolved() -> Callable[..., Resolved]:
    """``resolved(request fields…, app=, system=, archive_system=, host_env=, profiles=, scripted=)``."""

    def resolve_it(
        *,
        app: App | None = None,
        system: System | None = None,
        archive_system: System | None = None,
        host_env: Mapping[str, str] | None = None,
        profiles: Profiles | None = None,
        scripted: ScriptedRequest | None = None,
        **fields: Any,
    ) -> Resolved:
        raw = {"name": "case", "appId": "solver", "appVersion": "1.0", **fields}
        return resolve(
            parse_request(raw),
            app or make_app(),
            system or make_system(),
            archive_system=archive_system,
            user=User("ada", "jupyter", is_server_user=True),
            uuid=UUID,
            created=CREATED,
            effective_user="ada",
            host_env=host_env or {},
            profiles=profiles,
            scripted=scripted,
        )

    return resolve_it
