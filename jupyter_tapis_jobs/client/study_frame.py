"""The table of a study: one row a case, its parameters first; and the rows that a person means."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, did_you_mean
from ..model.status import Condition, JobStatus
from . import frames
from .study_columns import JOB, result_names

if TYPE_CHECKING:
    import pandas as pd

SECONDS = "seconds"
#: What stands behind the parameters; the last four tell more than most people want to read.
COLUMNS: Mapping[str, str] = {
    "caseId": frames.TEXT,
    "jobUuid": frames.TEXT,
    "status": frames.TEXT,
    "exitCode": frames.NUMBER,
    "queueSeconds": SECONDS,
    "runSeconds": SECONDS,
    "attempt": frames.NUMBER,
    "condition": frames.TEXT,
    "created": frames.TIME,
    "remoteStarted": frames.TIME,
    "ended": frames.TIME,
}
#: Ends that are not good: such a case counts as not done.
BAD_ENDS = (str(JobStatus.FAILED), str(JobStatus.CANCELLED))
ENDED = (str(JobStatus.FINISHED), *BAD_ENDS)


def study_frame(
    columns: Mapping[str, Sequence[Any]], defaults: Mapping[str, Any], *, progress: bool = False
) -> pd.DataFrame:
    """Return the frame of the server's *columns*; a parameter that a case lacks has its default.

    *progress* adds what applications tell, the columns of ``frames.PROGRESS``. Raises ``InvalidInputError``
    for a study with a parameter of such a name.
    """
    import pandas as pd

    cases = [json.loads(text) if isinstance(text, str) else text for text in columns.get("parameters") or ()]
    names = dict.fromkeys(name for case in cases for name in case) | dict.fromkeys(defaults)
    more = frames.PROGRESS if progress else {}
    if taken := next((name for name in names if name in more), None):
        raise InvalidInputError(
            f"The study has a parameter '{taken}', which progress=True would add as a column. "
            "tapis.jobs(progress=True) shows the progress of its jobs.",
            field="progress",
            value=progress,
        )
    parameters = pd.DataFrame(
        {name: pd.Series([case.get(name, defaults.get(name)) for case in cases]) for name in names},
        index=range(len(cases)),
    )
    plain = {name: kind for name, kind in {**COLUMNS, **more}.items() if kind != SECONDS}
    told = frames.from_columns({name: columns.get(name) or [None] * len(cases) for name in plain}, plain)
    for place, (name, kind) in enumerate(COLUMNS.items()):
        if kind == SECONDS:
            told.insert(place, name, pd.Series(columns.get(name) or [None] * len(cases), dtype="float64"))
    return pd.concat([parameters, told], axis=1)


def results_of(collected: pd.DataFrame, before: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return results by job, those of *before* with the new ones over them; only of one row a case."""
    names = result_names(collected)
    found = collected[collected[JOB].notna()]
    if not names or found[JOB].duplicated().any():
        return before
    fresh = found.set_index(JOB)[names]
    if before is None:
        return fresh
    return before.drop(columns=names, errors="ignore").join(fresh, how="outer")


def with_results(table: pd.DataFrame, results: pd.DataFrame | None) -> pd.DataFrame:
    """Return *table* with the results of its jobs behind it; a new attempt has none of the old one's."""
    if results is None:
        return table
    clear = results.drop(columns=[name for name in results.columns if name in table.columns])
    return table.join(clear, on=JOB)


def chosen(table: pd.DataFrame, which: Any) -> pd.DataFrame:
    """Return the rows of *table* that *which* means.

    *which* is a status, a condition (``SCHEDULER_TIMEOUT``) or its last word, a query
    (``"k > 55 and damping == .05"``), a mask, a frame with ``caseId``, or case ids; None: what ended badly.
    Raises ``InvalidInputError`` for anything else.
    """
    if which is None:
        return table[table["status"].isin(BAD_ENDS)]
    if isinstance(which, str):
        return _by_words(table, which)
    ids = getattr(which, "columns", None)
    if ids is not None:
        if "caseId" not in ids:
            raise InvalidInputError("This frame has no column 'caseId'; rows of study.frame() have it.")
        return table[table["caseId"].isin(list(which["caseId"]))]
    values = list(which) if hasattr(which, "__iter__") else None
    if values is not None and not values:
        return table.iloc[:0]
    if values and all(isinstance(value, str) for value in values):
        return _by_ids(table, values)
    if values is not None and str(getattr(which, "dtype", "bool")) in ("bool", "boolean"):
        return _by_mask(table, which, values)
    raise InvalidInputError(
        f"{which!r} does not name cases. Give a status, a condition, a query, a mask, or rows of "
        "study.frame()."
    )


def _by_words(table: pd.DataFrame, text: str) -> pd.DataFrame:
    word = text.strip().upper()
    if word in list(JobStatus):
        return table[table["status"] == word]
    conditions = [str(known) for known in Condition if known == word or known.endswith(f"_{word}")]
    if conditions:
        return table[table["condition"].isin(conditions)]
    if text.strip() in list(table["caseId"]):
        return table[table["caseId"] == text.strip()]
    if word.replace("_", "").isalpha() and text.strip() not in table.columns:
        known = [*JobStatus, *(name.rpartition("_")[2] for name in Condition), *Condition]
        raise InvalidInputError(
            f"'{text}' is neither a status nor a condition.{did_you_mean(word, map(str, known))} "
            'Else a query on the columns of study.frame(): "k > 55".',
            value=text,
        )
    return _by_query(table, text)


def _by_query(table: pd.DataFrame, text: str) -> pd.DataFrame:
    try:
        found = table.query(text, engine="python")
    except Exception as cause:
        names = ", ".join(map(str, table.columns))
        raise InvalidInputError(
            f'The query "{text}" cannot be evaluated: {cause}. Columns: {names}.', value=text
        ) from cause
    return found


def _by_ids(table: pd.DataFrame, ids: Sequence[str]) -> pd.DataFrame:
    missing = sorted(set(ids) - set(table["caseId"]))
    if missing:
        raise InvalidInputError(f"There is no case '{missing[0]}' in this study.", value=missing[0])
    return table[table["caseId"].isin(ids)]


def _by_mask(table: pd.DataFrame, mask: Any, values: Sequence[Any]) -> pd.DataFrame:
    """A mask fits row by row, whatever its index; what is not known does not fit."""
    if len(values) != len(table):
        raise InvalidInputError(
            f"The mask has {len(values):,} values, the study {len(table):,} cases. "
            "Make it from study.frame() as it is now."
        )
    return table[[value.__class__.__name__ != "NAType" and bool(value) for value in values]]
