"""Studies (ours): cases go in, and come out as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from ..model.errors import InvalidInputError
from ..model.extensions import Extension
from ..model.study import Case, Study
from ..store import study_frame
from . import queries
from .call import Call
from .envelope import text
from .reply import Columns, Reply, Rows
from .route import Route, Takes
from .wire_studies import (
    AddedCases,
    CaseRow,
    GivenCases,
    NewStudy,
    Retried,
    StudyChanges,
    StudyDetails,
    StudyRow,
    StudyTold,
    added_to_wire,
)
from .wire_study_chains import chain_to_wire

# Models that are made by a function are no types to mypy.
_COLUMNS: Any = dict[str, list[Any]]
#: Cases of one page when the caller does not say.
_PAGE = 1000


# -- studies


async def create_study(call: Call) -> Reply:
    """Make a study; of one that is there only its settings are changed."""
    body = call.body
    asked = {name: getattr(body, name) for name in body.model_fields_set - {"name"}}
    if asked.pop("template", None) is not None:
        asked["template"] = json.dumps(body.template)
    study = await call.door.ask(lambda engine: engine.studies.create(call.user, body.name, asked))
    return await _details(call, study.name, "JOBS_STUDY_READY")


async def get_studies(call: Call) -> Reply:
    """List one's own studies, newest first."""
    told = await call.door.ask(
        lambda engine: engine.studies.told(call.user, archived=call.query.archived)
    )  # fmt: skip
    rows = Rows(told, lambda item: _row(*item))
    return Reply(rows, f"JOBS_STUDIES_FOUND Studies found: {len(told)}.")


async def get_study(call: Call) -> Reply:
    """Return one study."""
    return await _details(call, call.path["name"], "JOBS_STUDY_FOUND")


async def patch_study(call: Call) -> Reply:
    """Rename a study, archive it, or change its limits."""
    asked = {name: getattr(call.body, name) for name in call.body.model_fields_set}
    for name in ("name", "archived"):
        if name in asked and asked[name] is None:
            raise InvalidInputError(f"{name} cannot be null. Leave it out to keep it.", field=name)
    study = await call.door.ask(lambda engine: engine.studies.change(call.user, call.path["name"], asked))
    return await _details(call, study.name, "JOBS_STUDY_CHANGED")


async def delete_study(call: Call) -> Reply:
    """Forget a study; its jobs stay."""
    name = call.path["name"]
    await call.door.ask(lambda engine: engine.studies.remove(call.user, name))
    words = f"Study {name} is deleted; its jobs are still there."
    return Reply({"name": name, "message": words, "asked": 0}, f"JOBS_STUDY_DELETED {words}")


async def cancel_study(call: Call) -> Reply:
    """Ask all cases that are on their way to end."""
    name = call.path["name"]
    asked = await call.door.ask(lambda engine: engine.studies.cancel(call.user, name))
    words = f"{asked:,} cases of study {name} are asked to end."
    return Reply({"name": name, "message": words, "asked": asked}, f"JOBS_STUDY_CANCEL_ACCEPTED {words}")


async def _details(call: Call, name: str, code: str) -> Reply:
    ((study, counts),) = await call.door.ask(lambda engine: engine.studies.told(call.user, name))
    chains = await call.door.ask(lambda engine: engine.studies.chained(call.user, study.name))
    then = [chain_to_wire(chain, counts) for chain in chains]
    told = {**_row(study, counts), "template": json.loads(study.template), "then": then}
    return Reply(told, f"{code} Study {study.name} has {told['cases']:,} cases.")


def _row(study: Study, counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "name": study.name,
        "owner": study.owner,
        "launchMode": study.launch_mode,
        "maxFailures": study.max_failures,
        "maxRunning": study.max_running,
        "archived": study.archived,
        "cohortId": study.cohort,
        "created": study.created,
        "updated": study.updated,
        "cases": sum(counts.values()),
        "counts": dict(counts),
    }


# -- cases


async def add_cases(call: Call) -> Reply:
    """Submit the cases that are new or ended badly, all or none."""
    body = call.body
    cases = [Case(case_id=c.case_id, parameters=c.parameters, request=c.request) for c in body.cases]
    added = await call.door.ask(
        lambda engine: engine.studies.add(
            call.user,
            call.path["name"],
            cases,
            fresh=body.fresh,
            dry_run=body.dry_run,
            launch_mode=body.launch_mode,
        )
    )
    words = "would be submitted" if body.dry_run else "submitted"
    return Reply(
        added_to_wire(added), f"JOBS_CASES_ADDED {len(added.submitted):,} of {len(cases):,} cases {words}."
    )


