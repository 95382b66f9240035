"""Archive filters: Java globs and regular expressions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.job import ArchiveFilter
from jupyter_tapis_jobs.model.patterns import compiled, selects

NAMES = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=8
)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.csv", "disp.csv", True),
        ("*.csv", "results/disp.csv", False),
        ("**.csv", "results/deep/disp.csv", True),
        ("results/*", "results/disp.csv", True),
        ("results/*", "results/deep/disp.csv", False),
        ("results/**", "results/deep/disp.csv", True),
        ("**/*", "anything", True),
        ("disp.{csv,txt}", "disp.txt", True),
        ("disp.{csv,txt}", "disp.png", False),
        ("case[0-9].out", "case7.out", True),
        ("case[!0-9].out", "case7.out", False),
        ("a,b", "a,b", True),
        (r"\*.csv", "*.csv", True),
        (r"\*.csv", "disp.csv", False),
        ("step?.out", "step1.out", True),
        ("step?.out", "step/.out", False),
        ("REGEX:.*[.]out", "tapisjob.out", True),
        ("REGEX:tapis", "tapisjob.out", False),
    ],
)
def test_a_pattern_matches_whole_paths_as_in_tapis(pattern: str, path: str, matches: bool) -> None:
    assert selects(ArchiveFilter(includes=(pattern,)), path) is matches


def test_excludes_come_first_and_no_includes_mean_all() -> None:
    assert selects(ArchiveFilter(), "a")
    assert not selects(ArchiveFilter(excludes=("a",)), "a")
    assert not selects(ArchiveFilter(includes=("a",), excludes=("a",)), "a")


@pytest.mark.parametrize("pattern", ["REGEX:(", "{a"])
def test_a_pattern_that_cannot_be_read_is_named(pattern: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read") as caught:
        compiled(pattern)
    assert caught.value.value == pattern


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_two_stars_match_every_path(parts: list[str]) -> None:
    assert compiled("**").fullmatch("/".join(parts))


@given(st.lists(NAMES, min_size=2, max_size=4))
def test_one_star_never_crosses_a_directory(parts: list[str]) -> None:
    assert not compiled("*").fullmatch("/".join(parts))
