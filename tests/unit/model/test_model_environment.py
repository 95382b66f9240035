"""The environment: system, under app, under request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.app import EnvVariable
from jupyter_tapis_jobs.model.environment import merge_environment, with_input_keys
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.fields import NOT_SET, InputMode
from jupyter_tapis_jobs.model.request import EnvVariableRequest


def var(key: str, value: str | None = NOT_SET, mode: str | None = None, **more: Any) -> EnvVariable:
    return EnvVariable.model_validate({"key": key, "value": value, "inputMode": mode, **more})


def asked(key: str, value: str | None = None, **more: Any) -> EnvVariableRequest:
    return EnvVariableRequest.model_validate({"key": key, "value": value, **more})


def values(
    system: list[EnvVariable] | None = None,
    app: list[EnvVariable] | None = None,
    request: list[EnvVariableRequest] | None = None,
) -> dict[str, str]:
    return {v.key: v.value for v in merge_environment(system or [], app or [], request or [])}


def test_the_request_goes_over_the_app_and_the_app_over_the_system() -> None:
    system = [var("A", "s"), var("B", "s"), var("C", "s")]
    assert values(system, [var("B", "a"), var("C", "a")], [asked("C", "r"), asked("D", "r")]) == {
        "A": "s",
        "B": "a",
        "C": "r",
        "D": "r",
    }


def test_the_list_is_sorted_by_key_without_regard_to_capitals() -> None:
    assert list(values(request=[asked("b", ""), asked("C", ""), asked("a", "")])) == ["a", "b", "C"]


@pytest.mark.parametrize(
    ("mode", "ignored", "named", "left_out"),
    [
        ("REQUIRED", {"A": "x"}, {"A": "x"}, {"A": "x"}),
        ("FIXED", {"A": "x"}, {"A": "x"}, {"A": "x"}),
        ("INCLUDE_BY_DEFAULT", {"A": "x"}, {"A": "x"}, {}),
        (None, {"A": "x"}, {"A": "x"}, {}),
        ("INCLUDE_ON_DEMAND", {}, {"A": "x"}, {}),
    ],
)
def test_the_input_mode_decides_what_is_kept(
    mode: str | None, ignored: dict[str, str], named: dict[str, str], left_out: dict[str, str]
) -> None:
    app = [var("A", "x", mode)]
    assert values(app=app) == ignored
    assert values(app=app, request=[asked("A", NOT_SET)]) == named
    assert values(app=app, request=[asked("A", NOT_SET, include=False)]) == left_out


def test_an_unset_variable_that_the_request_ignores_is_dropped_unless_it_is_required() -> None:
    assert values(app=[var("A")]) == {}
    with pytest.raises(InvalidInputError, match=r"environment variable A has no value. Add"):
        values(app=[var("A", NOT_SET, "REQUIRED")])


@pytest.mark.parametrize("value", [NOT_SET, None])
def test_a_value_that_is_still_unset_at_the_end_is_missed(value: str | None) -> None:
    with pytest.raises(InvalidInputError, match="A has no value"):
        values(app=[var("A")], request=[asked("A", value)])
    with pytest.raises(InvalidInputError, match="A has no value"):
        values(request=[asked("A", value)])


def test_an_empty_text_is_a_value() -> None:
    assert values(app=[var("A", "x")], request=[asked("A", "")]) == {"A": ""}


def test_a_fixed_value_cannot_be_changed_but_repeated() -> None:
    app = [var("A", "x", "FIXED", notes={"n": 1})]
    assert values(app=app, request=[asked("A", "x", notes={"n": 1})]) == {"A": "x"}
    with pytest.raises(InvalidInputError, match="A is fixed to 'x' and cannot be 'y'"):
        values(app=app, request=[asked("A", "y")])
    with pytest.raises(InvalidInputError, match="notes of variable A is fixed"):
        values(app=app, request=[asked("A", "x", notes={"n": 2})])


@pytest.mark.parametrize(
    ("system", "app"),
    [
        ([var("A", NOT_SET, "FIXED")], []),
        ([var("A", "x", "REQUIRED")], []),
        ([], [var("A", NOT_SET, "FIXED")]),
        ([var("A", "x")], [var("A", NOT_SET, "FIXED")]),
        ([var("A", "x", "FIXED")], [var("A", "x")]),
        ([var("A", "x", "FIXED")], [var("A", "y", "FIXED")]),
    ],
)
def test_contradictions_of_definitions_are_their_owners_to_mend(
    system: list[EnvVariable], app: list[EnvVariable]
) -> None:
    with pytest.raises(InvalidInputError, match="owner has to mend it"):
        values(system, app)


def test_an_app_may_repeat_what_the_system_fixes() -> None:
    assert values([var("A", "x", "FIXED")], [var("A", "x", "FIXED")]) == {"A": "x"}


def test_what_the_system_requires_the_app_cannot_make_optional() -> None:
    system = [var("A", NOT_SET, "REQUIRED")]
    assert values(system, [var("A", "x", "INCLUDE_ON_DEMAND")]) == {"A": "x"}
    with pytest.raises(InvalidInputError, match="A has no value"):
        values(system, [var("A", NOT_SET)])


def test_an_unset_value_of_the_app_takes_the_systems() -> None:
    assert values([var("A", "s")], [var("A")]) == {"A": "s"}


@pytest.mark.parametrize("key", ["_tapisJobUUID", "_tapisX"])
def test_reserved_keys_are_refused(key: str) -> None:
    with pytest.raises(InvalidInputError, match="is kept for the job's own variables"):
        values(request=[asked(key, "x")])


def test_other_leading_underscores_are_fine() -> None:
    assert values(app=[var("_XTERM_CMD", "x")]) == {"_XTERM_CMD": "x"}


def test_a_key_of_a_definition_that_is_no_name_is_refused_on_the_job() -> None:
    with pytest.raises(InvalidInputError, match="cannot name a variable"):
        values(app=[var("MY VAR", "x")])


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="names 'A' twice"):
        values(request=[asked("A", "1"), asked("A", "2")])


def test_control_characters_are_refused_in_values_and_everything_else_is_carried() -> None:
    text = """a'b"c $(rm) ; | & > `x` \\ 😀"""
    assert values(request=[asked("A", text)]) == {"A": text}
    with pytest.raises(InvalidInputError, match="value of environment variable A holds a newline"):
        values(request=[asked("A", "a\nb")])


