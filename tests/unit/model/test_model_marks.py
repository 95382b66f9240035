"""Marks of a job: what the job wrote there itself is never more than a word about that job."""

from __future__ import annotations

import pytest

from jupyter_tapis_jobs.model.marks import CLAIM, EXIT, read_marks
from jupyter_tapis_jobs.model.times import iso

WHEN = 1_700_000_000.0


@pytest.mark.parametrize(
    ("text", "code"),
    [("0\n", 0), ("3\n", 3), ("143 terminated\n", 143), ("0", None), ("", None), ("12", None)],
)
def test_an_exit_counts_once_its_line_is_whole(text, code):
    assert read_marks({EXIT: (text, WHEN)}).exit_code == code


@pytest.mark.parametrize("text", ["²\n", "9" * 5000 + "\n", "9" * 30 + "\n", "nonsense\n", "-1\n"])
def test_an_exit_that_is_no_code_is_a_bad_end_and_no_fault_of_the_engine(text):
    found = read_marks({EXIT: (text, WHEN)})
    assert (found.exit_code, found.ended) == (255, WHEN)


@pytest.mark.parametrize("moment", [1e15, -1e15, 1e300, float("inf"), float("nan")])
def test_a_time_that_no_calendar_has_can_still_be_told(moment):
    found = read_marks({CLAIM: ("u 1 h\n", moment), EXIT: ("0\n", moment)})
    assert iso(found.started)
    assert iso(found.ended)
