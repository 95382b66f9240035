"""Where each value of a job comes from, and production definitions that resolve into jobs."""

from pathlib import Path

import pytest

from jupyter_tapis_jobs.client.definitions import definitions_in
from jupyter_tapis_jobs.model.app import parse_app
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.inheritance import frame_of
from jupyter_tapis_jobs.model.profile import parse_profile
from jupyter_tapis_jobs.model.provenance import origins_of, with_origin
from jupyter_tapis_jobs.model.request import parse_request
from jupyter_tapis_jobs.model.resolve import resolve
from jupyter_tapis_jobs.model.system import parse_system
from jupyter_tapis_jobs.model.user import User

SAMPLES = [one.definition for one in definitions_in([Path(__file__).parents[2] / "definitions"])]
APPS = {d.name: parse_app(d.raw)[0] for d in SAMPLES if d.kind == "app"}
SYSTEMS = {d.name: parse_system(d.raw)[0] for d in SAMPLES if d.kind == "system"}
PROFILES = {d.name: parse_profile(d.raw)[0] for d in SAMPLES if d.kind == "profile"}
SYSTEMS["local"] = parse_system(
    {
        "id": "local", "systemType": "LINUX", "host": "localhost", "defaultAuthnMethod": "PKI_KEYS",
        "rootDir": "/", "canExec": True, "jobWorkingDir": "/data/work",
        "jobRuntimes": [{"runtimeType": "ZIP"}],
    }
)[0]  # fmt: skip
HOST = {"SCRATCH": "/scratch/me", "WORK": "/work/me", "HOME": "/home/me"}
INPUT = {"name": "Input Directory", "sourceUrl": "tapis://cloud.data/me/my case/"}
#: What people add to each production app.
REQUESTS = {
    "opensees-mp-s3": {
        "fileInputs": [INPUT],
        "parameterSet": {
            "appArgs": [{"name": "Main Script", "arg": "model.tcl"}],
            "envVariables": [{"key": "tclScript", "value": "model.tcl"}],
            "schedulerOptions": [{"name": "Project", "arg": "-A TG-1"}],
        },
        "maxMinutes": 30,
    },
    "jupyter-hpc": {},
    "extract": {
        "fileInputs": [{"sourceUrl": "tapis://cloud.data/me/big file.zip", "targetPath": "archive"}],
        "parameterSet": {"appArgs": [{"name": "Compression type", "arg": "zip"}]},
    },
    "matlab-batch": {
        "fileInputs": [INPUT | {"targetPath": "in"}],
        "parameterSet": {"appArgs": [{"name": "MATLAB script", "arg": "run.m"}]},
    },
    "compress": {
        "fileInputArrays": [{"name": "Files", "sourceUrls": ["tapis://cloud.data/a", "tapis://cloud.data/b"]}]
    },
}


def resolved(app_id, **more):
    """Return job, definition, request, app and system of a production app."""
    app = APPS[app_id]
    raw = {"name": "case", "appId": app_id, "appVersion": app.version, **REQUESTS[app_id], **more}
    request = parse_request(raw)
    system = SYSTEMS[request.exec_system_id or app.job_attributes.exec_system_id]
    archive = app.job_attributes.archive_system_id
    job, definition = resolve(
        request,
        app,
        system,
        archive_system=SYSTEMS[archive] if archive else None,
        user=User(name="ada", tenant="dev", is_server_user=True),
        uuid="11111111-1111-4111-8111-111111111111-007",
        created="2026-11-21T05:00:00.000000Z",
        effective_user="ada",
        host_env=HOST,
        profiles=lambda name: PROFILES[name],
    )
    return job, definition, request, app, system


def told(app_id, **more):
    return {origin.field: origin for origin in origins_of(*resolved(app_id, **more))}


@pytest.mark.parametrize("app_id", REQUESTS)
def test_every_production_app_becomes_a_job_whose_every_value_has_an_origin(app_id):
    origins = origins_of(*resolved(app_id))
    assert {origin.source for origin in origins} <= {
        "request", "app", "queue", "system", "default", "profile", "input",
    }  # fmt: skip
    assert len({origin.field for origin in origins if origin.field not in ("tags",)}) > 25


def test_an_app_without_an_image_is_refused_with_what_it_lacks():
    with pytest.raises(InvalidInputError, match=r"app not-ready 0\.0\.1 has no containerImage"):
        frame_of(APPS["not-ready"], SYSTEMS["local"])


def test_the_fields_tell_request_app_system_and_default():
    found = told("opensees-mp-s3")
    assert {name: found[name].source for name in ("maxMinutes", "memoryMB", "mpiCmd") if name in found} == {
        "maxMinutes": "request",
        "memoryMB": "app",
    }
    assert found["execSystemId"].source == "app"
    assert found["jobWorkingDir"].source == "system"
    assert found["jobWorkingDir"].why == "written HOST_EVAL($SCRATCH)/tapis/${JobUUID}"
    assert found["archiveMode"].source == "app"
    assert told("matlab-batch")["execSystemLogicalQueue"].why == "the default queue of frontier"
    assert found["hpcQueueName"].source == "queue"


