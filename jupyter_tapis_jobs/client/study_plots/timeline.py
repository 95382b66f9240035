"""When the cases waited and ran: a bar each, and above them how many ran at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...model.status import JobStatus
from ..study_columns import STATUS, want_columns
from . import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NEEDS = ("created", "remoteStarted", "ended")
#: Seconds -> the unit in which a time of that length is told, and its seconds.
_UNITS = ((172_800.0, "d", 86_400.0), (7_200.0, "h", 3_600.0), (180.0, "min", 60.0), (0.0, "s", 1.0))
_WAITING = "#c9c9c9"


def timeline(frame: pd.DataFrame, now: Any = None) -> Figure:
    """Draw waiting and running of each case over the time since the first was submitted.

    *now* (a time in UTC) is where the bars of cases end that still wait or run.
    """
    want_columns(frame, _NEEDS, "The timeline")
    spans = spans_of(frame, now)
    longest = float(spans["end"].max()) if len(spans) else 0.0
    _, unit, seconds = next(found for found in _UNITS if longest >= found[0])
    for name in ("wait", "start", "end"):
        spans[name] = spans[name] / seconds
    made = style.figure(8.5, 5.4, title=_title(spans, unit))
    above, below = made.subplots(2, 1, sharex=True, height_ratios=[1, 3.2])
    _at_once(above, spans)
    _bars(below, spans)
    below.set_xlabel(f"time since the first case was submitted ({unit})")
    return made


def spans_of(frame: pd.DataFrame, now: Any) -> pd.DataFrame:
    """Return ``wait start end`` (seconds) and ``state`` of each submitted case, in the order of starts.

    A case ends with its program, where the frame has ``runSeconds``: archiving it is not running.
    """
    import pandas as pd

    table = frame[frame["created"].notna()]
    zero = table["created"].min()
    latest = pd.Timestamp(now) if now is not None else table[list(_NEEDS)].max().max()

    def since(name: str, otherwise: Any) -> pd.Series[Any]:
        found: pd.Series[Any] = (table[name].fillna(otherwise) - zero).dt.total_seconds()
        return found

    spans = pd.DataFrame({"wait": since("created", zero), "state": table[STATUS].map(style.state_of)})
    spans["ran"] = table["remoteStarted"].notna()
    spans["end"] = since("ended", latest)
    spans["start"] = since("remoteStarted", latest).where(spans["ran"], spans["end"])
    if "runSeconds" in table.columns:
        ran = table["runSeconds"].astype("float64")
        spans["end"] = (spans["start"] + ran).where(spans["ran"] & ran.notna(), spans["end"])
    return spans.sort_values(["start", "wait"], kind="stable").reset_index(drop=True)


def _title(spans: pd.DataFrame, unit: str) -> str:
    if not len(spans):
        return "No case was submitted"
    wait = float((spans["start"] - spans["wait"]).median())
    run = float((spans["end"] - spans["start"])[spans["ran"]].median()) if spans["ran"].any() else 0.0
    return f"{len(spans):,} cases: waited {wait:.3g} {unit}, ran {run:.3g} {unit} (medians)"


def _at_once(axes: Axes, spans: pd.DataFrame) -> None:
    import numpy as np

    style.quiet(axes, grid="y")
    ran = spans[spans["ran"]]
    starts, ends = np.sort(ran["start"].to_numpy()), np.sort(ran["end"].to_numpy())
    moments = np.unique(np.concatenate([[0.0], starts, ends]))
    running = np.searchsorted(starts, moments, side="right") - np.searchsorted(ends, moments, side="right")
    axes.fill_between(moments, running, step="post", color=style.colour(str(JobStatus.RUNNING)), alpha=0.85)
    axes.set_ylabel("running\nat once")
    axes.set_ylim(0, max(1, int(running.max()) if len(running) else 1) * 1.08)
    axes.yaxis.set_major_locator(style.whole_numbers(4))


def _bars(axes: Axes, spans: pd.DataFrame) -> None:
    from matplotlib.patches import Patch

    style.quiet(axes, grid="x")
    height = 0.86 if len(spans) < 200 else 1.0
    _boxes(axes, spans, "wait", "start", _WAITING, height)
    handles = [Patch(facecolor=_WAITING, label="waiting")]
    for state, count in style.states_in(spans["state"]):
        some = spans[(spans["state"] == state) & spans["ran"]]
        if not len(some):
            continue
        hatch = "" if state in (JobStatus.FINISHED, JobStatus.RUNNING) or len(spans) > 200 else "////"
        _boxes(axes, some, "start", "end", style.colour(state), height, hatch)
        handles.append(
            Patch(
                facecolor=style.colour(state),
                hatch=hatch,
                edgecolor="white",
                label=style.state_label(state, count),
            )
        )
    axes.set_ylim(len(spans), -0.5)
    last = float(spans["end"].max()) if len(spans) else 0.0
    axes.set_xlim(0, 1.01 * last or 1)
    axes.set_ylabel("cases in the order of their starts")
    style.legend(axes, handles)


def _boxes(
    axes: Axes, spans: pd.DataFrame, left: str, right: str, colour: str, height: float, hatch: str = ""
) -> None:
    """Draw all bars of one colour as one thing: ten thousand of them, too."""
    import numpy as np
    from matplotlib.collections import PolyCollection

    rows = spans.index.to_numpy(dtype=float)
    low, high = rows - height / 2, rows + height / 2
    begin, end = spans[left].to_numpy(dtype=float), spans[right].to_numpy(dtype=float)
    corners = np.stack(
        [np.stack(pair, axis=1) for pair in ((begin, low), (end, low), (end, high), (begin, high))], axis=1
    )
    edge = "white" if hatch else "none"
    axes.add_collection(
        PolyCollection(list(corners), facecolors=colour, edgecolors=edge, linewidths=0, hatch=hatch or None)
    )
