"""News of jobs: server-sent events, the WebSocket, and listeners that are behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from people import Api, Who, message
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_tapis_jobs.model.job import Job, JobEvent
from jupyter_tapis_jobs.model.status import EventType, JobStatus
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.server.events import stream_events
from jupyter_tapis_jobs.server.feed import Feed, Subscription
from jupyter_tapis_jobs.server.identity import TOKEN_HEADER

ENDS = ("FINISHED", "FAILED", "CANCELLED")


class Heard:
    """A stream of events that is being read."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        self.comments = 0

    def next(self) -> dict[str, Any]:
        """Return the next event as {"id", "event", "data"}."""
        fields: dict[str, Any] = {}
        for line in self._lines:
            if line.startswith(":"):
                self.comments += 1
            elif not line and "data" in fields:
                return {**fields, "data": json.loads(fields["data"])}
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
        raise AssertionError("the stream has ended")

    def until_the_end_of(self, uuid: str) -> list[dict[str, Any]]:
        """Return the job's events up to the one that ends it."""
        found = []
        while not (found and found[-1]["data"]["event"]["eventDetail"] in ENDS):
            event = self.next()
            if event["data"]["event"]["jobUuid"] == uuid:
                found.append(event)
        return found

    def comment(self) -> None:
        """Wait for the next comment."""
        assert next(line for line in self._lines if line.startswith(":"))


@contextmanager
def listening(api: Api, who: Who = Who.OWNER, **more: Any) -> Iterator[Heard]:
    """Listen while the block runs; at its beginning the server listens already."""
    with httpx.Client(trust_env=False, timeout=30) as client:
        headers = api.headers(who, more)
        with client.stream("GET", f"{api.base}/v3/jobs/events", headers=headers, **more) as answer:
            assert answer.headers["Content-Type"] == "text/event-stream"
            assert answer.headers["X-Accel-Buffering"] == "no"
            heard = Heard(answer)
            heard.comment()
            yield heard


def test_a_listener_hears_every_status_of_a_job_as_it_comes(api):
    with listening(api) as heard:
        uuid = api.submit("echo hello")
        events = heard.until_the_end_of(uuid)
    stations = [e["data"]["event"]["eventDetail"] for e in events if e["event"] == "JOB_NEW_STATUS"]
    assert stations[0] == "PENDING"
    assert stations[-3:] == ["RUNNING", "ARCHIVING", "FINISHED"]
    assert [int(e["id"]) for e in events] == sorted(int(e["id"]) for e in events)
    last = events[-1]["data"]["job"]
    assert (last["uuid"], last["status"], last["exitCode"]) == (uuid, "FINISHED", 0)
    assert {"lastMessage", "remoteStarted", "name", "appId"} <= set(last)


@pytest.mark.parametrize("way", ["header", "query"])
def test_a_listener_that_comes_back_misses_nothing_and_hears_nothing_twice(api, way):
    with listening(api) as heard:
        uuid = api.submit("echo hello")
        events = heard.until_the_end_of(uuid)
    seen = events[2]["id"]
    more = {"headers": {"Last-Event-ID": seen}} if way == "header" else {"params": {"after": seen}}
    with listening(api, **more) as heard:
        again = heard.until_the_end_of(uuid)
    assert [e["id"] for e in again] == [e["id"] for e in events[3:]]
    assert [e["data"]["event"] for e in again] == [e["data"]["event"] for e in events[3:]]


def test_a_last_event_id_that_is_no_number_is_told(api):
    answer = api.call("GET", "/v3/jobs/events", headers={"Last-Event-ID": "yesterday"})
    assert answer.status_code == 400
    assert "Last-Event-ID" in message(answer)


def test_another_user_hears_nothing_of_the_owners_jobs(api):
    with listening(api, Who.OTHER, params={"after": 0}) as other, listening(api) as owner:
        owner.until_the_end_of(api.submit("true"))
        # What the other would have heard stood before the owner's next event in their stream.
        assert other.comments == 0


