"""From request, app and system to a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_samples import UUID, Resolved, make_app, make_cluster, make_system

from jupyter_tapis_jobs.model.arguments import expanded
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.job import Argument
from jupyter_tapis_jobs.model.request import parse_request
from jupyter_tapis_jobs.model.resolve import definition_from_json, definition_json, host_eval_names
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.texts import CONTROL

Resolve = Callable[..., Resolved]
JOB_DIR = f"/work/tapis/jobs/{UUID}"


def test_a_job_starts_pending_with_tapis_defaults(resolved: Resolve) -> None:
    job, definition = resolved()
    assert (job.status, job.id, job.owner, job.tenant, job.createdby) == (
        JobStatus.PENDING,
        0,
        "ada",
        "jupyter",
        "ada",
    )
    assert job.description == "solver-1.0 submitted by ada@jupyter"
    assert (job.node_count, job.cores_per_node, job.memory_mb, job.max_minutes) == (1, 1, 100, 10)
    assert (job.job_type, job.archive_system_id, definition.archive_mode) == ("FORK", "host1", "ALWAYS")
    assert definition.exec_system_exec_dir == definition.exec_system_input_dir == JOB_DIR
    assert definition.exec_system_output_dir == definition.archive_system_dir == f"{JOB_DIR}/output"
    assert definition.stdout_filename == definition.stderr_filename == "tapisjob.out"
    assert set(definition.sources.values()) == {"default", "app"}


def test_the_request_goes_before_the_app_and_the_app_before_system_and_default(resolved: Resolve) -> None:
    app = make_app(
        {"nodeCount": 2, "memoryMB": 500, "maxMinutes": 60, "mpiCmd": "ibrun", "description": "of app"}
    )
    job, definition = resolved(app=app, system=make_system(mpiCmd="mpirun"), memoryMB=700, maxMinutes=5)
    assert (job.node_count, job.memory_mb, job.max_minutes, job.description) == (2, 700, 5, "of app")
    assert definition.mpi_cmd == "ibrun"
    sources = definition.sources
    assert (sources["memoryMB"], sources["nodeCount"], sources["coresPerNode"]) == (
        "request",
        "app",
        "default",
    )
    assert resolved(system=make_system(mpiCmd="mpirun"))[1].mpi_cmd == "mpirun"


def test_blank_and_counts_below_one_are_unset(resolved: Resolve) -> None:
    app = make_app({"nodeCount": 4, "execSystemExecDir": "  ", "coresPerNode": 0})
    job, definition = resolved(app=app, nodeCount=0, coresPerNode=-1, execSystemOutputDir="")
    assert (job.node_count, job.cores_per_node) == (4, 1)
    assert definition.exec_system_exec_dir == JOB_DIR


def test_all_three_directories_may_be_one(resolved: Resolve) -> None:
    same = dict.fromkeys(
        ("execSystemExecDir", "execSystemInputDir", "execSystemOutputDir"), "${JobWorkingDir}/"
    )
    system = make_system(jobWorkingDir="HOST_EVAL($SCRATCH)/tapis/${JobUUID}")
    _, definition = resolved(app=make_app(same), system=system, host_env={"SCRATCH": "/scratch/ada/"})
    place = f"/scratch/ada/tapis/{UUID}"
    assert definition.exec_system_exec_dir == definition.exec_system_input_dir == place
    assert definition.exec_system_output_dir == definition.archive_system_dir == place


def test_another_archive_system_has_a_directory_of_its_own(resolved: Resolve) -> None:
    _, definition = resolved(archive_system=make_system(id="archive"))
    assert (definition.archive_system_id, definition.archive_system_dir) == (
        "archive",
        f"/jobs/{UUID}/archive",
    )


def test_an_archive_directory_may_begin_with_a_macro_and_no_slash(resolved: Resolve) -> None:
    _, definition = resolved(
        archiveSystemDir="${JobOwner}/tapis-jobs-archive/${JobCreateDate}/${JobName}-${JobUUID}"
    )
    assert definition.archive_system_dir == f"/ada/tapis-jobs-archive/2026-11-21Z/case-{UUID}"


def test_a_host_variable_without_value_is_told(resolved: Resolve) -> None:
    with pytest.raises(InvalidInputError, match=r"archiveSystemDir .* needs the variable WORK"):
        resolved(archiveSystemDir="HOST_EVAL($WORK)/archive")


def test_the_host_variables_that_a_job_needs_are_known_before() -> None:
    system = make_system(jobWorkingDir="HOST_EVAL($SCRATCH)/tapis")
    app = make_app({"archiveSystemDir": "HOST_EVAL($WORK)/a"})
    head = {"name": "n", "appId": "solver", "appVersion": "1.0"}
    assert host_eval_names(app, system, parse_request(head)) == {"SCRATCH", "WORK"}
    own = parse_request({**head, "archiveSystemDir": "/a", "execSystemExecDir": "HOST_EVAL($HOME)/x"})
    assert host_eval_names(app, system, own) == {"SCRATCH", "HOME"}


@pytest.mark.parametrize(
    "fields",
    [
        {"execSystemExecDir": "/a/../b"},
        {"execSystemInputDir": "${JobName}/x", "name": ".."},
        {"archiveSystemDir": "a/.."},
        {"execSystemOutputDir": "/a\nb"},
        {"parameterSet": {"logConfig": {"stdoutFilename": "../o", "stderrFilename": "e"}}},
        {"parameterSet": {"logConfig": {"stdoutFilename": "/", "stderrFilename": "e"}}},
        {"parameterSet": {"logConfig": {"stdoutFilename": "a;b", "stderrFilename": "e"}}},
    ],
)
def test_directories_and_log_names_stay_in_their_place(resolved: Resolve, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        resolved(**fields)


def test_macros_go_into_names_descriptions_arguments_filters_and_log_names_but_not_into_inputs_and_variables(
    resolved: Resolve,
) -> None:
    job, definition = resolved(
        name="${AppId}-run",
        description="${JobName} on ${SysHost} ${unknown}",
        fileInputs=[{"sourceUrl": "tapis://s/${JobName}", "targetPath": "${JobName}"}],
        parameterSet={
            "appArgs": [{"arg": "--name ${JobName} -A ${allocation}"}],
            "envVariables": [{"key": "A", "value": "${JobName}"}],
            "archiveFilter": {"includes": ["${JobName}*"]},
            "logConfig": {"stdoutFilename": "${JobName}.out", "stderrFilename": "logs/e"},
        },
    )
    assert (job.name, job.description) == ("solver-run", "solver-run on host1.example.org ${unknown}")
    assert definition.app_args[0].arg == "--name solver-run -A ${allocation}"
    assert definition.archive_filter.includes == ("solver-run*",)
    assert (definition.stdout_filename, definition.stderr_filename) == ("solver-run.out", "logs/e")
    assert definition.env_variables[0].value == definition.file_inputs[0].target_path == "${JobName}"


@pytest.mark.parametrize("name", ["it's; me", "$(rm x) `y`", "a b", '"', "\U0001f600"])
def test_a_job_name_is_carried_into_an_argument_as_one_word(resolved: Resolve, name: str) -> None:
    args = [{"arg": "--name ${JobName} end"}, {"arg": "\"${JobName}\" '${JobName}'"}]
    _, definition = resolved(name=name, parameterSet={"appArgs": args})
    assert [expanded(a.arg, {}) for a in definition.app_args] == [["--name", name, "end"], [name, name]]


@pytest.mark.parametrize("name", [" ", "a\nb", "a\x7f"])
def test_blank_names_and_control_characters_are_refused(resolved: Resolve, name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^name "):
        resolved(name=name)


@pytest.mark.parametrize("field", ["owner", "tenant"])
def test_a_job_belongs_to_who_submits_it(resolved: Resolve, field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{field} 'eve' is not yours"):
        resolved(**{field: "eve"})
    resolved(owner="ada", tenant="jupyter")


# --- what cannot run -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("app", "system", "words"),
    [
        ({"enabled": False}, {}, "app solver 1.0 is disabled. Its owner can enable it again"),
        ({"versionEnabled": False}, {}, "app solver 1.0 is disabled"),
        ({"containerImage": None}, {}, "has no containerImage"),
        ({}, {"enabled": False}, "system host1 is disabled"),
        ({}, {"canExec": False}, "only stores files"),
    ],
)
def test_what_cannot_run_is_told_at_submission(
    resolved: Resolve, app: dict[str, Any], system: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        resolved(app=make_app(**app), system=make_system(**system))


@pytest.mark.parametrize(
    ("asked", "of_app", "can_run_batch", "expected"),
    [
        ("BATCH", "FORK", True, "BATCH"),
        (None, "BATCH", True, "BATCH"),
        (None, "FORK", True, "FORK"),
        (None, None, True, "BATCH"),
        (None, None, False, "FORK"),
        ("FORK", "BATCH", False, "FORK"),
    ],
)
def test_the_job_type_is_the_requests_the_apps_or_what_the_system_can(
    resolved: Resolve, asked: str | None, of_app: str | None, can_run_batch: bool, expected: str
) -> None:
    system = make_cluster() if can_run_batch else make_system()
    assert resolved(app=make_app(jobType=of_app), system=system, jobType=asked)[0].job_type == expected


def test_an_app_that_says_nothing_forks_as_in_tapis() -> None:
    assert make_app().job_type == "FORK"


def test_batch_needs_a_system_with_a_scheduler_and_an_app_without_docker(resolved: Resolve) -> None:
    with pytest.raises(
        InvalidInputError, match=r"jobType BATCH cannot run on system host1.*Use jobType FORK"
    ):
        resolved(jobType="BATCH")
    with pytest.raises(InvalidInputError, match="is a DOCKER app, and those cannot be BATCH jobs"):
        resolved(app=make_app(runtime="DOCKER"), system=make_cluster(), jobType="BATCH")


# --- queues ----------------------------------------------------------------------------------------


def test_a_batch_job_takes_the_requests_the_apps_or_the_default_queue(resolved: Resolve) -> None:
    system, app = make_cluster(), make_app({"execSystemLogicalQueue": "large", "nodeCount": 200})
    assert resolved(system=system, jobType="BATCH")[1].hpc_queue_name == "normal-q"
    assert resolved(system=system, jobType="BATCH", app=app)[1].hpc_queue_name == "large-q"
    job, definition = resolved(system=system, jobType="BATCH", app=app, execSystemLogicalQueue="normal")
    assert (job.exec_system_logical_queue, definition.sources["execSystemLogicalQueue"]) == (
        "normal",
        "request",
    )


def test_an_unknown_queue_gets_the_nearest_name_and_all_of_them(resolved: Resolve) -> None:
    with pytest.raises(InvalidInputError) as caught:
        resolved(system=make_cluster(), jobType="BATCH", execSystemLogicalQueue="larg")
    assert (
        caught.value.message
        == "queue 'larg' is not on frontera. Did you mean 'large'? Queues: normal, large."
    )
    assert (caught.value.field, caught.value.value) == ("execSystemLogicalQueue", "larg")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"nodeCount": 600},
            "nodeCount 600 is over the limit of queue normal (512) on frontera. large allows 2,048.",
        ),
        (
            {"nodeCount": 5000},
            "nodeCount 5,000 is over the limit of queue normal (512) on frontera. Ask for less.",
        ),
        (
            {"nodeCount": 5, "execSystemLogicalQueue": "large"},
            "nodeCount 5 is below what queue large needs (100) on frontera. normal allows any number.",
        ),
        (
            {"maxMinutes": 3000},
            "maxMinutes 3,000 is over the limit of queue normal (2,880) on frontera. "
            "large allows any number.",
        ),
    ],
)
def test_a_value_beyond_a_queues_limit_is_told_with_a_queue_that_takes_it(
    resolved: Resolve, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        resolved(system=make_cluster(), jobType="BATCH", **fields)
    assert caught.value.message == message


@pytest.mark.parametrize("nodes", [1, 512])
def test_a_limit_itself_is_allowed(resolved: Resolve, nodes: int) -> None:
    assert resolved(system=make_cluster(), jobType="BATCH", nodeCount=nodes)[0].node_count == nodes


def test_a_fork_job_ignores_queue_and_scheduler_options_and_says_so(resolved: Resolve) -> None:
    job, definition = resolved(
        execSystemLogicalQueue="nowhere",
        nodeCount=9999,
        parameterSet={"schedulerOptions": [{"arg": "-A ABC"}]},
    )
    assert job.exec_system_logical_queue is None
    assert definition.warnings == (
        "execSystemLogicalQueue nowhere is ignored: a FORK job does not go through a queue.",
        "schedulerOptions are ignored: a FORK job does not go through a scheduler.",
    )
    assert definition.scheduler_options == (Argument(arg="-A ABC"),)


def test_the_options_of_queue_app_and_request_are_merged_and_the_systems_profile_added(
    resolved: Resolve,
) -> None:
    queue = {"name": "q", "hpcQueueName": "q", "schedulerOptions": [{"name": "acc", "arg": "-A default"}]}
    system = make_cluster(
        batchLogicalQueues=[queue], batchDefaultLogicalQueue=None, batchSchedulerProfile="tacc"
    )
    options = {
        "parameterSet": {"schedulerOptions": [{"name": "acc", "arg": "-A mine"}, {"arg": "--qos high"}]}
    }
    _, plain = resolved(system=system, jobType="BATCH")
    assert [option.arg for option in plain.scheduler_options] == ["-A default", "--tapis-profile tacc"]
    _, merged = resolved(system=system, jobType="BATCH", **options)
    assert [option.arg for option in merged.scheduler_options] == [
        "-A mine",
        "--qos high",
        "--tapis-profile tacc",
    ]
    own = {"parameterSet": {"schedulerOptions": [{"arg": "--tapis-profile other"}]}}
    _, other = resolved(system=system, jobType="BATCH", **own)
    assert [option.arg for option in other.scheduler_options] == ["-A default", "--tapis-profile other"]


@pytest.mark.parametrize(
    ("option", "instead"),
    [
        ("--mem 10", "memoryMB"),
        ("-N 2", "nodeCount"),
        ("--time=10", "maxMinutes"),
        ("-p x", "execSystemLogicalQueue"),
    ],
)
def test_options_that_the_job_says_itself_are_refused_with_the_field_to_use(
    resolved: Resolve, option: str, instead: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"Use .*{instead}.* instead"):
        resolved(system=make_cluster(), jobType="BATCH", parameterSet={"schedulerOptions": [{"arg": option}]})


def test_a_required_option_without_a_value_is_missed_in_batch_only(resolved: Resolve) -> None:
    option = {"name": "allocation", "arg": None, "inputMode": "REQUIRED"}
    app = make_app({"parameterSet": {"schedulerOptions": [option]}})
    with pytest.raises(InvalidInputError, match="'allocation' has no arg"):
        resolved(app=app, system=make_cluster(), jobType="BATCH")
    assert resolved(app=app)[1].scheduler_options == ()


# --- prefixes, modes, containers -------------------------------------------------------------------


def test_mpi_needs_a_command_and_forbids_a_prefix(resolved: Resolve) -> None:
    free = make_system(enableCmdPrefix=True, mpiCmd="mpirun")
    assert resolved(system=free, isMpi=True)[1].is_mpi
    with pytest.raises(InvalidInputError, match="mpiCmd is missing, and isMpi is true"):
        resolved(isMpi=True)
    with pytest.raises(InvalidInputError, match="cannot be used together with isMpi"):
        resolved(system=free, isMpi=True, cmdPrefix="time")
    with pytest.raises(InvalidInputError, match="not allowed on system host1"):
        resolved(cmdPrefix="time")
    assert resolved(system=free, cmdPrefix="time -p")[1].cmd_prefix == "time -p"


@pytest.mark.parametrize("field", ["mpiCmd", "cmdPrefix"])
@pytest.mark.parametrize("text", ["a; b", "a `b`", "a | b", "a\nb", "it's"])
def test_what_comes_before_the_command_holds_nothing_that_a_shell_acts_on(
    resolved: Resolve, field: str, text: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        resolved(system=make_system(enableCmdPrefix=True), **{field: text})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("request_", "of_app", "mode"),
    [
        ({}, {}, "ALWAYS"),
        ({"archiveMode": "NEVER"}, {"archiveMode": "ALWAYS"}, "NEVER"),
        ({"archiveOnAppError": False}, {"archiveMode": "ALWAYS"}, "SKIP_ON_FAIL"),
        ({}, {"archiveOnAppError": False}, "SKIP_ON_FAIL"),
        ({"archiveOnAppError": True}, {"archiveOnAppError": False}, "ALWAYS"),
        ({"archiveOnAppError": False, "archiveMode": "ALWAYS"}, {}, "ALWAYS"),
    ],
)
def test_when_outputs_are_archived(
    resolved: Resolve, request_: dict[str, Any], of_app: dict[str, Any], mode: str
) -> None:
    _, definition = resolved(app=make_app(of_app), **request_)
    assert definition.archive_mode == mode
    assert definition.archive_on_app_error == (mode == "ALWAYS")


def test_a_zip_app_knows_one_container_argument_only(resolved: Resolve) -> None:
    keep = {"containerArgs": [{"arg": "--tapis-zip-save"}]}
    assert resolved(parameterSet=keep)[1].container_args[0].arg == "--tapis-zip-save"
    with pytest.raises(InvalidInputError, match="has no meaning for a ZIP app"):
        resolved(parameterSet={"containerArgs": [{"arg": "--gpus all"}]})
    with pytest.raises(InvalidInputError, match="is for ZIP apps only"):
        resolved(app=make_app(runtime="DOCKER"), parameterSet=keep)


def test_host_variables_in_container_arguments_stay(resolved: Resolve) -> None:
    bind = "--bind $HOME/.x:/home/x,${STOCKYARD}:/work"
    _, definition = resolved(
        app=make_app(runtime="SINGULARITY"), parameterSet={"containerArgs": [{"arg": bind}]}
    )
    assert definition.container_args[0].arg == bind


# --- the rest --------------------------------------------------------------------------------------


def test_tags_are_joined_notes_are_the_requests_or_the_apps(resolved: Resolve) -> None:
    app = make_app({"tags": ["b", "a"]}, notes={"label": "Solver"})
    job, definition = resolved(app=app, tags=["c", "a"])
    assert job.tags == definition.tags == ("a", "b", "c")
    assert definition.notes == {"label": "Solver"}
    assert resolved(app=app, notes={"x": 1})[1].notes == {"x": 1}


def test_notes_have_a_limit_in_bytes(resolved: Resolve) -> None:
    with pytest.raises(InvalidInputError, match=r"notes has 66,... bytes; at most 65,536"):
        resolved(notes={"x": "é" * 33_000})


def test_subscriptions_of_the_app_follow_the_requests_and_live_at_most_four_weeks(resolved: Resolve) -> None:
    target = {"deliveryMethod": "EMAIL", "deliveryAddress": "ada@example.org"}
    app = make_app({"subscriptions": [{"jobEventCategoryFilter": "ALL", "deliveryTargets": [target]}]})
    own = {"eventCategoryFilter": "JOB_NEW_STATUS", "deliveryTargets": [target], "ttlMinutes": 99_999}
    first, second = resolved(app=app, subscriptions=[own])[1].subscriptions
    assert (first["eventCategoryFilter"], first["ttlMinutes"], first["enabled"]) == (
        "JOB_NEW_STATUS",
        40_320,
        True,
    )
    assert (second["eventCategoryFilter"], second["ttlMinutes"]) == ("ALL", 10_080)


def test_constraints_of_request_and_app_are_joined(resolved: Resolve) -> None:
    app = make_app({"execSystemConstraints": ["b = 2"]})
    assert (
        resolved(app=app, execSystemConstraints=["a = 1"])[1].exec_system_constraints == "(a = 1) AND (b = 2)"
    )


def test_inputs_set_variables_of_the_job(resolved: Resolve) -> None:
    item = {"sourceUrl": "data:,print(1)", "targetPath": "model.py", "envKey": "MODEL"}
    _, definition = resolved(fileInputs=[item])
    assert [(v.key, v.value) for v in definition.env_variables] == [("MODEL", "model.py")]


def test_what_looks_like_shell_in_an_argument_is_told(resolved: Resolve) -> None:
    _, definition = resolved(parameterSet={"appArgs": [{"arg": "$(date)"}]})
    assert definition.warnings == (
        "the argument '$(date)' holds $(, which no shell acts on: it reaches the application as text.",
    )


def test_a_named_system_goes_before_a_dynamic_one(resolved: Resolve) -> None:
    _, definition = resolved(dynamicExecSystem=True, execSystemId="host1")
    assert definition.warnings == ("dynamicExecSystem is ignored: execSystemId names host1.",)


def test_a_definition_comes_back_from_its_json_as_it_was(resolved: Resolve) -> None:
    _, definition = resolved(
        fileInputs=[{"sourceUrl": "tapis://s/é 😀", "notes": {"a": [1, None]}}],
        parameterSet={"appArgs": [{"arg": "'é \"😀'"}], "envVariables": [{"key": "A", "value": ""}]},
        tags=["x"],
    )
    assert definition_from_json(definition_json(definition)) == definition


TEXT = st.text(
    alphabet=st.characters(exclude_categories=["Cs"]).filter(lambda c: not CONTROL.match(c)), max_size=20
)


@given(value=TEXT, tag=TEXT.filter(bool), note=TEXT)
def test_texts_are_carried_byte_for_byte(resolved: Resolve, value: str, tag: str, note: str) -> None:
    _, definition = resolved(
        parameterSet={"envVariables": [{"key": "A", "value": value or "x"}]}, tags=[tag], notes={"n": note}
    )
    kept = definition_from_json(definition_json(definition))
    assert (kept.env_variables[0].value, kept.tags, kept.notes) == (value or "x", (tag,), {"n": note})
