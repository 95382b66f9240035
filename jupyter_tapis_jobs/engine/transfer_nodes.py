"""What data transfer nodes do for jobs: the bytes go through them, the execution host does the rest."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..model.errors import TapisJobsError
from ..model.job import ArchiveFilter, Job, JobDefinition
from ..model.paths import within
from ..model.transfer_nodes import inputs_arrive
from ..transports.base import Transport
from .archive_moves import Move, Moves
from .faults import DISK_FULL_RETRY
from .inputs import Errand, Wanted
from .lane import Lane, LaneKey
from .ports import Ports
from .progress import Progress
from .transfer import Transfer
from .verdict import Block, Fail, Verdict

#: A tree is moved where nothing is in its place, else laid over what is there.
_MOVE = """\
move() {
  mkdir -p -- "${2%/*}" || return 1
  if [ -d "$1" ] && [ -d "$2" ]; then cp -a -- "$1/." "$2/" && rm -rf -- "$1"
  elif [ -d "$2" ]; then echo "a directory is in its place" >&2; return 1
  else mv -f -- "$1" "$2"; fi
}
"""
_ONE = """\
if [ -e {source} ]; then
  why=$(move {source} {target} 2>&1) || printf '%s %s\\n' {number} "$(printf '%s' "$why" | tr '\\n' ' ')"
