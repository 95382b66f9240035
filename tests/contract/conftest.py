"""What the contract tests of the server share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from people import Api, api_of


@pytest.fixture(scope="session")
def api(server: Any) -> Iterator[Api]:
    """The session's server, seen through its API."""
    found = api_of(server.url.rstrip("/") + "/tapis", server.token)
    yield found
    found.client.close()
    log = server.process.log.read_text(errors="replace")
    assert "internal error" not in log
    assert "Traceback" not in log


@pytest.fixture
def open_api() -> Iterator[Callable[[Any], Api]]:
    """``open_api(server)``: the API of a server of the test's own."""
    with ExitStack() as stack:

        def opened(server: Any) -> Api:
            api = api_of(server.url.rstrip("/") + "/tapis", server.token)
            stack.callback(api.client.close)
            return api

        yield opened
