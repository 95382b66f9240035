"""Subscriptions: what is taken, what is refused, and how they come with a request or an app."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from made_up_receivers import ADA, Office, target
from sqlalchemy import func, select

from jupyter_tapis_jobs.engine import subscriptions as module
from jupyter_tapis_jobs.engine.mail import MailSender, MailServer
from jupyter_tapis_jobs.engine.ports import Ports
from jupyter_tapis_jobs.engine.subscriptions import checked
from jupyter_tapis_jobs.engine.webhooks import WebhookSender
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotFoundError
from jupyter_tapis_jobs.model.fields import DeliveryMethod
from jupyter_tapis_jobs.model.job import JobDefinition
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.subscriptions import parse_subscription
from jupyter_tapis_jobs.store import purge
from jupyter_tapis_jobs.store.tables import deliveries, subscriptions

HOOK, MAIL = "https://hook.example.org/a", "train301@example.org"


def wanted(*addresses: str) -> JobDefinition:
    """Return a job's definition whose request tells *addresses* of its end."""
    words = {"eventCategoryFilter": "JOB_NEW_STATUS", "deliveryTargets": [target(a) for a in addresses]}
    return JobDefinition(
        job_type="FORK", app_runtime="ZIP", container_image="/i", exec_system_id="local",
        exec_system_exec_dir="/e", exec_system_input_dir="/e", exec_system_output_dir="/e",
        archive_system_id="local", archive_system_dir="/e", job_working_dir="/", host="h", root_dir="/",
        subscriptions=(parse_subscription(words),),
    )  # fmt: skip


@pytest.fixture
def real() -> Ports:
    """The ports of a server without a mail server, whose webhooks stay outside."""
    senders = {
        DeliveryMethod.EMAIL: MailSender(MailServer()),
        DeliveryMethod.WEBHOOK: WebhookSender(secret="", allow_private=False, now=lambda: 0.0),
    }
    return cast(Ports, SimpleNamespace(senders=senders))


def test_a_request_that_wants_mail_where_none_is_sent_runs_with_a_warning(real):
    (warning,) = checked(real, wanted(MAIL, "other@example.org", MAIL)).warnings[:1]
    assert "smtp_server" in warning
    assert checked(real, wanted(HOOK)).warnings == ()


def test_a_request_with_a_webhook_into_the_servers_network_is_refused(real):
    with pytest.raises(InvalidInputError, match="allow_private_webhooks") as caught:
        checked(real, wanted(HOOK, "http://127.0.0.1:8888/hub/api/shutdown"))
    assert caught.value.field == "subscriptions[0].deliveryTargets[1].deliveryAddress"


@pytest.mark.parametrize(
    ("method", "address", "said"),
    [
        ("EMAIL", "nobody", "is not one e-mail address"),
        ("EMAIL", "a..b@example.org", "is not one e-mail address"),
        ("EMAIL", "a@example..org", "is not one e-mail address"),
        ("EMAIL", "Ada <a@example.org>", "is not one e-mail address"),
        ("EMAIL", "a@example.org, b@example.org", "is not one e-mail address"),
        ("EMAIL", "a@example.org\r\nBcc: b@example.org", "is not one e-mail address"),
        ("WEBHOOK", "example.org/hook", "https:// or http://"),
        ("WEBHOOK", "file:///etc/passwd", "https:// or http://"),
        ("WEBHOOK", "https://ada:secret@example.org/", "shown to everybody"),
        ("WEBHOOK", "https://example.org/\r\nHost: x", "control"),
        ("WEBHOOK", "https://example.org:99999/", "[Pp]ort"),
        ("PIGEON", "roof", "deliveryMethod"),
    ],
)
def test_an_address_that_is_none_is_refused(method, address, said):
    bad = {"deliveryMethod": method, "deliveryAddress": address}
    with pytest.raises(InvalidInputError, match=said):
        parse_subscription({"eventCategoryFilter": "ALL", "deliveryTargets": [target(HOOK), bad]})


@pytest.mark.parametrize("address", [MAIL, "a+b_c@localhost", "o'hara@sub.example.org", "a=b/c@x-y.org"])
def test_an_address_that_mail_servers_know_is_taken(address):
    words = {"eventCategoryFilter": "ALL", "deliveryTargets": [target(address)]}
    assert parse_subscription(words)["deliveryTargets"] == [target(address)]


def test_a_misspelt_status_would_never_be_told():
    words = {"eventCategoryFilter": "JOB_NEW_STATUS", "eventDetailFilter": ["FINISHD"]}
    with pytest.raises(InvalidInputError, match=r"'FINISHD' is no status.*FINISHED"):
        parse_subscription({**words, "deliveryTargets": [target(HOOK)]})


def test_an_address_where_nothing_will_arrive_is_refused_when_subscribing(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job())
        office.receivers.closed.add(HOOK)
        with pytest.raises(InvalidInputError, match="is closed"):
            await office.subscribe(job, MAIL, HOOK)
        assert await office.subscriptions.of_job(ADA, job.uuid, 100, 0) == []

    play(story)


def test_a_job_takes_so_many_subscriptions_and_no_more(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job())
        for _ in range(module.MOST):
            await office.subscribe(job, HOOK)
        with pytest.raises(InvalidInputError, match=f"has {module.MOST} subscriptions"):
            await office.subscribe(job, HOOK)
        assert len(await office.subscriptions.of_job(ADA, job.uuid, 10, 95)) == 5

    play(story)


def test_one_is_removed_by_its_uuid_and_all_by_the_jobs(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job())
        names = [await office.subscribe(job, HOOK) for _ in range(3)]
        assert await office.subscriptions.remove(ADA, names[1]) == 1
        left = await office.subscriptions.of_job(ADA, job.uuid, 100, 0)
        assert [item["uuid"] for item in left] == [names[0], names[2]]
        assert await office.subscriptions.remove(ADA, job.uuid) == 2
        assert await office.subscriptions.remove(ADA, job.uuid) == 0
        with pytest.raises(NotFoundError):
            await office.subscriptions.remove(ADA, names[0])

    play(story)


def test_what_was_told_is_listed_page_by_page_and_goes_with_the_job(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job())
        await office.subscribe(job, HOOK, MAIL)
        (job,) = office.step(job, to=JobStatus.PROCESSING_INPUTS)
        (job,) = office.step(job, to=JobStatus.FAILED)
        await office.quiet()
        told = await office.subscriptions.deliveries(ADA, job.uuid)
        assert [(row.event_detail, row.delivery.address) for row in told] == [
            ("PROCESSING_INPUTS", HOOK),
            ("PROCESSING_INPUTS", MAIL),
            ("FAILED", HOOK),
            ("FAILED", MAIL),
        ]
        assert await office.subscriptions.deliveries(ADA, job.uuid, 2, 1) == told[1:3]
        office.database.write(lambda c: purge.remove(c, [job]))
        counts = [office.count(lambda c, t=t: c.execute(select(func.count()).select_from(t)).scalar_one())
                  for t in (deliveries, subscriptions)]  # fmt: skip
        assert counts == [0, 0]

    play(story)
