"""The verbs of the scheduler contract, on the host. Usage: python -m tapisjobs_dask REQUEST.json."""

from __future__ import annotations

import json
import logging
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import keeper, marks
from .cores import by_cores, most_cores, taken
from .way import DaskTroubleError, connect, leave, say
from .worker import TOPIC, is_dead_here, run_job

#: Seconds in which the scheduler has to take a cohort up, and in which jobs are to be gone.
REGISTERED, ENDED = 120.0, 10.0


def tasks_of(keys: Sequence[str], topic: str, dask_scheduler: Any = None) -> dict[str, Any]:
    """Return what the scheduler itself knows: tasks that are not done, starts that failed, its workers."""
    known, wanted, done = dask_scheduler.tasks, set(keys), ("memory", "erred", "forgotten")
    events = [event for _, event in dask_scheduler.get_events(topic)]
    return {
        "states": {key: known[key].state for key in keys if key in known and known[key].state not in done},
        "refused": {event["key"]: event["why"] for event in events if event["key"] in wanted},
        "workers": len(dask_scheduler.workers),
        "cores": most_cores(dask_scheduler),
    }


def reach(cluster: Mapping[str, Any]) -> Any:
    """Return a client of the scheduler, which may have to be made first."""
    wanted = cluster.get("jobqueue")
    return connect({**cluster, **keeper.way_to(wanted)} if wanted else cluster)


def ask(client: Any, keys: Sequence[str]) -> dict[str, Any]:
    """Ask the scheduler about tasks: one call for all."""
    answer: dict[str, Any] = client.run_on_scheduler(tasks_of, keys, TOPIC)
    return answer


def task(job: Mapping[str, Any]) -> None:
    """Run one job; Dask sends whole what stands in ``__main__``, and what that uses."""
    run_job(job)


def submit(request: Mapping[str, Any]) -> None:
    """Hand a cohort over, and wait until the scheduler has it: it is to go on without this client."""
    client = reach(request["cluster"])
    jobs = request["jobs"]
    keys = [job["key"] for job in jobs]
    # Workers of a cluster that is made tell their cores, though none may be there yet.
    told = bool(request["cluster"].get("jobqueue")) or ask(client, [])["cores"] is not None
    # Held until they are kept: what nobody wants is forgotten.
    futures = [
        client.map(
            task, group, key=[job["key"] for job in group], pure=False, resources=taken(cores, told=told)
        )
        for cores, group in by_cores(jobs).items()
    ]
    await_until(lambda: client.run_on_scheduler(keep, keys), REGISTERED)
    del futures
    say(accepted=[job["uuid"] for job in jobs])


def keep(keys: Sequence[str], dask_scheduler: Any = None) -> bool:
    """Have the scheduler go on with tasks when their client is gone; False when it does not know all yet.

    It is what ``fire_and_forget`` asks for, and that is too late for a task that has ended: the scheduler
    would remember it for ever.
    """
    known = dask_scheduler.tasks
    if any(key not in known for key in keys):
        return False
    undone = [key for key in keys if known[key].state not in ("memory", "erred")]
    dask_scheduler.client_desires_keys(undone, "fire-and-forget")
    return True


def look(request: Mapping[str, Any]) -> None:
    """Say what the scheduler and then the marks tell of each job."""
    jobs = request["jobs"]
    before = [marks.state(job["place"]) for job in jobs]
    try:
        known = ask(reach(request["cluster"]), [job["key"] for job in jobs])
    except DaskTroubleError:
        # Its workers leave without it, and their guards end what they ran.
        for job in filter(is_lost_here, jobs):
            say(job=job["uuid"], before="claimed", marks="claimed", task=None, refused=None)
        raise
    for job, first in zip(jobs, before, strict=True):
        key, state = job["key"], known["states"].get(job["key"])
        then = marks.state(job["place"]) if state or first == "ended" else marks.fresh_state(job["place"])
        if state is None and first == then == "claimed":
            # Lost to the scheduler; should a worker have it all the same, it is ended there.
            marks.write(f"{job['place']}/{marks.KILLED}", f"{marks.LOST}\n")
        say(job=job["uuid"], before=first, marks=then, task=state, refused=known["refused"].get(key))
    say(looked=len(jobs), workers=known["workers"], cores=known["cores"])


def is_lost_here(job: Mapping[str, Any]) -> bool:
    """Tell, without the scheduler, whether a job is gone from this machine and left no word."""
    place = job["place"]
    return marks.state(place) == "claimed" and is_dead_here(place) and marks.fresh_state(place) == "claimed"


def cancel(request: Mapping[str, Any]) -> None:
    """Mark jobs as killed, keep those from starting that have not begun, and wait for the others' end."""
    jobs = request["jobs"]
    for job in jobs:
        if marks.state(job["place"]) in ("free", "claimed"):
            marks.write(f"{job['place']}/{marks.KILLED}", f"{request['why']}\n")
            marks.revoke(job["place"], job["uuid"])
    idle = [job for job in jobs if marks.state(job["place"]) in ("ended", "revoked")]
    idle += [job for job in jobs if job not in idle and is_lost_here(job)]
    for job in idle:
        say(gone=job["uuid"])
    client = reach(request["cluster"])
    forget(client, [job["key"] for job in idle])
    left = {job["uuid"]: job for job in jobs if job not in idle}

    def all_gone() -> bool:
        states = ask(client, [job["key"] for job in left.values()])["states"]
        for uuid, job in list(left.items()):
            # What a lost worker leaves behind is ended by its guard, at that moment.
            if marks.state(job["place"]) == "ended" or job["key"] not in states:
                say(gone=uuid)
                del left[uuid]
        return not left

    await_until(all_gone, ENDED + request["grace"])


def forget(client: Any, keys: Sequence[str]) -> None:
    """Take tasks back that have nothing to do any more."""
    from distributed import Future

    known = ask(client, keys)["states"]
    if known:
        client.cancel([Future(key, client=client) for key in known], force=True)


def await_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until *condition* holds; raises ``DaskTroubleError`` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise DaskTroubleError(f"the Dask scheduler was not done within {seconds:g} s: it is busy")
        time.sleep(0.1)


def main() -> None:
    """Do what the request asks for."""
    logging.disable()
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        {"submit": submit, "look": look, "cancel": cancel}[request["verb"]](request)
    except DaskTroubleError as trouble:
        leave(str(trouble))
    except Exception as fault:  # noqa: BLE001 - whatever Dask says, the engine reads lines
        leave(f"Dask failed on {socket.gethostname()}: {type(fault).__name__}: {fault}")
    leave()


if __name__ == "__main__":
    main()
