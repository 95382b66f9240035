"""All parameters and a result as upright axes side by side, one line a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ...model.status import JobStatus
from ..study_columns import STATUS
from . import style
from .axes import positions, spread

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINES = 4000


def parallel(
    frame: pd.DataFrame, names: Sequence[str], result: str | None, units: Mapping[str, str]
) -> Figure:
    """Draw a line for each case through its values of *names*; *result*, the last axis, gives the colour.

    Without a result the colour is that of the case's state. Of more than 4,000 cases every so manieth.
    """
    step = max(1, -(-len(frame) // _LINES))
    table = frame.iloc[::step]
    shown = [*names, result] if result else list(names)
    made = style.figure(max(6.5, 1.5 * len(shown) + 2), 4.6, title=_title(frame, table, result))
    axes = made.subplots()
    heights = [_scaled(frame, table, name) for name in shown]
    _draw_lines(made, axes, table, [column for column, _ in heights], result, units)
    _draw_axes(axes, shown, [ticks for _, ticks in heights], units)
    return made


def _title(frame: pd.DataFrame, table: pd.DataFrame, result: str | None) -> str:
    some = f"{len(table):,} of {len(frame):,} cases" if len(table) < len(frame) else f"{len(frame):,} cases"
    return f"{some}, coloured by {result}" if result else f"{some}, coloured by state"


def _scaled(frame: pd.DataFrame, table: pd.DataFrame, name: str) -> tuple[Any, list[tuple[float, str]]]:
    """Return the values between 0 and 1, and the ticks of the axis: height and words."""
    import numpy as np

    every, words = positions(frame, name)
    low, high = float(every.min()), float(every.max())
    span = high - low or 1.0
    values = (every.loc[table.index].to_numpy(dtype=float, na_value=np.nan) - low) / span
    if words is not None:
        step = max(1, -(-len(words) // 10))
        return values, [((place - low) / span, words[place]) for place in range(0, len(words), step)]
    if not np.isfinite(low):
        return values, []
    from matplotlib.ticker import MaxNLocator

    different = sorted(every.dropna().unique())
    if len(different) <= 8:
        return values, [((float(mark) - low) / span, style.short(float(mark))) for mark in different]
    marks = [float(mark) for mark in MaxNLocator(6).tick_values(low, high) if low <= mark <= high]
    return values, [((mark - low) / span, style.short(mark)) for mark in marks]


def _draw_lines(
    made: Figure, axes: Axes, table: pd.DataFrame, columns: list[Any], result: str | None,
    units: Mapping[str, str],
) -> None:  # fmt: skip
    import numpy as np
    from matplotlib.collections import LineCollection

    rank = table[result].fillna(0).to_numpy(dtype=float) if result else np.arange(len(table))
    heights = np.column_stack([spread(column, rank, 0.12) for column in columns])
    lines = [np.column_stack([np.arange(len(columns)), row]) for row in heights]
    width, alpha = (1.1, 0.75) if len(lines) < 300 else (0.6, 0.35)
    if result is None:
        _by_state(axes, table, lines, width)
        return
    values = table[result].to_numpy(dtype=float, na_value=np.nan)
    has = np.isfinite(values)
    order = np.argsort(values[has])
    drawn = LineCollection(
        [line for line, there in zip(lines, has, strict=True) if there], cmap=style.SEQUENTIAL, alpha=alpha,
        linewidths=width,
    )  # fmt: skip
    drawn.set_array(values[has])
    drawn.set_zorder(2)
    axes.add_collection(drawn)
    _without_result(axes, [line for line, there in zip(lines, has, strict=True) if not there])
    if len(order):
        style.scale_beside(made, axes, drawn, style.label(result, units))


def _without_result(axes: Axes, lines: list[Any]) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    if not lines:
        return
    colour = style.colour(str(JobStatus.FAILED))
    parts = [line[:-1] for line in lines]
    axes.add_collection(LineCollection(parts, colors=colour, linestyles="dashed", linewidths=0.9, alpha=0.6))
    words = f"no result: {len(lines):,}"
    axes.legend(
        handles=[Line2D([], [], color=colour, linestyle="dashed", label=words)], loc="upper right",
        bbox_to_anchor=(1.0, 1.12), frameon=False, fontsize=8.5,
    )  # fmt: skip


def _by_state(axes: Axes, table: pd.DataFrame, lines: list[Any], width: float) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    states = [style.state_of(value) for value in table[STATUS]]
    handles = []
    # What is to be looked at lies on top, and is dashed: red and green are not for everybody.
    for state, count in reversed(style.states_in(table[STATUS])):
        some = [line for line, here in zip(lines, states, strict=True) if here == state]
        dashes: Literal["solid", "dashed"] = "solid" if state == JobStatus.FINISHED else "dashed"
        axes.add_collection(
            LineCollection(
                some,
                colors=style.colour(state),
                linestyles=dashes,
                linewidths=width,
                alpha=0.3 if state == JobStatus.FINISHED else 0.9,
            )
        )
        handles.append(
            Line2D([], [], color=style.colour(state), linestyle=dashes, label=style.state_label(state, count))
        )
    style.legend(axes, handles[::-1])


def _draw_axes(
    axes: Axes, names: list[str], ticks: list[list[tuple[float, str]]], units: Mapping[str, str]
) -> None:
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_xlim(-0.25, len(names) - 0.75 + 0.05)
    axes.set_ylim(-0.08, 1.08)
    axes.set_yticks([])
    axes.set_xticks(range(len(names)), [style.wrapped(style.label(name, units), 18) for name in names])
    axes.tick_params(axis="x", length=0, labelsize=10, pad=8)
    for place, marks in enumerate(ticks):
        axes.axvline(place, color="#5f6368", linewidth=1, zorder=3)
        for height, words in marks:
            axes.plot(
                [place - 0.015, place + 0.015], [height, height], color="#5f6368", linewidth=1, zorder=3
            )
            axes.text(
                place + 0.03, height, words.replace("$", r"\$"), fontsize=8, va="center", zorder=4,
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip
