"""What the tests of the command line share: the client's own small Tapis."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "client"))

from fake_tapis import FakeTapis

from jupyter_tapis_jobs.cli import main


@pytest.fixture
def fake():
    return FakeTapis()


@pytest.fixture
def run(fake, capsys):
    """``run("list", "--json")`` returns exit code, output, complaints."""

    def run(*words):
        code = main(words, connect=lambda url: fake.tapis())
        told = capsys.readouterr()
        return code, told.out, told.err

    return run
