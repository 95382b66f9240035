"""What schedulerOptions may say to HTCondor, and what a job says there itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from model_samples import Resolved, make_cluster

from jupyter_tapis_jobs.model.batch_languages import language_of
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.submit_commands import read_command, refuse_unusable_command
from jupyter_tapis_jobs.model.submit_description import commands_of, refuse_unfit

Resolve = Callable[..., Resolved]
ONE_START = "(NumJobStarts =?= undefined || NumJobStarts == 0)"


def in_pool(resolved: Resolve, *options: str, **fields: Any) -> Resolved:
    """Return a BATCH job for HTCondor with these scheduler options."""
    parameters = {"schedulerOptions": [{"arg": option} for option in options]}
    system = make_cluster(batchScheduler="CONDOR")
    return resolved(system=system, jobType="BATCH", parameterSet=parameters, **fields)


def said(resolved: Resolve, *options: str, **fields: Any) -> dict[str, str]:
    """Return what such a job says, name -> value."""
    lines = commands_of(*in_pool(resolved, *options, **fields))
    assert list(lines) == sorted(lines)
    return dict(line.split(" = ", 1) for line in lines)


def test_resources_and_limits_of_the_job_are_its_requests(resolved: Resolve) -> None:
    told = said(resolved, coresPerNode=4, memoryMB=700, maxMinutes=5)
    assert (told["request_cpus"], told["request_memory"]) == ("4", "700")
    assert told["requirements"] == ONE_START
    assert "time() - JobCurrentStartExecutingDate > 300" in told["periodic_remove"]
    assert told["should_transfer_files"] == "NO"


def test_commands_of_ones_own_are_added_and_requirements_joined(resolved: Resolve) -> None:
    told = said(
        resolved, "accounting_group = physics", '+ProjectName="x y"', '--requirements=(Arch == "X86_64")',
        "request_GPUs=1",
    )  # fmt: skip
    assert (told["accounting_group"], told["+ProjectName"], told["request_gpus"]) == ("physics", '"x y"', "1")
    assert told["requirements"] == f'{ONE_START} && ((Arch == "X86_64"))'


def test_the_launch_script_says_it_in_comments(resolved: Resolve) -> None:
    job, definition = in_pool(resolved)
    language = language_of(definition)
    lines = language.as_lines(language.directives(job, definition)).splitlines()
    assert len(lines) >= 5
    assert all(line.startswith("#CONDOR ") for line in lines)


@pytest.mark.parametrize(
    ("option", "way_out"),
    [
        ("request_cpus = 4", "Use coresPerNode instead"),
        ("request_memory=1", "Use memoryMB instead"),
        ("allowed_execute_duration = 5", "Use maxMinutes instead"),
        ("transfer_input_files = a", "Use fileInputs instead"),
        ("executable = /bin/sh", "Leave it out"),
        ("max_retries = 3", "second time"),
        ("+TapisJobUuid = 1", "Leave it out"),
        ("MY.TapisJobLane = 1", "Leave it out"),
        ("accounting_grup = x", "Did you mean 'accounting_group'"),
        ("accounting_group =", "needs a value"),
        ("queue", "Write one an entry: 'name = value'"),
        ("-N 2", "Write one an entry: 'name = value'"),
        ("rank = x\\", "ends with a backslash"),
        ("rank = 1\nqueue 100", "holds a newline"),
    ],
)
def test_what_cannot_be_said_is_refused_with_the_way_out(
    resolved: Resolve, option: str, way_out: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        in_pool(resolved, option)
    assert refused.value.field == "parameterSet.schedulerOptions"
    assert way_out in refused.value.message


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Accounting_Group = a", ("accounting_group", "a")),
        ("--rank=Mips", ("rank", "Mips")),
        ('+Own = "A = b"', ("+Own", '"A = b"')),
        ("MY.Own = 1", ("MY.Own", "1")),
        ("no command", ("", "")),
    ],
)
def test_an_entry_is_name_and_value(text: str, read: tuple[str, str]) -> None:
    assert read_command(text) == read


def test_a_scheduler_profile_is_named_as_for_other_schedulers() -> None:
    refuse_unusable_command("--tapis-profile tacc")


def test_several_nodes_are_refused(resolved: Resolve) -> None:
    with pytest.raises(InvalidInputError, match="a job of HTCondor has one machine") as refused:
        refuse_unfit(*in_pool(resolved, nodeCount=2))
    assert refused.value.field == "nodeCount"


def test_files_travel_where_that_is_said(resolved: Resolve) -> None:
    told = said(resolved, "should_transfer_files = yes")
    assert told["should_transfer_files"] == "YES"
    assert told["transfer_input_files"] == "in/$(TapisJob).tar"


def test_a_directory_that_would_stay_behind_is_refused(resolved: Resolve) -> None:
    job, definition = in_pool(resolved, "should_transfer_files = YES")
    refuse_unfit(job, definition)
    with pytest.raises(InvalidInputError, match="execSystemOutputDir /elsewhere is not below") as refused:
        refuse_unfit(job, replace(definition, exec_system_output_dir="/elsewhere"))
    assert refused.value.field == "execSystemOutputDir"
