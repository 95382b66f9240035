"""What a retry changes of a case's request."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_tapis_jobs.engine.study_wishes import laid_over

REQUEST = {
    "maxMinutes": 5,
    "parameterSet": {
        "appArgs": [{"arg": "--k=3"}],
        "envVariables": [{"key": "K", "value": "3"}, {"key": "STEPS", "value": "10"}],
    },
}


@pytest.mark.parametrize(
    ("changes", "parameters"),
    [
        ({"maxMinutes": 9}, REQUEST["parameterSet"]),
        (
            {"parameterSet": {"envVariables": [{"key": "STEPS", "value": "99"}]}},
            {
                "appArgs": [{"arg": "--k=3"}],
                "envVariables": [{"key": "K", "value": "3"}, {"key": "STEPS", "value": "99"}],
            },
        ),
        ({"parameterSet": {"appArgs": []}}, {**REQUEST["parameterSet"], "appArgs": []}),  # type: ignore[dict-item]
        ({"parameterSet": None}, None),
    ],
)
def test_a_change_of_some_parameters_keeps_what_makes_the_case(
    changes: dict[str, Any], parameters: Any
) -> None:
    found = laid_over(REQUEST, changes)
    assert found["parameterSet"] == parameters
    assert found["maxMinutes"] == changes.get("maxMinutes", 5)
