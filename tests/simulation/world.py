"""A made-up machine: its disk, its processes, and what starts them.

It goes on whatever happens to the engine. It counts how often each application was started and
remembers how each one ended, which is what all this is about.
"""

from __future__ import annotations

import asyncio
import posixpath
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from jupyter_tapis_jobs.model import files, marks

from .disk import Disk

EPOCH = 1_700_000_000.0
#: Exit codes of an application that a signal ended (128 + n).
TERMINATED, KILLED = 143, 137
LOGIN = "login1"
#: Seconds between the polite end and the hard one (Slurm's KillWait).
KILL_WAIT = 30.0


@dataclass(slots=True)
class Behaviour:
    """What an application will do once it runs."""

    seconds: float
    code: int = 0
    #: It does not listen when it is asked to end.
    is_stubborn: bool = False
    #: It takes more memory than it asked for, after half of its time.
    is_greedy: bool = False


@dataclass(slots=True)
class Process:
    """One application that runs, with the launch script that waits for it."""

    uuid: str
    folder: str
    behaviour: Behaviour
    #: TERM has come; KILL has come (to the launch script as well); the kernel killed the application alone.
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    killed: asyncio.Event = field(default_factory=asyncio.Event)
    starved: bool = False
    #: Seconds since the epoch.
    begun: float = 0.0
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def terminate(self) -> None:
        """Ask politely."""
        self.asked.set()

    def kill(self) -> None:
        """End it, launch script and all, without a word."""
        self.killed.set()

    def starve(self) -> None:
        """The kernel kills the application; the launch script lives on to say so."""
        self.starved = True
        self.asked.set()


