"""How the inputs of a cohort are brought: a plan, made before anything moves.

- *together*: small ones of another host, and bytes that are in the requests, travel in one archive;
- *copied*: what lies on the execution host is copied there;
- *shared*: what several jobs need is brought once into the lane's folder and copied from it;
- *alone*: a large file, a directory, a file from the Web, straight to its place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..model.job import FileInput, Job, JobDefinition
from ..model.paths import join
from ..transports.base import Transport
from .sources import Source

#: Finds what jobs were asked to do: uuid -> definition.
Definitions = Callable[[Sequence[Job]], Awaitable[Mapping[str, JobDefinition]]]

#: Bytes of a file that travels together with others; a larger one can be resumed.
SMALL = 4 * 1024 * 1024
#: Bytes that are sent again and again, in place of being shared: of one file to one job, of one to all.
#: A copy on a host costs it some milliseconds, in which a network carries about so much.
TINY, REPEATED = 64 * 1024, 4 * 1024 * 1024
#: Bytes that travel together: they are in memory meanwhile.
BATCH = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One input of one job, and the absolute path on the execution host where it goes."""

    job: Job
    item: FileInput
    target: str
    #: Whose rights count beside the owner's: those of who shared the app.
    context: str = ""

    @property
    def name(self) -> str:
        """How its owner knows it."""
        return self.item.name or self.item.target_path


@dataclass(frozen=True, slots=True)
class Errand:
    """An input and where it comes from."""

    wanted: Wanted
    source: Source


@dataclass(slots=True)
class Plan:
    """What is brought how."""

    together: list[Errand] = field(default_factory=list)
    copied: list[Errand] = field(default_factory=list)
    shared: list[list[Errand]] = field(default_factory=list)
    alone: list[Errand] = field(default_factory=list)

    @property
    def uuids(self) -> list[str]:
        """The jobs that are served."""
        groups = [self.together, self.copied, self.alone, *self.shared]
        return list(dict.fromkeys(errand.wanted.job.uuid for group in groups for errand in group))

    def parted(self) -> tuple[Plan, Plan]:
        """Return the part that is soon done, and the part of the jobs that may have to wait for long."""
        long = [*self.alone, *(errand for group in self.shared for errand in group)]
        long += [errand for errand in self.copied if errand.source.is_directory]
        if sum(errand.source.size or 0 for errand in self.copied) > BATCH:
            long += self.copied
        uuids = {errand.wanted.job.uuid for errand in long}

        def of(errands: list[Errand], is_long: bool) -> list[Errand]:
            return [errand for errand in errands if (errand.wanted.job.uuid in uuids) is is_long]

        soon = Plan(together=of(self.together, False), copied=of(self.copied, False))
        return soon, Plan(of(self.together, True), of(self.copied, True), self.shared, self.alone)

    @property
    def size(self) -> int:
        """Bytes that travel to the host, as far as known."""
        alone = [*self.together, *self.alone, *(errands[0] for errands in self.shared)]
        return sum(errand.source.size or 0 for errand in alone)


def wanted_inputs(cohort: Iterable[Job], definitions: Mapping[str, JobDefinition]) -> Iterator[Wanted]:
    """Yield the inputs that are to be brought; ``tapislocal://`` ones stay where they are."""
    for job in cohort:
        definition = definitions[job.uuid]
        for item in definition.file_inputs:
            if not item.source_url.startswith("tapislocal:"):
                target = join(definition.root_dir, definition.exec_system_input_dir, item.target_path)
                context = definition.contexts.get(item.source_url, "")
                yield Wanted(job=job, item=item, target=target, context=context)


def make_plan(errands: Iterable[Errand], host: Transport, is_familiar: Callable[[Errand], bool]) -> Plan:
    """Plan how to bring inputs to *host*; *is_familiar* tells what other jobs needed before."""
    plan = Plan()
    by_key: dict[str, list[Errand]] = {}
    for errand in errands:
        if errand.source.transport is host:
            plan.copied.append(errand)
        else:
            by_key.setdefault(errand.source.key, []).append(errand)
    for alike in by_key.values():
        source = alike[0].source
        if _is_small(source) and _may_repeat(source.size or 0, len(alike)):
            plan.together += alike
        elif len(alike) > 1 or is_familiar(alike[0]):
            plan.shared.append(alike)
        else:
            plan.alone += alike
    return plan


def batches(errands: Sequence[Errand]) -> Iterator[list[Errand]]:
    """Yield errands in groups that fit into memory: nearly always it is one."""
    batch: list[Errand] = []
    size = 0
    for errand in errands:
        size += errand.source.size or 0
        if batch and size > BATCH:
            yield batch
            batch, size = [], errand.source.size or 0
        batch.append(errand)
    if batch:
        yield batch


def _may_repeat(size: int, times: int) -> bool:
    return size <= TINY or size * (times - 1) <= REPEATED


def _is_small(source: Source) -> bool:
    return not source.is_directory and source.size is not None and source.size <= SMALL
