"""The fields of a request: where their values come from, and what they may be."""

from __future__ import annotations

from typing import Any

import pytest
from model_samples import make_app, make_cluster, make_system, resolve_sample

from jupyter_tapis_jobs.model.app import parse_app
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.inheritance import is_dynamic
from jupyter_tapis_jobs.model.request import parse_request
from jupyter_tapis_jobs.model.system import parse_system


@pytest.mark.parametrize(
    ("field", "own", "of_app", "default"),
    [
        ("nodeCount", 3, 2, 1),
        ("coresPerNode", 3, 2, 1),
        ("memoryMB", 3, 2, 100),
        ("maxMinutes", 3, 2, 10),
        ("isMpi", False, True, False),
        ("mpiCmd", "srun", "mpirun", None),
        ("dynamicExecSystem", False, True, False),
        ("execSystemExecDir", "/own", "/app", "/work/tapis/jobs/"),
        ("execSystemInputDir", "/own", "/app", "/work/tapis/jobs/"),
        ("execSystemOutputDir", "/own", "/app", "/work/tapis/jobs/"),
        ("archiveSystemDir", "/own", "/app", "/work/tapis/jobs/"),
        ("description", "own", "app's", "solver-1.0 submitted by ada@jupyter"),
    ],
)
def test_a_field_is_the_requests_else_the_apps_else_the_default(
    field: str, own: Any, of_app: Any, default: Any
) -> None:
    more = {"mpiCmd": "mpirun"} if field == "isMpi" else {}
    app = make_app({field: of_app, **more})
    assert _value(field, app=app, **{field: own}) == own
    assert _value(field, app=app) == of_app
    unsaid = _value(field)
    assert unsaid.startswith(default) if isinstance(default, str) else unsaid == default


def _value(field: str, **asked: Any) -> Any:
    job, definition = resolve_sample(**asked)
    names = {"memoryMB": "memory_mb"}
    name = names.get(field, "".join(f"_{c.lower()}" if c.isupper() else c for c in field))
    return getattr(definition if hasattr(definition, name) else job, name)


@pytest.mark.parametrize("field", ["memoryMB", "maxMinutes"])
def test_memory_and_minutes_of_a_request_begin_at_one(field: str) -> None:
    with pytest.raises(InvalidInputError, match=field):
        parse_request({"name": "n", "appId": "a", "appVersion": "1", field: 0})


@pytest.mark.parametrize(
    ("field", "longest"),
    [("name", 64), ("appId", 80), ("appVersion", 64), ("description", 2048), ("execSystemId", 80),
     ("archiveSystemDir", 4096), ("execSystemLogicalQueue", 80), ("mpiCmd", 126), ("cmdPrefix", 1024)],
)  # fmt: skip
def test_texts_have_tapis_limits(field: str, longest: int) -> None:
    raw = {"name": "n", "appId": "a", "appVersion": "1"}
    parse_request({**raw, field: "x" * longest})
    with pytest.raises(InvalidInputError, match=field):
        parse_request({**raw, field: "x" * (longest + 1)})


def test_a_prefix_is_refused_wherever_it_is_said_unless_the_system_allows_it() -> None:
    app = make_app({"cmdPrefix": "time"})
    with pytest.raises(InvalidInputError, match="enableCmdPrefix is false"):
        resolve_sample(app=app)
    _, definition = resolve_sample(app=app, system=make_system(enableCmdPrefix=True))
    assert definition.cmd_prefix == "time"


def test_mpi_takes_the_systems_command_where_nobody_else_says_one() -> None:
    _, definition = resolve_sample(isMpi=True, system=make_system(mpiCmd="ibrun"))
    assert definition.mpi_cmd == "ibrun"


def test_the_same_input_twice_is_refused() -> None:
    item = {"sourceUrl": "tapis://s/a.txt"}
    with pytest.raises(InvalidInputError, match=r"fileInputs\[1\] is there already"):
        resolve_sample(fileInputs=[item, item])
    array = {"sourceUrls": ["tapis://s/a.txt"]}
    with pytest.raises(InvalidInputError, match=r"fileInputArrays\[1\] is there already"):
        resolve_sample(fileInputArrays=[array, array])


def test_the_tags_of_request_and_app_are_one_sorted_set() -> None:
    job, _ = resolve_sample(tags=["b", "a", "b"], app=make_app({"tags": ["c", "a"]}))
    assert job.tags == ("a", "b", "c")


def test_a_queue_says_nothing_about_fork_jobs() -> None:
    _, definition = resolve_sample(system=make_cluster(), jobType="FORK", nodeCount=100_000)
    assert (definition.node_count, definition.exec_system_logical_queue) == (100_000, None)


def test_the_request_decides_before_the_app_whether_any_system_will_do() -> None:
    head = {"name": "n", "appId": "solver", "appVersion": "1.0"}
    app = make_app({"dynamicExecSystem": True})
    assert is_dynamic(parse_request(head), app)
    assert not is_dynamic(parse_request({**head, "dynamicExecSystem": False}), app)
    assert not is_dynamic(parse_request(head), make_app())


