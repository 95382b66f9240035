"""A glob means what a shell means by it, however it is written, and never costs minutes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.globs import is_glob, levels, names_matching

NAMES = ["a.csv", "b[1].csv", "deep/c.csv", "deep/er/d.csv", "x.json", "line\nbreak.csv"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.csv", ["a.csv", "b[1].csv", "line\nbreak.csv"]),
        ("**.csv", [name for name in sorted(NAMES) if name.endswith(".csv")]),
        ("**/*.csv", [name for name in sorted(NAMES) if name.endswith(".csv")]),
        ("deep/*", ["deep/c.csv"]),
        ("*/*/*", ["deep/er/d.csv"]),
        ("?.*", ["a.csv", "x.json"]),
        ("[ax].*", ["a.csv", "x.json"]),
        ("[!a].*", ["x.json"]),
        ("deep[!a]c.csv", []),
        ("b[[]1].csv", ["b[1].csv"]),
        ("nothing", []),
    ],
)
def test_what_a_glob_means(pattern, found):
    assert names_matching(NAMES, pattern) == found


@pytest.mark.parametrize(
    ("pattern", "depth"), [("*.csv", 1), ("deep/*.csv", 2), ("**/*.csv", None), ("a**", None)]
)
def test_how_deep_one_has_to_look(pattern, depth):
    assert levels(pattern) == depth


def test_a_plain_path_is_no_glob():
    assert [is_glob(path) for path in ("a.csv", "a*", "a?", "a[1]")] == [False, True, True, True]


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("[z-a].csv", "bad character range"), ("**/" * 5 + "x", r"\*\* more than 4 times")],
)
def test_what_is_no_glob_is_refused_in_a_sentence(pattern, why):
    with pytest.raises(InvalidInputError, match=f"is no glob: .*{why}"):
        names_matching([], pattern)


def test_many_stars_over_a_long_name_are_quick():
    assert names_matching(["a" * 250], "*a" * 40 + "b") == []


def plainly(pattern):
    """The same by words, one by one, without any short cut."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(words.get(piece, re.escape(piece)) for piece in pieces), re.DOTALL)


@given(
    st.lists(st.sampled_from(["a", "b", "/", "*", "*", "**/", "**", "?"]), max_size=7).map("".join),
    st.text("ab/", max_size=9),
)
def test_short_cuts_change_no_meaning(pattern, name):
    if pattern.count("**") <= 4:
        assert bool(names_matching([name], pattern)) == bool(plainly(pattern).fullmatch(name))
