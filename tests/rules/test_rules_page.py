"""The page of the rules and the tests of the rules are kept together."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "jupyter_tapis_jobs" / "model" / "RULES.md"
STATES = ("as Tapis", "differs:", "ours", "not supported:")
_CELL = re.compile(r"(?<!\\)\|")
_TEST = re.compile(r"`(test_\w+)`")


def _rows() -> Iterator[tuple[str, str, str]]:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("|") and not line.startswith(("|---", "| rule |")):
            _, rule, state, tests, _ = (cell.strip() for cell in _CELL.split(line))
            yield rule, state, tests


def _names(folder: Path) -> set[str]:
    found: set[str] = set()
    for path in folder.rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
        found.update(function.name for function in functions if function.name.startswith("test_"))
    return found


ROWS = list(_rows())
EVERYWHERE = _names(TESTS)


@pytest.mark.parametrize(("rule", "state", "tests"), ROWS, ids=[rule[:60] for rule, *_ in ROWS])
def test_every_row_has_a_state_and_tests_that_are_there(rule: str, state: str, tests: str) -> None:
    assert state.startswith(STATES), state
    named = _TEST.findall(tests)
    assert named, "no test"
    assert set(named) <= EVERYWHERE, set(named) - EVERYWHERE
    assert not _TEST.sub("", tests).strip(", "), tests


def test_every_test_of_the_rules_is_on_the_page() -> None:
    on_page = {name for *_, tests in ROWS for name in _TEST.findall(tests)}
    assert _names(Path(__file__).parent) - _names_here() <= on_page


def test_no_rule_stands_there_twice() -> None:
    rules = [rule for rule, *_ in ROWS]
    assert len(rules) == len(set(rules))


def _names_here() -> set[str]:
    """What is about the page is on no page."""
    return {name for name in globals() if name.startswith("test_")}
