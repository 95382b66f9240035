"""What the tools say when an application never began, and what users are told instead."""

from __future__ import annotations

import pytest

from jupyter_tapis_jobs.model.job import JobDefinition
from jupyter_tapis_jobs.runtimes.base import Runtime
from jupyter_tapis_jobs.runtimes.docker import DockerRuntime
from jupyter_tapis_jobs.runtimes.singularity import SingularityRuntime
from jupyter_tapis_jobs.runtimes.zip import ZipRuntime

DEFINITION = JobDefinition(
    job_type="FORK",
    app_runtime="DOCKER",
    container_image="org/solver:2",
    exec_system_id="cluster",
    exec_system_exec_dir="/jobs/1",
    exec_system_input_dir="/jobs/1",
    exec_system_output_dir="/jobs/1/output",
    archive_system_id="cluster",
    archive_system_dir="/jobs/1/output",
    job_working_dir="/jobs",
    host="",
    root_dir="/",
)
DOCKER, SINGULARITY, ZIP = DockerRuntime(), SingularityRuntime(), ZipRuntime()

TOLD = [
    (
        DOCKER,
        125,
        "Error response from daemon: manifest for org/solver:2 not found: manifest unknown: manifest unknown",
        ("the image org/solver:2 cannot be had", "docker pull"),
    ),
    (
        DOCKER,
        125,
        "Error: initializing source docker://org/solver:2: pinging container registry: connection refused",
        ("the image org/solver:2 cannot be had", "Check containerImage"),
    ),
    (
        DOCKER,
        125,
        "tapisjobs: docker cannot be used on node1: permission denied while trying to connect",
        ("docker or podman cannot be used there", "runtime SINGULARITY"),
    ),
    (
        DOCKER,
        125,
        'docker: Error response from daemon: invalid mount config for type "bind": bind source path does '
        "not exist: /nosuch.\nSee 'docker run --help'.",
        ("a directory to be mounted is not there", "/nosuch", "Correct the mount"),
    ),
    (
        DOCKER,
        127,
        'docker: Error response from daemon: OCI runtime create failed: exec: "solver": executable file not '
        "found in $PATH: unknown.",
        ("cannot start its program", "--entrypoint"),
    ),
    (
        SINGULARITY,
        255,
        "so far\nFATAL:   could not open image /apps/x.sif: image format not recognized",
        ("the image org/solver:2 cannot be had", "image format not recognized", "singularity pull"),
    ),
    (
        SINGULARITY,
        255,
        "FATAL:   container creation failed: mount hook function failure: mount /nosuch->/x error",
        ("a directory cannot be mounted", "--bind"),
    ),
    (
        SINGULARITY,
        255,
        "tapisjobs: there is no singularity and no apptainer on node1.",
        ("Singularity cannot be used there", "scheduler profile"),
    ),
]


@pytest.mark.parametrize(("runtime", "code", "text", "parts"), TOLD)
def test_the_tools_line_is_told_with_what_it_means_and_what_to_do(
    runtime: Runtime, code: int, text: str, parts: tuple[str, ...]
) -> None:
    told = runtime.trouble(DEFINITION, code, text)
    assert told is not None
    assert all(part in told for part in parts), told


@pytest.mark.parametrize(
    ("runtime", "code", "text"),
    [
        (DOCKER, 1, "Error: my own"),
        (DOCKER, 127, "bash: solver: command not found"),
        (DOCKER, 125, "my program ends with 125"),
        (SINGULARITY, 1, "FATAL: my own"),
        (SINGULARITY, 255, "my program ends with 255"),
        (ZIP, 127, "./solver: not found"),
    ],
)
def test_the_applications_own_end_is_its_own(runtime: Runtime, code: int, text: str) -> None:
    assert runtime.trouble(DEFINITION, code, text) is None
