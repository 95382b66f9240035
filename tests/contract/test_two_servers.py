"""Two servers of one store: one has the engine, the other works through it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from people import Api, Who, api_of, bash, message, own_folders
from test_news import Heard, _ends, _until, listening, opened

from jupyter_tapis_jobs.server.identity import TOKEN_HEADER
from jupyter_tapis_jobs.servers import Server, started


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Api]]:
    """The server that has the engine, and one that has not; each with its own base URL."""
    folder = tmp_path_factory.mktemp("two")
    data = f"--TapisJobsApp.data_dir={folder / 'shared'}"

    def running(name: str, *options: str) -> AbstractContextManager[Server]:
        root = folder / name
        root.mkdir()
        return started(root, root / "log", environment=own_folders(root), options=[data, *options])

    with running("first") as first, running("second", "--ServerApp.base_url=/second/") as second:
        apis = [api_of(server.url.rstrip("/") + "/tapis", server.token) for server in (first, second)]
        yield apis[0], apis[1]
        for api in apis:
            api.client.close()


def test_the_second_server_says_who_has_the_engine(two):
    first, second = two
    assert first.get("/v3/tapisjobs/server")["engine"]["state"] == "running"
    engine = second.get("/v3/tapisjobs/server")["engine"]
    assert engine["state"] == "forwarding"
    assert first.base.startswith(engine["holder"]["url"].rstrip("/"))
    assert engine["holder"]["pid"] > 0


def test_a_job_submitted_at_the_second_server_runs_in_the_first(two):
    first, second = two
    uuid = second.submit("echo hello > out.txt")
    assert second.ended(uuid)["status"] == "FINISHED"
    assert first.get(f"/v3/jobs/{uuid}")["owner"] == first.get("/v3/oauth2/userinfo")["username"]
    answer = second.call("GET", f"/v3/jobs/{uuid}/output/download/out.txt")
    assert answer.content == b"hello\n"
    assert answer.headers["Content-Type"] == "application/octet-stream; charset=latin-1"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_refusal_of_the_first_server_comes_through_the_second(two):
    _, second = two
    answer = second.call("POST", "/v3/jobs/submit", json=bash("true", appVersion="9"))
    assert answer.status_code in (400, 404)
    assert answer.headers["Content-Type"] == "application/json"
    assert "bash" in message(answer)


def test_another_user_is_another_user_through_the_second_server_too(two):
    _, second = two
    uuid = second.submit("true")
    assert second.call("GET", f"/v3/jobs/{uuid}", Who.OTHER).status_code == 404
    assert second.call("POST", "/v3/jobs/submit", Who.OTHER, json=bash("true")).status_code == 403
    assert second.call("GET", f"/v3/jobs/{uuid}", Who.NOBODY).status_code == 401


def test_an_upload_goes_through_the_second_server(two, tmp_path):
    _, second = two
    content = b"x" * (3 * 1024 * 1024)
    answer = second.call("POST", f"/v3/files/ops/local/{tmp_path}/big", files={"file": ("x", content)})
    assert answer.is_success
    assert (tmp_path / "big").read_bytes() == content


def test_news_come_through_the_second_server(two):
    _, second = two
    with listening(second) as heard:
        assert isinstance(heard, Heard)
        assert heard.until_the_end_of(second.submit("true"))


async def test_the_websocket_of_the_second_server_is_a_pipe_to_the_first(two):
    _, second = two
    async with opened(second, query="?after=0") as socket:
        uuid = await asyncio.to_thread(second.submit, "echo piped")
        await socket.write_message(json.dumps({"type": "tail", "uuid": uuid, "path": "tapisjob.out"}))
        told = await _until(socket, lambda m: m["type"] == "tailEnd")
        assert "".join(m["text"] for m in told if m["type"] == "tail") == "piped\n"
        if not any(_ends(m, uuid) for m in told):
            assert _ends((await _until(socket, lambda m: _ends(m, uuid)))[-1], uuid)


def test_a_token_is_good_at_both_servers_and_revoked_at_both(two):
    first, second = two
    made: dict[str, Any] = second.post("/v3/tapisjobs/tokens", {"username": "guest"})
    token = {TOKEN_HEADER: made["access_token"]["access_token"]}
    for api in two:
        assert api.call("GET", "/v3/oauth2/userinfo", Who.NOBODY, headers=token).status_code == 200
    first.post("/v3/oauth2/tokens/revoke", {"token": token[TOKEN_HEADER]})
    for api in two:
        assert api.call("GET", "/v3/oauth2/userinfo", Who.NOBODY, headers=token).status_code == 401


def test_a_call_is_not_sent_round_in_circles(two):
    _, second = two
    answer = second.call("GET", "/v3/jobs/list", headers={"X-Tapis-Jobs-Forwarded": "1"})
    assert answer.status_code == 503
