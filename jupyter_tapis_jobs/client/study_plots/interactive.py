"""The same pictures for plotly: to point at, to zoom into; made of plain values, so that a file holds all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ...model.status import JobStatus
from ..study_columns import CASE, STATUS, parameter_names
from . import style
from .axes import levels, positions

if TYPE_CHECKING:
    import pandas as pd

    from ..failure_groups import FailureReport

_Units = Mapping[str, str]
_SCALE = "Cividis"


def response(frame: pd.DataFrame, result: str, names: Sequence[str], by: str | None, units: _Units) -> Any:
    """A scatter of *result* for each parameter, one shown at a time, chosen above."""
    table = frame[frame[result].notna()]
    data = [
        _points(table, result, name, by, units) | {"visible": place == 0} for place, name in enumerate(names)
    ]
    buttons = [
        {
            "label": str(name),
            "method": "update",
            "args": [
                {"visible": [other == name for other in names]},
                {"xaxis.title.text": style.label(name, units)},
            ],
        }
        for name in names
    ]
    menus = [{"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.15}] if len(names) > 1 else []
    axes = {"xaxis": _axis(style.label(names[0], units)), "yaxis": _axis(style.label(result, units))}
    return _figure(data, {**axes, "updatemenus": menus, "showlegend": False})


def _points(table: pd.DataFrame, result: str, name: str, by: str | None, units: _Units) -> dict[str, Any]:
    marker: dict[str, Any] = {"color": style.PALETTE[0], "opacity": 0.75}
    if by is not None:
        places, words = positions(table, by)
        bar: dict[str, Any] = {"title": {"text": style.label(by, units)}}
        if words is not None:
            bar |= {"tickvals": list(range(len(words))), "ticktext": words}
        marker |= {"color": _plain(places), "colorscale": _SCALE, "showscale": True, "colorbar": bar}
    return {
        "type": "scatter", "mode": "markers", "x": _plain(table[name]), "y": _plain(table[result]),
        "text": _hover(table), "hovertemplate": "%{text}<br>" + _safe(result) + " %{y}<extra></extra>",
        "marker": marker,
    }  # fmt: skip


def heat_map(frame: pd.DataFrame, result: str, x: str, y: str, units: _Units) -> Any:
    """The median of *result* in each cell."""
    from .grids import gridded, plane_of

    frame = gridded(frame, x, y)
    wide, high = levels(frame, x), levels(frame, y)
    values = plane_of(frame[frame[result].notna()], result, x, y, wide, high)
    data = {
        "type": "heatmap", "x": [style.short(value) for value in wide],
        "y": [style.short(value) for value in high], "colorscale": _SCALE,
        "z": [[None if value != value else float(value) for value in row] for row in values],
        "colorbar": {"title": {"text": style.label(result, units)}},
        "hovertemplate": f"{_safe(x)} %{{x}}<br>{_safe(y)} %{{y}}<br>{_safe(result)} %{{z}}<extra></extra>",
    }  # fmt: skip
    axes = {"xaxis": _axis(style.label(x, units)), "yaxis": _axis(style.label(y, units))}
    return _figure([data], {name: axis | {"type": "category"} for name, axis in axes.items()})


def parallel(frame: pd.DataFrame, names: Sequence[str], result: str | None, units: _Units) -> Any:
    """Upright axes on which ranges can be chosen; cases without a result are not among them."""
    table = frame[frame[result].notna()] if result else frame
    dimensions = []
    for name in [*names, *([result] if result else [])]:
        places, words = positions(table, name)
        dimension = {"label": style.label(name, units), "values": _plain(places)}
        if words is not None:
            dimension |= {"tickvals": list(range(len(words))), "ticktext": words}
        dimensions.append(dimension)
    line: dict[str, Any] = {"color": style.PALETTE[0]}
    if result:
        title = {"title": {"text": style.label(result, units)}}
        line = {"color": _plain(table[result]), "colorscale": _SCALE, "showscale": True, "colorbar": title}
    return _figure([{"type": "parcoords", "dimensions": dimensions, "line": line}], {})


def states(frame: pd.DataFrame, plane: tuple[str, str] | None, units: _Units) -> Any:
    """A square for each case: over the plane of two parameters, else in the order of the cases."""
    width = max(10, int(len(frame) ** 0.5 * 1.8))
    data = []
    for state, count in style.states_in(frame[STATUS]):
        here = frame[STATUS].map(style.state_of) == state
        some = frame[here]
        places = [int(place) for place in here.to_numpy().nonzero()[0]]
        x = _plain(some[plane[0]]) if plane else [place % width for place in places]
        y = _plain(some[plane[1]]) if plane else [place // width for place in places]
        data.append(
            {
                "type": "scatter", "mode": "markers", "x": x, "y": y, "text": _hover(some),
                "name": style.state_label(state, count),
                "hovertemplate": "%{text}<extra>" + state + "</extra>",
                "marker": {"symbol": "x" if state == JobStatus.FAILED else "square", "size": 9,
                           "color": style.colour(state)},
            }
        )  # fmt: skip
    if plane:
        layout = {"xaxis": _axis(style.label(plane[0], units)), "yaxis": _axis(style.label(plane[1], units))}
    else:
        layout = {
            "xaxis": _axis(f"cases in their order, {width} a row") | {"showticklabels": False},
            "yaxis": _axis("row") | {"autorange": "reversed"},
        }
    return _figure(data, layout)


def timeline(frame: pd.DataFrame) -> Any:
    """Bars of waiting and running, a case each."""
    from .timeline import spans_of

    spans = spans_of(frame, None)
    rows = list(range(len(spans)))
    wait = spans["start"] - spans["wait"]
    data = [_bars(rows, spans["wait"], wait, "waiting", "#c9c9c9")]
    for state, count in style.states_in(spans["state"]):
        some = spans[(spans["state"] == state) & spans["ran"]]
        lasted = some["end"] - some["start"]
        data.append(
            _bars([int(row) for row in some.index], some["start"], lasted, style.state_label(state, count),
                  style.colour(state))
        )  # fmt: skip
    layout = {
        "xaxis": _axis("time since the first case was submitted (s)"),
        "yaxis": _axis("cases in the order of their starts") | {"autorange": "reversed"},
        "barmode": "overlay",
        "bargap": 0.1,
    }
    return _figure(data, layout)


def _bars(rows: list[int], base: Any, length: Any, name: str, colour: str) -> dict[str, Any]:
    return {
        "type": "bar", "orientation": "h", "y": rows, "x": _plain(length), "base": _plain(base),
        "name": name, "marker": {"color": colour}, "hovertemplate": "%{x:.1f} s<extra>" + name + "</extra>",
    }  # fmt: skip


def failures(report: FailureReport) -> Any:
    """A bar for each group of failed cases."""
    groups = list(report)
    data = {
        "type": "bar", "orientation": "h", "x": [len(group) for group in groups],
        "y": [f"{place + 1}. {_safe(group.headline[:60])}" for place, group in enumerate(groups)],
        "text": [_safe(f"{group.cause} {group.where}") for group in groups],
        "hovertext": [_safe(str(group)) for group in groups], "hoverinfo": "text",
        "marker": {"color": style.colour(str(JobStatus.FAILED))},
    }  # fmt: skip
    return _figure(
        [data], {"xaxis": _axis("failed cases"), "yaxis": {"autorange": "reversed", "automargin": True}}
    )


# --- parts ------------------------------------------------------------------------------------
def _figure(data: list[dict[str, Any]], layout: dict[str, Any]) -> Any:
    import importlib

    # Not a dependency, and without types.
    objects = importlib.import_module("plotly.graph_objects")
    common = {"template": "plotly_white", "margin": {"t": 50, "r": 20}, "font": {"size": 12}}
    return objects.Figure({"data": data, "layout": common | layout})


def _axis(title: str) -> dict[str, Any]:
    return {"title": {"text": _safe(title)}, "automargin": True}


def _hover(table: pd.DataFrame) -> list[str]:
    """Return what is told of each case when it is pointed at."""
    names = parameter_names(table)
    rows = zip(*(table[name] for name in names), strict=True) if names else iter([()] * len(table))
    cases = table[CASE] if CASE in table.columns else [""] * len(table)
    return [
        "<br>".join([f"case {case}", *(f"{_safe(name)} {_safe(style.short(value))}" for name, value in
                                       zip(names, row, strict=True))])
        for case, row in zip(cases, rows, strict=True)
    ]  # fmt: skip


def _plain(values: Any) -> list[Any]:
    """Return plain values: what is missing is None."""
    if str(values.dtype).startswith("datetime"):
        return [None if value != value else value.isoformat() for value in values]
    return [None if value is None or value != value else value for value in values.astype(object)]


def _safe(text: str) -> str:
    """Plotly reads some HTML in texts; what comes out of a job is only text."""
    # Plotly knows no entity for a quotation mark, and there is no attribute that it could end.
    return escape(str(text), quote=False)
