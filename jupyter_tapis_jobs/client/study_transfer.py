"""A study from a server into a file, and from a file to a server: with app, inputs and rendered requests."""

from __future__ import annotations

import hashlib
import json
import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ..model.errors import ConflictError, NotFoundError, TapisJobsError
from ..model.times import iso
from .carrier import Carrier
from .connection import path_text, segment
from .study_calls import Case, StudyCalls
from .study_cases import Built
from .study_crate import StudyRecord, read_crate, write_crate
from .study_settings import SETTINGS, settings_of, want_studies
from .study_template import StudyTemplate

if TYPE_CHECKING:
    import pandas as pd

    from .study import Study
    from .tapis import Tapis

_Json = Mapping[str, Any]
#: An upload's address ends with the digest of its content, and its name.
_UPLOAD = re.compile(r"tapis://(?P<system>[^/]+)/(?P<path>.*/(?P<digest>[0-9a-f]{64})/[^/]+)")
_SECRET = re.compile(r"password|passwd|secret|token|api_?key|credential", re.IGNORECASE)


def export_study(
    tapis: Tapis,
    name: str,
    path: str | Path,
    *,
    results: pd.DataFrame | None = None,
    now: float | None = None,
) -> Path:
    """Write a study with all that is needed to repeat it into one RO-Crate zip; return where.

    Template, settings, each case with its rendered request, all attempts, the app's definition, the files
    that were uploaded for it, and *results* where given. Inputs at other addresses stay there. Warns of
    what could not be taken along, and of variables that look like secrets.
    """
    calls = StudyCalls(tapis.connection, name)
    info = calls.info()
    cases = [{key: case.get(key) for key in ("caseId", "parameters", "request")} for case in calls.cases()]
    requests: list[_Json] = [case["request"] or {} for case in cases]
    inputs, lost = _inputs(tapis, requests)
    record = StudyRecord(
        name=name,
        template=info.get("template") or {},
        settings={key: info[key] for key in SETTINGS if info.get(key) is not None},
        cases=cases,
        attempts=calls.columns("all"),
        apps=list(_apps(tapis, requests)),
        inputs=inputs,
        owner=str(info.get("owner") or ""),
        created=str(info.get("created") or ""),
        version=_version(),
    )
    _warn(requests, lost)
    table = None if results is None else (".csv", results.to_csv(index=False).encode())
    return write_crate(record, path, now=iso(time.time() if now is None else now), results=table)


def import_study(
    tapis: Tapis,
    path: str | Path,
    name: str | None = None,
    *,
    definitions: bool = False,
    **changes: Any,
) -> Study:
    """Return the study in a file that ``study.export`` wrote; nothing runs before ``study.run()``.

    *name* is what it is called here. *changes* go over every request (``execSystemId="frontera"``); the
    cases stay the same cases, and none of them is done here. With *definitions* an app that is not here
    is created from the file.
    Raises ``ConflictError`` where there is a study of that name, ``NotFoundError`` for a missing app.
    """
    from .study import Study

    want_studies(tapis)
    record = read_crate(path)
    settings = settings_of(record.settings)
    called = name or record.name
    _want_no_study(tapis, called, path)
    _want_apps(tapis, record, path, create=definitions)
    addresses = _uploaded(tapis, record, changes.get("execSystemId"))
    cases = [
        Case(str(case["caseId"]), case.get("parameters") or {}, _moved(case["request"], addresses, changes))
        for case in record.cases
    ]
    built = Built(cases, rows={case.case_id: row for row, case in enumerate(cases)})
    template = StudyTemplate.from_wire(record.template)
    rows = [dict(case.parameters or {}) for case in cases]
    return Study(tapis, called, template, rows=rows, settings=settings, built=built)


# --- out --------------------------------------------------------------------------------------
def _inputs(tapis: Tapis, requests: Sequence[_Json]) -> tuple[dict[str, bytes], list[str]]:
    """Return address -> content of what was uploaded for the cases, and the addresses that are gone."""
    found: dict[str, bytes] = {}
    lost: list[str] = []
    for url in dict.fromkeys(url for request in requests for url in _addresses(request)):
        upload = _UPLOAD.fullmatch(url)
        if upload is None:
            continue
        place = f"{segment(upload['system'])}/{path_text(unquote(upload['path']))}"
        try:
            data = tapis.connection.read(f"/v3/files/content/{place}")
        except NotFoundError:
            data = b""
        if hashlib.sha256(data).hexdigest() == upload["digest"]:
            found[url] = data
        else:
            lost.append(url)
    return found, lost


