"""How the outputs of many jobs get from one host to one archive system, with few round trips."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ..model import files, marks
from ..model.errors import InvalidInputError, TapisJobsError
from ..model.job import ArchiveFilter, Job, JobDefinition
from ..model.paths import join, within
from ..model.patterns import selects
from ..transports.base import Entry, Found, Transport
from .inputs import SMALL
from .launch_copies import copy_launch_files
from .output_names import Names, output_names
from .progress import Progress
from .sources import host_source
from .transfer import Transfer, are_apart, side_by_side

#: Bytes of a launch file that is archived; its environment is as long as a request may be.
LAUNCH_FILE = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One job's outputs, and where they go; all paths are absolute."""

    uuid: str
    exec_dir: str
    output_dir: str
    root: str
    archive_dir: str
    archive_root: str
    filter: ArchiveFilter

    @classmethod
    def of(cls, job: Job, definition: JobDefinition, root_there: str, archive_root: str) -> Move:
        """Return the move that a job's definition asks for; it is not to lead out of *archive_root*."""
        return cls(
            uuid=job.uuid,
            exec_dir=join(definition.root_dir, definition.exec_system_exec_dir),
            output_dir=join(definition.root_dir, definition.exec_system_output_dir),
            root=definition.root_dir,
            archive_dir=join(root_there, definition.archive_system_dir),
            archive_root=archive_root,
            filter=definition.archive_filter,
        )

    @property
    def takes_all(self) -> bool:
        """True when the whole output directory is archived."""
        return not self.filter.includes and not self.filter.excludes

    @property
    def marks(self) -> str | None:
        """The engine's own folder, from the output directory, when it lies among the outputs."""
        if not within(self.output_dir, self.exec_dir):
            return None
        return f"{self.exec_dir}/{marks.FOLDER}"[len(self.output_dir) :].lstrip("/")

    @property
    def launch_files(self) -> list[tuple[str, str]]:
        """The launch files, and where they go."""
        names = files.LAUNCH_FILES if self.filter.include_launch_files else ()
        return [(f"{self.exec_dir}/{name}", f"{self.archive_dir}/{name}") for name in names]


def lies_apart(definition: JobDefinition) -> bool:
    """Tell whether a job's archive lies on another system than the one it ran on."""
    return definition.archive_system_id != definition.exec_system_id


