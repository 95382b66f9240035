"""The browser's one WebSocket: news of jobs and the growing ends of outputs, over one connection."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado import web
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.iostream import StreamClosedError
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketHandler,
    websocket_connect,
)

from ..model.errors import InvalidInputError, TapisJobsError, UnavailableError
from . import faults
from .envelope import JSON, text
from .forward import FORWARDED
from .identity import TOKEN_HEADER, sign_in
from .service import MOUNT, Service

PATH = "/v3/tapisjobs/live"
#: Outputs that one browser tab follows at once.
TAILS = 32


class LiveSocket(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """Sends ``{"type": "event", …}`` for each event of the caller's jobs, and the tails asked for.

    A job that only has a new message comes with the event null.

    ``{"type": "idle", "every"}`` comes as soon as nothing more can be missed, and again when nothing
    happened for so many seconds: a caller that hears nothing for much longer has lost the connection.

    The caller sends ``{"type": "tail", "uuid", "path", "offset"}`` and ``{"type": "untail", …}``; answered
    is ``{"type": "tail", "uuid", "path", "offset", "end", "text"}``, at the end ``{"type": "tailEnd", …}``,
    and ``{"type": "error", "message", …}`` for what cannot be done. ``offset`` and ``end`` count bytes.
    """

    def initialize(self, service: Service) -> None:
        """Keep what all handlers share."""
        self.service = service
        self._tasks: dict[object, asyncio.Task[None]] = {}
        self._holder: WebSocketClientConnection | None = None

    async def prepare(self) -> None:  # type: ignore[override]
        """Sign in; refused with the same answers as the other routes."""
        self.current_user = self._jupyter_current_user = None
        try:
            self.caller = await sign_in(self, self.service)
            self._holder_url = getattr(await self.service.door.holder(), "url", None)
            if self._holder_url is not None and FORWARDED in self.request.headers:
                raise UnavailableError("The job engine changes servers at this moment. Try again.")
        except TapisJobsError as fault:
            raise web.HTTPError(faults.status_of(fault)) from fault

    @allow_unauthenticated
    async def get(self) -> None:
        """Open the socket; ``prepare`` has signed the caller in, the mixin checks the Origin."""
        await super().get()

    async def open(self) -> None:
        """Begin with the news, from here or from the server that has the engine."""
        super().open()
        if self._holder_url is None:
            self._begin("news", self._send_news())
        else:
            await self._join(self._holder_url)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Refuse in Tapis's form."""
        self.set_header("Content-Type", JSON)
        self.finish(text(faults.answer(faults.in_flight(status_code, kwargs))[1]))

    # -- this server's engine

    async def _send_news(self) -> None:
        from .events import news_to_wire

        after = self.get_query_argument("after", "")
        listening = self.service.feed.listen(
            self.caller, after=int(after) if after.isdecimal() else None, keepalive=self.service.keepalive
        )
        async with aclosing(listening):
            async for news in listening:
                if not news:
                    # Also at the start: from here on nothing is missed.
                    await self._say({"type": "idle", "every": self.service.keepalive})
                for item in news:
                    number = item.event and item.event.id
                    await self._say({"type": "event", "id": number, **news_to_wire(item)})

    async def _send_tail(self, uuid: str, path: str, offset: int) -> None:
        where = {"uuid": uuid, "path": path}
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        chunks = await self.service.door.stream(
            lambda engine: engine.views.output_follow(self.caller, uuid, path, offset=offset)
        )
        async for chunk in chunks:
            begin = offset - len(decoder.getstate()[0])
            text, offset = decoder.decode(chunk), offset + len(chunk)
            end = offset - len(decoder.getstate()[0])
            await self._say({"type": "tail", **where, "offset": begin, "end": end, "text": text})
        await self._say({"type": "tailEnd", **where, "offset": offset})

    async def _hear(self, told: Any) -> None:
        if not isinstance(told, dict):
            raise InvalidInputError(
                'A message is a JSON object such as {"type": "tail", "uuid": …, "path": …}.'
            )
        verb, uuid, path = told.get("type"), told.get("uuid"), told.get("path")
        offset = told.get("offset", 0)
        if verb not in ("tail", "untail") or not isinstance(uuid, str) or not isinstance(path, str):
            raise InvalidInputError(
                'A message has type "tail" or "untail", and the texts uuid and path.', field="type"
            )
        if not isinstance(offset, int) or isinstance(offset, bool) or offset < 0:
            raise InvalidInputError("offset is a number of bytes from 0 on.", field="offset", value=offset)
        self._end((uuid, path))
        if verb == "tail" and len(self._tasks) > TAILS:
            raise InvalidInputError(
                f"At most {TAILS} outputs are followed at once; stop following another first."
            )
        if verb == "tail":
            self._begin((uuid, path), self._send_tail(uuid, path, offset))

    # -- another server's engine

    async def _join(self, url: str) -> None:
        """Be a pipe between the browser and the server that has the engine."""
        token = await self.service.token_for(self.caller.name, audience=url)
        address = url.replace("http", "ws", 1).rstrip("/") + MOUNT + PATH + "?" + self.request.query
        request = HTTPRequest(address, headers={TOKEN_HEADER: token, FORWARDED: "1"}, connect_timeout=5)
        try:
            self._holder = await websocket_connect(request)
        except (OSError, HTTPClientError, StreamClosedError) as fault:
            self.log.warning("the live socket of %s cannot be joined: %s", url, fault)
            self.close(1013, "the server with the job engine does not answer")
            return
        self._begin("pipe", self._pipe(self._holder))

    async def _pipe(self, holder: WebSocketClientConnection) -> None:
        while (message := await holder.read_message()) is not None:
            await self.write_message(message)
        self.close(1012, "the job engine has changed servers")

    # -- the socket

    async def on_message(self, message: str | bytes) -> None:
        """Hear what the browser wants."""
        if self._holder is not None:
            await self._holder.write_message(message)
            return
        try:
            await self._hear(json.loads(message))
        except (TapisJobsError, ValueError, RecursionError) as fault:
            await self._complain(_sentence(fault))

    def on_close(self) -> None:
        """End all that works for this browser."""
        for name in list(self._tasks):
            self._end(name)
        if self._holder is not None:
            self._holder.close()

    def _begin(self, name: object, work: Coroutine[Any, Any, None]) -> None:
        self._tasks[name] = asyncio.create_task(self._guarded(name, work), name=f"tapisjobs live: {name}")

    def _end(self, name: object) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()

    async def _guarded(self, name: object, work: Coroutine[Any, Any, None]) -> None:
        """Do *work*; what goes wrong is told to the browser, and the socket lives on."""
        about = {"uuid": name[0], "path": name[1]} if isinstance(name, tuple) else {}
        try:
            await work
        except WebSocketClosedError:
            pass
        except Exception as fault:  # noqa: BLE001 - told to the browser, logged by faults.answer
            await self._complain(faults.answer(fault)[1]["message"], **about)
        finally:
            if self._tasks.get(name) is asyncio.current_task():
                del self._tasks[name]
        if name == "news":
            self.close(1012, "the server stops or the job engine has changed servers")

    async def _complain(self, message: str, **about: str) -> None:
        with suppress(WebSocketClosedError):
            await self._say({"type": "error", "message": message, **about})

    async def _say(self, message: dict[str, Any]) -> None:
        """Write *message*; ``WebSocketClosedError`` ends who works for a browser that has gone."""
        await self.write_message(json.dumps(message, separators=(",", ":")))


def _sentence(fault: Exception) -> str:
    if isinstance(fault, TapisJobsError):
        return f"{fault.code} {fault.message}"
    return "JOBS_INVALID_JSON The message is not JSON."
