"""Can this image run on that system? What is refused at submission, and what is only said."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from jupyter_tapis_jobs.engine.discovery import NOTES
from jupyter_tapis_jobs.engine.runtime_checks import with_runtime
from jupyter_tapis_jobs.model.app import App, parse_app
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.job import EnvVariable, JobDefinition
from jupyter_tapis_jobs.model.system import System, parse_system

ZIP, DOCKER, SINGULARITY = ({"runtimeType": kind} for kind in ("ZIP", "DOCKER", "SINGULARITY"))


def app(runtime: str, image: str, **more: Any) -> App:
    return parse_app({"id": "a", "version": "1", "runtime": runtime, "containerImage": image, **more})[0]


def system(*runtimes: dict[str, Any], notes: dict[str, Any] | None = None) -> System:
    return parse_system(
        {
            "id": "cluster",
            "systemType": "LINUX",
            "host": "cluster.example.org",
            "defaultAuthnMethod": "PKI_KEYS",
            "canExec": True,
            "rootDir": "/",
            "jobWorkingDir": "/work",
            "jobRuntimes": list(runtimes),
            "notes": notes or {},
        }
    )[0]


def checked(asked: App, there: System, **fields: Any) -> JobDefinition:
    """Return the definition of a job of that app on that system, as it goes on."""
    definition = JobDefinition(
        job_type="FORK",
        app_runtime=asked.runtime,
        container_image=asked.container_image,
        exec_system_id=there.id,
        exec_system_exec_dir="/jobs/1",
        exec_system_input_dir="/jobs/1",
        exec_system_output_dir="/jobs/1",
        archive_system_id=there.id,
        archive_system_dir="/jobs/1",
        job_working_dir="/jobs",
        host="",
        root_dir="/",
    )
    return with_runtime(dataclasses.replace(definition, **fields), asked, there)


@pytest.mark.parametrize(
    ("asked", "offered", "tool"),
    [
        ("podman 4.9", "", "podman"),
        ("", "podman 4.3.1", "podman"),
        ("docker", "podman 4.3.1", "docker"),
        ("", "", None),
        ("24.0", "", None),
    ],
)
def test_the_apps_word_for_its_tool_counts_then_the_systems(
    asked: str, offered: str, tool: str | None
) -> None:
    there = system(ZIP, {**DOCKER, "version": offered})
    assert checked(app("DOCKER", "org/solver:2", runtimeVersion=asked), there).runtime_tool == tool


@pytest.mark.parametrize(
    "image", ["/apps/x.sif", "tapis://s/x.zip", "library://a/b:1", "https://x.org/x.sif"]
)
def test_what_docker_cannot_have_is_refused_with_what_can_be(image: str) -> None:
    with pytest.raises(InvalidInputError, match=r"no image of Docker's.*\[registry/\]name"):
        checked(app("DOCKER", image), system(DOCKER))


@pytest.mark.parametrize("image", ["--privileged", "two words"])
@pytest.mark.parametrize("runtime", ["DOCKER", "SINGULARITY"])
def test_an_image_that_begins_like_an_option_or_holds_blanks_is_refused(runtime: str, image: str) -> None:
    with pytest.raises(InvalidInputError, match="is no image"):
        checked(app(runtime, image), system(DOCKER, SINGULARITY))


@pytest.mark.parametrize(
    "image", ["docker://org/x", "library://a/b:1", "oras://x/y", "/apps/x.sif", "tapis://s/x"]
)
def test_singularity_takes_images_in_every_form(image: str) -> None:
    assert checked(app("SINGULARITY", image), system(SINGULARITY)).warnings == ()


def test_a_system_that_was_looked_at_and_lacks_the_tool_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"system cluster has no docker or podman.*looked at again"):
        checked(app("DOCKER", "org/solver:2"), system(ZIP, notes={NOTES: {}}))


def test_a_system_that_nobody_looked_at_is_tried_and_that_is_said() -> None:
    warnings = checked(app("SINGULARITY", "docker://org/x"), system(ZIP)).warnings
    assert len(warnings) == 1
    assert "needs singularity or apptainer there" in warnings[0]


@pytest.mark.parametrize("runtime", ["ZIP", "SINGULARITY"])
def test_a_variable_that_a_shell_keeps_for_itself_is_refused(runtime: str) -> None:
    variables = (EnvVariable(key="UID", value="7"),)
    with pytest.raises(InvalidInputError, match="'UID' is a variable that a shell keeps for itself"):
        checked(app(runtime, "/x"), system(ZIP, SINGULARITY), env_variables=variables)


def test_docker_takes_such_a_variable() -> None:
    variables = (EnvVariable(key="UID", value="7"),)
    assert checked(app("DOCKER", "x"), system(DOCKER), env_variables=variables).env_variables == variables