@pytest.mark.parametrize(
    ("own", "of_app", "mode"),
    [
        ({}, {}, "ALWAYS"),
        ({}, {"archiveOnAppError": False}, "SKIP_ON_FAIL"),
        ({"archiveOnAppError": True}, {"archiveMode": "NEVER"}, "ALWAYS"),
        ({"archiveMode": "NEVER", "archiveOnAppError": True}, {}, "NEVER"),
    ],
)
def test_archive_mode_goes_before_archive_on_app_error_and_the_request_before_the_app(
    own: dict[str, Any], of_app: dict[str, Any], mode: str
) -> None:
    _, definition = resolve_sample(app=make_app(of_app), **own)
    assert definition.archive_mode == mode
    assert definition.archive_on_app_error is (mode == "ALWAYS")


@pytest.mark.parametrize("word", ["a;b", "a|b", "a>b", "a<b", "a&b", "a`b"])
def test_words_that_a_shell_would_act_on_are_refused(word: str) -> None:
    for asked in (
        {"parameterSet": {"appArgs": [{"arg": word}]}},
        {"parameterSet": {"logConfig": {"stdoutFilename": word, "stderrFilename": "e"}}},
        {"mpiCmd": word, "isMpi": True},
    ):
        with pytest.raises(InvalidInputError):
            resolve_sample(**asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"execSystemExecDir": "/a/../b"},
        {"execSystemOutputDir": "${JobName}/x", "name": ".."},
        {"fileInputs": [{"sourceUrl": "tapis://s/a", "targetPath": "../a"}]},
        {"archiveSystemDir": "../up"},
    ],
)
def test_dots_that_lead_up_are_refused_before_and_after_macros(asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=r"'\.\.'"):
        resolve_sample(**asked)


def test_directories_end_canonical() -> None:
    _, definition = resolve_sample(execSystemExecDir="a//b/", execSystemOutputDir="/c/./d//")
    assert (definition.exec_system_exec_dir, definition.exec_system_output_dir) == ("/a/b", "/c/d")


def test_an_app_that_names_an_archive_and_no_directory_is_told() -> None:
    raw = {"id": "a", "version": "1", "containerImage": "/i", "runtime": "ZIP"}
    _, warnings = parse_app({**raw, "jobAttributes": {"archiveSystemId": "far"}})
    assert [w for w in warnings if "archiveSystemDir" in w]
    _, warnings = parse_app({**raw, "jobAttributes": {"archiveSystemId": "far", "archiveSystemDir": "/a"}})
    assert not warnings


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"fileInputs": [{"name": "n", "targetPath": "a"}, {"name": "n", "targetPath": "b"}]}, "'n' 2 times"),
        ({"parameterSet": {"archiveFilter": {"includes": ["{a"]}}}, "cannot be read"),
        ({"parameterSet": {"logConfig": {"stdoutFilename": "a"}}}, "one file of two"),
        ({"parameterSet": {"appArgs": [{"name": "n", "inputMode": "FIXED"}]}}, "FIXED but empty"),
        ({"parameterSet": {"envVariables": [{"key": "_tapisX", "value": "v"}]}}, "cannot be a variable"),
    ],
)
def test_what_would_refuse_every_job_of_an_app_is_told_when_it_is_made(
    attributes: dict[str, Any], told: str
) -> None:
    raw = {"id": "a", "version": "1", "containerImage": "/i", "runtime": "ZIP"}
    _, warnings = parse_app({**raw, "jobAttributes": attributes})
    assert [warning for warning in warnings if told in warning]
    with pytest.raises(InvalidInputError):
        resolve_sample(app=make_app(attributes))


def test_a_systems_variables_are_looked_at_when_it_is_made() -> None:
    variables = [
        {"key": "_tapisX", "value": "v"},
        {"key": "F", "inputMode": "FIXED"},
        {"key": "R", "value": "v", "inputMode": "REQUIRED"},
        {"key": "F", "value": "v"},
        {"key": "GOOD", "value": "v"},
    ]
    raw = {"id": "s", "systemType": "LINUX", "host": "h", "defaultAuthnMethod": "PASSWORD", "canExec": False}
    _, warnings = parse_system({**raw, "rootDir": "/", "jobEnvVariables": variables})
    assert [warning.split("jobEnvVariables")[1].split()[0] for warning in warnings] == [
        "[0].key", "[1]", "names", "[2]",
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["WEBHOOK", "EMAIL", "QUEUE", "ACTOR"])
def test_a_subscription_takes_every_method_of_the_schema(method: str) -> None:
    address = "https://example.org/hook" if method == "WEBHOOK" else "ada@example.org"
    target = {"deliveryMethod": method, "deliveryAddress": address}
    asked = [{"eventCategoryFilter": "JOB_NEW_STATUS", "deliveryTargets": [target]}]
    (words,) = resolve_sample(subscriptions=asked)[1].subscriptions
    assert words["deliveryTargets"] == [target]
    with pytest.raises(InvalidInputError, match="deliveryTargets"):
        resolve_sample(subscriptions=[{"eventCategoryFilter": "ALL", "deliveryTargets": []}])
