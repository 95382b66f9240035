"""``job.notify``: an address and a word become a Tapis subscription."""

from __future__ import annotations

import json

import httpx
import pytest
from fake_tapis import FakeTapis, result

from jupyter_tapis_jobs.model.errors import InvalidInputError, UnavailableError

MAIL, HOOK = "train301@example.org", "https://hook.example.org/a"


def posted(fake: FakeTapis, uuid: str, *addresses: str, **given: object) -> dict[str, object]:
    """Let *addresses* be told, and return the body of the call."""
    bodies: list[dict[str, object]] = []

    def take(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return result({"url": "…"})

    fake.instead[f"/v3/jobs/subscribe/{uuid}"] = take
    job = fake.tapis().job(uuid)
    assert job.notify(*addresses, **given) is job
    return bodies[0]


def test_an_address_is_told_of_the_end(fake):
    body = posted(fake, fake.add_job("RUNNING"), MAIL)
    assert body["deliveryTargets"] == [{"deliveryMethod": "EMAIL", "deliveryAddress": MAIL}]
    assert body["eventCategoryFilter"] == "JOB_NEW_STATUS"
    assert body["eventDetailFilter"] == ["CANCELLED", "FAILED", "FINISHED"]


def test_a_url_is_a_webhook(fake):
    targets = posted(fake, fake.add_job("RUNNING"), MAIL, HOOK)["deliveryTargets"]
    assert [target["deliveryMethod"] for target in targets] == ["EMAIL", "WEBHOOK"]


@pytest.mark.parametrize(
    ("on", "category", "details"),
    [
        ("status", "JOB_NEW_STATUS", None),
        ("all", "ALL", None),
        ("JOB_USER_EVENT", "JOB_USER_EVENT", None),
        ("RUNNING", "JOB_NEW_STATUS", ["RUNNING"]),
        (["RUNNING", "FINISHED"], "JOB_NEW_STATUS", ["FINISHED", "RUNNING"]),
    ],
)
def test_a_word_says_on_what(fake, on, category, details):
    body = posted(fake, fake.add_job("RUNNING"), MAIL, on=on)
    assert (body["eventCategoryFilter"], body.get("eventDetailFilter")) == (category, details)


def test_a_tenant_is_sent_what_its_specification_knows(fake):
    fake.ours = False
    body = posted(fake, fake.add_job("RUNNING"), MAIL)
    assert set(body) == {"enabled", "eventCategoryFilter", "deliveryTargets", "ttlminutes"}


@pytest.mark.parametrize(
    ("addresses", "on", "said"),
    [([], "end", "Whom"), ([MAIL], "RUNING", "Did you mean 'RUNNING'"), ([MAIL], ["done"], "takes 'end'")],
)
def test_a_slip_is_refused_before_anything_is_sent(fake, addresses, on, said):
    job = fake.tapis().job(fake.add_job("RUNNING"))
    with pytest.raises(InvalidInputError, match=said):
        job.notify(*addresses, on=on)


def test_what_became_of_notifications_is_a_frame(fake):
    uuid = fake.add_job("FINISHED")
    row = {
        "event": "JOB_NEW_STATUS",
        "eventDetail": "FINISHED",
        "deliveryMethod": "EMAIL",
        "deliveryAddress": MAIL,
        "state": "FAILED",
        "tries": 1,
        "lastError": "550 no such user.",
        "updated": "2026-11-21T05:00:01.000000Z",
    }
    fake.instead[f"/v3/jobs/{uuid}/notifications"] = lambda request: result([row])
    frame = fake.tapis().job(uuid).notifications()
    assert frame[["eventDetail", "state", "lastError"]].to_numpy().tolist() == [
        ["FINISHED", "FAILED", "550 no such user."]
    ]
    fake.ours = False
    with pytest.raises(UnavailableError, match="does not tell"):
        fake.tapis().job(uuid).notifications()
