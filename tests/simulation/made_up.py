"""The made-up machine's schedulers: orders in JSON instead of shell scripts, and what the host does then.

For Slurm only its commands and the shell around them are made up: what they print is read and judged by
``SlurmScheduler`` itself.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from jupyter_tapis_jobs.model import files, marks
from jupyter_tapis_jobs.schedulers import job_marks
from jupyter_tapis_jobs.schedulers import slurm_identity as identity
from jupyter_tapis_jobs.schedulers.base import Launch, Report, Sighting, Submission
from jupyter_tapis_jobs.schedulers.slurm import SlurmScheduler
from jupyter_tapis_jobs.schedulers.slurm_answer import MARK
from jupyter_tapis_jobs.schedulers.submissions import OVERTAKEN
from jupyter_tapis_jobs.transports.base import Answer

from .cluster import OVER, Allocation, Cluster, Row, SlurmError, Wish
from .world import Process, World


def _orders(op: str, launches: Sequence[Launch], **more: Any) -> str:
    jobs = [
        {
            "uuid": job.uuid,
            "dir": job.exec_dir,
            "submission": job.submission_id,
            "id": job.remote_job_id,
            "mode": job.mode,
            "minutes": job.max_minutes,
        }
        for job in launches
    ]
    return json.dumps({"op": op, "jobs": jobs, **more})


class MadeUpFork:
    """Processes of the host itself."""

    name = "FORK"
    doubt = 0.0
    rounds = (5.0, 30.0)

    def submit_script(self, submission: Submission) -> str:
        return _orders("fork", submission.launches, **_told(submission))

    def parse_submit(self, submission: Submission, answer: Answer) -> Mapping[str, Report]:
        if answer.stdout != "accepted":
            return {}
        return {launch.uuid: Report(sighting=Sighting.QUEUED) for launch in submission.launches}

    def look_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        return _orders("look", launches)

    def parse_look(self, launches: Sequence[Launch], answer: Answer) -> Mapping[str, Report]:
        lines = (line.split() for line in answer.stdout.splitlines())
        return {uuid: Report(sighting=Sighting(word)) for uuid, word in lines}

    def cancel_script(self, launches: Sequence[Launch], *, why: str, grace: int) -> str:
        return _orders("end", launches, why=why, grace=grace)

    def parse_cancel(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        return frozenset(answer.stdout.splitlines())

    def hold_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        return _orders("take back", launches)

    def parse_hold(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        return frozenset(answer.stdout.splitlines())

    def release_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        return _orders("give", launches)


def _told(submission: Submission) -> dict[str, Any]:
    return {
        "id": submission.id,
        "lane": submission.lane_dir,
        "epoch": submission.epoch,
        "parallel": submission.parallel,
        "mode": submission.mode,
        "directives": submission.directives,
    }


class MadeUpSlurm(SlurmScheduler):
    """What it reads is what the real scripts print; what it says is an order instead of a script."""

    def submit_script(self, submission: Submission) -> str:
        return _orders("sbatch", submission.launches, **_told(submission))

    def look_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        return _orders("squeue", launches, lane=lane_dir)

    def cancel_script(self, launches: Sequence[Launch], *, why: str, grace: int) -> str:
        return _orders("scancel", launches, why=why)

    def hold_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        return _orders("scontrol", launches, lane=lane_dir, hold=True)

    def release_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        return _orders("scontrol", launches, lane=lane_dir, hold=False)


class Host:
    """What the machine does with the orders; everything it does goes on by itself."""

    def __init__(self, world: World, cluster: Cluster) -> None:
        self.world, self.cluster = world, cluster
        self.orders: dict[str, Callable[[Mapping[str, Any]], Awaitable[tuple[int, str]]]] = {
            "fork": self._fork,
            "look": self._look,
            "end": self._end,
            "sbatch": self._sbatch,
            "squeue": self._squeue,
            "scancel": self._scancel,
            "scontrol": self._scontrol,
            "take back": self._take_back,
            "give": self._give,
        }

    async def _fork(self, order: Mapping[str, Any]) -> tuple[int, str]:
        text = self.world.fork(order)
        return (OVERTAKEN if text == "overtaken" else 0), text

    async def _look(self, order: Mapping[str, Any]) -> tuple[int, str]:
        return 0, self.world.look(order)

    async def _end(self, order: Mapping[str, Any]) -> tuple[int, str]:
        return 0, await self.world.end(order)

    async def _take_back(self, order: Mapping[str, Any]) -> tuple[int, str]:
        return 0, self.world.take_back(order)

    async def _give(self, order: Mapping[str, Any]) -> tuple[int, str]:
        return 0, self.world.give(order)

    # -- scontrol

    async def _scontrol(self, order: Mapping[str, Any]) -> tuple[int, str]:
        """Hold or release those rows of squeue that have the number and the folder of a job."""
        folders = {
            job["id"]: job["dir"]
            if job["mode"] == "single"
            else f"{order['lane']}/submissions/{job['submission']}"
            for job in order["jobs"]
        }
        try:
            rows = await self.cluster.squeue()
            found = [row.label for row in rows if folders.get(row.label) == row.workdir]
            await self.cluster.hold(found, order["hold"])
        except SlurmError as refused:
            return 1, str(refused)
        return 0, ""

    # -- sbatch

    async def _sbatch(self, order: Mapping[str, Any]) -> tuple[int, str]:
        """Note the jobs, submit, note the numbers before they are told."""
        if self.world.is_overtaken(order):
            return OVERTAKEN, ""
        folder = f"{order['lane']}/submissions/{order['id']}"
        try:
            self.world.mkdir(folder)
            if order["mode"] == "single":
                return 0, await self._one_by_one(order, folder)
            listed = "".join(f"{job['uuid']} {job['dir']}\n" for job in order["jobs"])
            self.world.write(f"{folder}/{job_marks.JOBS}", listed.encode())
        except OSError:
            return 1, ""
        return 0, await self._together(order, folder)

    async def _one_by_one(self, order: Mapping[str, Any], folder: str) -> str:
        """Some at the same time; once Slurm is away or full, the others are not even tried."""
        lines: list[str] = []
        is_closed = False

        async def queue(jobs: Sequence[Mapping[str, Any]]) -> None:
            nonlocal is_closed
            for job in jobs:
                if is_closed:
                    lines.append(f"{job['uuid']} skipped")
                    continue
                script = f"{job['dir']}/{files.LAUNCH_SCRIPT}"
                text = self.world.disk.text(script)
                words = [line.split()[1] for line in text.splitlines() if line.startswith("#SBATCH")]
                wish = self._wish(
                    words,
                    order,
                    script=partial(self._single, script),
                    workdir=job["dir"],
                    uuids=[job["uuid"]],
                )
                said = await self._submit(wish, f"{folder}/{job_marks.IDS}", f"{job['uuid']} ")
                is_closed = is_closed or bool(CLOSES.search(said))
                lines.append(f"{job['uuid']} {said}")

        await asyncio.gather(*(queue(order["jobs"][n::AT_A_TIME]) for n in range(AT_A_TIME)))
        return "".join(f"{line}\n" for line in lines)

    async def _together(self, order: Mapping[str, Any], folder: str) -> str:
        is_array = order["mode"] == "array"
        wish = self._wish(
            order["directives"],
            order,
            script=partial(self._dispatch, folder) if is_array else partial(self._pack, order),
            workdir=folder,
            tasks=tuple(range(len(order["jobs"]))) if is_array else (),
            uuids=[job["uuid"] for job in order["jobs"]],
        )
        return f"all {await self._submit(wish, f'{folder}/{job_marks.ID}')}\n"

    async def _submit(self, wish: Wish, note: str, key: str = "") -> str:
        try:
            number = await self.cluster.sbatch(wish)
        except SlurmError as refused:
            return f"failed {' | '.join(f'sbatch: error: {line}' for line in str(refused).splitlines())} | "
        try:
            self.world.disk.append(note, f"{key}{number}\n".encode())
        except OSError:
            self.world.tell("lost note", note)
        return f"accepted {number}"

    def _wish(self, words: Sequence[str], order: Mapping[str, Any], **more: Any) -> Wish:
        """Read sbatch's options."""
        told = dict(word.partition("=")[::2] for word in words)
        number = {name: int(text) for name, text in told.items() if text.isdigit()}
        nodes = number.get("--nodes", 1)
        return Wish(
            partition=told.get("--partition", "normal"),
            nodes=nodes,
            cores=number.get("--cpus-per-task", 1) * max(1, number.get("--ntasks", 1) // nodes),
            memory_mb=number.get("--mem", 100),
            minutes=number.get("--time", 10),
            comment=f"{identity.COMMENT}{order['id']}",
            name=told.get("--job-name", "tapisjob"),
            is_held="--hold" in told,
            **more,
        )

    # -- batch scripts

    async def _single(self, script: str, allocation: Allocation) -> int:
        return await self._launch(allocation, script)

    async def _dispatch(self, folder: str, allocation: Allocation) -> int:
        """An array's task: find the job of its index and run it."""
        jobs = self.world.disk.text(f"{folder}/{job_marks.JOBS}").splitlines()
        index = allocation.job.task or 0
        if index >= len(jobs):
            return 1
        return await self._launch(allocation, f"{jobs[index].partition(' ')[2]}/{files.LAUNCH_SCRIPT}")

    async def _launch(
        self, allocation: Allocation, script: str, started: Callable[[Process], None] | None = None
    ) -> int:
        def begun(process: Process) -> None:
            allocation.begun(process)
            if started is not None:
                started(process)
            self._may_starve(process)

        return await self.world.launch(script, host=allocation.hosts[0], word=allocation.word, started=begun)

    def _may_starve(self, process: Process) -> None:
        if process.behaviour.is_greedy:
            self.world.spawn(self._starve(process))

    async def _starve(self, process: Process) -> None:
        await asyncio.sleep(process.behaviour.seconds / 2)
        if not process.gone.is_set() and not process.asked.is_set():
            self.world.fates[process.uuid] = "OUT_OF_MEMORY"
            process.starve()

    async def _pack(self, order: Mapping[str, Any], allocation: Allocation) -> int:
        """Run the cases, some at a time, each under its own limit."""
        with suppress(OSError):
            self.world.mkdir(f"{order['lane']}/submissions/{order['id']}/{identity.TAKEN}")
        cases = iter(order["jobs"])
        places = max(1, order["parallel"]) * len(allocation.hosts)

        async def worker() -> None:
            for case in cases:
                if allocation.is_closing:
                    return
                if not self.world.disk.text(f"{case['dir']}/{marks.KILLED}"):
                    await self._case(allocation, case)

        await asyncio.gather(*(worker() for _ in range(places)))
        return 0

    async def _case(self, allocation: Allocation, case: Mapping[str, Any]) -> None:
        own: list[Process] = []

        def begun(process: Process) -> None:
            own.append(process)
            self.world.spawn(self._watch(process, case))

        script = f"{case['dir']}/{files.LAUNCH_SCRIPT}"
        code = await self._launch(allocation, script, begun)
        # A launch script that was killed leaves its end to its worker, unless another copy has the claim.
        if own and not allocation.is_closing and not self.world.disk.text(f"{case['dir']}/{marks.EXIT}"):
            try:
                self.world.disk.write(f"{case['dir']}/{marks.EXIT}", f"{code}\n".encode())
            except OSError:
                self.world.tell("lost mark", case["dir"])

    async def _watch(self, process: Process, case: Mapping[str, Any]) -> None:
        """The warden of one case: its time limit, and the word that asks it to end."""
        begun = self.world.now()
        limit = case["minutes"] * 60.0
        killed = f"{case['dir']}/{marks.KILLED}"
        while not process.gone.is_set():
            await asyncio.sleep(1.0)
            is_late = self.world.now() - begun > limit
            if is_late and not self.world.disk.text(killed):
                try:
                    self.world.disk.write(killed, b"timeout")
                except OSError:
                    continue
            if self.world.disk.text(killed):
                self.world.note_late(process, case)
                process.terminate()
                try:
                    await asyncio.wait_for(process.gone.wait(), 30.0)
                except TimeoutError:
                    process.kill()

    # -- squeue and sacct

    async def _squeue(self, order: Mapping[str, Any]) -> tuple[int, str]:
        """Print marks and lines for all jobs: squeue, and sacct for what that leaves open."""
        lines = [f"lane {order['lane']}", f"now {self.world.now():.0f}", *self._known(order)]
        marked = [(job, self._marks(job)) for job in order["jobs"]]
        lines += [f"job {job['uuid']} {_number(job)} {' '.join(said)}" for job, said in marked]
        try:
            rows = await self.cluster.squeue()
        except SlurmError:
            return 1, "\n".join([*lines, "squeue 1\n"])
        lines += [MARK.join(("row", *_cells(row))) for row in rows]
        given = {line.split()[1]: line.split()[2] for line in lines if line.startswith("id ")}
        shown = {number for row in rows for number in (row.label, str(row.raw))}
        lines.append("squeue 0")
        lines += await self._books([_asked(job, said, given) for job, said in marked], shown)
        # What ended meanwhile has left its word by now.
        lines += [f"again {j['uuid']} {_number(j)} {' '.join(self._marks(j, again=True))}" for j, _ in marked]
        return 0, "\n".join([*lines, "looked\n"])

    def _known(self, order: Mapping[str, Any]) -> Iterator[str]:
        """Yield what lies beside the submissions of jobs whose numbers the engine does not know."""
        place = f"{order['lane']}/submissions"
        nameless = [job for job in order["jobs"] if not job["id"] and job["submission"]]
        for submission in sorted({job["submission"] for job in nameless if job["mode"] == "single"}):
            for line in self.world.disk.text(f"{place}/{submission}/{job_marks.IDS}").splitlines():
                yield f"id {line}"
        for submission in sorted({job["submission"] for job in nameless if job["mode"] != "single"}):
            if number := self.world.disk.text(f"{place}/{submission}/{job_marks.ID}").strip():
                yield f"id {submission} {number}"
            if listed := self.world.disk.text(f"{place}/{submission}/{job_marks.JOBS}"):
                uuids = " ".join(line.split()[0] for line in listed.splitlines())
                yield f"jobs {submission} {uuids}"
        for submission in sorted({job["submission"] or "" for job in order["jobs"] if job["mode"] == "pack"}):
            if self.world.disk.kind(f"{place}/{submission}/{identity.TAKEN}") is not None:
                yield f"ran {submission}"

    def _marks(self, job: Mapping[str, Any], *, again: bool = False) -> tuple[str, ...]:
        """Return state, exit words, last word of the claim and reason of the engine."""
        disk, folder = self.world.disk, job["dir"]
        if disk.kind(f"{folder}/{marks.FOLDER}") is None:
            return "missing", "-", "-"
        said, claim = (
            disk.text(f"{folder}/{marks.EXIT}").split(),
            disk.text(f"{folder}/{marks.CLAIM}").split(),
        )
        if not said and not claim:
            return "free", "-", "-"
        if len(said) == 1 and int(said[0]) < 128:
            return "ended", said[0], "-"
        killed = disk.text(f"{folder}/{marks.KILLED}").split()[:1]
        state = "ended" if said else "claimed"
        if again:
            return state, ":".join(said) or "-", "-", *killed
        if not said and claim[0] == marks.REVOKED:
            state = "revoked"
        return state, ":".join(said) or "-", claim[-1] if claim else "-", *killed

    async def _books(self, asked: Sequence[str], shown: set[str]) -> list[str]:
        """Ask sacct: by number where one is known, else for all that is the user's."""
        wanted = {number.partition("_")[0] for number in asked if number and number not in shown}
        if not wanted:
            return []
        try:
            rows = await self.cluster.sacct()
        except SlurmError as trouble:
            return [f"book{MARK}{trouble}"]
        numbers = wanted - {"-"}
        newest = {row.label: row for row in rows}
        by_number = [r for r in newest.values() if numbers & {r.label.partition("_")[0], str(r.raw)}]
        chosen = [*by_number, *(rows if "-" in wanted else ())]
        return [MARK.join(("book", *_cells(row), row.exit_code)) for row in chosen]

    # -- scancel

    async def _scancel(self, order: Mapping[str, Any]) -> tuple[int, str]:
        """Mark and revoke, scancel, wait up to five seconds, say which are gone."""
        jobs = [(job, self._kill_mark(job, order["why"])) for job in order["jobs"]]
        rows = await self._listed()
        numbers = [row.label for row in rows or () if self._whose(row, jobs) is not None]
        packs = {job["submission"]: None for job, _ in jobs if job["mode"] == "pack"}
        idle = [row.label for row in rows or () for pack in packs if self._is_idle_pack(row, pack)]
        if numbers or idle:
            with suppress(SlurmError):
                await self.cluster.scancel([*numbers, *idle])
        for _ in range(10):
            cases = [job for job, state in jobs if job["mode"] == "pack" and state == "begun"]
            waiting = any(self._whose(row, jobs) is not None for row in rows or ())
            if not waiting and all(self._has_ended(job) for job in cases):
                break
            await asyncio.sleep(0.5)
            rows = await self._listed()
        there = {self._whose(row, jobs) for row in rows or ()}
        gone = [job["uuid"] for job, state in jobs if self._is_gone(job, state, rows, there)]
        return 0, "".join(f"{uuid} gone\n" for uuid in gone)

    def _is_gone(
        self, job: Mapping[str, Any], state: str, rows: list[Row] | None, there: set[str | None]
    ) -> bool:
        if state == "free":
            return True
        if job["mode"] == "pack":
            return self._has_ended(job)
        return rows is not None and job["uuid"] not in there

    def _kill_mark(self, job: Mapping[str, Any], why: str) -> str:
        """Leave the reason and take the claim where it is free; return ``free``, ``begun`` or ``lost``."""
        if self.world.disk.kind(f"{job['dir']}/{marks.FOLDER}") is None:
            return "free" if job["mode"] == "pack" else "lost"
        if not self.world.revoke(job, why):
            return "begun"
        claim = self.world.disk.text(f"{job['dir']}/{marks.CLAIM}")
        return "begun" if claim and not claim.startswith(marks.REVOKED) else "free"

    async def _listed(self) -> list[Row] | None:
        """Return what squeue shows of jobs that are not over; None when it does not answer."""
        try:
            return [row for row in await self.cluster.squeue() if row.state not in OVER]
        except SlurmError:
            return None

    def _whose(self, row: Row, jobs: Sequence[tuple[Mapping[str, Any], str]]) -> str | None:
        """Return the uuid of the job, single or of an array, that a row is."""
        for job, _ in jobs:
            comment = f"{identity.COMMENT}{job['submission']}"
            claim = self.world.disk.text(f"{job['dir']}/{marks.CLAIM}").split()
            if job["mode"] == "pack":
                continue
            has_won = bool(claim) and claim[-1].startswith(f"slurm:{row.raw}:")
            if has_won and (row.comment == comment or self._is_member(row, job)):
                return str(job["uuid"])
            if job["mode"] == "single" and row.workdir == job["dir"]:
                return str(job["uuid"])
            if job["mode"] == "array" and row.comment == comment and row.label == job["id"]:
                return str(job["uuid"])
        return None

    def _is_member(self, row: Row, job: Mapping[str, Any]) -> bool:
        """Was the job handed over from this folder? Its number may be that of another one by now."""
        listed = self.world.disk.text(f"{row.workdir}/{job_marks.JOBS}").splitlines()
        return row.workdir == job["dir"] or any(line.startswith(f"{job['uuid']} ") for line in listed)

    def _is_idle_pack(self, row: Row, submission: str) -> bool:
        """Has every case of a pack ended, or will it never begin?"""
        if row.comment != f"{identity.COMMENT}{submission}":
            return False
        listed = self.world.disk.text(f"{row.workdir}/{job_marks.JOBS}").splitlines()
        for line in listed:
            folder = line.partition(" ")[2]
            claim = self.world.disk.text(f"{folder}/{marks.CLAIM}")
            if not self._has_ended({"dir": folder}) and not claim.startswith(marks.REVOKED):
                return False
        return True

    def _has_ended(self, job: Mapping[str, Any]) -> bool:
        return bool(self.world.disk.text(f"{job['dir']}/{marks.EXIT}"))


#: How many sbatch commands run at the same time.
AT_A_TIME = 4
#: After these words of sbatch the others of a cohort are not tried.
CLOSES = re.compile(r"nable to contact|imed out|ate limit exceeded|Submit|MaxJobCount")


def _number(job: Mapping[str, Any]) -> str:
    return job["id"] or f"={job['uuid'] if job['mode'] == 'single' else job['submission']}"


def _asked(job: Mapping[str, Any], said: Sequence[str], given: Mapping[str, str]) -> str:
    """Return the number that the books are asked for, ``-`` for an unknown one, '' for no question."""
    state, words, claimed = said[:3]
    by_signal = state == "ended" and (":" in words or int(words) >= 128)
    if state not in ("claimed", "free") and not by_signal:
        return ""
    number = _number(job)
    if number.startswith("="):
        number = given.get(number[1:], "-")
    parts = claimed.split(":")
    return parts[1] if len(parts) == 3 else number


def _cells(row: Row) -> tuple[str, ...]:
    ended = "" if row.ended is None else f"{row.ended:.0f}"
    return row.label, str(row.raw), row.state, row.reason, row.nodes, ended, row.comment, row.workdir
