"""``purge``: nothing goes before it was listed and agreed to."""

import io
import json

import httpx
import pytest
from fake_tapis import result

from jupyter_tapis_jobs.cli import main

BEFORE = "2026-08-23T00:00:00.000000Z"
JOB = {
    "uuid": "u-1",
    "name": "frame\x1b[31m",
    "owner": "me",
    "status": "FINISHED",
    "ended": BEFORE,
    "execSystemId": "local",
}
HOST = {"systemId": "local", "effectiveUser": "me", "jobs": 1, "folders": 1, "size": 2048, "trouble": ""}


@pytest.fixture
def asked(fake):
    """What purge was asked for; the answer is ``asked.answer``."""

    class Asked(list):
        pass

    found = Asked()
    found.answer = {
        "before": BEFORE,
        "jobs": [JOB],
        "events": 9,
        "hosts": [HOST],
        "uploads": {"files": 2, "size": 4096},
        "kept": [],
    }

    def purge(request: httpx.Request) -> httpx.Response:
        found.append(json.loads(request.content))
        return result(found.answer | {"dryRun": found[-1]["dryRun"]})

    fake.instead["/v3/tapisjobs/purge"] = purge
    return found


@pytest.fixture
def terminal(monkeypatch):
    """``terminal("y")``: somebody sits there and answers."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    return lambda answer: monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))


def test_a_dry_run_lists_jobs_hosts_and_sizes_and_asks_nobody(run, asked):
    code, out, _ = run("purge", "--older", "90d", "--dry-run")
    assert code == 0
    assert [body["dryRun"] for body in asked] == [True]
    assert asked[0]["olderThanDays"] == 90
    assert "FINISHED" in out
    assert "1 jobs with 9 events of their history (ended before 2026-08-23T00:00:00 UTC)" in out
    assert "local as me: 1 jobs, 1 folders, 2.0 KB" in out
    assert "2 uploaded files that no job needs any more, 4.1 KB" in out
    assert out.endswith("Nothing was removed.\n")
    assert "\x1b" not in out


def test_what_was_listed_is_removed_once_somebody_agrees(run, asked, terminal):
    terminal("y")
    code, out, _ = run("purge", "--older", "12w")
    assert code == 0
    assert [body["dryRun"] for body in asked] == [True, False]
    # Not "12 weeks ago" again: a job may have become as old meanwhile.
    assert asked[1]["before"] == BEFORE
    assert "olderThanDays" not in asked[1]
    assert out.splitlines()[-1] == "1 jobs removed, 2.0 KB freed on hosts, 4.1 KB of uploads."


@pytest.mark.parametrize("answer", ["n", "", "maybe"])
def test_without_a_yes_nothing_goes(run, asked, terminal, answer):
    terminal(answer)
    assert run("purge", "--older", "90d")[1].endswith("Nothing was removed.\n")
    assert [body["dryRun"] for body in asked] == [True]


def test_a_script_must_say_yes(run, asked, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    code, _, err = run("purge", "--older", "90d")
    assert code == 1
    assert "--yes removes them, --dry-run only lists" in err
    assert run("purge", "--older", "90d", "--yes")[0] == 0
    assert asked[-1]["dryRun"] is False


def test_json_lists_and_removes_only_with_yes(run, asked):
    assert json.loads(run("purge", "--older", "90d", "--json")[1])["jobs"] == [JOB]
    assert [body["dryRun"] for body in asked] == [True]
    assert json.loads(run("purge", "--older", "90d", "--json", "--yes")[1])["dryRun"] is False


def test_nothing_old_is_said_so(run, asked):
    asked.answer = asked.answer | {"jobs": [], "hosts": [], "uploads": {"files": 0, "size": 0}}
    assert run("purge", "--older", "90d", "--yes")[1] == (
        "No job ended more than 90 days ago: there is nothing to remove.\n"
    )
    assert [body["dryRun"] for body in asked] == [True]


def test_jobs_that_stay_are_an_error_with_the_way_out(run, asked):
    away = HOST | {"systemId": "cluster", "size": None, "trouble": "cluster refuses connections"}
    asked.answer = asked.answer | {"hosts": [HOST, away], "kept": ["u-2"]}
    code, out, _ = run("purge", "--older", "90d", "--yes", "--all-users")
    assert code == 1
    assert asked[0]["allUsers"] is True
    assert "size unknown  ⚠ cluster refuses connections" in out
    assert "--forget-unreachable" in out
    assert "1 stay" in out.splitlines()[-1]


@pytest.mark.parametrize(("text", "days"), [("90d", 90), ("36h", 1.5), ("2y", 730), ("7", 7), ("1.5w", 10.5)])
def test_ages_have_units(run, asked, text, days):
    run("purge", "--older", text, "--dry-run")
    assert asked[0]["olderThanDays"] == days


@pytest.mark.parametrize("text", ["", "soon", "-3d", "90 fortnights"])
def test_an_odd_age_is_a_mistake_of_the_command_line(text, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["purge", f"--older={text}"])
    assert stop.value.code == 2
    assert "write 90d, 12w" in capsys.readouterr().err


def test_a_tenants_jobs_are_not_ours_to_remove(run, fake, asked):
    fake.ours = False
    code, _, err = run("purge", "--older", "90d", "--yes")
    assert code == 1
    assert "is a Tapis tenant" in err
    assert asked == []
