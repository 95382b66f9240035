"""A result against the parameters, one small picture for each parameter that varies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..study_columns import is_number
from . import style
from .axes import levels, positions, set_axis, spread, tick_each

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Values of a parameter that get a colour and a line each; more get a scale.
_LINES = 6
#: Cases with a place each that get a line of medians, at least; its points at most, and cases of each.
_MANY, _BINS, _IN_BIN = 40, 20, 10


def response(
    frame: pd.DataFrame, result: str, parameters: Sequence[str], by: str | None, units: Mapping[str, str]
) -> Figure:
    """Draw *result* over each of *parameters*; *by* gives the colours."""
    table = frame[frame[result].notna()]
    columns = 2 if len(parameters) == 4 else min(len(parameters), 3)
    rows = -(-len(parameters) // columns)
    width = 7.5 if columns == 1 else 3.3 * columns + 1.2
    made = style.figure(width, 4.2 if rows == 1 else 2.9 * rows, title=_title(frame, table, result, units))
    grid = made.subplots(rows, columns, squeeze=False, sharey=True)
    for place, axes in enumerate(grid.flat):
        if place >= len(parameters):
            axes.set_visible(False)
            continue
        _panel(axes, table, result, parameters[place], by, units)
        if place % columns == 0:
            axes.set_ylabel(style.label(result, units))
    _colours(made, grid, table, by, units)
    return made


def _title(frame: pd.DataFrame, table: pd.DataFrame, result: str, units: Mapping[str, str]) -> str:
    missing = len(frame) - len(table)
    left_out = f", {missing:,} without" if missing else ""
    return f"{style.label(result, {})}: {len(table):,} results{left_out}"


def _panel(
    axes: Axes, table: pd.DataFrame, result: str, name: str, by: str | None, units: Mapping[str, str]
) -> None:
    places, words = positions(table, name)
    style.quiet(axes)
    moved = _moved(places)
    size = 30 if len(table) < 200 else 12 if len(table) < 2000 else 5
    if by is None or by == name:
        axes.scatter(moved, table[result], s=size, color=style.PALETTE[0], alpha=_alpha(table), linewidths=0)
        _median(axes, places, table[result])
    elif _is_scale(table, by):
        values, _ = positions(table, by)
        axes.scatter(
            moved, table[result], s=size, c=values, cmap=style.SEQUENTIAL, alpha=_alpha(table), linewidths=0
        )
    else:
        for value, colour in zip(levels(table, by), style.PALETTE, strict=False):
            some = table[by] == value
            axes.scatter(moved[some], table.loc[some, result], s=size, color=colour, alpha=_alpha(table),
                         linewidths=0)  # fmt: skip
            _median(axes, places[some], table.loc[some, result], colour)
    set_axis(axes, "x", name, words, units)
    if words is None and is_number(table, name):
        tick_each(axes, places)


def _moved(places: pd.Series[Any]) -> pd.Series[Any]:
    import numpy as np
    import pandas as pd

    if str(places.dtype).startswith("datetime") or places.is_unique:
        # Alone at its place, a point stands where its value is.
        return places
    plain = places.to_numpy(dtype=float, na_value=np.nan)
    # Any order will do that is the same each time and no order of the parameters.
    scattered = (np.arange(len(plain)) * 0.618034) % 1.0
    return pd.Series(spread(plain, scattered, 0.16), index=places.index)


def _median(axes: Axes, places: pd.Series[Any], values: pd.Series[Any], colour: str = "#333333") -> None:
    """Join medians: what the parameter does on the whole.

    Of the cases that share a place; where each has its own, of neighbours. Few of these get no line.
    """
    together = values.groupby(places).median().sort_index()
    if len(values) < 2 * len(together):
        if len(values) < _MANY:
            return
        together = _of_neighbours(places, values)
    if len(together) > 1:
        axes.plot(together.index, together.to_numpy(), color=colour, linewidth=1.6)


def _of_neighbours(places: pd.Series[Any], values: pd.Series[Any]) -> pd.Series[Any]:
    """Return the medians of as many neighbours each, by the middle of their places."""
    count = min(_BINS, len(values) // _IN_BIN)
    order = places.rank(method="first") - 1
    bins = (order * count // len(places)).astype(int)
    medians = values.groupby(bins).median()
    medians.index = places.groupby(bins).median().to_numpy()
    return medians


def _colours(made: Figure, grid: Any, table: pd.DataFrame, by: str | None, units: Mapping[str, str]) -> None:
    if by is None:
        return
    if _is_scale(table, by):
        points = next((axes.collections[0] for axes in grid.flat if axes.collections), None)
        scale = next(
            (item for axes in grid.flat for item in axes.collections if item.get_array() is not None), points
        )
        if scale is not None:
            style.scale_beside(made, grid, scale, style.label(by, units))
        return
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker="o", color=colour, label=style.short(value))
        for value, colour in zip(levels(table, by), style.PALETTE, strict=False)
    ]
    style.legend(grid[0][-1], handles, title=style.label(by, units))


def _is_scale(table: pd.DataFrame, by: str) -> bool:
    return is_number(table, by) and table[by].nunique() > _LINES


def _alpha(table: pd.DataFrame) -> float:
    return 0.85 if len(table) < 500 else 0.5
