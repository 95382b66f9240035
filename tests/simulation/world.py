"""A made-up machine: files, processes and a FORK-like scheduler, with links that break and engines that die.

The machine goes on whatever happens to the engine. It counts how often each job's application was
started, which is what all this is about.
"""

from __future__ import annotations

import asyncio
import errno
import json
import posixpath
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from jupyter_tapis_jobs.model import marks
from jupyter_tapis_jobs.model.errors import TransportError
from jupyter_tapis_jobs.model.times import iso
from jupyter_tapis_jobs.schedulers.base import Launch, Report, Sighting, Submission
from jupyter_tapis_jobs.transports.base import Answer, Content, Entry, FileInfo

EPOCH = 1_700_000_000.0


@dataclass
class World:
    """The machine. ``trouble`` is the chance that a call's link breaks, before or after its effect."""

    random: Random
    trouble: float = 0.0
    vanishing: float = 0.0
    #: No call gets through.
    is_down: bool = False
    #: Nothing can be written.
    is_full: bool = False
    #: Seconds that every application takes; by chance when None.
    duration: float | None = None
    #: The most applications that ever ran at the same time.
    peak: int = 0
    files: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    folders: set[str] = field(default_factory=lambda: {"/"})
    starts: Counter[str] = field(default_factory=Counter)
    vanished: set[str] = field(default_factory=set)
    running: dict[str, asyncio.Event] = field(default_factory=dict)
    runners: set[str] = field(default_factory=set)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def now(self) -> float:
        return EPOCH + asyncio.get_running_loop().time()

    def write(self, path: str, data: bytes) -> None:
        self.files[path] = (data, self.now())

    def mkdir(self, path: str) -> None:
        while path not in self.folders:
            self.folders.add(path)
            path = posixpath.dirname(path)

    # -- processes

    def submit(self, order: Mapping[str, Any]) -> str:
        seen = self.files.get(f"{order['lane']}/epoch", (b"", 0.0))[0].strip()
        if seen != str(order["epoch"]).encode():
            return "overtaken"
        self.runners.add(order["id"])
        task = asyncio.get_running_loop().create_task(self._run(order))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return "accepted"

    async def _run(self, order: Mapping[str, Any]) -> None:
        places = asyncio.Semaphore(order["parallel"] or 1_000_000)

        async def one(uuid: str, folder: str) -> None:
            async with places:
                await asyncio.sleep(self.random.uniform(0, 0.5))
                if order["id"] in self.runners:
                    await self._job(uuid, folder, order["lane"])

        await asyncio.gather(*(one(*pair) for pair in order["jobs"]))
        self.runners.discard(order["id"])

    async def _job(self, uuid: str, folder: str, lane: str) -> None:
        """The launch script: claim, start, application, end."""
        if f"{folder}/{marks.CLAIM}" in self.files:
            return
        self.write(f"{folder}/{marks.CLAIM}", f"{uuid} 17 host boot stat\n".encode())
        self.write(f"{lane}/events/{uuid}.start", b"")
        self.starts[uuid] += 1
        ended = self.running[uuid] = asyncio.Event()
        self.peak = max(self.peak, len(self.running))
        code = self.random.choice((0, 0, 0, 3)) if self.duration is None else 0
        try:
            await asyncio.wait_for(ended.wait(), self.duration or self.random.uniform(0.1, 90.0))
            code = 143
        except TimeoutError:
            pass
        del self.running[uuid]
        if self.random.random() < self.vanishing:
            self.vanished.add(uuid)
            return
        self.write(f"{folder}/{marks.EXIT}", f"{code}\n".encode())
        self.write(f"{lane}/events/{uuid}.end", b"")

    def kill_runners(self) -> None:
        """What has begun goes on; what has not will never begin."""
        self.runners.clear()

    def look(self, order: Mapping[str, Any]) -> str:
        return "\n".join(
            f"{uuid} {self._sighting(uuid, folder, submission)}" for uuid, folder, submission in order["jobs"]
        )

    def _sighting(self, uuid: str, folder: str, submission: str) -> str:
        if f"{folder}/{marks.EXIT}" in self.files:
            return "ended"
        claim = self.files.get(f"{folder}/{marks.CLAIM}")
        if claim is None:
            return "queued" if submission in self.runners else "absent"
        if claim[0].startswith(marks.REVOKED.encode()):
            return "absent"
        return "running" if uuid in self.running else "vanished"

    async def cancel(self, order: Mapping[str, Any]) -> str:
        gone = []
        for uuid, folder in order["jobs"]:
            if f"{folder}/{marks.EXIT}" not in self.files:
                self.write(f"{folder}/{marks.KILLED}", order["why"].encode())
            if f"{folder}/{marks.CLAIM}" not in self.files:
                self.write(f"{folder}/{marks.CLAIM}", f"{marks.REVOKED} {uuid}\n".encode())
            if uuid in self.running:
                self.running[uuid].set()
            while uuid in self.running:
                await asyncio.sleep(0.1)
            gone.append(uuid)
        return "\n".join(gone)


