"""Tab completion, asked as a shell asks for it."""

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from jupyter_tapis_jobs.cli_completion import jobs
from jupyter_tapis_jobs.model.errors import UnavailableError

BIN = Path(sys.executable).parent


def completed(line, folder):
    """Return what a shell would offer for *line*, which begins with the name of a command."""
    told = folder / "told"
    environment = os.environ | {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(told),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
        "PATH": f"{BIN}:{os.environ['PATH']}",
        # Nobody answers there.
        "TAPIS_BASE_URL": "http://127.0.0.1:9/tapis",
        "TAPIS_TOKEN": "x",
    }
    command = [str(BIN / line.split()[0])]
    subprocess.run(command, env=environment, cwd=folder, capture_output=True, timeout=60, check=True)
    return [word.strip() for word in told.read_text().split("\n") if word.strip()]


@pytest.mark.parametrize(
    ("line", "offered", "never"),
    [
        ("jupyter tapisjobs output-", {"output-list", "output-get"}, {"list"}),
        ("jupyter-tapisjobs purge --", {"--older", "--dry-run", "--all-users", "--json"}, set()),
        ("jupyter-tapisjobs token ", {"make", "list", "revoke"}, {"job.yaml"}),
        ("jupyter-tapisjobs submit j", {"job.yaml"}, set()),
        ("jupyter-tapisjobs export --to ", {"out/"}, {"job.yaml"}),
        ("jupyter-tapisjobs status ", set(), {"job.yaml", "out/"}),
    ],
)
def test_a_shell_is_told_how_the_line_may_go_on(tmp_path, line, offered, never):
    (tmp_path / "job.yaml").write_text("")
    (tmp_path / "out").mkdir()
    found = set(completed(line, tmp_path))
    assert offered <= found
    assert not never & found


def test_jobs_are_offered_by_uuid_with_name_and_status(fake):
    uuid = fake.add_job("RUNNING", name="frame\x1b[2J")
    assert jobs(lambda url: fake.tapis(), Namespace()) == {uuid: "frame\ufffd[2J RUNNING"}


def test_without_a_server_no_job_is_offered_and_nothing_is_said():
    def nowhere(url):
        raise UnavailableError("No server.")

    assert jobs(nowhere, Namespace(url=None)) == {}
