"""Jupyter servers on this machine that carry the job engine: found, started, ended."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .client.connection import Connection
from .client.endpoint import Endpoint, find_endpoint, running_servers, sign_in
from .model.errors import TapisJobsError, UnavailableError

#: Seconds: until a new server answers; for it to end after SIGTERM; between two looks.
START_SECONDS, STOP_SECONDS, LOOK_SECONDS = 180.0, 15.0, 0.1
#: The server with the engine and nothing else of Jupyter's.
ENGINE_MODULE = "jupyter_tapis_jobs.server"
#: JupyterHub's own entry into a Jupyter server.
HUB_MODULE = "jupyterhub.singleuser"
_LOG_LINES = 15
#: Extensions of Jupyter that bring pages for people.
_PAGES = ("jupyterlab", "notebook", "notebook_shim", "nbclassic", "jupyter_lsp", "jupyter_server_terminals")


def is_hub_service(environment: Mapping[str, str]) -> bool:
    """True in a process that JupyterHub has started as a service (JupyterHub, "Services")."""
    return bool(environment.get("JUPYTERHUB_SERVICE_NAME") and environment.get("JUPYTERHUB_API_TOKEN"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that this process started."""

    #: Jupyter's own address, with a slash at the end.
    url: str
    token: str = field(repr=False)
    process: subprocess.Popen[bytes] = field(repr=False)
    log: Path

    @property
    def endpoint(self) -> Endpoint:
        """Where its Tapis API is, and the sign-in."""
        return Endpoint(url=self.url + "tapis", headers=sign_in(self.token), own=True)


def cli_endpoint(url: str | None = None) -> Endpoint:
    """Return the API to talk to: *url*, the environment's, or a server that runs on this machine.

    Raises ``UnavailableError`` with the way to start one when there is none.
    """
    try:
        return find_endpoint(url)
    except UnavailableError:
        found = next(engines(), None)
        if found is None:
            raise
        return found


def engines() -> Iterator[Endpoint]:
    """Yield the API of every running server of this user that answers, the newest first."""
    for record in sorted(running_servers(), key=lambda record: -int(record["pid"])):
        token = str(record.get("token") or "")
        endpoint = Endpoint(
            url=str(record["url"]).rstrip("/") + "/tapis", headers=sign_in(token) if token else {}, own=True
        )
        # One that is gone refuses at once; one that starts on a busy machine takes its time.
        if engine_of(endpoint, seconds=30.0) is not None:
            yield endpoint


def engine_of(endpoint: Endpoint, *, seconds: float = 5.0) -> dict[str, Any] | None:
    """Return what the server tells of itself and its engine; None when it has none, or is silent so long."""
    connection = Connection(endpoint)
    try:
        told = connection.call("GET", "/v3/tapisjobs/server", seconds=seconds).result
    except TapisJobsError:
        return None
    finally:
        connection.close()
    return told if isinstance(told, dict) else None


@contextmanager
def started(
    folder: Path,
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    module: str = "jupyter_server",
) -> Iterator[Server]:
    """Run a server with a free port and a token of its own below *folder* while the block runs.

    *options* are Jupyter's own (``--ServerApp.base_url=/hub/``); what it says goes to *log*.
    Raises ``UnavailableError`` with the log's last lines when it does not come up.
    """
    token, port = secrets.token_hex(24), free_port()
    base_url = _option(options, "--ServerApp.base_url=") or "/"
    # The token goes by the environment: a command line can be read by every user of the machine.
    env = {**os.environ, **(environment or {}), "JUPYTER_TOKEN": token}
    command = [
        sys.executable, "-m", module, f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        "--ServerApp.ip=127.0.0.1", "--ServerApp.open_browser=False", f"--ServerApp.root_dir={folder}",
        *_extensions(module), *root_options(), *options,
    ]  # fmt: skip
    with log.open("ab") as out, _ctrl_c_kept() as kept:
        # A session of its own: Ctrl-C reaches us, and we end the server in order.
        process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}/{base_url.strip('/')}".rstrip("/") + "/"
    server = Server(url=url, token=token, process=process, log=log)
    try:
        if kept:
            raise KeyboardInterrupt
        _wait_until_up(server)
        yield server
    finally:
        stop(process)


def _extensions(module: str) -> list[str]:
    """Without Lab the pages of others stay away: nobody opens them here, and they take their time to load."""
    wanted = {"jupyter_tapis_jobs": True}
    if module == "jupyter_server":
        wanted |= dict.fromkeys(_PAGES, False)
    return [f"--ServerApp.jpserver_extensions={name}={value}" for name, value in wanted.items()]


@contextmanager
def _ctrl_c_kept() -> Iterator[list[int]]:
    """Note Ctrl-C instead of acting on it: in the midst of a start it would leave a server behind."""
    kept: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield kept
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: kept.append(number))
    try:
        yield kept
    finally:
        signal.signal(signal.SIGINT, before)


def root_options() -> list[str]:
    """Jupyter refuses to run as root unless told to; in a container root is the usual user."""
    return ["--ServerApp.allow_root=True"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server in order, by force when it does not listen."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _option(options: Sequence[str], prefix: str) -> str:
    return next((option.removeprefix(prefix) for option in options if option.startswith(prefix)), "")


def _wait_until_up(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise UnavailableError(
                f"The server ended as it started. Its last words:\n{last_words(server.log)}"
            )
        answer = _answer(server.url + "tapis/v3/jobs/healthcheck")
        if answer is not None and answer.status == 200:
            return
        if answer is not None:
            raise UnavailableError(
                f"The server runs, but not its job engine: {answer.message}\n"
                f"`jupyter tapisjobs doctor` tells more; the server's log is {server.log}."
            )
        time.sleep(LOOK_SECONDS)
    raise UnavailableError(
        f"The server does not answer after {START_SECONDS:.0f} s. Its last words:\n{last_words(server.log)}"
    )


def last_words(log: Path) -> str:
    """Return the end of a server's log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])


@dataclass(frozen=True, slots=True)
class _Answer:
    """An HTTP status and the sentence that came with it."""

    status: int
    message: str


def _answer(url: str) -> _Answer | None:
    """Return what *url* answers, None while nothing does; no proxy stands before this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5.0) as response:
            return _Answer(response.status, "")
    except urllib.error.HTTPError as answer:
        return _Answer(answer.code, _message(answer.read()) or f"it answers {answer.code} {answer.reason}.")
    except OSError:
        return None


def _message(body: bytes) -> str:
    """Return the message of a Tapis envelope, nothing when it is something else."""
    try:
        envelope = json.loads(body)
    except ValueError:
        return ""
    return str(envelope.get("message") or "") if isinstance(envelope, dict) else ""
