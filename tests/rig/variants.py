"""The rigs that tests ask for by name, brought up when first asked for."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.rig import Rig, load

HERE = Path(__file__).parent
#: Where the rigs of a run lie; ``tests/run`` has a folder of its own.
FOLDER = Path(os.environ.get("TAPISJOBS_RIGS", "/tmp/tapisjobs-rigs"))
#: What is left out where a test does not look at it: a rig is then up sooner.
_SMALL = {"RIG_ACCT": "none", "RIG_NODES": "1"}
#: Name -> its settings (``slurm-up --help``). Another setting under an old name: take the old rig down first.
VARIANTS: dict[str, dict[str, str]] = {
    "default": {"RIG_SSH_HOSTS": "2", "RIG_CPUS": "8"},
    "faults": {"RIG_SSH_HOSTS": "2", "RIG_CPUS": "8", "RIG_SLURMD_TIMEOUT": "8"},
    # The contract suites' own: they run beside the faults.
    "breakable": {"RIG_SSH_HOSTS": "2", "RIG_CPUS": "8", "RIG_SLURMD_TIMEOUT": "8"},
    "sign-in": {"RIG_OTP": "1", "RIG_ODD": "1", "RIG_JUMP": "1", **_SMALL},
    "small-arrays": {"RIG_MAX_ARRAY": "11", **_SMALL},
    "no-arrays": {"RIG_MAX_ARRAY": "0", **_SMALL},
    "preemption": {"RIG_PREEMPT": "1", "RIG_NODES": "1"},
    "no-comments": {"RIG_JOB_COMMENT": "0", "RIG_NODES": "1"},
    "no-accounting": {**_SMALL},
    "few-jobs": {"RIG_MAX_SUBMIT": "5", "RIG_NODES": "1"},
    "memory": {"RIG_CGROUP": "1", "RIG_NODES": "1"},
}
#: Tests break these: one at a time.
ALONE = frozenset({"faults", "breakable"})


def why_not(name: str) -> str | None:
    """Return why the variant cannot be had on this machine; None when it can."""
    if os.geteuid() != 0:
        return "the Slurm and SSH rig needs root"
    if name == "memory" and not Path("/sys/fs/cgroup/memory").is_dir():
        return "memory limits need cgroup v1 at /sys/fs/cgroup/memory"
    missing = subprocess.run([HERE / "install", "--missing"], capture_output=True, text=True, check=True)
    if missing.stdout.split():
        return f"the rig needs {', '.join(missing.stdout.split())}: tests/rig/install"
    return None


@contextmanager
def variant(name: str) -> Iterator[Rig]:
    """Bring the variant up, or skip the test with the reason; it goes on running afterwards."""
    if reason := why_not(name):
        pytest.skip(reason)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.use").open("w") as use:
        fcntl.flock(use, fcntl.LOCK_EX if name in ALONE else fcntl.LOCK_SH)
        yield brought_up(FOLDER / name, VARIANTS[name])


def brought_up(folder: Path, settings: dict[str, str]) -> Rig:
    """Start what does not run of the rig in *folder*, with *settings*."""
    environment = {**os.environ, **settings, "RIG_DIR": str(folder), "RIG_NO_INSTALL": "1"}
    done = subprocess.run([HERE / "slurm-up"], env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return load(folder)
