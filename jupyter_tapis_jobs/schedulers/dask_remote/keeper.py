"""A Dask cluster on the host's Slurm, made when jobs want one, and gone when none has for a while.

A process of the host's user keeps it: it holds the scheduler, and has dask-jobqueue submit and end batch
jobs with workers as there are tasks (https://jobqueue.dask.org). It holds a lock (flock(2)) as long as it
lives, so there is one for each ``notes.dask.jobqueue`` and user; a second one to be finds the lock taken.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import hashlib
import json
import math
import os
import shutil
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from .cores import CORES, cores_of
from .marks import read, write
from .way import DaskTroubleError

#: Below the home of the host's user, which nodes of the cluster see as well.
PLACE = "~/.tapisjobs-dask"
LOCK, ADDRESS, LOG = "lock", "scheduler.json", "log"
#: Seconds in which a cluster has to be made, between two looks at its tasks, until idle workers go, and
#: between two questions to Slurm about batch jobs without a worker.
MADE, LOOK, REST, ASK = 60.0, 1.0, 30.0, 10.0


def way_to(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return address and certificates of the cluster that *wanted* describes; make it where there is none.

    Raises ``DaskTroubleError`` where it cannot be made.
    """
    words = json.dumps(wanted, sort_keys=True)
    place = os.path.join(os.path.expanduser(PLACE), hashlib.sha256(words.encode()).hexdigest()[:16])
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)
        with locking(place) as lock:
            if is_free(lock):
                make(wanted, place)
        return awaited(place)
    except OSError as fault:
        why = f"{place} on {socket.gethostname()} cannot be used: {fault.strerror}"
        raise DaskTroubleError(why) from None


