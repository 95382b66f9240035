"""Notifications by webhook: a POST of Tapis's JSON, signed, and never into the server's own network.

The URL comes from whoever may submit a job, so its host is resolved once, every address it has is
checked, the connection goes to a checked address, and no redirect is followed. Nothing of the answer
but its status is told: a webhook is no way to read what only this server can reach.

A receiver that shares the secret checks ``X-Tapis-Signature: sha256=<hex>``, the HMAC-SHA256 of
``<X-Tapis-Timestamp>.<body>``, and refuses old timestamps. The same notification always has the same
``uuid``.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus

import httpx

from ..model.errors import InvalidInputError, TransportError, UnavailableError
from ..model.notifications import Notice, is_plainly_private
from .senders import RefusedError
from .web_address import Resolve, is_public, port_of, request_to, resolve, trusted

#: Seconds to connect; between two pieces of an answer; for the whole.
CONNECT, SILENCE, WHOLE = 10.0, 20.0, 60.0
#: The receiver's own trouble, which passes.
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
SIGNATURE, TIMESTAMP = "X-Tapis-Signature", "X-Tapis-Timestamp"


class WebhookSender:
    """Sends notifications to web servers. *now* gives seconds since the epoch."""

    def __init__(
        self, *, secret: str, allow_private: bool, now: Callable[[], float], resolve: Resolve = resolve
    ) -> None:
        self._secret = secret.encode()
        self._allow_private = allow_private
        self._now = now
        self._resolve = resolve

    def check(self, address: str) -> None:
        """Raise ``InvalidInputError`` for an address of this machine or of a private network."""
        if not self._allow_private and is_plainly_private(address):
            raise _inside(address)

    @asynccontextmanager
    async def session(self, receiver: str) -> AsyncIterator[WebhookSession]:
        """Find the receiver's address and look at it; connections are kept while the session lasts."""
        addresses = await self._addresses(httpx.URL(receiver))
        client = httpx.AsyncClient(
            # No proxy of the environment: it would connect to an address that nobody checked.
            trust_env=False,
            verify=trusted(),
            follow_redirects=False,
            timeout=httpx.Timeout(SILENCE, connect=CONNECT),
            headers={"User-Agent": "Tapis/v3", "Accept": "*/*"},
        )
        async with client:
            yield WebhookSession(client, addresses, self._signed)

    async def _addresses(self, url: httpx.URL) -> Sequence[str]:
        try:
            addresses = list(dict.fromkeys(await self._resolve(url.host, port_of(url))))
        except (OSError, UnicodeError) as fault:
            raise TransportError(f"host {url.host} cannot be found: {fault}. Tried again.") from fault
        if not self._allow_private and not all(map(is_public, addresses)):
            raise _inside(str(url))
        return addresses

    def _signed(self, body: bytes) -> dict[str, str]:
        if not self._secret:
            return {}
        timestamp = str(int(self._now()))
        digest = hmac.new(self._secret, f"{timestamp}.".encode() + body, "sha256").hexdigest()
        return {TIMESTAMP: timestamp, SIGNATURE: f"sha256={digest}"}


class WebhookSession:
    """A web server whose addresses were looked at. *signed* gives the headers that prove a body."""

    def __init__(
        self, client: httpx.AsyncClient, addresses: Sequence[str], signed: Callable[[bytes], dict[str, str]]
    ) -> None:
        self._client = client
        self._addresses = addresses
        self._signed = signed

    async def send(self, notice: Notice) -> None:
        """Make one POST; any 2xx is a delivery."""
        url = httpx.URL(notice.delivery.address)
        body = json.dumps(notice.to_wire(), ensure_ascii=False, separators=(",", ":")).encode()
        try:
            async with asyncio.timeout(WHOLE):
                status = await self._post(url, body)
        except (httpx.TransportError, TimeoutError, OSError) as fault:
            reason = str(fault) or type(fault).__name__
            raise TransportError(f"{url.host} did not answer: {reason}. Tried again.") from fault
        _judge(status, url)

    async def _post(self, url: httpx.URL, body: bytes) -> int:
        """Return the status of the first address that can be connected to; the answer is not read."""
        headers = {"Content-Type": "application/json", **self._signed(body)}
        for number, address in enumerate(self._addresses):
            request = request_to(self._client, "POST", url, address, headers=headers, content=body)
            try:
                answer = await self._client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == len(self._addresses) - 1:
                    raise
                continue
            async with aclosing(answer):
                return answer.status_code
        raise httpx.ConnectError("it has no address")


def _judge(status: int, url: httpx.URL) -> None:
    """Return when *status* says that the notification was taken; else raise what to do."""
    if 200 <= status < 300:
        return
    told = f"{url.host} answered {status}"
    if status >= 500 or status in _PASSING:
        raise UnavailableError(f"{told}. Tried again.")
    if status == HTTPStatus.GONE:
        raise InvalidInputError(f"{told}: the webhook is gone.")
    if 300 <= status < 400:
        raise RefusedError(f"{told}, a redirect, which is not followed. Subscribe with the final URL.")
    raise RefusedError(f"{told}; check the URL of the webhook.")


def _inside(address: str) -> InvalidInputError:
    return InvalidInputError(
        f"{address} leads into the server's own network, where webhooks may not go. The server's owner can "
        "allow it with c.TapisJobsApp.allow_private_webhooks = True.",
        field="deliveryAddress",
        value=address,
    )
