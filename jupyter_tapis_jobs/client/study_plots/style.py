"""How pictures of a study look: colours that everybody can tell apart, labels with units, quiet axes."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...model.status import CONVEYOR, JobStatus
from ..words import STATES, state_words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito's colours, for people of all kinds of colour sight; the yellow one is left out: too pale.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
#: From dark blue to yellow, even in grey and for all kinds of colour sight.
SEQUENTIAL = "cividis"
#: A marker per state as well: colour alone is not for everybody.
MARKERS: Mapping[str, str] = MappingProxyType(
    {JobStatus.FINISHED: "o", JobStatus.FAILED: "X", JobStatus.CANCELLED: "d", JobStatus.RUNNING: ">"}
)
#: Matplotlib's own font has no sign for a pause.
_GLYPHS = {"⏸": "Ⅱ"}
#: The order in which states are listed: from what is to be looked at to what is well.
ORDER = (
    JobStatus.FAILED,
    JobStatus.CANCELLED,
    JobStatus.BLOCKED,
    JobStatus.PAUSED,
    *CONVEYOR,
    JobStatus.FINISHED,
)
NOT_SUBMITTED = "NOT SUBMITTED"
_GRID, _TEXT, _FAINT = "#d9d9d9", "#222222", "#5f6368"
#: Units of the columns that are ours.
_UNITS = {
    "queueSeconds": ("waiting time", "s"),
    "runSeconds": ("run time", "s"),
    "exitCode": ("exit code", ""),
}


def figure(width: float = 7.5, height: float = 4.6, *, title: str = "") -> Figure:
    """Return an empty figure that no window and no other picture knows of; sizes in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Empty

    made = Empty(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(made)
    if title:
        made.suptitle(title, fontsize=11, color=_TEXT, x=0.01, ha="left", weight="bold")
    return made


def quiet(axes: Axes, *, grid: str | None = "both") -> Axes:
    """Take away what only makes an axis loud."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_FAINT)
    axes.tick_params(colors=_TEXT, labelsize=9, color=_FAINT)
    axes.xaxis.label.set(color=_TEXT, fontsize=10)
    axes.yaxis.label.set(color=_TEXT, fontsize=10)
    if grid:
        axes.grid(visible=True, axis=grid, color=_GRID, linewidth=0.6)  # type: ignore[arg-type]
        axes.set_axisbelow(True)
    return axes


def label(name: str, units: Mapping[str, str]) -> str:
    """Return a column's label with its unit where one is known: ``k (kN/m)``, ``run time (s)``."""
    words, unit = _UNITS.get(name, (str(name), ""))
    unit = units.get(name, unit)
    return f"{words} ({unit})" if unit else words


def short(value: Any) -> str:
    """Return a value as a tick tells it: ``0.05``, ``1.2e+06``, ``sand``."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if hasattr(value, "strftime"):
        return str(value)[:16]
    text = str(value)
    return text if len(text) <= 18 else f"{text[:17]}…"


def whole_numbers(ticks: int) -> Any:
    """Return what puts about so many ticks, at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=ticks, integer=True)


def state_of(value: Any) -> str:
    """Return a frame's status as text; a case without a job is not submitted."""
    return str(value) if isinstance(value, str) and value else NOT_SUBMITTED


def states_in(statuses: pd.Series[Any]) -> list[tuple[str, int]]:
    """Return the states that occur with how many cases they have, in the order of ``ORDER``."""
    counts = statuses.map(state_of).value_counts()
    known = [str(state) for state in ORDER]
    names = sorted(counts.index, key=lambda name: known.index(name) if name in known else len(known))
    return [(str(name), int(counts[name])) for name in names]


def colour(state: str) -> str:
    """Return the colour of a state, the same as in cards and panels."""
    return "#e8e8e8" if state == NOT_SUBMITTED else state_words(state).colour


def glyph(state: str) -> str:
    """Return the sign of a state, one that matplotlib's font has."""
    sign = STATES[JobStatus(state)].glyph if state in list(JobStatus) else "·"
    return _GLYPHS.get(sign, sign)


def state_label(state: str, count: int) -> str:
    """Return a state for a legend: glyph, word and how many."""
    return f"{glyph(state)} {state} {count:,}"


def scale_beside(made: Figure, axes: Any, drawn: Any, words: str) -> None:
    """Put the scale of what is *drawn* beside it: in full colours, also where that lets others through."""
    from matplotlib.cm import ScalarMappable

    drawn.autoscale_None()
    made.colorbar(ScalarMappable(drawn.norm, drawn.cmap), ax=axes, label=words, pad=0.02)


def legend(axes: Axes, handles: Sequence[Any], *, title: str = "", columns: int = 1) -> None:
    """Put the legend beside the data, never over it."""
    if handles:
        axes.legend(
            handles=handles,
            title=title or None,
            ncols=columns,
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            frameon=False,
            fontsize=8.5,
            title_fontsize=9,
            borderaxespad=0,
        )


def wrapped(text: str, width: int = 44, lines: int = 2) -> str:
    """Return *text* in a few lines, cut where it is longer. A dollar is a dollar, not mathematics."""
    found = textwrap.wrap(text, width) or [""]
    shown = found[:lines]
    if len(found) > lines:
        shown[-1] = shown[-1][: width - 1] + "…"
    return "\n".join(shown).replace("$", r"\$")
