"""The doctor: what it finds, what it calls a problem, and the way out it gives."""

import json
import os
import sqlite3
import stat

import pytest
from fake_host import FakeHost
from fake_tapis import result

from jupyter_tapis_jobs import doctor
from jupyter_tapis_jobs.cli import main
from jupyter_tapis_jobs.doctor import Finding, State, Tool, as_text, examine, is_fit


@pytest.fixture
def look(tmp_path, monkeypatch):
    """``look("job store")`` examines a machine of its own and returns one finding."""
    for name in ("DATA", "CONFIG", "RUNTIME"):
        monkeypatch.setenv(f"JUPYTER_{name}_DIR", str(tmp_path / name.lower()))
    # Else a virtual environment comes before the folder of its user.
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    monkeypatch.setattr(doctor, "TOOLS", ())

    def look(name):
        return next(finding for finding in examine(tmp_path / "jobs") if finding.name == name)

    return look


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "jobs"
    folder.mkdir(mode=0o700)
    return folder


def test_a_data_folder_that_is_not_there_yet_is_no_problem(look):
    finding = look("data folder")
    assert finding.state is State.OK
    assert "will be made at the first start" in finding.detail


def test_a_data_folder_open_to_others_is_a_problem_with_its_way_out(look, folder):
    folder.chmod(0o755)
    finding = look("data folder")
    assert finding.state is State.PROBLEM
    assert finding.way_out == f"chmod 700 {folder}"


@pytest.mark.needs("not root")
def test_a_data_folder_that_cannot_be_written_is_a_problem(look, folder):
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert look("data folder").state is State.PROBLEM


def test_a_sound_store_is_said_to_be_sound(look, folder):
    with sqlite3.connect(folder / "jobs.sqlite") as store:
        store.execute("CREATE TABLE jobs (id INTEGER)")
    store.close()
    finding = look("job store")
    assert finding.state is State.OK
    assert "sound" in finding.detail


def test_a_damaged_store_is_a_problem_and_names_the_backup(look, folder):
    (folder / "jobs.sqlite").write_bytes(b"this is not a database, by any means" * 200)
    finding = look("job store")
    assert finding.state is State.PROBLEM
    assert str(folder / "backup") in finding.way_out


def test_looking_at_a_store_changes_nothing(look, folder):
    with sqlite3.connect(folder / "jobs.sqlite") as store:
        store.execute("CREATE TABLE jobs (id INTEGER)")
    store.close()
    before = sorted(os.listdir(folder)), (folder / "jobs.sqlite").read_bytes()
    look("job store")
    assert (sorted(os.listdir(folder)), (folder / "jobs.sqlite").read_bytes()) == before


def test_a_folder_enabled_by_a_config_file_is_found(look, tmp_path):
    file = tmp_path / "config" / "jupyter_server_config.d" / "jupyter_tapis_jobs.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"ServerApp": {"jpserver_extensions": {"jupyter_tapis_jobs": True}}}))
    assert look("server extension").detail == f"enabled by {file}"


@pytest.fixture
def servers(monkeypatch, fake):
    """Two running servers, both the client's small Tapis."""
    records = [{"url": "http://127.0.0.1:8888/", "token": "secret", "pid": pid} for pid in (1, 2)]
    monkeypatch.setattr(doctor, "running_servers", lambda: records)
    monkeypatch.setattr(doctor, "engine_of", lambda endpoint: {"version": "0.1.0", "engine": {"state": "up"}})
    monkeypatch.setattr(doctor, "Connection", lambda endpoint: fake.connection())
    return fake


def test_a_host_in_trouble_is_no_problem_of_this_machine_and_has_its_way_out(look, servers):
    FakeHost(servers)
    finding = look("frontera")
    assert (finding.group, finding.state) == ("hosts", State.MISSING)
    assert finding.detail == "trouble  It refuses connections."
    assert finding.way_out == "jupyter tapisjobs host check frontera"


def test_a_host_that_answers_is_fine(look, servers):
    rows = [{"id": "frontera", "state": "connected", "message": "Connected.", "nextTry": None}]
    servers.instead["/v3/tapisjobs/hosts"] = lambda request: result(rows)
    assert look("frontera").state is State.OK


def test_each_group_is_told_once_also_with_two_servers(look, servers):
    FakeHost(servers)
    look("frontera")
    lines = as_text(examine()).splitlines()
    assert [lines.count(group) for group in ("servers", "hosts")] == [1, 1]


def test_no_running_server_is_told_with_the_ways_to_start_one(look):
    finding = look("none")
    assert finding.group == "servers"
    assert "jupyter tapisjobs serve" in finding.way_out


def test_a_tool_that_answers_is_shown_with_its_first_line(tmp_path, monkeypatch):
    script = tmp_path / "sbatch"
    script.write_text("#!/bin/sh\necho slurm 23.11.4\necho more\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    finding = doctor._tool(
        Tool("schedulers", "sbatch", ("sbatch", "--version"), "Slurm", "go to a login node")
    )
    assert (finding.state, finding.detail) == (State.OK, f"slurm 23.11.4  {script}")


def test_a_tool_that_fails_is_not_said_to_work(tmp_path, monkeypatch):
    script = tmp_path / "docker"
    script.write_text("#!/bin/sh\necho 'no daemon' >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    finding = doctor._tool(
        Tool("runtimes", "docker", ("docker", "version"), "DOCKER apps", "start its daemon")
    )
    assert finding.state is State.MISSING
    assert "does not answer" in finding.detail
    assert finding.way_out == "start its daemon"


def test_only_a_problem_makes_the_machine_unfit():
    fine = Finding("a", "b", State.OK, "there")
    absent = Finding("a", "c", State.MISSING, "not there", "get it")
    assert is_fit([fine, absent])
    assert not is_fit([fine, Finding("a", "d", State.PROBLEM, "broken", "mend it")])


def test_the_last_sentence_names_what_stops_jobs():
    text = as_text([Finding("data", "job store", State.PROBLEM, "damaged", "put back a copy")])
    assert text.endswith("Jobs cannot run yet: see job store.")
    assert "→ put back a copy" in text


def test_the_json_form_tells_the_same(look, tmp_path, capsys):
    code = main(["doctor", "--json", "--data-dir", str(tmp_path / "jobs")])
    told = json.loads(capsys.readouterr().out)
    assert told["fit"] is (code == 0)
    assert {"group", "name", "state", "detail", "way_out"} == set(told["findings"][0])
