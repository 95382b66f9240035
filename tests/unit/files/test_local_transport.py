"""What only the transport to this machine has: pauses, permissions, cancelled scripts."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest

from jupyter_tapis_jobs.transports.base import Entry
from jupyter_tapis_jobs.transports.local import BUSY, QUIET, LocalTransport
from jupyter_tapis_jobs.transports.local_shell import login_environment


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """Be a user who may neither enter nor write *folder*."""
    if os.geteuid() == 0:
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        folder.chmod(0)
        try:
            yield
        finally:
            folder.chmod(0o700)


async def test_the_pauses_of_a_watcher_grow_when_quiet_and_shrink_when_events_come(tmp_path):
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)
        if len(pauses) in (20, 22):
            (tmp_path / f"event{len(pauses)}").touch()

    async with aclosing(LocalTransport(sleep=sleep).watch(str(tmp_path))) as batches:
        await anext(batches)
        assert pauses == sorted(pauses)
        assert pauses[0] <= BUSY * 1.25
        assert pauses[-1] == QUIET
        await anext(batches)
        assert pauses[20] == BUSY


async def test_an_event_that_cannot_be_deleted_is_reported_once(tmp_path, monkeypatch):
    (tmp_path / "stuck").touch()
    unlink = os.unlink

    def refuse(path: str) -> None:
        if path.endswith("/stuck"):
            raise PermissionError(errno.EACCES, "no", path)
        unlink(path)

    async def sleep(seconds: float) -> None:
        (tmp_path / "next").touch()

    monkeypatch.setattr(os, "unlink", refuse)
    async with aclosing(LocalTransport(sleep=sleep).watch(str(tmp_path))) as batches:
        assert [await anext(batches), await anext(batches), await anext(batches)] == [
            ["stuck"],
            ["next"],
            ["next"],
        ]


async def test_what_may_not_be_looked_at_is_not_taken_for_missing(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    (folder / "file").write_text("x")
    transport = LocalTransport()
    with without_rights(folder):
        with pytest.raises(PermissionError):
            await transport.get([f"{folder}/file"])
        with pytest.raises(PermissionError):
            await transport.stat(f"{folder}/file")
        failed = await transport.put([Entry(path=f"{folder}/new", content=b"")])
    assert [error.errno for error in failed.values()] == [errno.EACCES]


async def test_a_refused_copy_tells_why(tmp_path):
    (tmp_path / "tree/below").mkdir(parents=True)
    with pytest.raises(OSError, match="into itself"):
        await LocalTransport().copy(f"{tmp_path}/tree", f"{tmp_path}/tree/below/again")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="overwrite"):
        await LocalTransport().copy(f"{tmp_path}/tree", f"{tmp_path}/file")


async def test_a_cancelled_script_does_not_live_on(tmp_path):
    os.mkfifo(tmp_path / "started")
    os.mkfifo(tmp_path / "never")
    running = asyncio.ensure_future(
        LocalTransport().run(f"echo $$ >{tmp_path}/started; read x <{tmp_path}/never")
    )
    pid = int(await asyncio.to_thread((tmp_path / "started").read_text))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_job_is_not_given_what_signs_in_to_its_server() -> None:
    given = {
        "HOME": "/home/ada",
        "JPY_SESSION_NAME": "x",
        "JUPYTER_TOKEN": "secret",
        "JUPYTERHUB_API_TOKEN": "secret",
        "TAPIS_JOBS_SMTP_PASSWORD": "secret",
        "TAPIS_JOBS_WEBHOOK_SECRET": "secret",
        "JUPYTER_TAPIS_JOBS_TOKEN": "secret",
        "TAPIS_TOKEN": "secret",
        "TAPIS_PYTHON": "/usr/bin/python3",
    }
    assert login_environment(given) == {"HOME": "/home/ada", "TAPIS_PYTHON": "/usr/bin/python3"}


async def test_a_job_that_asks_for_a_sign_in_of_the_servers_by_name_gets_none(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    monkeypatch.setenv("SCRATCH", "/scratch")
    asked = ["JUPYTERHUB_API_TOKEN", "SCRATCH"]
    assert await LocalTransport().environment(asked) == {"SCRATCH": "/scratch"}
