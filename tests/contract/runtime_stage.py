"""The stage of the runtime contract: every allowed combination of runtime, scheduler and transport."""

from __future__ import annotations

import io
import pwd
import subprocess
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rig.containers import HERE as RIG
from rig.containers import Containers

from jupyter_tapis_jobs import Job, Tapis, TapisJobsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """What runs the application, where, and when."""

    #: docker, podman, singularity or zip: whose doing it is.
    engine: str
    #: local; or login1, login2: over SSH as an ordinary user. Only login1's may use docker.
    system: str
    job_type: str = "FORK"

    def __str__(self) -> str:
        return f"{self.engine}-{self.system}-{self.job_type}"

    @property
    def runtime(self) -> str:
        """Tapis's word for it."""
        return "DOCKER" if self.engine in ("docker", "podman") else self.engine.upper()

    @property
    def app(self) -> str:
        """The id of its app."""
        return f"tiny-{self.engine}"

    @property
    def inputs(self) -> str:
        """Where the application finds its inputs."""
        return "/TapisInput" if self.runtime == "DOCKER" else "."

    @property
    def outputs(self) -> str:
        """Where it puts its outputs."""
        return "/TapisOutput" if self.runtime == "DOCKER" else "output"


#: All that Tapis allows; podman stands for docker where docker is not for everybody.
ALLOWED = (
    Combination(engine="zip", system="local"),
    Combination(engine="docker", system="local"),
    Combination(engine="podman", system="local"),
    Combination(engine="singularity", system="local"),
    Combination(engine="zip", system="login1"),
    Combination(engine="docker", system="login1"),
    Combination(engine="podman", system="login2"),
    Combination(engine="singularity", system="login1"),
    Combination(engine="zip", system="login1", job_type="BATCH"),
    Combination(engine="singularity", system="login1", job_type="BATCH"),
)
LOCAL_DOCKER, SSH_DOCKER, SSH_PODMAN = ALLOWED[1], ALLOWED[5], ALLOWED[6]
SSH_ZIP, SSH_SINGULARITY, BATCH_SINGULARITY = ALLOWED[4], ALLOWED[7], ALLOWED[9]


def make_apps(tapis: Tapis, there: Containers, archive: Path, web: str) -> None:
    """Register the application in every form; *archive* is to be its ZIP image, *web* the URL of that."""
    archive.write_bytes(_zip({"tapisjob_app.sh": (RIG / "tinyapp").read_bytes()}))
    archive.chmod(0o644)
    forms: dict[str, dict[str, Any]] = {
        "zip": {"runtime": "ZIP", "containerImage": f"tapis://local{archive}"},
        "zip-path": {"runtime": "ZIP", "containerImage": str(archive)},
        "zip-web": {"runtime": "ZIP", "containerImage": web},
        "docker": {"runtime": "DOCKER", "containerImage": there.image, "runtimeVersion": "docker"},
        "podman": {"runtime": "DOCKER", "containerImage": there.image, "runtimeVersion": "podman"},
        "singularity": {"runtime": "SINGULARITY", "containerImage": str(there.sif)},
        "sandbox": {"runtime": "SINGULARITY", "containerImage": str(there.sandbox)},
        "brought": {"runtime": "SINGULARITY", "containerImage": f"tapis://local{there.sif}"},
        "registry": {"runtime": "SINGULARITY", "containerImage": f"docker://{there.registry_image}"},
        "library": {"runtime": "SINGULARITY", "containerImage": "library://nobody/nothing/here:1"},
        "no-image-docker": {"runtime": "DOCKER", "containerImage": "127.0.0.1:5000/nosuch:1"},
        "no-image-podman": {
            "runtime": "DOCKER",
            "containerImage": "127.0.0.1:5000/nosuch:1",
            "runtimeVersion": "podman",
        },
        "no-image-singularity": {"runtime": "SINGULARITY", "containerImage": "/nosuch/image.sif"},
        "no-image-at-all": {"runtime": "SINGULARITY", "containerImage": str(there.archive)},
        "no-image-zip": {"runtime": "ZIP", "containerImage": str(there.sif)},
    }
    for name, form in forms.items():
        app = {"id": f"tiny-{name}", "version": "1", "jobAttributes": {"execSystemId": "local"}, **form}
        tapis.connection.post("/v3/apps", app)


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return buffer.getvalue()


def request(where: Combination, args: str, *, app: str = "", **fields: Any) -> dict[str, Any]:
    """Return a request that runs the application with *args*."""
    parameters = {"appArgs": [{"arg": args}], **fields.pop("parameters", {})}
    return {
        "name": str(where),
        "appId": app or where.app,
        "appVersion": "1",
        "execSystemId": where.system,
        "jobType": where.job_type,
        "maxMinutes": 5,
        "parameterSet": parameters,
        **fields,
    }


def needs(there: Containers, *wanted: Combination) -> None:
    """Skip where an engine cannot be had on this machine."""
    for where in wanted:
        if where.engine != "zip" and where.engine not in there.working:
            pytest.skip(f"{where.engine} does not work here: see tests/rig/containers-up")


def start_all(
    tapis: Tapis,
    there: Containers,
    made: Callable[[Combination], dict[str, Any]],
    wanted: Collection[Combination] = ALLOWED,
) -> dict[str, Job]:
    """Start one job for every combination that can be had, all at once."""
    possible = [w for w in wanted if w.engine == "zip" or w.engine in there.working]
    return {str(where): tapis.submit(made(where)) for where in possible}


def ended(jobs: Mapping[str, Job], there: Containers, where: Combination, *, seconds: float = 100) -> Job:
    """Return the job of a combination at its end."""
    needs(there, where)
    job = jobs[str(where)]
    job.wait(timeout=seconds, progress=False)
    return job.refresh()


def whole(tapis: Tapis, job: Job) -> dict[str, Any]:
    """Return all attributes of a job."""
    return dict(tapis.connection.get(f"/v3/jobs/{job.uuid}"))


def said_so_far(job: Job) -> str:
    """Return what the application has written by now."""
    try:
        return job.read("tapisjob.out")
    except TapisJobsError:
        return ""


def user_of(where: Combination) -> pwd.struct_passwd:
    """Return the user of the machine as whom a job runs there."""
    return pwd.getpwnam({"local": "root", "login1": "riguser1", "login2": "riguser2"}[where.system])


def containers_of(job: Job, where: Combination) -> list[str]:
    """Return the containers of a job that its engine still has, running or not."""
    if where.runtime != "DOCKER":
        return []
    command = [where.engine, "ps", "-aq", "--filter", f"name={job.uuid}"]
    rootless = where.engine == "podman" and where.system != "local"
    as_user = ["su", "-", user_of(where).pw_name, "-c", f"cd; {' '.join(command)}"]
    return _said(as_user if rootless else command).split()


def processes_of(uuid: str) -> Iterator[str]:
    """Yield the command lines of what still runs in a job's directory or names it.

    What the engine itself asks the host is not of the job: a look at its directory comes and goes.
    """
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = _command_line(folder)
            is_of_job = uuid in line or uuid in str((folder / "cwd").readlink())
            if is_of_job and not _is_asked_by_the_engine(folder):
                yield line
        except OSError:
            continue


def _command_line(folder: Path) -> str:
    return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def _is_asked_by_the_engine(folder: Path) -> bool:
    """Tell whether the process is in the session of a command of the SSH transport; jobs have their own."""
    leader = folder.parent / (folder / "stat").read_text().rpartition(")")[2].split()[3]
    try:
        return 'eval "$(head -c' in _command_line(leader)
    except OSError:
        return False


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout
