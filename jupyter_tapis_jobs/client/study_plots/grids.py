"""Two parameters as a plane: a result as a heat map, and where the cases stand as a map of states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...model.status import JobStatus
from ..study_columns import STATUS, is_number
from . import style
from .axes import binned, is_grid, levels, positions, set_axis, set_ticks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Cells that still have room for a number or a sign.
_WRITTEN = 150
#: Signs of one picture; more would be slow, and grey to the eye.
_SIGNS = 1500


def heat_map(frame: pd.DataFrame, result: str, x: str, y: str, units: Mapping[str, str]) -> Figure:
    """Draw the median of *result* over the plane of *x* and *y*; a cell without one shows why."""
    import numpy as np

    frame = gridded(frame, x, y)
    wide, high = levels(frame, x), levels(frame, y)
    values = plane_of(frame[frame[result].notna()], result, x, y, wide, high)
    made = _plane_figure(wide, high, f"{style.label(result, {})}: median of each cell")
    axes = made.subplots()
    image = axes.imshow(np.ma.masked_invalid(values), origin="lower", aspect="auto", cmap=style.SEQUENTIAL)
    _frame_axes(axes, wide, high, x, y, units)
    made.colorbar(image, ax=axes, label=style.label(result, units), pad=0.02)
    if values.size <= _WRITTEN:
        _write_numbers(axes, values)
    _mark_missing(axes, frame, values, x, y, wide, high)
    return made


def gridded(frame: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Return *frame* with cells of ranges where its cases lie anywhere in the plane, as sampled ones do."""
    if is_grid(frame, x, y):
        return frame
    return frame.assign(**{name: binned(frame, name) for name in (x, y) if is_number(frame, name)})


def plane_of(frame: pd.DataFrame, column: str, x: str, y: str, wide: list[Any], high: list[Any]) -> Any:
    table = frame.pivot_table(index=y, columns=x, values=column, aggfunc="median", observed=True)
    return table.reindex(index=high, columns=wide).to_numpy(dtype=float, na_value=float("nan"))


def _write_numbers(axes: Axes, values: Any) -> None:
    import numpy as np

    if not np.isfinite(values).any():
        return
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            ink = "white" if value <= middle else "black"
            axes.text(column, row, f"{value:.3g}", ha="center", va="center", fontsize=8, color=ink)


def _mark_missing(
    axes: Axes, frame: pd.DataFrame, values: Any, x: str, y: str, wide: list[Any], high: list[Any]
) -> None:
    """Give a cell without a result the sign and colour of where its cases stand."""
    import numpy as np

    worst = worst_states(frame, x, y)
    axes.set_facecolor("#f3f3f3")
    size = 10 if values.size <= _WRITTEN else 6 if values.size <= 900 else 0
    seen: set[str] = set()
    for row, column in np.argwhere(~np.isfinite(values)):
        state = worst.get((wide[column], high[row]))
        if state and size:
            seen.add(state)
            axes.text(column, row, style.glyph(state), ha="center", va="center", fontsize=size,
                      color=style.colour(state))  # fmt: skip
    if seen:
        words = ", ".join(f"{style.glyph(state)} {state}" for state in sorted(seen))
        axes.set_title(
            style.wrapped(f"without a result: {words}", 64), fontsize=8.5, loc="left", color="#222222"
        )


def state_map(frame: pd.DataFrame, x: str, y: str, units: Mapping[str, str]) -> Figure:
    """Draw where the cases stand over the plane of *x* and *y*; of several in a cell, the worst."""
    if not is_grid(frame, x, y):
        return _state_points(frame, x, y, units)
    wide, high = levels(frame, x), levels(frame, y)
    worst = worst_states(frame, x, y)
    made = _plane_figure(wide, high, _standing(frame))
    axes = made.subplots()
    cells = [[worst.get((left, up), "") for left in wide] for up in high]
    _paint(axes, cells, full=len(wide) * len(high) <= _WRITTEN)
    _frame_axes(axes, wide, high, x, y, units)
    _state_legend(axes, frame)
    return made


def _state_points(frame: pd.DataFrame, x: str, y: str, units: Mapping[str, str]) -> Figure:
    """Draw a point for each case where its values are: sampled ones make no grid."""
    made = style.figure(7.5, 4.8, title=_standing(frame))
    axes = style.quiet(made.subplots())
    (across, below), (up, left) = positions(frame, x), positions(frame, y)
    states = frame[STATUS].map(style.state_of)
    size = 34 if len(frame) < 500 else 14 if len(frame) < 3000 else 5
    # What is to be looked at is drawn last, on top.
    for state, _ in reversed(style.states_in(frame[STATUS])):
        some = states == state
        axes.scatter(
            across[some], up[some], s=size * (1 if state == JobStatus.FINISHED else 1.8), linewidths=0.4,
            color=style.colour(state), marker=style.MARKERS.get(state, "s"), edgecolors="white",
        )  # fmt: skip
    set_axis(axes, "x", x, below, units)
    set_axis(axes, "y", y, left, units)
    _state_legend(axes, frame, markers=True)
    return made


def state_tiles(frame: pd.DataFrame) -> Figure:
    """Draw a tile for each case, in their order, row by row: for studies of many parameters."""
    states = [style.state_of(value) for value in frame[STATUS]]
    width = max(10, min(100, int(len(states) ** 0.5 * 1.8)))
    rows = [states[start : start + width] for start in range(0, len(states), width)]
    rows[-1] = rows[-1] + [""] * (width - len(rows[-1]))
    made = style.figure(8.5, min(8.0, 1.4 + 5.6 * len(rows) / width * 0.95 + 0.2), title=_standing(frame))
    axes = made.subplots()
    _paint(axes, rows, full=len(states) <= _WRITTEN)
    axes.invert_yaxis()
    axes.set_xlabel(f"cases in their order, {width} a row")
    axes.set_xticks([])
    set_ticks(axes, "y", [f"{start:,}" for start in range(0, len(states), width)])
    axes.set_ylabel("first case of the row")
    _state_legend(axes, frame)
    return made


def worst_states(frame: pd.DataFrame, x: str, y: str) -> dict[tuple[Any, Any], str]:
    """Return the state of each cell that asks most for a look."""
    rank = {str(state): place for place, state in enumerate(style.ORDER)}
    worst: dict[tuple[Any, Any], str] = {}
    for left, up, status in zip(frame[x], frame[y], frame[STATUS], strict=True):
        state = style.state_of(status)
        held = worst.get((left, up))
        if held is None or rank.get(state, len(rank)) < rank.get(held, len(rank)):
            worst[left, up] = state
    return worst


def _paint(axes: Axes, rows: list[list[str]], *, full: bool) -> None:
    """Fill the cells with the colours of their states, and with their signs where there is room."""
    import numpy as np
    from matplotlib.colors import to_rgba

    none = (1.0, 1.0, 1.0, 0.0)
    colours = [[to_rgba(style.colour(state)) if state else none for state in row] for row in rows]
    axes.imshow(np.array(colours), origin="lower", aspect="auto", interpolation="nearest")
    columns = len(rows[0]) if rows else 0
    style.quiet(axes, grid=None)
    axes.set_xticks([place - 0.5 for place in range(columns + 1)], minor=True)
    axes.set_yticks([place - 0.5 for place in range(len(rows) + 1)], minor=True)
    axes.grid(which="minor", color="white", linewidth=0.8 if columns < 60 else 0.3)
    axes.tick_params(which="minor", length=0)
    signs = [
        (left, up, state)
        for up, row in enumerate(rows)
        for left, state in enumerate(row)
        if state and state != style.NOT_SUBMITTED and (full or state != JobStatus.FINISHED)
    ]
    # Red and green are not for everybody: what is not done has its sign also where it is small.
    size = max(3.5, min(11.0, 300 / max(columns, 2 * len(rows))))
    for left, up, state in signs[:_SIGNS]:
        axes.text(left, up, style.glyph(state), ha="center", va="center", fontsize=size, color="white")


def _plane_figure(wide: list[Any], high: list[Any], title: str) -> Figure:
    width = max(5.5, min(10.0, 2.6 + 0.42 * len(wide)))
    return style.figure(width, max(3.2, min(7.5, 1.4 + 0.34 * len(high))), title=title)


def _frame_axes(
    axes: Axes, wide: list[Any], high: list[Any], x: str, y: str, units: Mapping[str, str]
) -> None:
    style.quiet(axes, grid=None)
    axes.set_xlabel(style.label(x, units))
    axes.set_ylabel(style.label(y, units))
    set_ticks(axes, "x", [style.short(value) for value in wide])
    set_ticks(axes, "y", [style.short(value) for value in high])


def _standing(frame: pd.DataFrame) -> str:
    done = int((frame[STATUS] == str(JobStatus.FINISHED)).sum())
    return f"{done:,} of {len(frame):,} cases done"


def _state_legend(axes: Axes, frame: pd.DataFrame, *, markers: bool = False) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = []
    for state, count in style.states_in(frame[STATUS]):
        colour, words = style.colour(state), style.state_label(state, count)
        point = Line2D([], [], marker=style.MARKERS.get(state, "s"), linestyle="", color=colour, label=words)
        handles.append(point if markers else Patch(facecolor=colour, label=words))
    style.legend(axes, handles)
