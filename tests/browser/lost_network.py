"""A network between the browser and a server, which can be lost and found."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from tcp_proxy import Proxy, proxied

from tests.conftest import TestServer


class Network:
    """A network between browser and server, which can be lost; in a thread, as the browser has the loop."""

    def __init__(self, server: TestServer) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        where = urlsplit(server.url)
        self._way = proxied(str(where.hostname), int(where.port or 0))

    def __enter__(self) -> Network:
        self._thread.start()
        self.proxy: Proxy = self._run(self._way.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._way.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def lose(self) -> None:
        """Cut it, and let nothing through until it is found again."""

        async def cut() -> None:
            self.proxy.refuses = True
            self.proxy.drop()

        self._run(cut())

    def find(self) -> None:
        """Let everything through again."""
        self.proxy.refuses = False

    def sleep(self) -> None:
        """Let nothing through, and tell nobody, as when a laptop is shut."""
        self._loop.call_soon_threadsafe(self.proxy.freeze)

    def wake(self) -> None:
        """Let through what has waited, and all after it."""
        self._loop.call_soon_threadsafe(self.proxy.thaw)

    def lead_to(self, server: TestServer) -> None:
        """Lead to another server from now on."""
        self.proxy.server_port = int(urlsplit(server.url).port or 0)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30.0)


def behind(server: TestServer, network: Network) -> TestServer:
    """Return the server as it is seen through the network."""
    return replace(server, url=f"http://127.0.0.1:{network.proxy.port}/")


def close_what_lab_says(page: Any) -> None:
    """Close Lab's own words on a lost network whenever they are in the way."""
    said = page.locator(".jp-Dialog", has_text="Server Connection Error")
    page.add_locator_handler(said, lambda: said.locator(".jp-Dialog-footer button").click())
