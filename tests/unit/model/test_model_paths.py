"""Paths never leave their root, texts never carry what they may not."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.paths import join, normalise, relative, within
from jupyter_tapis_jobs.model.texts import is_blank, refuse_control, refuse_dangerous, shown

PATHS = st.text(alphabet="ab./ é%2\\", max_size=20)


@given(path=PATHS)
def test_a_canonical_path_has_one_leading_slash_no_trailing_one_and_stays_itself(path: str) -> None:
    try:
        made = normalise(path)
    except InvalidInputError:
        assert ".." in path.split("/")
        return
    assert made == "/" or (made.startswith("/") and not made.endswith("/"))
    assert "//" not in made
    assert normalise(made) == made
    assert relative(path) == made[1:]


@given(root=PATHS, parts=st.lists(PATHS, max_size=3))
def test_what_is_joined_to_a_root_never_leaves_it(root: str, parts: list[str]) -> None:
    try:
        path = join(root, *parts)
    except InvalidInputError:
        return
    assert within(root, path)
    assert posixpath.normpath(path) == path


@given(root=PATHS, path=PATHS)
def test_within_says_yes_only_to_paths_that_the_file_system_also_puts_there(root: str, path: str) -> None:
    if within(root, path):
        top = posixpath.normpath("/" + root.strip("/"))
        assert posixpath.commonpath([top, posixpath.normpath("/" + path.strip("/"))]) == top


@pytest.mark.parametrize("path", ["/work2", "/wor", "/", "/work/../etc", "/work/\0", "/other/work"])
def test_a_path_is_within_by_components_not_by_letters(path: str) -> None:
    assert not within("/work", path)


@pytest.mark.parametrize("path", ["/work", "/work/", "//work//x", "/work/./x", "/work/..x", "/work/%2e%2e"])
def test_names_that_only_look_like_dots_are_names(path: str) -> None:
    assert within("/work", path)


@pytest.mark.parametrize("path", ["..", "a/../b", "/a/..", "../a"])
def test_dots_that_lead_up_are_refused_with_the_field(path: str) -> None:
    with pytest.raises(InvalidInputError, match=r"archiveSystemDir .* holds '\.\.'") as caught:
        normalise(path, "archiveSystemDir")
    assert caught.value.field == "archiveSystemDir"


@pytest.mark.parametrize("letter", [chr(c) for c in (*range(0x20), *range(0x7F, 0xA0))])
def test_every_control_character_is_refused_by_name_and_place(letter: str) -> None:
    with pytest.raises(InvalidInputError, match="character 2 of"):
        refuse_control(f"a{letter}b", "name")


@pytest.mark.parametrize("text", ["", "plain", "é \U0001f600 –", "a b", "\u200b", "\ufeff", "\u2028"])
def test_printable_and_unprintable_unicode_is_no_control_character(text: str) -> None:
    refuse_control(text, "name")


@pytest.mark.parametrize("letter", "&><|;`")
def test_every_dangerous_character_is_refused(letter: str) -> None:
    with pytest.raises(InvalidInputError, match="which a shell would act on"):
        refuse_dangerous(f"a{letter}b", "mpiCmd")


def test_blank_is_missing_empty_or_white() -> None:
    assert [is_blank(text) for text in (None, "", " \t", "a ")] == [True, True, True, False]


def test_a_long_value_is_shown_shortened() -> None:
    assert len(shown("x" * 500)) <= 60
