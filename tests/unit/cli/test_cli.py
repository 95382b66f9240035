"""The command line: what is printed, what is said of mistakes, and the exit codes."""

import io
import json

import pytest

from jupyter_tapis_jobs.cli import COMMANDS, main
from jupyter_tapis_jobs.cli_parts import table
from jupyter_tapis_jobs.model.errors import UnavailableError


@pytest.fixture
def request_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "job.yaml"
    file.write_text("name: frame\nappId: bash\nmaxMinutes: 5\n")
    return file


# --- help and mistakes of the command line ----------------------------------------------------
@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"usage: jupyter tapisjobs {command}" in capsys.readouterr().out


def test_a_misspelt_command_names_the_nearest(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["submitt"])
    assert stop.value.code == 2
    assert "'submitt' is no command. Did you mean 'submit'?" in capsys.readouterr().err


def test_an_error_is_one_sentence_without_traceback(run):
    code, out, err = run("status", "no-such-job")
    assert (code, out) == (1, "")
    assert err == "jupyter tapisjobs: There is no job no-such-job.\n"


def test_debug_shows_the_full_story(run):
    code, _, err = run("status", "no-such-job", "--debug")
    assert code == 1
    assert "Traceback" in err


def test_no_server_says_how_to_start_one(capsys):
    def nowhere(url):
        raise UnavailableError("No server. Start one with `jupyter tapisjobs serve`.")

    assert main(["list"], connect=nowhere) == 1
    assert "jupyter tapisjobs serve" in capsys.readouterr().err


def test_ctrl_c_is_told_apart_from_a_failure(capsys):
    def interrupted(url):
        raise KeyboardInterrupt

    assert main(["list"], connect=interrupted) == 130
    assert "Traceback" not in capsys.readouterr().err


# --- submit -----------------------------------------------------------------------------------
def test_a_request_in_a_file_is_submitted_as_it_is(run, fake, request_file):
    code, out, _ = run("submit", str(request_file))
    assert code == 0
    uuid = next(iter(fake.jobs))
    assert out == f"{uuid}  frame  PENDING\n"
    assert fake.last_request()["maxMinutes"] == 5


def test_a_request_can_come_from_standard_input(run, fake, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO('{"name": "piped", "appId": "bash"}'))
    assert run("submit", "-")[0] == 0
    assert fake.last_request()["name"] == "piped"


def test_a_missing_file_names_the_nearest_request_here(run, request_file):
    code, _, err = run("submit", "jbo.yaml")
    assert code == 1
    assert "jbo.yaml is not there. Did you mean 'job.yaml'? Requests here: job.yaml." in err


def test_a_dry_run_shows_request_and_script_and_submits_nothing(run, fake, request_file):
    code, out, _ = run("submit", str(request_file), "--dry-run")
    assert code == 0
    assert '"appId": "bash"' in out
    assert "#!/bin/sh\nrun" in out
    assert fake.jobs == {}


def test_a_dry_run_as_json_is_for_programs(run, request_file):
    _, out, _ = run("submit", str(request_file), "--dry-run", "--json")
    shown = json.loads(out)
    assert shown["request"]["appId"] == "bash"
    assert shown["warnings"] == ["odd"]


# --- finding ----------------------------------------------------------------------------------
def test_the_list_has_the_newest_first_and_says_when_there_are_more(run, fake):
    for name in ("first", "second", "third"):
        fake.add_job("FINISHED", name=name, ended="2026-11-21T05:00:09Z")
    code, out, _ = run("list", "--limit", "2")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["uuid", "name", "status", "appId", "execSystemId", "created", "age"]
    assert [line.split()[1] for line in lines[1:3]] == ["third", "second"]


def test_the_filters_of_the_list_run_on_the_server(run, fake):
    fake.add_job("FAILED", name="bad")
    fake.add_job("FINISHED", name="good")
    _, out, _ = run("list", "--status", "failed", "--json")
    assert [row["name"] for row in json.loads(out)] == ["bad"]
    assert fake.queries[-1]["status.eq"] == "FAILED"


