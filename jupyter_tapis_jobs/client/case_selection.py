"""The shortest words that mean certain rows of a study, as ``study.retry`` takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..model.status import Condition, JobStatus
from .study_columns import CASE, STATUS, is_number, parameter_names

if TYPE_CHECKING:
    import pandas as pd

_BAD = (str(JobStatus.FAILED), str(JobStatus.CANCELLED))
#: Case ids that are still read when they are written out.
_FEW = 3


def selection(frame: pd.DataFrame, mask: pd.Series[bool]) -> str | None:
    """Return the argument of ``study.retry`` that means the rows of *mask*, and no other, as Python text.

    "" where it needs none; None where no short words mean just these rows.
    """
    if mask.equals(frame[STATUS].isin(_BAD)):
        return ""
    for text, meant in _words(frame):
        if meant.equals(mask):
            return f'"{text}"'
    for text, meant in conditions(frame, mask):
        if meant.equals(mask):
            return _quoted(text)
    failed = _truth(frame[STATUS] == str(JobStatus.FAILED))
    for text, meant in (*conditions(frame[failed], mask[failed]), *_codes(frame)):
        if (meant.reindex(frame.index, fill_value=False) & failed).equals(mask):
            return _quoted(f"status == 'FAILED' and {text}")
    ids = frame.loc[mask, CASE].tolist()
    return f"{ids}" if len(ids) <= _FEW else None


def where(frame: pd.DataFrame, mask: pd.Series[bool]) -> str:
    """Return what the parameters of the rows in *mask* have and no other ended row has: ``k > 55``, or ""."""
    ended = frame[STATUS].isin((str(JobStatus.FINISHED), *_BAD))
    if mask.equals(ended) or not mask.any():
        return ""
    told = (text for text, meant in conditions(frame[ended], mask[ended]) if meant.equals(mask[ended]))
    return next(told, "")


def conditions(frame: pd.DataFrame, mask: pd.Series[bool]) -> Iterator[tuple[str, pd.Series[bool]]]:
    """Yield conditions on one parameter each that all rows of *mask* fulfil, with the rows that they mean."""
    if not mask.any():
        return
    for name in parameter_names(frame):
        inside, outside = frame.loc[mask, name], frame.loc[~mask, name]
        if inside.isna().any():
            continue
        label = name if str(name).isidentifier() else f"`{name}`"
        if inside.nunique() == 1:
            value = inside.iloc[0]
            yield f"{label} == {_plain(value)!r}", _truth(frame[name] == value)
        if is_number(frame, name) and len(outside.dropna()):
            above, below = outside.max(), outside.min()
            yield f"{label} > {_plain(above)!r}", _truth(frame[name] > above)
            yield f"{label} < {_plain(below)!r}", _truth(frame[name] < below)


def _words(frame: pd.DataFrame) -> Iterator[tuple[str, pd.Series[bool]]]:
    for status in _BAD:
        yield status, _truth(frame[STATUS] == status)
    if "condition" not in frame.columns:
        return
    for known in frame["condition"].dropna().unique():
        if not str(known).startswith("SCHEDULER_"):
            # Most others only say that the program failed.
            continue
        word = str(known).partition("_")[2] or str(known)
        meant = [str(name) for name in Condition if name == word or name.endswith(f"_{word}")]
        yield word, frame["condition"].isin(meant)
        yield known, _truth(frame["condition"] == known)


def _codes(frame: pd.DataFrame) -> Iterator[tuple[str, pd.Series[bool]]]:
    if "exitCode" in frame.columns:
        for code in frame["exitCode"].dropna().unique():
            yield f"exitCode == {int(code)}", _truth(frame["exitCode"] == code)


def _truth(found: pd.Series[Any]) -> pd.Series[bool]:
    """Return a mask of plain True and False: what is not known does not fit."""
    return found.fillna(False).astype(bool)


def _plain(value: Any) -> Any:
    """Return a plain Python value: numpy's would be written with its type."""
    return value.item() if hasattr(value, "item") else value


def _quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text else repr(text)
