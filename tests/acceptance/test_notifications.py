"""Who is told of jobs: a real server, a real mail server, a real web server, and unmodified tapipy."""

from __future__ import annotations

import contextlib
import hmac
import itertools
import json
import os
import signal
from pathlib import Path

import pytest
from receivers import mail_receiver, web_receiver
from tapipy_user import BASH, ended, script, sign_in, zip_app

from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.needs("tapipy")

SECRET = "between us"
PASSED = [
    "PROCESSING_INPUTS", "STAGING_INPUTS", "STAGING_JOB", "SUBMITTING_JOB", "QUEUED", "RUNNING", "ARCHIVING",
    "FINISHED",
]  # fmt: skip
_numbers = itertools.count()


@pytest.fixture(scope="module")
def hook():
    with web_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def box():
    with mail_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def options(box):
    """What a server is told of the receivers."""
    words = {
        "smtp_server": "127.0.0.1",
        "smtp_port": box.port,
        "smtp_security": "none",
        "smtp_sender": "jobs@here.example",
        "webhook_secret": SECRET,
        "allow_private_webhooks": True,
    }
    return [f"--TapisJobsApp.{name}={value}" for name, value in words.items()]


@pytest.fixture(scope="module")
def teller(options, running_server, tmp_path_factory):
    """A server that may tell receivers on this machine."""
    with running_server(tmp_path_factory.mktemp("teller"), *options) as server:
        yield server


@pytest.fixture(scope="module")
def tapis(teller):
    return sign_in(teller.url, teller.token)


@pytest.fixture(scope="module")
def client(teller):
    found = teller.tapis()
    yield found
    found.connection.close()


@pytest.fixture
def path():
    """A path of the web server that nothing was sent to."""
    return f"/{next(_numbers)}"


@pytest.fixture
def address():
    """An address that has no mail."""
    return f"train{next(_numbers)}@example.org"


@pytest.fixture
def waits(client):
    """``waits()``: a job that runs until the test is over."""
    jobs = []

    def one():
        jobs.append(client.submit("bash", script="exec sleep 600"))
        return jobs[-1]

    yield one
    for job in jobs:
        with contextlib.suppress(ConflictError):
            job.cancel()


def targets(*addresses):
    return [
        {"deliveryMethod": "WEBHOOK" if "://" in address else "EMAIL", "deliveryAddress": address}
        for address in addresses
    ]


def test_subscriptions_of_a_request_tell_each_status_in_order_signed_and_by_mail(
    tapis, hook, box, path, address, until
):
    wanted = {"eventCategoryFilter": "JOB_NEW_STATUS", "deliveryTargets": targets(hook.url + path, address)}
    job = tapis.jobs.submitJob(
        name="told", **BASH, fileInputs=script("echo hi"), subscriptions=[{**wanted, "ttlMinutes": 60}]
    )
    assert ended(tapis, job, until) == "FINISHED"
    until(lambda: len(hook.bodies(path)) == 9 and len(box.subjects(address)) == 9)
    assert hook.statuses(path) == ["PENDING", *PASSED]
    assert box.subjects(address) == [f"told: {status}" for status in hook.statuses(path)]
    (_, headers, body) = next(item for item in hook.got if item[0] == path)
    signed = f"{headers['X-Tapis-Timestamp']}.".encode() + body
    assert headers["X-Tapis-Signature"] == f"sha256={hmac.new(SECRET.encode(), signed, 'sha256').hexdigest()}"
    last = hook.bodies(path)[-1]["event"]
    assert (last["subject"], last["deleteSubscriptionsMatchingSubject"]) == (job.uuid, True)
    assert json.loads(last["data"])["condition"] == "NORMAL_COMPLETION"
    assert tapis.jobs.getSubscriptions(jobUuid=job.uuid) == []


def test_a_subscription_of_an_app_holds_for_its_jobs(tapis, hook, path, tmp_path, until):
    name = f"telling-{path[1:]}"
    wanted = {"jobEventCategoryFilter": "JOB_NEW_STATUS", "deliveryTargets": targets(hook.url + path)}
    tapis.apps.createAppVersion(
        id=name,
        version="1",
        runtime="ZIP",
        containerImage=f"tapis://local{zip_app(tmp_path, 'true')}",
        jobAttributes={"execSystemId": "local", "subscriptions": [wanted]},
    )
    job = tapis.jobs.submitJob(name=name, appId=name, appVersion="1")
    assert ended(tapis, job, until) == "FINISHED"
    until(lambda: hook.statuses(path)[-1:] == ["FINISHED"])
    tapis.apps.deleteApp(appId=name)