else echo {number}; fi
"""
#: Files that a node brings may be many and large.
PATIENCE = 6 * 3600.0


class NodeLanes:
    """The lanes of transfer nodes: no job runs in them."""

    def __init__(self) -> None:
        self._lanes: dict[LaneKey, Lane] = {}

    def lane(self, key: LaneKey) -> Lane:
        """Return the lane of a node and its user."""
        return self._lanes.setdefault(key, Lane(key=key))


def parted(
    wanted: Iterable[Wanted], definitions: Mapping[str, JobDefinition]
) -> tuple[list[Wanted], list[Wanted], dict[str, str]]:
    """Return the inputs that the execution host gets itself, those that a node brings it, and their places.

    What lies there already, and what is part of the request, needs no node. Of the others the target is
    where they arrive; the places are by that.
    """
    own: list[Wanted] = []
    brought: list[Wanted] = []
    places: dict[str, str] = {}
    for item in wanted:
        definition = definitions[item.job.uuid]
        arrival = inputs_arrive(item.job, definition)
        near = ("data:", f"tapis://{definition.exec_system_id}/")
        if arrival is None or item.item.source_url.startswith(near):
            own.append(item)
        else:
            target = f"{arrival}/{item.item.target_path}"
            places[target] = item.target
            brought.append(replace(item, target=target))
    return own, brought, places


async def moved_in(
    host: Transport,
    errands: Sequence[Errand],
    targets: Mapping[str, str],
    definitions: Mapping[str, JobDefinition],
) -> dict[str, Verdict]:
    """Move what a node has brought to its place, by one call; *targets*: where it arrived -> its place."""
    moves = [e for e in _highest(errands) if targets[e.wanted.target] != e.wanted.target]
    if not moves:
        return {}
    script = [_MOVE]
    for number, errand in enumerate(moves):
        source = errand.wanted.target
        quoted = {"source": shlex.quote(source), "target": shlex.quote(targets[source])}
        script.append(_ONE.format(number=number, **quoted))
    places = {inputs_arrive(e.wanted.job, definitions[e.wanted.job.uuid]) or "" for e in moves}
    script += [f"find {shlex.quote(place)} -depth -type d -empty -delete 2> /dev/null\n" for place in places]
    answer = await host.run("".join(script), timeout=PATIENCE)
    verdicts: dict[str, Verdict] = {}
    for line in answer.stdout.splitlines():
        place, _, why = line.partition(" ")
        if place.isdigit() and int(place) < len(moves):
            wanted = moves[int(place)].wanted
            verdicts[wanted.job.uuid] = _refused(wanted, definitions[wanted.job.uuid], why)
    return verdicts


def _highest(errands: Sequence[Errand]) -> Iterator[Errand]:
    """Yield what has to be moved: what lies in a tree that is moved goes with it."""
    by_job: dict[str, list[Errand]] = {}
    for errand in errands:
        by_job.setdefault(errand.wanted.job.uuid, []).append(errand)
    for group in by_job.values():
        done: list[str] = []
        for errand in sorted(group, key=lambda e: e.wanted.target.count("/")):
            target = errand.wanted.target
            if not any(within(above, target) for above in done):
                done.append(target)
                yield errand


def _refused(wanted: Wanted, definition: JobDefinition, why: str) -> Verdict:
    node, here = definition.dtn_system_id, definition.exec_system_id
    if not why:
        return Fail(
            f"the input {wanted.name}, which {node} brought, is not on {here}: they do not share the storage "
            f"of {wanted.target}. Correct dtnSystemInputDir, or set it to '!tapis_not_set'."
        )
    sentence = f"the input {wanted.name}, which {node} brought, could not be moved to its place: {why}"
    if "No space left" in why or "quota exceeded" in why.lower():
        return Block(f"{sentence}; it goes on when there is room.", DISK_FULL_RETRY)
    return Fail(f"{sentence}.")


def carried(jobs: Iterable[Job], definitions: Mapping[str, JobDefinition]) -> list[Job]:
    """Return the jobs with inputs that a node brings."""
    return [
        job
        for job in jobs
        if definitions[job.uuid].file_inputs and inputs_arrive(job, definitions[job.uuid]) is not None
    ]


@dataclass(slots=True)
class Carrier:
    """Has nodes carry outputs to archives on other systems.

    They are copied to where a node takes them, not moved: what breaks off is done again from the job's own.
    """

    ports: Ports
    transfer: Transfer

    async def carry_out(
        self,
        host: Transport,
        moves: Mapping[LaneKey, Sequence[tuple[LaneKey, str, Move]]],
        progress: Callable[[Sequence[str]], Progress],
    ) -> Mapping[str, TapisJobsError | OSError]:
        """Carry outputs, target -> (node, where it takes them, what); return what went wrong, by uuid."""
        every = [item for items in moves.values() for item in items if item[1] != item[2].output_dir]
        here = [replace(move, archive_dir=place, archive_root=move.root) for _, place, move in every]
        count = progress([move.uuid for move in here])
        faults = dict(await Moves(host, host, self.transfer, count).carry_out(here))
        for where, items in moves.items():
            for node in dict.fromkeys(node for node, *_ in items):
                going = [_from(place, move) for by, place, move in items if by == node]
                going = [move for move in going if move.uuid not in faults]
                faults |= await self._carry(node, where, going, progress)
        done = [place for _, place, move in every if move.uuid not in faults]
        if done:
            await host.run(f"rm -rf -- {' '.join(map(shlex.quote, done))}\n", timeout=PATIENCE)
        return faults

    async def _carry(
        self,
        node: LaneKey,
        where: LaneKey,
        moves: Sequence[Move],
        progress: Callable[[Sequence[str]], Progress],
    ) -> Mapping[str, TapisJobsError | OSError]:
        if not moves:
            return {}
        try:
            origin = await self.ports.hosts.transport(*node)
            target = await self.ports.hosts.transport(*where)
            count = progress([move.uuid for move in moves])
            return await Moves(origin, target, self.transfer, count).carry_out(moves)
        except TapisJobsError as trouble:
            return dict.fromkeys((move.uuid for move in moves), trouble)


def _from(place: str, move: Move) -> Move:
    """Return the second half of a move: all that is at *place*, launch files among it.

    What leaves from the output directory itself has no first half.
    """
    if place == move.output_dir:
        return move
    return replace(move, output_dir=place, filter=ArchiveFilter(include_launch_files=False))
