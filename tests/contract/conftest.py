"""What the contract tests of the server share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from people import Api, api_of
from rig.containers import Containers
from rig.rig import Rig
from runtime_stage import make_apps
from web_files import web_server

from jupyter_tapis_jobs import Tapis


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


# --- runtimes ---------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def tapis(
    containers: Containers, rig: Rig, running_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tapis]:
    """A server that knows this machine and the rig's, and the application of the runtimes' tests."""
    options = ("--TapisJobsApp.fork_cores=16", "--TapisJobsApp.allow_private_inputs=True")
    with (
        open_folder() as folder,
        web_server(folder) as web,
        running_server(tmp_path_factory.mktemp("runtimes"), *options) as server,
    ):
        client = server.tapis()
        for name in ("login1", "login2"):
            client.add_host(name, **rig.reaching(name))
        make_apps(client, containers, folder / "tiny.zip", f"{web}/tiny.zip")
        yield client
        client.connection.close()


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine may read."""
    folder = Path(tempfile.mkdtemp(prefix="tapisjobs-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
