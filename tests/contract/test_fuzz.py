"""Whatever is sent to whichever route, the server never breaks (schema-driven, by the OpenAPI document)."""

from __future__ import annotations

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from people import Api

from jupyter_tapis_jobs.server.identity import TOKEN_HEADER
from jupyter_tapis_jobs.server.openapi import document

#: A stream has no end, and on this machine nothing may be written or deleted at made-up paths.
LEFT_OUT = re.compile(r"/events$|/follow/")
READ_ONLY = re.compile(r"^/v3/files/")
SCHEMA = schemathesis.openapi.from_dict(document()).exclude(
    lambda context: (
        bool(LEFT_OUT.search(context.operation.path))
        or (bool(READ_ONLY.match(context.operation.path)) and context.operation.method.upper() != "GET")
    )
)


@pytest.fixture(scope="module")
def caller(api: Api):
    """The owner, with a token of their own that may be lost on the way."""
    made = api.post("/v3/tapisjobs/tokens", {})
    return api, {TOKEN_HEADER: made["access_token"]["access_token"]}


@SCHEMA.parametrize()
@settings(
    max_examples=max(settings.default.max_examples // 3, 1),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_server(case, caller):
    api, sign_in = caller
    answer = case.call(base_url=api.base, headers=sign_in, timeout=30)
    assert answer.status_code < 500, answer.text
    if answer.status_code == 204:
        assert answer.request.method == "OPTIONS"
        return
    (kind,) = answer.headers["content-type"]
    assert kind == "application/json" or (answer.status_code < 300 and kind.startswith("application/octet"))
    if answer.status_code >= 400:
        assert answer.json()["status"] == "error"
