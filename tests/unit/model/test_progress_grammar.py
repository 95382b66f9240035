"""What an application may write about its progress, and what is said of the rest."""

from __future__ import annotations

import json

import pytest

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.progress import LONGEST, Progress, from_callback, from_file, from_line


@pytest.mark.parametrize(
    ("text", "percent", "message"),
    [
        ("40% step 12", 40, "step 12"),
        ("  12.5 %", 12.5, ""),
        ("0%", 0, ""),
        ("100% done", 100, "done"),
        ("12/30 step 12", 40, "step 12"),
        ("0 / 7", 0, ""),
        ("1.5/2 ns", 75, "ns"),
        ("40% a\tb \x1b[31mred", 40, "a b [31mred"),
        ("40% \u202egnp.exe", 40, "gnp.exe"),
    ],
)
def test_a_line_tells_a_percentage_or_a_part_of_a_whole_and_words(
    text: str, percent: float, message: str
) -> None:
    assert from_line(text) == Progress(percent=percent, message=message)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("140% step", "tapisjob-progress: '140' is not a number from 0 to 100"),
        ("-3%", "'-3' is not a number from 0 to 100"),
        ("31/30", "'31/30' is no part of a whole"),
        ("0/0", "'0/0' is no part of a whole"),
        ("half", "'half' is no progress. Write '40% some words' or '12/30 some words'"),
        ("40", "'40' is no progress"),
        ("1" * 400 + "%", "is not a number from 0 to 100"),
    ],
)
def test_a_line_that_tells_no_progress_is_named_with_the_way_out(text: str, told: str) -> None:
    with pytest.raises(InvalidInputError) as fault:
        from_line(text)
    assert told in fault.value.message
    assert "\n" not in fault.value.message


def test_words_have_an_end() -> None:
    assert from_line("40% " + "x" * 900).message == "x" * (LONGEST - 1) + "…"


@pytest.mark.parametrize(
    ("value", "progress"),
    [
        ({"percent": 40, "message": "step"}, Progress(percent=40, message="step")),
        ({"done": 12, "total": 30}, Progress(percent=40)),
        ({"message": "meshing"}, Progress(message="meshing")),
        ({"percent": 40, "more": [1]}, Progress(percent=40)),
    ],
)
def test_a_file_tells_the_same(value: object, progress: Progress) -> None:
    assert from_file(json.dumps(value)) == progress


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no JSON object"),
        ("[40]", "is no JSON object"),
        ("[" * 4000, "is no JSON object"),
        ('{"percent": 140}', "percent 140 is not a number from 0 to 100"),
        ('{"percent": NaN}', "percent nan is not a number from 0 to 100"),
        ('{"percent": true}', "percent True is not a number"),
        ('{"done": 3}', "'3/None' is no part of a whole"),
        ('{"percent": 4, "message": 7}', "message 7 is no text"),
        ("{}", "tells no progress"),
    ],
)
def test_a_file_that_tells_no_progress_is_named_with_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(InvalidInputError) as fault:
        from_file(text)
    assert told in fault.value.message


@pytest.mark.parametrize(
    ("body", "progress"),
    [
        ({}, None),
        ({"progress": 40}, Progress(percent=40)),
        ({"progress": "40% step 12"}, Progress(percent=40, message="step 12")),
        ({"progress": "12/30 old", "message": "new"}, Progress(percent=40, message="new")),
        ({"progress": {"done": 12, "total": 30}}, Progress(percent=40)),
        ({"message": "meshing"}, Progress(message="meshing")),
    ],
)
def test_a_callback_tells_it_in_any_of_these_ways_or_nothing(body: dict, progress: Progress | None) -> None:
    assert from_callback(body) == progress


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"progress": 140}, "progress 140 is not a number from 0 to 100"),
        ({"progress": "140%"}, "progress '140' is not a number from 0 to 100"),
        ({"progress": [40]}, "progress [40] is not a number"),
        ({"progress": False}, "progress False is not a number"),
        ({"message": 1}, "message 1 is no text"),
    ],
)
def test_a_callback_of_another_kind_is_refused_in_a_sentence(body: dict, told: str) -> None:
    with pytest.raises(InvalidInputError) as fault:
        from_callback(body)
    assert told in fault.value.message