@dataclass
class World:
    """One host with one user. ``trouble`` is the chance that half of a call's way breaks."""

    random: Random
    trouble: float = 0.0
    #: The chance that an application ends without a word.
    vanishing: float = 0.0
    #: The chances that a call is carried out long after it was given up, or twice.
    late: float = 0.0
    doubled: float = 0.0
    #: The chance that an event file is never seen.
    unseen: float = 0.0
    #: Seconds that a call takes besides, at most.
    slowness: float = 0.0
    #: No call gets through.
    is_down: bool = False
    #: Calls get stuck on their way until this is set.
    frozen: asyncio.Event | None = None
    #: Seconds that every application takes; by chance when None.
    duration: float | None = None
    #: What the application of a job will do; the others do what chance says.
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    #: The most applications that ever ran at the same time.
    peak: int = 0
    starts: Counter[str] = field(default_factory=Counter)
    #: Applications that were ended by something else than themselves or the engine, and by what.
    fates: dict[str, str] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    running: dict[str, Process] = field(default_factory=dict)
    #: Submissions whose processes are still being started.
    runners: dict[str, str] = field(default_factory=dict)
    tasks: dict[asyncio.Task[Any], None] = field(default_factory=dict)
    faults: list[BaseException] = field(default_factory=list)
    #: Called with (kind, text) of everything that happens.
    tell: Callable[[str, str], None] = lambda kind, text: None
    #: Called with the uuid of a job whose application starts now.
    on_start: Callable[[str], None] = lambda uuid: None
    #: How often the login host was started anew.
    boots: int = 0
    #: Remote calls by verb.
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.disk = Disk(self.now)

    @property
    def is_full(self) -> bool:
        """Nothing can be written."""
        return self.disk.is_full

    @is_full.setter
    def is_full(self, is_full: bool) -> None:
        self.disk.is_full = is_full

    def now(self) -> float:
        """Return the host's own time."""
        return EPOCH + asyncio.get_running_loop().time()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Do something on the host that goes on by itself."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks[task] = None
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.tasks.pop(task, None)
        if not task.cancelled() and (fault := task.exception()) and not isinstance(fault, OSError):
            self.faults.append(fault)

    def write(self, path: str, data: bytes) -> None:
        """Write a file, making its folder."""
        self.disk.mkdir(posixpath.dirname(path))
        self.disk.write(path, data)

    def mkdir(self, path: str) -> None:
        """Make a folder and its parents."""
        self.disk.mkdir(path)

    def is_overtaken(self, order: Mapping[str, Any]) -> bool:
        """Tell whether a newer engine has been here."""
        return self.disk.text(f"{order['lane']}/epoch").strip() != str(order["epoch"])

    # -- the launch script

    async def launch(self, script: str, *, host: str = LOGIN, word: str = "", started: Any = None) -> int:
        """Do what ``tapisjob.sh`` does: claim, start, application, end; return its exit code.

        *word* is what a scheduler adds to the claim; *started* is called with the process.
        """
        if self.disk.kind(script) is None:
            return 127
        folder = posixpath.dirname(script)
        uuid, lane = _told_by(self.disk.text(script))
        boot = self.boots
        await asyncio.sleep(self.random.uniform(0.0, 0.02))
        while self.disk.is_full and self.disk.kind(f"{folder}/{marks.FOLDER}") is not None:
            await asyncio.sleep(5.0)
        is_gone = host == LOGIN and boot != self.boots
        if is_gone or not self._claim(uuid, folder, host, word):
            return 0
        self._event(f"{lane}/{uuid}.start")
        behaviour = self.behaviours.get(uuid) or self._behaviour()
        process = Process(uuid, folder, behaviour, begun=self.now())
        self.starts[uuid] += 1
        self.on_start(uuid)
        self.tell("start", f"{uuid} on {host}{word}")
        self.running[uuid] = process
        self.peak = max(self.peak, len(self.running))
        if started is not None:
            started(process)
        try:
            code = await self._application(process)
            self.tell("end", f"{uuid} {'without a word' if code is None else code}")
            if code is None:
                return KILLED
            self.codes[uuid] = code
            # The application may be gone before its launch script hears that it is to end.
            is_told = process.asked.is_set() and not process.starved and self.random.random() < 0.8
            ending = " terminated" if is_told else ""
            while self.disk.is_full and self.disk.kind(f"{folder}/{marks.FOLDER}") is not None:
                if await _within(process.killed, 5.0):
                    self.fates.setdefault(uuid, "killed before its last word")
                    return KILLED
            self._mark(uuid, f"{folder}/{marks.EXIT}", f"{code}{ending}\n")
        finally:
            del self.running[uuid]
            process.gone.set()
        self._event(f"{lane}/{uuid}.end")
        return code

    def _claim(self, uuid: str, folder: str, host: str, word: str) -> bool:
        """Link the token to the claim; False when somebody else's is there."""
        claim = f"{folder}/{marks.CLAIM}"
        if self.disk.kind(claim) is not None or self.disk.kind(f"{folder}/{marks.FOLDER}") is None:
            return False
        number = self.random.getrandbits(15)
        self.disk.write(claim, f"{uuid} {number} {host} boot {number} (sh) S{word}\n".encode())
        return True

    def _behaviour(self) -> Behaviour:
        if self.duration is not None:
            return Behaviour(self.duration)
        return Behaviour(
            self.random.uniform(0.1, 90.0),
            self.random.choice((0, 0, 0, 3)),
            is_stubborn=self.random.random() < 0.1,
            is_greedy=self.random.random() < 0.05,
        )

    async def _application(self, process: Process) -> int | None:
        """Run to the end; None when nobody was left to write it down."""
        asked = asyncio.ensure_future(process.asked.wait())
        killed = asyncio.ensure_future(process.killed.wait())
        try:
            left: float | None = process.behaviour.seconds
            begun = asyncio.get_running_loop().time()
            await asyncio.wait({asked, killed}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if process.starved:
                return KILLED
            if asked.done() and not killed.done() and process.behaviour.is_stubborn:
                left = process.behaviour.seconds - (asyncio.get_running_loop().time() - begun)
                await asyncio.wait({killed}, timeout=max(0.0, left))
            elif asked.done() and not killed.done():
                return TERMINATED
            if killed.done():
                return None
        finally:
            asked.cancel()
            killed.cancel()
        if self.random.random() < self.vanishing:
            self.fates[process.uuid] = "vanished"
            return None
        return process.behaviour.code

    def _mark(self, uuid: str, path: str, text: str) -> None:
        """Write a mark; on a full disk it stays empty, in a deleted folder there is none."""
        try:
            self.disk.write(path, text.encode())
        except OSError as fault:
            self.tell("lost mark", f"{path}: {fault.strerror}")
            self.fates.setdefault(uuid, "mark lost")

    def _event(self, path: str) -> None:
        if self.random.random() >= self.unseen:
            try:
                self.disk.write(path, b"")
            except OSError:
                self.tell("lost event", path)

    # -- the host's own processes (FORK)

    def fork(self, order: Mapping[str, Any]) -> str:
        """Start a runner that keeps some of a submission's jobs running until its list is through."""
        if self.is_overtaken(order):
            return "overtaken"
        self.runners[order["id"]] = "alive"
        self.spawn(self._runner(order))
        return "accepted"

    async def _runner(self, order: Mapping[str, Any]) -> None:
        places = asyncio.Semaphore(order["parallel"] or 1_000_000)

        async def one(folder: str) -> None:
            async with places:
                await asyncio.sleep(self.random.uniform(0, 0.5))
                if order["id"] in self.runners:
                    await self.launch(f"{folder}/{files.LAUNCH_SCRIPT}")

        await asyncio.gather(*(one(job["dir"]) for job in order["jobs"]))
        self.runners.pop(order["id"], None)

    def kill_runners(self) -> None:
        """What has begun goes on; what has not will never begin."""
        self.runners.clear()

    def reboot(self, host: str = LOGIN) -> None:
        """Every process of the host is gone."""
        self.boots += 1
        self.kill_runners()
        for process in [*self.running.values()]:
            if self._claimed_on(process) == host:
                self.fates[process.uuid] = "reboot"
                process.kill()

    def _claimed_on(self, process: Process) -> str:
        words = self.disk.text(f"{process.folder}/{marks.CLAIM}").split()
        return words[2] if len(words) > 2 else ""

    def look(self, order: Mapping[str, Any]) -> str:
        """Say of each job whether it waits, runs, has ended or is nowhere."""
        return "\n".join(f"{job['uuid']} {self._sighting(job)}" for job in order["jobs"])

    def _sighting(self, job: Mapping[str, Any]) -> str:
        if self.disk.text(f"{job['dir']}/{marks.EXIT}"):
            return "ended"
        claim = self.disk.text(f"{job['dir']}/{marks.CLAIM}")
        if not claim:
            return "queued" if job["submission"] in self.runners else "absent"
        if claim.startswith(marks.REVOKED):
            return "absent"
        return "running" if job["uuid"] in self.running else "vanished"

    async def end(self, order: Mapping[str, Any]) -> str:
        """End jobs: mark, take the claim if it is free, TERM, KILL; say which are gone."""
        gone = await asyncio.gather(*(self._end(job, order) for job in order["jobs"]))
        return "\n".join(uuid for uuid in gone if uuid)

    async def _end(self, job: Mapping[str, Any], order: Mapping[str, Any]) -> str:
        uuid, folder = job["uuid"], job["dir"]
        if not self.revoke(job, order["why"]):
            return ""
        if (process := self.running.get(uuid)) is not None:
            self.note_late(process, job)
            process.terminate()
            await _within(process.gone, order["grace"])
            process.kill()
            await process.gone.wait()
            self.tell("gone", f"{uuid} in {folder}")
        return str(uuid)

    def take_back(self, order: Mapping[str, Any]) -> str:
        """Take the claims of jobs that have not begun; say whose."""
        return "\n".join(job["uuid"] for job in order["jobs"] if self._take_back(job["uuid"], job["dir"]))

    def _take_back(self, uuid: str, folder: str) -> bool:
        claim = f"{folder}/{marks.CLAIM}"
        if self.disk.kind(f"{folder}/{marks.FOLDER}") is None:
            return False
        if self.disk.kind(claim) is None:
            try:
                self.disk.write(claim, f"{marks.REVOKED} {uuid}\n".encode())
            except OSError:
                return False
        return self.disk.text(claim).startswith(marks.REVOKED)

    def give(self, order: Mapping[str, Any]) -> str:
        """Free the claims that were taken back."""
        for job in order["jobs"]:
            claim = f"{job['dir']}/{marks.CLAIM}"
            if self.disk.text(claim).startswith(marks.REVOKED):
                self.disk.delete(claim)
        return ""

    def note_late(self, process: Process, job: Mapping[str, Any]) -> None:
        """Remember that a process has had all the time that its job may take."""
        if self.now() - process.begun >= job["minutes"] * 60.0:
            self.fates[process.uuid] = "timeout"

    def revoke(self, job: Mapping[str, Any], why: str) -> bool:
        """Leave the word *why*, and the engine's own claim where there is none; False on a full disk."""
        uuid, folder = job["uuid"], job["dir"]
        if self.disk.kind(f"{folder}/{marks.FOLDER}") is None:
            return True
        try:
            if not self.disk.text(f"{folder}/{marks.EXIT}"):
                self.disk.write(f"{folder}/{marks.KILLED}", why.encode())
            if self.disk.kind(f"{folder}/{marks.CLAIM}") is None:
                if self.disk.is_full:
                    return False
                self.disk.write(f"{folder}/{marks.CLAIM}", f"{marks.REVOKED} {uuid}\n".encode())
        except OSError:
            return self.disk.kind(f"{folder}/{marks.CLAIM}") is not None
        return True


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _told_by(script: str) -> tuple[str, str]:
    """Return the uuid and the events folder that a launch script names."""
    uuid = script.split("# Tapis job ", 1)[1].split(",", 1)[0]
    events = script.split("events=", 1)[1].splitlines()[0]
    return uuid, events.strip("'\"")
