"""A real JupyterHub with its proxy, and what its people call on it."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

#: Where the programs of this environment are.
BIN = Path(sys.executable).parent
#: Below which address the hub lives: behind a site's own server it is seldom the root.
BASE = "/site/"
SERVICE = "tapisjobs"
_CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}{base}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.command = ["{bin}/configurable-http-proxy"]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.auth_token = "{secret}-proxy"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/homes/{{username}}"
c.Spawner.cmd = ["{bin}/jupyterhub-singleuser"]
c.Spawner.args = ["--allow-root"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
c.JupyterHub.services = [
    {{"name": "tester", "api_token": "{secret}"}},
    {{
        "name": "{service}",
        "url": "http://127.0.0.1:{ports[3]}",
        "command": ["{bin}/jupyter-tapisjobs", "serve", "--data-dir={folder}/service", "--", "--allow-root"],
        "environment": {{"HOME": "{folder}/homes/service"}},
    }},
]
scopes = ["admin:users", "admin:groups", "admin:servers", "tokens", "list:services", "read:services"]
c.JupyterHub.load_roles = [
    {{"name": "tester", "services": ["tester"], "scopes": scopes}},
    {{"name": "user", "scopes": ["self", "access:services"]}},
]
"""


@dataclass
class Hub:
    """A hub that runs."""

    folder: Path
    port: int
    secret: str = field(repr=False)
    until: Callable[..., Any] = field(repr=False)

    @property
    def url(self) -> str:
        """Its address, with a slash at the end."""
        return f"http://127.0.0.1:{self.port}{BASE}"

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Make a call of the hub's own API, as somebody who may do all."""
        headers = {"Authorization": f"token {self.secret}"}
        answer = httpx.request(
            method, f"{self.url}hub/api{path}", headers=headers, trust_env=False, timeout=180, **more
        )
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}\n{self.log()[-3000:]}"
        return answer

    def log(self) -> str:
        """Return what hub, proxy and servers have said."""
        return (self.folder / "hub.log").read_text(errors="replace")

    def user(self, name: str) -> str:
        """Make a user, and return a token of theirs."""
        self.api("POST", f"/users/{name}")
        (self.folder / "homes" / name).mkdir(parents=True, exist_ok=True)
        return str(self.api("POST", f"/users/{name}/tokens", json={"note": "test"}).json()["token"])

    def group(self, name: str, *users: str) -> None:
        """Make a group of users."""
        self.api("POST", f"/groups/{name}", json={"users": list(users)})

    def begin(self, name: str) -> None:
        """Start a user's server."""
        self.api("POST", f"/users/{name}/server")

    def ready(self, name: str) -> str:
        """Wait until a user's server is there; return the address of its Tapis API."""
        self.until(lambda: self._server(name).get("ready"), 120)
        return f"{self.url}user/{name}/tapis"

    def stop(self, name: str) -> None:
        """Stop a user's server."""
        self.api("DELETE", f"/users/{name}/server")
        self.until(lambda: not self._server(name), 60)

    def _server(self, name: str) -> dict[str, Any]:
        return dict(self.api("GET", f"/users/{name}").json()["servers"].get("", {}))


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def running_hub(folder: Path, until: Callable[..., Any]) -> Iterator[Hub]:
    """Run a hub below *folder*, with a dummy authenticator, the simple spawner, and serve as a service."""
    ports, secret = free_ports(4), secrets.token_hex(16)
    (folder / "homes" / "service").mkdir(parents=True)
    words = {"ports": ports, "secret": secret, "folder": folder, "bin": BIN, "base": BASE, "service": SERVICE}
    (folder / "config.py").write_text(_CONFIG.format(**words))
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("JUPYTER", "JPY_"))}
    with (folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [BIN / "jupyterhub", "-f", folder / "config.py"],
            cwd=folder,
            env={**kept, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    hub = Hub(folder, ports[0], secret, until)
    try:
        until(lambda: process.poll() is not None or _answers(hub), 90)
        assert process.poll() is None, hub.log()[-3000:]
        yield hub
    finally:
        # It ends its proxy, its service and all servers of its users.
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(hub: Hub) -> bool:
    try:
        return httpx.get(f"{hub.url}hub/api/", trust_env=False).is_success
    except httpx.TransportError:
        return False
