"""A study whose cases are done, written as the engine writes it, before any server has it open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from store_of_jobs import ended_job, owner, plain_definition

from jupyter_tapis_jobs.client.study_calls import Case
from jupyter_tapis_jobs.model.study import Study, Why
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store import studies as study_rows
from jupyter_tapis_jobs.store.database import Database

_MADE = "2026-01-01T00:00:00.000000Z"


def kept(data: Path, name: str, template: dict[str, Any], cases: Sequence[Case]) -> None:
    """Put the study *name* with *cases*, each run once and FINISHED, into the store in *data*."""
    study = Study(
        owner=owner(), name=name, template=json.dumps(template), launch_mode="auto",
        created=_MADE, updated=_MADE,
    )  # fmt: skip
    database = Database.open(data)
    try:
        database.write(lambda connection: _keep(connection, study, cases))
    finally:
        database.close()


def _keep(connection: Connection, study: Study, cases: Sequence[Case]) -> None:
    study = study_rows.add(connection, study)
    requests = [json.dumps(case.request) for case in cases]
    jobs = [ended_job(number, cohort=study.cohort) for number in range(len(cases))]
    rows = [(job, asked, plain_definition(job)) for job, asked in zip(jobs, requests, strict=True)]
    stored = job_rows.insert(connection, rows)
    given = [(case.case_id, json.dumps(case.parameters)) for case in cases]
    new = [(*ids, request) for ids, request in zip(given, requests, strict=True)]
    places = study_rows.add_cases(connection, study.id, new)
    made = [(place, 1, job, Why.RUN, "{}") for place, job in zip(places, stored, strict=True)]
    study_rows.add_attempts(connection, study.id, made)
