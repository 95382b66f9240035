"""A real Dask scheduler with its workers, as processes of their own, with TLS or without."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: Jobs that a worker runs at a time.
THREADS = 4


@dataclass(kw_only=True)
class DaskCluster:
    """A scheduler and its workers in a folder; each may be killed and started again."""

    folder: Path
    until: Callable[..., object]
    tls: Mapping[str, str] | None = None
    python: str = sys.executable
    #: Who runs it; None is who runs the tests.
    user: str | None = None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The scheduler's address."""
        return str(json.loads(self.scheduler_file.read_text())["address"])

    @property
    def scheduler_file(self) -> Path:
        """Where the scheduler writes its address."""
        return self.folder / "scheduler.json"

    @property
    def notes(self) -> dict[str, Any]:
        """What a system's ``notes.dask`` says of it."""
        tls = {"tls": dict(self.tls)} if self.tls else {}
        return {"address": self.address, "python": self.python, "seconds": 10, **tls}

    def start_scheduler(self, port: int = 0) -> None:
        """Start the scheduler and wait until it has written its address."""
        self.scheduler_file.unlink(missing_ok=True)
        protocol = "tls" if self.tls else "tcp"
        options = ["--host", f"{protocol}://127.0.0.1:{port}", "--no-dashboard", "--no-show"]
        self._start("scheduler", "dask_scheduler", *options, "--scheduler-file", str(self.scheduler_file))
        self.until(lambda: self.scheduler_file.exists() and self.scheduler_file.read_text().strip(), 60)

    def start_worker(self, name: str, *more: str) -> None:
        """Start a worker and wait until it has told that it is registered; one without a nanny stays dead."""
        options = ["--host", "127.0.0.1", "--nthreads", str(THREADS), "--no-nanny", "--no-dashboard"]
        options += ["--name", name, "--memory-limit", "0", "--local-directory", str(self.folder), *more]
        self._start(name, "dask_worker", self.address, *options)
        self.until(lambda: "Registered to" in (self.folder / f"{name}.log").read_text())

    def kill(self, name: str) -> None:
        """Kill the scheduler or a worker: it has no time for anything."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        """End all of it, the workers first."""
        for name in reversed(list(self.processes)):
            self.kill(name)

    def _start(self, name: str, module: str, *words: str) -> None:
        options = {"ca": "--tls-ca-file", "cert": "--tls-cert", "key": "--tls-key"}
        secured = [f"{options[key]}={path}" for key, path in (self.tls or {}).items()]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [self.python, "-m", f"distributed.cli.{module}", *words, *secured],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user else None,
                cwd="/",
            )


@contextmanager
def dask_cluster(
    folder: Path,
    until: Callable[..., object],
    *,
    tls: bool = False,
    workers: Sequence[str] = ("one",),
    **more: Any,
) -> Iterator[DaskCluster]:
    """A scheduler with workers while the block runs."""
    cluster = DaskCluster(folder=folder, until=until, tls=certificates(folder) if tls else None, **more)
    try:
        cluster.start_scheduler()
        for name in workers:
            cluster.start_worker(name)
        yield cluster
    finally:
        with suppress(ProcessLookupError):
            cluster.close()


def certificates(folder: Path, name: str = "rig") -> dict[str, str]:
    """Make a certificate that is its own authority; return the paths of ca, cert and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    there = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(there, critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / f"{name}-cert.pem", folder / f"{name}-key.pem"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    os.chmod(key_path, 0o644)
    return {"ca": str(cert_path), "cert": str(cert_path), "key": str(key_path)}
