"""What tests of purge share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from old_jobs import Yard


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """A store with jobs that have ended, and the hosts with their folders."""
    made = Yard(tmp_path)
    yield made
    made.database.close()
