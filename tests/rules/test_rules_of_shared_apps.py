"""The shared application context: what an app that is shared brings along, its owner's rights open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simulation.lives import SYSTEM, USER, Life
from simulation.test_rules import play
from simulation.world import World

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.errors import TapisJobsError
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.store import shares
from jupyter_tapis_jobs.store.shares import ShareRow

BOB = User(name="bob", tenant="tapisjobs", is_server_user=False)
OWN = {"sourceUrl": "tapis://data/model.dat", "targetPath": "model.dat", "name": "model"}
REQUEST = {"name": "case", "appId": "shared", "appVersion": "1.0"}
Answer = tuple[Any, Any] | TapisJobsError


def _asked(folder: Path, *requests: dict[str, Any], shared: bool = True) -> list[Answer]:
    """Return what bob is answered, who may see nothing of ada's but the app that she shares with him."""
    answers: list[Answer] = []

    async def scene(life: Life, engine: Engine, world: World) -> None:
        for name in ("data", "archive"):
            storage = {"id": name, "canExec": False, "canRunBatch": False, "batchLogicalQueues": None}
            engine.systems.create(USER, {**SYSTEM, **storage})
        attributes = {
            "execSystemId": "cluster",
            "archiveSystemId": "archive",
            "archiveSystemDir": "/kept/${JobUUID}",
            "fileInputs": [{**OWN, "inputMode": "REQUIRED"}],
        }
        app = {"id": "shared", "version": "1.0", "runtime": "ZIP", "containerImage": "/images/model.zip"}
        engine.apps.create(USER, {**app, "jobAttributes": attributes})
        row = ShareRow(
            kind="app", item_id="shared", grantee="bob", privilege="READ", grantor="ada", created="now"
        )
        if shared:
            life.database.write(lambda conn: shares.share(conn, [row]))
        answers.extend(await engine.submit(BOB, [{**REQUEST, **request} for request in requests]))

    play(folder, scene)
    return answers


def test_what_a_shared_app_names_itself_may_be_used_with_its_owners_rights(tmp_path: Path) -> None:
    plain, repeated = _asked(tmp_path, {}, {"execSystemId": "cluster", "fileInputs": [OWN]})
    for answer in (plain, repeated):
        assert not isinstance(answer, TapisJobsError), answer
        job, definition = answer
        assert (job.owner, definition.shared_app_ctx) == ("bob", "ada")
        assert set(definition.contexts.values()) == {"ada"}
        # Rights on the host stay his own.
        assert job.effective_user_id == "bob"


@pytest.mark.parametrize(
    ("request_of_his", "about"),
    [
        ({"fileInputs": [{**OWN, "sourceUrl": "tapis://data/other.dat"}]}, "data"),
        ({"fileInputs": [{"sourceUrl": "tapis://data/other.dat", "targetPath": "o"}]}, "data"),
        ({"archiveSystemDir": "/elsewhere"}, "archive"),
        ({"archiveSystemId": "data"}, "data"),
        ({"execSystemId": "data"}, "data"),
    ],
)
def test_what_the_request_changes_needs_rights_of_ones_own(
    tmp_path: Path, request_of_his: dict[str, Any], about: str
) -> None:
    (refused,) = _asked(tmp_path, request_of_his)
    assert isinstance(refused, TapisJobsError)
    assert about in refused.message


def test_an_app_that_is_not_shared_is_not_there(tmp_path: Path) -> None:
    (refused,) = _asked(tmp_path, {}, shared=False)
    assert isinstance(refused, TapisJobsError)
    assert "shared" in refused.message
    assert refused.field == "appId"
