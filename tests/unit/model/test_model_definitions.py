"""Apps and systems: kept as they are, told what is odd, refused when no rule allows them."""

from __future__ import annotations

from typing import Any

import pytest
from model_samples import QUEUES, make_cluster, make_system

from jupyter_tapis_jobs.model.app import App, parse_app
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.system import System, parse_system

APP = {
    "id": "opensees-mp",
    "version": "latest",
    "containerImage": "tapis://store/opensees.zip",
    "runtime": "ZIP",
}
SYSTEM = {
    "id": "host1",
    "systemType": "LINUX",
    "host": "host1",
    "defaultAuthnMethod": "PASSWORD",
    "canExec": True,
    "rootDir": "/",
    "jobWorkingDir": "/w",
    "jobRuntimes": [{"runtimeType": "ZIP"}],
}


def test_a_portals_app_registers_unchanged_and_comes_back_whole() -> None:
    raw: dict[str, Any] = {
        **APP,
        "isPublic": True,
        "appType": "batch",
        "jobAttributes": {
            "fileInputs": [
                {"name": "Input Directory", "inputMode": "REQUIRED", "targetPath": "in", "x-extra": 1}
            ],
            "parameterSet": {
                "schedulerOptions": [{"name": "TACC Allocation", "inputMode": "REQUIRED", "arg": None}],
                "envVariables": [{"key": "_XTERM_CMD", "value": None, "notes": {"isHidden": True}}],
            },
        },
        "notes": {"label": "OpenSees", "queueFilter": ["normal"]},
    }
    app, warnings = parse_app(raw)
    wire = app.to_wire()
    assert wire["appType"] == "batch"
    assert wire["jobAttributes"]["fileInputs"][0]["x-extra"] == 1
    assert wire["notes"] == raw["notes"]
    assert parse_app(wire)[0] == app
    assert [w.split("'")[1] for w in warnings] == ["appType", "jobAttributes.fileInputs[0].x-extra"]


def test_every_attribute_is_shown_null_when_unset() -> None:
    wire = parse_app(APP)[0].to_wire()
    assert {
        wire["runtimeOptions"],
        wire["tags"],
        wire["description"],
        wire["jobAttributes"]["execSystemId"],
    } == {None}
    assert {"maxJobs", "maxJobsPerUser", "strictFileInputs", "uuid", "deleted", "created", "updated"} <= set(
        wire
    )
    system = make_system().to_wire()
    assert system["batchLogicalQueues"] is None
    assert {
        "jobMaxJobs",
        "port",
        "useProxy",
        "dtnSystemId",
        "hasCredentials",
        "isDynamicEffectiveUser",
    } <= set(system)


def test_null_stands_for_tapis_defaults() -> None:
    nothing = dict.fromkeys(
        ("enabled", "versionEnabled", "locked", "strictFileInputs", "runtime", "jobAttributes")
    )
    app = parse_app({**APP, **nothing})[0]
    assert (app.enabled, app.version_enabled, app.locked, app.strict_file_inputs, app.runtime) == (
        True,
        True,
        False,
        False,
        "DOCKER",
    )
    flags = dict.fromkeys(("enabled", "canRunBatch", "enableCmdPrefix", "allowChildren"))
    system = parse_system({**SYSTEM, **flags})[0]
    assert (system.enabled, system.can_run_batch, system.enable_cmd_prefix) == (True, False, False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"containerImage": None}, "has no containerImage"),
        ({"jobAttributes": {"fileInputs": [{"targetPath": "x"}]}}, "fileInputs[0] has no name"),
        (
            {"jobAttributes": {"fileInputs": [{"name": "a", "inputMode": "FIXED"}]}},
            "is FIXED but has no sourceUrl",
        ),
        ({"jobAttributes": {"parameterSet": {"appArgs": [{"arg": "x"}]}}}, "appArgs[0] has no name"),
        (
            {"jobAttributes": {"parameterSet": {"appArgs": [{"name": "a", "inputMode": "FIXED"}]}}},
            "is FIXED but empty",
        ),
        (
            {"jobAttributes": {"parameterSet": {"appArgs": [{"name": "a"}, {"name": "a"}]}}},
            "names 'a' 2 times",
        ),
        ({"jobAttributes": {"parameterSet": {"envVariables": [{"key": "A B"}]}}}, "cannot be a variable"),
        (
            {"jobAttributes": {"parameterSet": {"envVariables": [{"key": "A", "inputMode": "FIXED"}]}}},
            "is FIXED but has no value",
        ),
        (
            {"jobAttributes": {"parameterSet": {"appArgs": [{"arg": "x", "meta": {"name": "a"}}]}}},
            "old spelling",
        ),
    ],
)
def test_what_is_odd_registers_with_a_warning(change: dict[str, Any], words: str) -> None:
    _, warnings = parse_app({**APP, **change})
    assert any(words in warning for warning in warnings), warnings