def test_an_empty_list_says_so(run):
    assert run("list")[1] == "No jobs yet.\n"


def test_an_unknown_status_names_the_statuses(run):
    code, _, err = run("list", "--status", "FINISH")
    assert code == 1
    assert "Did you mean 'FINISHED'?" in err


def test_the_status_of_a_failed_job_says_why(run, fake):
    uuid = fake.add_job("FAILED", name="frame", lastMessage="the app ended with exit code 3", condition=None)
    code, out, _ = run("status", uuid)
    assert code == 0
    assert out.startswith("✗ frame  FAILED")
    assert "exit code 3" in out


def test_the_history_has_a_row_for_every_event(run, fake):
    uuid = fake.add_job()
    fake.move(uuid, "RUNNING")
    lines = run("history", uuid)[1].splitlines()
    assert [line.split()[2] for line in lines] == ["eventDetail", "PENDING", "RUNNING"]


# --- outputs ----------------------------------------------------------------------------------
@pytest.fixture
def finished(fake):
    uuid = fake.add_job("FINISHED")
    fake.outputs[uuid] = {"tapisjob.out": b"hello\n", "sub/disp.csv": b"a\n1\n"}
    return uuid


def test_outputs_are_listed_by_path(run, finished):
    assert run("output-list", finished)[1].splitlines() == ["sub/disp.csv", "tapisjob.out"]


def test_the_long_list_has_sizes(run, finished):
    lines = run("output-list", "-L", finished)[1].splitlines()
    assert lines[0].split() == ["size", "lastModified", "path"]
    assert lines[2].startswith("6 B ")


def test_a_folder_narrows_the_list_and_a_wrong_one_is_named(run, finished):
    assert run("output-list", finished, "sub")[1] == "sub/disp.csv\n"
    code, _, err = run("output-list", finished, "tapisjob.ou")
    assert code == 1
    assert "Did you mean 'tapisjob.out'?" in err


def test_one_output_is_fetched_into_the_folder(run, finished, tmp_path):
    code, out, _ = run("output-get", finished, "sub/disp.csv", "--to", str(tmp_path))
    assert code == 0
    assert out.strip() == str(tmp_path / "disp.csv")
    assert (tmp_path / "disp.csv").read_bytes() == b"a\n1\n"


def test_all_and_one_at_once_is_refused(run, finished):
    code, _, err = run("output-get", "-r", finished, "disp.csv")
    assert code == 1
    assert "leave out -r" in err


# --- steering ---------------------------------------------------------------------------------
def test_a_resubmit_changes_what_is_set(run, fake, request_file):
    run("submit", str(request_file))
    uuid = next(iter(fake.jobs))
    assert run("resubmit", uuid, "--set", "maxMinutes=20", "--set", "name=again")[0] == 0
    assert fake.last_request()["maxMinutes"] == 20
    assert fake.last_request()["name"] == "again"


def test_a_change_without_a_value_says_the_form(run, fake):
    code, _, err = run("resubmit", fake.add_job(), "--set", "maxMinutes")
    assert code == 1
    assert "must be FIELD=VALUE" in err


def test_cancel_ends_what_can_be_ended_and_tells_what_cannot(run, fake):
    running, done = fake.add_job("RUNNING"), fake.add_job("FINISHED")
    code, out, _ = run("cancel", done, running)
    assert code == 1
    assert f"{running}  CANCELLED" in out
    assert f"job {done} has ended" in out
    assert fake.jobs[running]["status"] == "CANCELLED"


# --- tables -----------------------------------------------------------------------------------
def test_a_table_has_its_columns_in_line():
    assert table([{"a": 1, "bb": None}, {"a": "long", "bb": 2}]) == "a     bb\n1\nlong  2"


def test_an_empty_table_says_none():
    assert table([]) == "none"
