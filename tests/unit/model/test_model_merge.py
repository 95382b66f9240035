"""How arguments, filters and log names of app and request become the job's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.app import AppArchiveFilter, AppArgument, AppLogConfig
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.fields import InputMode
from jupyter_tapis_jobs.model.job import ArchiveFilter, Argument
from jupyter_tapis_jobs.model.merge import (
    merge_archive_filter,
    merge_arguments,
    merge_log_config,
)
from jupyter_tapis_jobs.model.request import ArchiveFilterRequest, ArgumentRequest, LogConfigRequest

FIELD = "parameterSet.appArgs"


def app_arg(name: str | None, arg: str | None, mode: str | None = None, **more: Any) -> AppArgument:
    return AppArgument.model_validate({"name": name, "arg": arg, "inputMode": mode, **more})


def asked(name: str | None = None, arg: str | None = None, **more: Any) -> ArgumentRequest:
    return ArgumentRequest.model_validate({"name": name, "arg": arg, **more})


def texts(definition: list[AppArgument], request: list[ArgumentRequest]) -> list[str]:
    return [argument.arg for argument in merge_arguments(definition, request, FIELD)]


def test_the_apps_arguments_come_first_in_its_order_then_the_requests_own() -> None:
    definition = [app_arg("a", "A", "REQUIRED"), app_arg("b", "B", "FIXED")]
    assert texts(definition, [asked(arg="1"), asked("b"), asked("z", "2"), asked("a", "X")]) == [
        "X",
        "B",
        "1",
        "2",
    ]


@pytest.mark.parametrize(
    ("mode", "ignored", "named", "left_out"),
    [
        ("REQUIRED", ["A"], ["A"], ["A"]),
        ("FIXED", ["A"], ["A"], ["A"]),
        ("INCLUDE_BY_DEFAULT", ["A"], ["A"], []),
        ("INCLUDE_ON_DEMAND", [], ["A"], []),
        (None, [], ["A"], []),
    ],
)
def test_the_input_mode_decides_what_is_kept(
    mode: str | None, ignored: list[str], named: list[str], left_out: list[str]
) -> None:
    definition = [app_arg("a", "A", mode)]
    assert texts(definition, []) == ignored
    assert texts(definition, [asked("a")]) == named
    assert texts(definition, [asked("a", include=True)]) == named
    assert texts(definition, [asked("a", include=False)]) == left_out


def test_a_request_overwrites_in_place_and_descriptions_are_joined() -> None:
    definition = [app_arg("a", "A", "REQUIRED", description="from the app", notes={"x": 1})]
    (merged,) = merge_arguments(definition, [asked("a", "B", description="mine", notes={"y": 2})], FIELD)
    assert merged == Argument(arg="B", name="a", description="from the app\n\nmine", notes={"y": 2})


def test_a_fixed_argument_may_be_repeated_but_not_changed() -> None:
    definition = [app_arg("a", "A", "FIXED", notes={"x": 1})]
    assert texts(definition, [asked("a", "A", notes={"x": 1})]) == ["A"]
    with pytest.raises(InvalidInputError, match=r"'a' is fixed to 'A' and cannot be 'B'. Leave it out"):
        texts(definition, [asked("a", "B")])
    with pytest.raises(InvalidInputError, match=r"notes of .* is fixed"):
        texts(definition, [asked("a", notes={})])


@pytest.mark.parametrize("mode", ["REQUIRED", "FIXED"])
def test_a_needed_argument_without_a_text_is_missed(mode: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        texts([app_arg("a", None, mode)], [])
    assert caught.value.code == "JOBS_MISSING_ARG"
    assert "'a'" in caught.value.message


def test_the_error_of_a_missing_argument_says_what_to_add() -> None:
    with pytest.raises(
        InvalidInputError, match=r'Add \{"name": "a", "arg": \.\.\.\} to parameterSet.appArgs'
    ):
        texts([app_arg("a", "  ", "REQUIRED")], [])


def test_a_blank_argument_that_is_there_by_default_is_dropped() -> None:
    assert texts([app_arg("a", "", "INCLUDE_BY_DEFAULT"), app_arg("b", "B", "REQUIRED")], []) == ["B"]


def test_an_argument_of_the_request_needs_a_text() -> None:
    with pytest.raises(InvalidInputError, match=r"an entry of parameterSet.appArgs has no arg"):
        texts([], [asked()])


@pytest.mark.parametrize(
    ("definition", "request_"),
    [([app_arg("a", "A"), app_arg("a", "B")], []), ([], [asked("a", "A"), asked("a", "B")])],
)
def test_a_name_given_twice_is_refused(
    definition: list[AppArgument], request_: list[ArgumentRequest]
) -> None:
    with pytest.raises(InvalidInputError, match="names 'a' twice"):
        texts(definition, request_)


ARGS = st.builds(
    app_arg,
    st.sampled_from("abcd"),
    st.sampled_from([None, "", "x", "y"]),
    st.sampled_from([None, *InputMode]),
)
ASKED = st.builds(
    lambda name, arg, include: asked(name, arg, include=include),
    st.sampled_from([None, *"abcdef"]),
    st.sampled_from([None, "", "x", "z"]),
    st.sampled_from([None, True, False]),
)


@given(
    definition=st.lists(ARGS, max_size=4, unique_by=lambda a: a.name),
    request=st.lists(ASKED, max_size=5, unique_by=lambda a: a.name or id(a)),
)
def test_merging_keeps_order_and_never_changes_what_is_fixed(
    definition: list[AppArgument], request: list[ArgumentRequest]
) -> None:
    try:
        merged = merge_arguments(definition, request, FIELD)
    except InvalidInputError:
        return
    by_name = {argument.name: argument for argument in merged if argument.name}
    for item in definition:
        if item.input_mode is InputMode.FIXED:
            assert by_name[item.name].arg == item.arg
        if item.input_mode is InputMode.REQUIRED:
            assert by_name[item.name].arg.strip()
    names = [item.name for item in definition]
    of_app = [names.index(argument.name) for argument in merged if argument.name in names]
    assert of_app == sorted(of_app)
    assert [argument.name in names for argument in merged] == sorted(
        [argument.name in names for argument in merged], reverse=True
    )
    # What came out, asked for again without what was left out, changes nothing more.
    again = [asked(a.name, a.arg, include=a.include) for a in merged]
    again += [asked(item.name, include=False) for item in definition if item.name not in by_name]
    assert [a.arg for a in merge_arguments(definition, again, FIELD)] == [a.arg for a in merged]


def test_archive_patterns_of_the_app_follow_the_requests_and_the_request_decides_on_launch_files() -> None:
    definition = AppArchiveFilter.model_validate({"includes": ["a", "b"], "includeLaunchFiles": False})
    request = ArchiveFilterRequest.model_validate({"includes": ["b", "c"], "excludes": ["d"]})
    assert merge_archive_filter(definition, request) == ArchiveFilter(
        includes=("b", "c", "a"), excludes=("d",), include_launch_files=False
    )
    loud = ArchiveFilterRequest.model_validate({"includeLaunchFiles": True})
    assert merge_archive_filter(definition, loud).include_launch_files
    assert merge_archive_filter(None, None) == ArchiveFilter()


@pytest.mark.parametrize("pattern", ["REGEX:(", "{a", "a\nb"])
def test_a_bad_archive_pattern_is_refused_at_submission(pattern: str) -> None:
    with pytest.raises(InvalidInputError):
        merge_archive_filter(None, ArchiveFilterRequest.model_validate({"excludes": [pattern]}))


def test_log_names_come_from_the_request_then_the_app_then_tapis() -> None:
    definition = AppLogConfig.model_validate({"stdoutFilename": "o", "stderrFilename": "e"})
    request = LogConfigRequest.model_validate({"stdoutFilename": "x", "stderrFilename": "x"})
    assert merge_log_config(definition, request) == ("x", "x")
    assert merge_log_config(definition, None) == ("o", "e")
    assert merge_log_config(None, LogConfigRequest.model_validate({})) == ("tapisjob.out", "tapisjob.out")


def test_one_log_name_without_the_other_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"has no stderrFilename. Name both files or none"):
        merge_log_config(None, LogConfigRequest.model_validate({"stdoutFilename": "x"}))
