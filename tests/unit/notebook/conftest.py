"""What the tests of the notebook share: a real IPython shell in front of the fake server."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "client"))

from fake_tapis import URL, FakeTapis

import jupyter_tapis_jobs
from jupyter_tapis_jobs.client import connect as connecting


@pytest.fixture
def fake():
    return FakeTapis()


@pytest.fixture
def tapis(fake):
    return fake.tapis()


@pytest.fixture
def shell(one_shell, tapis, monkeypatch):
    """The shell with the extension, whose connect() gives the fake server."""
    monkeypatch.setenv("TAPIS_BASE_URL", URL)
    monkeypatch.setenv("TAPIS_TOKEN", "secret")
    monkeypatch.setattr(connecting, "_connected", {})
    monkeypatch.setattr(connecting, "opened", lambda connection, own, uploads: tapis)
    jupyter_tapis_jobs.load_ipython_extension(one_shell)
    before = set(one_shell.user_ns)
    yield one_shell
    for name in set(one_shell.user_ns) - before:
        del one_shell.user_ns[name]


@pytest.fixture
def run(shell, capsys):
    """Run a cell as a person does; return what it printed."""

    def run_cell(text):
        capsys.readouterr()
        result = shell.run_cell(text)
        output = capsys.readouterr()
        run_cell.error = result.error_in_exec
        return output.out + output.err

    return run_cell
