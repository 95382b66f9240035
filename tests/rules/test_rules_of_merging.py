"""How what an app, a system and a request say becomes one."""

from __future__ import annotations

from typing import Any

import pytest
from model_samples import make_app, make_cluster, make_system, resolve_sample

from jupyter_tapis_jobs.model.errors import InvalidInputError

NOT_SET = "!tapis_not_set"


def _args(of_app: list[dict[str, Any]], own: list[dict[str, Any]], kind: str = "appArgs") -> list[str]:
    app = make_app({"parameterSet": {kind: of_app}})
    _, definition = resolve_sample(app=app, parameterSet={kind: own})
    return [argument.arg for argument in definition.app_args]


@pytest.mark.parametrize(
    ("mode", "own", "kept"),
    [
        (None, None, False),
        (None, {"name": "x", "arg": "own"}, True),
        ("INCLUDE_ON_DEMAND", {"name": "x", "arg": "own", "include": False}, False),
        ("INCLUDE_ON_DEMAND", {"name": "x", "arg": "own", "include": True}, True),
        ("INCLUDE_BY_DEFAULT", None, True),
        ("INCLUDE_BY_DEFAULT", {"name": "x", "arg": "own", "include": False}, False),
        ("REQUIRED", {"name": "x", "arg": "own", "include": False}, True),
        ("FIXED", {"name": "x", "arg": "app", "include": False}, True),
    ],
)
def test_an_argument_of_the_app_is_kept_as_its_mode_and_the_requests_include_say(
    mode: str | None, own: dict[str, Any] | None, kept: bool
) -> None:
    item = {"name": "x", "arg": "app"} | ({"inputMode": mode} if mode else {})
    found = _args([item], [own] if own else [])
    assert found == ([own["arg"] if own else "app"] if kept else [])


def test_a_rejected_argument_does_not_come_back_and_unknown_names_are_appended() -> None:
    of_app = [{"name": "a", "arg": "1", "inputMode": "INCLUDE_BY_DEFAULT"}, {"name": "b", "arg": "2"}]
    own = [{"name": "z", "arg": "9", "include": False}, {"name": "a", "arg": "3", "include": False}]
    assert _args(of_app, own) == ["9"]


def test_the_description_of_an_argument_is_the_apps_and_the_requests() -> None:
    app = make_app({"parameterSet": {"appArgs": [{"name": "x", "arg": "1", "description": "theirs"}]}})
    own = {"name": "x", "arg": "2", "description": "mine", "notes": {"k": 1}}
    (argument,) = resolve_sample(app=app, parameterSet={"appArgs": [own]})[1].app_args
    assert (argument.description, argument.notes) == ("theirs\n\nmine", {"k": 1})


def test_a_missing_argument_has_tapis_code() -> None:
    with pytest.raises(InvalidInputError) as refused:
        _args([{"name": "x", "inputMode": "REQUIRED"}], [])
    assert refused.value.code == "JOBS_MISSING_ARG"


def _environment(
    system: list[dict[str, Any]], app: list[dict[str, Any]], own: list[dict[str, Any]]
) -> dict[str, str]:
    _, definition = resolve_sample(
        system=make_system(jobEnvVariables=system),
        app=make_app({"parameterSet": {"envVariables": app}}),
        parameterSet={"envVariables": own},
    )
    return {variable.key: variable.value for variable in definition.env_variables}


def test_a_value_goes_from_system_to_app_to_request() -> None:
    low, mid, high = ({"key": "K", "value": value} for value in ("system", "app", "request"))
    assert _environment([low], [mid], [high]) == {"K": "request"}
    assert _environment([low], [mid], [{"key": "K", "value": NOT_SET}]) == {"K": "app"}
    assert _environment([low], [{"key": "K", "value": NOT_SET}], []) == {"K": "system"}
    assert _environment([low], [], []) == {"K": "system"}


