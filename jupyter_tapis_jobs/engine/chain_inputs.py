"""What a chained job is given of its study: the table of the cases, and the outputs of FINISHED ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ..model.status import JobStatus
from ..model.study import TABLE_COLUMNS, Study
from ..model.study_chain import FOLDER
from ..store import jobs as job_rows
from ..store import study_frame
from .given_outputs import csv_text, given_output
from .outputs import output_place

_ENDED = frozenset(status.value for status in JobStatus if status.is_terminal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """The cases of a study as a chained job finds them."""

    #: CSV with a header; the columns of ``study.frame()``.
    table: str
    #: Row in the table -> (system, directory) of the outputs of a case that is FINISHED.
    places: Mapping[int, tuple[str, str]]
    #: Cases that have not ended.
    in_flight: int
    total: int

    @property
    def digest(self) -> str:
        """Names the cases as they stand: the same again when none has another attempt."""
        return hashlib.sha256(self.table.encode()).hexdigest()

    def inputs(self, outputs: Sequence[str]) -> Iterator[dict[str, str]]:
        """Yield the file inputs that bring *outputs* of each case below ``cases/ROW/``."""
        for row, place in self.places.items():
            for path in outputs:
                yield given_output(place, path, f"{FOLDER}/{row}/{path}")


def read_cases(conn: Connection, study: Study) -> Cases:
    """Return the cases of *study* as they are stored now."""
    slices = list(study_frame.columns(conn, study.id))
    columns = {
        name: [value for part in slices for value in part[place]]
        for place, name in enumerate(study_frame.FRAME_COLUMNS)
    }
    defaults = json.loads(study.template).get("defaults") or {}
    done = {
        uuid: row
        for row, (uuid, status) in enumerate(zip(columns["jobUuid"], columns["status"], strict=True))
        if status == JobStatus.FINISHED
    }
    jobs = job_rows.get_many(conn, done)
    definitions = job_rows.definitions(conn, [job.id for job in jobs.values()])
    return Cases(
        table=_table(columns, defaults),
        places={done[uuid]: output_place(job, definitions[job.id]) for uuid, job in jobs.items()},
        # Of a job that was removed long ago nobody may know the end.
        in_flight=sum(status not in _ENDED for status in columns["status"] if status),
        total=len(columns["status"]),
    )


def _table(columns: Mapping[str, Sequence[Any]], defaults: Mapping[str, Any]) -> str:
    """Return the table as CSV; a parameter that a case lacks has its default."""
    cases = [json.loads(text) for text in columns["parameters"]]
    names = list(dict.fromkeys(name for case in cases for name in case) | dict.fromkeys(defaults))
    told = zip(*(columns[name] for name in TABLE_COLUMNS), strict=True)
    rows = (
        [*(case.get(name, defaults.get(name)) for name in names), *values]
        for case, values in zip(cases, told, strict=True)
    )
    return csv_text([*names, *TABLE_COLUMNS], rows)
