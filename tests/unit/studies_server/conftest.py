"""What tests of studies on the server's side share: an engine on made-up time, and cases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from simulation.lives import Life
from simulation.test_rules import play
from simulation.world import World

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.study import Case

Scene = Callable[[Life, Engine, World], Awaitable[None]]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., None]:
    """``run(scene)``: play a scene with one engine over a fresh store and host."""

    def play_scene(scene: Scene, **system: object) -> None:
        play(tmp_path, scene, **system)

    return play_scene


@pytest.fixture
def cases() -> Callable[..., list[Case]]:
    """``cases(3, first=0, …)``: cases k = 0, 1, 2; more fields are of their requests."""

    def make(number: int, *, first: int = 0, **fields: Any) -> list[Case]:
        return [_case(k, fields) for k in range(first, first + number)]

    return make


def _case(k: int, fields: dict[str, Any]) -> Case:
    plain = {"name": f"case-{k}", "appId": "model", "appVersion": "1.0"}
    return Case(case_id=f"id{k:04d}", parameters={"k": k, "damping": 0.05}, request={**plain, **fields})