def test_a_quiet_stream_says_that_it_lives(serve, open_api):
    with serve("--TapisJobsApp.keepalive_seconds=0.05") as server, listening(open_api(server)) as heard:
        heard.comment()
        heard.comment()


def test_a_listener_far_behind_is_caught_up_from_the_store(serve, open_api):
    with serve("--TapisJobsApp.event_buffer=1") as server:
        api = open_api(server)
        with listening(api) as heard:
            rows = api.post("/v3/jobs/submit/bulk", [_echo(n) for n in range(20)])
            uuids = {row["uuid"] for row in rows}
            ended: dict[str, int] = {}
            ids = []
            while len(ended) < len(uuids):
                event = heard.next()
                ids.append(int(event["id"]))
                if event["data"]["event"]["eventDetail"] in ENDS:
                    ended[event["data"]["event"]["jobUuid"]] = ids[-1]
        assert set(ended) == uuids
        assert ids == list(range(ids[0], ids[0] + len(ids))), "nothing is missing, nothing comes twice"


def _echo(number: int) -> dict[str, Any]:
    from people import bash

    return bash(f"echo {number}")


def test_who_goes_away_is_forgotten(api, until):
    uuid = api.submit("exec sleep 600")
    with httpx.Client(trust_env=False, timeout=30) as client:
        follow = f"{api.base}/v3/jobs/{uuid}/output/follow/tapisjob.out"
        with client.stream("GET", follow, headers=api.headers(Who.OWNER, {})), listening(api):
            assert api.get("/v3/tapisjobs/server")["listeners"] == 1
    until(lambda: api.get("/v3/tapisjobs/server")["listeners"] == 0)
    api.post(f"/v3/jobs/{uuid}/cancel")
    assert api.ended(uuid)["status"] == "CANCELLED"


# -- one listener's queue


def _news(number: int) -> Any:
    from jupyter_tapis_jobs.server.feed import News

    event = JobEvent(
        id=number, job_uuid="j", owner="me", event=EventType.JOB_NEW_STATUS, event_detail="", created=""
    )
    return News(event, _job())


def _job(**fields: Any) -> Job:
    return Job(
        uuid="j", tenant="t", owner="me", name="n", description="", app_id="a", app_version="1",
        job_type="FORK", exec_system_id="local", archive_system_id="local", exec_system_logical_queue=None,
        effective_user_id="me", node_count=1, cores_per_node=1, memory_mb=1, max_minutes=1,
        status=JobStatus.PENDING, created="", last_updated="",
    ).evolve(**fields)  # fmt: skip


async def test_a_full_queue_is_dropped_and_its_place_in_the_store_kept():
    subscription = Subscription("me", capacity=2)
    for number in (5, 6, 7, 8):
        subscription.put(_news(number))
    assert await subscription.take(1) == []
    assert subscription.missed() == 4
    assert subscription.missed() is None
    subscription.put(_news(9))
    assert [news.event.id for news in await subscription.take(1)] == [9]


async def test_nothing_for_a_while_is_an_empty_list():
    assert await Subscription("me", capacity=2).take(0.001) == []


@pytest.mark.parametrize("moments", range(4))
async def test_who_goes_away_in_the_moment_of_news_is_not_kept_by_them(moments: int) -> None:
    subscription = Subscription("me", capacity=2)
    taking = asyncio.create_task(subscription.take(30))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    subscription.put(_news(7))
    for _ in range(moments):
        await asyncio.sleep(0)
    if taking.cancel():
        with pytest.raises(asyncio.CancelledError):
            await taking
    assert taking.done()


class FeedOfOneEngine:
    """A feed, its listener, and the engine that it hears."""

    is_running = True
    #: No job is shared with anybody.
    sharing = SimpleNamespace(hearers={})

    def __init__(self) -> None:
        self.feed = Feed(self, capacity=2)
        self.news = self.feed.listen(User("me", "t", True), after=None, keepalive=30)

    async def thread(self) -> FeedOfOneEngine:
        return self

    async def run(self, work: Any) -> None:
        await work(self)

    def subscribe(self, listener: Any) -> None:
        self.tell = listener


