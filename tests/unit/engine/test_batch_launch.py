"""The launch script of a batch job, and what stands before its program."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_tapis_jobs.engine.wrapper import launch_script
from jupyter_tapis_jobs.model.app import parse_app
from jupyter_tapis_jobs.model.job import Job, JobDefinition
from jupyter_tapis_jobs.model.profile import parse_profile
from jupyter_tapis_jobs.model.request import parse_request
from jupyter_tapis_jobs.model.resolve import resolve
from jupyter_tapis_jobs.model.system import parse_system
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.runtimes.zip import ZipRuntime

APP = {"id": "solver", "version": "1.0", "runtime": "ZIP", "containerImage": "/apps/solver.zip"}
CLUSTER = {
    "id": "cluster", "systemType": "LINUX", "host": "h", "defaultAuthnMethod": "PKI_KEYS", "canExec": True,
    "rootDir": "/", "jobWorkingDir": "/work", "jobRuntimes": [{"runtimeType": "ZIP"}], "canRunBatch": True,
    "batchScheduler": "SLURM", "batchLogicalQueues": [{"name": "q", "hpcQueueName": "normal"}],
    "enableCmdPrefix": True,
}  # fmt: skip
PROFILE = {"name": "site", "moduleLoads": [{"moduleLoadCommand": "module load", "modulesToLoad": ["mpi"]}]}


def resolved(**fields: Any) -> tuple[Job, JobDefinition]:
    raw = {"name": "case", "appId": "solver", "appVersion": "1.0", "jobType": "BATCH", **fields}
    return resolve(
        parse_request(raw), parse_app(APP)[0], parse_system(CLUSTER)[0], archive_system=None,
        user=User("ada", "t", is_server_user=True), uuid="u-007", created="2026-11-21T04:48:47.123456Z",
        effective_user="ada", host_env={}, profiles=lambda name: parse_profile(PROFILE)[0],
    )  # fmt: skip


def script(**fields: Any) -> list[str]:
    """Return the lines of the launch script of a job with these fields."""
    job, definition = resolved(**fields)
    lines = ZipRuntime().launch_lines(job, definition, "tapisjob_app.sh")
    return launch_script(job, definition, lines, events="/lane/events").splitlines()


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        ({}, "exec ./tapisjob_app.sh"),
        ({"isMpi": True, "mpiCmd": "mpirun"}, "exec mpirun ./tapisjob_app.sh"),
        ({"isMpi": True, "mpiCmd": "srun --mpi=pmi2"}, "exec srun --mpi=pmi2 ./tapisjob_app.sh"),
        # exec takes no variables, and "time" is a word of the shell.
        ({"isMpi": True, "mpiCmd": "A=1 mpirun"}, "A=1 mpirun ./tapisjob_app.sh"),
        ({"cmdPrefix": "time"}, "time ./tapisjob_app.sh"),
        # mpiCmd counts with isMpi only.
        ({"mpiCmd": "mpirun"}, "exec ./tapisjob_app.sh"),
    ],
)
def test_a_signal_to_the_job_reaches_its_program_or_its_mpirun(fields: dict[str, Any], command: str) -> None:
    assert f"  {command}" in script(**fields)


def test_directives_come_before_the_first_command() -> None:
    lines = script(nodeCount=2, parameterSet={"schedulerOptions": [{"arg": "-A ABC"}]})
    commands = [number for number, line in enumerate(lines) if line and not line.startswith("#")]
    directives = [number for number, line in enumerate(lines) if line.startswith("#SBATCH ")]
    assert max(directives) < min(commands)
    assert {"#SBATCH --account=ABC", "#SBATCH --nodes=2"} <= {lines[number] for number in directives}
    assert not any(line.startswith("#SBATCH") for line in script(jobType="FORK"))


def test_modules_are_loaded_by_a_login_shell_before_the_jobs_own_variables() -> None:
    lines = script(parameterSet={"schedulerOptions": [{"arg": "--tapis-profile site"}]})
    assert lines[0] == "#!/bin/bash -l"
    assert lines.index("  module load mpi") < lines.index("  . ./tapisjob.env")
    assert script()[0] == "#!/bin/sh"


def test_a_users_own_srun_gets_the_jobs_environment_whatever_is_exported() -> None:
    options = {"schedulerOptions": [{"arg": "--export=NONE"}]}
    assert "export SLURM_EXPORT_ENV=ALL" in script(parameterSet=options)
