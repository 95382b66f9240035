"""The form that an app's definition and its notes make, and what a filled one asks for."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from made_systems import made_up_cluster

from jupyter_tapis_jobs.model.app import App, parse_app
from jupyter_tapis_jobs.model.app_form import form_of
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.form_request import request_of, values_of
from jupyter_tapis_jobs.model.system import System, parse_system

QUEUES = [
    {"name": "development", "hpcQueueName": "dev", "maxNodeCount": 4, "maxMinutes": 120},
    {"name": "normal", "hpcQueueName": "normal", "minNodeCount": 2, "maxNodeCount": 512, "maxMinutes": 2880},
]


def cluster(**more: Any) -> System:
    return parse_system(made_up_cluster(QUEUES, **{"id": "frontera"} | more))[0]


def solver(notes: dict[str, Any] | None = None, **attributes: Any) -> App:
    raw = {"id": "solver", "version": "1", "runtime": "ZIP", "containerImage": "/a.zip", "jobType": "BATCH"}
    return parse_app(raw | {"notes": notes, "jobAttributes": {"execSystemId": "frontera", **attributes}})[0]


def form(app: App, *systems: System) -> dict[str, Any]:
    found = form_of(app, systems or [cluster()], (systems or [cluster()])[0])
    Draft202012Validator.check_schema(found["schema"])
    return found


def faults(found: dict[str, Any], **values: Any) -> list[str]:
    validator = Draft202012Validator(found["schema"])
    return sorted(fault.message for fault in validator.iter_errors(found["values"] | {"name": "n"} | values))


ARGUMENTS = {
    "appArgs": [
        {"name": "model", "inputMode": "REQUIRED", "notes": {"label": "Model", "inputType": "fileInput"}},
        {"name": "steps", "arg": "100", "inputMode": "REQUIRED", "notes": {"fieldType": "number"}},
        {"name": "verbose", "arg": "-v", "inputMode": "INCLUDE_BY_DEFAULT"},
        {"name": "debug", "arg": "-d", "inputMode": "INCLUDE_ON_DEMAND"},
        {"name": "mode", "arg": "-x", "inputMode": "FIXED"},
        {
            "name": "kind",
            "inputMode": "REQUIRED",
            "arg": "a",
            "notes": {"enum_values": [{"a": "Elastic"}, {"b": "Plastic"}], "isHidden": True},
        },
        {
            "name": "mail",
            "notes": {"fieldType": "email", "validator": {"regex": "^.+@tacc$", "message": "At TACC."}},
        },
    ],
    "envVariables": [{"key": "K", "value": "3"}, {"key": "TOKEN", "inputMode": "REQUIRED"}],
    "schedulerOptions": [{"name": "profile", "arg": "--tapis-profile x", "inputMode": "FIXED"}],
}
INPUTS = [
    {"name": "Input Directory", "inputMode": "REQUIRED", "notes": {"selectionMode": "directory"}},
    {"name": "mesh", "sourceUrl": "tapis://frontera/mesh.msh", "targetPath": "mesh.msh"},
    {"sourceUrl": "tapis://frontera/lib", "targetPath": "lib", "inputMode": "REQUIRED"},
    {"name": "fixed", "sourceUrl": "tapis://frontera/x", "inputMode": "FIXED"},
]
RICH = {"parameterSet": ARGUMENTS, "fileInputs": INPUTS}


def test_what_the_app_names_are_fields_as_its_notes_say():
    found = form(solver(**RICH))
    args = found["schema"]["properties"]["args"]
    assert list(args["properties"]) == ["model", "steps", "verbose", "debug", "kind", "mail"]
    assert args["required"] == ["model", "steps", "kind"]
    assert args["properties"]["model"] == {
        "type": "string", "title": "Model", "x-picker": "both", "minLength": 1
    }  # fmt: skip
    assert args["properties"]["kind"]["oneOf"][1] == {"const": "b", "title": "Plastic"}
    assert args["properties"]["mail"]["x-message"] == "At TACC."
    assert found["ui"] == {"args": {"kind": {"ui:widget": "hidden"}}}
    inputs = found["schema"]["properties"]["inputs"]
    assert list(inputs["properties"]) == ["Input Directory", "mesh", "lib"]
    assert inputs["required"] == ["Input Directory", "lib"]
    assert inputs["properties"]["Input Directory"]["x-picker"] == "directory"
    assert found["values"]["args"] == {"steps": "100", "verbose": "-v", "kind": "a"}
    assert found["values"]["env"] == {"K": "3"}


def test_a_form_begins_within_the_limits_of_its_queue_but_with_what_the_app_says():
    assert form(solver())["values"]["nodeCount"] == 2
    assert form(solver(execSystemLogicalQueue="development"))["values"]["nodeCount"] == 1
    assert form(solver(nodeCount=1))["values"]["nodeCount"] == 1


def test_limits_are_those_of_the_chosen_queue():
    found = form(solver())
    assert faults(found, execSystemLogicalQueue="development", nodeCount=4, maxMinutes=120) == []
    assert faults(found, execSystemLogicalQueue="development", nodeCount=5) == [
        "5 is greater than the maximum of 4"
    ]
    assert faults(found, execSystemLogicalQueue="normal", nodeCount=5) == []
    assert faults(found, execSystemLogicalQueue="normal", nodeCount=1) == ["1 is less than the minimum of 2"]
    assert faults(found, execSystemLogicalQueue="larg", nodeCount=5)
    assert faults(found, allocation="a; rm -rf")
    assert found["values"]["execSystemLogicalQueue"] == "normal"
    assert found["queues"][0]["limits"] == {"nodeCount": {"maximum": 4}, "maxMinutes": {"maximum": 120}}


def test_values_are_checked_by_what_notes_say():
    found = form(solver(**RICH))
    good = {"model": "a.py", "steps": "1e3", "kind": "b", "mail": "x@tacc"}
    rest = {"inputs": {"Input Directory": "tapis://a/b", "lib": "tapis://a/c"}, "env": {"TOKEN": "t"}}
    assert faults(found, args=good, nodeCount=2, **rest) == []
    for wrong in ({"steps": "many"}, {"kind": "c"}, {"mail": "x@other"}, {"model": ""}):
        assert len(faults(found, args=good | wrong, nodeCount=2, **rest)) == 1


def test_notes_hide_and_show_sections_and_choose_what_is_offered():
    hiding = {
        "hideNodeCountAndCoresPerNode": True,
        "hideMaxMinutes": True,
        "hideAllocation": True,
        "showReservation": True,
        "showTargetPath": True,
        "queueFilter": ["development", "gone"],
        "dynamicExecSystems": ["frontera", {"systemId": "vista", "profileName": "x"}],
        "label": "Solver of everything",
    }
    found = form(solver(hiding, **RICH), cluster(), cluster(id="vista"), cluster(id="stampede"))
    shown = found["schema"]["properties"]
    hidden = {"nodeCount", "coresPerNode", "maxMinutes", "allocation"}
    assert hidden & set(shown) == set()
    assert {"reservation", "targets", "memoryMB"} <= set(shown)
    assert shown["execSystemLogicalQueue"]["enum"] == ["development"]
    assert shown["execSystemId"]["enum"] == ["frontera", "vista"]
    assert found["schema"]["title"] == "Solver of everything"


def test_limits_of_a_hidden_queue_hold_all_the_same():
    found = form(solver({"hideQueue": True}, execSystemLogicalQueue="development"))
    assert "execSystemLogicalQueue" not in found["schema"]["properties"]
    assert faults(found, nodeCount=5) == ["5 is greater than the maximum of 4"]


@pytest.mark.parametrize(
    "notes",
    [
        {"queueFilter": "normal", "dynamicExecSystems": 3, "label": ["x"], "helpUrl": "javascript:alert(1)"},
        {"queueFilter": [None, 3], "dynamicExecSystems": [{}, None, "nowhere"], "isInteractive": "yes"},
    ],
)
def test_notes_of_another_kind_are_passed_over(notes):
    odd = {
        "appArgs": [
            {"name": "a", "notes": {"enum_values": {"a": 1}, "validator": {"regex": "("}, "label": 3}},
            {"name": "b", "notes": {"enum_values": [3, {"x": None}], "validator": "x", "isHidden": "no"}},
            {"arg": "unnamed"},
        ]
    }
    found = form(solver(notes, parameterSet=odd))
    assert list(found["schema"]["properties"]["args"]["properties"]) == ["a", "b"]
    assert found["about"]["helpUrl"] is None
    assert found["about"]["label"] == "solver"


def test_a_form_on_this_machine_has_neither_queue_nor_allocation():
    here = cluster(id="local", canRunBatch=False, batchLogicalQueues=None, batchDefaultLogicalQueue=None)
    script = {"fileInputs": [{"name": "script", "inputMode": "REQUIRED"}]}
    raw = {"id": "bash", "version": "1", "containerImage": "/a", "runtime": "ZIP", "jobType": None}
    app = parse_app(raw | {"jobAttributes": script})[0]
    found = form(app, here)
    assert found["jobType"] == "FORK"
    assert {"allocation", "execSystemLogicalQueue"} & set(found["schema"]["properties"]) == set()
    assert found["schema"]["required"] == ["name", "script"]
    assert faults(found) == ["'script' is a required property"]


# -- filled forms


def test_a_filled_form_says_what_differs_from_the_app():
    app = solver(**RICH)
    values = form(app)["values"] | {
        "name": "n",
        "nodeCount": 2,
        "allocation": "TG-1",
        "args": {"model": "a b.py", "steps": "100", "verbose": "", "kind": "b"},
        "env": {"K": "3", "TOKEN": "t"},
        "inputs": {"Input Directory": "tapis://a/b", "lib": "tapis://frontera/lib", "mesh": ""},
        "moreArgs": ["two words"],
        "moreEnv": [{"key": "M", "value": "1"}],
        "moreInputs": [{"sourceUrl": "tapis://a/c"}],
    }
    request = request_of(app, values, {"tags": ["x"]})
    assert request["parameterSet"] == {
        "appArgs": [
            {"name": "model", "arg": "a b.py"},
            {"name": "verbose", "include": False},
            {"name": "kind", "arg": "b"},
            {"arg": "'two words'"},
        ],
        "schedulerOptions": [{"arg": "--account=TG-1"}],
        "envVariables": [{"key": "TOKEN", "value": "t"}, {"key": "M", "value": "1"}],
    }
    assert request["fileInputs"] == [
        {"name": "Input Directory", "sourceUrl": "tapis://a/b"},
        {"sourceUrl": "tapis://a/c"},
    ]
    assert (request["nodeCount"], request["tags"], request["appId"]) == (2, ["x"], "solver")


def test_a_request_fills_the_form_and_comes_back_from_it():
    app = solver(**RICH)
    request = {
        "name": "n",
        "appId": "solver",
        "appVersion": "1",
        "maxMinutes": 5,
        "tags": ["x"],
        "fileInputs": [
            {"name": "mesh", "sourceUrl": "tapis://a/m", "targetPath": "other.msh"},
            {"sourceUrl": "tapis://a/c", "targetPath": "c"},
            {"sourceUrl": "data:,x", "targetPath": "k.txt"},
        ],
        "parameterSet": {
            "appArgs": [{"name": "model", "arg": "a.py"}, {"arg": "-v"}, {"arg": "$HOME"}],
            "schedulerOptions": [{"arg": "--account=TG-1"}, {"arg": "--exclusive"}],
            "envVariables": [{"key": "K", "value": "4"}, {"key": "M", "value": "1"}],
            "archiveFilter": {"includes": ["*.csv"]},
        },
    }
    values, rest = values_of(app, request)
    assert values == {
        "name": "n",
        "maxMinutes": 5,
        "inputs": {"mesh": "tapis://a/m"},
        "targets": {"mesh": "other.msh"},
        "moreInputs": [{"sourceUrl": "tapis://a/c", "targetPath": "c"}],
        "args": {"model": "a.py"},
        "moreArgs": ["-v"],
        "allocation": "TG-1",
        "env": {"K": "4"},
        "moreEnv": [{"key": "M", "value": "1"}],
    }
    assert rest == {
        "tags": ["x"],
        "fileInputs": [{"sourceUrl": "data:,x", "targetPath": "k.txt"}],
        "parameterSet": {
            "appArgs": [{"arg": "$HOME"}],
            "schedulerOptions": [{"arg": "--exclusive"}],
            "archiveFilter": {"includes": ["*.csv"]},
        },
    }
    back = request_of(app, values, rest)
    assert {key: back[key] for key in request if key != "parameterSet"} == {
        key: request[key] for key in request if key != "parameterSet"
    }
    assert back["parameterSet"]["appArgs"] == request["parameterSet"]["appArgs"]


def test_the_text_of_a_script_is_a_field():
    app = solver(fileInputs=[{"name": "script", "targetPath": "s.sh", "inputMode": "REQUIRED"}])
    request = request_of(app, {"name": "n", "script": "echo ä\n"})
    assert values_of(app, request)[0] == {"name": "n", "script": "echo ä\n"}


def test_values_that_are_no_forms_are_refused():
    for values in ({"args": ["a"]}, {"moreArgs": "a"}):
        with pytest.raises(InvalidInputError, match=f"values.{next(iter(values))} must be"):
            request_of(solver(), values)
