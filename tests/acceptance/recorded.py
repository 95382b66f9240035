"""What the kernel's side sends, written down on its way out, and held against Tapis's specifications."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import httpx
from tapis_specs import faults_of_request, operation_of


@dataclass(frozen=True, slots=True)
class Sent:
    """One request; ``path`` from ``/v3`` on, still encoded."""

    method: str
    path: str
    query: str
    headers: httpx.Headers
    #: The JSON that was sent; None without any.
    body: Any

    @property
    def operation(self) -> str:
        """``jobs.getJob``, or what it is instead."""
        found = operation_of(self.method, self.path)
        return found.key if found else f"{self.method} {self.path}"

    def faults(self) -> list[str]:
        """Return what in it is not as the specifications say."""
        return faults_of_request(self.method, self.path, self.query, self.body)


@dataclass
class Traffic:
    """All requests to one server, in order."""

    base: str
    sent: list[Sent] = field(default_factory=list)

    def take(self, request: httpx.Request) -> None:
        """Write one down, if it goes to that server."""
        url = str(request.url)
        if not url.startswith(self.base):
            return
        path, _, query = url.removeprefix(self.base).partition("?")
        self.sent.append(Sent(request.method, path, query, request.headers, _json_of(request)))

    def operations(self, since: int = 0) -> list[str]:
        """Return which operations were called from the request number *since* on."""
        return [one.operation for one in self.sent[since:]]


@contextmanager
def recorded(base: str) -> Iterator[Traffic]:
    """Write down what any httpx client of this process sends to *base*, which goes there all the same."""
    traffic = Traffic(base)
    plain, later = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request

    def send(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        traffic.take(request)
        return plain(transport, request)

    async def send_later(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        traffic.take(request)
        return await later(transport, request)

    with (
        mock.patch.object(httpx.HTTPTransport, "handle_request", send),
        mock.patch.object(httpx.AsyncHTTPTransport, "handle_async_request", send_later),
    ):
        yield traffic


def _json_of(request: httpx.Request) -> Any:
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        return None
    return json.loads(request.read())
