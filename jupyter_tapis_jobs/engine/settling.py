"""PROCESSING_INPUTS: what only a host knows is settled for jobs that were accepted while it was away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from ..model.errors import InvalidInputError, TapisJobsError
from ..model.job import Job, JobDefinition
from ..model.macros import HostEnv, host_variables
from ..model.settling import archive_texts, host_texts, settled
from ..model.status import Condition
from ..model.system import System
from .faults import verdict_of
from .host_variables import HostVariables
from .sources import effective_user
from .verdict import Fail, Go, Verdict

#: Stores definitions that have changed, job -> definition.
Redefine = Callable[[Sequence[tuple[Job, JobDefinition]]], Awaitable[None]]


class Settling:
    """Asks hosts for the variables that jobs still need, and keeps what follows from them."""

    def __init__(
        self,
        variables: HostVariables,
        *,
        system: Callable[[str], Awaitable[System]],
        redefine: Redefine,
    ) -> None:
        self._variables = variables
        self._system = system
        self._redefine = redefine

    async def settle(
        self, jobs: Sequence[Job], definitions: Mapping[str, JobDefinition]
    ) -> tuple[Mapping[str, JobDefinition], Mapping[str, Verdict]]:
        """Return the definitions, settled where they were open, and a verdict on each job that was open.

        A job that cannot go on has a verdict other than ``Go``. Raises ``TransportError`` while the jobs'
        own host cannot be reached.
        """
        waiting = [job for job in jobs if definitions[job.uuid].open_variables]
        if not waiting:
            return definitions, {}
        known, verdicts = dict(definitions), dict[str, Verdict]()
        for job in waiting:
            definition = definitions[job.uuid]
            here = await self._asked(definition.exec_system_id, job, host_texts(definition))
            try:
                there = await self._asked(definition.archive_system_id, job, archive_texts(definition))
                description, known[job.uuid] = settled(
                    job, definition, here, there if archive_texts(definition) else None
                )
                verdicts[job.uuid] = Go("", {"description": description})
            except InvalidInputError as fault:
                verdicts[job.uuid] = Fail(fault.message, Condition.JOB_INVALID_DEFINITION)
            except TapisJobsError as trouble:
                verdicts[job.uuid] = verdict_of(trouble, "the archive's host could not be asked")
        await self._redefine(
            [(job, known[job.uuid]) for job in waiting if isinstance(verdicts[job.uuid], Go)]
        )
        return known, verdicts

    async def _asked(self, system_id: str, job: Job, texts: Sequence[str]) -> HostEnv:
        names = host_variables(texts)
        if not names:
            return {}
        system = await self._system(system_id)
        return await self._variables.of(system, effective_user(system, job.owner), names)
