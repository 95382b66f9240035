"""Requests that become jobs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from model_samples import Resolved, resolve_sample


@pytest.fixture(scope="session")
def resolved() -> Callable[..., Resolved]:
    """``resolved(request fields…, app=, system=, archive_system=, host_env=, profiles=, scripted=)``."""
    return resolve_sample