def test_an_old_required_mark_becomes_an_input_mode() -> None:
    args = [{"arg": "x", "meta": {"name": "a", "required": True}}, {"arg": "y", "meta": {"name": "b"}}]
    app, _ = parse_app({**APP, "jobAttributes": {"parameterSet": {"appArgs": args}}})
    parameters = app.job_attributes.parameter_set
    assert parameters
    assert parameters.app_args
    assert [a.input_mode for a in parameters.app_args] == ["REQUIRED", "INCLUDE_BY_DEFAULT"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "a b"}, "id 'a b' must match"),
        ({"id": ""}, "id is empty"),
        ({"version": None}, "version must be text"),
        ({"runtime": "ZIPP"}, "DOCKER, SINGULARITY, ZIP. Did you mean 'ZIP'"),
        ({"enabled": "yes"}, "enabled must be true or false"),
        ({"jobAttributes": {"nodeCount": "1"}}, "jobAttributes.nodeCount must be a whole number"),
    ],
)
def test_an_app_with_wrong_values_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        parse_app({**APP, **change})


@pytest.mark.parametrize("parse", [parse_app, parse_system])
def test_what_is_no_object_is_refused(parse: Any) -> None:
    with pytest.raises(InvalidInputError, match="is an object"):
        parse([])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "-x"}, "id '-x' must match"),
        ({"host": None}, "host must be text"),
        ({"rootDir": None}, "rootDir of system host1 is needed by a LINUX system"),
        ({"rootDir": "home"}, "rootDir of system host1 'home' must be absolute"),
        ({"rootDir": "/a/../b"}, "rootDir .* holds"),
        ({"systemType": "S3"}, "bucketName of system host1 is needed"),
        ({"systemType": "S3", "bucketName": "b"}, "canExec of system host1 must be false"),
        ({"jobWorkingDir": " "}, "jobWorkingDir of system host1 is needed where canExec"),
        ({"jobRuntimes": []}, "jobRuntimes of system host1 is needed where canExec"),
        ({"canRunBatch": True}, "batchScheduler of system host1 is needed where canRunBatch.*SLURM"),
        ({"canRunBatch": True, "batchScheduler": "SLURM"}, "needs at least one queue"),
        (
            {"canRunBatch": True, "batchScheduler": "SLURM", "batchLogicalQueues": QUEUES},
            "must say which of these is the default: normal, large",
        ),
        (
            {"batchLogicalQueues": QUEUES, "batchDefaultLogicalQueue": "norml"},
            "'norml' is not one of: normal, large. Did you mean 'normal'",
        ),
        ({"batchLogicalQueues": [QUEUES[0], QUEUES[0]]}, "names queue 'normal' twice"),
        ({"mpiCmd": "mpirun; x"}, "mpiCmd .* holds ';'"),
        ({"batchLogicalQueues": [{"name": "a|b", "hpcQueueName": "a"}]}, "batchLogicalQueues.name"),
        ({"host": "a\nb"}, "host holds a newline"),
    ],
)
def test_a_system_that_breaks_a_rule_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        parse_system({**SYSTEM, **change})


def test_the_only_queue_is_the_default() -> None:
    assert (
        make_cluster(batchLogicalQueues=QUEUES[:1], batchDefaultLogicalQueue=None).batch_default_logical_queue
        == "normal"
    )


def test_a_storage_system_needs_nothing_to_run_jobs() -> None:
    raw = {**SYSTEM, "canExec": False, "jobWorkingDir": None, "jobRuntimes": None}
    assert not parse_system(raw)[0].can_exec


def test_a_credential_is_taken_and_never_shown() -> None:
    system, _ = parse_system({**SYSTEM, "authnCredential": {"password": "s3cret"}})
    assert system.authn_credential == {"password": "s3cret"}
    assert system.to_wire()["authnCredential"] is None
    assert "s3cret" not in str(system.to_wire())


def test_unknown_keys_of_systems_are_kept_and_told() -> None:
    system, warnings = parse_system({**SYSTEM, "jobRuntime": 1})
    assert system.to_wire()["jobRuntime"] == 1
    assert warnings == [
        "'jobRuntime' is not an attribute that Tapis knows; it is kept. Did you mean 'jobRuntimes'?"
    ]


@pytest.mark.parametrize("model", [App, System])
def test_schemas_tell_enums_limits_and_that_more_keys_are_kept(model: Any) -> None:
    schema = model.model_json_schema(by_alias=True)
    assert schema["additionalProperties"] is True
    assert schema["properties"]["id"]["maxLength"] == 80
    assert "DOCKER" in schema["$defs"]["RuntimeType"]["enum"]


@pytest.mark.parametrize("key", ["authnCredentials", "authn_credential", "password", "privateKey", "Secret"])
def test_a_secret_in_the_wrong_place_of_a_system_is_refused_and_not_told(key):
    with pytest.raises(InvalidInputError, match="authnCredential") as refused:
        parse_system({**SYSTEM, key: {"password": "open sesame"}})
    assert "sesame" not in f"{refused.value} {refused.value.value}"
