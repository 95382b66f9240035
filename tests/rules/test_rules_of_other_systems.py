"""Systems that are no hosts: they are registered at most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simulation.lives import SYSTEM, USER, Life
from simulation.test_rules import play
from simulation.world import World

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.errors import InvalidInputError

#: A system that stores, of no type yet.
STORAGE = {**SYSTEM, "canExec": False, "canRunBatch": False, "batchLogicalQueues": None}
GIVEN = {"sourceUrl": "tapis://other/model.dat", "targetPath": "model.dat"}


@pytest.mark.parametrize(
    ("system", "asked"),
    [
        ({"systemType": "S3", "bucketName": "b"}, {"archiveSystemId": "other", "archiveSystemDir": "/kept"}),
        ({"systemType": "IRODS"}, {"fileInputs": [GIVEN]}),
        ({"systemType": "GLOBUS", "canExec": True}, {"execSystemId": "other"}),
    ],
    ids=["S3", "IRODS", "GLOBUS"],
)
def test_a_job_that_needs_a_system_which_is_no_host_is_refused_at_submission(
    tmp_path: Path, system: dict[str, Any], asked: dict[str, Any]
) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        engine.systems.create(USER, {**STORAGE, **system, "id": "other"})
        request = {"name": "case", "appId": "model", "appVersion": "1.0", "execSystemId": "cluster"}
        (answer,) = await engine.submit(USER, [request | asked])
        assert isinstance(answer, InvalidInputError)
        kind = system["systemType"]
        assert f"system other is of type {kind}, which is not supported by this server" in answer.message

    play(tmp_path, scene)
