"""Tokens given out and taken back, and old jobs removed, on a real server with two people."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from jupyter_tapis_jobs.cli import main
from jupyter_tapis_jobs.client.connection import Connection
from jupyter_tapis_jobs.client.endpoint import Endpoint
from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.model.errors import (
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
)
from jupyter_tapis_jobs.server.identity import TOKEN_HEADER


@pytest.fixture(scope="module")
def front(tmp_path_factory, running_server):
    """A server of its own: all its jobs are purged. It keeps them for 30 days anyway."""
    with running_server(tmp_path_factory.mktemp("purge"), "--TapisJobsApp.retention_days=30") as server:
        yield server


@pytest.fixture(scope="module")
def tapis(front):
    client = front.tapis()
    with closing(client.connection):
        yield client


@pytest.fixture
def person(front):
    """``person(token)``: a client that is signed in with that token."""
    clients = []

    def signed_in(token):
        endpoint = Endpoint(url=front.endpoint.url, headers={TOKEN_HEADER: token})
        clients.append(Tapis(Connection(endpoint)))
        return clients[-1]

    yield signed_in
    for client in clients:
        client.connection.close()


@pytest.fixture
def run(tapis, capsys):
    """``run("purge", …, by=client)``: exit code, output and complaint of a command."""

    def run(*words, by=tapis):
        code = main(words, connect=lambda url: by)
        told = capsys.readouterr()
        return code, told.out.strip(), told.err.strip()

    return run


# --- tokens -----------------------------------------------------------------------------------
def test_a_token_for_another_user_is_good_until_it_is_taken_back(run, person):
    adas = person(run("token", "--user", "ada")[1])
    assert adas.connection.get("/v3/oauth2/userinfo")["username"] == "ada"
    run("token")
    (hers,) = json.loads(run("token", "list", "--json", by=adas)[1])
    everybodys = json.loads(run("token", "list", "--json")[1])
    assert {"ada", hers["username"]} < {row["username"] for row in everybodys}
    not_hers = next(row["id"] for row in everybodys if row["username"] != "ada")
    code, _, err = run("token", "revoke", not_hers, by=adas)
    assert (code, "or it is not yours" in err) == (1, True)
    assert run("token", "revoke", hers["id"])[1] == "Token of ada revoked."
    with pytest.raises(NotSignedInError):
        adas.connection.get("/v3/jobs/list")
    assert run("token", "revoke", hers["id"])[1] == "The token was revoked already."


def test_only_the_servers_user_gives_tokens_to_others(run, person):
    adas = person(run("token", "--user", "ada")[1])
    code, out, err = run("token", "--user", "bob", by=adas)
    assert (code, out) == (1, "")
    assert "bob" in err or "server's own user" in err


# --- purge ------------------------------------------------------------------------------------
@pytest.fixture
def done(tapis):
    """A job that has ended, with its folder on this machine."""
    job = tapis.submit("bash", script="echo hello > out.txt")
    job.wait(progress=False)
    return job


def _place(job):
    return Path("/") / str(job.row["execSystemExecDir"]).lstrip("/")


def test_nobody_purges_the_jobs_of_others(run, done, person):
    adas = person(run("token", "--user", "ada")[1])
    code, out, _ = run("purge", "--older", "0d", "--yes", by=adas)
    assert (code, out) == (0, "No job ended more than 0 days ago: there is nothing to remove.")
    assert "server's own user" in run("purge", "--older", "0d", "--yes", "--all-users", by=adas)[2]
    body = {"olderThanDays": 0, "allUsers": True, "dryRun": False}
    with pytest.raises(NotAllowedError):
        adas.connection.post("/v3/tapisjobs/purge", body)
    assert done.read("out.txt") == "hello\n"


def test_what_a_dry_run_lists_goes_and_what_runs_stays(tapis, run, done, until):
    running = tapis.submit("bash", script="echo begun; exec sleep 600")
    until(lambda: tapis.job(running.uuid).status == "RUNNING")
    place = _place(done)
    code, out, _ = run("purge", "--older", "0d", "--dry-run")
    assert code == 0
    assert done.uuid in out
    assert running.uuid not in out
    assert place.exists()
    listed = {row["uuid"] for row in json.loads(run("purge", "--older", "0d", "--json")[1])["jobs"]}
    code, out, _ = run("purge", "--older", "0d", "--yes")
    assert code == 0
    assert f"{len(listed)} jobs removed" in out
    assert not place.exists()
    with pytest.raises(NotFoundError):
        tapis.job(done.uuid)
    assert tapis.jobs()["uuid"].tolist() == [running.uuid]
    assert (tapis.job(running.uuid).status, _place(running).exists()) == ("RUNNING", True)
    assert "begun" in running.read("tapisjob.out")
    running.cancel()
    running.wait(progress=False)


def test_a_purge_that_says_no_age_is_told_what_to_say(tapis):
    with pytest.raises(InvalidInputError, match="olderThanDays is missing"):
        tapis.connection.post("/v3/tapisjobs/purge", {"dryRun": False})
    with pytest.raises(InvalidInputError, match="is no time"):
        tapis.connection.post("/v3/tapisjobs/purge", {"before": "yesterday"})
