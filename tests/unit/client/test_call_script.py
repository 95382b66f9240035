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

from jupyter_tapis_jobs.client.call_remote.script import TELLING
from jupyter_tapis_jobs.client.pickled import Arguments, bundle, pickled_arguments, runner


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """``run(function, calls, …)``: exit code and output of the script that makes these calls."""

    def run(
        function: Any, calls: list[Arguments], *, alone: bool, packages: tuple[str, ...] = ()
    ) -> tuple[int, str]:
        (tmp_path / "script.py").write_text(runner())
        (tmp_path / "call.zip").write_bytes(bundle(function, {}, packages))
        (tmp_path / "arguments.pkl").write_bytes(pickled_arguments(function, calls, alone=alone))
        # -S: not even cloudpickle is installed.
        done = subprocess.run(
            [sys.executable, "-S", "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert not list(tmp_path.glob("*.part"))
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def called(run: Callable[..., Any], tmp_path: Path) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """``called(function, *args)``: exit code, result and output of one call."""

    def call(function: Any, *args: Any, packages: tuple[str, ...] = ()) -> tuple[int, dict[str, Any], str]:
        code, output = run(function, [Arguments(args, {})], alone=True, packages=packages)
        return code, pickle.loads((tmp_path / "result.pkl").read_bytes()), output

    return call


@pytest.fixture
def each(run: Callable[..., Any], tmp_path: Path) -> Callable[..., tuple[int, list[dict[str, Any]], str]]:
    """``each(function, *items)``: exit code, what was kept, and output of a call with each of the items."""

    def call(function: Any, *items: Any) -> tuple[int, list[dict[str, Any]], str]:
        code, output = run(function, [Arguments((item,), {}) for item in items], alone=False)
        with (tmp_path / "result.pkl").open("rb") as file:
            kept = []
            while file.peek(1):
                kept.append(pickle.load(file))
        return code, kept, output

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


# several calls


def test_several_calls_are_counted_and_each_has_its_outcome_behind_that(each):
    code, (head, *kept), output = each(lambda k: print(k) or 6 / k, 1, 0, 3)
    assert (code, head) == (1, {"calls": 3})
    assert [pickle.loads(kept[n]["value"]) for n in (0, 2)] == [6.0, 2.0]
    assert kept[1]["raised"] == "ZeroDivisionError: division by zero"
    assert "\n0\n" in f"\n{output}"


def test_the_exit_code_of_several_calls_is_the_highest(each):
    assert each(lambda k: k, 1, 2)[0] == 0
    code, kept, output = each(lambda k: (row for row in k) if k else 1 / k, 0, [1], 0)
    assert (code, [next(iter(outcome)) for outcome in kept]) == (2, ["calls", "raised", "refused", "raised"])
    assert "cannot be pickled" in output


def test_what_was_made_before_the_process_ended_is_kept(each):
    def ending(k: int) -> int:
        if k == 2:
            import os

            os._exit(9)
        return k

    code, kept, _ = each(ending, 0, 1, 2, 3)
    assert (code, kept[0], len(kept)) == (9, {"calls": 4}, 3)


def test_how_many_are_made_is_told_while_they_last(each, tmp_path):
    def slow(k: int) -> None:
        import time

        end = time.monotonic() + k
        while time.monotonic() < end:
            time.sleep(0)

    each(slow, 0, 0)
    assert not (tmp_path / "progress.json").exists()
    each(slow, 0, TELLING, 0)
    told = (tmp_path / "progress.json").read_text()
    assert told == '{"done": 2, "total": 3, "message": "calls made"}'
