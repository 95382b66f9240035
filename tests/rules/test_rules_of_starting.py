"""What is started on the host: Tapis's command of each runtime, and its env file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from model_samples import UUID, make_app, make_cluster, make_system, resolve_sample
from simulation.lives import USER, Life
from simulation.test_rules import play
from simulation.world import World

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.errors import TapisJobsError
from jupyter_tapis_jobs.runtimes.base import LaunchLines, Runtime
from jupyter_tapis_jobs.runtimes.docker import DockerRuntime
from jupyter_tapis_jobs.runtimes.singularity import SingularityRuntime
from jupyter_tapis_jobs.runtimes.zip import ZipRuntime

RUNTIMES: dict[str, Runtime] = {
    "DOCKER": DockerRuntime(), "SINGULARITY": SingularityRuntime(), "ZIP": ZipRuntime(),
}  # fmt: skip
EXEC = f"/work/tapis/jobs/{UUID}"


def _lines(runtime: str, **asked: Any) -> LaunchLines:
    app = make_app(runtime=runtime, containerImage="org/solver:2")
    system = make_system(enableCmdPrefix=True)
    job, definition = resolve_sample(app=app, system=system, **asked)
    return RUNTIMES[runtime].launch_lines(job, definition, None)


def test_docker_is_told_what_tapis_tells_it() -> None:
    parameters = {"containerArgs": [{"arg": "--cpus 2"}], "appArgs": [{"arg": "-n 3"}]}
    words = shlex.split(_lines("DOCKER", parameterSet=parameters).command)
    run = words.index("run")
    assert words[words.index("--name") + 1] == UUID
    assert words[words.index("--cidfile") + 1] == f"{EXEC}/{UUID}.cid"
    assert words[words.index("--env-file") + 1] == f"{EXEC}/tapisjob.env"
    mounts = [words[i + 1] for i, word in enumerate(words) if word == "--mount"]
    assert mounts == [
        f"type=bind,source={EXEC},target=/TapisInput,readonly",
        f"type=bind,source={EXEC}/output,target=/TapisOutput",
        f"type=bind,source={EXEC},target=/TapisExec",
    ]
    assert run < words.index("--cpus") < words.index("org/solver:2")
    assert words[-3:] == ["org/solver:2", "-n", "3"]


def test_docker_sees_a_local_input_at_its_whole_target_unless_that_is_switched_off() -> None:
    near = {"sourceUrl": "tapislocal://exec.tapis/data/mesh", "targetPath": "in/deep/mesh"}
    command = _lines("DOCKER", fileInputs=[near]).command
    assert "type=bind,source=/data/mesh,target=/in/deep/mesh,readonly" in command
    assert "/data/mesh" not in _lines("DOCKER", fileInputs=[{**near, "autoMountLocal": False}]).command


@pytest.mark.parametrize(
    ("runtime", "line"),
    [("DOCKER", 'K=two "words"'), ("SINGULARITY", r'K="two \"words\""'), ("ZIP", "export K='two \"words\"'")],
)
def test_each_runtime_has_its_own_env_file(runtime: str, line: str) -> None:
    variables = {"envVariables": [{"key": "K", "value": 'two "words"'}]}
    assert line in _lines(runtime, parameterSet=variables).environment.splitlines()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_prefix_stands_before_every_runtimes_command(runtime: str) -> None:
    assert _lines(runtime, cmdPrefix="time -p").command.startswith("time -p ")
    assert _lines(runtime, isMpi=True, mpiCmd="ibrun -n 4").command.startswith("exec ibrun -n 4 ")
    assert "ibrun" not in _lines(runtime, mpiCmd="ibrun -n 4").command


def test_options_of_other_schedulers_are_taken_as_they_are() -> None:
    system = make_cluster(batchScheduler="PBS")
    options = {"schedulerOptions": [{"arg": "-l walltime=1:00"}]}
    _, definition = resolve_sample(system=system, jobType="BATCH", parameterSet=options)
    assert definition.batch_scheduler == "PBS"
    assert [option.arg for option in definition.scheduler_options] == ["-l walltime=1:00"]


@pytest.mark.parametrize("scheduler", ["PBS", "SGE", "UGE", "TORQUE"])
def test_other_schedulers_are_refused_at_submission(tmp_path: Path, scheduler: str) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (refused,) = await engine.submit(USER, [{"name": "n", "appId": "batch", "appVersion": "1.0"}])
        assert isinstance(refused, TapisJobsError)
        assert f"its batchScheduler {scheduler} is not one of: SLURM" in refused.message

    play(tmp_path, scene, batchScheduler=scheduler)
