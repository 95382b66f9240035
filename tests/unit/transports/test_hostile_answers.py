"""Answers that no honest host gives: a job can put commands of its own in the place of its host's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jupyter_tapis_jobs.engine.refusals import told
from jupyter_tapis_jobs.model.errors import TooLargeError, TransportError
from jupyter_tapis_jobs.transports import base, ssh, ssh_answers, ssh_command, ssh_streams
from jupyter_tapis_jobs.transports.local import LocalTransport
from jupyter_tapis_jobs.transports.ssh import SshTransport
from jupyter_tapis_jobs.transports.ssh_command import Command

MARK = b"0123456789ab"


class Pipe:
    """One end of a stream that has been said already."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    async def read(self, size: int) -> bytes:
        piece, self.data = self.data[:size], self.data[size:]
        return piece

    async def readuntil(self, separator: bytes) -> bytes:
        end = self.data.find(separator)
        if end < 0:
            raise asyncio.IncompleteReadError(self.data, None)
        return await self.read(end + len(separator))

    def write(self, data: bytes) -> None:
        """Take it."""

    def write_eof(self) -> None:
        """Take it."""

    async def drain(self) -> None:
        """Be ready for more."""


def command(said: bytes, *, begins: bytes = MARK + b" 17\n") -> Command:
    """A command whose host says *said*."""
    process = SimpleNamespace(
        stdin=Pipe(), stdout=Pipe(begins + said), stderr=Pipe(MARK + b"\n"), exit_signal=None, exit_status=0
    )

    async def wait_closed() -> None:
        """It has ended."""

    process.wait_closed = wait_closed
    made = Command(cast(Any, process), MARK, "cluster")
    made._all_complaints.set()
    return made


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``transport(said)``: a host that says *said*, whatever it is asked."""

    def saying(said: bytes) -> SshTransport:
        @asynccontextmanager
        async def started(*_: Any, **__: Any) -> AsyncIterator[Command]:
            yield command(said)

        monkeypatch.setattr(ssh, "started", started)
        return SshTransport(cast(Any, None), name="cluster")

    return saying


async def test_an_answer_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(ssh_command, "MOST_ANSWER", 1000)
    assert len((await command(b"x" * 1000).talk()).stdout) == 1000
    with pytest.raises(OSError, match="cluster says more than"):
        await command(b"x" * 1001).talk()


async def test_a_process_number_that_is_none_is_told():
    with pytest.raises(TransportError, match="nobody understands"):
        await command(b"", begins=MARK + b" seventeen\n").talk()


async def test_no_more_bytes_of_a_file_come_than_were_asked_for(transport):
    chunks = [chunk async for chunk in transport(b"x" * 5000).read("/f", length=1200)]
    assert sum(map(len, chunks)) == 1200


@pytest.mark.parametrize("said", [b"nonsense\0", b"f/many/1.0/u/g/-rw-/x\0", b"f/1/soon/u/g/-rw-/x\0"])
async def test_a_listing_that_is_none_is_told(transport, said):
    for verb in ("list", "stat"):
        with pytest.raises(TransportError, match="nobody understands"):
            await getattr(transport(said), verb)("/x")


@pytest.mark.parametrize("said", [b"soon\nAAAA /f\0\0", b"1.0\n! /f\0\0", b"\0" + b"no archive" * 100])
async def test_contents_that_are_none_are_told(transport, said):
    with pytest.raises(TransportError, match="nobody understands"):
        await transport(said).get(["/f"])


async def test_a_content_is_not_longer_than_was_asked_for():
    said = b"1.0\n" + b"QUFBQUFB" * 100 + b" /f\0\0" + bytes(1024)
    assert len(ssh_answers.contents(said, 10)["/f"].data) == 10


async def test_a_size_that_is_none_is_told(transport):
    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    with pytest.raises(TransportError, match="nobody understands"):
        await transport(b"many\n").write("/f", nothing())


async def test_failures_of_copies_nobody_asked_for_are_told(transport):
    with pytest.raises(TransportError, match="nobody understands"):
        await transport(b"/other\0cp: no\0").copy_all([("/a", "/b")])


async def test_a_watcher_that_never_ends_a_name_is_given_up(transport, monkeypatch):
    monkeypatch.setattr(ssh_streams, "MOST_NAMES", 1000)
    with pytest.raises(TransportError, match="nobody understands"):
        await anext(transport(b"x" * 2000).watch("/lane/events"))


async def test_a_directory_that_holds_too_much_for_one_answer_is_refused(transport, tmp_path, monkeypatch):
    for number in range(4):
        (tmp_path / str(number)).touch()
    rows = b"".join(b"f/1/1.0/u/g/-rw-/%d\0" % number for number in range(4))
    for host in (transport(b"d/1/1.0/u/g/-rw-/\0" + rows), LocalTransport()):
        assert len(await host.list(str(tmp_path))) == 4
    monkeypatch.setattr(base, "MOST_ENTRIES", 3)
    for host in (transport(b"d/1/1.0/u/g/-rw-/\0" + rows), LocalTransport()):
        with pytest.raises(TooLargeError, match="holds too much for one answer"), told("/x"):
            await host.list(str(tmp_path))
    assert len(await LocalTransport().list(str(tmp_path), limit=2)) == 2