def test_equal_directories_say_what_was_written():
    found = told("opensees-mp-s3")
    names = ("execSystemExecDir", "execSystemInputDir", "execSystemOutputDir")
    assert len({found[name].value for name in names}) == 1
    assert {found[name].why for name in names} == {"written ${JobWorkingDir}"}


def test_arguments_tell_who_filled_them_and_which_rule_counted():
    found = told("opensees-mp-s3")
    args = "parameterSet.appArgs "
    assert (found[args + "'Main Script'"].value, found[args + "'Main Script'"].source) == (
        "model.tcl",
        "request",
    )
    assert found[args + "'mainProgram'"].source == "app"
    assert found[args + "'mainProgram'"].why == "FIXED"
    options = "parameterSet.schedulerOptions "
    assert found[options + "'Project'"].source == "request"
    assert found[options + "'Job name'"].value == "--job-name case-ada"
    assert found[options + "'Job name'"].why == "FIXED, written --job-name ${JobName}-${JobOwner}"
    assert found[options + "'TACC Reservation'"].value is None
    assert "left out" in found[options + "'TACC Reservation'"].why


def test_the_systems_profile_is_told_as_the_systems():
    found = told("opensees-mp-s3")
    assert found["scheduler profile tacc-no-modules"].value == "loads nothing"
    bare = told("compress", execSystemId="stampede", jobType="BATCH")
    last = [o for name, o in bare.items() if name.startswith("parameterSet.schedulerOptions")]
    assert (last[0].source, last[0].why) == ("system", "its batchSchedulerProfile")


def test_variables_tell_their_layer_and_those_of_inputs_their_input():
    found = told("opensees-mp-s3")
    env = "parameterSet.envVariables "
    assert found[env + "TAPIS_HOST"].source == "system"
    assert found[env + "tclScript"].source == "request"
    assert found[env + "mainProgram"].source == "app"
    assert found[env + "inputDirectory"].why == "envKey of fileInputs 'Input Directory'"
    hpc = told("jupyter-hpc")
    assert hpc[env + "_webhook_base_url"].value is None
    assert hpc[env + "_webhook_base_url"].why == "nobody gives it a value: left out"
    assert hpc[env + "LD_LIBRARY_PATH"].value is None


def test_inputs_tell_who_gave_the_address():
    found = told("extract")
    assert found["fileInputs 'TAP script'"].source == "app"
    assert found["fileInputs [0]"].source == "request"
    assert found["fileInputs [0]"].value.endswith("big file.zip → archive")
    assert found["fileInputs 'License file'"].value is None
    arrays = told("compress")
    assert arrays["fileInputs 'Files_1.2'"].value == "tapis://cloud.data/b → in/b"
    assert arrays["fileInputs 'Files_1.2'"].source == "request"


def test_host_variables_of_container_arguments_stay_for_the_host():
    _, definition, *_ = resolved("jupyter-hpc")
    assert [a.arg for a in definition.container_args] == [
        "--bind $HOME/.jupyter:/home/jovyan,${STOCKYARD}:/work",
        "--bind /share,$SCRATCH:$PWD/Scratch",
    ]


def test_a_refused_value_that_nobody_asked_for_says_whose_it_is():
    _, _, request, app, system = resolved("opensees-mp-s3")
    fault = InvalidInputError("memoryMB 192,000 is over the limit.", field="memoryMB", value=192_000)
    assert "It comes from app opensees-mp-s3 3.6; say memoryMB in the request" in str(
        with_origin(fault, request, app, system)
    )
    asked = InvalidInputError("maxMinutes 30 is over the limit.", field="maxMinutes", value=30)
    assert with_origin(asked, request, app, system) is asked


def test_a_queue_limit_says_field_value_limit_queue_and_whose_the_value_is():
    with pytest.raises(InvalidInputError) as refused:
        resolved("opensees-mp-s3", nodeCount=17, execSystemLogicalQueue="skx-dev")
    assert refused.value.message == (
        "nodeCount 17 is over the limit of queue skx-dev (16) on stampede. skx allows 256."
    )
    with pytest.raises(InvalidInputError) as refused:
        resolved("opensees-mp-s3", execSystemId="frontier", execSystemLogicalQueue="rtx")
    assert refused.value.message == (
        "coresPerNode 48 is over the limit of queue rtx (16) on frontier. development allows 56. "
        "(It comes from app opensees-mp-s3 3.6; say coresPerNode in the request to change it.)"
    )


def test_an_input_without_a_name_is_filled_by_its_target():
    _, definition, *_ = resolved("extract")
    assert [item.target_path for item in definition.file_inputs] == ["archive", "tap_functions"]
    with pytest.raises(InvalidInputError, match=r'Add \{"sourceUrl": ..., "targetPath": "archive"\}'):
        resolved("extract", fileInputs=[])
