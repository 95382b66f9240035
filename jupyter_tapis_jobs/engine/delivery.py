"""Carries out the plan for the inputs of one cohort; what fails, fails or holds its own job only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..model.errors import TapisJobsError
from ..transports.base import Entry, Transport
from .faults import verdict_of
from .inputs import SMALL, Errand, Plan, batches
from .lane import Lane
from .progress import Progress
from .shared_inputs import SharedInputs
from .sources import Source
from .transfer import Transfer, are_apart, side_by_side
from .verdict import Block, Fail, Verdict

#: So many directories of one host travel in one stream.
MANY_TREES = 4


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One cohort's inputs on their way to its host."""

    lane: Lane
    host: Transport
    transfer: Transfer
    shared: SharedInputs
    progress: Progress
    #: uuid -> targets that large inputs have reached in an earlier try.
    brought: dict[str, set[str]]
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    async def carry_out(self, plan: Plan) -> None:
        """Bring everything: trees before files, so that a file may go into a tree; small ones last."""
        copies = [(errand, errand.source.path or "") for errand in plan.copied]
        copies += await self._share(plan.shared)
        alone = [e for e in plan.alone if e.wanted.target not in self.brought.get(e.wanted.job.uuid, ())]
        await self._bring_trees([e for e in alone if e.source.is_directory])
        await self._copy(copies)
        await self._bring_each([e for e in alone if not e.source.is_directory])
        for batch in batches(self._going(plan.together)):
            await self._put(batch)

    # -- what several jobs need

    async def _share(self, groups: Sequence[Sequence[Errand]]) -> list[tuple[Errand, str]]:
        """Bring each source once; return what is to be copied from where."""
        if not groups:
            return []
        sources = {group[0].source.key: group[0].source for group in groups}
        missing = await self.shared.missing(self.lane, self.host, list(sources.values()))
        copies: list[tuple[Errand, str]] = []
        await side_by_side(
            [partial(self._share_one, group, group[0].source.key in missing, copies) for group in groups]
        )
        return copies

    async def _share_one(
        self, group: Sequence[Errand], is_missing: bool, copies: list[tuple[Errand, str]]
    ) -> None:
        source, first = group[0].source, group[0].wanted.target
        try:
            if is_missing:
                part = self.progress.part([errand.wanted.job.uuid for errand in group])
                await self.shared.bring(self.lane, self.host, source, part)
            copies += [(errand, self.shared.place(self.lane, source)) for errand in group]
        except TapisJobsError as fault:
            self.blame(group, fault)
        except OSError:
            # There may be room in the jobs' folders and none in the lane's: the first job serves the rest.
            if await self._bring_one(group[0]):
                copies += [(errand, first) for errand in group[1:]]
            else:
                self.verdicts |= {e.wanted.job.uuid: self.verdicts[group[0].wanted.job.uuid] for e in group}

    # -- what one job needs

    async def _bring_trees(self, errands: Sequence[Errand]) -> None:
        by_origin: dict[int, list[Errand]] = {}
        for errand in errands:
            by_origin.setdefault(id(errand.source.transport), []).append(errand)
        for group in by_origin.values():
            if len(group) < MANY_TREES or not await self._bring_together(group):
                await self._bring_each(group)

    async def _bring_together(self, errands: Sequence[Errand]) -> bool:
        """Bring many trees in one stream; False when they have to go one by one to tell which is at fault."""
        origin = errands[0].source.transport
        places = {errand.source.path or "": errand.wanted.target for errand in errands}
        if origin is None or not (are_apart(places) and are_apart(e.wanted.target for e in errands)):
            return False
        try:
            part = self.progress.part([errand.wanted.job.uuid for errand in errands])
            await self.transfer.trees(origin, self.host, places, part)
        except OSError:
            return False
        except TapisJobsError as fault:
            self.blame(errands, fault)
        else:
            self._note_brought(errands)
        return True

    async def _bring_each(self, errands: Sequence[Errand]) -> None:
        await side_by_side([partial(self._call, self._bring_one, errand) for errand in self._going(errands)])

    async def _call(self, bring: Callable[[Errand], Awaitable[bool]], errand: Errand) -> None:
        await bring(errand)

    async def _bring_one(self, errand: Errand) -> bool:
        try:
            uuid, target = errand.wanted.job.uuid, errand.wanted.target
            part = self.progress.part([uuid])
            await self.transfer.bring(errand.source, self.host, target, part, resume=uuid)
        except (TapisJobsError, OSError) as fault:
            self.blame([errand], fault)
            return False
        self._note_brought([errand])
        return True

    def _note_brought(self, errands: Iterable[Errand]) -> None:
        for errand in errands:
            self.brought.setdefault(errand.wanted.job.uuid, set()).add(errand.wanted.target)

    # -- what is on the host already

    async def _copy(self, copies: Sequence[tuple[Errand, str]]) -> None:
        going = [(e, place) for e, place in copies if e.wanted.job.uuid not in self.verdicts]
        going.sort(key=lambda copy: not copy[0].source.is_directory)
        if not going:
            return
        failed = await self.host.copy_all([(place, errand.wanted.target) for errand, place in going])
        for errand, place in going:
            if (fault := failed.get(errand.wanted.target)) is None:
                continue
            if isinstance(fault, FileNotFoundError) and place != errand.source.path:
                self.hold(errand, Block("a shared input was removed from the host; it comes anew.", 1.0))
            else:
                self.blame([errand], fault)

    # -- what is small

    async def _put(self, batch: Sequence[Errand]) -> None:
        """Send small inputs in one archive; those of other hosts are read first, together."""
        contents = await self._contents(batch)
        entries: list[Entry] = []
        owners: dict[str, list[Errand]] = {}
        for errand in self._going(batch):
            if (content := contents.get(errand.source.key)) is not None:
                target = errand.wanted.target
                entries.append(Entry(path=target, content=content, mode=errand.source.mode))
                owners.setdefault(target, []).append(errand)
        for path, fault in (await self.host.put(entries)).items():
            self.blame(owners.get(path, ()), fault)
        self.progress.add(sum(len(errand.source.content or b"") for errand in batch))

    async def _contents(self, batch: Sequence[Errand]) -> Mapping[str, bytes]:
        """Return key -> bytes of what a batch brings."""
        contents = {e.source.key: e.source.content for e in batch if e.source.content is not None}
        by_origin: dict[int, list[Errand]] = {}
        for errand in batch:
            if errand.source.content is None:
                by_origin.setdefault(id(errand.source.transport), []).append(errand)
        for group in by_origin.values():
            contents |= await self._read(group)
        return contents

    async def _read(self, errands: Sequence[Errand]) -> dict[str, bytes]:
        """Read small files of one other host together; one by one when it refuses one of them."""
        sources = {errand.source.path or "": errand.source for errand in errands}
        origin = errands[0].source.transport
        assert origin is not None  # noqa: S101 - what has no content lies on a host
        try:
            read = await origin.get(list(sources), limit=SMALL + 1)
        except TapisJobsError as fault:
            self.blame(errands, fault)
            return {}
        except OSError as fault:
            if len(sources) == 1:
                self.blame(errands, fault)
                return {}
            by_path: dict[str, list[Errand]] = {}
            for errand in errands:
                by_path.setdefault(errand.source.path or "", []).append(errand)
            alone = [await self._read(group) for group in by_path.values()]
            return {key: content for one in alone for key, content in one.items()}
        found = {source.key: read[path].data for path, source in sources.items() if path in read}
        self._refuse_grown_or_gone(errands, found)
        self.progress.add(sum(map(len, found.values())))
        return found

    def _refuse_grown_or_gone(self, errands: Iterable[Errand], found: Mapping[str, bytes]) -> None:
        for errand in errands:
            content = found.get(errand.source.key)
            if content is None or len(content) > SMALL:
                reason = f"the input {errand.source.url} changed while it was copied; it is copied again."
                self.hold(errand, Block(reason, 1.0))

    # -- verdicts

    def _going(self, errands: Iterable[Errand]) -> list[Errand]:
        """Return those whose job is still to be served."""
        return [errand for errand in errands if errand.wanted.job.uuid not in self.verdicts]

    def blame(self, errands: Iterable[Errand], fault: TapisJobsError | OSError) -> None:
        """Note what a fault means for the jobs of *errands*."""
        for errand in errands:
            what = f"the input {errand.wanted.name} ({_shown(errand.source)}) could not be copied"
            self.hold(errand, verdict_of(fault, what))

    def hold(self, errand: Errand, verdict: Verdict) -> None:
        """Keep a job from going on; what ends it counts more than what only delays it."""
        uuid = errand.wanted.job.uuid
        if isinstance(verdict, Fail) or uuid not in self.verdicts:
            self.verdicts[uuid] = verdict


def _shown(source: Source) -> str:
    return "part of the request" if source.content is not None else source.url