async def retry_cases(call: Call) -> Reply:
    """Submit cases again with changes; those on their way are left alone."""
    body = call.body
    added = await call.door.ask(
        lambda engine: engine.studies.retry(call.user, call.path["name"], body.case_ids, body.changes)
    )
    return Reply(added_to_wire(added), f"JOBS_CASES_RETRIED {len(added.submitted):,} cases submitted again.")


async def get_frame(call: Call) -> Reply:
    """Return the table of a study by columns: a row for each case, or for each attempt."""
    study = await _study(call)
    is_all = call.query.attempts == "all"

    def read(connection: Connection) -> list[tuple[int, list[str]]]:
        slices = study_frame.columns(connection, study.id, all_attempts=is_all)
        return [(len(columns[0]), _texts(columns)) for columns in slices]

    slices = await call.door.read(read)
    count = sum(number for number, _ in slices)
    found = Columns(study_frame.FRAME_COLUMNS, [texts for _, texts in slices])
    return Reply(found, f"JOBS_STUDY_FRAME {count:,} rows of study {study.name}.", {"recordCount": count})


def _texts(columns: Sequence[Sequence[Any]]) -> list[str]:
    """Return each column's values as JSON; parameters are stored so."""
    named = zip(study_frame.FRAME_COLUMNS, columns, strict=True)
    return [",".join(column) if name == "parameters" else text(column)[1:-1] for name, column in named]


async def get_cases(call: Call) -> Reply:
    """Return cases as they were given, with their attempts, in order."""
    study = await _study(call)
    limit = _PAGE if call.query.limit is None else call.query.limit

    def read(connection: Connection) -> list[tuple[Any, Sequence[Any]]]:
        page = study_frame.cases(connection, study.id, max(call.query.skip, 0), limit if limit > 0 else -1)
        if not page:
            return []
        made = study_frame.attempts(connection, study.id, page[0].position, page[-1].position)
        return [(row, made.get(row.position, ())) for row in page]

    found = await call.door.read(read)
    return Reply(Rows(found, lambda item: _case(*item)), f"JOBS_CASES_FOUND Cases found: {len(found)}.")


def _case(row: Any, attempts: Sequence[Any]) -> dict[str, Any]:
    return {
        "caseId": row.case_id,
        "position": row.position,
        "parameters": json.loads(row.parameters),
        "request": json.loads(row.request),
        "attempts": [
            {
                "number": made.number,
                "jobUuid": made.job_uuid,
                "why": made.why,
                "overrides": json.loads(made.overrides),
            }
            for made in attempts
        ],
    }


async def _study(call: Call) -> Study:
    return await call.door.ask(lambda engine: engine.studies.get(call.user, call.path["name"]))


_STUDIES = "/v3/tapisjobs/studies"
_STUDY = f"{_STUDIES}/{{name}}"
_OURS = Extension.STUDIES
ROUTES = (
    Route("GET", _STUDIES, "getStudies", get_studies, queries.StudyList, result=list[StudyRow],
          extension=_OURS),
    Route("POST", _STUDIES, "createStudy", create_study, body=NewStudy, takes=Takes.MODEL,
          result=StudyDetails, extension=_OURS),
    Route("GET", _STUDY, "getStudy", get_study, result=StudyDetails, extension=_OURS),
    Route("PATCH", _STUDY, "patchStudy", patch_study, body=StudyChanges, takes=Takes.MODEL,
          result=StudyDetails, extension=_OURS),
    Route("DELETE", _STUDY, "deleteStudy", delete_study, result=StudyTold, extension=_OURS),
    Route("POST", f"{_STUDY}/cancel", "cancelStudy", cancel_study, result=StudyTold, extension=_OURS),
    Route("GET", f"{_STUDY}/cases", "getStudyCases", get_cases, queries.StudyCases, result=list[CaseRow],
          extension=_OURS),
    Route("POST", f"{_STUDY}/cases", "addStudyCases", add_cases, body=GivenCases, takes=Takes.MODEL,
          result=AddedCases, extension=_OURS),
    Route("POST", f"{_STUDY}/retry", "retryStudyCases", retry_cases, body=Retried, takes=Takes.MODEL,
          result=AddedCases, extension=_OURS),
    Route("GET", f"{_STUDY}/frame", "getStudyFrame", get_frame, queries.StudyFrame, result=_COLUMNS,
          extension=_OURS),
)  # fmt: skip
