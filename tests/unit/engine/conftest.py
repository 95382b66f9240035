"""What tests of stations share."""

from __future__ import annotations

from pathlib import Path

import pytest
from two_hosts import TwoHosts


@pytest.fixture
def hosts(tmp_path: Path) -> TwoHosts:
    """The host that runs jobs, and another one."""
    return TwoHosts(tmp_path)