@dataclass
class Link:
    """A transport to the world for one life of an engine; ``dead`` ends all its effects."""

    world: World
    dead: bool = False
    #: While set, this engine's machine is asleep: nothing of it moves.
    asleep: asyncio.Event | None = None

    async def _way(self) -> None:
        """Half of a call's way: takes time, may break, and never arrives when the engine has died."""
        await asyncio.sleep(self.world.random.uniform(0.001, 0.05))
        if self.asleep is not None:
            await self.asleep.wait()
        if self.dead:
            await asyncio.get_running_loop().create_future()
        if self.world.is_down or self.world.random.random() < self.world.trouble:
            raise TransportError("the link to the host was lost")

    async def run(self, script: str, *, timeout: float = 60.0) -> Answer:
        await self._way()
        order = json.loads(script)
        match order["op"]:
            case "submit":
                text = self.world.submit(order)
            case "look":
                text = self.world.look(order)
            case _:
                text = await self.world.cancel(order)
        await self._way()
        return Answer(75 if text == "overtaken" else 0, text, "")

    async def put(self, entries: Iterable[Entry]) -> Mapping[str, OSError]:
        await self._way()
        if self.world.is_full:
            full = OSError(errno.ENOSPC, "No space left on device")
            return {entry.path: full for entry in entries}
        for entry in entries:
            self.world.mkdir(entry.path if entry.content is None else posixpath.dirname(entry.path))
            if entry.content is not None:
                self.world.write(entry.path, entry.content)
        await self._way()
        return {}

    async def get(self, paths: Sequence[str], *, limit: int = 65536) -> Mapping[str, Content]:
        await self._way()
        return {p: Content(*self.world.files[p]) for p in paths if p in self.world.files}

    async def read(self, path: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        await self._way()
        if path not in self.world.files:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        yield self.world.files[path][0][offset:][:length]

    async def write(self, path: str, chunks: AsyncIterator[bytes], *, mode: int = 0o660) -> int:
        data = b"".join([chunk async for chunk in chunks])
        await self._way()
        self.world.write(path, data)
        return len(data)

    async def stat(self, path: str) -> FileInfo | None:
        await self._way()
        kind = "file" if path in self.world.files else "dir" if path in self.world.folders else None
        if kind is None:
            return None
        data, modified = self.world.files.get(path, (b"", 0.0))
        return FileInfo(
            path=path, name=posixpath.basename(path), type=kind, size=len(data), last_modified=iso(modified)
        )

    async def real_path(self, path: str) -> str:
        return path

    async def environment(self, names: Sequence[str]) -> Mapping[str, str]:
        await self._way()
        return {"HOME": "/home/ada"}

    async def watch(self, folder: str) -> AsyncIterator[Sequence[str]]:
        while True:
            await asyncio.sleep(0.2)
            await self._way()
            names = [p for p in self.world.files if posixpath.dirname(p) == folder]
            for name in names:
                del self.world.files[name]
            if names:
                yield [posixpath.basename(name) for name in names]


class MadeUpScheduler:
    """Writes its orders as JSON, which the world understands."""

    name = "FORK"
    doubt = 0.0
    rounds = (5.0, 30.0)

    def submit_script(self, submission: Submission) -> str:
        jobs = [(launch.uuid, launch.exec_dir) for launch in submission.launches]
        order = {"op": "submit", "id": submission.id, "lane": submission.lane_dir, "epoch": submission.epoch}
        return json.dumps({**order, "jobs": jobs, "parallel": submission.parallel})

    def parse_submit(self, submission: Submission, answer: Answer) -> Mapping[str, Report]:
        if answer.stdout != "accepted":
            return {}
        return {launch.uuid: Report(sighting=Sighting.QUEUED) for launch in submission.launches}

    def look_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        return json.dumps({"op": "look", "jobs": [(j.uuid, j.exec_dir, j.submission_id) for j in launches]})

    def parse_look(self, launches: Sequence[Launch], answer: Answer) -> Mapping[str, Report]:
        lines = (line.split() for line in answer.stdout.splitlines())
        return {uuid: Report(sighting=Sighting(word)) for uuid, word in lines}

    def cancel_script(self, launches: Sequence[Launch], *, why: str, grace: int) -> str:
        return json.dumps({"op": "cancel", "why": why, "jobs": [(j.uuid, j.exec_dir) for j in launches]})

    def parse_cancel(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        return frozenset(answer.stdout.splitlines())
