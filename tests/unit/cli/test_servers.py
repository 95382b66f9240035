"""Servers found and started: what is said when that does not go well."""

import signal
import socket
import subprocess
import sys

import pytest

from jupyter_tapis_jobs import servers
from jupyter_tapis_jobs.demo import first_notebook
from jupyter_tapis_jobs.model.errors import UnavailableError


def test_a_server_that_ends_at_once_is_told_with_its_last_words(tmp_path):
    with (
        pytest.raises(UnavailableError, match=r"ended as it started(.|\n)*No module named no_such_module"),
        servers.started(tmp_path, tmp_path / "log", module="no_such_module"),
    ):
        pytest.fail("it cannot have started")


def test_an_engine_that_cannot_start_is_told_at_once_with_its_reason(tmp_path, monkeypatch):
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "jobs.sqlite").write_bytes(b"no database at all " * 1000)
    option = f"--TapisJobsApp.data_dir={tmp_path / 'store'}"
    module = servers.ENGINE_MODULE
    with (
        pytest.raises(UnavailableError, match=r"not its job engine: .*jobs\.sqlite(.|\n)*doctor"),
        servers.started(tmp_path, tmp_path / "log", module=module, options=[option]),
    ):
        pytest.fail("it cannot carry jobs")


def test_a_server_that_does_not_listen_is_ended_by_force(monkeypatch):
    monkeypatch.setattr(servers, "STOP_SECONDS", 0.2)
    deaf = "import signal, sys; signal.signal(15, signal.SIG_IGN); print('up', flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"up\n"
        servers.stop(process)
        assert process.returncode == -signal.SIGKILL


def test_a_free_port_can_be_bound():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", servers.free_port()))


def test_the_token_is_not_on_the_command_line_nor_in_the_repr(tmp_path, monkeypatch):
    seen = {}

    class Process(subprocess.Popen):
        def __init__(self, command, env, **options):
            seen.update(command=command, token=env["JUPYTER_TOKEN"])
            super().__init__([sys.executable, "-c", ""], **options)

    monkeypatch.setattr(servers.subprocess, "Popen", Process)
    with pytest.raises(UnavailableError), servers.started(tmp_path, tmp_path / "log"):
        pytest.fail("it cannot have started")
    assert len(seen["token"]) == 48
    assert not any(seen["token"] in word for word in seen["command"])


def test_without_any_server_the_error_says_how_to_start_one(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    for name in ("TAPIS_BASE_URL", "JUPYTER_TAPIS_JOBS_URL", "JPY_PARENT_PID"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UnavailableError, match="jupyter tapisjobs serve"):
        servers.cli_endpoint()


def test_the_first_notebook_is_where_the_demo_looks():
    assert first_notebook().name == "01-first-job.ipynb"
