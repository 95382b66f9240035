"""STAGING_INPUTS: the inputs of a cohort are brought with a handful of round trips, however many they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, cast

from ..model.errors import TapisJobsError
from ..model.job import Job, JobDefinition
from ..model.status import JobStatus
from ..model.urls import data_bytes, is_data
from ..transports.base import Transport
from .background import Background
from .delivery import Delivery
from .faults import told_of_one, verdict_of
from .fetch import NOT_ON_THE_WEB
from .inputs import SMALL, Definitions, Errand, Plan, Wanted, make_plan, wanted_inputs
from .lane import Lane, LaneKey
from .lane_folder import LaneFolders
from .oversight import Oversight
from .ports import Ports
from .progress import Progress
from .shared_inputs import SharedInputs, with_known_content
from .sources import Source, Sources, Wish, known_source
from .transfer import Transfer, side_by_side
from .transfer_nodes import NodeLanes, carried, moved_in, parted
from .verdict import Fail, Verdict

Findings = dict[Wish, Source | TapisJobsError | OSError | None]


class InputStaging:
    """The station STAGING_INPUTS."""

    def __init__(
        self,
        ports: Ports,
        *,
        definitions: Definitions,
        sources: Sources,
        folders: LaneFolders,
        transfer: Transfer,
        shared: SharedInputs,
        oversight: Oversight,
    ) -> None:
        self._ports = ports
        self._definitions = definitions
        self._sources = sources
        self._folders = folders
        self._transfer = transfer
        self._shared = shared
        self._oversight = oversight
        self._background = Background(ports.spawn, oversight, JobStatus.STAGING_INPUTS)
        self._brought: dict[str, set[str]] = {}
        self._nodes = NodeLanes()

    async def stage(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Bring every input to its place in the job's input directory.

        Jobs whose inputs may take long stay here meanwhile, and do not hold up the others.
        """
        fresh, verdicts = self._background.sort(cohort)
        work = self._stage(lane, fresh)
        return {**verdicts, **await told_of_one(fresh, "its inputs could not be copied", work)}

    async def _stage(self, lane: Lane, fresh: Sequence[Job]) -> Mapping[str, Verdict]:
        verdicts: dict[str, Verdict] = {}
        definitions = await self._definitions(fresh) if fresh else {}
        if by_node := carried(fresh, definitions):
            verdicts |= await self._begin_carrying(lane, by_node, definitions)
            served = {job.uuid for job in by_node}
            fresh = [job for job in fresh if job.uuid not in served]
        wanted = list(wanted_inputs(fresh, definitions))
        if not wanted:
            return verdicts
        host = await self._folders.transport(lane)
        found = await self._find(lane, host, wanted)
        errands, missing = _errands(wanted, found)
        plan = make_plan(errands, host, partial(self._shared.is_familiar, lane))
        if not any(self._background.needs_care(uuid) for uuid in plan.uuids):
            plan, later = plan.parted()
            if later.uuids:
                work = partial(self._deliver, lane, host, later)
                verdicts |= self._background.begin(lane.key, later.uuids, work)
        return {**verdicts, **missing, **await self._deliver(lane, host, plan)}

    # -- by a data transfer node

    async def _begin_carrying(
        self, lane: Lane, jobs: Sequence[Job], definitions: Mapping[str, JobDefinition]
    ) -> Mapping[str, Verdict]:
        work = partial(self._carry, lane, jobs, definitions)
        if any(self._background.needs_care(job.uuid) for job in jobs):
            return await work()
        return self._background.begin(lane.key, [job.uuid for job in jobs], work)

    async def _carry(
        self, lane: Lane, jobs: Sequence[Job], definitions: Mapping[str, JobDefinition]
    ) -> Mapping[str, Verdict]:
        """Have inputs brought by nodes to the storage that they share, and moved to their places."""
        host = await self._folders.transport(lane)
        wanted = list(wanted_inputs(jobs, definitions))
        found = await self._find(lane, host, wanted)
        own, brought, places = parted(wanted, definitions)
        errands, verdicts = _errands(own, found)
        verdicts |= await self._deliver(lane, host, make_plan(errands, host, _never))
        errands, missing = _errands(brought, found)
        verdicts |= missing
        by_node: dict[LaneKey, list[Errand]] = {}
        for errand in errands:
            job = errand.wanted.job
            node = definitions[job.uuid].dtn_system_id or ""
            by_node.setdefault(await self._sources.node(job, node), []).append(errand)
        for key, group in by_node.items():
            verdicts |= await self._carry_by(key, group)
        going = [errand for errand in errands if errand.wanted.job.uuid not in verdicts]
        if going:
            verdicts |= await moved_in(host, going, places, definitions)
        return verdicts

    async def _carry_by(self, key: LaneKey, errands: Sequence[Errand]) -> Mapping[str, Verdict]:
        """Bring inputs by one node; its trouble is not that of the jobs' own host."""
        lane = self._nodes.lane(key)
        try:
            node = await self._folders.transport(lane)
            return await self._deliver(lane, node, make_plan(errands, node, _never))
        except (TapisJobsError, OSError) as fault:
            verdict = verdict_of(fault, f"the data transfer node {key[0]} could not bring the inputs")
            return dict.fromkeys((errand.wanted.job.uuid for errand in errands), verdict)

    async def _deliver(self, lane: Lane, host: Transport, plan: Plan) -> Mapping[str, Verdict]:
        uuids = plan.uuids
        delivery = Delivery(
            lane=lane,
            host=host,
            transfer=self._transfer,
            shared=self._shared,
            progress=Progress(
                self._oversight, self._ports.clock, uuids, what="copying inputs", total=plan.size or None
            ),
            brought=self._brought,
        )
        await delivery.carry_out(plan)
        for uuid in uuids:
            if uuid not in delivery.verdicts or not self._oversight.is_wanted(uuid):
                self._brought.pop(uuid, None)
        return delivery.verdicts

    async def _find(self, lane: Lane, host: Transport, wanted: Sequence[Wanted]) -> Findings:
        """Return what is where each input comes from."""
        wishes: dict[Wish, int] = {}
        found: Findings = {}
        for item in wanted:
            wish = _wish(item)
            wishes[wish] = wishes.get(wish, 0) + 1
        for wish in wishes:
            if is_data(wish[0]):
                found[wish] = known_source("data:", "data", data_bytes(wish[0]))
        found |= await self._sources.find_all([w for w in wishes if w not in found], lane.key, host)
        await side_by_side([*self._closer_looks(found, wishes, host)])
        return found

    def _closer_looks(
        self, found: Findings, wishes: Mapping[Wish, int], host: Transport
    ) -> Iterator[Callable[[], Awaitable[None]]]:
        """Yield the calls that read small files of the Web, and list trees that several jobs need."""
        for wish, source in found.items():
            if not isinstance(source, Source) or source.content is not None:
                continue
            if source.transport is None:
                yield partial(_replace, found, wish, partial(_read_if_small, source))
            elif source.is_directory and source.transport is not host and wishes[wish] > 1:
                yield partial(_replace, found, wish, partial(with_known_content, source))


