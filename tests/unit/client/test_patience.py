"""Towards a busy server: it is waited for as long as it says, and not for ever."""

import email.utils

import httpx
import pytest
from fake_tapis import URL, error, result

from jupyter_tapis_jobs.client.connection import Connection
from jupyter_tapis_jobs.client.endpoint import Endpoint
from jupyter_tapis_jobs.client.patience import asked_pause
from jupyter_tapis_jobs.model import errors

NOW = 1_795_000_000.0


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def connected(pauses):
    """A connection to a server that gives these answers, one after the other."""

    def made(*answers):
        given = list(answers)
        transport = httpx.MockTransport(lambda request: given.pop(0))
        return Connection(Endpoint(url=URL), transport=transport, sleep=pauses.append)

    return made


def busy(pause, code=429):
    return httpx.Response(code, json={"message": "slow down"}, headers={"Retry-After": pause})


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("", None),
        ("7", 7.0),
        (email.utils.formatdate(NOW + 30, usegmt=True), 30.0),
        (email.utils.formatdate(NOW - 30, usegmt=True), 0.0),
        ("soon", None),
    ],
)
def test_a_server_asks_for_a_pause_in_seconds_or_by_a_date(text, pause):
    assert asked_pause(busy(text), lambda: NOW) == pause


def test_the_pause_that_is_asked_for_is_made(connected, pauses):
    assert connected(busy("7"), busy("9", code=503), result([1])).get("/v3/jobs/list") == [1]
    assert pauses == [7.0, 9.0]


def test_without_a_word_the_gaps_are_short_and_grow(connected, pauses):
    assert connected(error(503), error(502), result([1])).get("/v3/jobs/list") == [1]
    assert pauses == [0.1, 0.2]


def test_a_submit_that_came_too_fast_was_not_taken_and_is_made_after_the_pause(connected, pauses):
    assert connected(busy("3"), result({"uuid": "u"})).post("/v3/jobs/submit", {}) == {"uuid": "u"}
    assert pauses == [3.0]


def test_a_pause_longer_than_anybody_waits_is_told_instead(connected, pauses):
    with pytest.raises(errors.UnavailableError, match="asks for a pause of 10 min") as told:
        connected(busy("600")).get("/v3/jobs/list")
    assert told.value.retry_after == 600.0
    assert pauses == []


def test_a_server_that_stays_busy_is_asked_four_times(connected, pauses):
    with pytest.raises(errors.UnavailableError, match="slow down"):
        connected(*[busy("1")] * 4).get("/v3/jobs/list")
    assert pauses == [1.0] * 3
