"""The one handler of all routes: signs in, finds the route, decodes, calls it, encodes its answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qsl

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from tornado import web
from tornado.iostream import StreamClosedError

from ..model.errors import InvalidInputError, NotAllowedError, NotFoundError, UnavailableError
from . import faults
from .body import Collected, FilePart, Piped, read_json
from .call import Call, checked, query_of, read_query
from .envelope import JSON, column_pieces, envelope, list_pieces, sliced, text
from .forward import FORWARDED, forward
from .identity import TOKEN_HEADER, sign_in
from .reply import Answer, Columns, Document, Reply, Rows, Stream
from .route import Match, Takes
from .service import MOUNT, Service

log = logging.getLogger(__name__)

#: What a job wrote is never run by a browser.
SANDBOX = "sandbox; default-src 'none'"
_FORM = "application/x-www-form-urlencoded"


class MethodMissingError(NotFoundError):
    """The path exists, but not with this method."""

    code = "JOBS_METHOD_NOT_ALLOWED"


@web.stream_request_body
class TapisHandler(JupyterHandler):
    """Answers everything below ``<base URL>tapis/``.

    The caller is known and may be refused before the body arrives; a refusal is answered when the
    body has passed, so that the sender hears it.
    """

    def initialize(self, service: Service) -> None:
        """Keep what all handlers share."""
        self.service = service
        self._fault: Exception | None = None
        self._sink: Collected | Piped | None = None
        self._work: asyncio.Task[Answer] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._match: Match

    # -- before the body

    async def prepare(self) -> None:  # type: ignore[override]
        """Sign in, find the route and get ready for the body."""
        self.current_user = self._jupyter_current_user = None
        try:
            await self._admit()
        except Exception as fault:  # noqa: BLE001 - answered once the body has passed
            self._fault = fault

    async def _admit(self) -> None:
        if not self.check_host():
            raise NotAllowedError(
                f"This server does not answer as '{self.request.host}'. See ServerApp.allow_remote_access."
            )
        self._prefix, path = self._split()
        routes = await self.service.routes()
        found = routes.find(self.request.method or "", path)
        self.caller = None if found and found.route.public else await sign_in(self, self.service)
        self.set_cors_headers()
        if found is None:
            raise _unrouted(self.request.method or "", path, routes.methods(path), routes.near(path))
        self._match = found
        self.service.door.refuse_if_broken()
        holder = await self.service.door.holder() if found.route.engine else None
        if holder is not None:
            self._begin_forward(holder.url)
        elif found.route.takes is Takes.FILE:
            self._begin(FilePart(self.request.headers.get("Content-Type", ""), self.service.max_upload))
        else:
            self._sink = Collected(found.route.max_body or self.service.max_body)

    def _split(self) -> tuple[str, str]:
        """Return what stands before ``/v3`` as the caller wrote it, and the rest; both still encoded."""
        path = self.request.path
        start = path.find(MOUNT, max(len(self.base_url) - 1, 0)) + len(MOUNT)
        slashes = len(path[start:]) - len(path[start:].lstrip("/"))
        cut = start + max(slashes - 1, 0)
        return path[:cut], path[cut:]

    def _begin(self, sink: Piped) -> None:
        """Let the route work while the body arrives."""
        self._sink = sink
        self._allow_large()
        self._work = asyncio.create_task(self._call(None, sink), name=self._match.route.operation)
        sink.taken_by(self._work)

    def _begin_forward(self, url: str) -> None:
        if FORWARDED in self.request.headers:
            raise UnavailableError("The job engine changes servers at this moment. Try again.")
        self._sink = Piped(self.service.max_upload)
        if self._match.route.takes is Takes.FILE:
            self._allow_large()
        work = forward(self.service, self.request, url, self._match.route, self.caller, self._sink)
        self._work = asyncio.create_task(work, name="tapisjobs: forward")
        self._sink.taken_by(self._work)

    def _allow_large(self) -> None:
        """Jupyter's limit is for bodies that are kept in memory; an upload is not."""
        self._connection().set_max_body_size(self.service.max_upload)

    def _connection(self) -> Any:
        return self.request.connection

    # -- the body

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece of the body."""
        if self._fault is not None or self._sink is None:
            return
        try:
            await self._sink.feed(chunk)
        except Exception as fault:  # noqa: BLE001 - answered once the body has passed
            self._fault = fault

    def on_connection_close(self) -> None:
        """The caller went away: end what still works for them."""
        if isinstance(self._sink, Piped):
            self._sink.break_off()
        if self._sending is not None:
            self._sending.cancel()
        super().on_connection_close()

    # -- the answer

    @allow_unauthenticated
    async def get(self) -> None:
        """Answer."""
        await self._answer()

    post = put = patch = delete = head = get

    @allow_unauthenticated
    async def options(self) -> None:
        """Answer a browser that asks what another site may send."""
        self.set_header(
            "Access-Control-Allow-Headers", f"accept, content-type, authorization, {TOKEN_HEADER}"
        )
        self.set_header("Access-Control-Allow-Methods", "GET, PUT, POST, PATCH, DELETE, OPTIONS")
        self.set_cors_headers()
        self.set_status(204)
        await self.finish()

    async def _answer(self) -> None:
        try:
            await self._send(await self._outcome())
        except Exception as fault:  # noqa: BLE001 - the one place where errors become answers
            await self._refuse(fault)

    async def _outcome(self) -> Answer:
        if self._fault is not None:
            if self._work is not None:
                self._work.cancel()
            raise self._fault
        if self._sink is not None:
            await self._sink.end()
        if self._work is not None:
            return await self._work
        return await self._call(self._body(), None)

    def _body(self) -> Any:
        """Return the body as the route takes it."""
        route = self._match.route
        data = self._sink.data if isinstance(self._sink, Collected) else b""
        if route.takes is Takes.NOTHING or not data.strip():
            if route.takes is Takes.NOTHING or _optional(route.body):
                return None
            raise InvalidInputError(f"{route.operation} needs a JSON body.", field="body")
        kind = self.request.headers.get("Content-Type", "").split(";")[0].strip().lower()
        value = (
            _form(data) if kind == _FORM and not data.lstrip().startswith((b"{", b"[")) else read_json(data)
        )
        if route.takes in (Takes.MODEL, Takes.SECRET):
            return checked(route.body, value, "body", secret=route.takes is Takes.SECRET)
        if not isinstance(value, dict):
            raise InvalidInputError(
                f"{route.operation} takes a JSON object, not {_kind(value)}.", field="body", value=value
            )
        return value

    async def _call(self, body: Any, upload: Piped | None) -> Answer:
        query, conditions = read_query(self._match.route.query, query_of(self.request.query_arguments))
        call = Call(
            service=self.service,
            caller=self.caller,
            path=self._match.path,
            query=query,
            conditions=conditions,
            body=body,
            upload=upload,
            headers=self.request.headers,
            base=f"{self._scheme()}://{self.request.host}{self._prefix}",
        )
        return await self._match.route.action(call)

    def _scheme(self) -> str:
        """Return the scheme the caller used, also behind a proxy that Jupyter was not told to trust."""
        told = self.request.headers.get("X-Forwarded-Proto", "").split(",")[0].strip().lower()
        return told if told in ("http", "https") else self.request.protocol

    async def _send(self, answer: Answer) -> None:
        if isinstance(answer, Stream):
            await self._pump(answer)
        elif isinstance(answer, Document):
            await self._finish_json(200, answer.content)
        elif isinstance(answer.result, Rows | Columns):
            await self._pump(_json_stream(answer, self._match.route.status))
        else:
            body = envelope(answer.result, answer.message, metadata=answer.metadata)
            await self._finish_json(self._match.route.status, body)

    async def _finish_json(self, status: int, content: Any) -> None:
        self.set_status(status)
        self.set_header("Content-Type", JSON)
        await self.finish(text(content))

    async def _pump(self, stream: Stream) -> None:
        """Send a stream; it is closed whatever happens, also when the caller goes away while it waits."""
        self.set_status(stream.status)
        for name, value in stream.headers.items():
            self.set_header(name, value)
        self._sending = asyncio.create_task(self._send_chunks(stream), name="tapisjobs: send")
        try:
            await self._sending
        except asyncio.CancelledError:
            if not self._sending.cancelled():
                raise

    async def _send_chunks(self, stream: Stream) -> None:
        try:
            if stream.at_once:
                await self.flush()
            async for chunk in stream.chunks:
                self.write(chunk)
                await self.flush()
            await self.finish()
        except StreamClosedError:
            pass
        finally:
            if isinstance(stream.chunks, AsyncGenerator):
                await stream.chunks.aclose()

    async def _refuse(self, fault: Exception) -> None:
        status, content = faults.answer(fault)
        if isinstance(fault, MethodMissingError):
            status = 405
        if self._headers_written:
            # Too late for another answer; a cut connection tells the caller that it is not whole.
            log.warning("an answer broke off: %s", content["message"])
            self._connection().close()
            return
        self.clear_header("Content-Length")
        self.clear_header("Content-Disposition")
        await self._finish_json(status, content)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer in Tapis's form also what tornado itself refuses."""
        self.set_header("Content-Type", JSON)
        self.finish(text(faults.answer(faults.in_flight(status_code, kwargs))[1]))

    def compute_etag(self) -> None:
        """No answer is worth the time of its hash."""

    @property
    def content_security_policy(self) -> str:
        """Nothing that is answered here is a page."""
        return SANDBOX


def _json_stream(reply: Reply, status: int) -> Stream:
    if isinstance(reply.result, Rows):
        pieces = list_pieces(reply.result.items, reply.result.to_wire, reply.message, reply.metadata)
    else:
        pieces = column_pieces(reply.result.names, reply.result.slices, reply.message, reply.metadata)
    return Stream(chunks=sliced(pieces), headers={"Content-Type": JSON}, status=status)


def _unrouted(method: str, path: str, methods: tuple[str, ...], near: str) -> NotFoundError:
    shown = path if len(path) <= 200 else path[:200] + "…"
    if methods:
        return MethodMissingError(f"{shown} has no {method}; it has {', '.join(methods)}.")
    return NotFoundError(f"This server has no {method} {shown}.{near}", code="JOBS_NO_ROUTE")


def _form(data: bytes) -> dict[str, str]:
    """Read the form of OAuth 2; Tapis takes JSON."""
    return dict(parse_qsl(data.decode("utf-8", errors="replace")))


def _optional(body: Any) -> bool:
    from typing import get_args

    return type(None) in get_args(body)


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
