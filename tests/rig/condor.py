"""The HTCondor pool of the rig as tests see it: brought up when first asked for."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rig.variants import FOLDER

HERE = Path(__file__).parent
NAME = "pool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A pool of one machine, which is run by a user of its own, and the login server of that user."""

    folder: Path
    user: str
    home: Path
    #: HTCondor's programs, as a part of PATH.
    path: str
    config: Path
    host: str
    port: int
    #: The private key that opens the login server.
    key: Path
    known_hosts: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the pool's user needs to find the pool."""
        path = f"{self.path}:/usr/local/bin:/usr/bin:/bin"
        return {"CONDOR_CONFIG": str(self.config), "PATH": path, "HOME": str(self.home), "USER": self.user,
                "LOGNAME": self.user}  # fmt: skip

    def condor(self, *command: str) -> str:
        """Run a command of HTCondor as the pool's user and return what it says."""
        return subprocess.run(
            command,
            executable=shutil.which(command[0], path=self.environment["PATH"]),
            user=self.user,
            group=pwd.getpwnam(self.user).pw_gid,
            extra_groups=[],
            env=self.environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout

    def adding(self) -> dict[str, Any]:
        """Return what ``tapis.add_host`` takes to add the login server."""
        return {"host": self.host, "port": self.port, "user": self.user, "key": self.key,
                "knownHosts": self.known_hosts}  # fmt: skip


def why_not() -> str | None:
    """Return why there can be no pool on this machine; None when there can."""
    if os.geteuid() != 0:
        return "the HTCondor rig needs root"
    missing = subprocess.run([HERE / "condor-up", "--missing"], capture_output=True, text=True, check=True)
    return missing.stdout.strip() or None


@contextmanager
def pool(name: str = NAME) -> Iterator[Pool]:
    """Bring the pool up, or skip the test with the reason; it goes on running afterwards.

    A pool with a *name* of its own may be broken.
    """
    if reason := why_not():
        pytest.skip(reason)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.use").open("w") as use:
        fcntl.flock(use, fcntl.LOCK_SH)
        yield brought_up(FOLDER / name)


def brought_up(folder: Path) -> Pool:
    """Start what does not run of the pool in *folder*."""
    environment = {**os.environ, "RIG_DIR": str(folder), "RIG_NO_INSTALL": "1"}
    done = subprocess.run([HERE / "condor-up"], env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    (login,) = told["hosts"]
    return Pool(
        folder=folder,
        user=told["user"],
        home=Path(told["home"]),
        path=told["path"],
        config=Path(told["config"]),
        host=login["host"],
        port=login["port"],
        key=Path(told["ssh_key"]),
        known_hosts=Path(told["known_hosts"]),
    )
