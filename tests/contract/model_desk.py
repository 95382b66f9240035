"""The made-up cluster of ``tests/simulation`` as the contract tests of schedulers see a host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from scheduler_desk import EPOCH, TOGETHER, described
from simulation.cluster import Cluster
from simulation.link import Link
from simulation.made_up import Host, MadeUpSlurm
from simulation.virtual_time import VirtualLoop
from simulation.world import Behaviour, World

from jupyter_tapis_jobs.model import marks
from jupyter_tapis_jobs.schedulers.base import Launch, Report, Sighting, Submission
from jupyter_tapis_jobs.transports.base import Answer

#: What an application does, as the real one's command -> as the made-up one's behaviour.
DOES = {
    "true": Behaviour(0.1),
    "exit 3": Behaviour(0.1, 3),
    "exec sleep 60": Behaviour(60.0),
}


class ModelDesk:
    """One lane on the made-up host, in one launch mode; time goes on while somebody asks or waits."""

    def __init__(self, mode: str) -> None:
        self.mode = self.kind = mode
        self.lane = "/lane"
        self.scheduler = MadeUpSlurm()
        self._loop = VirtualLoop()
        self.world = World(Random(1))
        self.cluster = Cluster(self.world, max_array=10_001)
        self._link = Link(self.world, Host(self.world, self.cluster).orders, self._nothing)
        self._in_loop(self._prepare())

    async def _nothing(self) -> None:
        """No engine dies here."""

    async def _prepare(self) -> None:
        self.world.write("/lane/epoch", f"{EPOCH}\n".encode())
        self.world.mkdir("/lane/events")

    def _in_loop(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    def close(self) -> None:
        """End the world."""

        async def end() -> None:
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self._in_loop(end())
        self._loop.close()
        assert not self.world.faults

    # --- the same verbs as of a real one
    def job(self, uuid: str, command: str, **definition: object) -> Launch:
        """Make a job, ready in its directory."""

        async def make() -> None:
            self.world.behaviours[uuid] = DOES[command]
            self.world.mkdir(f"/work/{uuid}/{marks.FOLDER}")
            script = described(uuid, command, f"/work/{uuid}", "BATCH", "/lane/events", **definition)[0]
            self.world.write(f"/work/{uuid}/tapisjob.sh", script.encode())

        self._in_loop(make())
        minutes = described(uuid, command, "/", "BATCH", "/", **definition)[1].max_minutes
        return Launch(
            uuid=uuid,
            exec_dir=f"/work/{uuid}",
            mode=self.mode,
            max_minutes=minutes,
            submission_id="first",
        )

    def run(self, script: str) -> Answer:
        """Have an order done."""
        answer: Answer = self._in_loop(self._link.run(script, timeout=300))
        return answer

    def hand_over(self, *launches: Launch, name: str = "first", **more: Any) -> dict[str, Report]:
        """Hand jobs over and return what the scheduler said of each."""
        known = {"id": name, "lane_dir": "/lane", "epoch": EPOCH, "mode": self.mode, "parallel": 2}
        options = {"directives": TOGETHER.get(self.mode, ()), "launches": launches}
        submission = Submission(**{**known, **options, **more})
        answer = self.run(self.scheduler.submit_script(submission))
        return dict(self.scheduler.parse_submit(submission, answer))

    def submit(self, *launches: Launch, name: str = "first", **more: Any) -> list[Launch]:
        """Hand jobs over, which is to go well, and return them with the numbers they got."""
        reports = self.hand_over(*launches, name=name, **more)
        assert [reports[job.uuid].sighting for job in launches] == [Sighting.QUEUED] * len(launches), reports
        return [
            replace(job, submission_id=name, remote_job_id=reports[job.uuid].remote_job_id)
            for job in launches
        ]

    def look(self, *launches: Launch) -> dict[str, Report]:
        """Ask the scheduler about jobs."""
        answer = self.run(self.scheduler.look_script("/lane", launches))
        return dict(self.scheduler.parse_look(launches, answer))

    def sighting(self, launch: Launch) -> Sighting | None:
        """Ask the scheduler about one job."""
        report = self.look(launch).get(launch.uuid)
        return report.sighting if report else None

    def cancel(self, *launches: Launch, why: str = "cancel", grace: int = 5) -> set[str]:
        """End jobs and return those that are gone."""
        answer = self.run(self.scheduler.cancel_script(launches, why=why, grace=grace))
        return set(self.scheduler.parse_cancel(launches, answer))

    # --- what lies on the host, and what others do there
    def exit_mark(self, launch: Launch) -> str:
        """Return the exit mark; '' without one."""
        return self.world.disk.text(f"{launch.exec_dir}/{marks.EXIT}").strip()

    def claim(self, launch: Launch) -> list[str]:
        """Return the words of the claim; none without one."""
        return self.world.disk.text(f"{launch.exec_dir}/{marks.CLAIM}").split()

    def release(self, launch: Launch) -> None:
        """Let a held job go, as ``scontrol release`` does."""
        self._in_loop(self.cluster.hold([launch.remote_job_id or ""], False))

    def scancel(self, launch: Launch) -> None:
        """End a job behind the engine's back."""
        self._in_loop(self._soon(lambda: self.cluster.cancel([launch.remote_job_id or ""])))

    def delete(self, launch: Launch) -> None:
        """Delete a job's directory."""
        self.world.disk.delete(launch.exec_dir)

    def kill(self, launch: Launch) -> None:
        """Kill all processes of a job, its launch script too."""
        self._in_loop(self._soon(self.world.running[launch.uuid].kill))

    async def _soon(self, do: Callable[[], None]) -> None:
        do()

    def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Let time go on until something is so."""
        for _ in range(int(seconds / 0.2)):
            if found := condition():
                return found
            self._in_loop(asyncio.sleep(0.2))
        return pytest.fail(f"still not true after {seconds:.0f} s of made-up time")


@contextmanager
def model_desk(mode: str) -> Iterator[ModelDesk]:
    """The made-up cluster, in one launch mode."""
    desk = ModelDesk(mode)
    try:
        yield desk
    finally:
        desk.close()
