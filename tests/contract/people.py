"""The server as its clients meet it: real HTTP, and the people who call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx

from jupyter_tapis_jobs.server.identity import TOKEN_HEADER


class Who(StrEnum):
    """Who makes a call."""

    NOBODY = "nobody"
    #: Somebody with a token that is none of ours.
    WRONG = "wrong"
    #: Another user, with a token that the owner made for them.
    OTHER = "other"
    #: The server's user.
    OWNER = "owner"


@dataclass(frozen=True)
class Api:
    """The Tapis API of a real server, called by different people."""

    #: What stands before ``/v3``.
    base: str
    tokens: Mapping[Who, str]
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(trust_env=False, timeout=180), repr=False
    )

    def call(self, method: str, path: str, who: Who = Who.OWNER, **more: Any) -> httpx.Response:
        """Make one call; *path* begins with ``/v3``. Nothing is kept of it: Jupyter sets a login cookie."""
        self.client.cookies.clear()
        return self.client.request(method, self.base + path, headers=self.headers(who, more), **more)

    def headers(self, who: Who, more: dict[str, Any]) -> dict[str, str]:
        """Return the sign-in of *who*, with the headers of the call."""
        token = self.tokens.get(who)
        return {**({TOKEN_HEADER: token} if token else {}), **more.pop("headers", {})}

    def get(self, path: str, who: Who = Who.OWNER, **params: Any) -> Any:
        """Return the result of a GET that must work."""
        return result(self.call("GET", path, who, params=params))

    def post(self, path: str, json: Any = None, who: Who = Who.OWNER, **params: Any) -> Any:
        """Return the result of a POST that must work."""
        more = {} if json is None else {"json": json}
        return result(self.call("POST", path, who, params=params, **more))

    def submit(self, script: str, who: Who = Who.OWNER, **fields: Any) -> str:
        """Submit a job of the app bash and return its uuid."""
        return str(self.post("/v3/jobs/submit", bash(script, **fields), who)["uuid"])

    def ended(self, uuid: str) -> dict[str, Any]:
        """Wait for a job's end and return it."""
        for _ in range(600):
            with self.client.stream(
                "GET",
                f"{self.base}/v3/jobs/{uuid}/output/follow/tapisjob.out",
                headers=self.headers(Who.OWNER, {}),
            ) as follow:
                follow.read()
            job = self.get(f"/v3/jobs/{uuid}")
            if job["status"] in ("FINISHED", "FAILED", "CANCELLED"):
                return dict(job)
            time.sleep(0)
        raise AssertionError(f"job {uuid} does not end: {job['status']}")


def bash(script: str, **fields: Any) -> dict[str, Any]:
    """Return a request that runs *script*."""
    from urllib.parse import quote

    given = {"name": "script", "sourceUrl": f"data:,{quote(script)}"}
    return {"name": "contract", "appId": "bash", "appVersion": "1.0", "fileInputs": [given], **fields}


def result(answer: httpx.Response) -> Any:
    """Return the result of a good answer."""
    assert answer.is_success, (
        f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    )
    return answer.json()["result"]


def message(answer: httpx.Response) -> str:
    """Return an answer's message."""
    return str(answer.json()["message"])


def sign_in_as_owner(base: str, name: str, password: str) -> str:
    """Return the token that the server gives for name and password."""
    body = {"username": name, "password": password, "grant_type": "password"}
    answer = httpx.post(f"{base}/v3/oauth2/tokens", json=body, trust_env=False, timeout=180)
    return str(result(answer)["access_token"]["access_token"])


def api_of(base: str, jupyter_token: str, name: str | None = None) -> Api:
    """Return the API at *base* with all the people signed in."""
    import getpass

    owner = sign_in_as_owner(base, name or getpass.getuser(), jupyter_token)
    made = httpx.post(
        f"{base}/v3/tapisjobs/tokens",
        json={"username": "mallory"},
        headers={TOKEN_HEADER: owner},
        trust_env=False,
        timeout=180,
    )
    other = result(made)["access_token"]["access_token"]
    forged = owner[:-8] + ("A" if owner[-8] != "A" else "B") + owner[-7:]
    return Api(base=base, tokens={Who.OWNER: owner, Who.OTHER: other, Who.WRONG: forged})


def own_folders(folder: Path) -> dict[str, str]:
    """Return the environment that keeps Jupyter's files below *folder*."""
    names = {"JUPYTER_DATA_DIR": "data", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime"}
    return {variable: str(folder / "jupyter" / name) for variable, name in names.items()}
