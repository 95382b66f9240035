"""The first call of a notebook: the jobs API to work with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ..model.errors import NotFoundError, UnavailableError
from .capabilities import speaks_tapis
from .connection import Connection
from .endpoint import find_endpoint
from .tapis import Tapis

#: One API is opened once per kernel: all its cards then share one stream of news.
_connected: dict[tuple[Any, ...], Tapis] = {}


def connect(
    url: str | None = None,
    *,
    token: str | None = None,
    username: str | None = None,
    password: str | None = None,
    uploads: str | None = None,
) -> Tapis:
    """Return the jobs API: of this notebook's own Jupyter server, or of any Tapis at *url*.

    Without arguments ``TAPIS_BASE_URL`` with ``TAPIS_TOKEN`` (or ``TAPIS_USER`` and
    ``TAPIS_PASSWORD``) is used when set, else the Jupyter server that started this kernel.
    ``uploads`` (``tapis://SYSTEM/FOLDER``) is where big local files go on a tenant.

    Raises ``UnavailableError`` when there is no server, with the way to start one.
    """
    endpoint = find_endpoint(url, token, username, password)
    key = (endpoint.url, tuple(endpoint.headers.items()), endpoint.password_grant, uploads)
    if key not in _connected:
        _connected[key] = opened(Connection(endpoint), own=endpoint.own, uploads=uploads)
    return _connected[key]


def opened(connection: Connection, *, own: bool, uploads: str | None) -> Tapis:
    """Return the API behind *connection* after a first look at it; *own*: this kernel's own server."""
    tapis = Tapis(connection, uploads=uploads)
    server = tapis.server()
    if server is None and own and not speaks_tapis(connection):
        if tapis.refusal is not None and not isinstance(tapis.refusal, NotFoundError):
            raise tapis.refusal
        raise UnavailableError(
            f"The Jupyter server at {connection.url.removesuffix('/tapis')} runs without jupyter_tapis_jobs. "
            "Install it there (pip install jupyter-tapis-jobs) and start that server again.",
            code="JOBS_NO_EXTENSION",
        )
    note = _busy_note(server or {})
    if note:
        sys.stdout.write(note + "\n")
    return tapis


def _busy_note(server: Mapping[str, Any]) -> str:
    """Tell when another server's engine does the work."""
    holder = (server.get("engine") or {}).get("holder")
    if not isinstance(holder, Mapping) or holder.get("own") or not holder.get("pid"):
        return ""
    since = f", since {holder['started']}" if holder.get("started") else ""
    where = f", {holder['url']}" if holder.get("url") else ""
    return (
        f"The job engine is busy in another server (pid {holder['pid']}{since}{where}). "
        "This one works through it."
    )
