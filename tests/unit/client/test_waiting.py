"""Waiting: news moves it, the lost stream does not end it, Ctrl-C leaves it, the job goes on."""

import asyncio
import io
import queue
import threading

import httpx
import pytest
from fake_tapis import FakeTapis, error, result

from jupyter_tapis_jobs.client.live import Live, News
from jupyter_tapis_jobs.client.progress import LogLines, Silent
from jupyter_tapis_jobs.client.waiting import WaitInterrupted, one_line, wait_for
from jupyter_tapis_jobs.model.errors import JobError, NotFoundError

ENDED = {"ended": "2026-11-21T05:00:12.000000Z", "remoteStarted": "2026-11-21T05:00:02.000000Z"}


@pytest.fixture
def moving(fake):
    """Run what the server does in a thread of its own; it is over when the test is."""
    threads = []

    def start(*steps):
        thread = threading.Thread(target=lambda: [step() for step in steps])
        threads.append(thread)
        thread.start()

    yield start
    for thread in threads:
        thread.join()


async def no_pause(seconds):
    """Do not wait between tries, but let others run."""

    await asyncio.sleep(0)


def test_news_ends_the_waiting(fake, tapis, moving):
    uuid = fake.add_job("QUEUED")
    moving(lambda: fake.tell(uuid, "RUNNING"), lambda: fake.tell(uuid, "FINISHED", **ENDED))
    job = tapis.job(uuid).wait(timeout=30)
    assert job.last_status == "FINISHED"
    assert fake.opened == 1


def test_a_job_that_has_ended_already_is_not_waited_for(fake, tapis):
    job = tapis.job(fake.add_job("FINISHED", **ENDED)).wait(timeout=0)
    assert job.last_status == "FINISHED"
    assert fake.opened == 0


def test_a_stream_that_breaks_is_opened_again_and_what_was_missed_is_asked_for(fake, tapis, moving):
    uuid = fake.add_job("RUNNING")
    tapis.live = Live(tapis.connection, lambda: True, sleep=no_pause)

    def stop_and_finish():
        fake.streams[0].write(": the stream is read\n\n")
        fake.move(uuid, "FINISHED", **ENDED)
        fake.streams[0].end()

    moving(stop_and_finish)
    assert tapis.job(uuid).wait(timeout=30).last_status == "FINISHED"
    assert fake.opened == 2


def test_who_comes_late_and_is_not_answered_at_once_is_told_nevertheless(fake, tapis):
    tapis.live = Live(tapis.connection, lambda: True, sleep=no_pause)
    first = fake.add_job("RUNNING")
    heard: queue.SimpleQueue[News] = queue.SimpleQueue()
    stop = tapis.live.listen(first, heard.put)
    assert heard.get(timeout=30).job["uuid"] == first
    # It ended before anybody listened, so no news will ever tell.
    late = fake.add_job("FINISHED", **ENDED)
    answers = [error(503), error(503)]

    def busy_then_back(request):
        if answers:
            return answers.pop()
        del fake.instead[f"/v3/jobs/{late}"]
        return fake.answer(request)

    fake.instead[f"/v3/jobs/{late}"] = busy_then_back
    stop_late = tapis.live.listen(late, heard.put)
    assert heard.get(timeout=30).job["uuid"] == late
    assert not answers
    stop_late()
    stop()


def test_a_server_that_is_gone_for_a_while_is_waited_for(fake, tapis, moving):
    uuid = fake.add_job("RUNNING")
    tapis.live = Live(tapis.connection, lambda: True, sleep=no_pause)
    answers = [error(503), error(503)]

    def busy_then_back(request):
        if answers:
            return answers.pop()
        del fake.instead["/v3/jobs/events"]
        return fake._jobs_events(request)

    fake.instead["/v3/jobs/events"] = busy_then_back
    hello = ": the stream is read\n\n"
    moving(lambda: fake.streams[-1].write(hello), lambda: fake.tell(uuid, "FINISHED", **ENDED))
    assert tapis.job(uuid).wait(timeout=30).last_status == "FINISHED"


class Tenant:
    """A tenant whose jobs go on each time that it is asked for a list of them."""

    def __init__(self, *states):
        self.fake = FakeTapis(ours=False)
        self.tapis = self.fake.tapis()
        self.pauses = []
        self.tapis.live = Live(self.tapis.connection, lambda: False, sleep=self.pause)
        self.states = iter(states)
        self.fake.instead["/v3/jobs/search"] = self.search

    async def pause(self, seconds):
        self.pauses.append(seconds)
        # Whoever waits for nothing lets the others of its loop come in.
        await asyncio.sleep(0)

    def search(self, request):
        state = next(self.states, "FINISHED")
        if isinstance(state, httpx.Response):
            return state
        uuids = request.url.params["uuid.in"].split(",")
        for uuid in uuids:
            self.fake.jobs[uuid]["status"] = state
        return result([self.fake.jobs[uuid] for uuid in uuids])

    def asked(self, path):
        return [call for call in self.fake.calls if call[1] == path]


def test_on_a_tenant_one_list_tells_of_all_jobs_until_they_have_ended():
    tenant = Tenant("RUNNING", "RUNNING", "RUNNING", "ARCHIVING", "FINISHED")
    jobs = [tenant.tapis.job(tenant.fake.add_job("RUNNING")) for _ in range(3)]
    before = len(tenant.fake.calls)
    assert {job.last_status for job in tenant.tapis.wait(jobs, timeout=30)} == {"FINISHED"}
    assert tenant.fake.opened == 0
    assert {path for _, path in tenant.fake.calls[before:]} <= {"/v3/jobs/search", "/v3/tenants"}


