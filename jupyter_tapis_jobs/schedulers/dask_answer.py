"""What the program on the host answered about Dask, and what that means for each job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..model.dask import DaskCluster
from ..model.status import Condition
from ..transports.base import Answer
from .base import Launch, Report, Sighting, Submission
from .dask_script import NO_PYTHON, key

#: States of a task that waits (https://distributed.dask.org/en/stable/scheduling-state.html).
_WAITING = frozenset({"released", "waiting", "no-worker", "queued"})
_LOST = "its Dask worker was lost, and what it ran was ended with it: submit it again"
_GONE = "its directory on the host is gone: somebody or something deleted it before it began"
_NO_WORKERS = "the Dask cluster has no workers now: it waits for one"
_TOO_LARGE = "no Dask worker has {cores} cores, the largest has {most}: lower coresPerNode"
_BUSY = "it waits for a Dask worker that has nothing else to do"


def parse_submit(submission: Submission, answer: Answer) -> Mapping[str, Report]:
    """Return uuid -> QUEUED for what was taken, AWAY for all when the scheduler could not be asked."""
    lines = list(_lines(answer))
    accepted = {uuid for line in lines for uuid in line.get("accepted", ())}
    if accepted:
        return {
            job.uuid: Report(sighting=Sighting.QUEUED, remote_job_id=key(job, submission.id))
            for job in submission.launches
            if job.uuid in accepted
        }
    return _away(submission.launches, answer, lines)


def parse_look(launches: Sequence[Launch], answer: Answer) -> Mapping[str, Report]:
    """Return uuid -> report; nothing when the answer has no end.

    Without the scheduler all are AWAY but those that are known to be lost on the host itself.
    """
    lines = list(_lines(answer))
    end = next((line for line in lines if "looked" in line), None)
    away = {} if end else _away(launches, answer, lines)
    if not end and not away:
        return {}
    said = {line["job"]: line for line in lines if "job" in line}
    judged = ((job, _judge(job, said[job.uuid], end or {})) for job in launches if job.uuid in said)
    return away | {
        job.uuid: Report(
            sighting=sighting,
            remote_job_id=key(job, job.submission_id) if job.submission_id else None,
            condition=condition,
            reason=reason,
        )
        for job, (sighting, condition, reason) in judged
        if sighting is not None
    }


def parse_cancel(answer: Answer) -> frozenset[str]:
    """Return the uuids of the jobs that are really gone."""
    return frozenset(line["gone"] for line in _lines(answer) if "gone" in line)


Judgement = tuple[Sighting | None, Condition | None, str]


def _judge(job: Launch, said: Mapping[str, Any], cluster: Mapping[str, Any]) -> Judgement:
    """Say what marks and scheduler mean together; the marks were read before and after it was asked."""
    task = said["task"]
    match said["marks"]:
        case "ended":
            return Sighting.ENDED, None, ""
        case "revoked":
            return Sighting.ABSENT, None, ""
        case "claimed" if task is None and said["before"] != "claimed":
            # It began and was done with while we looked.
            return None, None, ""
        case "claimed" if task is None or task in _WAITING:
            return Sighting.VANISHED, Condition.SCHEDULER_TERMINATED, _LOST
        case "claimed":
            return Sighting.RUNNING, None, ""
        case "missing":
            return (Sighting.REFUSED, None, _GONE) if task is None else (None, None, "")
    if task is not None:
        return Sighting.QUEUED, None, _waits_for(job, task, cluster)
    if said["refused"]:
        return Sighting.REFUSED, None, f"Dask could not start the job: {said['refused']}"
    return Sighting.ABSENT, None, ""


def _waits_for(job: Launch, task: str, cluster: Mapping[str, Any]) -> str:
    if not cluster.get("workers"):
        return _NO_WORKERS
    if task == "no-worker" and job.cores > (most := cluster.get("cores") or 0) > 0:
        return _TOO_LARGE.format(cores=job.cores, most=most)
    return _BUSY if task in _WAITING else ""


def _away(
    launches: Sequence[Launch], answer: Answer, lines: Sequence[Mapping[str, Any]]
) -> dict[str, Report]:
    """Return AWAY with the program's sentence for every job; nothing where nothing is known."""
    trouble = next((line["trouble"] for line in lines if "trouble" in line), "")
    if NO_PYTHON in answer.stdout.splitlines():
        python = DaskCluster.of(launches[0].notes).python
        trouble = f"there is no {python} on the host: correct notes.dask.python"
    if not trouble:
        return {}
    return {job.uuid: Report(sighting=Sighting.AWAY, reason=trouble) for job in launches}


def _lines(answer: Answer) -> Iterator[Mapping[str, Any]]:
    """Yield the lines of the answer; what is no object of JSON is somebody else's."""
    for line in answer.stdout.splitlines():
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except ValueError:
                continue