def _never(errand: Errand) -> bool:
    """A node keeps nothing for the jobs after this one."""
    return False


async def _replace(found: Findings, wish: Wish, look: Callable[[], Awaitable[Source]]) -> None:
    """Replace a finding by what a closer look gives, if only a fault."""
    try:
        found[wish] = await look()
    except (TapisJobsError, OSError) as fault:
        found[wish] = None if getattr(fault, "code", "") == NOT_ON_THE_WEB else fault


async def _read_if_small(source: Source) -> Source:
    """Return a source of the Web with its bytes, unless they are many."""
    content = bytearray()
    async with aclosing(cast(Any, source.open(0))) as chunks:
        async for chunk in chunks:
            content += chunk
            if len(content) > SMALL:
                return source
    return known_source(source.url, source.name, bytes(content))


def _errands(wanted: Iterable[Wanted], found: Findings) -> tuple[list[Errand], dict[str, Verdict]]:
    """Return what is to be brought for jobs whose inputs are all there, and a verdict for the others."""
    errands: list[Errand] = []
    verdicts: dict[str, Verdict] = {}
    for item in wanted:
        finding = found[_wish(item)]
        if isinstance(finding, Source):
            errands.append(Errand(item, finding))
        elif finding is not None:
            what = f"the input {item.name} ({item.item.source_url}) cannot be read"
            _hold(verdicts, item.job.uuid, verdict_of(finding, what))
        elif not item.item.optional:
            _hold(verdicts, item.job.uuid, Fail(_missing(item)))
    return [errand for errand in errands if errand.wanted.job.uuid not in verdicts], verdicts


def _hold(verdicts: dict[str, Verdict], uuid: str, verdict: Verdict) -> None:
    if isinstance(verdict, Fail) or uuid not in verdicts:
        verdicts[uuid] = verdict


def _missing(item: Wanted) -> str:
    return (
        f"the input {item.item.source_url} ({item.name}) does not exist. Upload it, or correct its sourceUrl."
    )


def _wish(item: Wanted) -> Wish:
    """A request's own bytes are the same whoever sends them."""
    url = item.item.source_url
    return (url, "", "") if is_data(url) else (url, item.job.owner, item.context)
