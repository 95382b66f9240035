"""The container engines of the rig as tests see them: brought up when first asked for."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
#: Where the images lie, and what ``containers-up`` has found to work.
FOLDER = Path("/tmp/tapisjobs-containers")
#: Held while tests use the engines; they are not stopped then.
USE = Path("/var/lib/tapisjobs-containers/use")
#: The folder of a run that takes down afterwards what it has brought up, and wants to know of it.
RUN = os.environ.get("TAPISJOBS_RIGS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """What is there: engines by name, and one image in several forms."""

    #: docker, podman, singularity, registry: those that work.
    working: frozenset[str]
    #: The name of the image in docker and podman.
    image: str
    #: Its name in the registry.
    registry_image: str
    archive: Path
    sif: Path
    sandbox: Path


@contextmanager
def containers() -> Iterator[Containers]:
    """Bring the engines up, or skip the test with the reason; they go on running afterwards."""
    if os.geteuid() != 0:
        pytest.skip("the container rig needs root")
    missing = _said([HERE / "install", "--missing", HERE / "containers-packages"]).split()
    if missing:
        pytest.skip(f"the container rig needs {', '.join(missing)}: tests/rig/containers-up")
    USE.parent.mkdir(parents=True, exist_ok=True)
    with USE.open("a") as use:
        fcntl.flock(use, fcntl.LOCK_SH)
        if RUN is not None:
            Path(RUN).mkdir(parents=True, exist_ok=True)
            (Path(RUN) / "containers.use").touch()
        told = json.loads(_said([HERE / "containers-up"]))
        yield Containers(
            working=frozenset(told["working"]),
            image=told["image"],
            registry_image=told["registry_image"],
            archive=Path(told["archive"]),
            sif=Path(told["sif"]),
            sandbox=Path(told["sandbox"]),
        )


def _said(command: list[str | Path]) -> str:
    environment = {**os.environ, "RIG_DIR": str(FOLDER), "RIG_NO_INSTALL": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout
