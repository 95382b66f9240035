"""A call that another server's engine has to answer is sent on to that server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..model.errors import UnavailableError
from ..model.user import User
from .body import Piped
from .identity import TOKEN_HEADER
from .reply import Stream
from .route import Answers, Route
from .service import MOUNT, Service

if TYPE_CHECKING:
    import httpx
    from tornado.httputil import HTTPServerRequest

#: Marks a call that was sent on, so that it never goes round in circles.
FORWARDED = "X-Tapis-Jobs-Forwarded"
#: Of the answer; the others belong to the one connection.
_KEPT = (
    "Content-Type", "Content-Length", "Content-Disposition", "Content-Range", "Accept-Ranges",
    "Cache-Control", "X-Accel-Buffering", "X-Content-Type-Options", "Content-Security-Policy",
)  # fmt: skip
_SENT = (
    "Content-Type", "Range", "More", "Last-Event-ID", "Accept", "X-Tapis-Tracking-ID",
    "X-Tapis-Callback-Token",
)  # fmt: skip
CONNECT_SECONDS, SILENCE_SECONDS = 5.0, 600.0


async def forward(
    service: Service, request: HTTPServerRequest, url: str, route: Route, caller: User | None, body: Piped
) -> Stream:
    """Send the call on to the server at *url* in the caller's name and return its answer as it comes."""
    import httpx

    client = httpx.AsyncClient(
        transport=_socket(url),
        trust_env=False,
        timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
    )
    sends = request.method not in ("GET", "DELETE")
    try:
        out = client.build_request(
            request.method or "GET",
            _address(url, request.uri or ""),
            headers=await _headers(service, request, url, caller),
            content=body.chunks() if sends else None,
        )
        answer = await client.send(out, stream=True)
    except httpx.TransportError as fault:
        await client.aclose()
        raise UnavailableError(
            f"The job engine is busy in another server at {url}, which does not answer. "
            "If it is gone, this server takes over within half a minute."
        ) from fault
    except BaseException:
        await client.aclose()
        raise
    return Stream(
        chunks=_chunks(client, answer, endless=route.answers is Answers.EVENTS),
        headers={name: answer.headers[name] for name in _KEPT if name in answer.headers},
        status=answer.status_code,
        at_once=True,
    )


async def _headers(
    service: Service, request: HTTPServerRequest, url: str, caller: User | None
) -> dict[str, str]:
    headers = {name: request.headers[name] for name in _SENT if name in request.headers}
    headers[FORWARDED] = "1"
    headers["Accept-Encoding"] = "identity"
    if caller is not None:
        headers[TOKEN_HEADER] = await service.token_for(caller.name, audience=url)
    return headers


async def _chunks(
    client: httpx.AsyncClient, answer: httpx.Response, *, endless: bool
) -> AsyncIterator[bytes]:
    import httpx

    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    except httpx.TransportError as fault:
        # Listeners come back by themselves; half a file must not look whole.
        if not endless:
            raise UnavailableError(
                "The server with the job engine went away in the middle of its answer."
            ) from fault
    finally:
        await answer.aclose()
        await client.aclose()


def _address(url: str, uri: str) -> str:
    """Put the API's part of *uri* behind the other server's own prefix."""
    base = "http://localhost/" + urlsplit(url).path.lstrip("/") if _is_socket(url) else url
    return base.rstrip("/") + MOUNT + uri[uri.index("/v3") :]


def _is_socket(url: str) -> bool:
    return url.startswith("http+unix://")


def _socket(url: str) -> Any:
    import httpx

    return httpx.AsyncHTTPTransport(uds=unquote(urlsplit(url).netloc)) if _is_socket(url) else None
