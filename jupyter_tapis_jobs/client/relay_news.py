"""News of jobs and growing outputs for a page, in the words of ``/v3/tapisjobs/live``."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..model.errors import TapisJobsError
from .connection import Connection, path_text, segment
from .live import answer, events_of

if TYPE_CHECKING:
    import httpx

#: Seconds in which news are gathered, to be told together.
TOGETHER = 0.05
#: Outputs that are followed at once.
TAILS = 32


class RelayNews:
    """What one page hears; ``tell`` takes ``opened``, ``told`` with ``data=[text, …]``, ``closed``."""

    def __init__(self, connection: Connection, tell: Callable[..., None]) -> None:
        self._connection, self._tell = connection, tell
        self._client: httpx.AsyncClient | None = None
        self._tails: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._gathered: list[str] = []

    async def run(self, after: Any) -> None:
        """Tell the events after that number until the stream ends."""
        last = str(after) if isinstance(after, int) else ""
        try:
            async with (
                self._connection.async_client() as self._client,
                answer(self._client, "/v3/jobs/events", {"Last-Event-ID": last}) as response,
            ):
                self._tell("opened")
                async for event in events_of(response):
                    self._gather(_as_live(event))
        except TapisJobsError:
            # Whoever listens asks by a call then, and hears the reason.
            pass
        finally:
            for task in self._tails.values():
                task.cancel()
            self._hand_over()
            self._tell("closed")

    def hear(self, data: Any) -> None:
        """Begin or end the growing end of an output."""
        try:
            told = json.loads(data)
            verb, key = told["type"], (str(told["uuid"]), str(told["path"]))
            offset = max(0, int(told.get("offset", 0)))
        except (ValueError, TypeError, KeyError):
            return
        if key in self._tails:
            self._tails.pop(key).cancel()
        if verb != "tail":
            return
        if len(self._tails) >= TAILS:
            self._say(type="error", message="Too many outputs are followed.", uuid=key[0], path=key[1])
            return
        task = self._tails[key] = asyncio.get_running_loop().create_task(self._tail(*key, offset))
        task.add_done_callback(lambda done: self._tails.get(key) is done and self._tails.pop(key))

    async def _tail(self, uuid: str, path: str, offset: int) -> None:
        where = {"uuid": uuid, "path": path}
        address = f"/v3/jobs/{segment(uuid)}/output/follow/{path_text(path)}"
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        if self._client is None:
            return
        try:
            async with answer(self._client, address, {}, {"offset": offset}, patient=True) as response:
                async for piece in response.aiter_bytes():
                    begin = offset - len(decoder.getstate()[0])
                    told, offset = decoder.decode(piece), offset + len(piece)
                    end = offset - len(decoder.getstate()[0])
                    self._say(type="tail", **where, offset=begin, end=end, text=told)
        except TapisJobsError as fault:
            self._say(type="error", message=fault.message, **where)
        else:
            self._say(type="tailEnd", **where, offset=offset)

    def _say(self, **message: Any) -> None:
        self._gather(json.dumps(message))

    def _gather(self, text: str | None) -> None:
        if text is None:
            return
        if not self._gathered:
            asyncio.get_running_loop().call_later(TOGETHER, self._hand_over)
        self._gathered.append(text)

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._tell("told", data=gathered)


def _as_live(event: dict[str, str]) -> str | None:
    """Return an event of the stream as the live socket tells it; a comment means that nothing is missed."""
    if not event:
        return '{"type": "idle"}'
    data, number = event.get("data", ""), event.get("id", "")
    if not data.startswith("{"):
        return None
    return f'{{"type": "event", "id": {number if number.isdecimal() else "null"}, {data[1:]}'
