"""What the tests of whole servers share."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing

import pytest
from rig.rig import Rig

from jupyter_tapis_jobs.client.tapis import Tapis
from tests.conftest import TestServer


@pytest.fixture(scope="module")
def tapis(server: TestServer) -> Iterator[Tapis]:
    """A client of the session's server, for all tests of a file."""
    tapis = server.tapis()
    with closing(tapis.connection):
        yield tapis


@pytest.fixture(scope="module")
def cluster(
    rig: Rig,
    running_server: Callable[..., AbstractContextManager[TestServer]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tapis]:
    """A client of a server that knows the rig as the system ``cluster``."""
    with running_server(tmp_path_factory.mktemp("cluster")) as server:
        tapis = server.tapis()
        with closing(tapis.connection):
            tapis.add_host("cluster", **rig.reaching())
            yield tapis


@pytest.fixture
def on_host(rig: Rig) -> Callable[[str, str], str]:
    """``on_host("login1", command)``: what a command prints on a host of the rig, as its user."""

    def said(host: str, command: str) -> str:
        done = subprocess.run(
            ["ssh", "-F", str(rig.key.parent / "config"), host, command],
            capture_output=True, text=True, check=True, timeout=180,
        )  # fmt: skip
        return done.stdout

    return said
