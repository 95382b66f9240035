"""How many jobs may be active at a time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from simulation.lives import USER, Life
from simulation.test_rules import play
from simulation.world import World
from two_hosts import JOB

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.engine.limit_finder import LimitFinder
from jupyter_tapis_jobs.engine.quota import Limits, first_reached

QUEUED = JOB.evolve(exec_system_logical_queue="normal")
#: As many limits as there are, and how each is told.
ORDER = [
    ("on_system", "near takes 2 jobs at a time"),
    ("per_owner", "near takes 2 jobs of one owner at a time"),
    ("on_queue", "queue normal of near takes 2 jobs at a time"),
    ("per_owner_on_queue", "queue normal of near takes 2 jobs of one owner at a time"),
]


def test_quotas_are_asked_in_tapis_order() -> None:
    full = Counter(dict.fromkeys(Limits.keys(QUEUED), 2))
    for number, (_, words) in enumerate(ORDER):
        limits = Limits(**{name: 2 for name, _ in ORDER[number:]})
        assert first_reached(limits, QUEUED, full).startswith(words)
        assert not first_reached(limits, QUEUED, Counter(dict.fromkeys(full, 1)))


@pytest.mark.parametrize("none", [None, 0, -1])
def test_null_and_numbers_below_one_are_no_limit(none: int | None) -> None:
    limits = Limits(**{name: none for name, _ in ORDER})
    assert not first_reached(limits, QUEUED, Counter(dict.fromkeys(Limits.keys(QUEUED), 1000)))


def test_the_least_limit_of_app_and_system_counts_for_all_jobs_there(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        engine.apps.patch(USER, "model", "1.0", {"maxJobs": 7, "maxJobsPerUser": 2})
        limits = LimitFinder(engine._ports, engine.apps, engine.systems).limit(
            "cluster", "normal", "model", "1.0"
        )
        assert (limits.on_system, limits.per_owner) == (3, 2)
        assert (limits.on_queue, limits.per_owner_on_queue) == (5, 4)
        # Whichever app they are of.
        other = JOB.evolve(app_id="other", exec_system_id="cluster")
        assert Limits.keys(other)[0] == ("system", "cluster")

    queues = [{"name": "normal", "hpcQueueName": "normal", "maxJobs": 5, "maxJobsPerUser": 4}]
    play(tmp_path, scene, jobMaxJobs=3, jobMaxJobsPerUser=9, batchLogicalQueues=queues)
