"""What runs on the host of a call: as a program in a folder of its own, with nothing of this package."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_tapis_jobs.client.pickled import bundle, pickled_arguments, runner


@pytest.fixture
def called(tmp_path: Path) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """``called(function, *args)``: exit code, result and output of the script."""

    def call(function: Any, *args: Any, packages: tuple[str, ...] = ()) -> tuple[int, dict[str, Any], str]:
        (tmp_path / "script.py").write_text(runner())
        (tmp_path / "call.zip").write_bytes(bundle(function, {}, packages))
        (tmp_path / "arguments.pkl").write_bytes(pickled_arguments(function, args, {}))
        # -S: not even cloudpickle is installed.
        done = subprocess.run(
            [sys.executable, "-S", "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert not list(tmp_path.glob("*.part"))
        outcome = pickle.loads((tmp_path / "result.pkl").read_bytes())
        return done.returncode, outcome, done.stdout + done.stderr

    return call


def test_it_is_read_by_old_pythons_which_are_to_say_that_they_do_not_fit():
    assert ast.parse(runner(), feature_version=(3, 6)).body


def test_a_value_is_kept_and_the_exit_code_is_good(called):
    code, outcome, output = called(lambda k: print("at work") or k + 1, 2)
    assert (code, pickle.loads(outcome["value"]), output) == (0, 3, "at work\n")


def test_an_exception_is_kept_with_its_words_its_traceback_and_itself(called):
    code, outcome, output = called(lambda k: 1 / k, 0)
    assert (code, outcome["raised"]) == (1, "ZeroDivisionError: division by zero")
    assert output == outcome["traceback"]
    files = [line for line in output.splitlines() if line.startswith("  File ")]
    assert (len(files), "test_call_script.py" in files[0]) == (1, True)
    assert isinstance(pickle.loads(outcome["exception"]), ZeroDivisionError)


def test_sys_exit_ends_the_call_and_not_the_caller(called):
    code, outcome, _ = called(sys.exit, 0)
    assert (code, outcome["raised"], outcome["exception"]) == (1, "SystemExit: 0", None)


def test_an_exception_that_holds_what_cannot_be_pickled_comes_in_words(called):
    def fail() -> None:
        raise ValueError("held", threading.Lock())

    code, outcome, _ = called(fail)
    assert (code, outcome["exception"]) == (1, None)
    assert outcome["raised"].startswith("ValueError: ('held', <unlocked")


def test_a_value_that_cannot_be_pickled_is_told(called):
    def rows() -> Any:
        return (row for row in range(3))

    code, outcome, output = called(rows)
    assert code == 2
    assert outcome["refused"].startswith("What rows returned (generator) cannot be pickled: ")
    assert output == outcome["refused"] + "\n"


def test_a_module_that_is_missing_there_is_told_before_the_call(called, monkeypatch, tmp_path):
    installed = tmp_path / "here" / "only_here.py"
    installed.parent.mkdir()
    installed.write_text("depth = 3")
    monkeypatch.syspath_prepend(installed.parent)
    import only_here

    code, outcome, _ = called(lambda: only_here.depth)
    assert code == 2
    assert "The function lambda cannot be unpickled by" in outcome["refused"]
    assert outcome["refused"].endswith("or send your own file along: inputs=['only_here.py'].")
    (tmp_path / "only_here.py").write_text("depth = 4")
    assert pickle.loads(called(lambda: only_here.depth)[1]["value"]) == 4


def test_missing_packages_are_all_named(called):
    code, outcome, output = called(print, packages=("json", "nope", "not-at-all"))
    assert (code, output.startswith("nope, not-at-all are not installed for python3 on ")) == (2, True)
    _, outcome, _ = called(print, packages=("nope",))
    assert "nope is not installed for python3 on" in outcome["refused"]
    assert "install it there" in outcome["refused"]


def test_a_result_is_kept_where_the_call_began_wherever_the_function_goes(called):
    def away() -> int:
        import os

        os.chdir("/")
        return 5

    assert pickle.loads(called(away)[1]["value"]) == 5
