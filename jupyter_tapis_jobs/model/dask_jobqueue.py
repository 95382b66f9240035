"""A Dask cluster that is made on a host's Slurm when jobs want one: ``notes.dask.jobqueue`` of a system.

The words are those of dask-jobqueue (https://jobqueue.dask.org, ``SLURMCluster``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .note_values import refuse_unknown, whole_number, wrong
from .texts import refuse_control

FIELD = "notes.dask.jobqueue"
#: Words of the notes -> what they are where nothing is said.
DEFAULTS: Mapping[str, Any] = {
    "queue": None,
    "account": None,
    "interface": None,
    "cores": 1,
    "memory": "1GB",
    "walltime": "01:00:00",
    "maximumJobs": 1,
    "idleMinutes": 10,
    "directives": (),
}
_MOST = {"cores": 1024, "maximumJobs": 1000, "idleMinutes": 7 * 24 * 60}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+,/-]*")
_FORMS = {
    "memory": (re.compile(r"[1-9][0-9]*(\.[0-9]+)? ?[kMGT]i?B"), "such as 8GB"),
    "walltime": (re.compile(r"([0-9]+-)?[0-9]{1,3}:[0-9]{2}:[0-9]{2}"), "such as 02:00:00"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQueue:
    """Batch jobs with Dask's workers: one worker with one thread for each core."""

    queue: str | None
    account: str | None
    #: The network interface of scheduler and workers.
    interface: str | None
    #: Of one batch job: cores, memory, and how long it may run.
    cores: int
    memory: str
    walltime: str
    #: As many at once; none runs while there is nothing to do.
    maximum_jobs: int
    #: After which the cluster ends that has nothing to do.
    idle_minutes: int
    #: More ``#SBATCH`` lines, without that word.
    directives: tuple[str, ...]

    @classmethod
    def of(cls, notes: Any) -> JobQueue:
        """Read ``notes.dask.jobqueue``; raises ``InvalidInputError`` naming what is wrong and the way out."""
        if not isinstance(notes, Mapping):
            wrong(FIELD, "", notes, 'is no object such as {"queue": "normal", "cores": 8, "memory": "16GB"}')
        refuse_unknown(FIELD, notes, DEFAULTS)
        said = {**DEFAULTS, **notes}
        return cls(
            queue=_name("queue", said["queue"]),
            account=_name("account", said["account"]),
            interface=_name("interface", said["interface"]),
            memory=_formed("memory", said["memory"]),
            walltime=_formed("walltime", said["walltime"]),
            cores=_number("cores", said["cores"]),
            maximum_jobs=_number("maximumJobs", said["maximumJobs"]),
            idle_minutes=_number("idleMinutes", said["idleMinutes"]),
            directives=_directives(said["directives"]),
        )

    def to_request(self) -> dict[str, Any]:
        """Return it in the words of the notes, as the program on the host reads it."""
        return {
            "queue": self.queue,
            "account": self.account,
            "interface": self.interface,
            "cores": self.cores,
            "memory": self.memory,
            "walltime": self.walltime,
            "maximumJobs": self.maximum_jobs,
            "idleMinutes": self.idle_minutes,
            "directives": list(self.directives),
        }


def _name(word: str, value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and _NAME.fullmatch(value)):
        wrong(FIELD, word, value, "is no name")
    return None if value is None else str(value)


def _formed(word: str, value: Any) -> str:
    form, example = _FORMS[word]
    if not isinstance(value, str) or not form.fullmatch(value):
        wrong(FIELD, word, value, f"is not of the form {example}")
    return str(value)


def _number(word: str, value: Any) -> int:
    return whole_number(FIELD, word, value, _MOST[word])


def _directives(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(line, str) for line in value):
        wrong(FIELD, "directives", value, 'is no list of texts such as ["--constraint=cpu"]')
    for line in value:
        refuse_control(line, f"{FIELD}.directives")
        if not line.startswith("-"):
            wrong(FIELD, "directives", line, "is no option of sbatch, such as --constraint=cpu")
    return tuple(value)
