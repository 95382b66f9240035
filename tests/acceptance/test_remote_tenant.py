"""A notebook works with a Tapis tenant that is not ours: nothing is sent but what Tapis has published.

The tenant is our own server with all that is ours switched off; every request is held against the
specifications that tapipy ships.
"""

from __future__ import annotations

import getpass
import json
import re
import uuid
from collections import Counter
from unittest import mock

import httpx
import pytest
from plain_http import bash
from recorded import recorded
from tapipy_user import sign_in
from tapis_specs import names, operation_of

import jupyter_tapis_jobs as tj
from jupyter_tapis_jobs.cli import main
from jupyter_tapis_jobs.client import connect as connecting
from jupyter_tapis_jobs.client import live
from jupyter_tapis_jobs.client.tapis import TapisJobsWarning
from jupyter_tapis_jobs.model.extensions import Extension
from jupyter_tapis_jobs.server.table import TABLE

pytestmark = pytest.mark.needs("tapipy")

ME = getpass.getuser()
CARD = "application/vnd.tapisjobs.job+json"


@pytest.fixture(scope="module")
def tenant(tmp_path_factory, running_server):
    """A server that answers Tapis's published API only."""
    with running_server(tmp_path_factory.mktemp("tenant"), "--TapisJobsApp.published_only=True") as running:
        yield running


@pytest.fixture(scope="module")
def traffic(tenant):
    """All that is sent to it, in order."""
    # It is our own machine, which need not be spared.
    with recorded(tenant.endpoint.url) as found, mock.patch.object(live, "_LOOK", 0.3):
        yield found


@pytest.fixture(scope="module")
def remote(tenant, traffic, tmp_path_factory):
    """The tenant as a notebook elsewhere has it, signed in by name and password."""
    uploads = f"tapis://local{tmp_path_factory.mktemp('uploads')}"
    found = tj.connect(tenant.endpoint.url, username=ME, password=tenant.token, uploads=uploads)
    yield found
    found.connection.close()


@pytest.fixture(scope="module")
def done(remote):
    """A finished job with outputs."""
    job = remote.submit(
        "bash", script="cat k.txt; echo a,b > t.csv; echo 1,2 >> t.csv", files={"k.txt": "3\n"}
    )
    return job.wait(timeout=180, progress=False)


@pytest.fixture
def since(traffic):
    """Return the operations called since the test began."""
    start = len(traffic.sent)
    return lambda: traffic.operations(start)


# --- signing in


def test_a_name_and_a_password_are_changed_for_one_token(remote, traffic, done):
    tokens = [one for one in traffic.sent if one.operation == "authenticator.create_token"]
    assert [one.body["grant_type"] for one in tokens] == ["password"]
    later = {one.operation: one for one in traffic.sent}["jobs.submitJob"]
    assert later.headers["X-Tapis-Token"].startswith("eyJ")


def test_a_token_signs_in_without_a_password(tenant, traffic, done, since):
    token = sign_in(tenant.url, tenant.token).access_token.access_token
    found = tj.connect(tenant.endpoint.url, token=token)
    assert found.job(done.uuid).status == "FINISHED"
    assert "authenticator.create_token" not in since()
    found.connection.close()


def test_the_tenant_is_not_taken_for_our_own_server(remote):
    assert remote.server() is None
    assert not any(remote.can(ability) for ability in Extension)


# --- one job


def test_a_job_runs_and_its_outputs_are_read(remote, done, tmp_path):
    assert done.status == "FINISHED"
    assert done.read("tapisjob.out") == "3\n"
    assert done.read_csv("t.csv").to_dict("list") == {"a": [1], "b": [2]}
    assert "t.csv" in set(done.outputs()["path"])
    assert done.history()["eventDetail"].tolist()[-1] == "FINISHED"
    folder = done.download(to=tmp_path)
    assert (folder / "t.csv").read_text() == "a,b\n1,2\n"


def test_inputs_are_uploaded_once_and_not_sent_inside_the_request(remote, traffic, since):
    jobs = [remote.submit("bash", script="cat k.txt", files={"k.txt": "once\n"}) for _ in range(2)]
    sources = [item["sourceUrl"] for job in jobs for item in job.request()["fileInputs"]]
    assert len(sources) == 4
    assert all(source.startswith("tapis://local/") for source in sources)
    assert Counter(since())["files.insert"] == 2, "script and k.txt, for both jobs together"
    remote.wait(jobs, timeout=180, progress=False)
    assert [job.read() for job in jobs] == ["once\n", "once\n"]


