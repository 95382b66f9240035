"""Expressions reach nothing but their columns, and a slip in one fills no memory."""

from __future__ import annotations

import pytest

from jupyter_tapis_jobs.model.case_template import CaseTemplate
from jupyter_tapis_jobs.model.errors import InvalidInputError


def rendered(expression: str) -> str:
    template = CaseTemplate({"args": [f"{{{{ {expression} }}}}", "{{ k }}"]}, ["k"])
    return str(template.render({"k": 3})["args"][0])


@pytest.mark.parametrize(
    "expression",
    [
        "'a' * 10**9",
        "10**9 * [k]",
        "(k,) * 10**9",
        "10 ** (10 ** 9)",
        "k ** (10 ** 9)",
        "range(10**10) | list",
        "sum(range(10**10))",
    ],
)
def test_what_would_fill_the_memory_is_refused_at_once(expression: str) -> None:
    with pytest.raises(InvalidInputError, match=r"OverflowError: .*(are allowed|too large)"):
        rendered(expression)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'x' * k", "xxx"),
        ("2 * k ** 2", "18"),
        ("2 ** 100", str(2**100)),
        ("k ** -1", str(1 / 3)),
        ("k ** 0.5", str(3**0.5)),
        ("sum(range(k))", "3"),
        ("range(1, 10, k) | join('-')", "1-4-7"),
    ],
)
def test_what_is_small_is_computed(expression: str, value: str) -> None:
    assert rendered(expression) == value


@pytest.mark.parametrize(
    "expression",
    ["''.__class__", "k.__class__.__mro__", "str.mro()", "range.__globals__", "str.__subclasses__()"],
)
def test_python_behind_a_value_is_out_of_reach(expression: str) -> None:
    with pytest.raises(InvalidInputError, match=r"it has no value|SecurityError"):
        rendered(expression)