async def test_a_closed_feed_ends_its_listeners():
    engine = FeedOfOneEngine()
    assert await anext(engine.news) == []
    assert engine.feed.listeners == 1
    engine.feed.close()
    assert [batch async for batch in engine.news] == []
    assert engine.feed.listeners == 0


async def test_a_stream_begins_when_nothing_more_can_be_missed():
    engine = FeedOfOneEngine()
    service = SimpleNamespace(feed=engine.feed, keepalive=30)
    me = User("me", "t", True)
    stream = await stream_events(
        SimpleNamespace(service=service, user=me, headers={}, query=SimpleNamespace(after=None))
    )
    # Its headers go out with its first text: who has them asks where the jobs stand.
    assert not stream.at_once
    assert (await anext(stream.chunks)).startswith(b"retry: ")
    assert engine.feed.listeners == 1
    engine.tell([_news(7).event], [_job()])
    assert (await anext(stream.chunks)).startswith(b"id: 7\n")
    await stream.chunks.aclose()
    assert engine.feed.listeners == 0


async def test_a_new_message_without_an_event_is_told_once():
    engine = FeedOfOneEngine()
    await anext(engine.news)
    copying = _job(last_message="copying inputs 41 of 90 MB")
    engine.tell([], [copying])
    assert [(item.event, item.job) for item in await anext(engine.news)] == [(None, copying)]
    engine.tell([], [copying.evolve(submission_id="s"), copying.evolve(last_message=None)])
    engine.tell([_news(7).event], [copying])
    assert [item.event.id for item in await anext(engine.news) if item.event] == [7]
    engine.feed.close()


async def test_progress_without_an_event_is_told_once_and_with_what_a_card_shows():
    from jupyter_tapis_jobs.server.events import news_to_wire

    engine = FeedOfOneEngine()
    await anext(engine.news)
    running = _job(progress=40.0, progress_message="step 12", progress_told="2026-11-22T12:00:00.000000Z")
    engine.tell([], [running])
    (news,) = await anext(engine.news)
    told = news_to_wire(news)["job"]
    assert (told["progress"], told["progressMessage"]) == (40.0, "step 12")
    engine.tell([], [running.evolve(submission_id="s")])
    engine.tell([_news(7).event], [running])
    assert [item.event.id for item in await anext(engine.news) if item.event] == [7]
    engine.feed.close()


async def test_a_queue_full_of_messages_loses_messages_only():
    from jupyter_tapis_jobs.server.feed import News

    subscription = Subscription("me", capacity=2)
    for text in ("1", "2", "3"):
        subscription.put(News(None, _job(last_message=text)))
    assert await subscription.take(1) == []
    assert subscription.missed() is None


def test_a_message_is_an_event_without_a_number():
    from jupyter_tapis_jobs.server.events import _text
    from jupyter_tapis_jobs.server.feed import News

    kind, data, *_ = _text(News(None, _job(last_message="copying inputs"))).decode().splitlines()
    assert kind == "event: JOB_MESSAGE"
    told = json.loads(data.removeprefix("data: "))
    assert told["event"] is None
    assert told["job"]["lastMessage"] == "copying inputs"


# -- the WebSocket


@asynccontextmanager
async def opened(api: Api, who: Who = Who.OWNER, query: str = "", **headers: str) -> AsyncIterator[Any]:
    """Open the live socket while the block runs."""
    url = api.base.replace("http", "ws", 1) + "/v3/tapisjobs/live" + query
    socket = await websocket_connect(HTTPRequest(url, headers={**api.headers(who, {}), **headers}))
    try:
        yield socket
    finally:
        socket.close()
        while await socket.read_message() is not None:
            pass


