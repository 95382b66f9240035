"""The ten rules that Tapis clients rest on, and who may do what, over every route of the table."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any

import httpx
import pytest
from every_route import (
    IN_ORDER,
    ROUTES,
    SAMPLES,
    World,
    address,
    app_definition,
    is_endless,
    request,
    system_definition,
)
from people import Api, Who, bash

from jupyter_tapis_jobs.server.route import Answers, Takes
from tests.conftest import until

ENVELOPE = {"status", "message", "version", "commit", "build", "metadata", "result"}


@pytest.fixture(scope="module")
def world(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Make what the calls are about."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "here.txt").write_text("here\n")
    started: list[str] = []

    def running() -> str:
        started.append(api.submit("exec sleep 600"))
        return started[-1]

    @cache
    def begun() -> str:
        uuid = running()
        until(lambda: api.get(f"/v3/jobs/{uuid}/status")["status"] == "RUNNING")
        return uuid

    def profile() -> str:
        name = f"contract-profile-{next(numbers)}"
        api.post("/v3/systems/schedulerProfile", {"name": name})
        return name

    def transfer() -> str:
        there = f"tapis://local{folder}"
        wanted = {"sourceURI": f"{there}/here.txt", "destinationURI": f"{there}/there.txt"}
        return str(api.post("/v3/files/transfers", {"elements": [wanted]})["uuid"])

    def postit() -> str:
        return str(api.post(f"/v3/files/postits/local/{folder}/here.txt", {"unlimited": True})["id"])

    def token() -> str:
        made = api.post("/v3/tapisjobs/tokens", {})
        return str(made["access_token"]["jti"])

    def study() -> str:
        return str(api.post("/v3/tapisjobs/studies", {"name": f"contract-study-{next(numbers)}"})["name"])

    def workflow() -> str:
        script = {"name": "script", "sourceUrl": "data:,sleep%20300"}
        wanted = {"appId": "bash", "appVersion": "1.0", "fileInputs": [script]}
        name = f"contract-workflow-{next(numbers)}"
        nodes = [
            {"name": "first", "request": wanted},
            {"name": "second", "request": wanted, "after": ["first"]},
        ]
        made = api.post("/v3/tapisjobs/workflows", {"name": name, "nodes": nodes})
        api.post(f"/v3/tapisjobs/workflows/{name}/pause")
        flows.append(name)
        return str(made["name"])

    def template() -> str:
        name = f"contract-template-{next(numbers)}"
        return str(api.post("/v3/tapisjobs/templates", {"name": name, "request": {"appId": "bash"}})["name"])

    def processed() -> str:
        # A call before may have claimed it.
        path = f"/v3/tapisjobs/jobs/{waiting}/processing"
        api.call("PUT", path, json={"claim": "kernel-1", "problem": "given up"})
        return waiting

    def chain() -> dict[str, str]:
        name = study()
        script = {"name": "script", "sourceUrl": "data:,true"}
        wanted = {"appId": "bash", "appVersion": "1.0", "fileInputs": [script]}
        path = f"/v3/tapisjobs/studies/{name}/then"
        made = api.post(path, {"request": wanted, "outputs": ["out.txt"]})
        return {"name": name, "chainId": str(made["id"])}

    numbers = count()
    flows: list[str] = []
    done = api.submit("echo hello > out.txt")
    kernel = {"tapisjobs": {"process": {"name": "peaks", "runs": "kernel"}}}
    waiting = api.submit("true", notes=kernel)
    api.post("/v3/apps", app_definition("contract-app"))
    api.post("/v3/systems", system_definition("contract-system"))
    assert [api.ended(uuid)["status"] for uuid in (done, waiting)] == ["FINISHED"] * 2
    yield World(
        done=done,
        running=running,
        begun=begun,
        folder=str(folder),
        app="contract-app",
        system="contract-system",
        owner=getpass.getuser(),
        transfer=transfer,
        postit=postit,
        profile=profile,
        token=token,
        study=study,
        workflow=workflow,
        template=template,
        processed=processed,
        chain=chain,
    )
    for name in flows:
        # A route that was called may have ended it.
        api.call("POST", f"/v3/tapisjobs/workflows/{name}/cancel")
    api.post("/v3/jobs/cancel/bulk", {"uuids": started})


def called(api: Api, name: str, world: World, who: Who) -> httpx.Response:
    """Call a route as its sample says."""
    route, sample = ROUTES[name], SAMPLES[name]
    more: dict[str, Any] = {"params": dict(sample.query)}
    if sample.body is not None:
        more["json"] = sample.body(world)
    if sample.file is not None:
        more["files"] = {"file": ("file", sample.file)}
    path = api.base + address(route, sample.path(world))
    with api.client.stream(route.method, path, headers=api.headers(who, more), **more) as answer:
        if is_endless(route) and answer.is_success:
            assert next(answer.iter_text()).startswith("retry:")
        else:
            answer.read()
    return answer


def test_every_route_has_a_sample():
    assert set(SAMPLES) == set(ROUTES)


@pytest.mark.parametrize("name", IN_ORDER)
def test_the_owner_gets_an_answer_in_tapis_form(api, world, name):
    route, sample = ROUTES[name], SAMPLES[name]
    answer = called(api, name, world, Who.OWNER)
    assert answer.status_code == (sample.good or route.status), answer.text
    if not answer.is_success or route.answers is Answers.ENVELOPE:
        _check_envelope(answer)
    elif route.answers is Answers.DOCUMENT:
        assert answer.headers["Content-Type"] == "application/json"
    elif route.answers is Answers.EVENTS:
        assert answer.headers["Content-Type"] == "text/event-stream"
    else:
        _check_download(answer)


def _check_envelope(answer: httpx.Response) -> None:
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == ENVELOPE
    assert body["status"] == ("success" if answer.is_success else "error")
    assert body["message"].split(" ", 1)[0].isupper(), "the message begins with a code"
    # What tapipy cannot read.
    assert not isinstance(body["result"], int | float | bool)
    assert not _has_list_of_lists(body["result"])
    if isinstance(body["result"], list):
        assert all(isinstance(item, dict) and "self" not in item for item in body["result"])
    if answer.is_success:
        assert body["result"] is not None


def _has_list_of_lists(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_list_of_lists, value.values()))
    return isinstance(value, list) and any(isinstance(i, list) or _has_list_of_lists(i) for i in value)


def _check_download(answer: httpx.Response) -> None:
    assert answer.headers["Content-Type"] == "application/octet-stream; charset=latin-1"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("who", [Who.NOBODY, Who.WRONG])
@pytest.mark.parametrize("name", IN_ORDER)
def test_who_is_not_signed_in_gets_a_401_and_never_a_redirect(api, world, name, who):
    answer = called(api, name, world, who)
    if ROUTES[name].public:
        assert answer.status_code == (SAMPLES[name].good or ROUTES[name].status)
    else:
        assert answer.status_code == 401
        _check_envelope(answer)


@pytest.mark.parametrize("name", IN_ORDER)
def test_another_user_gets_nothing_of_the_owners(api, world, name):
    answer = called(api, name, world, Who.OTHER)
    assert answer.status_code == SAMPLES[name].other, answer.text
    if answer.is_success and not ROUTES[name].public and not is_endless(ROUTES[name]):
        _check_nothing_of(world, answer.json()["result"])


def _check_nothing_of(world: World, shown: Any) -> None:
    """The answer holds no job, file, app or system that the owner made."""
    text = json.dumps(shown)
    for secret in (world.done, world.folder, world.app, world.system):
        assert secret not in text


def test_another_users_bulk_calls_do_nothing(api, world):
    (refused,) = api.post("/v3/jobs/submit/bulk", [request(world)], Who.OTHER)
    assert "server's own user" in refused["error"]["message"] or "local" in refused["error"]["message"]
    job = world.running()
    (row,) = api.post("/v3/jobs/cancel/bulk", {"uuids": [job]}, Who.OTHER)
    assert row["status"] == "error"
    assert api.get(f"/v3/jobs/{job}/status")["status"] != "CANCELLED"


@pytest.mark.parametrize("path", ["/v3/nothing", "/v3/jobs/a/b/c/d", "/v3", "/", "", "/v4/jobs/list"])
def test_what_has_no_route_is_a_json_404(api, path):
    answer = api.call("GET", path)
    assert answer.status_code == 404
    _check_envelope(answer)


def test_a_method_that_a_path_does_not_have_is_a_405_that_names_those_it_has(api):
    answer = api.call("DELETE", "/v3/jobs/submit")
    assert answer.status_code == 405
    _check_envelope(answer)
    assert "POST" in answer.json()["message"]


@pytest.mark.parametrize("path", ["/v3/apps", "/v3/systems", "/v3/jobs/list"])
@pytest.mark.parametrize("limit", [None, 1])
def test_a_list_tells_the_limit_that_held_for_it(api, world, path, limit):
    answer = api.call("GET", path, params={} if limit is None else {"limit": limit})
    assert answer.json()["metadata"]["recordLimit"] == (100 if limit is None else limit)
    assert limit is None or len(answer.json()["result"]) == limit


@pytest.mark.parametrize("word", ["True", "true", "TRUE", "1"])
def test_booleans_of_a_query_are_taken_as_python_writes_them(api, world, word):
    answer = api.call("GET", "/v3/jobs/list", params={"computeTotal": word})
    assert answer.json()["metadata"]["totalCount"] > 0


def test_slashes_at_the_end_and_in_the_middle_do_not_matter(api, world):
    assert api.get(f"/v3//jobs/{world.done}/")["uuid"] == world.done
    listed = api.get(f"/v3/files/ops/local//{world.folder}//")
    assert "here.txt" in [row["name"] for row in listed]


@pytest.mark.parametrize("name", [n for n in IN_ORDER if ROUTES[n].takes in (Takes.RAW, Takes.MODEL)])
@pytest.mark.parametrize(
    "body", [b'{"name": "cut o', b"[]", b"3", b'"text"', b"null", b'{"\\ud800": 1}', b"{" * 5000]
)
def test_no_body_is_too_strange_for_a_sentence(api, world, name, body):
    route, sample = ROUTES[name], SAMPLES[name]
    path = address(route, sample.path(world) if "running" not in name else {"jobUuid": "x"})
    answer = api.call(route.method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500
    _check_envelope(answer)


def test_a_job_with_the_words_of_a_wrong_type_is_told_which(api):
    answer = api.call("POST", "/v3/jobs/submit", json=bash("true", maxMinutes="long"))
    assert answer.status_code == 400
    assert "maxMinutes" in answer.json()["message"]
    assert answer.json()["result"]["field"] == "maxMinutes"
