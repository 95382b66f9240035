"""Macros, their variables, and hosts that are away when a job is submitted."""

from __future__ import annotations

import pytest
from model_samples import UUID, make_app, make_cluster, make_system, resolve_sample

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.macros import DERIVED, strictly, tapis_environment
from jupyter_tapis_jobs.model.settling import settled

#: Tapis Jobs, "Environment Variables".
NAMES = """
    AppId AppVersion ArchiveMode ArchiveOnAppError ArchiveSystemDir ArchiveSystemId CoresPerNode DtnSystemId
    DtnSystemInputDir DtnSystemOutputDir DynamicExecSystem EffectiveUserId ExecSystemExecDir
    ExecSystemHPCQueue ExecSystemId ExecSystemInputDir ExecSystemLogicalQueue ExecSystemOutputDir
    JobCreateDate JobCreateTime JobCreateTimestamp JobName JobOwner JobUUID JobWorkingDir MaxMinutes MemoryMB
    Nodes StderrFilename StdoutFilename SysBatchScheduler SysBucketName SysHost SysRootDir Tenant
"""
AWAY = {"SCRATCH": None}


def test_every_macro_of_tapis_is_a_variable_of_the_application() -> None:
    system = make_cluster(dtnSystemId="dtn", bucketName="bucket")
    dirs = {"dtnSystemInputDir": "/dtn/in", "dtnSystemOutputDir": "/dtn/out"}
    variables = tapis_environment(*resolve_sample(system=system, jobType="BATCH", **dirs))
    assert set(variables) == {f"_tapis{name}" for name in NAMES.split()}
    assert all(variables.values())


def test_directories_are_resolved_in_tapis_order() -> None:
    assert DERIVED == (
        "JobWorkingDir", "ExecSystemInputDir", "ExecSystemExecDir", "ExecSystemOutputDir", "ArchiveSystemDir",
        "StdoutFilename", "StderrFilename", "DtnSystemInputDir", "DtnSystemOutputDir",
    )  # fmt: skip
    _, definition = resolve_sample(
        execSystemInputDir="${JobWorkingDir}/in",
        execSystemExecDir="${ExecSystemInputDir}/exec",
        execSystemOutputDir="${ExecSystemExecDir}/out",
        archiveSystemDir="${ExecSystemOutputDir}/kept",
        parameterSet={"logConfig": {"stdoutFilename": "${JobName}.out", "stderrFilename": "${AppId}.err"}},
    )
    assert definition.archive_system_dir == "/work/tapis/in/exec/out/kept"
    assert (definition.stdout_filename, definition.stderr_filename) == ("case.out", "solver.err")


def test_the_leftmost_macro_goes_first_and_sixteen_rounds_are_the_most() -> None:
    chain = {f"M{i}": f"${{M{i + 1}}}" for i in range(15)} | {"M15": "end"}
    assert strictly("${M0}", chain, "f", {}) == "end"
    with pytest.raises(InvalidInputError, match="after 16 replacements"):
        strictly("/${M15}${M0}", chain, "f", {})


def test_simple_texts_know_the_directories_too() -> None:
    job, definition = resolve_sample(
        description="in ${ExecSystemOutputDir}, ${Unknown}",
        parameterSet={"appArgs": [{"arg": "${ExecSystemInputDir}/x ${NOT_OURS}"}]},
    )
    assert job.description == f"in /work/tapis/jobs/{UUID}/output, ${{Unknown}}"
    assert definition.app_args[0].arg == f"/work/tapis/jobs/{UUID}/x ${{NOT_OURS}}"


def test_queue_and_scheduler_are_macros_of_batch_jobs_as_the_dtn_is_where_there_is_one() -> None:
    variables = tapis_environment(*resolve_sample(system=make_cluster(), jobType="FORK"))
    assert variables["_tapisSysBatchScheduler"] == "SLURM"
    absent = ("ExecSystemLogicalQueue", "ExecSystemHPCQueue", "DtnSystemId", "DtnSystemInputDir")
    assert not {f"_tapis{name}" for name in absent} & set(variables)


# --- HOST_EVAL -------------------------------------------------------------------------------------


def _scratch() -> dict[str, object]:
    system = make_system(jobWorkingDir="HOST_EVAL($SCRATCH)/tapis/${JobUUID}")
    app = make_app({"execSystemExecDir": "${JobWorkingDir}", "execSystemInputDir": "${JobWorkingDir}"})
    return {"system": system, "app": app}


def test_a_host_that_is_away_keeps_nobody_from_submitting() -> None:
    job, definition = resolve_sample(
        **_scratch(),
        host_env=AWAY,
        description="reads ${ExecSystemInputDir}",
        parameterSet={"appArgs": [{"arg": "${ExecSystemOutputDir}/a"}, {"arg": "${JobUUID}"}]},
    )
    assert definition.open_variables == ("SCRATCH",)
    assert definition.job_working_dir == "HOST_EVAL($SCRATCH)/tapis/${JobUUID}"
    assert definition.exec_system_exec_dir == "${JobWorkingDir}"
    assert definition.app_args[0].arg == "${ExecSystemOutputDir}/a"
    assert definition.app_args[1].arg == UUID
    assert definition.warnings[-1].startswith("the host cannot be asked now for SCRATCH")

    description, final = settled(job, definition, {"SCRATCH": "/scratch/ada\n"}, None)
    asked = resolve_sample(
        **_scratch(),
        host_env={"SCRATCH": "/scratch/ada"},
        description="reads ${ExecSystemInputDir}",
        parameterSet={"appArgs": [{"arg": "${ExecSystemOutputDir}/a"}, {"arg": "${JobUUID}"}]},
    )
    assert (description, final.app_args) == (asked[0].description, asked[1].app_args)
    assert final.exec_system_exec_dir == f"/scratch/ada/tapis/{UUID}"
    assert not final.open_variables
    assert tapis_environment(job, final) == tapis_environment(*asked)


def test_what_is_wrong_whatever_the_host_says_is_told_at_once() -> None:
    for field, text in (("execSystemOutputDir", "${JobWorkingDir}/${Nope}"), ("archiveSystemDir", "/a/../b")):
        with pytest.raises(InvalidInputError, match=field):
            resolve_sample(**_scratch(), host_env=AWAY, **{field: text})


def test_a_variable_that_turns_out_not_to_be_set_is_told_when_the_host_is_asked() -> None:
    job, definition = resolve_sample(**_scratch(), host_env=AWAY)
    with pytest.raises(InvalidInputError, match="needs the variable SCRATCH, which is not set on the host"):
        settled(job, definition, {}, None)


def test_the_archives_host_is_asked_for_the_archives_directory() -> None:
    archive = make_system(id="store", canExec=False)
    asked = {"archive_system": archive, "archiveSystemDir": "HOST_EVAL($WORK)/kept"}
    _, definition = resolve_sample(**asked, host_env={"WORK": "/here"}, archive_env={"WORK": "/there"})
    assert definition.archive_system_dir == "/there/kept"
    job, definition = resolve_sample(**asked, archive_env={"WORK": None})
    assert definition.open_variables == ("WORK",)
    assert settled(job, definition, {}, {"WORK": "/there"})[1].archive_system_dir == "/there/kept"


def test_a_default_does_not_need_the_host_to_know_the_variable() -> None:
    _, definition = resolve_sample(system=make_system(jobWorkingDir="HOST_EVAL(WORK2, /tmp/x)/jobs"))
    assert definition.job_working_dir == "/tmp/x/jobs"