def test_a_growing_output_is_followed_by_looking_again(remote, capsys, monkeypatch):
    monkeypatch.setattr(type(remote), "pause", lambda self, seconds: None)
    remote.submit("bash", script="echo one; echo two").follow()
    assert capsys.readouterr().out == "one\ntwo\n"


def test_a_failed_job_says_why_and_is_submitted_again_with_changes(remote):
    job = remote.submit("bash", script="echo cannot converge >&2; exit ${CODE:-7}", maxMinutes=3)
    job.wait(timeout=180, progress=False)
    assert "cannot converge" in str(job.failure)
    again = job.resubmit(env={"CODE": 0}, maxMinutes=4).wait(timeout=180, progress=False)
    assert (again.status, again.row["maxMinutes"]) == ("FINISHED", 4)


def test_a_running_job_is_cancelled(remote, until):
    job = remote.submit("bash", script="exec sleep 600")
    until(lambda: job.refresh().last_status == "RUNNING")
    job.cancel()
    assert job.wait(timeout=180, progress=False).status == "CANCELLED"


def test_a_dry_run_shows_the_request_that_would_be_sent(remote, since):
    shown = remote.validate("bash", script="true", name="dry")
    assert shown.request["name"] == "dry"
    assert not any(name.startswith("jobs.") for name in since())


# --- many jobs


def test_many_jobs_are_asked_for_in_one_list_and_none_by_itself(remote, since):
    cases = [{"script": f"echo n > t.csv; echo {n} >> t.csv", "name": f"case-{n}"} for n in range(12)]
    jobs = remote.submit_many(cases, appId="bash", maxMinutes=2)
    remote.wait(jobs, timeout=180, progress=False)
    counts = Counter(since())
    assert counts["jobs.submitJob"] == 12
    assert counts["jobs.getJob"] == counts["jobs.getJobStatus"] == 0
    assert 1 <= counts["jobs.getJobSearchList"] <= 12
    frame = remote.collect(jobs, "t.csv")
    assert frame["n"].tolist() == list(range(12))
    assert frame["jobUuid"].tolist() == [job.uuid for job in jobs]


def test_jobs_are_a_frame_filtered_by_the_tenant(remote, done):
    frame = remote.jobs(status="FINISHED", app="bash", since="1d")
    assert done.uuid in set(frame["uuid"])
    assert set(frame["status"]) == {"FINISHED"}
    assert str(frame["created"].dtype).endswith("UTC]")
    assert len(remote.jobs(limit=3)) == 3


def test_a_refused_case_is_told_and_the_others_run(remote):
    with pytest.warns(TapisJobsWarning, match="1 of 2 jobs were refused"):
        good, bad = remote.submit_many([{"maxMinutes": 2}, {"maxMinutes": -1}], appId="bash", script="true")
    assert "maxMinutes" in bad.message
    assert good.wait(timeout=180, progress=False).status == "FINISHED"


# --- apps, systems, files


def test_apps_systems_and_files_are_shown(remote, tmp_path):
    assert {"bash", "python"} <= set(remote.apps()["id"])
    assert "local" in set(remote.systems()["id"])
    assert remote.app("bash")["version"] == "1.0"
    (tmp_path / "here.txt").write_text("here")
    assert remote.files("local", str(tmp_path))["name"].tolist() == ["here.txt"]


def test_hosts_are_of_our_own_server_only(remote):
    with pytest.raises(tj.TapisJobsError):
        remote.hosts()


# --- notebook


@pytest.fixture
def shell(tenant, traffic, remote, one_shell, monkeypatch):
    """A notebook's shell that finds the tenant in its environment."""
    monkeypatch.setenv("TAPIS_BASE_URL", tenant.endpoint.url)
    monkeypatch.setenv("TAPIS_USER", ME)
    monkeypatch.setenv("TAPIS_PASSWORD", tenant.token)
    monkeypatch.setattr(connecting, "_connected", {})
    tj.load_ipython_extension(one_shell)
    before = set(one_shell.user_ns)
    yield one_shell
    for name in set(one_shell.user_ns) - before:
        del one_shell.user_ns[name]
    for tapis in connecting._connected.values():
        tapis.connection.close()


