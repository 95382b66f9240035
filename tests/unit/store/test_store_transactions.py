"""One writer, many readers, and a process that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy

from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store.database import Database
from jupyter_tapis_jobs.store.tables import jobs


def _number(conn):
    return conn.execute(sqlalchemy.select(sqlalchemy.func.count(jobs.c.id))).scalar_one()


def test_work_that_raises_stores_nothing(database, new_job):
    def work(conn):
        job_rows.insert(conn, [(new_job(), "{}", "{}")])
        raise KeyError("midway")

    with pytest.raises(KeyError):
        database.write(work)
    assert database.read(_number) == 0


def test_a_reader_is_not_held_up_by_a_writer_and_does_not_see_half_of_its_work(database, new_job):
    half_done, may_end = threading.Event(), threading.Event()

    def work(conn):
        job_rows.insert(conn, [(new_job(), "{}", "{}")])
        half_done.set()
        assert may_end.wait(30)

    writer = threading.Thread(target=database.write, args=[work])
    writer.start()
    assert half_done.wait(30)
    assert database.read(_number) == 0
    may_end.set()
    writer.join()
    assert database.read(_number) == 1


def test_a_reader_sees_one_unchanging_view(database, new_job, store_jobs):
    def work(conn):
        before = _number(conn)
        other = threading.Thread(target=store_jobs, args=[new_job()])
        other.start()
        other.join()
        return before, _number(conn)

    assert database.read(work) == (0, 0)
    assert database.read(_number) == 1


def test_a_reader_cannot_write(database, new_job):
    with pytest.raises(Exception, match=r"read-only|readonly"):
        database.read(lambda conn: job_rows.insert(conn, [(new_job(), "{}", "{}")]))
    assert database.read(_number) == 0


def test_more_readers_than_connections_are_kept_all_get_theirs(database, new_job, store_jobs):
    store_jobs(new_job())
    together = threading.Barrier(12)
    found = []

    def work(conn):
        together.wait(30)
        found.append(_number(conn))

    threads = [threading.Thread(target=database.read, args=[work]) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 12


def test_slices_are_read_on_one_view_while_others_write(database, new_job, store_jobs):
    store_jobs(*(new_job() for _ in range(3)))

    def slices(conn):
        for row in conn.execute(sqlalchemy.select(jobs.c.id)):
            yield row.id

    taken = database.read_slices(slices)
    first = next(taken)
    store_jobs(new_job())
    assert len([first, *taken]) == 3


_WRITES_UNTIL_KILLED = """
import sys
from pathlib import Path
from jupyter_tapis_jobs.model.job import Job
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store.database import Database

words = ("tenant owner name description app_id app_version job_type exec_system_id archive_system_id "
         "exec_system_logical_queue effective_user_id created last_updated").split()
numbers = "node_count cores_per_node memory_mb max_minutes".split()
fixed = dict.fromkeys(words, "x") | dict.fromkeys(numbers, 1)
database = Database.open(Path(sys.argv[1]), networked=lambda _: sys.argv[2] == "network")
call = 0
while True:
    new = [Job(uuid=f"{call}-{n}", status=JobStatus.PENDING, **fixed) for n in range(20)]
    database.write(lambda conn: job_rows.insert(conn, [(job, "{}", "x" * 2000) for job in new]))
    print(call, flush=True)
    call += 1
"""


@pytest.mark.parametrize("where", ["local", "network"])
def test_a_kill_loses_no_committed_transaction_and_leaves_no_half_one(folder: Path, where):
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITES_UNTIL_KILLED, str(folder), where], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    for _ in range(15):
        writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    told = [15 - 1, *(int(line) for line in writer.stdout.read().split())][-1]
    writer.stdout.close()
    writer.wait()
    database = Database.open(folder, networked=lambda _: where == "network")
    stored = [job.uuid for job in database.read(job_rows.active)]
    calls = len(stored) // 20
    assert stored == [f"{call}-{n}" for call in range(calls) for n in range(20)]
    assert calls > told
    database.close()
