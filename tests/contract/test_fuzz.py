"""Whatever is sent to whichever route, the server never breaks (schema-driven, by the OpenAPI document)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from people import Api, Who, api_of, own_folders

from jupyter_tapis_jobs.server.identity import TOKEN_HEADER
from jupyter_tapis_jobs.server.openapi import document
from jupyter_tapis_jobs.servers import started

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
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, dict[str, str]]]:
    """The owner of a server of their own: what made-up requests do to it harms no other test."""
    root = tmp_path_factory.mktemp("fuzz")
    with started(root, root / "log", environment=own_folders(root)) as server:
        api = api_of(server.url.rstrip("/") + "/tapis", server.token)
        yield api, {TOKEN_HEADER: api.tokens[Who.OWNER]}
        api.client.close()
        log = server.log.read_text(errors="replace")
    assert "internal error" not in log
    assert "Traceback" not in log


@SCHEMA.parametrize()
@settings(
    max_examples=max(settings.default.max_examples // 3, 1),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_server(case, caller):
    api, sign_in = caller
    answer = case.call(base_url=api.base, headers=sign_in, timeout=100)
    assert answer.status_code < 500, answer.text
    if answer.status_code == 204:
        assert answer.request.method == "OPTIONS"
        return
    (kind,) = answer.headers["content-type"]
    assert kind == "application/json" or (answer.status_code < 300 and kind.startswith("application/octet"))
    if answer.status_code >= 400:
        assert answer.json()["status"] == "error"
