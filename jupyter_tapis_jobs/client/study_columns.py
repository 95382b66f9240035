"""The columns of a study's frame: which are parameters, which the server's, which results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..model.errors import InvalidInputError, did_you_mean
from ..model.study import TABLE_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

CASE, JOB, STATUS, PROBLEM, FILE = "caseId", "jobUuid", "status", "problem", "file"
#: Columns that are neither parameters nor results.
_OURS = frozenset({*TABLE_COLUMNS, PROBLEM, FILE})


def parameter_names(frame: pd.DataFrame) -> list[str]:
    """Return the parameters of the cases in *frame*: the columns before ``caseId``."""
    names = list(frame.columns)
    return names[: names.index(CASE)] if CASE in names else []


def result_names(frame: pd.DataFrame) -> list[str]:
    """Return the collected results in *frame*: the columns behind ``caseId`` that are not the server's."""
    names = list(frame.columns)
    behind = names[names.index(CASE) :] if CASE in names else names
    return [name for name in behind if name not in _OURS]


def varying(frame: pd.DataFrame) -> list[str]:
    """Return the parameters that have more than one value in *frame*."""
    return [name for name in parameter_names(frame) if frame[name].astype(object).nunique(dropna=False) > 1]


def is_number(frame: pd.DataFrame, name: str) -> bool:
    """True for a column of numbers; True and False are choices, not numbers."""
    import pandas as pd

    kind = frame[name]
    return bool(pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind))


def want_column(frame: pd.DataFrame, name: str, field: str) -> str:
    """Return *name*; raises ``InvalidInputError`` that lists the columns where it is none of them."""
    known = [str(column) for column in frame.columns]
    if name in known:
        return name
    chosen = [*parameter_names(frame), *result_names(frame)] or known
    raise InvalidInputError(
        f"{field} '{name}' is not a column of this study's frame.{did_you_mean(name, known)} "
        f"Parameters and results: {', '.join(map(str, chosen))}.",
        field=field,
        value=name,
    )


def want_columns(frame: pd.DataFrame, names: Sequence[str], what: str) -> None:
    """Raise ``InvalidInputError`` unless *frame* has all *names*, which *what* needs."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise InvalidInputError(
            f"{what} needs the columns {', '.join(names)}; {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not in this frame. Give it study.frame().",
            field="frame",
        )


def is_missing(value: object) -> bool:
    """Tell whether a cell of a frame holds nothing: None, NaN or ``pandas.NA``."""
    # NaN is not itself.
    return value is None or value.__class__.__name__ == "NAType" or value != value
