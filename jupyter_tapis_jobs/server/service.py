"""What all handlers of one server share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from ..model.errors import InvalidInputError
from ..model.extensions import ALL, Extension
from ..model.user import User
from .door import Door
from .feed import Feed
from .groups import Groups
from .tokens import FORWARD_SECONDS, TokenOffice

if TYPE_CHECKING:
    from .route import Routes

#: The path of the API below Jupyter's base URL, which Tapis clients take as their base URL.
MOUNT = "/tapis"


@dataclass(slots=True, kw_only=True)
class Service:
    """One server's settings and parts. ``url`` is where it answers, with Jupyter's base URL."""

    tenant: str
    server_user: str
    folder: Path
    url: str
    door: Door
    feed: Feed
    groups: Groups
    #: Returns Jupyter's token ("" for none), and the test of its password if it has one.
    secrets: Callable[[], tuple[str, Callable[[str], bool] | None]]
    #: Bytes.
    max_body: int
    max_upload: int
    #: Seconds.
    token_seconds: int
    keepalive: float
    #: What this server does beyond Tapis's specification.
    extensions: tuple[Extension, ...] = ALL
    #: Names this run of the server in tokens that are good for it only.
    boot: str = field(default_factory=lambda: token_hex(8))
    _routes: asyncio.Task[Routes] | None = None
    _tokens: asyncio.Task[TokenOffice] | None = None

    def user(self, name: str) -> User:
        """Return the user of that name."""
        return User(name=name, tenant=self.tenant, is_server_user=name == self.server_user)

    @property
    def owner(self) -> User:
        """The server's own user."""
        return self.user(self.server_user)

    @property
    def issuer(self) -> str:
        """Who gives out the tokens, as the claim ``iss`` says it."""
        return f"{self.url.rstrip('/')}{MOUNT}/v3/tokens"

    @property
    def audience(self) -> str:
        """The name of this run of this server in tokens for it alone."""
        return f"{self.url}#{self.boot}"

    def is_for_me(self, audience: str) -> bool:
        """True for a token that was made for this server."""
        return audience in (self.url, self.audience)

    def want(self, extension: Extension, what: str) -> None:
        """Raise ``InvalidInputError`` where *what*, which is ours, is sent to a server that is without it."""
        if extension not in self.extensions:
            raise InvalidInputError(
                f"This server answers only Tapis's published API, and {what} not part of it "
                "(setting TapisJobsApp.published_only)."
            )

    async def routes(self) -> Routes:
        """Return the routes; their models take a while to import, so that is not done at start-up."""
        if self._routes is None:
            self._routes = asyncio.create_task(
                asyncio.to_thread(_load_routes, self.extensions), name="tapisjobs: routes"
            )
        return await asyncio.shield(self._routes)

    async def tokens(self) -> TokenOffice:
        """Return the token office; its key is made at the first start."""
        if self._tokens is None or (self._tokens.done() and self._tokens.exception()):
            self._tokens = asyncio.create_task(self._open_tokens(), name="tapisjobs: token key")
        return await asyncio.shield(self._tokens)

    async def _open_tokens(self) -> TokenOffice:
        await self.door.thread()  # makes the data folder, or tells why it cannot be used
        from ..secrets.keys import signing_key

        key = await asyncio.to_thread(signing_key, self.folder / "keys")
        return TokenOffice(key, self.tenant)

    async def token_for(self, user: str, *, audience: str, seconds: int = FORWARD_SECONDS) -> str:
        """Return a token that only the server called *audience* takes."""
        office = await self.tokens()
        return office.issue(
            user, issuer=self.issuer, now=time.time(), seconds=seconds, audience=audience
        ).token

    async def kernel_token(self, jupyter_token: str) -> str:
        """Return what a kernel of this server signs in with: Jupyter's token, else one of ours."""
        month = 30 * 24 * 3600
        return jupyter_token or await self.token_for(self.server_user, audience=self.audience, seconds=month)

    def uploads(self) -> Mapping[str, str]:
        """Where the files of jobs are put that a kernel sends along."""
        return {"system": "local", "path": str(self.folder / "uploads")}

    async def close(self) -> None:
        """Stop the engine and everything that waits for it."""
        self.feed.close()
        await self.door.close()


def _load_routes(extensions: Collection[Extension]) -> Routes:
    from .route import Routes as Found
    from .table import TABLE

    return Found([route for route in TABLE if route.extension is None or route.extension in extensions])
