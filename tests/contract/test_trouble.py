"""A server whose store cannot be used says so; Jupyter itself goes on."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from every_route import ROUTES
from people import own_folders

from jupyter_tapis_jobs.server.identity import TOKEN_HEADER
from jupyter_tapis_jobs.servers import free_port, root_options, stop


def _corrupt(folder: Path) -> None:
    (folder / "jobs.sqlite").write_bytes(b"this is no database, but it is long enough to be one" * 100)


def _newer(folder: Path) -> None:
    with sqlite3.connect(folder / "jobs.sqlite") as store:
        store.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        store.execute("INSERT INTO alembic_version VALUES ('9999')")
    store.close()


def _no_folder(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("a file stands where the folder should be")


@pytest.mark.parametrize(
    ("spoil", "words"), [(_corrupt, "jobs.sqlite"), (_newer, "newer"), (_no_folder, "folder")]
)
def test_every_route_answers_503_with_the_reason_and_jupyter_goes_on(serve_spoilt, spoil, words):
    server = serve_spoilt(spoil)
    with httpx.Client(base_url=server.url, trust_env=False, timeout=180) as client:
        client.headers["Authorization"] = f"token {server.token}"
        for name, route in ROUTES.items():
            path = "tapis" + route.path.replace("{", "").replace("}", "")
            answer = client.request(route.method, path)
            assert answer.status_code == 503, f"{name}: {answer.text[:300]}"
            assert answer.headers["Content-Type"] == "application/json"
            told = answer.json()
            assert told["status"] == "error"
            assert words in told["message"]
            assert "Traceback" not in told["message"]
        tapis_token = client.get("tapis/v3/jobs/list", headers={TOKEN_HEADER: "a.b.c"})
        assert tapis_token.status_code == 503
        assert client.get("api/status").status_code == 200
    log = server.log.read_text()
    assert "Tapis jobs are off: " in log
    assert "Traceback" not in log


@dataclass(frozen=True)
class Spoilt:
    """A server that runs, although its jobs do not."""

    url: str
    token: str
    log: Path


@pytest.fixture
def serve_spoilt(tmp_path: Path, until: Callable[..., Any]) -> Iterator[Callable[..., Spoilt]]:
    """``serve_spoilt(spoil)``: a server whose data folder was spoilt before."""
    with contextlib.ExitStack() as stack:

        def begin(spoil: Callable[[Path], None]) -> Spoilt:
            folder = tmp_path / "data"
            folder.mkdir()
            spoil(folder)
            server = Spoilt(f"http://127.0.0.1:{free_port()}/", "sesame", tmp_path / "log")
            stack.enter_context(_started(server, folder, tmp_path))
            until(lambda: _answers(server))
            return server

        yield begin


@contextlib.contextmanager
def _started(server: Spoilt, folder: Path, home: Path) -> Iterator[None]:
    port = server.url.rstrip("/").rsplit(":", 1)[1]
    command = [
        sys.executable, "-m", "jupyter_tapis_jobs.server", f"--ServerApp.port={port}",
        "--ServerApp.ip=127.0.0.1", "--ServerApp.open_browser=False",
        f"--TapisJobsApp.data_dir={folder}", *root_options(),
    ]  # fmt: skip
    environment = {**os.environ, **own_folders(home), "JUPYTER_TOKEN": server.token}
    with server.log.open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=home)
    try:
        yield
    finally:
        stop(process)


def _answers(server: Spoilt) -> bool:
    try:
        return httpx.get(server.url + "api", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
