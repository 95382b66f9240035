"""Definitions read from YAML: data and nothing else, in a bounded size."""

from __future__ import annotations

import pytest

from jupyter_tapis_jobs.model.definition_text import LONGEST, read_definitions
from jupyter_tapis_jobs.model.errors import InvalidInputError


def test_documents_are_read_and_a_version_stays_the_text_that_it_is():
    text = "id: mine\nversion: 1.10\nnotes: {ratio: 1.5}\n---\n- id: 7\n  version: 2026-11-22\n---\n"
    assert read_definitions(text) == [
        {"id": "mine", "version": "1.10", "notes": {"ratio": 1.5}},
        [{"id": "7", "version": "2026-11-22"}],
    ]


def test_json_is_yaml_too():
    assert read_definitions('{"id": "mine", "version": "1.0", "tags": ["a"]}') == [
        {"id": "mine", "version": "1.0", "tags": ["a"]}
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id: [1", "neither YAML nor JSON in line 1"),
        ("id: !!python/object/apply:os.system [true]", "could not determine a constructor"),
        ("a: &a [*a]", "refers to itself"),
        ("[" * 5000, "is nested too deeply"),
        ("a: .nan", "is no value"),
        ("x" * (LONGEST + 1), "YAML is read up to"),
    ],
)
def test_what_is_more_than_data_is_refused(text, words):
    with pytest.raises(InvalidInputError, match=words):
        read_definitions(text)


@pytest.mark.parametrize("entry", ["[{}]", "{{<<: [{}]}}"])
def test_aliases_that_make_much_out_of_little_are_refused(entry):
    levels = (", ".join([f"*n{level - 1}" if level else "{x: 1}"] * 9) for level in range(9))
    bomb = "".join(f"n{level}: &n{level} {entry.format(items)}\n" for level, items in enumerate(levels))
    with pytest.raises(InvalidInputError, match="more than 200,000 values"):
        read_definitions(f"id: mine\n{bomb}")


def test_an_alias_that_is_used_with_measure_is_taken():
    text = "id: mine\nversion: 2\nbase: &b {a: 1}\nnotes: {<<: *b, more: *b}\n"
    (found,) = read_definitions(text)
    assert (found["version"], found["notes"]) == ("2", {"a": 1, "more": {"a": 1}})
