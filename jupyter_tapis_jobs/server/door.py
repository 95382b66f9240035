"""The way from Jupyter's loop to the engine: waits until it is ready, and says why when it is not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from ..model.errors import TapisJobsError, UnavailableError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..engine.desks import Desks
    from ..engine.engine import Engine
    from ..engine.files import FileService
    from ..engine.thread import EngineThread, Holder

log = logging.getLogger(__name__)
T = TypeVar("T")
P = ParamSpec("P")


class Door:
    """Opens in the background, so that Jupyter answers at once; calls wait for it.

    When the engine cannot start, every call raises ``UnavailableError`` with the sentence that says why.
    """

    def __init__(self, make: Callable[[], EngineThread]) -> None:
        self._make = make
        self._opening: asyncio.Task[EngineThread] | None = None

    def open(self) -> None:
        """Begin to start the engine; returns at once."""
        self._opening = asyncio.create_task(self._open(), name="tapisjobs: start the engine")
        self._opening.add_done_callback(_log_trouble)

    async def _open(self) -> EngineThread:
        thread = await asyncio.to_thread(self._make)
        await asyncio.to_thread(thread.start)
        return thread

    async def thread(self) -> EngineThread:
        """Return the running engine's thread, once it runs."""
        if self._opening is None:
            raise UnavailableError("The job engine of this server has not been started, or was stopped.")
        try:
            return await asyncio.shield(self._opening)
        except TapisJobsError as fault:
            raise UnavailableError(fault.message, code=fault.code) from fault
        except Exception as fault:
            raise UnavailableError("The job engine could not start; the server's log says why.") from fault

    def refuse_if_broken(self) -> None:
        """Raise ``UnavailableError`` with the reason when the engine could not start."""
        if self.state == "failed":
            raise UnavailableError(
                self.trouble or "The job engine could not start; the server's log says why."
            )

    @property
    def state(self) -> str:
        """starting, running, failed or stopped."""
        if self._opening is None or self._opening.cancelled():
            return "stopped"
        if not self._opening.done():
            return "starting"
        return "failed" if self._opening.exception() else "running"

    @property
    def trouble(self) -> str | None:
        """Why the engine could not start, if so."""
        if self.state != "failed" or self._opening is None:
            return None
        fault = self._opening.exception()
        return fault.message if isinstance(fault, TapisJobsError) else repr(fault)

    @property
    def is_running(self) -> bool:
        """True while the engine of this very server carries the jobs."""
        running = self._opening is not None and self._opening.done() and not self._opening.cancelled()
        if not running or self._opening is None or self._opening.exception():
            return False
        return self._opening.result().holder is None

    async def holder(self) -> Holder | None:
        """Return the other server that carries the jobs, or None when it is this one."""
        thread = await self.thread()
        await thread.settled()
        return thread.holder

    async def call(
        self,
        method: Callable[Concatenate[Engine, P], Coroutine[Any, Any, T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Await a method of the engine on its own loop: ``call(Engine.submit, user, raws)``."""
        return await (await self.thread()).call(method, *args, **kwargs)

    async def ask(self, work: Callable[[Engine], Coroutine[Any, Any, T]]) -> T:
        """Await a call of one of the engine's parts on its loop: ``ask(lambda e: e.linux.stat(…))``."""
        return await (await self.thread()).run(work)

    async def files(self, work: Callable[[FileService], Coroutine[Any, Any, T]]) -> T:
        """Await a call of the file service on the engine's loop: ``files(lambda f: f.stat(…))``."""
        return await (await self.thread()).run(lambda engine: work(engine.files))

    async def desks(self, work: Callable[[Desks], Coroutine[Any, Any, T]]) -> T:
        """Await a call about hosts or credentials on the engine's loop: ``lambda d: d.hosts.add(…)``."""
        return await (await self.thread()).run(lambda engine: work(engine.desks))

    async def look_up(self, reading: Callable[[EngineThread], T]) -> T:
        """Run a catalog's reading method away from every loop: ``look_up(lambda t: t.apps.get(…))``."""
        thread = await self.thread()
        return await thread.look_up(lambda: reading(thread))

    async def change(self, writing: Callable[[EngineThread], T]) -> T:
        """Run a catalog's writing method on the store's one writer thread."""
        thread = await self.thread()
        return await thread.change(lambda: writing(thread))

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Read the store."""
        return await (await self.thread()).read(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Write to the store what is not the engine's: tokens."""
        return await (await self.thread()).write(work)

    async def bridged(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Return an iterator of this loop over one that lives on the engine's."""
        return (await self.thread()).bridged(chunks)

    async def stream(self, make: Callable[[Engine], AsyncIterator[bytes]]) -> AsyncIterator[bytes]:
        """Return an iterator of this loop over ``make(engine)``."""
        return (await self.thread()).stream(make)

    async def close(self) -> None:
        """Stop the engine, also when it is still starting."""
        opening, self._opening = self._opening, None
        if opening is None:
            return
        try:
            thread = await opening
        except Exception:  # noqa: BLE001 - told when it happened
            return
        await asyncio.to_thread(thread.stop)


def _log_trouble(opening: asyncio.Task[EngineThread]) -> None:
    if opening.cancelled() or (fault := opening.exception()) is None:
        return
    if isinstance(fault, TapisJobsError):
        log.error("Tapis jobs are off: %s", fault.message)
    else:
        log.error("Tapis jobs are off: the engine could not start.", exc_info=fault)
