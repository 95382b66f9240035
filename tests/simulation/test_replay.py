"""A story is its number's: played again, in another process, it goes the same way to the last line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .story import play

TESTS = Path(__file__).parents[1]
STORY = 75


def printed(seed: int, hash_seed: str) -> str:
    """Play a story by its command, in a process whose sets have an order of their own."""
    command = [sys.executable, "-m", "simulation", str(seed)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    ran = subprocess.run(command, cwd=TESTS, env=environment, capture_output=True, text=True, check=True)
    return ran.stdout


@pytest.mark.seeds(1, full=20)
def test_a_story_is_the_same_every_time(seed: int, tmp_path: Path) -> None:
    told = printed(STORY + seed, str(seed + 1)).splitlines()
    assert told[:-1] == play(tmp_path, STORY + seed)
    assert len(told) > 10


def test_a_failing_story_says_how_to_see_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulation.story.PATIENCE", 1.0)
    with pytest.raises(AssertionError) as failure:
        play(tmp_path, 22)
    assert "python -m simulation 22" in failure.value.__notes__[0]
