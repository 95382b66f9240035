"""Functions of packages, called in worker processes beside the server: ``client.process_worker`` as a child.

A worker takes tasks as lines of JSON on its input and answers on its output; what functions print comes by a
pipe of its own, whose last lines are kept. The sign-in goes with each task, never as argument or variable.
When the input is closed - also because this server was killed - the worker ends itself and its children.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from importlib.metadata import entry_points

from ..model.processing import GROUP, MOST_BYTES, MOST_TOLD, Outcome, Processing
from ..transports.local_shell import login_environment

#: A user, and for how many seconds -> the address of this server's API, and a token for it.
SignIn = Callable[[str, float], Awaitable[tuple[str, str]]]
#: The module that a worker runs; it belongs to the kernel's side, for it works with the client.
WORKER = "jupyter_tapis_jobs.client.process_worker"
#: Seconds in which a worker has to start, and for which a token is good beyond the function's time.
START, SPARE = 120.0, 60.0
#: Bytes of an answer: JSON inside JSON may take several times its own.
_ANSWER = 8 * MOST_BYTES
#: Bytes and lines of what was printed that are told of a failure.
_KEPT, _LINES = 8192, 20


class FunctionWorkers:
    """The functions of the packages that are installed beside this server.

    With *for_others* they process also the jobs of others than the server's own user.
    """

    def __init__(self, sign_in: SignIn, *, for_others: bool = False) -> None:
        self._sign_in = sign_in
        self.for_others = for_others

    def offered(self) -> Collection[str]:
        """Return the names of the functions, as they are installed now; nothing is imported."""
        return frozenset(point.name for point in entry_points(group=GROUP))

    @asynccontextmanager
    async def shift(self) -> AsyncIterator[WorkerShift]:
        """Return a worker, which is started when it is first needed."""
        shift = WorkerShift(self._sign_in)
        try:
            yield shift
        finally:
            await shift.end()


class WorkerShift:
    """One worker after another: one that has overrun its time, or died, is followed by a new one."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._worker: _Worker | None = None

    async def run(self, item: Processing) -> Outcome:
        """Call the function with a job; see ``Shift.run``."""
        seconds = 60 * item.wish.max_minutes
        try:
            url, token = await self._sign_in(item.owner, seconds + SPARE)
            if self._worker is None:
                self._worker = await _Worker.start()
            task = {"name": item.wish.name, "job": item.job_uuid, "url": url, "token": token}
            return await self._asked(self._worker, item, task, seconds)
        except (OSError, ValueError, TimeoutError) as fault:
            await self.end()
            return Outcome(problem=f"The worker of {item.wish.name} could not be used: {_words(fault)}.")

    async def end(self) -> None:
        """End the worker, with everything that its functions have started."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.end()

    async def _asked(
        self, worker: _Worker, item: Processing, task: dict[str, str], seconds: float
    ) -> Outcome:
        try:
            async with asyncio.timeout(seconds):
                answer = await worker.ask(task)
        except TimeoutError:
            words = f"{item.wish.name} had not ended after {item.wish.max_minutes:g} min, and was ended."
            outcome = Outcome(problem=worker.with_output(words))
            await self.end()
            return outcome
        if answer is None:
            await self.end()
            words = f"The worker of {item.wish.name} ended without an answer ({worker.last_words})."
            return Outcome(problem=worker.with_output(words))
        problem = answer.get("problem")
        return Outcome(result=answer.get("result"), problem=worker.with_output(problem) if problem else None)


class _Worker:
    """A running worker process, the leader of a session of its own."""

    def __init__(self, process: asyncio.subprocess.Process, output: int, folder: str) -> None:
        self._process = process
        self._folder = folder
        self._output = output
        self._printed = b""
        asyncio.get_running_loop().add_reader(output, self._drain)

    @classmethod
    async def start(cls) -> _Worker:
        """Start a worker and wait until it can be asked."""
        output, theirs = os.pipe()
        os.set_blocking(output, False)
        folder = tempfile.mkdtemp(prefix="tapisjobs-process-")
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                WORKER,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=theirs,
                cwd=folder,
                env=login_environment(os.environ),
                start_new_session=True,
                limit=_ANSWER,
            )
        finally:
            os.close(theirs)
        worker = cls(process, output, folder)
        try:
            async with asyncio.timeout(START):
                ready = await worker.answer()
        except BaseException:
            await worker.end()
            raise
        if ready is None:
            await worker.end()
            raise OSError(worker.with_output(f"it did not start ({worker.last_words})"))
        return worker

    async def ask(self, task: dict[str, str]) -> dict[str, str] | None:
        """Return the answer to a task, None where the worker has ended instead."""
        self._drain()
        self._printed = b""
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(task).encode() + b"\n")
            with contextlib.suppress(ConnectionError):
                await self._process.stdin.drain()
        return await self.answer()

    async def answer(self) -> dict[str, str] | None:
        """Return the next line of the worker; None at its end."""
        line = await self._process.stdout.readline() if self._process.stdout else b""
        found: dict[str, str] | None = json.loads(line) if line.endswith(b"\n") else None
        return found

    async def end(self) -> None:
        """Kill the worker and its children, and remove its folder."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._drain()
        asyncio.get_running_loop().remove_reader(self._output)
        os.close(self._output)
        await asyncio.to_thread(_remove, self._folder)

    @property
    def last_words(self) -> str:
        """How the process has ended."""
        code = self._process.returncode
        return "it was killed" if code is None or code < 0 else f"exit code {code}"

    def with_output(self, words: str) -> str:
        """Return *words* with the last lines that were printed since the last task came."""
        if self._process.returncode is None:
            self._drain()
        text = self._printed.decode("utf-8", "replace")
        lines = [line for line in text.splitlines() if line.strip()][-_LINES:]
        told = f"{words[: MOST_TOLD - _KEPT]}\n\nIt had printed:\n" + "\n".join(lines) if lines else words
        return told[:MOST_TOLD]

    def _drain(self) -> None:
        """Take what has been printed up to this moment."""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._output, 65536):
                self._printed = (self._printed + piece)[-_KEPT:]
            # All who could write have ended.
            asyncio.get_running_loop().remove_reader(self._output)


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _words(fault: Exception) -> str:
    return str(fault) or type(fault).__name__
