"""One job after all cases of a study, with their outputs as its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..model.errors import ConflictError, InvalidInputError
from ..model.extensions import Extension
from ..model.status import JobStatus
from .job_lists import job_rows
from .request import SHORTHANDS, merged, read_request
from .study_columns import JOB, STATUS

if TYPE_CHECKING:
    import pandas as pd

    from .job import Job
    from .tapis import Tapis

#: Where the job finds the table of the cases, and the outputs of the case in each of its rows.
TABLE, FOLDER = "cases.csv", "cases"
_PLACE = "uuid,archiveSystemId,archiveSystemDir"


def submit_after(
    tapis: Tapis,
    study: str,
    table: pd.DataFrame,
    app: Any,
    outputs: str | Sequence[str],
    given: Mapping[str, Any],
) -> Job:
    """Submit one job that has *table* as ``cases.csv`` and each case's *outputs* in ``cases/ROW/``.

    Only cases that are FINISHED have outputs there. Raises ``ConflictError`` where none is.
    """
    paths = [outputs] if isinstance(outputs, str) else list(outputs)
    wrong = next((path for path in paths if not path.strip("/") or ".." in path.split("/")), None)
    if wrong is not None or not paths:
        raise InvalidInputError(
            "outputs must name files or folders of the cases: outputs='peak.csv'.",
            field="outputs",
            value=wrong,
        )
    finished = table[table[STATUS] == str(JobStatus.FINISHED)]
    if not len(finished):
        raise ConflictError(f"No case of study '{study}' is FINISHED: there is nothing to go on with.")
    inputs = list(_inputs(tapis, dict(zip(finished[JOB], finished.index, strict=True)), paths))
    request = read_request(app)
    fields = {key: value for key, value in given.items() if key not in SHORTHANDS}
    shorthands = {key: given[key] for key in SHORTHANDS if given.get(key) is not None}
    shorthands["files"] = {TABLE: table.to_csv(index=False), **(shorthands.get("files") or {})}
    request = merged({"name": f"{study}-then", **request}, fields)
    request["fileInputs"] = [*(request.get("fileInputs") or []), *inputs]
    return tapis.submit(request, **shorthands)


def _inputs(tapis: Tapis, rows: Mapping[str, int], paths: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the file inputs for the outputs *paths* of jobs: uuid -> row of its case."""
    found = job_rows(tapis.connection, list(rows), _PLACE, by_body=tapis.can(Extension.BULK))
    places = {str(job["uuid"]): job for job in found}
    for uuid, row in rows.items():
        if uuid not in places:
            # The job was removed since; the table still tells its case.
            continue
        folder = str(places[uuid]["archiveSystemDir"]).strip("/")
        for path in (path.strip("/") for path in paths):
            address = quote(f"{folder}/{path}", safe="/@:+,=~")
            url = f"tapis://{places[uuid]['archiveSystemId']}/{address}"
            yield {"sourceUrl": url, "targetPath": f"{FOLDER}/{row}/{path}"}
