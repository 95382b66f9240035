"""Turns: where many jobs wait, owners go one by one, and an owner's studies and bulk calls in turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count
from typing import Any

from ..model.job import Job

#: Owner, and the study or bulk call that jobs came with; None: those that came alone.
Group = tuple[str, str | None]


def group_of(job: Job) -> Group:
    """Return with which others a job has its turn."""
    return job.owner, job.cohort_id


def in_turns(jobs: Iterable[Job], had: Callable[[Group], Any]) -> Iterator[Job]:
    """Yield jobs, one of each owner in turn; of an owner's groups the one that *had* least goes first.

    A group's jobs stay in the order given, and together: what is like is started together.
    """
    groups: dict[Group, list[Job]] = {}
    for job in jobs:
        groups.setdefault(group_of(job), []).append(job)
    by_owner: dict[str, list[list[Job]]] = {}
    for group in sorted(groups, key=had):
        by_owner.setdefault(group[0], []).append(groups[group])
    left = deque(map(chain.from_iterable, by_owner.values()))
    while left:
        for job in left[0]:
            yield job
            left.rotate(-1)
            break
        else:
            left.popleft()


class Turns:
    """Remembers whose jobs went on last: the others go first the next time."""

    def __init__(self) -> None:
        self._last: dict[Group, int] = {}
        self._clock = count(1)

    def of(self, jobs: Iterable[Job], had: Callable[[Group], int] = lambda group: 0) -> Iterator[Job]:
        """Yield those that wait, in the order of their turns; before it counts what each group *had*."""
        return in_turns(jobs, lambda group: (had(group), self._last.get(group, 0)))

    def went(self, jobs: Iterable[Job]) -> None:
        """Note that these went on."""
        for group in dict.fromkeys(map(group_of, jobs)):
            self._last[group] = next(self._clock)