def test_an_input_sets_its_variable_unless_the_name_is_taken() -> None:
    given_already = merge_environment([], [], [asked("B", "x")])
    merged = with_input_keys(given_already, [("MESH", "mesh.msh"), (None, "other")])
    assert {v.key: v.value for v in merged} == {"B": "x", "MESH": "mesh.msh"}
    with pytest.raises(InvalidInputError, match="envKey B is already an environment variable"):
        with_input_keys(given_already, [("B", "y")])
    with pytest.raises(InvalidInputError, match="envKey M is already"):
        with_input_keys((), [("M", "y"), ("M", "z")])
    with pytest.raises(InvalidInputError, match="is kept for the job's own"):
        with_input_keys((), [("_tapisM", "y")])


KEYS, VALUES = st.sampled_from("AbCd"), st.sampled_from([NOT_SET, "", "x", "y"])
VARS = st.lists(
    st.builds(var, KEYS, VALUES, st.sampled_from([None, *InputMode])), max_size=3, unique_by=lambda v: v.key
)
ASKED = st.lists(st.builds(asked, KEYS, VALUES), max_size=3, unique_by=lambda v: v.key)


@given(system=VARS, app=VARS, request=ASKED)
def test_fixed_never_changes_required_always_has_a_value_and_merging_again_changes_nothing(
    system: list[EnvVariable], app: list[EnvVariable], request: list[EnvVariableRequest]
) -> None:
    try:
        merged = values(system, app, request)
    except InvalidInputError:
        return
    for item in (*system, *app):
        if item.input_mode is InputMode.FIXED:
            assert merged[item.key] == item.value
        if item.input_mode is InputMode.REQUIRED:
            assert merged[item.key] != NOT_SET
    assert NOT_SET not in merged.values()
    assert list(merged) == sorted(merged, key=str.lower)
    assert values(system, app, [asked(key, value) for key, value in merged.items()]) == merged
