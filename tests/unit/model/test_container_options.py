"""containerArgs: which options each runtime takes, how they are put to a shell, what is refused and why."""

from __future__ import annotations

import subprocess

import pytest

from jupyter_tapis_jobs.model.container_options import container_option
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.fields import RuntimeType

DOCKER, SINGULARITY, ZIP = RuntimeType.DOCKER, RuntimeType.SINGULARITY, RuntimeType.ZIP


def words(text: str) -> list[str]:
    """Return what a shell of the host makes of an option."""
    shell = f"SCRATCH='/scratch/a b'; printf '%s\\n' {text}"
    return subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )[:-1]


@pytest.mark.parametrize(
    ("runtime", "option", "expected"),
    [
        (DOCKER, "--cpus 2", ["--cpus", "2"]),
        (DOCKER, "--cpus=2", ["--cpus", "2"]),
        (DOCKER, "-m 2g", ["--memory", "2g"]),
        (DOCKER, "--volume $SCRATCH:/data:ro", ["--volume", "/scratch/a b:/data:ro"]),
        (DOCKER, "--volume ${SCRATCH}/x:/data", ["--volume", "/scratch/a b/x:/data"]),
        (DOCKER, "--volume '$SCRATCH;x':/data", ["--volume", "$SCRATCH;x:/data"]),
        (DOCKER, "--volume $(id):/data", ["--volume", "$(id):/data"]),
        (DOCKER, '--label "two words"', ["--label", "two words"]),
        (SINGULARITY, "--bind $SCRATCH", ["--bind", "/scratch/a b"]),
        (SINGULARITY, "-B /a:/b", ["--bind", "/a:/b"]),
        (SINGULARITY, "--nv", ["--nv"]),
        (ZIP, "--tapis-zip-save", ["--tapis-zip-save"]),
    ],
)
def test_an_option_reaches_the_engine_with_nothing_expanded_but_variables(
    runtime: RuntimeType, option: str, expected: list[str]
) -> None:
    assert words(container_option(option, runtime)) == expected


@pytest.mark.parametrize(("runtime", "option"), [(DOCKER, "--rm"), (SINGULARITY, "--no-eval")])
def test_what_is_said_anyway_is_not_said_twice(runtime: RuntimeType, option: str) -> None:
    assert container_option(option, runtime) == ""


@pytest.mark.parametrize(
    ("runtime", "option", "why"),
    [
        (DOCKER, "--env A=1", "Use envVariables instead"),
        (DOCKER, "-e A=1", "Use envVariables instead"),
        (DOCKER, "--name mine", "finds the container again"),
        (DOCKER, "--user 0", "job's own user"),
        (DOCKER, "--detach", "nobody sits before it"),
        (DOCKER, "--privileged", "whole host"),
        (DOCKER, "--volum a:b", "Did you mean '--volume'"),
        (DOCKER, "--volume", "needs a value. Write it as --volume=VALUE"),
        (DOCKER, "--volume a:b --rm", "more than one word"),
        (DOCKER, "--volume a:b;id", "outside quotes"),
        (DOCKER, "--volume 'a:b", "does not close it"),
        (DOCKER, "--nv", "is no option that a DOCKER app may have"),
        (SINGULARITY, "--env-file x", "Use envVariables instead"),
        (SINGULARITY, "--passphrase", "nobody is there to answer"),
        (SINGULARITY, "--nv --bind a:b", "takes no value"),
        (SINGULARITY, "bind a:b", "is not an option"),
        (SINGULARITY, "--bnd a:b", "Did you mean '--bind'"),
        (SINGULARITY, "--tapis-zip-save", "for ZIP apps only"),
        (ZIP, "--bind a:b", "has no meaning for a ZIP app"),
    ],
)
def test_an_option_that_cannot_be_is_refused_with_the_way_out(
    runtime: RuntimeType, option: str, why: str
) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        container_option(option, runtime)
    assert why in refusal.value.message
    assert refusal.value.field == "parameterSet.containerArgs"
    assert option.split()[-1] in refusal.value.message