def test_the_magic_runs_a_cell_and_gives_its_output(shell, monkeypatch):
    cell = "%%tapisjob bash -o job --minutes 2 --out t.csv=table --wait\necho n > t.csv\necho 5 >> t.csv"
    result = shell.run_cell(cell)
    result.raise_error()
    assert shell.user_ns["job"].status == "FINISHED"
    assert shell.user_ns["table"]["n"].tolist() == [5]
    shown = shell.run_cell("%tapisjobs FINISHED --limit 2")
    assert len(shown.result) == 2


def test_the_card_is_kept_up_to_date_without_a_stream(remote, monkeypatch):
    from jupyter_tapis_jobs.notebook import cards

    class Handle:
        def display(self, bundle, raw):
            self.last = bundle

        update = display

    handle = Handle()
    monkeypatch.setattr(cards, "in_notebook", lambda: True)
    card = cards.show(remote.submit("bash", script="echo hello; echo 1 > t.csv"), handle)
    card.settle(60)
    last = handle.last[CARD]
    assert last["job"]["status"] == "FINISHED"
    assert last["tail"] == ["hello"]
    assert "t.csv" in [row["path"] for row in last["outputs"]]
    assert [status for status, _ in last["history"]][-1] == "FINISHED"


# --- sharing, notifications, definitions, the command line


def test_a_job_is_shared_and_its_news_are_subscribed_to(remote, done):
    done.share("ada")
    assert set(done.shares()["user"]) == {"ada"}
    done.unshare("ada")
    job = remote.submit("bash", script="true")
    assert job.notify("https://93.184.216.34/hook", on="JOB_USER_EVENT") is job
    job.wait(timeout=180, progress=False)


def test_the_command_line_works_with_a_tenant(remote, done, tmp_path, capsys, monkeypatch):
    def told(*words):
        capsys.readouterr()
        assert main(words, connect=lambda url: remote) == 0
        return capsys.readouterr().out

    monkeypatch.chdir(tmp_path)
    assert done.uuid in told("list", "--limit", "0")
    assert "FINISHED" in told("status", done.uuid)
    assert "RUNNING" in told("history", done.uuid)
    assert "t.csv" in told("output-list", "-L", done.uuid)
    told("output-get", done.uuid, "t.csv")
    assert (tmp_path / "t.csv").read_text() == "a,b\n1,2\n"
    told("resubmit", done.uuid, "--set", "maxMinutes=3")
    definition = {"id": "brought", "version": "1", "runtime": "ZIP", "containerImage": "/nowhere.zip"}
    (tmp_path / "app.json").write_text(json.dumps(definition))
    told("import", "app.json")
    assert '"brought"' in told("export", "brought")


# --- all that was sent, and what the tenant is without


def test_nothing_is_sent_that_tapis_has_not_published(traffic, done):
    assert names({fault for one in traffic.sent for fault in one.faults()}) == ""


def test_every_route_that_is_not_tapis_belongs_to_an_extension():
    ours = [route for route in TABLE if operation_of(route.method, _example(route.path)) is None]
    # Published by Tapis, but not in the specifications of tapipy.
    of_tapis = {"putJobAnnotations", "patchJobAnnotations"}
    assert {route.operation for route in ours if route.extension is None} == of_tapis
    assert all(route.extension is None or route in ours for route in TABLE)


def _example(path):
    return re.sub(r"\{\w+\}", "x", path.replace("{jobUuid}", f"{uuid.uuid4()}-007"))


def test_what_is_ours_is_not_there(tenant):
    """Whoever breaks the rule above would be told so by the tenant."""
    with httpx.Client(base_url=tenant.endpoint.url, headers=dict(tenant.endpoint.headers)) as http:
        for path in ("/v3/jobs/events", "/v3/tapisjobs/server", "/v3/tapisjobs/hosts", "/v3/openapi.json"):
            assert http.get(path).status_code == 404
        for path in ("submit/bulk", "validate", "cancel/bulk"):
            assert http.post(f"/v3/jobs/{path}", json=[]).status_code in (404, 405)
        inline = http.post("/v3/jobs/submit", json=bash("true"))
        assert "answers only Tapis's published API" in inline.json()["message"]
