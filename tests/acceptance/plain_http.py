"""A server called with nothing between the test and HTTP."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import httpx

ENDS = ("FINISHED", "FAILED", "CANCELLED")


def data_url(content: str | bytes) -> str:
    """Return a URL that is *content* itself, whatever bytes it has."""
    raw = content.encode() if isinstance(content, str) else content
    return f"data:;base64,{base64.b64encode(raw).decode()}"


def bash(
    text: str | bytes = "true", *, inputs: Sequence[dict[str, Any]] = (), **fields: Any
) -> dict[str, Any]:
    """Return a request that runs *text*, with further *inputs* and *fields*."""
    script = {"name": "script", "sourceUrl": data_url(text)}
    return {"name": "job", "appId": "bash", "appVersion": "1.0", "fileInputs": [script, *inputs], **fields}


class PlainHttp:
    """The API of one server, signed in as its owner."""

    def __init__(self, endpoint: Any, until: Callable[..., Any]) -> None:
        self.client = httpx.Client(
            base_url=endpoint.url, headers=dict(endpoint.headers), trust_env=False, timeout=180
        )
        self._until = until

    def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Make a POST, with *body* as JSON."""
        return (
            self.client.post(path, json=body, **more) if body is not None else self.client.post(path, **more)
        )

    def get(self, path: str, **params: Any) -> Any:
        """Return the result of a GET that works."""
        return good(self.client.get(path, params=params))

    def submit(self, request: dict[str, Any]) -> httpx.Response:
        """Ask for a job."""
        return self.post("/v3/jobs/submit", request)

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return a job at its end."""
        return self.ended(good(self.submit(request))["uuid"])

    def ended(self, uuid: str) -> dict[str, Any]:
        """Wait for a job's end and return it."""
        self._until(lambda: self.get(f"/v3/jobs/{uuid}/status")["status"] in ENDS)
        return dict(self.get(f"/v3/jobs/{uuid}"))

    def output(self, job: dict[str, Any], path: str) -> bytes:
        """Return one output of a job."""
        answer = self.client.get(f"/v3/jobs/{job['uuid']}/output/download/{quote(path)}")
        assert answer.is_success, answer.text
        return answer.content

    def count(self) -> int:
        """Return how many jobs there are, seen or hidden from lists."""
        answer = self.client.get("/v3/jobs/list", params={"limit": 1, "computeTotal": "true"})
        return int(answer.json()["metadata"]["totalCount"])


def good(answer: httpx.Response) -> Any:
    """Return the result of an answer that is good."""
    assert answer.is_success, f"{answer.status_code} {answer.text[:1000]}"
    return answer.json()["result"]


def refused(answer: httpx.Response, status: int = 400) -> str:
    """Return the message of an answer that refuses."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:1000]}"
    told = answer.json()
    assert (told["status"], answer.headers["Content-Type"]) == ("error", "application/json")
    return str(told["message"])