@dataclass(slots=True)
class Moves:
    """The moves from one host to one other, or the same; trouble of a job is kept apart from the others."""

    host: Transport
    target: Transport
    transfer: Transfer
    progress: Progress
    faults: dict[str, TapisJobsError | OSError] = field(default_factory=dict)

    async def carry_out(self, moves: Sequence[Move]) -> Mapping[str, TapisJobsError | OSError]:
        """Move everything; return what went wrong, by uuid. Raises ``TransportError``."""
        stays_here = self.target is self.host
        moving = [move for move in moves if not stays_here or move.archive_dir != move.output_dir]
        if moving:
            moving = await self._refuse_outside(moving)
            await (self._copy(moving) if stays_here else self._send(moving))
        launched = self._going(moves)
        if stays_here:
            await self._copy_launch_files([m for m in launched if m.archive_dir != m.exec_dir])
        else:
            await self._send_launch_files(launched)
        return self.faults

    async def _refuse_outside(self, moves: Sequence[Move]) -> list[Move]:
        """Return moves between places that lie below their rootDirs once links are resolved."""
        seen = await self.host.look(_unique(p for m in moves for p in (m.root, m.output_dir)))
        seen_there = await self.target.look(
            _unique(p for m in moves for p in (m.archive_root, m.archive_dir))
        )
        for move in moves:
            if not _is_inside(seen, move.root, move.output_dir):
                self.faults[move.uuid] = _outside("output directory", move.output_dir, move.root)
            elif not _is_inside(seen_there, move.archive_root, move.archive_dir):
                self.faults[move.uuid] = _outside("archiveSystemDir", move.archive_dir, move.archive_root)
            elif seen[move.output_dir].info is None:
                self.faults[move.uuid] = FileNotFoundError(
                    errno.ENOENT, os.strerror(errno.ENOENT), move.output_dir
                )
        return [
            replace(
                move,
                output_dir=seen[move.output_dir].real_path,
                archive_dir=seen_there[move.archive_dir].real_path,
            )
            for move in self._going(moves)
        ]

    def _going(self, moves: Iterable[Move]) -> list[Move]:
        return [move for move in moves if move.uuid not in self.faults]

    # -- on the same host

    async def _copy(self, moves: Sequence[Move]) -> None:
        """Copy whole directories, and file by file what a filter selects."""
        whole = [move for move in moves if move.takes_all and not move.marks]
        await self._copy_pairs([(move, (move.output_dir, move.archive_dir)) for move in whole])
        chosen = await self._names([move for move in moves if not move.takes_all or move.marks])
        empty = {
            Entry(path=f"{m.archive_dir}/{n}", mode=0o770): m for m, names in chosen for n in names.empty
        }
        for path, fault in (await self.target.put(empty) if empty else {}).items():
            self._blame((m for entry, m in empty.items() if entry.path == path), fault)
        await self._copy_pairs(
            [
                (move, (f"{move.output_dir}/{name}", f"{move.archive_dir}/{name}"))
                for move, names in chosen
                for name in (*names.files, *names.large)
            ]
        )

    async def _copy_launch_files(self, moves: Sequence[Move]) -> None:
        wanted = [move for move in moves if move.launch_files]
        if not await copy_launch_files(self.host, {move.exec_dir: move.archive_dir for move in wanted}):
            await self._copy_pairs([(move, pair) for move in wanted for pair in move.launch_files])

    async def _copy_pairs(self, copies: Sequence[tuple[Move, tuple[str, str]]]) -> None:
        if not copies:
            return
        failed = await self.host.copy_all([pair for _, pair in copies])
        for move, (_, target) in copies:
            if (fault := failed.get(target)) is not None:
                self._blame([move], fault)

    # -- to another host

    async def _send(self, moves: Sequence[Move]) -> None:
        """Send what is small in one stream, what is large file by file."""
        chosen = await self._names(moves)
        apart = are_apart(m.output_dir for m in moves) and are_apart(m.archive_dir for m in moves)
        if len(chosen) < 2 or not apart or not await self._send_together(chosen):
            await side_by_side([partial(self._send_alone, move, names) for move, names in chosen])
        await self._send_large(chosen)

    async def _send_together(self, chosen: Sequence[tuple[Move, Names]]) -> bool:
        """Send the outputs of many jobs in one stream; False when one of them may have to be told apart."""
        places = {move.output_dir: move.archive_dir for move, _ in chosen}
        packed = [path for move, names in chosen for path in _packed_paths(move, names)]
        try:
            if packed:
                part = self.progress.part([move.uuid for move, _ in chosen])
                await self.transfer.trees(self.host, self.target, places, part, names=packed)
        except OSError:
            return False
        return True

    async def _send_alone(self, move: Move, names: Names) -> None:
        packed = self.host.pack(move.output_dir, _packed(move, names))
        try:
            part = self.progress.part([move.uuid])
            await self.target.unpack(move.archive_dir, part.counted(packed))
        except (TapisJobsError, OSError) as fault:
            self._blame([move], fault)

    async def _send_large(self, chosen: Sequence[tuple[Move, Names]]) -> None:
        going = [
            (move, name) for move, names in chosen for name in names.large if move.uuid not in self.faults
        ]
        going = await self._refuse_links(going)
        if not going:
            return
        seen = await self.host.look([f"{move.output_dir}/{name}" for move, name in going])
        await side_by_side([partial(self._send_file, move, name, seen) for move, name in going])

    async def _refuse_links(self, going: Sequence[tuple[Move, str]]) -> list[tuple[Move, str]]:
        """Return the files whose way below the archive leads nowhere else; jobs may leave links there."""
        folders = _unique(posixpath.dirname(f"{move.archive_dir}/{name}") for move, name in going)
        seen = await self.target.look(folders) if folders else {}
        for move, name in going:
            folder = posixpath.dirname(f"{move.archive_dir}/{name}")
            if not within(move.archive_dir, seen[folder].real_path):
                self._blame([move], _outside("archiveSystemDir", folder, move.archive_root))
        return [(move, name) for move, name in going if move.uuid not in self.faults]

    async def _send_file(self, move: Move, name: str, seen: Mapping[str, Found]) -> None:
        info = seen[path := f"{move.output_dir}/{name}"].info
        if info is None:
            return
        source = host_source(path, ("", move.uuid), self.host, info)
        try:
            part = self.progress.part([move.uuid])
            await self.transfer.bring(source, self.target, f"{move.archive_dir}/{name}", part)
        except (TapisJobsError, OSError) as fault:
            self._blame([move], fault)

    async def _send_launch_files(self, moves: Sequence[Move]) -> None:
        pairs = {source: (move, place) for move in moves for source, place in move.launch_files}
        if not pairs:
            return
        found = await self.host.get(list(pairs), limit=LAUNCH_FILE)
        entries = [Entry(path=pairs[source][1], content=content.data) for source, content in found.items()]
        owners = {place: move for move, place in pairs.values()}
        for path, fault in (await self.target.put(entries)).items():
            self._blame([owners[path]], fault)

    # -- what both need

    async def _names(self, moves: Sequence[Move]) -> list[tuple[Move, Names]]:
        """Return what is archived of each job, by one listing."""
        roots = _unique(move.output_dir for move in moves)
        listed: dict[str, Names | OSError] = {}
        for some in [roots] if are_apart(roots) else [[root] for root in roots]:
            listed |= await output_names(self.host, some, SMALL)
        chosen = []
        for move in moves:
            names = listed[move.output_dir]
            if isinstance(names, OSError):
                self._blame([move], names)
            else:
                chosen.append((move, _selected(move, names)))
        return chosen

    def _blame(self, moves: Iterable[Move], fault: TapisJobsError | OSError) -> None:
        for move in moves:
            self.faults.setdefault(move.uuid, fault)


def _selected(move: Move, names: Names) -> Names:
    """Return the outputs that a job's filter selects; the engine's marks are none."""
    outputs = names.without(move.marks) if move.marks else names
    if move.takes_all:
        return outputs
    wanted: Callable[[str], bool] = partial(selects, move.filter)
    return outputs.chosen(wanted)


def _packed(move: Move, names: Names) -> list[str] | None:
    """Return the names that travel in an archive; None when that is the whole directory."""
    if move.takes_all and not move.marks and not names.large:
        return None
    return [*names.empty, *names.files]


def _packed_paths(move: Move, names: Names) -> list[str]:
    packed = _packed(move, names)
    return [move.output_dir] if packed is None else [f"{move.output_dir}/{name}" for name in packed]


def _is_inside(seen: Mapping[str, Found], root: str, path: str) -> bool:
    return within(seen[root].real_path, seen[path].real_path)


def _outside(what: str, path: str, root: str) -> InvalidInputError:
    return InvalidInputError(
        f"the job's {what} {path} leads outside the rootDir {root}.", field=what, value=path
    )


def _unique(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(paths))
