"""What a request wants done with its outputs: read, refused with the way out, and results as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.processing import (
    MOST_BYTES,
    ProcessWish,
    Runs,
    process_wish,
    refuse_not_offered,
    result_text,
    with_process,
)
from jupyter_tapis_jobs.model.status import JobStatus


def wish(value: Any) -> ProcessWish | None:
    return process_wish({"tapisjobs": {"process": value}})


@pytest.mark.parametrize("notes", [None, {}, {"tapisjobs": 3}, {"tapisjobs": {}}, {"process": "peaks"}])
def test_notes_that_say_nothing_of_it_want_nothing(notes: Any) -> None:
    assert process_wish(notes) is None


def test_a_name_is_enough_and_is_for_finished_jobs_ten_minutes_and_two_retries() -> None:
    assert wish("peaks") == ProcessWish(
        name="peaks", runs=Runs.SERVER, max_minutes=10.0, retries=2, on=(JobStatus.FINISHED,)
    )


def test_a_mapping_says_more() -> None:
    given = {"name": "peaks", "maxMinutes": 5, "retries": 0, "on": ["FAILED", "FINISHED"], "runs": "kernel"}
    assert wish(given) == ProcessWish(
        name="peaks",
        runs=Runs.KERNEL,
        max_minutes=5.0,
        retries=0,
        on=(JobStatus.FAILED, JobStatus.FINISHED),
    )


@pytest.mark.parametrize(
    ("value", "field", "words"),
    [
        (3, "", "the name of a function"),
        ("", ".name", "1 to 128 characters"),
        ({"maxMinutes": 3}, ".name", "1 to 128 characters"),
        ({"name": "a", "maxMinute": 3}, ".maxMinute", "Did you mean 'maxMinutes'?"),
        ({"name": "a", "maxMinutes": 0}, ".maxMinutes", "more than 0 and at most 1,440"),
        ({"name": "a", "maxMinutes": True}, ".maxMinutes", "more than 0"),
        ({"name": "a", "maxMinutes": float("nan")}, ".maxMinutes", "more than 0"),
        ({"name": "a", "retries": 2.5}, ".retries", "from 0 to 10"),
        ({"name": "a", "retries": 11}, ".retries", "from 0 to 10"),
        ({"name": "a", "on": []}, ".on", "CANCELLED, FAILED, FINISHED"),
        ({"name": "a", "on": ["RUNNING"]}, ".on", "CANCELLED, FAILED, FINISHED"),
        ({"name": "a", "on": [["FAILED"]]}, ".on", "CANCELLED, FAILED, FINISHED"),
        ({"name": "a", "runs": "elsewhere"}, ".runs", "server, kernel"),
    ],
)
def test_what_is_wrong_is_told_with_field_value_and_way_out(value: Any, field: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as told:
        wish(value)
    assert told.value.field == f"notes.tapisjobs.process{field}"
    assert words in told.value.message


def test_a_name_with_a_control_character_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="newline"):
        wish("a\nb")


def test_an_unknown_name_is_told_with_the_nearest_and_all_that_are_offered() -> None:
    refuse_not_offered("peaks", {"peaks"})
    with pytest.raises(InvalidInputError, match=r"Did you mean 'peaks'\? .* peaks, spectrum\."):
        refuse_not_offered("peeks", {"spectrum", "peaks"})


def test_where_no_package_offers_one_the_group_of_the_entry_points_is_told() -> None:
    with pytest.raises(InvalidInputError, match=r'group "jupyter_tapis_jobs\.process"'):
        refuse_not_offered("peaks", ())


def test_notes_keep_what_they_had_and_of_a_function_only_its_name_is_written() -> None:
    def peaks(job: object) -> None: ...

    notes = with_process({"mesh": "fine", "tapisjobs": {"other": 1}}, peaks)
    assert notes == {
        "mesh": "fine",
        "tapisjobs": {"other": 1, "process": {"name": "peaks", "runs": "kernel"}},
    }
    assert with_process(None, "peaks") == {"tapisjobs": {"process": "peaks"}}


def test_a_result_is_json_of_256_kib_at_most() -> None:
    assert result_text({"é": [1, None]}) == '{"é":[1,null]}'
    assert len(result_text("x" * (MOST_BYTES - 2))) == MOST_BYTES
    with pytest.raises(InvalidInputError, match="262,145 bytes"):
        result_text("x" * (MOST_BYTES - 1))


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, object(), "\ud800"])
def test_what_json_cannot_say_is_refused_with_the_way_out(value: Any) -> None:
    with pytest.raises(InvalidInputError, match="what JSON cannot say"):
        result_text(value)
