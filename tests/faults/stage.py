"""Where faults happen: a real Jupyter server that may be killed, and a host of the rig that it uses."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from mixed_study import Study, histories
from rig.rig import Rig

from jupyter_tapis_jobs.client.connection import Connection
from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.model.status import JobStatus

#: What makes a clock that can be set.
CLOCK = Path(__file__).parent / "clock"
#: The login server that the studies use.
HOST = "login1"


@dataclass(slots=True, kw_only=True)
class Stage:
    """One server and one host; *folder* is the server's, *place* lies on the host."""

    rig: Rig
    folder: Path
    place: Path
    run: Callable[..., AbstractContextManager[Any]]
    until: Callable[..., Any]
    server: Any = None
    #: A client of the server; it knows nothing of an earlier one.
    tapis: Tapis = field(init=False)
    _stack: ExitStack = field(default_factory=ExitStack)

    # --- the server ---
    def start(self) -> None:
        """Start the server, at the same store as before, with a clock that can be set."""
        self.set_clock(0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TAPISJOBS_TEST_CLOCK", str(self._clock))
            patch.setenv("PYTHONPATH", str(CLOCK), prepend=os.pathsep)
            self.server = self._stack.enter_context(self.run(self.folder))
        self.tapis = Tapis(Connection(self.server.endpoint))
        self._stack.callback(self.tapis.connection.close)

    @property
    def _clock(self) -> Path:
        return self.folder.parent / "clock"

    def set_clock(self, ahead: float) -> None:
        """Let the server's clock be so many seconds ahead of the right one."""
        self._clock.touch()
        os.utime(self._clock, (ahead, ahead))

    def clock_is_ahead(self) -> float:
        """Return how many seconds the server's clock is ahead, as its answers tell."""
        with urllib.request.urlopen(self.server.url + "api") as answer:
            return parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()

    def kill(self) -> None:
        """``kill -9`` of the server."""
        self.process.kill()
        self.process.wait()
        self.stop()

    def stop(self) -> None:
        """End the server in order, if it lives."""
        self._stack.close()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process."""
        return self.server.process.process

    def add_host(self) -> None:
        """Make the rig's host a system of the server."""
        given = {**self.rig.adding(HOST), "jobWorkingDir": str(self.place / "work")}
        self.tapis.connection.post("/v3/tapisjobs/hosts", given)

    def study(self, name: str) -> Study:
        """Return a study without jobs yet, with its folder on the host."""
        folder = self.place / name
        folder.mkdir()
        folder.chmod(0o777)
        study = Study(name=name, folder=folder, system=HOST)
        study.witness.touch()
        study.witness.chmod(0o666)
        return study

    # --- time ---
    def passes(self, seconds: float) -> None:
        """Let the world go on; what is waited for is that nothing happens."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end, seconds + 5)

    def shows_blocked(self, study: Study, seconds: float = 90) -> None:
        """Wait until a job of the study has told that it is held back."""
        self.until(lambda: self.was_blocked(study), seconds)

    def was_blocked(self, study: Study) -> bool:
        """Return whether a job of the study was ever held back."""
        rows = histories(self.server.data_dir, study.name).values()
        return any(status == JobStatus.BLOCKED for history in rows for status, _ in history)


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """Put a file system of its own at *place* while the block runs."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=1777", "none", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def full(place: Path) -> Iterator[None]:
    """Leave no byte free on the disk of *place* while the block runs."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            for size in (1 << 20, 1 << 12, 1):
                filled = False
                while not filled:
                    try:
                        filled = file.write(bytes(size)) < size
                    except OSError:
                        filled = True
            yield
        finally:
            filler.unlink()
