"""Whatever breaks, and whenever: stories drawn from a number, each with its own faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from .story import play


@pytest.mark.seeds(150, full=2000)
def test_nothing_is_lost_doubled_or_misreported_whatever_breaks(tmp_path: Path, seed: int) -> None:
    play(tmp_path, seed)