@pytest.mark.parametrize(
    ("system", "app", "own"),
    [
        ([{"key": "K", "inputMode": "FIXED"}], [], []),
        ([{"key": "K", "value": "v", "inputMode": "REQUIRED"}], [], []),
        ([], [{"key": "K", "inputMode": "FIXED"}], []),
        ([{"key": "K", "value": "v", "inputMode": "FIXED"}], [{"key": "K", "value": "v"}], []),
        ([{"key": "K", "value": "v", "inputMode": "FIXED"}], [], [{"key": "K", "value": "w"}]),
        ([{"key": "K", "inputMode": "REQUIRED"}], [], []),
        ([{"key": "K", "inputMode": "REQUIRED"}], [{"key": "K", "inputMode": "INCLUDE_ON_DEMAND"}], []),
        ([], [], [{"key": "K"}]),
        ([], [], [{"key": "_tapisK", "value": "v"}]),
    ],
)
def test_contradictions_and_values_that_stay_unset_are_refused(
    system: list[dict[str, Any]], app: list[dict[str, Any]], own: list[dict[str, Any]]
) -> None:
    with pytest.raises(InvalidInputError):
        _environment(system, app, own)


def test_what_a_system_fixes_an_app_and_a_request_may_repeat() -> None:
    fixed = {"key": "K", "value": "v", "inputMode": "FIXED"}
    assert _environment([fixed], [fixed], [{"key": "K", "value": "v"}]) == {"K": "v"}


def test_a_fixed_input_takes_blanks_and_the_same_value() -> None:
    fixed = {"name": "in", "sourceUrl": "tapis://s/a", "targetPath": "a", "inputMode": "FIXED"}
    app = make_app({"fileInputs": [fixed]})
    for own in ({"name": "in"}, {"name": "in", "sourceUrl": "tapis://s/a", "targetPath": ""}):
        assert resolve_sample(app=app, fileInputs=[own])[1].file_inputs[0].source_url == "tapis://s/a"
    with pytest.raises(InvalidInputError, match="is fixed to"):
        resolve_sample(app=app, fileInputs=[{"name": "in", "sourceUrl": "tapis://s/b"}])


def test_inputs_of_arrays_are_numbered_by_array_and_place_and_set_their_variable() -> None:
    arrays = [
        {
            "name": "first",
            "sourceUrls": ["tapis://s/a", "tapis://s/b"],
            "targetDir": "in",
            "envKey": "INPUTS",
        },
        {"sourceUrls": ["tapis://s/c"], "targetDir": "*"},
    ]
    _, definition = resolve_sample(fileInputArrays=arrays)
    assert [(item.name, item.target_path) for item in definition.file_inputs] == [
        ("first_1.1", "in/a"),
        ("first_1.2", "in/b"),
        ("unnamed_2.1", "c"),
    ]
    assert [(v.key, v.value) for v in definition.env_variables] == [("INPUTS", "in")]
    assert not any(item.auto_mount_local for item in definition.file_inputs)


def test_what_is_not_copied_has_no_place_in_an_array() -> None:
    with pytest.raises(InvalidInputError, match="has no place in an array"):
        resolve_sample(fileInputArrays=[{"sourceUrls": ["tapislocal://exec.tapis/a"]}])


def test_a_queues_options_come_before_the_apps_and_are_there_by_default() -> None:
    queues = [
        {"name": "q", "hpcQueueName": "q", "schedulerOptions": [{"name": "qos", "arg": "--qos high"}]},
    ]
    system = make_cluster(batchLogicalQueues=queues, batchDefaultLogicalQueue="q")
    app = make_app(
        {"parameterSet": {"schedulerOptions": [{"name": "a", "arg": "-A x", "inputMode": "FIXED"}]}}
    )
    _, definition = resolve_sample(system=system, app=app, jobType="BATCH")
    assert [option.arg for option in definition.scheduler_options] == ["--qos high", "-A x"]
    left_out = {"schedulerOptions": [{"name": "qos", "arg": "--qos low", "include": False}]}
    _, definition = resolve_sample(system=system, app=app, jobType="BATCH", parameterSet=left_out)
    assert [option.arg for option in definition.scheduler_options] == ["-A x"]


def test_the_requests_log_names_go_before_the_apps() -> None:
    theirs = {"logConfig": {"stdoutFilename": "a.out", "stderrFilename": "a.err"}}
    mine = {"logConfig": {"stdoutFilename": "logs/all.txt", "stderrFilename": "logs/all.txt"}}
    _, definition = resolve_sample(app=make_app({"parameterSet": theirs}), parameterSet=mine)
    assert definition.stdout_filename == definition.stderr_filename == "logs/all.txt"
