"""``jupyter tapisjobs host``: add, list and check from a terminal, with its exit codes."""

import io
import json

import pytest
from fake_host import FINGERPRINT, SYSTEM, Answers, FakeHost
from fake_tapis import result

from jupyter_tapis_jobs import cli_hosts
from jupyter_tapis_jobs.cli import main


@pytest.fixture
def host(fake):
    fake.systems["frontera"] = SYSTEM
    return FakeHost(fake, pinned="")


@pytest.mark.parametrize("word", ["add", "list", "check"])
def test_every_word_has_help(word, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["host", word, "--help"])
    assert stop.value.code == 0
    assert f"usage: jupyter tapisjobs host {word}" in capsys.readouterr().out


def test_a_host_is_added_with_its_fingerprint_and_says_what_was_found(run, host):
    code, out, _ = run("host", "add", "frontera", "--user", "train301", "--trust", FINGERPRINT)
    assert code == 0
    assert "Slurm 23.11 · queues development" in out
    assert out.endswith("or in a notebook with --system frontera.\n")
    assert host.bodies[-1]["user"] == "train301"


def test_json_holds_nothing_but_the_report(run, host):
    code, out, err = run("host", "add", "frontera", "--trust", FINGERPRINT, "--json")
    assert code == 0
    assert json.loads(out)[0]["scheduler"] == "Slurm 23.11"
    assert "work directory" in err


def test_without_a_terminal_an_unknown_key_names_the_option(run, host, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    code, _, err = run("host", "add", "frontera")
    assert code == 1
    assert f"use --trust {FINGERPRINT}." in err


def test_a_password_comes_from_standard_input(run, host, monkeypatch):
    host.wants = {"password": "hunter2"}
    monkeypatch.setattr("sys.stdin", io.StringIO("hunter2\nmore\n"))
    assert run("host", "add", "frontera", "--trust", FINGERPRINT, "--password-stdin")[0] == 0


def test_an_empty_standard_input_is_no_password(run, host, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    code, _, err = run("host", "add", "frontera", "--trust", FINGERPRINT, "--password-stdin")
    assert (code, host.bodies) == (1, [])
    assert "standard input is empty" in err


def test_a_fingerprint_that_is_none_is_not_sent(run, host):
    code, _, err = run("host", "add", "frontera", "--trust", "yes")
    assert (code, host.bodies) == (1, [])
    assert "is not a fingerprint as `ssh-keygen -lf` shows it" in err


def test_a_wrong_password_of_a_script_is_told_once(run, host, monkeypatch):
    host.wants = {"password": "right"}
    monkeypatch.setattr("sys.stdin", io.StringIO("wrong\n"))
    code, out, err = run("host", "add", "frontera", "--trust", FINGERPRINT, "--password-stdin")
    assert (code, out) == (1, "")
    assert err == "jupyter tapisjobs: frontera does not take this password.\n"


def test_a_taken_name_names_the_option(run, host):
    host.taken = True
    assert "To change it: use --replace." in run("host", "add", "frontera", "--trust", FINGERPRINT)[2]


def test_the_terminal_asks_the_same_questions(run, host, monkeypatch):
    person = Answers([True, "123456"])
    host.wants = {"code": "123456"}
    monkeypatch.setattr(cli_hosts, "AtTheCommandLine", lambda: person)
    assert run("host", "add", "frontera")[0] == 0
    assert person.questions == [
        f"frontera: key {FINGERPRINT} (new). Trust it?",
        "frontera: TACC Token Code:",
    ]


def test_the_list_tells_state_cause_and_next_try(run, host):
    code, out, _ = run("host", "list")
    assert code == 0
    assert out.splitlines()[0].split() == ["id", "state", "message", "nextTry", "user"]
    assert "trouble  It refuses connections.  2026-11-21T05:02:00.000000Z" in out


def test_without_hosts_the_list_says_how_to_add_one(run, fake):
    fake.instead["/v3/tapisjobs/hosts"] = lambda request: result([])
    assert "The first one: jupyter tapisjobs host add NAME" in run("host", "list")[1]


def test_a_check_of_all_hosts_is_good_when_all_answer(run, host):
    host.pinned = FINGERPRINT
    code, out, _ = run("host", "check")
    assert code == 0
    assert "frontera  connected  Slurm 23.11 · queues development (40 nodes, 2 h) · arrays up to 1000" in out


def test_a_host_in_trouble_makes_the_exit_code_one_and_says_why(run, host, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    host.pinned, host.wants = FINGERPRINT, {"code": "123456"}
    code, out, _ = run("host", "check", "frontera")
    assert code == 1
    assert "Nobody is here to ask: use --code CODE." in out
    assert run("host", "check", "frontera", "--code", "123456")[0] == 0
