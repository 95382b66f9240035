"""The argument rule, seen by a real shell."""

from __future__ import annotations

import contextlib
import os
import shlex
import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.arguments import (
    expanded,
    insert,
    option_parts,
    refuse_bad_option,
    shell_words,
    unexpanded,
)
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.texts import CONTROL

#: Everything that means something to some shell, and a few letters.
NASTY = st.text(alphabet="ab $(){}[]'\"\\;&|<>`*?~#!=%\U0001f600é/.-", max_size=24)
PRINTABLE = st.text(
    alphabet=st.characters(exclude_categories=["Cs"]).filter(lambda c: not CONTROL.match(c)), max_size=24
)


def argv(words: str, cwd: Path, **variables: str) -> list[str]:
    """Return what a program gets that /bin/sh starts with *words*."""
    script = f"printf '%s\\0' x {words}"
    done = subprocess.run(
        ["/bin/sh", "-c", script], cwd=cwd, env={"PATH": os.environ["PATH"], **variables}, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    return [part.decode() for part in done.stdout.split(b"\0")[1:-1]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, so that a glob or a redirection would show."""
    place = tmp_path_factory.mktemp("argv")
    (place / "a").touch()
    return place


@given(texts=st.lists(PRINTABLE | NASTY, max_size=4))
def test_what_is_quoted_reaches_the_program_byte_for_byte(folder: Path, texts: list[str]) -> None:
    assert argv(shell_words(shlex.join(texts)), folder, b="no") == texts


@given(text=NASTY)
def test_a_shell_makes_of_any_accepted_text_just_the_words_we_read_and_runs_nothing(
    folder: Path, text: str
) -> None:
    try:
        words = shell_words(text)
    except InvalidInputError:
        return
    variables = {"a": "x  *  $(touch made)", "b": "; touch made", "ab": "'"}
    assert argv(words, folder, **variables) == expanded(text, variables)
    assert os.listdir(folder) == ["a"]


@given(text=st.text(alphabet="abc '\"\\", max_size=16))
def test_words_are_those_that_a_posix_shell_makes(folder: Path, text: str) -> None:
    try:
        words = shell_words(text)
    except InvalidInputError:
        return
    assert argv(words, folder) == argv(text, folder)


@given(text=PRINTABLE)
def test_reading_words_ends_in_words_or_in_a_sentence(text: str) -> None:
    with contextlib.suppress(InvalidInputError):
        shell_words(text)


def test_a_variable_expands_on_the_host_and_stays_in_one_word(folder: Path) -> None:
    words = shell_words('$HERE/x "${HERE} y" a${HERE}b')
    assert argv(words, folder, HERE="/my dir/*") == ["/my dir/*/x", "/my dir/* y", "a/my dir/*b"]


def test_a_variable_in_single_quotes_or_after_a_backslash_is_text(folder: Path) -> None:
    assert argv(shell_words("'$HOME' \\$HOME \"\\$HOME\""), folder, HOME="/h") == ["$HOME"] * 3


@pytest.mark.parametrize("text", ["$(touch made)", '"$(touch made)"', "'`touch made`'", '"`touch made`"'])
def test_command_substitution_is_text_wherever_it_stands(folder: Path, text: str) -> None:
    assert "".join(argv(shell_words(text), folder)) in ("$(touchmade)", "$(touch made)", "`touch made`")
    assert os.listdir(folder) == ["a"]


@pytest.mark.parametrize(
    "text", ["*", "a?", "~", "~root", "{a,b}", "#no comment", "$1", "$$", "${A:-b}", "!x"]
)
def test_globs_tildes_braces_comments_and_special_parameters_are_text(folder: Path, text: str) -> None:
    assert argv(shell_words(text), folder) == text.split(" ")


@pytest.mark.parametrize("character", "&><|;`")
def test_a_character_that_a_shell_acts_on_is_refused_outside_quotes_and_the_error_says_to_quote(
    character: str,
) -> None:
    with pytest.raises(InvalidInputError, match=r"outside quotes.*Quote it") as caught:
        shell_words(f"echo a {character} b")
    assert repr(character) in caught.value.message or character in caught.value.message


@pytest.mark.parametrize("control", ["\n", "\t", "\0", "\x1b", "\x7f", "\x85"])
def test_control_characters_are_refused_even_in_quotes(control: str) -> None:
    with pytest.raises(InvalidInputError, match="Put such text into an input file"):
        shell_words(f"'a{control}b'")


@pytest.mark.parametrize(("text", "quote"), [("'a", "'"), ('"a', '"'), ("it's", "'")])
def test_an_unclosed_quote_is_refused_with_both_ways_out(text: str, quote: str) -> None:
    with pytest.raises(InvalidInputError, match=r"does not close it. Close it, or write"):
        shell_words(text)


def test_a_backslash_at_the_end_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="ends with a backslash"):
        shell_words("a\\")


def test_an_empty_quoted_text_is_a_word_of_its_own(folder: Path) -> None:
    assert argv(shell_words("a '' \"\" b"), folder) == ["a", "", "", "b"]


def test_plain_words_look_as_they_were_written() -> None:
    assert shell_words("--model frame.tcl -n 4 k=0.5") == "--model frame.tcl -n 4 k=0.5"


SOMETHING = (PRINTABLE | NASTY).filter(bool)


@given(value=SOMETHING)
@pytest.mark.parametrize("place", ["--n=${V}", "'${V}'", '"${V}"', "a ${V} b", "'it'\"${V}\""])
def test_a_macro_is_data_whatever_it_holds_and_stays_in_its_word(place: str, value: str) -> None:
    words = expanded(insert(place, {"V": "value"}.get), {})
    assert expanded(insert(place, {"V": value}.get), {}) == [word.replace("value", value) for word in words]


def test_an_empty_macro_leaves_nothing_behind_outside_quotes() -> None:
    assert expanded(insert("a ${V} '${V}'", {"V": ""}.get), {}) == ["a", ""]


def test_an_unknown_macro_stays_for_the_host(folder: Path) -> None:
    text = insert("-A ${allocation} ${JobName}", {"JobName": "it's; me"}.get)
    assert argv(shell_words(text), folder, allocation="ABC") == ["-A", "ABC", "it's; me"]


@pytest.mark.parametrize(
    ("text", "mark"), [("$(date)", "$("), ('"${A:-b}"', "${"), ("'$(date)'", None), ("$A ${B}", None)]
)
def test_what_looks_like_shell_but_is_not_run_is_told(text: str, mark: str | None) -> None:
    assert unexpanded(text) == mark


@pytest.mark.parametrize(
    ("option", "parts"),
    [
        ("--opt", ("--opt", "")),
        ("-o value", ("-o", "value")),
        ("--opt=a b", ("--opt", "a b")),
        ("--bind $HOME/.x:/home", ("--bind", "$HOME/.x:/home")),
    ],
)
def test_an_option_has_a_name_and_a_value(option: str, parts: tuple[str, str]) -> None:
    assert option_parts(option) == parts


@pytest.mark.parametrize("option", ["value", "--a;b c", "--a\nb", "`x` y"])
def test_what_is_not_one_option_is_refused(option: str) -> None:
    with pytest.raises(InvalidInputError):
        refuse_bad_option(option, "parameterSet.containerArgs")


def test_the_value_of_an_option_may_hold_what_its_name_may_not() -> None:
    refuse_bad_option("--label a;b|c", "parameterSet.containerArgs")


def test_every_letter_of_ascii_survives_quoting(folder: Path) -> None:
    text = "".join(c for c in string.printable if c.isprintable())
    assert argv(shell_words(shlex.quote(text)), folder) == [text]
