"""Chained requests of studies as rows. Every function works inside the caller's transaction."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy import insert as insert_into

from ..model.errors import ConflictError
from ..model.status import JobStatus
from ..model.study_chain import Chain
from .study_tables import study_chains
from .tables import jobs

_chain = study_chains.c
#: Not a job yet.
_unsubmitted = _chain.job_uuid.is_(None)
_found = select(study_chains, jobs.c.status.label("job_status")).select_from(
    study_chains.outerjoin(jobs, jobs.c.uuid == _chain.job_uuid)
)


def add(conn: Connection, chain: Chain) -> Chain:
    """Store a new chained request; return it with its id."""
    values = {name: value for name, value in asdict(chain).items() if name not in ("id", "job_status")}
    values["outputs"] = json.dumps(chain.outputs)
    number = conn.execute(insert_into(study_chains).values(values).returning(_chain.id)).scalar_one()
    return replace(chain, id=number)


def of_study(conn: Connection, study_id: int) -> list[Chain]:
    """Return the chained requests of a study, oldest first."""
    rows = conn.execute(_found.where(_chain.study_id == study_id).order_by(_chain.id))
    return [_read(row) for row in rows]


def find(conn: Connection, study_id: int, chain_id: int) -> Chain | None:
    """Return a chained request of a study, or None."""
    row = conn.execute(_found.where(_chain.study_id == study_id, _chain.id == chain_id)).one_or_none()
    return _read(row) if row else None


def waiting_studies(conn: Connection) -> set[int]:
    """Return the studies that have a request waiting for their cases."""
    return set(conn.execute(select(_chain.study_id).where(_unsubmitted, _chain.refusal == "")).scalars())


def submit(conn: Connection, chain_id: int, job_uuid: str, cases: str) -> None:
    """Mark a request as the job that is stored in the same transaction.

    ``ConflictError``, so that the job is not stored, when it is one already or was taken back.
    """
    changed = conn.execute(
        update(study_chains).where(_chain.id == chain_id, _unsubmitted).values(job_uuid=job_uuid, cases=cases)
    )
    if changed.rowcount != 1:
        raise ConflictError(f"The chained request {chain_id} was submitted or taken back already.")


def refuse(conn: Connection, chain_id: int, refusal: str) -> None:
    """Keep why a request is not submitted."""
    conn.execute(update(study_chains).where(_chain.id == chain_id, _unsubmitted).values(refusal=refusal))


def hold(conn: Connection, study_id: int, refusal: str) -> None:
    """Keep all requests of a study that wait from being submitted, and say why."""
    waiting = (_chain.study_id == study_id, _unsubmitted, _chain.refusal == "")
    conn.execute(update(study_chains).where(*waiting).values(refusal=refusal))


def release(conn: Connection, study_id: int) -> None:
    """Let all requests of a study wait for its cases that are no job yet."""
    conn.execute(update(study_chains).where(_chain.study_id == study_id, _unsubmitted).values(refusal=""))


def remove(conn: Connection, chain_id: int) -> bool:
    """Take a request back; False when it is a job already, or not there."""
    return conn.execute(delete(study_chains).where(_chain.id == chain_id, _unsubmitted)).rowcount == 1


def _read(row: Row[Any]) -> Chain:
    status = JobStatus(row.job_status) if row.job_status else None
    return Chain(**{**row._mapping, "outputs": tuple(json.loads(row.outputs)), "job_status": status})
