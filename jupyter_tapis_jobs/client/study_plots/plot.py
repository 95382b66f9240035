"""The picture that fits: by what was asked for, and by how many parameters vary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...model.errors import InvalidInputError, did_you_mean
from ..failure_groups import FailureReport, failure_groups
from ..study_columns import STATUS, is_number, parameter_names, result_names, varying, want_column
from . import interactive
from .axes import levels
from .picture import Picture

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("response", "heatmap", "parallel", "states", "timeline", "failures")
#: Parameters that are drawn without being named.
_MOST = 9


class _Asked:
    """What is to be drawn, checked against the frame."""

    def __init__(
        self,
        frame: pd.DataFrame,
        result: str | None,
        x: str | Sequence[str] | None,
        y: str | None,
        by: str | None,
        units: Mapping[str, str],
        report: FailureReport | None,
    ) -> None:
        self.frame = frame.reset_index(drop=True)
        self.result = _checked_result(self.frame, result)
        given = [x] if isinstance(x, str) else list(x or ())
        self.x = [want_column(self.frame, name, "x") for name in given]
        self.y = None if y is None else want_column(self.frame, y, "y")
        self.by = None if by is None else want_column(self.frame, by, "by")
        self.units = units
        self.report = report
        self.varying = varying(self.frame)

    def parameters(self) -> list[str]:
        """The parameters to draw: those that were named, else those that vary."""
        return self.x or self.varying[:_MOST] or parameter_names(self.frame)[:1]

    def plane(self) -> tuple[str, str] | None:
        """The two parameters of a plane; None where they were not named and not just two vary."""
        if self.y is not None:
            left = self.x or [name for name in self.varying if name != self.y]
            return (left[0], self.y) if left else None
        named = self.x if len(self.x) == 2 else self.varying if not self.x else []
        return (named[0], named[1]) if len(named) == 2 else None


def plot(
    frame: pd.DataFrame,
    result: str | None = None,
    *,
    kind: str | None = None,
    x: str | Sequence[str] | None = None,
    y: str | None = None,
    by: str | None = None,
    units: Mapping[str, str] = MappingProxyType({}),
    report: FailureReport | None = None,
) -> Picture:
    """Return a picture of a study's *frame*, collected or not.

    *kind* is ``response`` (*result* over each parameter *x*, coloured *by* another), ``heatmap`` (*result*
    over the plane of *x* and *y*), ``parallel`` (all parameters and *result*), ``states`` (where the cases
    stand), ``timeline`` (when they waited and ran), ``failures`` (what ended them; *report* says it with
    their outputs read). Without *kind*: a heat map of a result over a full grid of two numbers, else its
    response; without a result the states. *units* is column -> unit, for the labels.

    Raises ``InvalidInputError`` for a column or kind that there is not.
    """
    if not len(frame):
        raise InvalidInputError("This study has no cases yet: there is nothing to draw.", field="frame")
    asked = _Asked(frame, result, x, y, by, units, report)
    return _DRAWN[_checked_kind(asked, kind)](asked)


def _checked_result(frame: pd.DataFrame, result: str | None) -> str | None:
    if result is None:
        return None
    want_column(frame, result, "result")
    if not is_number(frame, result):
        raise InvalidInputError(
            f"'{result}' does not hold numbers; results that can be drawn: "
            f"{', '.join(name for name in _numbers(frame)) or 'none; study.collect(…) gets some'}.",
            field="result",
            value=result,
        )
    if not frame[result].notna().any():
        raise InvalidInputError(
            f"No case has a '{result}' yet; the column 'problem' of the collected frame says why.",
            field="result",
            value=result,
        )
    return result


def _numbers(frame: pd.DataFrame) -> list[str]:
    ours = [name for name in ("queueSeconds", "runSeconds") if name in frame.columns]
    return [*(name for name in result_names(frame) if is_number(frame, name)), *ours]


def _checked_kind(asked: _Asked, kind: str | None) -> str:
    if kind is None:
        if asked.result is None:
            return "states"
        return "heatmap" if _is_full_grid(asked) else "response"
    if kind not in KINDS:
        raise InvalidInputError(
            f"kind '{kind}' is not one of: {', '.join(KINDS)}.{did_you_mean(kind, KINDS)}",
            field="kind",
            value=kind,
        )
    return kind


def _is_full_grid(asked: _Asked) -> bool:
    """True where two numbers vary and nearly each pair of their values is a case."""
    plane = asked.plane()
    if plane is None or asked.by is not None:
        return False
    if not all(is_number(asked.frame, name) for name in plane):
        return False
    wide, high = (len(levels(asked.frame, name)) for name in plane)
    pairs = len(asked.frame[list(plane)].drop_duplicates())
    return wide > 2 and high > 2 and pairs >= 0.8 * wide * high


# --- the kinds --------------------------------------------------------------------------------
def _response(asked: _Asked) -> Picture:
    from .response import response

    result = _want_result(asked, "response")
    names = [name for name in asked.parameters() if name != result]
    made = response(asked.frame, result, names, asked.by, asked.units)
    words = f"{result} against {', '.join(names)}, {asked.frame[result].notna().sum():,} results"
    draw = partial(interactive.response, asked.frame, result, names, asked.by, asked.units)
    return Picture(made, words, draw)


def _heat_map(asked: _Asked) -> Picture:
    from .grids import heat_map

    result = _want_result(asked, "heatmap")
    x, y = _want_plane(asked, "heat map")
    words = (
        f"{result} over {x} and {y}, from {asked.frame[result].min():.4g} to {asked.frame[result].max():.4g}"
    )
    draw = partial(interactive.heat_map, asked.frame, result, x, y, asked.units)
    return Picture(heat_map(asked.frame, result, x, y, asked.units), words, draw)


def _parallel(asked: _Asked) -> Picture:
    from .parallel import parallel

    names = [name for name in asked.parameters() if name != asked.result]
    made = parallel(asked.frame, names, asked.result, asked.units)
    words = f"{len(asked.frame):,} cases as lines through {', '.join([*names, asked.result or STATUS])}"
    draw = partial(interactive.parallel, asked.frame, names, asked.result, asked.units)
    return Picture(made, words, draw)


def _states(asked: _Asked) -> Picture:
    from . import grids, style

    plane = asked.plane()
    made = grids.state_map(asked.frame, *plane, asked.units) if plane else grids.state_tiles(asked.frame)
    words = ", ".join(f"{count:,} {state}" for state, count in style.states_in(asked.frame[STATUS]))
    return Picture(made, words, partial(interactive.states, asked.frame, plane, asked.units))


def _timeline(asked: _Asked) -> Picture:
    from .timeline import timeline

    words = f"when {len(asked.frame):,} cases waited and ran"
    return Picture(timeline(asked.frame), words, partial(interactive.timeline, asked.frame))


def _failures(asked: _Asked) -> Picture:
    from .failures import failures

    report = failure_groups(asked.frame, {}) if asked.report is None else asked.report
    return Picture(failures(report), repr(report), partial(interactive.failures, report))


_DRAWN: Mapping[str, Callable[[_Asked], Picture]] = MappingProxyType(
    {
        "response": _response,
        "heatmap": _heat_map,
        "parallel": _parallel,
        "states": _states,
        "timeline": _timeline,
        "failures": _failures,
    }
)


def _want_result(asked: _Asked, kind: str) -> str:
    if asked.result is None:
        numbers = ", ".join(_numbers(asked.frame)) or "none yet; study.collect(…) gets some"
        raise InvalidInputError(
            f"kind='{kind}' draws a result: name one, plot('drift', …). Results: {numbers}.", field="result"
        )
    return asked.result


def _want_plane(asked: _Asked, kind: str) -> tuple[str, str]:
    plane = asked.plane()
    if plane is None:
        raise InvalidInputError(
            f"A {kind} has two axes: name them, x='k', y='damping'. "
            f"Parameters that vary: {', '.join(asked.varying) or 'none'}.",
            field="x",
        )
    return plane
