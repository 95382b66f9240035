"""Attempts of cases, as they are stored in the transaction of their jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from ..model.fields import JobType
from ..model.job import Job
from ..model.study import Study
from ..store import studies as rows
from ..store import study_chains as chain_rows
from .study_wishes import Wish
from .submission import Accepted

#: A JSON object without members.
NOTHING = "{}"
_JSON = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def as_of(study: Study, accepted: Accepted) -> Accepted:
    """Return a job as one of a study: like ones may be started together."""
    mode = study.launch_mode if accepted.job.job_type == JobType.BATCH else "single"
    job = accepted.job.evolve(launch_mode=mode, cohort_id=study.cohort)
    return Accepted(job, accepted.definition, accepted.raw)


def keep(connection: Connection, study: Study, wishes: Sequence[Wish], jobs: Sequence[Job]) -> None:
    """Store cases and attempts in the transaction of their jobs."""
    new = [wish for wish in wishes if wish.standing is None]
    places = iter(
        rows.add_cases(
            connection,
            study.id,
            [(w.case.case_id, _text(w.case.parameters or {}), _text(w.raw)) for w in new],
        )
    )
    made = []
    for wish, job in zip(wishes, jobs, strict=True):
        number = 1 if wish.standing is None else wish.standing.attempt + 1
        place = next(places) if wish.standing is None else wish.standing.position
        overrides = _text(wish.overrides) if wish.overrides else NOTHING
        made.append((place, number, job, wish.why, overrides))
    rows.change_requests(
        connection,
        study.id,
        [(w.standing.position, _text(w.raw)) for w in wishes if w.standing and w.case.request is not None],
    )
    rows.add_attempts(connection, study.id, made)
    # What goes on with the cases waits for these now.
    chain_rows.release(connection, study.id)


def _text(value: Mapping[str, Any]) -> str:
    """Return JSON in the order given; ASCII, so that it can be sent as it is stored."""
    return _JSON.encode(dict(value))
