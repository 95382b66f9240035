"""How many jobs may be active at a time, by system, owner, queue and app (Tapis Jobs, "Job Quotas").

A study (ours) has a limit of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from ..model.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits that hold for one job; None or a number below one means no limit.

    ``disabled`` is a sentence when its system or app has been switched off since it was accepted;
    ``stopped`` is one when its study has had enough failures.
    """

    on_system: int | None = None
    per_owner: int | None = None
    on_queue: int | None = None
    per_owner_on_queue: int | None = None
    per_study: int | None = None
    disabled: str = ""
    stopped: str = ""
    #: The name of its study.
    study: str = ""

    @staticmethod
    def keys(job: Job) -> tuple[tuple[str, ...], ...]:
        """Return what a job counts for, in the order of the limits above.

        A queue counts what its scheduler is given: of an array or a pack that is one for many jobs, and
        is counted when it is handed over.
        """
        system, queue = job.exec_system_id, job.exec_system_logical_queue or ""
        in_queue = (system, queue) if job.launch_mode == "single" else ("together", job.uuid)
        return (
            ("system", system),
            ("owner", system, job.owner),
            ("queue", *in_queue),
            ("owner on queue", *in_queue, job.owner),
            ("study", job.cohort_id or ""),
        )


def tallied(jobs: Iterable[Job]) -> Counter[tuple[str, ...]]:
    """Return how many of *jobs* count for what; thousands that are alike are counted as one kind."""
    kinds: dict[tuple[str | None, ...], list[Job]] = {}
    for job in jobs:
        kinds.setdefault(_KIND(job), []).append(job)
    tally: Counter[tuple[str, ...]] = Counter()
    for alike in kinds.values():
        for key in Limits.keys(alike[0]):
            tally[key] += len(alike)
    return tally


#: What ``Limits.keys`` looks at.
_KIND = attrgetter("exec_system_id", "owner", "exec_system_logical_queue", "launch_mode", "cohort_id")
_WORDS = (
    "{system} takes {limit} jobs at a time",
    "{system} takes {limit} jobs of one owner at a time",
    "queue {queue} of {system} takes {limit} jobs at a time",
    "queue {queue} of {system} takes {limit} jobs of one owner at a time",
    "study {study} has at most {limit} cases under way at a time (maxRunning)",
)


def first_reached(limits: Limits, job: Job, tally: Counter[tuple[str, ...]]) -> str:
    """Return a sentence for the first limit that leaves no place for *job*, or ''."""
    values = (
        limits.on_system,
        limits.per_owner,
        limits.on_queue,
        limits.per_owner_on_queue,
        limits.per_study,
    )
    for limit, key, words in zip(values, Limits.keys(job), _WORDS, strict=True):
        if limit is not None and limit > 0 and tally[key] >= limit:
            sentence = words.format(
                system=job.exec_system_id,
                queue=job.exec_system_logical_queue,
                limit=limit,
                study=limits.study,
            )
            return f"{sentence}; this one goes on when another has ended."
    return ""
