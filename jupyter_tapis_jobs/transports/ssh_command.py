"""One script that runs on a host: what goes in, what comes out, and how it ended.

The login shell may be any (csh too) and may talk before it is our turn. So it is asked for one thing
only, that every shell reads alike: to become ``/bin/sh``, which takes the script from its standard
input. A random mark, printed first on both outputs, tells where the script's own words begin.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncssh

from ..model.errors import TransportError
from .ssh_link import Connection, Link, Process

#: Bytes per step of a stream: a few milliseconds of encryption.
PIECE = 256 << 10
#: The most that is kept of what a script says on standard error.
MOST_COMPLAINTS = 16 << 20
#: The most that a script may say on standard output, where all of it is wanted at once.
MOST_ANSWER = 256 << 20
#: Seconds that killing on the host may take.
_KILL_TIMEOUT = 10.0
_BROKEN = (asyncssh.Error, asyncio.IncompleteReadError, OSError)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a script ended; ``exit_code`` is 128 + n after signal n."""

    exit_code: int
    stdout: bytes
    stderr: str


def whole(script: str, mark: str) -> bytes:
    """Return what the host's shell reads: *mark* for both outputs, then *script*.

    It is one compound command: of a script that was cut off by a lost connection, nothing runs.
    """
    return os.fsencode(f"printf '%s %s\\n' {mark} $$; echo {mark} >&2; cd /\n{{ :\n{script}\n}}")


def command_line(text: bytes) -> str:
    """Return the command that reads *text* from its input and runs it; what follows there is for *text*."""
    return f"""exec /bin/sh -c 'eval "$(head -c {len(text)})"'"""


@asynccontextmanager
async def started(link: Link, script: str, name: str, *, kill: bool = True) -> AsyncGenerator[Command, None]:
    """Start *script* on the host that sentences call *name*.

    What has not ended after the block is killed, or (not *kill*) sees the end of its input.
    """
    mark = secrets.token_hex(12)
    text = whole(script, mark)
    process, connection = await link.process(command_line(text))
    command = Command(process, mark.encode(), name)
    complaints = asyncio.create_task(command.listen())
    try:
        await command.send(text)
        yield command
    finally:
        complaints.cancel()
        if command.has_ended or not kill or connection.is_closed():
            process.close()
        else:
            link.later(_kill(process, connection, command))


async def _kill(process: Process, connection: Connection, command: Command) -> None:
    """Kill the process group that the script's shell is in, as soon as it is known.

    It is done on the same connection, for a name may stand for several hosts.
    """
    with contextlib.suppress(asyncssh.Error, OSError, TransportError):
        async with asyncio.timeout(_KILL_TIMEOUT):
            try:
                await command.begin()
            finally:
                process.close()
            pid = command.pid
            script = f"g={pid}; read -r a b c d g rest </proc/{pid}/stat; kill -9 -$g"
            await connection.run(f"exec /bin/sh -c '{script}'", encoding=None)


