"""The tables of studies: what was asked for, the cases in order, and every attempt with its job."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from .tables import metadata


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


#: Studies of users. ``template`` is JSON; a limit of null is none.
studies = Table(
    "studies",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("owner"),
    _text("name"),
    _text("template"),
    _text("launch_mode"),
    _text("created"),
    _text("updated"),
    Column("max_failures", Integer),
    Column("max_running", Integer),
    _number("archived"),
    UniqueConstraint("owner", "name"),
    sqlite_autoincrement=True,
)


def _of_study(*keys: str) -> tuple[Column[int], ...]:
    study = Column("study_id", Integer, ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    return (study, *(Column(key, Integer, primary_key=True) for key in keys))


#: The cases of a study in order. ``attempts`` is the number of the last one; ``parameters`` is JSON.
study_cases = Table(
    "study_cases",
    metadata,
    *_of_study("position"),
    _text("case_id"),
    _number("attempts"),
    _text("parameters"),
    UniqueConstraint("study_id", "case_id"),
)

#: The rendered request of each case, JSON. Apart from ``study_cases``, so that frames read short rows.
study_requests = Table("study_requests", metadata, *_of_study("position"), _text("request"))

#: The attempts of cases. ``overrides`` is JSON; ``outcome`` is the status of a job that was removed.
study_attempts = Table(
    "study_attempts",
    metadata,
    *_of_study("position", "number"),
    _number("job_id"),
    _text("job_uuid"),
    _text("why"),
    _text("overrides"),
    Column("outcome", Text),
)
# Of which case a job is: asked for jobs that failed, and for those that are removed.
Index("study_attempts_job", study_attempts.c.job_id)

#: Requests of one job each that goes on with the outputs of all cases. ``request`` and ``outputs`` are JSON;
#: ``cases`` names the cases as they stood when the job was submitted.
study_chains = Table(
    "study_chains",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study_id", Integer, ForeignKey("studies.id", ondelete="CASCADE"), nullable=False),
    _text("created"),
    _text("request"),
    _text("outputs"),
    _text("refusal"),
    Column("cases", Text),
    Column("job_uuid", Text),
    sqlite_autoincrement=True,
)
# What a study's cases go on with.
Index("study_chains_study", study_chains.c.study_id)
