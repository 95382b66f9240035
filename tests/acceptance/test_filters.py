"""Jobs filtered by notes, owner and group on a real server: never more than one may see."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from jupyter_tapis_jobs import InvalidInputError, NotAllowedError, Tapis
from jupyter_tapis_jobs.client.connection import Connection
from jupyter_tapis_jobs.client.endpoint import Endpoint
from tests.conftest import TestServer


def test_jobs_are_filtered_by_their_notes(tapis: Tapis) -> None:
    fine = tapis.submit("bash", script="true", notes={"mesh": "fine", "soil": {"layers": 3}})
    coarse = tapis.submit("bash", script="true", notes={"mesh": "coarse, very", "soil": {"layers": 5}})

    def found(**notes: object) -> set[str]:
        return {fine.uuid, coarse.uuid} & set(tapis.jobs(notes=notes)["uuid"])

    assert found(mesh="fine") == {fine.uuid}
    assert found(mesh=["fine", "coarse, very"]) == {fine.uuid, coarse.uuid}
    assert found(mesh="*ver*", soil={"layers": 5}) == {coarse.uuid}
    assert found(soil={"layers": 3}, mesh="coarse, very") == set()
    with pytest.raises(InvalidInputError, match="without points"):
        tapis.jobs(notes={"a.b": 1})
    with pytest.raises(InvalidInputError, match="asks for no value"):
        tapis.jobs(notes={"a": None})


def test_a_group_shows_its_members_what_is_shared_with_them_and_nothing_else(
    serve: Callable[..., AbstractContextManager[TestServer]], tmp_path: Path
) -> None:
    groups = {"lab": ["ada", "grace"], "other": ["grace"]}
    settings = {"TapisJobsApp": {"server_user": "grace", "groups": groups}}
    config = tmp_path / "server" / "config" / "jupyter_server_config.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps(settings), encoding="utf-8")
    with serve() as server, closing(server.tapis().connection) as own, signed_in(own, "ada") as hers:
        grace, ada = Tapis(own), Tapis(hers)
        shared, kept = (grace.submit("bash", script="true") for _ in range(2))
        shared.share("ada")
        assert list(ada.jobs(group="lab")["uuid"]) == [shared.uuid]
        assert list(ada.jobs(owner="grace")["uuid"]) == [shared.uuid]
        assert len(ada.jobs()) == 0
        assert set(grace.jobs(group="lab")["uuid"]) == {shared.uuid, kept.uuid}
        for group in ("other", "none"):
            with pytest.raises(NotAllowedError, match=f"not in a group '{group}'.* Your groups: lab"):
                ada.jobs(group=group)
        counts = ada.connection.get("/v3/tapisjobs/jobs/counts", group="lab", listType="ALL_JOBS")
        assert counts["total"] == 1


def signed_in(own: Connection, name: str) -> AbstractContextManager[Connection]:
    """Return the connection of a user whom the server's owner gives a token."""
    made = own.post("/v3/tapisjobs/tokens", {"username": name})
    headers = {"X-Tapis-Token": made["access_token"]["access_token"]}
    return closing(Connection(Endpoint(url=own.url, headers=headers)))
