"""Webhooks over real HTTP: what is sent, what answers mean, and where nothing is sent."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Iterator, Sequence

import pytest
from receivers import Hook, web_receiver

from jupyter_tapis_jobs.engine.senders import RefusedError
from jupyter_tapis_jobs.engine.webhooks import WebhookSender
from jupyter_tapis_jobs.model.errors import InvalidInputError, TransportError, UnavailableError

NOW = 1_700_000_000.0


@pytest.fixture(scope="module")
def receiver() -> Iterator[Hook]:
    with web_receiver() as hook:
        yield hook


@pytest.fixture
def hook(receiver: Hook) -> Hook:
    receiver.got.clear()
    receiver.answers.clear()
    return receiver


def sent(notice_to, url, *, secret="", private=True, resolve=None) -> None:
    """Send one notification to *url*."""
    more = {"resolve": resolve} if resolve else {}
    sender = WebhookSender(secret=secret, allow_private=private, now=lambda: NOW, **more)
    notice = notice_to(url)

    async def run() -> None:
        async with sender.session(notice.delivery.receiver) as session:
            await session.send(notice)

    asyncio.run(run())


def test_a_webhook_gets_tapiss_json(hook, notice_to):
    sent(notice_to, f"{hook.url}/a?b=c")
    (path, headers, body) = hook.got[0]
    assert path == "/a?b=c"
    assert (headers["User-Agent"], headers["Content-Type"]) == ("Tapis/v3", "application/json")
    assert json.loads(body) == notice_to(f"{hook.url}/a?b=c").to_wire()
    assert "X-Tapis-Signature" not in headers


def test_who_shares_the_secret_can_tell_that_it_is_from_here(hook, notice_to):
    sent(notice_to, hook.url, secret="between us")
    (_, headers, body) = hook.got[0]
    assert headers["X-Tapis-Timestamp"] == "1700000000"
    digest = hmac.new(b"between us", b"1700000000." + body, "sha256").hexdigest()
    assert headers["X-Tapis-Signature"] == f"sha256={digest}"


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (204, None, ""),
        (500, UnavailableError, "answered 500. Tried again"),
        (429, UnavailableError, "answered 429. Tried again"),
        (404, RefusedError, "answered 404; check the URL"),
        (410, InvalidInputError, "is gone"),
    ],
)
def test_what_an_answer_means(hook, notice_to, status, error, said):
    hook.answers.append((status, {}))
    if error is None:
        sent(notice_to, hook.url)
        return
    with pytest.raises(error, match=said) as caught:
        sent(notice_to, hook.url)
    assert not isinstance(caught.value, TransportError), "other addresses there need not wait"


def test_a_redirect_is_not_followed(hook, notice_to):
    hook.answers.append((302, {"Location": f"{hook.url}/inside"}))
    with pytest.raises(RefusedError, match="a redirect, which is not followed"):
        sent(notice_to, hook.url)
    assert len(hook.got) == 1


def test_nobody_at_the_address_is_a_pause_for_all_of_it(notice_to):
    with web_receiver() as closed:
        url = closed.url
    with pytest.raises(TransportError, match=r"127\.0\.0\.1 did not answer"):
        sent(notice_to, url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://[::ffff:127.0.0.1]:1/",
        "http://10.0.0.7/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0.0.0.0:1/",
        "http://sub.localhost/",
    ],
)
def test_an_address_of_the_servers_own_network_is_refused_when_subscribing(url):
    sender = WebhookSender(secret="", allow_private=False, now=lambda: NOW)
    with pytest.raises(InvalidInputError, match="allow_private_webhooks"):
        sender.check(url)
    WebhookSender(secret="", allow_private=True, now=lambda: NOW).check(url)


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["64:ff9b::7f00:1"], ["::ffff:192.168.0.1"]]
)
def test_a_name_that_leads_inside_is_called_neither_now_nor_later(hook, notice_to, found):
    async def resolve(host: str, port: int) -> Sequence[str]:
        assert host == "innocent.example.org"
        return found

    port = hook.url.rpartition(":")[2]
    with pytest.raises(InvalidInputError, match="the server's own network"):
        sent(notice_to, f"http://innocent.example.org:{port}/", private=False, resolve=resolve)
    assert hook.got == []


def test_a_number_that_means_this_machine_is_seen_through(hook, notice_to):
    port = hook.url.rpartition(":")[2]
    with pytest.raises(InvalidInputError, match="the server's own network"):
        sent(notice_to, f"http://2130706433:{port}/", private=False)
    assert hook.got == []


def test_the_call_goes_to_the_address_that_was_looked_at_and_names_the_host(hook, notice_to):
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    port = hook.url.rpartition(":")[2]
    sent(notice_to, f"http://somewhere.example.org:{port}/a", resolve=resolve)
    assert asked == ["somewhere.example.org"]
    assert hook.got[0][1]["Host"] == f"somewhere.example.org:{port}"


def test_a_name_that_is_not_found_is_tried_again(notice_to):
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    with pytest.raises(TransportError, match=r"hook\.example\.org cannot be found: Name or service"):
        sent(notice_to, "https://hook.example.org/", private=False, resolve=resolve)