def _addresses(request: _Json) -> Iterator[str]:
    for item in request.get("fileInputs") or ():
        yield str(item.get("sourceUrl") or "")
    for item in request.get("fileInputArrays") or ():
        yield from map(str, item.get("sourceUrls") or ())


def _apps(tapis: Tapis, requests: Sequence[_Json]) -> Iterator[_Json]:
    from ..model.definitions import Kind, own_part

    wanted = dict.fromkeys((str(r.get("appId") or ""), str(r.get("appVersion") or "")) for r in requests)
    for app, version in wanted:
        if app:
            yield own_part(Kind.APP, tapis.app(app, version or None))


def _warn(requests: Sequence[_Json], lost: Sequence[str]) -> None:
    from .tapis import TapisJobsWarning

    secret = sorted({name for request in requests for name in _variables(request) if _SECRET.search(name)})
    if secret:
        warnings.warn(
            f"The requests in this file set {', '.join(secret)}: look at them before you give it away.",
            TapisJobsWarning,
            stacklevel=4,
        )
    if lost:
        warnings.warn(
            f"{len(lost)} inputs of the cases are no longer where they were uploaded, and not in the file; "
            f"the first: {lost[0]}.",
            TapisJobsWarning,
            stacklevel=4,
        )


def _variables(request: _Json) -> Iterator[str]:
    for item in (request.get("parameterSet") or {}).get("envVariables") or ():
        yield str(item.get("key") or "")


def _version() -> str:
    from .. import __version__

    return __version__


# --- in ---------------------------------------------------------------------------------------
class _Uploader(Carrier):
    """Uploads whatever it is given: an address is needed, not a copy in each request."""

    def _source(self, target: str, data: bytes) -> str:
        return self._uploaded_data(hashlib.sha256(data).hexdigest(), target, data)


def _want_no_study(tapis: Tapis, name: str, path: str | Path) -> None:
    try:
        StudyCalls(tapis.connection, name).info()
    except NotFoundError:
        return
    raise ConflictError(
        f"Study '{name}' is here already. Under another name: tapis.import_study('{path}', name='{name}-2')."
    )


def _want_apps(tapis: Tapis, record: StudyRecord, path: str | Path, *, create: bool) -> None:
    for app in record.apps:
        title = f"{app.get('id')}@{app.get('version')}"
        try:
            tapis.app(str(app.get("id")), str(app.get("version") or "") or None)
        except NotFoundError as cause:
            if not create:
                raise NotFoundError(
                    f"App {title}, which the study runs, is not here. "
                    f"tapis.import_study('{path}', definitions=True) brings its definition along."
                ) from cause
            _create(tapis, app, title)


def _create(tapis: Tapis, app: _Json, title: str) -> None:
    from .definitions import definitions_of, imported

    for outcome in imported(tapis, definitions_of(json.dumps(app), title)):
        if not outcome.is_good:
            raise TapisJobsError(f"App {title} cannot be created here: {outcome.message}")


def _uploaded(tapis: Tapis, record: StudyRecord, system: str | None) -> dict[str, str]:
    """Upload the files of *record* for its cases; return old address -> new one."""
    if not record.inputs:
        return {}
    first = next((case["request"].get("execSystemId") for case in record.cases), None)
    carrier = tapis.carrier(system or first, _Uploader)
    return {
        url: str(carrier.content(unquote(url.rsplit("/", 1)[-1]), data)["sourceUrl"])
        for url, data in record.inputs.items()
    }


def _moved(request: _Json, addresses: Mapping[str, str], changes: _Json) -> dict[str, Any]:
    """Return *request* with the inputs where they are now, and *changes* over it."""
    moved = {**request, **changes}
    if addresses and moved.get("fileInputs"):
        moved["fileInputs"] = [
            {**item, "sourceUrl": addresses.get(str(item.get("sourceUrl")), item.get("sourceUrl"))}
            for item in moved["fileInputs"]
        ]
    if addresses and moved.get("fileInputArrays"):
        moved["fileInputArrays"] = [
            {**item, "sourceUrls": [addresses.get(str(url), url) for url in item.get("sourceUrls") or ()]}
            for item in moved["fileInputArrays"]
        ]
    return moved
