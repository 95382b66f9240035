"""Calls that are nearly right, of every route: each gets an answer in Tapis's form, and never a 5xx.

The calls follow the OpenAPI document (see ``nearly_right``), and so must the answers: status and
content type are exactly what the document says, and a good result is of the form it says.
"""

from __future__ import annotations

import getpass
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from nearly_right import ENDLESS, Maker, Place
from plain_http import PlainHttp, bash, good
from tapipy_user import SYSTEM

from jupyter_tapis_jobs.server.openapi import document

OPERATIONS = {
    operation["operationId"]: (path, method, operation)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    if operation["operationId"] not in ENDLESS
}
#: What a call may leave behind that keeps the next ones from going deep.
RESTORE = (
    "/v3/apps/fuzz-app/undelete",
    "/v3/apps/fuzz-app/enable",
    "/v3/apps/fuzz-app/1/enable",
    "/v3/apps/fuzz-app/1/unlock",
    "/v3/systems/fuzz-system/undelete",
    "/v3/systems/fuzz-system/enable",
)


@pytest.fixture(scope="module")
def own_server(tmp_path_factory, running_server):
    """A server that nothing else uses."""
    with running_server(tmp_path_factory.mktemp("fuzz")) as server:
        yield server


@pytest.fixture(scope="module")
def http(own_server, until):
    plain = PlainHttp(own_server.endpoint, until)
    yield plain
    plain.client.close()


@pytest.fixture(scope="module")
def place(http, tmp_path_factory):
    """What the calls are about."""
    folder = tmp_path_factory.mktemp("fuzzed")
    (folder / "here.txt").write_text("0123456789")
    (folder / "folder").mkdir()
    good(http.post("/v3/apps", {"id": "fuzz-app", "version": "1", "runtime": "ZIP", "containerImage": "/x"}))
    good(http.post("/v3/systems", {"id": "fuzz-system", **SYSTEM, "host": "host.invalid"}))
    token = good(http.post("/v3/tapisjobs/tokens", {}))["access_token"]["access_token"]
    job = http.run(bash("echo out > out.txt; mkdir folder; touch folder/x"))
    return Place(folder=str(folder), job=job["uuid"], owner=getpass.getuser(), token=token)


@pytest.fixture(scope="module")
def served(http):
    """The document as the server gives it."""
    return http.client.get("/v3/openapi.json").json()


@pytest.fixture(scope="module")
def maker(served, place):
    return Maker(served, place)


@pytest.fixture(scope="module")
def examples(request):
    return 150 if request.config.getoption("--full") else 12


def test_the_document_that_is_served_is_the_one_that_is_tested(served):
    assert {**served, "servers": []} == {**json.loads(json.dumps(document())), "servers": []}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_call_is_answered_as_the_document_says(http, maker, served, name, examples):
    path, method, operation = OPERATIONS[name]
    for restoring in RESTORE:
        http.post(restoring)

    # A body has many more places for junk than a path.
    count = examples * 4 if "requestBody" in operation else examples

    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def answered(data):
        call = maker.call(data.draw, path, method, operation)
        check(http.client.request(**call), operation, served)

    answered()


def check(answer, operation, served):
    told = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:600]}"
    # Only a host that is not there may keep the server from answering.
    assert answer.status_code < 500 or "JOBS_HOST_UNREACHABLE" in told, told
    assert str(answer.status_code) in operation["responses"], told
    (content, expected) = next(iter(operation["responses"][str(answer.status_code)]["content"].items()))
    if content != "application/json":
        assert answer.headers["Content-Type"] == "application/octet-stream; charset=latin-1", told
        return
    assert answer.headers["Content-Type"] == "application/json", told
    body = answer.json()
    schema = {**expected["schema"], "components": served["components"]}
    faults = [
        f"{fault.json_path}: {fault.message[:300]}"
        for fault in Draft202012Validator(schema).iter_errors(body)
    ]
    assert faults == [], told
    if not answer.is_success:
        assert re.match(r"[A-Z]+_[A-Z0-9_]+ \S", body["message"]), told
        assert body["result"] is None or set(body["result"]) in DETAILS, told


#: What an error tells beside its sentence: of a wrong input, and of what a host asks.
DETAILS = ({"field", "value"}, {"fingerprint", "known"}, {"prompts"}, {"needs"})


def test_after_all_that_the_server_works_and_has_logged_no_fault(http, own_server):
    job = http.run(bash("echo still here"))
    assert http.output(job, "tapisjob.out") == b"still here\n"
    log = own_server.process.log.read_text(errors="replace")
    assert "Traceback" not in log
    assert "internal error" not in log


def test_nothing_that_was_sent_was_ever_run(own_server, place):
    home = own_server.root.parent
    assert [found for top in (home, Path(place.folder)) for found in top.rglob("canary")] == []
