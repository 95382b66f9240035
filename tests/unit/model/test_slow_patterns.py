"""Regular expressions that would keep a page or the server busy for ever are known by their form."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from jupyter_tapis_jobs.model.app import parse_app
from jupyter_tapis_jobs.model.app_form import form_of
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.patterns import compiled
from jupyter_tapis_jobs.model.slow_patterns import why_slow

SLOW = [
    "(a+)+$",
    "(a*)*b",
    "(a|a)*b",
    "(a|ab|b)*c",
    "^(\\w+\\s?)*$",
    "(.*,)*x",
    "([a-z]+)*[0-9]",
    "(a?b?)*c",
    "(\\d+|[0-9]x)*!",
    "(?:\\s*\\w+\\s*)+;",
    "(a+){2,30}b",
    "^(?=(x+)+y).*$",
    "(?i)([a-z]+[A-Z])*1",
    "(?:(?:ab)+|(?:aba?b)+)*c",
    "((a{1,20}){1,20})b",
    "(.+)+@",
    "([^@]|a)*z",
    "(a+?)+b",
    "(a++|a)*b",
    ".*a.*b.*c.*d",
    "\\w*\\w*\\w*\\w*!",
    "a{2000}",
    "x" * 1001,
    "(ab|ab)*c",
    "([a-c]|b)+d",
    "[^](a+)+[^]b",
]
QUICK = [
    "^.+@tacc$",
    "^[^@]+@([\\w-]+\\.)+\\w+$",
    "^[a-z0-9_]{1,255}$",
    "^(\\d{1,3}\\.){3}\\d{1,3}$",
    ".+@.+\\..+",
    "^(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)(?=.*\\W).{8,}$",
    "^([a-z]+,)*[a-z]+$",
    "^[^/]+(/[^/]+)*$",
    "[0-9a-f]{64}",
    "^-?\\d+(\\.\\d+)?([eE][-+]?\\d+)?$",
    "^(a|b|c)+$",
    "(ab|cd)*",
    "^\\s*$",
    "",
    "(.)\\1",
    "^(?:x|y(?:z|w))*$",
    "^[A-Za-z]:\\\\(?:[^\\\\]+\\\\)*$",
    "^(?!.*--)[a-z-]+$",
    "(a",
    "^\\d{4}-\\d\\d-\\d\\d(T\\d\\d(:\\d\\d){1,2})?$",
    "^(a{1,3},)*$",
    "(?i)^(yes|no)$",
    "a**",
    "^((https?|ftp)://)?[\\w.-]+(:\\d+)?(/.*)?$",
]


@pytest.mark.parametrize("pattern", SLOW)
def test_what_can_take_for_ever_is_told(pattern):
    assert why_slow(pattern)


@pytest.mark.parametrize("pattern", QUICK)
def test_what_people_write_is_taken(pattern):
    assert why_slow(pattern) == ""


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a*)*b", "(a|a)*b", "(a|ab|b)*c"])
def test_the_slow_ones_are_slow_indeed(pattern):
    """Each further letter or pair makes the search at least twice as long."""
    times = []
    for length in (10, 18):
        start = time.perf_counter()
        re.search(pattern, ("ab" if "b)*c" in pattern else "a") * length + "!")
        times.append(time.perf_counter() - start)
    assert times[1] > 3 * times[0]


@pytest.mark.parametrize(
    "pattern", ["(a|b)" * 199, "(" * 300 + ")" * 300, "(a{50}){50}", "(" + "|".join("abcdefgh" * 50) + ")*"]
)
def test_an_answer_comes_soon_whatever_is_asked(pattern):
    start = time.process_time()
    why_slow(pattern)
    assert time.process_time() - start < 3


def definition(**notes: Any) -> dict[str, Any]:
    argument = {"name": "mail", "arg": "x", "inputMode": "REQUIRED", "notes": notes}
    variable = {"key": "MAIL", "notes": notes}
    return {
        "id": "solver", "version": "1", "containerImage": "/a.zip",
        "jobAttributes": {"parameterSet": {"appArgs": [argument], "envVariables": [variable]}},
    }  # fmt: skip


def test_a_definition_with_one_is_refused_with_its_place():
    with pytest.raises(InvalidInputError) as fault:
        parse_app(definition(validator={"regex": "(a+)+$", "message": "<b>"}))
    assert fault.value.field == "jobAttributes.parameterSet.appArgs[0].notes.validator.regex"
    assert "(a+)+$" in fault.value.message
    parse_app(definition(validator={"regex": "^.+@tacc$"}))
    parse_app(definition(validator="whatever"))
    parse_app(definition(validator={"regex": ["(a+)+$"]}))


def test_one_that_is_stored_already_comes_into_no_form():
    app = parse_app(definition(validator={"regex": "^a+$"}))[0]
    argument = app.job_attributes.parameter_set.app_args[0]
    argument.notes["validator"]["regex"] = "(a+)+$"
    args = form_of(app, [], None)["schema"]["properties"]["args"]["properties"]
    assert "pattern" not in args["mail"]


def test_a_filter_of_outputs_takes_none():
    with pytest.raises(InvalidInputError, match="archiveFilter"):
        compiled("REGEX:(.*/)*x")
    assert compiled(r"REGEX:results/.*\.csv").fullmatch("results/a.csv")
