"""What the tests of the rules share: samples of the model's tests, and stations between two hosts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[1] / "unit"
sys.path += [str(UNIT / "model"), str(UNIT / "engine")]

from two_hosts import TwoHosts  # noqa: E402 - found by the path above


@pytest.fixture
def hosts(tmp_path: Path) -> TwoHosts:
    """The host that runs jobs, and another one."""
    return TwoHosts(tmp_path)
