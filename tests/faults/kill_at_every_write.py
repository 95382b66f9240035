"""Program: kill an engine (SIGKILL) at every one of its writes, before and after the commit, and resume.

Usage: kill_at_every_write.py FOLDER [study]. Prints one JSON line per death: the statuses found in the
store at the time of death, the statuses after the resumed engine is done, and the starts of each job.
Each life is a process of its own, forked before any thread exists.

With ``study`` the jobs are cases of one, whose calls the resumed life makes once more, as a client does
that had no answer; the lines tell the attempts of all cases as well. It ends once jobs are on their way
at death: from there on they are jobs like others.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.engine.ports import Ports
from jupyter_tapis_jobs.engine.real import Tasks, ThreadWorkers, real_ports
from jupyter_tapis_jobs.engine.thread import EngineThread
from jupyter_tapis_jobs.model.search import JobQuery
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.study import Case
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store.database import FILE_NAME, Database
from jupyter_tapis_jobs.store.search import search

T = TypeVar("T")
Story = Callable[[EngineThread], Awaitable[None]]
USER = User(name="ada", tenant="tapisjobs", is_server_user=True)
JOBS = 2
#: Long enough that the engine can die while it runs.
SCRIPT = "echo started >> starts; sleep 0.5; echo done\n"


class DyingWorkers(ThreadWorkers):
    """Kills the process before or after the commit of a chosen write; lease writes count too."""

    def __init__(self, die_at: int, before: bool) -> None:
        super().__init__()
        self._left, self._before = die_at, before

    def write(self, work: Callable[[], T]) -> Awaitable[T]:
        self._left -= 1
        return super().write(work if self._left else lambda: self._last(work))

    def _last(self, work: Callable[[], T]) -> T:
        if not self._before:
            work()
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


async def _bulk(thread: EngineThread) -> None:
    await thread.call(Engine.submit, USER, [_request()] * JOBS)


async def _study(thread: EngineThread) -> None:
    """Do what ``study.run()`` does."""
    cases = [Case(case_id=f"id{k}", parameters={"k": k}, request=_request()) for k in range(JOBS)]

    async def run(engine: Engine) -> None:
        await engine.studies.create(USER, "s", {})
        await engine.studies.add(USER, "s", cases)

    await thread.run(run)


async def _nothing(thread: EngineThread) -> None:
    pass


def _request() -> dict[str, Any]:
    data = "data:," + SCRIPT.replace(" ", "%20").replace("\n", "%0A")
    inputs = [{"name": "script", "sourceUrl": data}]
    return {"name": "case", "appId": "bash", "appVersion": "1.0", "fileInputs": inputs}


#: Name -> what the first life is asked, and what the resumed one.
STORIES: dict[str, tuple[Story, Story]] = {"bulk": (_bulk, _nothing), "study": (_study, _study)}


async def _live(folder: Path, die_at: int, before: bool, story: Story) -> None:
    def ports(database: Database, tasks: Tasks, workers: ThreadWorkers) -> Ports:
        return real_ports(database, tasks, DyingWorkers(die_at, before) if die_at else workers)

    thread = EngineThread(folder, user=USER, fork_cores=4, ports=ports)
    thread.start()
    await story(thread)
    await _over(thread)
    thread.stop()


def _life(folder: Path, die_at: int, before: bool, story: Story) -> None:
    asyncio.run(_live(folder, die_at, before, story))


async def _over(thread: EngineThread) -> None:
    """Wait until no job is active: told by the engine, not by the clock."""
    loop, news = asyncio.get_running_loop(), asyncio.Event()

    async def listen(engine: Engine) -> None:
        engine.subscribe(lambda events, jobs: loop.call_soon_threadsafe(news.set) and None)

    await thread.run(listen)
    while await thread.read(job_rows.active):
        await news.wait()
        news.clear()


def _in_child(work: Callable[[], Any]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a fork must never return
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _statuses(folder: Path) -> list[str]:
    database = Database.open(folder)
    rows = database.read(lambda c: search(c, JobQuery(), USER.name)).rows
    database.close()
    return [job.status.value for job in rows]


def _attempts(folder: Path) -> list[tuple[str, int, str]]:
    """Return case, number and status of all attempts of all cases; '' and 0 where one has no job."""
    query = (
        "SELECT case_id, coalesce(number, 0), coalesce(status, '') FROM study_cases LEFT JOIN study_attempts"
        " USING (study_id, position) LEFT JOIN jobs ON jobs.id = job_id ORDER BY position, number"
    )
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        return connection.execute(query).fetchall()


def main(base: Path, name: str = "bulk") -> None:
    first, again = STORIES[name]
    number = 0
    finished = False
    while not finished:
        number += 1
        for before in (True, False):
            folder = base / f"{number}-{before}"
            code = _in_child(partial(_life, folder, number, before, first))
            finished = code == 0
            assert code in (0, -signal.SIGKILL), code
            asked = _in_child(partial(_report, folder, "at_death"))
            resumed = _in_child(partial(_life, folder, 0, False, again))
            _in_child(partial(_report, folder, "at_end"))
            starts = [
                len(path.read_text().splitlines()) for path in sorted(folder.glob("work/jobs/*/starts"))
            ]
            found = json.loads((folder / "at_death").read_text())
            ended = json.loads((folder / "at_end").read_text())
            line = {"write": number, "before": before, "code": code, "resumed": resumed + asked}
            print(json.dumps({**line, "at_death": found, "at_end": ended, "starts": starts}), flush=True)
        finished |= name == "study" and bool(set(found["jobs"]) - {JobStatus.PENDING})


def _report(folder: Path, name: str) -> None:
    told = {"jobs": _statuses(folder), "attempts": _attempts(folder)}
    (folder / name).write_text(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