@contextlib.contextmanager
def locking(place: str) -> Iterator[int]:
    """Give the lock of a cluster; what is taken is kept by who was forked meanwhile."""
    lock = os.open(os.path.join(place, LOCK), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield lock
    finally:
        os.close(lock)


def is_free(lock: int) -> bool:
    """Take a lock that nobody has; False where somebody has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def make(wanted: Mapping[str, Any], place: str) -> None:
    """Start the process that keeps the cluster; the lock goes with it."""
    try:
        import dask_jobqueue  # noqa: F401
    except ImportError as fault:
        raise DaskTroubleError(
            f"{sys.executable} on {socket.gethostname()} cannot make a cluster ({fault}): install "
            "dask-jobqueue, or name another Python as notes.dask.python"
        ) from None
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(place, ADDRESS))
    make_certificate(place)
    if os.fork():
        return
    # From here on in a process of its own, that outlives who asked.
    with contextlib.suppress(BaseException):
        os.setsid()
        log = os.open(os.path.join(place, LOG), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for number, file in enumerate((null, log, log)):
            os.dup2(file, number)
        os.chdir(place)
        try:
            keep(wanted, place)
        except BaseException as fault:  # noqa: BLE001 - its last words are for who waits
            traceback.print_exc()
            print(root_of(fault), file=sys.stderr, flush=True)
    os._exit(0)


def root_of(fault: BaseException) -> str:
    """Return what went wrong first, in one line."""
    while before := fault.__cause__ or fault.__context__:
        fault = before
    return " ".join(f"{type(fault).__name__}: {fault}".split())


def awaited(place: str) -> dict[str, Any]:
    """Return the way to a cluster once its address is known; raise where its keeper ends before."""
    what, deadline = "the Dask cluster of notes.dask.jobqueue", time.monotonic() + MADE
    while not (told := read(os.path.join(place, ADDRESS))):
        with locking(place) as lock:
            is_kept = not is_free(lock)
        if not is_kept and not read(os.path.join(place, ADDRESS)):
            last = read(os.path.join(place, LOG)).strip().rpartition("\n")[2]
            raise DaskTroubleError(f"{what} ended at once: {last or 'no word'}")
        if time.monotonic() > deadline:
            raise DaskTroubleError(f"{what} is not there within {MADE:g} s")
        time.sleep(0.1)
    return {"address": json.loads(told)["address"], "tls": certificates(place)}


def certificates(place: str) -> dict[str, str]:
    """Return the files by which scheduler, workers and clients know each other: one certificate for all."""
    certificate = os.path.join(place, "cert.pem")
    return {"ca": certificate, "cert": certificate, "key": os.path.join(place, "key.pem")}


def make_certificate(place: str) -> None:
    """Make a certificate of our own: without one every user of the host could run programs as this user."""
    files = certificates(place)
    if shutil.which("openssl") is None:
        raise DaskTroubleError(f"{socket.gethostname()} lacks openssl, which makes the cluster's certificate")
    made = subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "365", "-subj", "/CN=tapisjobs",
         "-keyout", files["key"], "-out", files["cert"]],
        capture_output=True, text=True,
    )  # fmt: skip
    if made.returncode:
        raise DaskTroubleError(f"openssl makes no certificate: {made.stderr.strip().rpartition(chr(10))[2]}")
    os.chmod(files["key"], 0o600)


def keep(wanted: Mapping[str, Any], place: str) -> None:
    """Hold a cluster until it has had nothing to do for as long as is wanted."""
    from dask_jobqueue.slurm import SLURMCluster

    with SLURMCluster(
        **options(wanted, place),
        security=security_of(certificates(place)),
        protocol="tls://",
        scheduler_options={"dashboard": False, "dashboard_address": ":0", "interface": wanted["interface"]},
    ) as cluster:
        path = os.path.join(place, ADDRESS)
        write(f"{path}.new", json.dumps({"address": cluster.scheduler_address}))
        os.rename(f"{path}.new", path)
        serve(cluster, wanted)
        os.unlink(path)


def serve(cluster: Any, wanted: Mapping[str, Any]) -> None:
    """Have as many batch jobs as the tasks want; return when there were none for as long as is wanted.

    Not by Dask's own ``adapt``: it counts workers, and ends a batch job that it has just asked for when
    that would bring more of them than there are tasks.
    """
    since = asked = time.monotonic()
    while (idle := time.monotonic() - since) < wanted["idleMinutes"] * 60:
        scheduler = cluster.scheduler
        if workers := workers_for(scheduler, wanted["cores"]):
            since = time.monotonic()
            if len(scheduler.workers) < len(cluster.worker_spec) and since - asked > ASK:
                asked = since
                forget_removed(cluster)
            jobs = min(wanted["maximumJobs"], workers)
            if jobs > len(cluster.worker_spec):
                cluster.scale(jobs=jobs)
        elif idle > REST and cluster.worker_spec:
            cluster.scale(jobs=0)
        time.sleep(LOOK)


def workers_for(scheduler: Any, cores: int) -> int:
    """Return how many workers of so many cores run all tasks at once that wait or run."""
    undone = [task for task in list(scheduler.tasks.values()) if task.state not in ("memory", "erred")]
    return math.ceil(sum(1 / max(1, cores // cores_of(task)) for task in undone))


def forget_removed(cluster: Any) -> None:
    """Forget batch jobs that Slurm has no more, so that others are asked for.

    Of one that was removed while it waited nobody else tells: it had no worker yet that could be missed.
    """
    told = subprocess.run(
        ["squeue", "--noheader", "--format=%A", "--user", getpass.getuser()],
        capture_output=True, text=True,
    )  # fmt: skip
    if told.returncode == 0:
        known = set(told.stdout.split())
        for name, job in list(cluster.workers.items()):
            if job.job_id not in known:
                # From both, as the next one gets the same name.
                cluster.worker_spec.pop(name, None)
                cluster.workers.pop(name, None)


def security_of(files: Mapping[str, str]) -> Any:
    """Return what scheduler, workers and the keeper's own client show each other."""
    from distributed import Security

    roles = ("client", "scheduler", "worker")
    shown = {f"tls_{role}_{part}": files[part] for role in roles for part in ("cert", "key")}
    return Security(tls_ca_file=files["ca"], require_encryption=True, **shown)


def options(wanted: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return what dask-jobqueue takes: one worker with a thread for each core, which a job of ours takes."""
    return {
        "queue": wanted["queue"],
        "account": wanted["account"],
        "cores": wanted["cores"],
        "processes": 1,
        "memory": wanted["memory"],
        "walltime": wanted["walltime"],
        "interface": wanted["interface"],
        "job_extra_directives": wanted["directives"],
        "worker_extra_args": ["--resources", f"{CORES}={wanted['cores']}"],
        "local_directory": place,
        "log_directory": place,
        "python": shutil.which(wanted["python"]),
    }
