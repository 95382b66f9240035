"""Tags and notes that are written on a job after it was submitted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.annotations import Annotation, added, replaced
from jupyter_tapis_jobs.model.errors import InvalidInputError

_TAGS = st.lists(st.text(min_size=1, max_size=5))
_NOTES = st.dictionaries(st.text(max_size=3), st.integers())


def test_put_replaces_what_is_given_and_nothing_else() -> None:
    assert replaced(Annotation(tags=["b", "a"]), ["x"], {"k": 1}) == (("a", "b"), {"k": 1})
    assert replaced(Annotation(notes={"n": 2}), ["x"], {"k": 1}) == (("x",), {"n": 2})
    assert replaced(Annotation(tags=[], notes={}), ["x"], {"k": 1}) == ((), {})
    assert replaced(Annotation(), ["x"], {"k": 1}) == (("x",), {"k": 1})


def test_patch_adds_tags_and_sets_top_level_keys_of_notes() -> None:
    asked = Annotation(tags=["a", "x"], notes={"k": {"new": 1}})
    assert added(asked, ["x"], {"k": {"old": 1}, "l": 2}) == (("a", "x"), {"k": {"new": 1}, "l": 2})


@given(_TAGS, _NOTES, _TAGS, _NOTES)
def test_doing_it_again_changes_nothing(
    tags: list[str], notes: dict[str, int], more: list[str], other: dict[str, int]
) -> None:
    asked = Annotation(tags=more, notes=other)
    for how in (added, replaced):
        once = how(asked, tags, notes)
        assert how(asked, *once) == once


def test_tags_and_notes_have_each_a_limit_of_128_kilobytes() -> None:
    replaced(Annotation(notes={"k": "x" * 130_000}), [], {})
    with pytest.raises(InvalidInputError, match="notes of the job would have 131,08"):
        replaced(Annotation(notes={"k": "x" * 131_072}), [], {})
    with pytest.raises(InvalidInputError, match="tags of the job"):
        added(Annotation(tags=[f"{i:0126}" for i in range(1100)]), [], {})