def test_a_tenant_is_asked_less_often_while_nothing_changes():
    tenant = Tenant(*["RUNNING"] * 12)
    tenant.tapis.job(tenant.fake.add_job("RUNNING")).wait(timeout=30)
    looks = [pause for pause in tenant.pauses if pause >= 1]
    assert looks[:4] == [2.0, 3.0, 4.5, 6.75]
    assert max(looks) == 30.0


def test_a_busy_tenant_is_left_alone_for_as_long_as_it_asks():
    busy = httpx.Response(429, json={"message": "slow down"}, headers={"Retry-After": "70"})
    tenant = Tenant("RUNNING", busy, "RUNNING")
    tenant.tapis.job(tenant.fake.add_job("RUNNING")).wait(timeout=30)
    assert 70.0 in tenant.pauses


def test_a_hidden_job_of_a_tenant_is_asked_for_by_itself():
    tenant = Tenant()
    tenant.fake.instead["/v3/jobs/search"] = lambda request: result([])
    uuid = tenant.fake.add_job("RUNNING")
    job = tenant.tapis.job(uuid)
    tenant.fake.jobs[uuid]["status"] = "FINISHED"
    assert job.wait(timeout=30).last_status == "FINISHED"


def test_a_tight_loop_over_the_status_asks_a_tenant_once_a_second():
    tenant = Tenant()
    job = tenant.tapis.job(tenant.fake.add_job("RUNNING"))
    assert {job.status for _ in range(20)} == {"RUNNING"}
    assert len(tenant.asked(f"/v3/jobs/{job.uuid}")) == 2


def test_a_time_limit_ends_the_waiting_and_not_the_job(fake, tapis):
    uuid = fake.add_job("RUNNING", name="frame-1")
    with pytest.raises(
        JobError, match=r"frame-1 is still RUNNING after 0\.0 s\. It goes on; job\.wait\(\) waits"
    ):
        tapis.job(uuid).wait(timeout=0)


class CtrlC(Silent):
    """A person who stops the waiting when the job is seen running."""

    def show(self, line, *, change):
        if "RUNNING" in line:
            raise KeyboardInterrupt


def test_ctrl_c_leaves_with_one_line_and_the_job_goes_on(fake, tapis, moving):
    job = tapis.job(fake.add_job("QUEUED"))
    moving(lambda: fake.tell(job.uuid, "RUNNING"))
    with pytest.raises(WaitInterrupted) as caught:
        wait_for([job], tapis.live, CtrlC(), 30)
    assert caught.value._render_traceback_() == ["Stopped waiting. The job goes on; job.wait() waits again."]
    assert caught.value.__suppress_context__
    assert fake.jobs[job.uuid]["status"] == "RUNNING"


def test_an_error_that_does_not_pass_ends_the_waiting(fake, tapis):
    uuid = fake.add_job("RUNNING")
    job = tapis.job(uuid)
    del fake.jobs[uuid]
    with pytest.raises(NotFoundError):
        job.wait(timeout=30)


def test_check_raises_the_last_words_of_a_failed_job(fake, tapis):
    uuid = fake.add_job("FAILED", name="frame-1", exitCode=2)
    with pytest.raises(JobError, match="frame-1 FAILED: exit code 2"):
        tapis.job(uuid).wait(check=True)


def test_many_jobs_are_waited_for_over_one_stream(fake, tapis, moving):
    uuids = [fake.add_job("RUNNING") for _ in range(10)]
    moving(*[lambda uuid=uuid: fake.tell(uuid, "FINISHED", **ENDED) for uuid in uuids])
    assert {job.last_status for job in tapis.wait(uuids, timeout=30)} == {"FINISHED"}
    assert fake.opened == 1


class Shown(io.StringIO):
    """What a log shows; the thread of the server waits until it shows a word."""

    def __init__(self):
        super().__init__()
        self._more = threading.Condition()

    def write(self, text):
        with self._more:
            self._more.notify_all()
            return super().write(text)

    def until(self, word):
        with self._more:
            assert self._more.wait_for(lambda: word in self.getvalue(), 30), self.getvalue()


def test_a_log_gets_one_line_per_change(fake, tapis, moving):
    job = tapis.job(fake.add_job("QUEUED", name="frame-1"))
    out = Shown()
    moving(
        lambda: out.until("QUEUED"),
        lambda: fake.tell(job.uuid, "RUNNING"),
        lambda: out.until("RUNNING"),
        lambda: fake.tell(job.uuid, "FINISHED", **ENDED),
    )
    wait_for([job], tapis.live, LogLines(out), 30)
    lines = out.getvalue().splitlines()
    assert [line.split()[2] for line in lines] == ["QUEUED", "RUNNING", "FINISHED"]
    assert lines[-1] == "✓ frame-1  FINISHED  done in 12 s"


def test_the_line_of_a_running_job_shows_its_running_time(fake, tapis):
    uuid = fake.add_job("RUNNING", name="python-1", remoteStarted="1970-01-01T00:00:00.000000Z")
    assert one_line(tapis.job(uuid), 7.0) == "▶ python-1  RUNNING  00:07"


def test_following_prints_the_output_to_its_end(fake, tapis, capsys):
    uuid = fake.add_job("FINISHED")
    fake.outputs[uuid] = {"tapisjob.out": "grün\n".encode()}
    tapis.job(uuid).follow()
    assert capsys.readouterr().out == "grün\n"
