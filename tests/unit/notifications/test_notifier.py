"""The notifier: nothing is lost, each address in order, and no receiver is in anybody's way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from made_up_receivers import ADA, Office, Receivers
from simulation.virtual_time import run_virtually

from jupyter_tapis_jobs.engine import notifier as module
from jupyter_tapis_jobs.engine.senders import RefusedError
from jupyter_tapis_jobs.model.errors import InvalidInputError, TransportError, UnavailableError
from jupyter_tapis_jobs.model.job import Job
from jupyter_tapis_jobs.model.status import Condition, JobStatus
from jupyter_tapis_jobs.store import lease as lease_row

HOOK, OTHER = "https://hook.example.org/a", "https://other.example.org/b"
MAIL = "train301@example.org"


def through(office: Office, job: Job) -> Job:
    """Carry a job to its end, a step after the other."""
    for status in (*list(JobStatus)[1:8], JobStatus.FINISHED):
        (job,) = office.step(job, to=status)
    return job


def test_every_event_reaches_each_address_once_and_in_order(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job())
        await office.subscribe(job, HOOK, MAIL)
        through(office, job)
        await office.quiet()
        passed = [status.value for status in (*list(JobStatus)[1:8], JobStatus.FINISHED)]
        assert office.receivers.of(HOOK) == office.receivers.of(MAIL) == passed
        assert set(office.states(job)) == {"DELIVERED"}

    play(story)


def test_a_body_is_tapiss_own(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job(name="pushover"))
        name = await office.subscribe(job, HOOK)
        (job,) = office.step(job, to=JobStatus.PROCESSING_INPUTS)
        office.step(
            job, to=JobStatus.FAILED, condition=Condition.JOB_REMOTE_ACCESS_ERROR, remote_job_id="4711"
        )
        await office.quiet()
        first, last = office.receivers.bodies
        assert set(first) == {
            "uuid", "tenant", "subscriptionName", "eventUuid", "event", "deliveryTarget", "created"
        }  # fmt: skip
        assert first["subscriptionName"] == name
        assert first["deliveryTarget"] == {"deliveryMethod": "WEBHOOK", "deliveryAddress": HOOK}
        event = first["event"]
        assert event["type"] == "jobs.JOB_NEW_STATUS.PROCESSING_INPUTS"
        assert (event["source"], event["subject"], event["seriesId"]) == (
            "https://tapis.io/jobs", job.uuid, job.uuid
        )  # fmt: skip
        assert event["deleteSubscriptionsMatchingSubject"] is False
        data = json.loads(event["data"])
        assert (data["oldJobStatus"], data["newJobStatus"]) == ("PENDING", "PROCESSING_INPUTS")
        assert (data["jobName"], data["jobOwner"], data["jobUuid"]) == ("pushover", "ada", job.uuid)
        assert "condition" not in data
        # PENDING and the new subscription came before.
        assert [body["event"]["seriesSeqCount"] for body in (first, last)] == [3, 4]
        assert last["event"]["deleteSubscriptionsMatchingSubject"] is True
        told = json.loads(last["event"]["data"])
        assert (told["condition"], told["remoteJobId"]) == ("JOB_REMOTE_ACCESS_ERROR", "4711")
        assert first["uuid"] != last["uuid"]
        assert first["eventUuid"] != last["eventUuid"]

    play(story)


def test_a_category_a_detail_and_an_enabled_flag_choose_what_is_told(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job())
        await office.subscribe(job, HOOK, eventDetailFilter=["FINISHED", "FAILED"])
        await office.subscribe(job, OTHER, on="JOB_USER_EVENT")
        await office.subscribe(job, MAIL, on="ALL", enabled=False)
        await office.subscribe(job, "https://all.example.org/", on="ALL")
        through(office, job)
        await office.quiet()
        assert office.receivers.of(HOOK) == ["FINISHED"]
        assert office.receivers.of(OTHER) == []
        assert office.receivers.of(MAIL) == []
        assert office.receivers.of("https://all.example.org/")[:2] == ["added", "PROCESSING_INPUTS"]

    play(story)


def test_a_dead_receiver_holds_up_nobody_else_and_gets_everything_in_order_later(play, new_job):
    async def story(office: Office) -> None:
        office.receivers.answers["https://hook.example.org"] = lambda: TransportError("nobody answers.")
        (job,) = office.jobs(new_job())
        await office.subscribe(job, HOOK)
        await office.subscribe(job, OTHER)
        job = through(office, job)
        await office.quiet(30)
        assert len(office.receivers.of(OTHER)) == 8
        assert office.receivers.of(HOOK) == []
        first = office.told(job)[0].delivery
        assert (first.state, first.last_error) == ("WAITING", "nobody answers.")
        assert first.tries >= 2
        tries = office.receivers.sessions
        await office.quiet(1800)
        assert office.receivers.sessions - tries < 12, "it is asked less and less"
        del office.receivers.answers["https://hook.example.org"]
        await office.quiet(3600)
        assert office.receivers.of(HOOK) == office.receivers.of(OTHER)
        assert set(office.states(job)) == {"DELIVERED"}

    play(story)


def test_trouble_at_one_address_holds_up_what_follows_there_and_nothing_beside_it(play, new_job):
    async def story(office: Office) -> None:
        beside = "https://hook.example.org/beside"
        office.receivers.answers[HOOK] = lambda: UnavailableError("it answered 503.")
        (job,) = office.jobs(new_job())
        await office.subscribe(job, HOOK, beside)
        through(office, job)
        await office.quiet(4)
        assert len(office.receivers.of(beside)) == 8
        del office.receivers.answers[HOOK]
        await office.quiet(60)
        assert office.receivers.of(HOOK) == office.receivers.of(beside)

    play(story)


def test_what_is_refused_is_given_up_after_a_few_tries_and_the_next_goes_out(play, new_job):
    async def story(office: Office) -> None:
        office.receivers.answers[HOOK] = lambda: RefusedError("it answered 404.")
        (job,) = office.jobs(new_job())
        await office.subscribe(job, HOOK)
        (job,) = office.step(job, to=JobStatus.PROCESSING_INPUTS)
        await office.quiet(120)
        assert [(r.delivery.state, r.delivery.tries) for r in office.told(job)] == [("FAILED", 3)]
        del office.receivers.answers[HOOK]
        office.step(job, to=JobStatus.STAGING_INPUTS)
        await office.quiet()
        assert office.receivers.of(HOOK) == ["STAGING_INPUTS"]

    play(story)


def test_what_can_never_be_delivered_is_tried_once_and_says_why(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job())
        await office.subscribe(job, MAIL)
        office.receivers.answers[MAIL] = lambda: InvalidInputError("this server sends no e-mail.")
        office.step(job, to=JobStatus.PROCESSING_INPUTS)
        await office.quiet()
        (row,) = office.told(job)
        assert row.to_wire()["lastError"] == "this server sends no e-mail."
        assert (row.delivery.state, row.delivery.tries) == ("FAILED", 1)

    play(story)


def test_the_log_says_once_that_an_address_is_dead_and_no_more_of_a_webhook_than_its_host(
    play, new_job, caplog
):
    async def story(office: Office) -> None:
        office.receivers.answers[HOOK] = lambda: InvalidInputError("hook.example.org answered 410.")
        office.receivers.answers[MAIL] = lambda: InvalidInputError("550 no such user.")
        (job,) = office.jobs(new_job())
        await office.subscribe(job, HOOK, MAIL)
        through(office, job)
        await office.quiet()

    play(story)
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 2
    assert "Notifications for https://hook.example.org are given up after 1 try" in told[0] + told[1]
    assert HOOK not in told[0] + told[1]
    assert f"Notifications for {MAIL} are given up" in told[0] + told[1]


def test_after_a_day_a_notification_is_given_up(play, new_job):
    async def story(office: Office) -> None:
        office.receivers.answers["EMAIL"] = lambda: TransportError("the mail server does not answer.")
        (job,) = office.jobs(new_job())
        await office.subscribe(job, MAIL)
        office.step(job, to=JobStatus.PROCESSING_INPUTS)
        await office.quiet(module.GIVE_UP + 2 * module.RETRY_AFTER[-1])
        assert office.states(job) == ["FAILED"]

    play(story)


def test_the_end_of_a_job_ends_its_subscriptions_and_is_told_all_the_same(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job())
        await office.subscribe(job, HOOK)
        assert len(await office.subscriptions.of_job(ADA, job.uuid, 100, 0)) == 1
        job = through(office, job)
        assert await office.subscriptions.of_job(ADA, job.uuid, 100, 0) == []
        with pytest.raises(InvalidInputError, match="is FINISHED already"):
            await office.subscribe(job, OTHER)
        await office.quiet()
        assert office.receivers.of(HOOK)[-1] == "FINISHED"

    play(story)


def test_a_removed_subscription_is_silent_at_once_and_those_left_hear_of_it(play, new_job):
    async def story(office: Office) -> None:
        office.receivers.answers["https://hook.example.org"] = lambda: TransportError("nobody answers.")
        (job,) = office.jobs(new_job())
        name = await office.subscribe(job, HOOK)
        await office.subscribe(job, OTHER, on="JOB_SUBSCRIPTION")
        (job,) = office.step(job, to=JobStatus.PROCESSING_INPUTS)
        await office.quiet(1)
        assert await office.subscriptions.remove(ADA, name) == 1
        office.receivers.answers.clear()
        office.step(job, to=JobStatus.STAGING_INPUTS)
        await office.quiet()
        assert office.receivers.of(HOOK) == []
        assert "DROPPED" in office.states(job)
        assert office.receivers.of(OTHER)[-1] == "removed"
        assert await office.subscriptions.remove(ADA, job.uuid) == 1

    play(story)


def test_an_expired_subscription_is_silent(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job())
        await office.subscribe(job, HOOK, ttlminutes=10)
        (job,) = office.step(job, to=JobStatus.PROCESSING_INPUTS)
        await office.quiet(601)
        office.step(job, to=JobStatus.STAGING_INPUTS)
        await office.quiet()
        assert office.receivers.of(HOOK) == ["PROCESSING_INPUTS"]
        assert await office.subscriptions.of_job(ADA, job.uuid, 100, 0) == []

    play(story)


def test_a_thousand_jobs_cost_the_step_one_transaction_and_the_notifier_few(play, new_job):
    async def story(office: Office) -> None:
        jobs = office.jobs(*(new_job() for _ in range(1000)))
        for number, job in enumerate(jobs):
            await office.subscribe(job, f"{HOOK}/{number}", eventDetailFilter=["PROCESSING_INPUTS"])
        await office.quiet()
        reads, writes, sessions = office.reads, office.writes, office.receivers.sessions
        office.step(*jobs, to=JobStatus.PROCESSING_INPUTS)
        await office.quiet()
        assert len(office.receivers.got) == 1000
        assert office.receivers.most_at_once <= module.AT_ONCE
        assert office.receivers.sessions - sessions <= 3
        assert office.reads - reads < 20
        assert office.writes - writes < 600

    play(story)


def test_so_many_receivers_are_served_at_a_time_and_no_more(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job())
        for number in range(60):
            await office.subscribe(job, f"https://r{number}.example.org/")
            office.receivers.seconds[f"https://r{number}.example.org/"] = 1.0
        office.step(job, to=JobStatus.PROCESSING_INPUTS)
        await office.quiet()
        assert len(office.receivers.got) == 60
        assert office.receivers.most_at_once == module.COURIERS

    play(story)


def test_a_full_store_delays_and_repeats_nothing_but_what_was_on_its_way(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job())
        await office.subscribe(job, HOOK)
        (job,) = office.step(job, to=JobStatus.PROCESSING_INPUTS)
        office.is_full = True
        await office.quiet(60)
        office.is_full = False
        office.step(job, to=JobStatus.STAGING_INPUTS)
        await office.quiet(60)
        assert office.receivers.of(HOOK) == ["PROCESSING_INPUTS", "STAGING_INPUTS"]
        assert set(office.states(job)) == {"DELIVERED"}

    play(story)


def test_an_engine_that_lost_its_lease_delivers_nothing_more(play, new_job):
    async def story(office: Office) -> None:
        (job,) = office.jobs(new_job())
        await office.subscribe(job, HOOK)
        await office.quiet(1)

        def take_over(connection: Any) -> None:
            lease_row.release(connection, office.epoch)
            lease_row.acquire(connection, "{}", module.GIVE_UP)

        office.database.write(take_over)
        office.step(job, to=JobStatus.PROCESSING_INPUTS)
        await office.quiet()
        assert office.receivers.got == []
        assert office.lost

    play(story)


@pytest.mark.seeds(6, full=300)
def test_whenever_engines_die_nothing_is_lost_and_the_order_stays(tmp_path, new_job, seed):
    from random import Random

    async def story() -> None:
        random = Random(seed)
        receivers = Receivers()
        office = Office(tmp_path / "store", receivers)
        jobs = office.jobs(*(new_job() for _ in range(5)))
        for number, job in enumerate(jobs):
            await office.subscribe(job, f"{HOOK}/{number}", MAIL)
        deaths = 0
        for status in (*list(JobStatus)[1:8], JobStatus.FINISHED):
            jobs = office.step(*jobs, to=status)
            await office.quiet(random.uniform(0, 0.1))
            if random.random() < 0.5:
                await office.die()
                deaths += 1
                office = Office(tmp_path / "store", receivers)
                office.notifier.wake()
        await office.quiet(600)
        passed = [status.value for status in (*list(JobStatus)[1:8], JobStatus.FINISHED)]
        for number, job in enumerate(jobs):
            assert set(office.states(job)) == {"DELIVERED"}
            got = office.receivers.of(f"{HOOK}/{number}")
            assert list(dict.fromkeys(got)) == passed, "in order, and nothing is lost"
            assert sorted(got, key=passed.index) == got, "what is repeated is repeated at once"
        uuids = {body["uuid"] for body in office.receivers.bodies}
        assert len(uuids) == 2 * len(jobs) * len(passed), "a repetition has the same uuid"
        await office.die()

    run_virtually(story())
