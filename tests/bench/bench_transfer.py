"""One large file and many small ones over SSH, both ways, against OpenSSH's own tools and rsync."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cluster
import harness

from jupyter_tapis_jobs.transports.local import LocalTransport
from jupyter_tapis_jobs.transports.ssh import SshTransport
from jupyter_tapis_jobs.transports.ssh_address import Address, KnownKeys, SignIn
from jupyter_tapis_jobs.transports.ssh_sign_in import connect

GIB = 1 << 30
SMALL = 4096
#: The cipher that is fastest here on both sides (see README).
CIPHER = ("-c", "aes128-gcm@openssh.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Both ends of the way, on tmpfs."""

    rig: cluster.Cluster
    #: Ours, and the host's.
    here: Path
    there: Path

    def opened(self) -> SshTransport:
        """Return our transport to the host."""
        host = self.rig.rig.hosts["login1"]
        address = Address(host=host.host, port=host.port, user=host.user, use_config=False)
        sign_in = SignIn(private_key=self.rig.rig.key.read_text())
        keys = KnownKeys(known_hosts=str(self.rig.rig.known_hosts))
        return SshTransport(lambda: connect(address, sign_in, keys), name="login1")

    def ours(self, work: Callable[[SshTransport, LocalTransport], Coroutine[Any, Any, None]]) -> float:
        """Return the seconds of *work* on a fresh connection, the sign-in included as in the tools."""

        async def session() -> None:
            there = self.opened()
            try:
                await work(there, LocalTransport())
            finally:
                await there.close()

        return harness.seconds(lambda: asyncio.run(session()))

    def tool(self, *command: str) -> float:
        """Return the seconds of a command."""
        return harness.seconds(
            lambda: subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        )

    def clean(self, *paths: Path) -> None:
        """Remove what the last round left."""
        for path in paths:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def main() -> None:
    plan = harness.plan(__doc__ or "")
    with cluster.cluster() as rig:
        if rig is None:
            return
        with harness.folder() as here:
            ends = Ends(rig=rig, here=here, there=rig.folder("transfer"))
            rows = [
                *_big(ends, plan.size(GIB, GIB >> 6), plan.pairs),
                *_many(ends, plan.size(5000, 200), plan.pairs),
            ]
        harness.table(rows)


# --- one large file ---------------------------------------------------------------------------
def _big(ends: Ends, size: int, pairs: int) -> list[harness.Row]:
    source, target = ends.here / "big", ends.there / "big"
    with source.open("wb") as file:
        for _ in range(size >> 20):
            file.write(os.urandom(1 << 20))
    config, ssh = str(ends.rig.rig.ssh_config), " ".join(ends.rig.ssh_command(*CIPHER)[:-1])
    back = ends.here / "back"

    async def put(there: SshTransport, local: LocalTransport) -> None:
        await there.write(str(target), local.read(str(source)))

    async def get(there: SshTransport, local: LocalTransport) -> None:
        await local.write(str(back), there.read(str(target)))

    def checked(work: Callable[[], float], made: Path) -> Callable[[], float]:
        def measured() -> float:
            ends.clean(made)
            taken = work()
            if made.stat().st_size != size:
                raise RuntimeError(f"{made} has {made.stat().st_size} bytes of {size}")
            return taken

        return measured

    up = {
        "ours": lambda: ends.ours(put),
        "scp": lambda: ends.tool("scp", "-q", "-F", config, *CIPHER, str(source), f"login1:{target}"),
        "sftp": lambda: _sftp(ends, f"put {source} {target}"),
        "rsync -W": lambda: ends.tool("rsync", "-W", "-e", ssh, str(source), f"login1:{target}"),
    }
    down = {
        "ours": lambda: ends.ours(get),
        "scp": lambda: ends.tool("scp", "-q", "-F", config, *CIPHER, f"login1:{target}", str(back)),
        "sftp": lambda: _sftp(ends, f"get {target} {back}"),
        "rsync -W": lambda: ends.tool("rsync", "-W", "-e", ssh, f"login1:{target}", str(back)),
    }
    said = f"{size >> 20} MiB file"
    rows = _compared(f"{said} to the host", pairs, {k: checked(w, target) for k, w in up.items()})
    return rows + _compared(f"{said} from the host", pairs, {k: checked(w, back) for k, w in down.items()})


def _sftp(ends: Ends, batch: str) -> float:
    command = ["sftp", "-q", "-b", "-", "-F", str(ends.rig.rig.ssh_config), *CIPHER, "login1"]
    return harness.seconds(
        lambda: subprocess.run(command, input=batch.encode(), check=True, capture_output=True)
    )


# --- many small files -------------------------------------------------------------------------
def _many(ends: Ends, count: int, pairs: int) -> list[harness.Row]:
    source, target, back = ends.here / "many", ends.there / "many", ends.here / "many-back"
    source.mkdir()
    for number in range(count):
        (source / f"{number:05d}").write_bytes(os.urandom(SMALL))
    tar = " ".join(ends.rig.ssh_command(*CIPHER))
    ssh = " ".join(ends.rig.ssh_command(*CIPHER)[:-1])

    async def put(there: SshTransport, local: LocalTransport) -> None:
        await there.unpack(str(target), _stream(local.pack(str(source))))

    async def get(there: SshTransport, local: LocalTransport) -> None:
        await local.unpack(str(back), _stream(there.pack(str(target))))

    def checked(work: Callable[[], float], made: Path) -> Callable[[], float]:
        def measured() -> float:
            ends.clean(made)
            taken = work()
            if len(list(made.iterdir())) != count:
                raise RuntimeError(f"{made} has not {count} files")
            return taken

        return measured

    up = {
        "ours": lambda: ends.ours(put),
        "tar | ssh": lambda: ends.tool(
            "sh", "-c", f"tar -C {source} -cf - . | {tar} 'mkdir {target} && tar -C {target} -xf -'"
        ),
        "rsync -r": lambda: ends.tool("rsync", "-r", "-e", ssh, f"{source}/", f"login1:{target}/"),
    }
    down = {
        "ours": lambda: ends.ours(get),
        "ssh | tar": lambda: ends.tool(
            "sh", "-c", f"mkdir {back} && {tar} 'tar -C {target} -cf - .' | tar -C {back} -xf -"
        ),
        "rsync -r": lambda: ends.tool("rsync", "-r", "-e", ssh, f"login1:{target}/", f"{back}/"),
    }
    said = f"{count:,} files of 4 KiB"
    rows = _compared(f"{said} to the host", pairs, {k: checked(w, target) for k, w in up.items()})
    return rows + _compared(f"{said} from the host", pairs, {k: checked(w, back) for k, w in down.items()})


async def _stream(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk


def _compared(what: str, pairs: int, ways: dict[str, Callable[[], float]]) -> list[harness.Row]:
    """Measure all ways in turns; one row for each peer."""
    names = [name for name in ways if name == "ours" or shutil.which(name.split()[0])]
    values = dict(zip(names, harness.interleaved(pairs, *(ways[name] for name in names)), strict=True))
    ours = values.pop("ours")
    return [
        harness.Row(what=what, ours=ours, against=name, theirs=theirs, goal="1.11 of the best")
        for name, theirs in values.items()
    ]


if __name__ == "__main__":
    main()
