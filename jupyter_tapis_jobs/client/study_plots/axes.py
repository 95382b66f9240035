"""Parameters as positions on an axis: numbers where they are, everything else side by side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..study_columns import is_number
from .style import label, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Ticks that an axis of words can show.
_TICKS = 16
#: Places that so few cases cannot be told apart on, and that are each worth a tick.
_FEW = 8
#: Share of an axis that a tick's word takes.
_ROOM = 0.1
#: Ranges of an axis of a heat map of points anywhere: at least, at most.
_RANGES = (5, 24)


def positions(frame: pd.DataFrame, name: str) -> tuple[pd.Series[Any], list[str] | None]:
    """Return where the values of a column lie, and the words of its ticks; None for plain numbers."""
    import pandas as pd

    column = frame[name]
    if is_number(frame, name) or str(column.dtype).startswith("datetime"):
        return column, None
    order = levels(frame, name)
    places = {value: place for place, value in enumerate(order)}
    return pd.Series([places.get(value) for value in column], index=column.index, dtype="float64"), [
        short(value) for value in order
    ]


def spread(places: Any, by: Any, share: float) -> Any:
    """Return positions moved a little, by the order of *by*, where many cases share few of them.

    Points and lines that lie on one another would hide how many they are.
    """
    import numpy as np

    different = np.unique(places[np.isfinite(places)])
    if not 1 < len(different) <= _FEW:
        return places
    width = float(np.diff(different).min()) * share
    order = np.argsort(np.argsort(by, kind="stable"), kind="stable")
    return places + (order / max(1, len(order) - 1) - 0.5) * width


def is_grid(frame: pd.DataFrame, x: str, y: str) -> bool:
    """True where the values of two columns are the sides of a grid, not points anywhere."""
    cells = len(levels(frame, x)) * len(levels(frame, y))
    return cells <= max(400, 4 * len(frame[[x, y]].drop_duplicates()))


def binned(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return the numbers of a column, each as the middle of one of 24 equal ranges or fewer."""
    column = frame[name].astype("float64")
    low, high = float(column.min()), float(column.max())
    # About three cases a cell.
    count = min(max(_RANGES[0], int((len(frame) / 3) ** 0.5)), _RANGES[1])
    width = (high - low) / count or 1.0
    ranges = ((column - low) // width).clip(upper=count - 1)
    return (ranges + 0.5) * width + low


def levels(frame: pd.DataFrame, name: str) -> list[Any]:
    """Return the different values of a column, sorted where they can be."""
    found = list(frame[name].dropna().unique())
    try:
        return sorted(found)
    except TypeError:
        return sorted(found, key=str)


def set_axis(axes: Axes, which: str, name: str, words: list[str] | None, units: Mapping[str, str]) -> None:
    """Label an axis, and its ticks where they are words."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_label_text(label(name, units))
    if words is not None:
        set_ticks(axes, which, words)


def tick_each(axes: Axes, places: pd.Series[Any]) -> None:
    """Put the ticks of a numeric x axis at its values where they are few and their words have room."""
    found = sorted(places.dropna().unique())
    if not 0 < len(found) <= _FEW:
        return
    if not all(isinstance(value, int | float) or hasattr(value, "item") for value in found):
        return
    between = _ROOM * (float(found[-1]) - float(found[0]))
    if all(float(after) - float(value) >= between for value, after in pairwise(found)):
        axes.set_xticks(found, [short(float(value)) for value in found])


def set_ticks(axes: Axes, which: str, words: list[str]) -> None:
    """Put *words* at 0, 1, 2 …; where there are too many to read, at every so manieth."""
    step = max(1, -(-len(words) // _TICKS))
    places = list(range(0, len(words), step))
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_ticks(places, [words[place] for place in places])
    crowded = sum(len(words[place]) for place in places) > 60
    if which == "x" and crowded:
        axes.tick_params(axis="x", rotation=45)
        for tick in axes.get_xticklabels():
            tick.set_horizontalalignment("right")