def test_a_running_job_is_subscribed_to_and_events_of_users_are_told(tapis, waits, hook, path, until):
    job = waits()
    for category in ("JOB_USER_EVENT", "JOB_SUBSCRIPTION"):
        tapis.jobs.subscribe(
            jobUuid=job.uuid,
            eventCategoryFilter=category,
            deliveryTargets=targets(f"{hook.url}{path}/{category}"),
        )
    users, others = tapis.jobs.getSubscriptions(jobUuid=job.uuid)
    assert users.typeFilter == "jobs.JOB_USER_EVENT.*"
    tapis.jobs.sendEvent(jobUuid=job.uuid, eventData="half way", eventDetail="PROGRESS")
    until(lambda: hook.bodies(f"{path}/JOB_USER_EVENT"))
    (body,) = hook.bodies(f"{path}/JOB_USER_EVENT")
    assert body["event"]["type"] == "jobs.JOB_USER_EVENT.PROGRESS"
    assert json.loads(body["event"]["data"])["message"] == "half way"
    assert tapis.jobs.deleteSubscriptions(uuid=users.uuid).changes == 1
    tapis.jobs.sendEvent(jobUuid=job.uuid, eventData="nobody hears it")
    until(lambda: hook.statuses(f"{path}/JOB_SUBSCRIPTION") == ["added", "removed"])
    assert len(hook.bodies(f"{path}/JOB_USER_EVENT")) == 1
    assert [row.uuid for row in tapis.jobs.getSubscriptions(jobUuid=job.uuid)] == [others.uuid]


def test_a_short_word_lets_somebody_be_told_of_the_end_and_says_what_became_of_it(
    client, box, address, until
):
    job = client.submit("bash", script="until [ -e go ]; do sleep 0.05; done", name="short")
    job.notify(address)
    until(lambda: job.status == "RUNNING")
    client.connection.post(f"/v3/jobs/{job.uuid}/sendEvent", {"eventData": "not the end"})
    Path("/", job.refresh().row["execSystemExecDir"], "go").touch()
    job.wait(progress=False)
    until(lambda: job.notifications()["state"].tolist() == ["DELIVERED"])
    assert box.subjects(address) == ["short: FINISHED"]


def test_a_dead_address_ends_with_a_word_to_its_owner_and_in_the_log(
    teller, client, waits, box, address, until
):
    box.refused[address] = "550 no such user"
    job = waits().notify(address, on="status")
    job.cancel()
    until(lambda: "FAILED" in job.notifications()["state"].tolist())
    assert "550 no such user" in job.notifications()["lastError"].iloc[0]
    log = teller.process.log
    until(lambda: f"Notifications for {address} are given up after 1 try" in log.read_text())


def test_a_killed_server_loses_nothing_and_repeats_only_what_was_on_its_way(
    options, hook, path, box, address, tmp_path, running_server, until
):
    folder = tmp_path / "killed"
    hook.answering.clear()
    with running_server(folder, *options) as server:
        tapis = server.tapis()
        wanted = {
            "eventCategoryFilter": "JOB_NEW_STATUS",
            "deliveryTargets": targets(hook.url + path, address),
        }
        job = tapis.submit("bash", script="echo hi", subscriptions=[wanted])
        until(lambda: hook.bodies(path))
        until(lambda: job.status == "FINISHED")
        os.kill(server.process.process.pid, signal.SIGKILL)
        server.process.process.wait()
        tapis.connection.close()
    hook.answering.set()
    with running_server(folder, *options) as server:
        tapis = server.tapis()
        again = tapis.job(job.uuid)
        until(lambda: set(again.notifications()["state"]) == {"DELIVERED"})
        tapis.connection.close()
    bodies = hook.bodies(path)
    assert [body["uuid"] for body in bodies[:2]] == [bodies[0]["uuid"]] * 2, "it was on its way"
    assert hook.statuses(path)[1:] == ["PENDING", *PASSED]
    assert list(dict.fromkeys(box.subjects(address))) == [f"{job.name}: {s}" for s in ["PENDING", *PASSED]]


def test_nobody_is_told_inside_the_servers_network_unless_it_is_allowed(server, hook, path):
    tapis = server.tapis()
    wanted = {"eventCategoryFilter": "ALL", "deliveryTargets": targets(hook.url + path)}
    with pytest.raises(InvalidInputError, match="allow_private_webhooks"):
        tapis.submit("bash", script="true", subscriptions=[wanted])
    job = tapis.submit("bash", script="exec sleep 600")
    with pytest.raises(InvalidInputError, match="allow_private_webhooks"):
        job.notify(hook.url + path)
    with pytest.raises(InvalidInputError, match="smtp_server"):
        job.notify("train301@example.org")
    job.cancel()
    job.wait(progress=False)
    tapis.connection.close()
    assert hook.bodies(path) == []
