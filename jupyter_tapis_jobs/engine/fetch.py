"""Inputs from the Web: one file by http(s), and never a look behind the server's own firewall.

A URL comes from a request, its answer from a stranger. The host name is resolved once, every address
it has is checked, and the connection goes to a checked address, so that a name that changes its mind
between check and connection (DNS rebinding) gains nothing. Each redirect is checked like a first URL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from http import HTTPStatus

import httpx

from ..model.errors import InvalidInputError, TooLargeError, UnavailableError
from .web_address import Resolve, is_public, port_of, request_to, resolve, trusted

#: Bytes of the largest file that is fetched.
LIMIT = 50 << 30
REDIRECTS = 5
#: Seconds to connect, and between two pieces of an answer.
CONNECT, SILENCE = 20.0, 60.0

#: The code of an error that says: there is no such file (any more).
NOT_ON_THE_WEB = "JOBS_NOT_ON_THE_WEB"
_ABSENT = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}

#: The server's own trouble, which passes; every other refusal stays.
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


async def fetch(
    url: str, *, allow_private: bool, limit: int = LIMIT, resolve: Resolve = resolve
) -> AsyncIterator[bytes]:
    """Stream the file at *url* as the server sends it (no login, no decoding).

    Private, loopback and link-local addresses are refused unless *allow_private*. Errors:
    ``InvalidInputError`` (URL, address, or the server's refusal), ``TooLargeError`` (over *limit*
    bytes), ``UnavailableError`` (not reached, broken off, server trouble).
    """
    client = httpx.AsyncClient(
        # No proxy of the environment: it would connect to an address that nobody checked.
        trust_env=False,
        verify=trusted(),
        timeout=httpx.Timeout(SILENCE, connect=CONNECT),
        headers={"Accept-Encoding": "identity"},
    )
    async with client:
        try:
            answer = await _final_answer(client, url, allow_private, resolve)
            async with aclosing(answer):
                _refuse_bad(answer, url)
                async for chunk in _limited(answer, url, limit):
                    yield chunk
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise UnavailableError(
                f"{url} could not be fetched: {reason}. It will be tried again."
            ) from error


async def _final_answer(
    client: httpx.AsyncClient, url: str, allow_private: bool, resolve: Resolve
) -> httpx.Response:
    """Follow redirects, each checked like a first URL."""
    target = _parsed(url)
    for _ in range(REDIRECTS + 1):
        answer = await _send(client, target, await _checked_addresses(target, allow_private, resolve))
        if not answer.has_redirect_location:
            return answer
        await answer.aclose()
        target = _parsed(str(target.join(answer.headers["location"])))
    raise InvalidInputError(f"{url} redirects more than {REDIRECTS} times.", field="sourceUrl", value=url)


def _parsed(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise InvalidInputError(f"{text!r} is no URL: {error}.", field="sourceUrl", value=text) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidInputError(
            f"{text!r} cannot be fetched; inputs from the Web are http:// or https:// URLs.",
            field="sourceUrl",
            value=text,
        )
    if url.userinfo:
        raise InvalidInputError(
            f"The URL for {url.host} holds a user name or password; inputs from the Web are fetched without "
            "login. Download the file yourself and give it as an input.",
            field="sourceUrl",
        )
    return url


async def _send(client: httpx.AsyncClient, url: httpx.URL, addresses: Sequence[str]) -> httpx.Response:
    """Ask the first address that can be connected to."""
    for address in addresses[:-1]:
        with suppress(httpx.ConnectError, httpx.ConnectTimeout):
            return await client.send(request_to(client, "GET", url, address), stream=True)
    return await client.send(request_to(client, "GET", url, addresses[-1]), stream=True)


async def _checked_addresses(url: httpx.URL, allow_private: bool, resolve: Resolve) -> Sequence[str]:
    """Return the addresses of the URL's host; all of them must be public unless *allow_private*."""
    try:
        addresses = await resolve(url.host, port_of(url))
    except (OSError, UnicodeError) as error:
        raise UnavailableError(f"Host {url.host} of {url} cannot be found: {error}.") from error
    inside = [address for address in addresses if not is_public(address)]
    if inside and not allow_private:
        raise InvalidInputError(
            f"{url} leads to {inside[0]}, an address inside the server's own network, which inputs may not "
            "be fetched from. Give the file by a tapis:// URL or upload it; the server's owner can allow it.",
            field="sourceUrl",
            value=str(url),
        )
    return list(dict.fromkeys(addresses))


def _refuse_bad(answer: httpx.Response, url: str) -> None:
    if answer.status_code == HTTPStatus.OK:
        return
    said = f"{url} answered {answer.status_code} {answer.reason_phrase}".rstrip()
    if answer.is_server_error or answer.status_code in _PASSING:
        raise UnavailableError(f"{said}. It will be tried again.")
    raise InvalidInputError(
        f"{said}; check the URL. Inputs are fetched without login.",
        field="sourceUrl",
        value=url,
        code=NOT_ON_THE_WEB if answer.status_code in _ABSENT else None,
    )


async def _limited(answer: httpx.Response, url: str, limit: int) -> AsyncIterator[bytes]:
    """Yield the answer's bytes as they were sent, up to *limit*."""
    length = answer.headers.get("content-length", "")
    received = int(length) if length.isascii() and length.isdigit() else 0
    _refuse_large(received, url, limit)
    received = 0
    async for chunk in answer.aiter_raw():
        received += len(chunk)
        _refuse_large(received, url, limit)
        yield chunk


def _refuse_large(size: int, url: str, limit: int) -> None:
    if size > limit:
        raise TooLargeError(f"{url} is larger than the {limit} bytes that are fetched for an input.")
