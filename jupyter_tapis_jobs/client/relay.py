"""Calls of a page that cannot reach the server by itself, made over this kernel's connection.

The page says, always with an ``id`` of its own making:

- ``{"type": "call", "method", "path", "body"}``. Answered by ``answer`` (``status``, ``media``, ``isWhole``;
  the bytes beside it), where not whole by ``part`` and at last ``end``; by ``lost`` where the server does not
  answer. Of a long answer as much is sent as there is room: ``{"type": "more", "parts"}`` makes room,
  ``{"type": "stop"}`` ends it.
- ``{"type": "open", "after"}``: news from the event after that number on, or only new ones. Answered by
  ``opened``, ``told`` (``data``: texts as ``/v3/tapisjobs/live`` sends them) and ``closed``.
  ``{"type": "say", "data"}`` asks for the growing end of an output as there, ``stop`` ends all of it.

All is done on a thread of its own: only what the page says may wait for the running cell.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ..model.errors import NotSignedInError, TapisJobsError
from .connection import ANSWER_SECONDS, CONNECT_SECONDS, Connection, error_of
from .relay_news import RelayNews

if TYPE_CHECKING:
    import httpx

Message = Mapping[str, Any]
#: Hands a message and the bytes beside it to the page.
Tell = Callable[[Message, Sequence[bytes]], None]

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
#: Only the API, and nothing of it that hands out tokens.
BELOW, NEVER = "/v3/", ("/v3/oauth2", "/v3/tokens")
#: Parts of one answer that are sent before the page has said that it took some.
ROOM = 64
#: Calls at once; pages that hear news at once: one that was loaded again does not say that it is gone.
AT_ONCE, PAGES = 64, 4


class Relay:
    """What one panel asks for; ``tell`` is called on another thread than ``hear``."""

    def __init__(self, connection: Connection, tell: Tell) -> None:
        self._connection, self._tell = connection, tell
        self._loop = _loop()
        # From here on: touched by the loop's thread only.
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._room: dict[str, asyncio.Semaphore] = {}
        self._news: dict[str, RelayNews] = {}
        self._client: httpx.AsyncClient | None = None
        self._closing: asyncio.Task[None] | None = None

    def hear(self, told: Message) -> None:
        """Do what the page says; returns at once."""
        self._loop.call_soon_threadsafe(self._hear, dict(told))

    def close(self) -> None:
        """The page is gone: end all."""
        self._loop.call_soon_threadsafe(self._end)

    # --- the thread --------------------------------------------------------------------------
    def _hear(self, told: Message) -> None:
        name = told.get("id")
        if not isinstance(name, str):
            return
        match told.get("type"):
            case "call" | "open" if len(self._tasks) >= AT_ONCE or name in self._tasks:
                self._refuse(name, 429, "The panel asks for too much at once. Try again.")
            case "call":
                self._begin(name, self._call(name, told))
            case "open":
                self._listen(name, told.get("after"))
            case "say" if name in self._news:
                self._news[name].hear(told.get("data"))
            case "more" if name in self._room:
                self._make_room(name, told.get("parts"))
            case "stop" if name in self._tasks:
                self._tasks[name].cancel()

    def _listen(self, name: str, after: Any) -> None:
        while len(self._news) >= PAGES:
            oldest = next(iter(self._news))
            self._tasks[oldest].cancel()
            self._forget(oldest)
        news = RelayNews(
            self._connection, lambda kind, **more: self._tell({"type": kind, "id": name, **more}, [])
        )
        self._news[name] = news
        self._begin(name, news.run(after))

    def _make_room(self, name: str, parts: Any) -> None:
        for _ in range(min(ROOM, parts) if isinstance(parts, int) else 0):
            self._room[name].release()

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks[name] = self._loop.create_task(work, name=f"panel {name}")
        task.add_done_callback(lambda done: self._done(name, done))

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            self._forget(name)
        if not task.cancelled() and task.exception() is not None:
            # Whatever it was: nobody waits for ever.
            self._tell({"type": "lost", "id": name}, [])

    def _forget(self, name: str) -> None:
        for known in (self._tasks, self._room, self._news):
            known.pop(name, None)

    def _end(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        client, self._client = self._client, None
        if client is not None:
            self._closing = self._loop.create_task(client.aclose())

    # --- calls -------------------------------------------------------------------------------
    async def _call(self, name: str, told: Message) -> None:
        import httpx

        method, path, body = told.get("method"), told.get("path"), told.get("body")
        if method not in METHODS or not is_of_the_api(path) or not isinstance(body, str | None):
            self._refuse(name, 400, "Only calls of the Tapis API go through the kernel.")
            return
        self._client = self._client or self._connection.async_client()
        # An output that is followed may be silent for any time.
        silence = None if "/output/follow/" in str(path) else ANSWER_SECONDS
        try:
            request = self._client.build_request(
                method, str(path), content=body, timeout=httpx.Timeout(silence, connect=CONNECT_SECONDS),
                headers={"Content-Type": "application/json"} if body is not None else None,
            )  # fmt: skip
            response = await self._client.send(request, stream=True)
            try:
                await self._pass_on(name, response)
            finally:
                await response.aclose()
        except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError):
            self._tell({"type": "lost", "id": name}, [])
        except TapisJobsError as fault:
            self._refuse(name, 401 if isinstance(fault, NotSignedInError) else 503, fault.message)

    async def _pass_on(self, name: str, response: httpx.Response) -> None:
        media = response.headers.get("Content-Type", "")
        head = {"type": "answer", "id": name, "status": response.status_code, "media": media}
        if response.status_code == 401:
            await response.aread()
            self._refuse(name, 401, self._connection.explained(error_of(response)).message)
            return
        if media.startswith("application/json"):
            self._tell({**head, "isWhole": True}, [await response.aread()])
            return
        room = self._room[name] = asyncio.Semaphore(ROOM)
        self._tell({**head, "isWhole": False}, [])
        async for part in response.aiter_bytes():
            await room.acquire()
            self._tell({"type": "part", "id": name}, [part])
        self._tell({"type": "end", "id": name}, [])

    def _refuse(self, name: str, status: int, why: str) -> None:
        told = json.dumps({"status": "error", "message": why, "result": None}).encode()
        answer = {"type": "answer", "id": name, "status": status, "media": "application/json"}
        self._tell({**answer, "isWhole": True}, [told])


def is_of_the_api(path: Any) -> bool:
    """True for a path, with its query, that stays below the API however it is read."""
    if not isinstance(path, str) or not path.isprintable() or "#" in path:
        return False
    plain = unquote(unquote(path.partition("?")[0])).replace("\\", "/")
    odd = {"", ".", ".."} & set(plain.removesuffix("/").split("/")[1:])
    return path.startswith(BELOW) and plain.startswith(BELOW) and not plain.startswith(NEVER) and not odd


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """One thread for all panels of this kernel."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="tapisjobs-panel", daemon=True).start()
    return loop
