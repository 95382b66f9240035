"""Results of a study as a Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, UnavailableError
from .study_columns import is_missing
from .whole_file import whole_file

if TYPE_CHECKING:
    import pandas as pd


def to_parquet(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write *frame* to a Parquet file, whole or not at all; return where.

    Columns of mixed kinds become text. Raises ``UnavailableError`` where pyarrow is not installed.
    """
    place = Path(path).expanduser()
    plain = frame.assign(**{str(name): frame[name].map(_as_text) for name in _mixed(frame)})
    with whole_file(place, "to") as part:
        try:
            plain.to_parquet(part, index=False)
        except ImportError as cause:
            raise UnavailableError(
                "Writing Parquet needs pyarrow: pip install 'jupyter-tapis-jobs[studies]'. "
                f"frame.to_csv('{place.with_suffix('.csv')}') needs nothing."
            ) from cause
        except (ValueError, TypeError) as cause:
            raise InvalidInputError(
                f"This frame cannot be written as Parquet: {cause}", field="to"
            ) from cause
    return place


def _mixed(frame: pd.DataFrame) -> list[Any]:
    objects = [name for name in frame.columns if frame[name].dtype == object]
    return [name for name in objects if len({type(item) for item in frame[name].dropna()}) > 1]


def _as_text(value: object) -> str | None:
    return None if is_missing(value) else str(value)
