"""News of jobs as they happen: one stream of events for the whole kernel, and polling where there is none."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..model.errors import TapisJobsError, UnavailableError
from .connection import Connection, error_of, path_text, segment

if TYPE_CHECKING:
    import httpx

_Row = Mapping[str, Any]
#: Seconds between tries: the first, the growth, the last.
_FIRST, _GROWTH, _LAST = 0.5, 1.5, 15.0
#: Seconds between two looks at a tenant, which is asked for all jobs at once: after a change, and when quiet.
_LOOK, _QUIET = 2.0, 30.0
#: Seconds in which listeners who come one after the other are asked for together.
_LATE = 0.02
#: Jobs that our server is asked for one by one; more, and all of a tenant, are asked for in lists.
_FEW, _LIST = 4, 50
#: What a list tells of each job: what a line or a card shows of one that has not ended.
_SHOWN = (
    "uuid,name,owner,status,condition,lastMessage,created,remoteSubmitted,remoteStarted,remoteEnded,ended,"
    "lastUpdated,remoteJobId,remoteOutcome,remoteResultInfo,appId,appVersion,execSystemId,"
    "execSystemLogicalQueue,archiveSystemId,jobType,nodeCount,coresPerNode,memoryMB,maxMinutes"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a listener hears: a job's row, or that the news stopped for now, or for good."""

    job: _Row | None = None
    #: The history row that came with it; None when the state was asked for.
    event: _Row | None = None
    #: One sentence while the server does not answer; it is tried again.
    trouble: str = ""
    #: It will not pass by itself; no more news comes.
    error: TapisJobsError | None = None


Listener = Callable[[News], None]


class Live:
    """Tells listeners about jobs. Its thread sleeps, and no connection is held, while nobody listens.

    Every listener first hears where its job stands, so that nothing is missed between asking and
    listening. Listeners are called in this thread and must be quick.
    """

    def __init__(
        self,
        connection: Connection,
        pushed: Callable[[], bool],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._connection = connection
        self._pushed = pushed
        self._sleep = sleep
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        # From here on: touched by the loop's thread only.
        self._listeners: dict[str, list[Listener]] = {}
        self._feeder: asyncio.Task[None] | None = None
        self._client: httpx.AsyncClient | None = None
        self._last_id = ""
        self._asking: set[asyncio.Task[None]] = set()
        self._late: list[str] = []

    def listen(self, uuid: str, listener: Listener) -> Callable[[], None]:
        """Call *listener* with the news of the job from now on; the result stops that."""
        loop = self._running()
        loop.call_soon_threadsafe(self._add, uuid, listener)
        return lambda: _quietly(loop, self._remove, uuid, listener)

    def tail(
        self, uuid: str, path: str, listener: Callable[[bytes], None], offset: int
    ) -> Callable[[], None]:
        """Call *listener* with what is appended to an output from *offset* on, until the job has ended."""
        loop = self._running()
        future = asyncio.run_coroutine_threadsafe(self._tail(uuid, path, listener, offset), loop)
        return lambda: None if future.done() else _quietly(loop, future.cancel)

    # --- the thread --------------------------------------------------------------------------
    def _running(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="tapisjobs-live", daemon=True).start()
            return self._loop

    def _add(self, uuid: str, listener: Listener) -> None:
        self._listeners.setdefault(uuid, []).append(listener)
        if self._feeder is None or self._feeder.done():
            self._feeder = asyncio.get_running_loop().create_task(self._feed(), name="job news")
        elif self._client is not None:
            self._late.append(uuid)
            if len(self._late) == 1:
                task = asyncio.get_running_loop().create_task(self._ask_late(), name="state of jobs")
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)

    def _remove(self, uuid: str, listener: Listener) -> None:
        remaining = [known for known in self._listeners.get(uuid, []) if known is not listener]
        if remaining:
            self._listeners[uuid] = remaining
        else:
            self._listeners.pop(uuid, None)
        if not self._listeners and self._feeder is not None:
            self._feeder.cancel()
            self._feeder = None

    def _tell(self, uuid: str, news: News) -> None:
        for listener in list(self._listeners.get(uuid, [])):
            try:
                listener(news)
            except Exception as cause:  # noqa: BLE001 - a broken listener harms nobody else
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "a listener of job news failed", "exception": cause}
                )

    def _tell_all(self, news: News) -> None:
        for uuid in list(self._listeners):
            self._tell(uuid, news)

    # --- news --------------------------------------------------------------------------------
    async def _feed(self) -> None:
        """Stream or poll for as long as anybody listens; trouble that passes is waited out."""
        gap = _FIRST
        # Whoever listens now is told the state: older events are of no use.
        self._last_id = ""
        try:
            async with self._connection.async_client() as client:
                self._client = client
                while self._listeners:
                    try:
                        feed = self._stream if self._pushed() else self._poll
                        async for _ in feed(client):
                            gap = _FIRST
                    except UnavailableError as cause:
                        self._tell_all(News(trouble=cause.message))
                        gap = max(gap, cause.retry_after or 0.0)
                    await self._sleep(gap)
                    gap = min(_LAST, gap * _GROWTH)
        except TapisJobsError as cause:
            self._tell_all(News(error=self._connection.explained(cause)))
        finally:
            self._client = None

    async def _stream(self, client: httpx.AsyncClient) -> AsyncIterator[None]:
        """One life of the event stream; yields at each sign of life."""
        async with answer(client, "/v3/jobs/events", {"Last-Event-ID": self._last_id}) as response:
            await self._ask(client, list(self._listeners))
            yield None
            async for event in events_of(response):
                self._last_id = event.get("id", self._last_id)
                self._hear(event.get("data", ""))
                yield None

    def _hear(self, data: str) -> None:
        try:
            told = json.loads(data)
        except ValueError:
            return
        job, event = told.get("job") or {}, told.get("event") or {}
        uuid = job.get("uuid") or event.get("jobUuid")
        if uuid in self._listeners:
            self._tell(uuid, News(job=job or None, event=event or None))

    async def _poll(self, client: httpx.AsyncClient) -> AsyncIterator[None]:
        """Ask again and again, with gaps that grow while nothing changes."""
        seen: dict[str, str] = {}
        gap = _LOOK
        while self._listeners:
            rows = await self._ask(client, list(self._listeners))
            now = {row["uuid"]: str(row.get("status")) for row in rows}
            gap = min(_QUIET, gap * _GROWTH) if now == seen else _LOOK
            seen = now
            yield None
            await self._sleep(gap)

    async def _ask_late(self) -> None:
        """Ask for all who came late at about the same time; the feeder tells of trouble meanwhile."""
        await self._sleep(_LATE)
        late, self._late = dict.fromkeys(self._late), []
        gap = _FIRST
        while (client := self._client) and (uuids := [uuid for uuid in late if uuid in self._listeners]):
            try:
                await self._ask(client, uuids)
            except UnavailableError:
                # The stream may well be sound, and it tells of changes only.
                await self._sleep(gap)
                gap = min(_LAST, gap * _GROWTH)
            except TapisJobsError as cause:
                for uuid in uuids:
                    self._tell(uuid, News(error=self._connection.explained(cause)))
                return
            else:
                return

    async def _ask(self, client: httpx.AsyncClient, uuids: list[str]) -> list[_Row]:
        """Ask where the jobs stand, and tell it."""
        few = _FEW if self._pushed() else 0
        rows = [row async for row in _rows(client, uuids, few)]
        for row in rows:
            self._tell(row["uuid"], News(job=row))
        return rows

    # --- tails -------------------------------------------------------------------------------
    async def _tail(self, uuid: str, path: str, listener: Callable[[bytes], None], offset: int) -> None:
        """Follow one output, also over a lost connection, from where it stopped."""
        address = f"/v3/jobs/{segment(uuid)}/output/follow/{path_text(path)}"
        gap = _FIRST
        async with self._connection.async_client() as client:
            while True:
                try:
                    async with answer(client, address, {}, {"offset": offset}, patient=True) as response:
                        async for piece in response.aiter_bytes():
                            offset += len(piece)
                            listener(piece)
                except UnavailableError:
                    await self._sleep(gap)
                    gap = min(_LAST, gap * _GROWTH)
                except TapisJobsError:
                    return
                else:
                    return


