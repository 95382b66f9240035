"""Where the Dask scheduler of a system is, and how it is reached: the system's ``notes.dask``.

The words are those of Dask itself (https://distributed.dask.org/en/stable/tls.html, ``dask scheduler
--help``). All paths are absolute, on the system's host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .dask_jobqueue import JobQueue
from .errors import InvalidInputError
from .note_values import refuse_unknown, whole_number, wrong
from .texts import refuse_control

if TYPE_CHECKING:
    from .system import System

#: The value of ``batchScheduler``; Tapis itself has none for it.
DASK = "DASK"
#: Where it stands in a system's notes.
FIELD = "notes.dask"
#: The logical queue of a system that names none; a task is one worker's.
_QUEUE = {"name": "workers", "hpcQueueName": "workers", "maxNodeCount": 1}
#: Seconds in which a scheduler has to answer, unless said otherwise; and the longest that may be said.
SECONDS, MOST_SECONDS = 5, 60
#: The Python that asks, unless said otherwise.
PYTHON = "python3"

_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}")
_WORDS = ("address", "schedulerFile", "jobqueue", "tls", "python", "seconds")
_CERTIFICATES = ("ca", "cert", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """The files by which client and scheduler trust each other (PEM)."""

    ca: str
    cert: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskCluster:
    """A Dask scheduler as the host of a system reaches it."""

    #: ``tcp://host:8786`` or ``tls://host:8786``; None where the file tells it.
    address: str | None = None
    #: The file that ``dask scheduler --scheduler-file`` writes.
    scheduler_file: str | None = None
    #: The cluster that is made where it is not there.
    jobqueue: JobQueue | None = None
    tls: Certificates | None = None
    #: A Python with ``distributed``; a path, or a name on the host's PATH.
    python: str = PYTHON
    #: In which the scheduler has to answer.
    seconds: int = SECONDS

    @classmethod
    def of(cls, notes: Any) -> DaskCluster:
        """Read ``notes.dask``; raises ``InvalidInputError`` naming what is wrong and the way out."""
        if not isinstance(notes, Mapping):
            wrong(FIELD, "", notes, 'is needed where batchScheduler is DASK: {"address": "tcp://host:8786"}')
        refuse_unknown(FIELD, notes, _WORDS)
        address, file, queue = (notes.get(word) for word in ("address", "schedulerFile", "jobqueue"))
        if [address, file, queue].count(None) != 2:
            ways = "address, such as tcp://host:8786; schedulerFile; jobqueue, on Slurm"
            wrong(FIELD, "", notes, f"needs one of: {ways}")
        if address is not None and not (isinstance(address, str) and _ADDRESS.fullmatch(address)):
            wrong(FIELD, "address", address, "is not of the form tcp://host:8786 or tls://host:8786")
        tls = _certificates(notes.get("tls"))
        if address is not None and (tls is not None) != address.startswith("tls://"):
            wrong(
                FIELD, "address", address, "and notes.dask.tls do not fit: tls:// needs it, tcp:// has none"
            )
        if queue is not None and tls is not None:
            wrong(
                FIELD, "tls", notes["tls"], "is not for notes.dask.jobqueue, which makes its own certificate"
            )
        return cls(
            address=address,
            scheduler_file=None if file is None else _path("schedulerFile", file),
            jobqueue=None if queue is None else JobQueue.of(queue),
            tls=tls,
            python=_python(notes.get("python", PYTHON)),
            seconds=whole_number(FIELD, "seconds", notes.get("seconds", SECONDS), MOST_SECONDS),
        )

    def to_request(self) -> dict[str, Any]:
        """Return it in the words of the notes, as the program on the host reads it."""
        return {
            "address": self.address,
            "schedulerFile": self.scheduler_file,
            "jobqueue": {**self.jobqueue.to_request(), "python": self.python} if self.jobqueue else None,
            "tls": asdict(self.tls) if self.tls else None,
            "seconds": self.seconds,
        }


def dask_rules(system: System) -> None:
    """Raise ``InvalidInputError`` where a system with Dask does not say how its scheduler is reached."""
    if system.can_run_batch and system.batch_scheduler == DASK:
        DaskCluster.of((system.notes or {}).get("dask"))


def with_dask_queue(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a definition with a logical queue where it names none: Dask itself has no queues.

    For a cluster that is made, this queue allows the cores that each worker is asked for with.
    """
    if not (isinstance(raw, Mapping) and raw.get("canRunBatch") and raw.get("batchScheduler") == DASK):
        return raw
    limits, queues = _limits(raw.get("notes")), raw.get("batchLogicalQueues") or [_QUEUE]
    match queues:
        case [{"name": "workers", **rest}]:
            queues = [{"name": "workers", **rest, **limits}]
    return {**raw, "batchLogicalQueues": queues}


def _limits(notes: Any) -> dict[str, Any]:
    """Return what a job may have at most, where the notes tell; wrong ones are told by ``dask_rules``."""
    try:
        queue = DaskCluster.of(notes.get("dask") if isinstance(notes, Mapping) else None).jobqueue
    except InvalidInputError:
        return {}
    return {"maxCoresPerNode": queue.cores} if queue else {}


def _certificates(value: Any) -> Certificates | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or sorted(value) != sorted(_CERTIFICATES):
        wrong(FIELD, "tls", value, 'needs the paths of three files: {"ca": …, "cert": …, "key": …}')
    return Certificates(**{name: _path(f"tls.{name}", value[name]) for name in _CERTIFICATES})


def _path(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        wrong(FIELD, name, value, "is no absolute path on the host")
    refuse_control(value, f"{FIELD}.{name}")
    return value


def _python(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"/.+|[A-Za-z0-9._-]+", value):
        wrong(FIELD, "python", value, "is neither an absolute path on the host nor the name of a command")
    refuse_control(value, f"{FIELD}.python")
    return value
