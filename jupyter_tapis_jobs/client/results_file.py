"""Results of a study as a Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
    import pandas as pd


def to_parquet(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write *frame* to a Parquet file, whole or not at all; return where.

    Columns of mixed kinds become text. Raises ``UnavailableError`` where pyarrow is not installed.
    """
    place = Path(path).expanduser()
    part = place.with_name(f".{place.name}.part")
    plain = frame.assign(**{str(name): frame[name].map(_as_text) for name in _mixed(frame)})
    try:
        plain.to_parquet(part, index=False)
        part.replace(place)
    except ImportError as cause:
        raise UnavailableError(
            "Writing Parquet needs pyarrow: pip install 'jupyter-tapis-jobs[studies]'. "
            f"frame.to_csv('{place.with_suffix('.csv')}') needs nothing."
        ) from cause
    except (ValueError, TypeError) as cause:
        raise InvalidInputError(f"This frame cannot be written as Parquet: {cause}", field="to") from cause
    except OSError as cause:
        raise InvalidInputError(f"{place} cannot be written: {cause.strerror}.", field="to") from cause
    finally:
        part.unlink(missing_ok=True)
    return place


def _mixed(frame: pd.DataFrame) -> list[Any]:
    objects = [name for name in frame.columns if frame[name].dtype == object]
    return [name for name in objects if len({type(item) for item in frame[name].dropna()}) > 1]


def _as_text(value: object) -> str | None:
    # NaN is what a column with a missing value holds, and it is not itself.
    missing = value is None or value.__class__.__name__ == "NAType" or value != value
    return None if missing else str(value)
