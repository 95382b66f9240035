"""The calls of a page that go through the kernel: only the API, nothing of tokens, and live news."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fake_stream import EventStream
from fake_tapis import FakeTapis, error

from jupyter_tapis_jobs.client.relay import ROOM, Relay, is_of_the_api
from tests.conftest import until

EVENTS = "/v3/jobs/events"


class Page:
    """What a page would hear."""

    def __init__(self, fake: FakeTapis, **headers: str) -> None:
        self.heard: list[tuple[dict[str, Any], list[bytes]]] = []
        self.relay = Relay(
            fake.connection(**headers), lambda told, beside: self.heard.append((dict(told), [*beside]))
        )

    def says(self, kind: str, name: str = "1", **more: Any) -> None:
        self.relay.hear({"type": kind, "id": name, **more})

    def call(self, path: str, method: str = "GET", body: str | None = None) -> tuple[int, Any]:
        """Make a call and return the status and the JSON."""
        self.says("call", method=method, path=path, body=body)
        told, beside = self.hears("answer")
        return told["status"], json.loads(beside[0])

    def hears(self, kind: str) -> tuple[dict[str, Any], list[bytes]]:
        """Wait for a message of this kind, and take it."""
        found = until(lambda: [item for item in self.heard if item[0]["type"] == kind])
        self.heard.remove(found[0])
        return found[0]

    def news(self) -> list[dict[str, Any]]:
        """Return the news so far."""
        texts = [text for told, _ in self.heard if told["type"] == "told" for text in told["data"]]
        return [json.loads(text) for text in texts]


@pytest.fixture
def page(fake: FakeTapis) -> Iterator[Page]:
    made = Page(fake)
    yield made
    made.relay.close()


def answering(*parts: bytes, status: int = 200, media: str = "text/plain") -> Callable[..., httpx.Response]:
    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            for part in parts:
                yield part

    return lambda request: httpx.Response(status, headers={"Content-Type": media}, stream=Body())


def test_a_call_is_answered_as_the_server_does(fake: FakeTapis, page: Page) -> None:
    uuid = fake.add_job("RUNNING")
    status, told = page.call(f"/v3/jobs/{uuid}")
    assert (status, told["result"]["status"]) == (200, "RUNNING")
    assert page.call("/v3/jobs/nobody/cancel", "POST", "{}")[0] >= 400


def test_the_sign_in_is_the_kernels_and_no_page_hears_of_it(fake: FakeTapis, page: Page) -> None:
    page.call(f"/v3/jobs/{fake.add_job()}")
    page.says("call", "2", method="GET", path="/v3/oauth2/userinfo")
    page.says("call", "3", method="POST", path="/v3/tokens", body="{}")
    told, beside = page.hears("answer")
    assert told["status"] == 400
    told, beside = page.hears("answer")
    assert fake.headers[-1]["Authorization"] == "token secret"
    assert len(fake.calls) == 1
    assert b"secret" not in b"".join(beside)
    assert "secret" not in str(page.heard)


@pytest.mark.parametrize(
    "path",
    [
        "/api/contents", "v3/jobs", "//elsewhere/v3/jobs", "http://elsewhere/v3/jobs", "/v3/../api/contents",
        "/v3/jobs/%2e%2e/%2e%2e/api", "/v3/jobs/%252e%252e/x", "/v3/./x", "/v3/jobs\\..\\x", "/v3//jobs",
        "/v3/%6fauth2/tokens",
        "/v3/jobs\r\nX: y", "/v3/jobs#x", "/v3/tokens", None, 7,
    ],
)  # fmt: skip
def test_a_path_that_leaves_the_api_or_is_of_tokens_is_not_called(path: Any) -> None:
    assert not is_of_the_api(path)


@pytest.mark.parametrize("path", ["/v3/jobs/search?text=a%2F..%2Fb&x=..", "/v3/jobs/u/output/list/"])
def test_a_path_of_the_api_is_called(path: str) -> None:
    assert is_of_the_api(path)


def test_what_is_no_call_is_refused_or_ignored(fake: FakeTapis, page: Page) -> None:
    assert page.call("/v3/jobs/list", "TRACE")[0] == 400
    page.says("call", method="POST", path="/v3/jobs/list", body=7)
    assert page.hears("answer")[0]["status"] == 400
    page.says("more", parts="x")
    page.says("say", data=7)
    page.relay.hear({"type": "call"})
    page.says("odd")
    assert page.call(f"/v3/jobs/{fake.add_job()}")[0] == 200
    assert not page.heard


def test_a_server_that_does_not_answer_is_said_to_be_lost(fake: FakeTapis, page: Page) -> None:
    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    fake.instead["/v3/jobs/list"] = gone
    page.says("call", method="GET", path="/v3/jobs/list")
    assert page.hears("lost")[0]["id"] == "1"


def test_a_token_that_has_run_out_is_told_as_that(fake: FakeTapis) -> None:
    import base64

    claims = base64.urlsafe_b64encode(json.dumps({"exp": time.time() - 7200}).encode()).decode().rstrip("=")
    page = Page(fake, **{"X-Tapis-Token": f"x.{claims}.y"})
    fake.instead["/v3/jobs/list"] = lambda request: error(401, "JOBS_NOT_SIGNED_IN no")
    status, told = page.call("/v3/jobs/list")
    assert status == 401
    assert "expired 2 h" in told["message"]
    assert "connect(" in told["message"]


def test_a_long_answer_comes_in_parts_and_waits_for_room(fake: FakeTapis, page: Page) -> None:
    fake.instead["/v3/files/x"] = answering(*([b"x"] * (ROOM + 3)))
    page.says("call", method="GET", path="/v3/files/x")
    told, _ = page.hears("answer")
    assert (told["media"], told["isWhole"]) == ("text/plain", False)
    until(lambda: len(page.heard) == ROOM)
    # Another answer comes through meanwhile, and this one does not grow.
    page.says("call", "2", method="GET", path=f"/v3/jobs/{fake.add_job()}")
    page.hears("answer")
    assert [told["type"] for told, _ in page.heard] == ["part"] * ROOM
    page.says("more", parts=3)
    page.hears("end")
    assert b"".join(beside[0] for _, beside in page.heard) == b"x" * (ROOM + 3)


def test_an_answer_that_is_stopped_sends_no_more(fake: FakeTapis, page: Page) -> None:
    fake.instead["/v3/files/x"] = answering(*([b"x"] * (ROOM + 3)))
    page.says("call", method="GET", path="/v3/files/x")
    until(lambda: len(page.heard) == ROOM + 1)
    page.says("stop")
    page.says("more", parts=ROOM)
    page.says("call", "2", method="GET", path=f"/v3/jobs/{fake.add_job()}")
    until(lambda: page.heard[-1][0]["id"] == "2")
    assert len(page.heard) == ROOM + 2


def test_news_come_as_the_live_socket_tells_them(fake: FakeTapis, page: Page) -> None:
    uuid = fake.add_job("RUNNING")
    page.says("open", after=7)
    page.hears("opened")
    fake.streams[0].write(": nothing new\n\n")
    fake.tell(uuid, "FINISHED")
    until(lambda: [told for told in page.news() if told["type"] == "event"])
    idle, *_ = page.news()
    event = next(told for told in page.news() if told["type"] == "event")
    assert idle == {"type": "idle"}
    assert event["job"]["status"] == "FINISHED"
    assert isinstance(event["id"], int)
    assert next(headers["Last-Event-ID"] for headers in fake.headers if "Last-Event-ID" in headers) == "7"
    fake.streams[0].end()
    page.hears("closed")


def test_the_growing_end_of_an_output_is_told_beside_the_news(fake: FakeTapis, page: Page) -> None:
    uuid = fake.add_job("RUNNING")
    fake.outputs[uuid] = {"out.txt": "0123 ü".encode()}
    page.says("open", after=None)
    page.hears("opened")
    page.says("say", data=json.dumps({"type": "tail", "uuid": uuid, "path": "out.txt", "offset": 4}))
    until(lambda: len(page.news()) == 2)
    where = {"uuid": uuid, "path": "out.txt"}
    assert page.news() == [
        {"type": "tail", **where, "offset": 4, "end": 7, "text": " ü"},
        {"type": "tailEnd", **where, "offset": 7},
    ]
    page.says("say", data=json.dumps({"type": "tail", "uuid": uuid, "path": "none", "offset": 0}))
    until(lambda: len(page.news()) == 3)
    assert page.news()[2]["type"] == "error"
    page.says("stop")
    page.hears("closed")


def test_pages_that_were_loaded_again_do_not_pile_up(fake: FakeTapis, page: Page) -> None:
    fake.streams[:] = [EventStream() for _ in range(6)]
    for name in "abcde":
        page.says("open", name, after=None)
        page.hears("opened")
    assert page.hears("closed")[0]["id"] == "a"
