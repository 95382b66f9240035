"""200 mixed jobs on a real cluster: what is asked of each, and how each must end.

Every run appends its job's uuid to a witness file on the host before anything else. Long jobs wait for
a gate, a file on the host, so that a fault always meets jobs that run.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.model.errors import TapisJobsError
from jupyter_tapis_jobs.model.status import ALLOWED_MOVES, TERMINAL, JobStatus

#: Lines of each job's input and output, and what each holds besides the case's number.
ROWS, FILLING = 200, "x" * 20
#: The exit code of those that fail.
EXIT_CODE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Jobs of one sort."""

    count: int
    #: How they are handed to Slurm; None: FORK.
    mode: str | None
    fails: bool = False
    #: Waits for the gate.
    long: bool = False


KINDS = (
    Kind(count=16, mode=None),
    Kind(count=4, mode=None, fails=True),
    Kind(count=4, mode=None, long=True),
    Kind(count=10, mode="single"),
    Kind(count=4, mode="single", fails=True),
    Kind(count=4, mode="single", long=True),
    Kind(count=56, mode="array"),
    Kind(count=8, mode="array", fails=True),
    Kind(count=6, mode="array", long=True),
    Kind(count=74, mode="pack"),
    Kind(count=8, mode="pack", fails=True),
    Kind(count=6, mode="pack", long=True),
)
assert sum(kind.count for kind in KINDS) == 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One accepted job."""

    number: int
    uuid: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a job stands, as the server tells."""

    status: str
    condition: str | None
    message: str
    exit_code: str | None


@dataclass(slots=True, kw_only=True)
class Study:
    """The jobs of one fault; *name* is part of theirs, *folder* holds witness and gate."""

    name: str
    folder: Path
    system: str
    cases: dict[str, Case] = field(default_factory=dict)
    #: uuid -> the conditions with which a job may fail that something was done to.
    hurt: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def gate(self) -> Path:
        """The file that long jobs wait for."""
        return self.folder / "gate"

    @property
    def witness(self) -> Path:
        """A line for each run."""
        return self.folder / "witness"

    def runs(self) -> Counter[str]:
        """Return uuid -> how often it was started."""
        return Counter(self.witness.read_text().split())

    # --- asking ---
    def submit(self, tapis: Tapis) -> None:
        """Submit all jobs: one bulk call for each way of launching."""
        for mode in dict.fromkeys(kind.mode for kind in KINDS):
            numbered = list(self._numbered(mode))
            accepted = tapis.submit_many(
                [self._request(kind, number) for number, kind in numbered], launch_mode=mode
            )
            for (number, kind), job in zip(numbered, accepted, strict=True):
                assert not isinstance(job, TapisJobsError), job
                self.cases[job.uuid] = Case(number=number, uuid=job.uuid, kind=kind)

    def _numbered(self, mode: str | None) -> Iterator[tuple[int, Kind]]:
        every = enumerate(kind for kind in KINDS for _ in range(kind.count))
        # Sorts are mixed: by the last digit first.
        chosen = [(number, kind) for number, kind in every if kind.mode == mode]
        yield from sorted(chosen, key=lambda one: (one[0] % 7, one[0]))

    def _request(self, kind: Kind, number: int) -> Mapping[str, Any]:
        return {
            "appId": "bash",
            "appVersion": "1.0",
            "name": f"{self.name}-{number}",
            "execSystemId": self.system,
            "jobType": "BATCH" if kind.mode else "FORK",
            "memoryMB": 100,
            "maxMinutes": 30,
            "script": self._script(kind, number),
            "files": {"case.txt": f"{number}\n" * ROWS},
        }

    def _script(self, kind: Kind, number: int) -> str:
        lines = [f'echo "$_tapisJobUUID" >> {self.witness}']
        if kind.long:
            lines.append(f"while [ ! -e {self.gate} ] && [ -e {self.witness} ]; do sleep 0.3; done")
        lines += [
            "echo number,filling > out.csv",
            f'while read -r line; do echo "$line,{FILLING}"; done < case.txt >> out.csv',
            f"exit {EXIT_CODE if kind.fails else 0}",
        ]
        return "\n".join(lines) + "\n"

    # --- how they stand ---
    def ends(self, tapis: Tapis) -> dict[str, End]:
        """Return uuid -> how each job stands now."""
        fields = "uuid,status,condition,lastMessage,remoteResultInfo"
        rows = tapis.connection.get(
            "/v3/jobs/search", **{"name.like": f"{self.name}-*", "limit": -1, "select": fields}
        )
        return {
            row["uuid"]: End(
                status=row["status"],
                condition=row.get("condition"),
                message=row.get("lastMessage") or "",
                exit_code=row.get("remoteResultInfo"),
            )
            for row in rows
        }


def expected(kind: Kind) -> str:
    """Return the status in which a job of that sort ends when nothing but trouble around it happens."""
    return JobStatus.FAILED if kind.fails else JobStatus.FINISHED


def output_of(number: int) -> bytes:
    """Return what a whole ``out.csv`` holds."""
    return ("number,filling\n" + f"{number},{FILLING}\n" * ROWS).encode()


def histories(store: Path, name: str) -> dict[str, list[tuple[str, str]]]:
    """Return uuid -> (status, description) of its whole history, as the store has it."""
    query = (
        "SELECT jobs.uuid, job_events.event_detail, job_events.description FROM job_events"
        " JOIN jobs ON jobs.id = job_events.job_id"
        " WHERE jobs.name LIKE ? AND job_events.event = 'JOB_NEW_STATUS' ORDER BY job_events.id"
    )
    found: dict[str, list[tuple[str, str]]] = {}
    with closing(sqlite3.connect(f"file:{store / 'jobs.sqlite'}?mode=ro", uri=True)) as conn:
        for uuid, status, description in conn.execute(query, (f"{name}-%",)):
            found.setdefault(uuid, []).append((status, description))
    return found


def check_history(history: Sequence[tuple[str, str]], status: str) -> None:
    """History and status agree, no state is skipped, every BLOCKED has a cause."""
    assert history[-1][0] == status, history
    for (before, _), (after, _) in itertools.pairwise(history):
        assert JobStatus(after) in ALLOWED_MOVES[JobStatus(before)], history
    assert all(description.strip() for held, description in history if held == JobStatus.BLOCKED), history
    assert sum(JobStatus(one) in TERMINAL for one, _ in history) == 1, history