def _quietly(loop: asyncio.AbstractEventLoop, call: Callable[..., Any], *args: Any) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, *args)


class answer:  # noqa: N801 - reads as a verb where it is used
    """An open answer; the network's errors become ours."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        path: str,
        headers: Mapping[str, str],
        params: Mapping[str, Any] | None = None,
        *,
        patient: bool = False,
    ) -> None:
        import httpx

        timeout = httpx.Timeout(None, connect=5.0) if patient else client.timeout
        kept = {name: value for name, value in headers.items() if value}
        self._opening = client.stream("GET", path, headers=kept, params=params, timeout=timeout)

    async def __aenter__(self) -> httpx.Response:
        import httpx

        try:
            response = await self._opening.__aenter__()
            if not response.is_error:
                return response
            await response.aread()
            await self._opening.__aexit__(None, None, None)
        except httpx.TransportError as cause:
            raise UnavailableError("The server does not answer; trying again.") from cause
        raise error_of(response)

    async def __aexit__(self, kind: Any, value: Any, trace: Any) -> None:
        import httpx

        await self._opening.__aexit__(kind, value, trace)
        if isinstance(value, httpx.TransportError):
            raise UnavailableError("The connection to the server was lost; trying again.") from value


async def events_of(response: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """Read server-sent events: fields line by line, an empty line ends each; a comment is an empty event."""
    fields: dict[str, list[str]] = {}
    async for line in response.aiter_lines():
        if not line:
            if "data" in fields:
                yield {name: "\n".join(values) for name, values in fields.items()}
            fields = {}
        elif line.startswith(":"):
            yield {}
        else:
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))


async def _rows(client: httpx.AsyncClient, uuids: list[str], few: int) -> AsyncIterator[_Row]:
    if len(uuids) <= few:
        for uuid in uuids:
            yield await _job(client, uuid)
        return
    for start in range(0, len(uuids), _LIST):
        part = uuids[start : start + _LIST]
        params = {"uuid.in": ",".join(part), "select": _SHOWN, "limit": len(part), "listType": "ALL_JOBS"}
        listed = await _result(client, "/v3/jobs/search", params)
        for row in listed:
            yield row
        # A hidden job is in no list.
        for uuid in set(part) - {str(row["uuid"]) for row in listed}:
            yield await _job(client, uuid)


async def _job(client: httpx.AsyncClient, uuid: str) -> _Row:
    row: _Row = await _result(client, f"/v3/jobs/{segment(uuid)}", {})
    return row


async def _result(client: httpx.AsyncClient, path: str, params: Mapping[str, Any]) -> Any:
    import httpx

    try:
        response = await client.get(path, params=dict(params))
    except httpx.TransportError as cause:
        raise UnavailableError("The server does not answer; trying again.") from cause
    if response.is_error:
        raise error_of(response)
    return response.json().get("result")