async def _heard(socket: Any) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.read_message(), 30)))


async def _until(socket: Any, wanted: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while not (found and wanted(found[-1])):
        found.append(await _heard(socket))
    return found


async def test_the_websocket_tells_of_events_and_tails_outputs(api):
    async with opened(api, query="?after=0") as socket:
        uuid = await asyncio.to_thread(api.submit, "echo grüße; echo two")
        await socket.write_message(
            json.dumps({"type": "tail", "uuid": uuid, "path": "tapisjob.out", "offset": 0})
        )
        told = await _until(socket, lambda m: m["type"] == "tailEnd")
        tails = [m for m in told if m["type"] == "tail"]
        assert "".join(m["text"] for m in tails) == "grüße\ntwo\n"
        assert tails[0]["offset"] == 0
        assert tails[-1]["end"] == told[-1]["offset"]
        assert told[-1]["offset"] == len("grüße\ntwo\n".encode())
        if not any(_ends(m, uuid) for m in told):
            told = await _until(socket, lambda m: _ends(m, uuid))
        assert any(_ends(m, uuid) for m in told)


def _ends(told: dict[str, Any], uuid: str) -> bool:
    return told["type"] == "event" and told["job"]["uuid"] == uuid and told["job"]["status"] in ENDS


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("not json", "not JSON"),
        ("[]", "JSON object"),
        ('{"type": "dance"}', "tail"),
        ('{"type": "tail", "uuid": "x", "path": "y", "offset": -1}', "offset"),
        ('{"type": "tail", "uuid": "x", "path": "y"}', "no job x"),
    ],
)
async def test_a_message_that_makes_no_sense_is_answered_and_the_socket_lives_on(api, sent, words):
    async with opened(api) as socket:
        for _ in range(2):
            await socket.write_message(sent)
            told = await _until(socket, lambda m: m["type"] == "error")
            assert words in told[-1]["message"]


@pytest.mark.parametrize("who", [Who.NOBODY, Who.WRONG])
async def test_the_websocket_is_only_for_who_is_signed_in(api, who):
    with pytest.raises(HTTPClientError) as caught:
        async with opened(api, who):
            pass
    assert caught.value.code == 401
    told = json.loads(caught.value.response.body)
    assert told["status"] == "error"
    assert told["message"].startswith("JOBS_NOT_SIGNED_IN ")


async def test_another_user_cannot_tail_the_owners_output(api):
    uuid = await asyncio.to_thread(api.submit, "echo secret")
    async with opened(api, Who.OTHER) as socket:
        await socket.write_message(json.dumps({"type": "tail", "uuid": uuid, "path": "tapisjob.out"}))
        told = await _until(socket, lambda m: m["type"] == "error")
        assert "secret" not in json.dumps(told)


async def test_a_page_of_another_site_cannot_open_the_websocket_with_the_cookie(api, server):
    from test_sign_in import Browser

    browser = await asyncio.to_thread(Browser, server.url.rstrip("/"), server.token)
    cookies = "; ".join(f"{c.name}={c.value}" for c in browser.client.cookies.jar)
    browser.client.close()
    with pytest.raises(HTTPClientError) as caught:
        async with opened(api, Who.NOBODY, Cookie=cookies, Origin="http://evil.example.org"):
            pass
    assert caught.value.code == 403
    async with opened(api, Who.NOBODY, Cookie=cookies) as socket:
        assert (await _heard(socket))["type"] == "idle"


def test_the_sign_in_header_has_the_name_that_tapis_gives_it():
    assert TOKEN_HEADER == "X-Tapis-Token"


async def test_a_browser_that_goes_away_while_its_job_moves_is_forgotten(api: Api) -> None:
    for _ in range(5):
        async with opened(api) as socket:
            await _heard(socket)
            api.submit("echo hello")
    async with asyncio.timeout(60):
        while api.get("/v3/tapisjobs/server")["listeners"]:
            await asyncio.sleep(0.05)