class Command:
    """A running script."""

    def __init__(self, process: Process, mark: bytes, name: str) -> None:
        self._process = process
        self._mark = mark
        self._name = name
        self._noise = b""
        self._complaints = bytearray()
        self._all_complaints = asyncio.Event()
        self.has_ended = False
        #: The shell's process on the host, once it has said so.
        self.pid: int | None = None

    # In ----------------------------------------------------------------------------------------

    async def send(self, data: bytes) -> bool:
        """Send *data*; False when the script takes no more."""
        view = memoryview(data)
        try:
            for start in range(0, len(view), PIECE):
                self._process.stdin.write(bytes(view[start : start + PIECE]))
                await self._process.stdin.drain()
        except _BROKEN:
            return False
        return True

    def end_input(self) -> None:
        """Tell the script that nothing more comes."""
        with contextlib.suppress(*_BROKEN):
            self._process.stdin.write_eof()

    async def _feed(self, chunks: AsyncIterator[bytes]) -> None:
        try:
            async for chunk in chunks:
                if not await self.send(chunk):
                    return
        finally:
            self.end_input()

    # Out ---------------------------------------------------------------------------------------

    async def listen(self) -> None:
        """Take in what the script says on standard error."""
        try:
            with contextlib.suppress(*_BROKEN):
                while piece := await self._process.stderr.read(PIECE):
                    if len(self._complaints) < MOST_COMPLAINTS:
                        self._complaints += piece
        finally:
            self._all_complaints.set()

    async def begin(self) -> None:
        """Wait until the script runs: what came before is the login shell's own."""
        if self.pid is not None:
            return
        try:
            self._noise = await self._process.stdout.readuntil(self._mark + b" ")
            self.pid = int(await self._process.stdout.readuntil(b"\n"))
        except asyncio.IncompleteReadError as error:
            raise await self._never_began(error.partial) from None
        except ValueError as error:
            raise TransportError(f"{self._name} answered what nobody understands.") from error
        except _BROKEN as error:
            raise self._lost() from error

    async def output(self, size: int = PIECE) -> bytes:
        """Return what comes next on standard output, at most *size* bytes; empty at its end."""
        await self.begin()
        try:
            return await self._process.stdout.read(size)
        except _BROKEN as error:
            raise self._lost() from error

    async def end(self) -> Ended:
        """Wait until the script has ended; its output must have been read."""
        try:
            await self._process.wait_closed()
            await self._all_complaints.wait()
        except _BROKEN as error:
            raise self._lost() from error
        self.has_ended = True
        code = self._code()
        if code is None:
            raise self._lost()
        _, _, own = bytes(self._complaints).partition(self._mark + b"\n")
        return Ended(code, b"", os.fsdecode(own))

    async def talk(self, chunks: AsyncIterator[bytes] | None = None) -> Ended:
        """Send *chunks*, end the input, read everything and return it; what *chunks* raise is raised."""
        feeding = None if chunks is None else asyncio.create_task(self._feed(chunks))
        if feeding is None:
            self.end_input()
        try:
            found = bytearray()
            while piece := await self.output():
                found += piece
                if len(found) > MOST_ANSWER:
                    raise self._endless()
            ended = await self.end()
        finally:
            if feeding is not None:
                await _settled(feeding)
        if feeding is not None and not feeding.cancelled() and (error := feeding.exception()):
            raise error
        return Ended(ended.exit_code, bytes(found), ended.stderr)

    def _code(self) -> int | None:
        if self._process.exit_signal is not None:
            name = self._process.exit_signal[0]
            return 128 + getattr(signal, f"SIG{name}", signal.SIGKILL)
        return self._process.exit_status

    # Trouble -----------------------------------------------------------------------------------

    def _lost(self) -> TransportError:
        return TransportError(
            f"The connection to {self._name} was lost before its answer came; it will be tried again."
        )

    def _endless(self) -> OSError:
        size = MOST_ANSWER >> 20
        return OSError(
            errno.E2BIG, f"{self._name} says more than {size} MiB at once; ask for a part, or for less"
        )

    async def _never_began(self, noise: bytes) -> TransportError:
        with contextlib.suppress(*_BROKEN):
            await self._process.wait_closed()
            await self._all_complaints.wait()
        if self._code() is None:
            return self._lost()
        self.has_ended = True
        said = (os.fsdecode(noise + bytes(self._complaints)).strip() or "nothing").splitlines()[-1][:300]
        return TransportError(
            f"{self._name} runs no commands for this user; its login shell said: {said.rstrip('.')}. "
            "Sign in by hand and see what its start files (.bashrc, .cshrc) do."
        )


async def _settled(task: asyncio.Task[None]) -> None:
    """End a feeder: it may still wait for chunks that nobody takes any more."""
    task.cancel()
    await asyncio.wait([task])
