"""Transfers that are asked for by themselves: accepted, carried to their end, cancelled, taken up again.

Each is a row with its elements; what an engine was at when it ended, the next one goes on with. A large
file goes on at the byte where it broke off.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from ..model.errors import (
    HostKeyError,
    HostSignInError,
    InvalidInputError,
    NotFoundError,
    StoreError,
    TapisJobsError,
)
from ..model.times import iso
from ..model.transfer import ENDED, Element, TransferStatus, TransferTask
from ..model.user import User
from ..store import lease as lease_row
from ..store import transfers as rows
from .files import FileService
from .freight import Carrier, Freight
from .oversight import Oversight
from .ports import Ports
from .progress import AbandonedError, Progress
from .sources import Fetch
from .transfer import Transfer, side_by_side

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Transfers that are carried at a time: of all users, and of one.
AT_ONCE, OF_ONE_USER = 6, 2
#: Seconds before an element is tried again; it is given up when the last pause has not helped.
PAUSES = (5.0, 20.0, 60.0, 300.0, 900.0)
#: Seconds between two tries to store how something ended.
STORE_AGAIN = 5.0
#: Elements of one transfer.
MOST_ELEMENTS = 1000
#: Characters of a tag and of what went wrong.
TAG, ERROR = 4096, 2000


class Transfers:
    """What a user asks of transfers, and the tasks that carry them.

    Calls take the caller's ``User``; another user's transfer is a ``NotFoundError``.
    """

    def __init__(
        self,
        ports: Ports,
        files: FileService,
        *,
        fetch: Fetch,
        epoch: int,
        person: Callable[[str], User],
        may_act: Callable[[], bool],
    ) -> None:
        self._ports = ports
        self._carrier = Carrier(files, Transfer(ports.clock), fetch)
        self._epoch = epoch
        self._person = person
        #: Tells whether this engine may still move bytes.
        self._may_act = may_act
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._of_user: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(OF_ONE_USER))
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._cancelled: set[str] = set()
        #: Element -> the bytes that were moved by now.
        self._moving: dict[int, Progress] = {}

    # -- asked for

    async def create(
        self, user: User, elements: Sequence[tuple[str, str, bool]], tag: str | None = None
    ) -> TransferTask:
        """Accept a transfer: (source, destination, optional) of each element. It begins at once.

        Raises ``InvalidInputError`` for what can never be brought, ``NotFoundError`` or ``NotAllowedError``
        for systems and paths that are not the user's to read or write.
        """
        if not 1 <= len(elements) <= MOST_ELEMENTS:
            raise InvalidInputError(
                f"elements holds {len(elements)}; a transfer has 1 to {MOST_ELEMENTS}.", field="elements"
            )
        for source, destination, _ in elements:
            await self._carrier.permit(user, source, destination)
        task = TransferTask(
            id=0,
            uuid=self._uuid(),
            owner=user.name,
            tag=tag,
            status=TransferStatus.ACCEPTED,
            error=None,
            created=self._now(),
            started=None,
            ended=None,
            elements=tuple(
                Element(
                    id=0, transfer_id=0, uuid=self._uuid(), source=source, destination=destination,
                    optional=optional,
                )
                for source, destination, optional in elements
            ),
        )  # fmt: skip
        stored = await self._ports.write(lambda c: rows.add(c, task), epoch=self._epoch)
        self._begin(stored)
        return stored

    async def recent(self, user: User, limit: int, offset: int) -> list[TransferTask]:
        """Return the user's transfers, newest first."""
        found = await self._ports.read(lambda c: rows.recent(c, user.name, limit, offset))
        return [self._as_it_is(task) for task in found]

    async def get(self, user: User, uuid: str) -> TransferTask:
        """Return one, with the bytes that were moved by now."""
        task = await self._ports.read(lambda c: rows.get(c, uuid))
        if task is None or task.owner != user.name:
            raise NotFoundError(
                f"There is no transfer {uuid[:80]}, or it is not yours.", code="FILES_TXFR_NOT_FOUND"
            )
        return self._as_it_is(task)

    async def cancel(self, user: User, uuid: str) -> TransferTask:
        """End a transfer; what it has brought stays. One that has ended is left as it is."""
        task = await self.get(user, uuid)
        ended = await self._ports.write(lambda c: rows.cancel(c, uuid, self._now()), epoch=self._epoch)
        if ended is None:
            return await self.get(user, task.uuid)
        if running := self._tasks.get(uuid):
            self._cancelled.add(uuid)
            running.cancel()
        return ended

    def _as_it_is(self, task: TransferTask) -> TransferTask:
        """Return a stored transfer with the bytes of the moment."""
        if not any(element.id in self._moving for element in task.elements):
            return task
        elements = [
            replace(element, bytes_moved=_of_files(moving))
            if (moving := self._moving.get(element.id))
            else element
            for element in task.elements
        ]
        return replace(task, elements=tuple(elements))

    # -- carried

    async def start(self) -> None:
        """Take up what another engine, or an earlier run of this one, was at."""
        for task in await self._ports.read(rows.unfinished):
            self._begin(task)

    def _begin(self, task: TransferTask) -> None:
        self._tasks[task.uuid] = self._ports.spawn(self._carry(task), f"transfer {task.uuid}")

    async def _carry(self, task: TransferTask) -> None:
        """Carry one transfer to its end, when its turn comes."""
        loaded: dict[int, Freight] = {}
        try:
            async with self._of_user[task.owner], self._at_once:
                await self._change(task, status=TransferStatus.STAGED, started=task.started or self._now())
                await self._end(task, await self._bring_all(task, loaded))
        except lease_row.LeaseLostError:
            log.info("transfer %s is another engine's now", task.uuid)
        except asyncio.CancelledError:
            if task.uuid in self._cancelled:
                for element in task.elements:
                    await self._tidy(element, loaded)
            raise
        finally:
            self._tasks.pop(task.uuid, None)
            self._cancelled.discard(task.uuid)

    async def _bring_all(self, task: TransferTask, loaded: dict[int, Freight]) -> list[Element]:
        """Bring the elements that are left, a few at a time; after a failure no new one is begun."""
        done = {element.id: element for element in task.elements}
        user = self._person(task.owner)

        async def bring(element: Element) -> None:
            if any(other.status is TransferStatus.FAILED for other in done.values()):
                words = "Not begun, for another element failed."
                done[element.id] = await self._element(element, TransferStatus.CANCELLED, error=words)
            else:
                done[element.id] = await self._bring(user, task, element, loaded)

        await side_by_side([partial(bring, e) for e in task.elements if e.status not in ENDED])
        return list(done.values())

    async def _bring(
        self, user: User, task: TransferTask, element: Element, loaded: dict[int, Freight]
    ) -> Element:
        """Bring one element, again and again while its hosts are in trouble that passes."""
        while True:
            try:
                return await self._bring_once(user, task, element, loaded)
            except lease_row.LeaseLostError:
                raise
            except AbandonedError:
                # This engine may not act now; if another one has taken over, the next write says so.
                await self._ports.clock.sleep(PAUSES[0])
                continue
            except (TapisJobsError, OSError) as fault:
                said = fault.message if isinstance(fault, TapisJobsError) else str(fault)
                if not _passes(fault) or element.retries >= len(PAUSES):
                    return await self._failed(element, loaded, said)
            except Exception:
                log.exception("transfer %s failed by a fault of ours", task.uuid)
                said = "It failed by a fault of this server, whose log says more."
                return await self._failed(element, loaded, said)
            element = await self._wait(element, said)

    async def _bring_once(
        self, user: User, task: TransferTask, element: Element, loaded: dict[int, Freight]
    ) -> Element:
        freight = loaded[element.id] = await self._carrier.load(user, element)
        await self._element(
            element,
            TransferStatus.STAGED,
            started=element.started or self._now(),
            total_bytes=freight.size,
            is_directory=int(freight.tree is not None),
        )
        moved = await self._move(task, element, freight)
        # What travelled for a tree is more than its files hold.
        size = moved if freight.size is None else freight.size
        return await self._element(
            element, TransferStatus.COMPLETED, error=freight.remark, bytes_moved=size, total_bytes=size
        )

    async def _wait(self, element: Element, said: str) -> Element:
        """Tell why an element waits, and wait until it is tried again."""
        pause = PAUSES[element.retries]
        retries, words = element.retries + 1, f"{said} Tried again in {pause:.0f} s."
        await self._element(element, TransferStatus.ACCEPTED, retries=retries, error=words[:ERROR])
        await self._ports.clock.sleep(pause)
        return replace(element, retries=retries)

    async def _move(self, task: TransferTask, element: Element, freight: Freight) -> int:
        """Move one element's bytes; return how many."""
        note = partial(self._note, element)
        oversight = Oversight(note=note, is_wanted=lambda _: self._may_act())
        progress = Progress(oversight, self._ports.clock, [element.uuid], what="", total=freight.size)
        await self._element(element, TransferStatus.IN_PROGRESS)
        await self._change(task, status=TransferStatus.IN_PROGRESS)
        self._moving[element.id] = progress
        try:
            await self._carrier.move(freight, lambda: progress.part([element.uuid]), element.uuid)
        finally:
            del self._moving[element.id]
        return progress.done

    async def _failed(self, element: Element, loaded: dict[int, Freight], said: str) -> Element:
        await self._tidy(element, loaded)
        status = TransferStatus.FAILED_OPT if element.optional else TransferStatus.FAILED
        return await self._element(element, status, error=said[:ERROR])

    async def _tidy(self, element: Element, loaded: dict[int, Freight]) -> None:
        if freight := loaded.get(element.id):
            await self._carrier.tidy(freight, element.uuid)

    async def _end(self, task: TransferTask, elements: Sequence[Element]) -> None:
        """Store how a transfer ended: it failed with the first of its elements that may not."""
        failed = next((e for e in elements if e.status is TransferStatus.FAILED), None)
        status = TransferStatus.FAILED if failed else TransferStatus.COMPLETED
        await self._change(task, status=status, error=failed.error if failed else None, ended=self._now())

    # -- stored

    def _note(self, element: Element, uuids: Sequence[str], text: str) -> None:
        """Store how many bytes were moved; a note that is lost harms nothing."""
        progress = self._moving.get(element.id)
        if progress is None:
            return
        done = _of_files(progress)

        async def store() -> None:
            with suppress(StoreError, lease_row.LeaseLostError):
                await self._ports.write(
                    lambda c: rows.change_element(c, element.id, bytes_moved=done), epoch=self._epoch
                )

        self._ports.spawn(store(), "note of a transfer's progress")

    async def _element(self, element: Element, status: TransferStatus, **columns: Any) -> Element:
        """Store where an element stands; return it so."""
        if status in ENDED:
            columns["ended"] = self._now()
        await self._surely(lambda c: rows.change_element(c, element.id, status=status, **columns))
        return replace(element, status=status, error=columns.get("error"))

    async def _change(self, task: TransferTask, **columns: Any) -> None:
        await self._surely(lambda c: rows.change(c, task.uuid, **columns))

    async def _surely(self, work: Callable[[Connection], Any]) -> None:
        """Write, and again while the store is in trouble: what was done must not be forgotten."""
        while True:
            try:
                await self._ports.write(work, epoch=self._epoch)
            except StoreError as trouble:
                log.warning("a transfer's state cannot be stored now: %s", trouble.message)
                await self._ports.clock.sleep(STORE_AGAIN)
            else:
                return

    def _now(self) -> str:
        return iso(self._ports.clock.now())

    def _uuid(self) -> str:
        return str(UUID(int=self._ports.random.getrandbits(128), version=4))


def _of_files(progress: Progress) -> int:
    """Return how many bytes of files were moved; the stream of a tree has more."""
    return progress.done if progress.total is None else min(progress.done, progress.total)


def _passes(fault: Exception) -> bool:
    """Tell whether trying again can help; a host that asks something of its user waits for no clock."""
    asks = isinstance(fault, HostSignInError | HostKeyError)
    return isinstance(fault, TapisJobsError) and fault.transient and not asks
