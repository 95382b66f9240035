"""A system's owner says how often its scheduler may be asked: it is asked no more often, on made-up time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from simulation.lives import Life
from simulation.test_rules import HOUR, play, submit, until
from simulation.world import World

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.update_interval import min_update_seconds, spaced


def gaps(folder: Path, **system: object) -> list[float]:
    """Return the seconds between the questions about a job that runs for an hour, while it runs."""
    asked: list[float] = []

    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.duration = HOUR
        look = world.look

        def noted(order: Any) -> str:
            asked.append(asyncio.get_running_loop().time())
            return look(order)

        world.look = noted  # type: ignore[method-assign]
        uuids = await submit(engine, maxMinutes=600)
        await until(engine, uuids, JobStatus.RUNNING)
        await asyncio.sleep(HOUR / 2)
        del world.look
        await until(engine, uuids, JobStatus.FINISHED, within=2 * HOUR)

    play(folder, scene, **system)
    return [later - earlier for earlier, later in pairwise(asked)]


def test_a_scheduler_is_asked_no_more_often_than_its_system_wants(tmp_path: Path) -> None:
    usual = gaps(tmp_path / "usual")
    rare = gaps(tmp_path / "rare", notes={"tapisjobs": {"minUpdateSeconds": 120}})
    assert max(usual) < 60
    # The way to the host takes some hundredths of a second, now more and now less.
    assert min(rare) > 119.5
    assert len(rare) >= 5


def test_a_short_interval_hurries_nobody() -> None:
    assert spaced((5.0, 30.0), 1.0) == (5.0, 30.0)
    assert spaced((5.0, 30.0), 10.0) == (10.0, 30.0)
    assert spaced((5.0, 30.0), 600.0) == (600.0, 600.0)


@pytest.mark.parametrize(
    ("notes", "seconds"),
    [
        (None, 0),
        ({}, 0),
        ({"tapisjobs": "text"}, 0),
        ({"tapisjobs": {"minUpdateSeconds": 0}}, 0),
        ({"tapisjobs": {"minUpdateSeconds": 2.5}}, 2.5),
        ({"tapisjobs": {"minUpdateSeconds": 3600}}, 3600),
    ],
)
def test_what_notes_say_is_read(notes: dict[str, Any] | None, seconds: float) -> None:
    assert min_update_seconds(notes) == seconds


@pytest.mark.parametrize("value", [-1, 3601, "60", True, float("nan"), [60]])
def test_what_is_no_interval_is_told_with_the_field_and_the_way_out(value: object) -> None:
    with pytest.raises(InvalidInputError, match=r"minUpdateSeconds is .* a number from 0 to 3,600"):
        min_update_seconds({"tapisjobs": {"minUpdateSeconds": value}})
