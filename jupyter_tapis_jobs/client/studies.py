"""Studies made and found: ``tapis.study`` and ``tapis.studies``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError
from ..model.shorthands import SHORTHANDS, merged
from ..model.texts import shown
from . import frames
from .processing import named_process
from .request import read_request
from .study import Study
from .study_calls import StudyCalls, study_rows
from .study_settings import SETTINGS, settings_of, want_studies, wire_name
from .study_template import StudyTemplate, label_names

if TYPE_CHECKING:
    import pandas as pd

    from .tapis import Tapis

STUDIES: frames.Columns = {
    "name": frames.TEXT,
    "created": frames.TIME,
    "cases": frames.NUMBER,
    "finished": frames.NUMBER,
    "failed": frames.NUMBER,
    "active": frames.NUMBER,
    "launchMode": frames.TEXT,
    "archived": frames.TRUTH,
}


def study_of(
    tapis: Tapis,
    name: str,
    app: Any = None,
    /,
    *,
    cases: Any = None,
    labels: Any = (),
    defaults: Mapping[str, Any] | None = None,
    names: Mapping[str, Any] | None = None,
    **given: Any,
) -> Study:
    """Return a new study, or the one of that *name* when nothing else is given. See ``Tapis.study``."""
    want_studies(tapis)
    if app is None:
        if cases is not None or given:
            raise InvalidInputError(
                f"Which app? A new study: tapis.study('{name}', app, cases=…). "
                f"More cases for the one that is there: tapis.study('{name}').extend(cases)."
            )
        return _found(tapis, name)
    if cases is None:
        raise InvalidInputError(
            f"Study '{name}' has no cases. Give them: cases=frame, or cases=tj.grid(k=[1, 2], …).",
            field="cases",
        )
    from .cases import cases_of

    function = app if callable(app) else given.pop("request", None)
    wanted = _merged({} if callable(app) else read_request(app), given)
    settings = settings_of({key: wanted.pop(key) for key in list(wanted) if wire_name(key) in SETTINGS})
    template = StudyTemplate(
        wanted,
        function=function,
        defaults=_mapping("defaults", defaults),
        labels=label_names(labels),
        names=_mapping("names", names),
    )
    rows = cases_of(cases)
    return Study(tapis, name, template, rows=rows, settings=settings)


def studies_frame(tapis: Tapis, *, archived: bool = False) -> pd.DataFrame:
    """Return the caller's studies, newest first; *archived* shows those taken off the list too."""
    want_studies(tapis)
    rows = [_row(row) for row in study_rows(tapis.connection)]
    return frames.from_rows([row for row in rows if archived or not row["archived"]], STUDIES)


def _found(tapis: Tapis, name: str) -> Study:
    info = StudyCalls(tapis.connection, name).info()
    template = StudyTemplate.from_wire(info.get("template") or {})
    return Study(tapis, name, template, is_there=True)


def _mapping(field: str, given: Any) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise InvalidInputError(
            f"{field} must be a mapping of names to values, such as {{'temp': 20}}, not {shown(given)}.",
            field=field,
            value=given,
        )
    return dict(given or {})


def _merged(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request with *given* over it; shorthands are taken as they are."""
    named_process(given.get("process"))
    fields = {key: value for key, value in given.items() if key not in SHORTHANDS}
    return {
        **merged(base, fields),
        **{key: given[key] for key in SHORTHANDS if given.get(key) is not None},
    }


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    counts = row.get("counts") or {}
    return {
        **row,
        "archived": bool(row.get("archived")),
        "finished": counts.get("FINISHED", 0),
        "failed": counts.get("FAILED", 0) + counts.get("CANCELLED", 0),
        "active": sum(counts.values())
        - sum(counts.get(end, 0) for end in ("FINISHED", "FAILED", "CANCELLED")),
    }
