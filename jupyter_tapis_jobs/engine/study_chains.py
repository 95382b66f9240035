"""Chains: one job with the outputs of all cases of a study, submitted once when none of them is in flight.

A scheduler's own dependency (``sbatch --dependency``) cannot do it: the engine stages the job's inputs, and
there is nothing to stage before the cases have ended and their outputs are archived; that they have, and
that no other job stands for the request, is what the store knows in the transaction that inserts the job.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection

from ..model.errors import ConflictError, NotFoundError, StoreError, TapisJobsError
from ..model.job import Job
from ..model.study import Study, cohort_of, studies_of
from ..model.study_chain import TABLE, Chain, checked_outputs, job_name
from ..model.times import iso
from ..model.user import User
from ..store import studies as study_rows
from ..store import study_chains as rows
from ..store.lease import LeaseLostError
from .chain_inputs import Cases, read_cases
from .given_outputs import EMPTY, table_address
from .ports import Ports
from .submission import Accepted, Submission

log = logging.getLogger(__name__)

#: Stores jobs, and what the third argument stores together with them.
Store = Callable[
    [User, Sequence[Accepted], Callable[[Connection, Sequence[Job]], None]], Awaitable[Sequence[Any]]
]
#: Seconds until a request is tried again that trouble of store or host kept from being submitted.
RETRY = 30.0
#: When a request is tried again that was refused.
_AGAIN = "It is tried again when the study is run again, or when the same is asked for once more."


class StudyChains:
    """Keeps chained requests and submits them. Lives on the engine's loop only.

    *lock* is held by whoever changes the study of a number; *person* finds the user of a name.
    """

    def __init__(
        self,
        ports: Ports,
        *,
        epoch: int,
        submission: Submission,
        store: Store,
        active: Callable[[], Mapping[str, Job]],
        lock: Callable[[int], asyncio.Lock],
        person: Callable[[str], User],
    ) -> None:
        self._ports = ports
        self._epoch = epoch
        self._submission = submission
        self._store = store
        self._active = active
        self._lock = lock
        self._person = person
        #: Studies with a request that waits for their cases.
        self._waiting: set[int] = set()

    async def start(self) -> None:
        """Take up the requests that wait: their cases may have ended while no engine was there."""
        self._waiting |= await self._ports.read(rows.waiting_studies)
        for number in sorted(self._waiting):
            self._ports.spawn(self._look(number), "chained request")

    def hear(self, jobs: Iterable[Job]) -> None:
        """Look at the requests of studies whose last case has ended."""
        if not self._waiting:
            return
        ended = studies_of(job.cohort_id for job in jobs if job.status.is_terminal)
        for number in self._waiting.intersection(ended.values()):
            if not self._has_cases_in_flight(number):
                self._ports.spawn(self._look(number), "chained request")

    # -- for who holds the study

    async def add(self, study: Study, raw: Mapping[str, Any], outputs: Sequence[str]) -> Chain:
        """Keep a request, and submit it at once when no case is in flight.

        The same request that waits, or that is a job of the cases as they are now, is joined. Raises what is
        wrong with the request.
        """
        paths, raw = checked_outputs(outputs), {"name": job_name(study.name), **raw}
        request = json.dumps(raw)
        same = await self._same(study, request, paths)
        if same is not None and same.is_submitted:
            return same
        if same is None:
            await self._check(study, raw)
            made = Chain(study_id=study.id, created=self._now(), request=request, outputs=paths)
            same = await self._ports.write(lambda c: rows.add(c, made), epoch=self._epoch)
        await self.try_again(study)
        return await self._found(study, same.id)

    async def told(self, study: Study) -> list[Chain]:
        """Return the requests of a study, oldest first."""
        return await self._ports.read(lambda c: rows.of_study(c, study.id))

    async def remove(self, study: Study, chain_id: int) -> Chain:
        """Take a request back; ``ConflictError`` for one that is a job already."""
        chain = await self._found(study, chain_id)
        if not await self._ports.write(lambda c: rows.remove(c, chain_id), epoch=self._epoch):
            raise ConflictError(
                f"The chained request {chain_id} of study {study.name} is job {chain.job_uuid} already. "
                "Cancel that job."
            )
        return chain

    async def try_again(self, study: Study) -> None:
        """Let all requests wait for the cases, refused ones as well, and submit them if these have ended."""
        chains = await self.told(study)
        if all(chain.is_submitted for chain in chains):
            return
        await self._ports.write(lambda c: rows.release(c, study.id), epoch=self._epoch)
        await self._go_on(study)

    async def hold(self, study: Study, why: str) -> None:
        """Keep the requests that wait from being submitted until the study is run again."""
        if study.id in self._waiting:
            await self._ports.write(lambda c: rows.hold(c, study.id, f"{why} {_AGAIN}"), epoch=self._epoch)
            self._waiting.discard(study.id)

    # -- parts

    async def _same(self, study: Study, request: str, outputs: Sequence[str]) -> Chain | None:
        """Return the newest request that is the same and still good for the cases as they stand."""
        chains = [c for c in await self.told(study) if (c.request, c.outputs) == (request, outputs)]
        if not chains or not chains[-1].is_submitted:
            return chains[-1] if chains else None
        cases = await self._cases(study)
        same = chains[-1].cases == cases.digest and not chains[-1].is_done_with
        return chains[-1] if same else None

    async def _check(self, study: Study, raw: Mapping[str, Any]) -> None:
        """Raise what is wrong with a request, as far as it can be told before the cases have ended."""
        (result,) = await self._submission.resolve_all(
            self._person(study.owner), [_with_inputs(raw, EMPTY, [])]
        )
        if isinstance(result, TapisJobsError):
            raise result

    async def _look(self, number: int) -> None:
        with suppress(LeaseLostError):
            async with self._lock(number):
                found = await self._ports.read(lambda c: study_rows.by_ids(c, [number]))
                if number in found:
                    await self._go_on(found[number])
                else:
                    self._waiting.discard(number)

    async def _look_later(self, number: int) -> None:
        await self._ports.clock.sleep(RETRY)
        await self._look(number)

    async def _go_on(self, study: Study) -> None:
        """Submit what waits, if the cases have ended; after trouble that passes, later."""
        self._waiting.add(study.id)
        if self._has_cases_in_flight(study.id):
            return
        try:
            if waiting := [chain for chain in await self.told(study) if chain.is_waiting]:
                cases = await self._cases(study)
                if cases.in_flight or not cases.total:
                    return
                for chain in waiting:
                    await self._submit(study, chain, cases)
            self._waiting.discard(study.id)
        except LeaseLostError:
            raise
        except TapisJobsError as trouble:
            log.warning("%s Study %s waits for it with its chained request.", trouble.message, study.name)
            self._ports.spawn(self._look_later(study.id), "chained request, after trouble")

    async def _submit(self, study: Study, chain: Chain, cases: Cases) -> None:
        """Submit one request in its owner's rights, or keep why that cannot be; raise trouble that passes."""
        owner = self._person(study.owner)
        try:
            if not cases.places:
                raise ConflictError(f"no case of study {study.name} has outputs: none is FINISHED.")
            table = await table_address(self._ports, owner, TABLE, cases.table)
            raw = _with_inputs(json.loads(chain.request), table, [*cases.inputs(chain.outputs)])
            (result,) = await self._submission.resolve_all(owner, [raw])
            if isinstance(result, TapisJobsError):
                raise result
            await self._store(
                owner, [result], lambda c, jobs: rows.submit(c, chain.id, jobs[0].uuid, cases.digest)
            )
        except TapisJobsError as fault:
            if fault.transient or isinstance(fault, StoreError):
                raise
            why = f"{fault.message} {_AGAIN}"
            await self._ports.write(lambda c: rows.refuse(c, chain.id, why), epoch=self._epoch)

    async def _cases(self, study: Study) -> Cases:
        return await self._ports.read(lambda c: read_cases(c, study))

    async def _found(self, study: Study, chain_id: int) -> Chain:
        chain = await self._ports.read(lambda c: rows.find(c, study.id, chain_id))
        if chain is None:
            raise NotFoundError(f"study {study.name} has no chained request {chain_id}.")
        return chain

    def _has_cases_in_flight(self, number: int) -> bool:
        cohort = cohort_of(number)
        return any(job.cohort_id == cohort for job in self._active().values())

    def _now(self) -> str:
        return iso(self._ports.clock.now())


def _with_inputs(
    raw: Mapping[str, Any], table: str, outputs: Sequence[Mapping[str, str]]
) -> Mapping[str, Any]:
    """Return a request with the table and outputs of the cases behind its own inputs; its own table stays."""
    own = raw.get("fileInputs") or []
    if not isinstance(own, list):
        # What is wrong with it is told as for any request.
        return raw
    has_table = any(isinstance(item, Mapping) and item.get("targetPath") == TABLE for item in own)
    brought = [] if has_table else [{"sourceUrl": table, "targetPath": TABLE}]
    return {**raw, "fileInputs": [*own, *brought, *outputs]}
