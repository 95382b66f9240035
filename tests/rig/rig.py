"""One rig as tests see it: its hosts, commands on them, and what can be broken.

Daemons are named as their pid files in ``run/``: ``slurmctld``, ``slurmdbd``, ``slurmd.node1``,
``sshd.login1``.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from rig.totp import STEP_SECONDS, totp


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A login server, and how to get in."""

    name: str
    host: str
    port: int
    user: str
    #: Its sshd, as the rig's daemons are named.
    daemon: str
    password: str | None = field(default=None, repr=False)
    #: The secret of its one-time codes, in hexadecimal.
    totp_secret: str | None = field(default=None, repr=False)
    #: The host that one must go through.
    jump: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A cluster with its login servers."""

    folder: Path
    hosts: Mapping[str, Host]
    partitions: tuple[str, ...]
    #: The private key that opens every host but `password` and `otp`.
    key: Path
    known_hosts: Path
    #: For ``ssh -F``: every host by its name.
    ssh_config: Path
    slurm_conf: Path

    # --- use ---
    def ssh(self, command: str, host: str = "login1", *, check: bool = True, seconds: float = 60) -> str:
        """Run *command* on a host with OpenSSH and return what it says."""
        return self._said(["ssh", "-F", str(self.ssh_config), host, command], check=check, seconds=seconds)

    def slurm(self, *command: str, check: bool = True, seconds: float = 60) -> str:
        """Run a command of Slurm as root and return what it says."""
        return self._said(list(command), check=check, seconds=seconds)

    def _said(self, command: list[str], *, check: bool, seconds: float) -> str:
        environment = {**os.environ, "SLURM_CONF": str(self.slurm_conf)}
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert not check or done.returncode == 0, f"{command}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout

    def adding(self, host: str = "login1") -> dict[str, Any]:
        """Return what ``POST /v3/tapisjobs/hosts`` takes to add a host that the key opens."""
        it = self.hosts[host]
        return {"id": it.name, "host": it.host, "port": it.port, "user": it.user,
                "keyFile": str(self.key), "knownHosts": str(self.known_hosts)}  # fmt: skip

    def reaching(self, host: str = "login1") -> dict[str, Any]:
        """Return what ``tapis.add_host`` takes, beside the system's name, for such a host."""
        it = self.hosts[host]
        return {"host": it.host, "port": it.port, "user": it.user, "key": self.key,
                "knownHosts": self.known_hosts}  # fmt: skip

    def code(self, host: str = "otp") -> str:
        """Return the next one-time code: none is given twice, so it may be ahead of the clock."""
        secret = self.hosts[host].totp_secret
        assert secret is not None, f"{host} takes no codes"
        with (self.folder / "ssh" / "last-code").open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            step = max(int(time.time()) // STEP_SECONDS, int(file.read() or 0) + 1)
            file.truncate(0)
            file.write(str(step))
        return totp(secret, step)

    # --- daemons ---
    def stop(self, daemon: str) -> None:
        """End it in order; open SSH sessions of a login server live on."""
        self._end(daemon, signal.SIGTERM)

    def kill(self, daemon: str) -> None:
        """``kill -9``: what it had not written is lost."""
        self._end(daemon, signal.SIGKILL)

    def freeze(self, daemon: str) -> None:
        """It takes connections and does not answer."""
        self._process(daemon).suspend()

    def thaw(self, daemon: str) -> None:
        """It goes on where it was frozen."""
        self._process(daemon).resume()

    def runs(self, daemon: str) -> bool:
        """Return whether it lives."""
        with suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return self._process(daemon).status() != psutil.STATUS_ZOMBIE
        return False

    def revive(self) -> None:
        """Start everything that does not run, and wait until it answers."""
        for daemon in (path.stem for path in (self.folder / "run").glob("*.pid")):
            if self.runs(daemon):
                self.thaw(daemon)
        up = [Path(__file__).parent / "slurm-up"]
        environment = {**os.environ, "RIG_DIR": str(self.folder), "RIG_NO_INSTALL": "1"}
        done = subprocess.run(up, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr

    def kill_node(self, node: str) -> None:
        """A node loses its power: slurmd and everything that runs there is gone at once."""
        here = os.readlink(f"/proc/{self._process(f'slurmd.{node}').pid}/ns/uts")
        killed = []
        for process in psutil.process_iter():
            with suppress(OSError, psutil.NoSuchProcess):
                if os.readlink(f"/proc/{process.pid}/ns/uts") == here:
                    process.kill()
                    killed.append(process)
        psutil.wait_procs(killed, timeout=10)

    # --- connections ---
    def drop_connections(self, host: str = "login1") -> int:
        """Cut all SSH connections of a host, not their commands; return how many processes that were."""
        sessions = self._sessions(host)
        for process in sessions:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(sessions, timeout=10)
        return len(sessions)

    @contextmanager
    def frozen_connections(self, host: str = "login1") -> Iterator[None]:
        """While the block runs nothing goes through the open connections; they are not closed."""
        sessions = self._sessions(host)
        for process in sessions:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in sessions:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    @contextmanager
    def refused_connections(self, host: str = "login1") -> Iterator[None]:
        """While the block runs open connections are cut and new ones refused."""
        self.stop(self.hosts[host].daemon)
        self.drop_connections(host)
        try:
            yield
        finally:
            self.revive()

    def _sessions(self, host: str) -> list[psutil.Process]:
        """Return the processes that hold a connection to a host's port on its side."""
        port = self.hosts[host].port
        holders = {
            held.pid
            for held in psutil.net_connections("tcp4")
            if held.laddr.port == port and held.status == psutil.CONN_ESTABLISHED and held.pid
        }
        return [psutil.Process(pid) for pid in holders if psutil.pid_exists(pid)]

    def _end(self, daemon: str, number: signal.Signals) -> None:
        process = self._process(daemon)
        process.resume()
        process.send_signal(number)
        gone, _ = psutil.wait_procs([process], timeout=30)
        assert gone, f"{daemon} does not end"

    def _process(self, daemon: str) -> psutil.Process:
        return psutil.Process(int((self.folder / "run" / f"{daemon}.pid").read_text()))


def load(folder: Path) -> Rig:
    """Return the rig that ``slurm-up`` has brought up in *folder*."""
    told = json.loads((folder / "env.json").read_text())
    names = Host.__slots__
    hosts = [Host(**{key: value for key, value in host.items() if key in names}) for host in told["hosts"]]
    return Rig(
        folder=folder,
        hosts={host.name: host for host in hosts},
        partitions=tuple(told["partitions"]),
        key=Path(told["ssh_key"]),
        known_hosts=Path(told["known_hosts"]),
        ssh_config=Path(told["ssh_config"]),
        slurm_conf=Path(told["slurm_conf"]),
    )
