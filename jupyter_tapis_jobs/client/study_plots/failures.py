"""What ended the failed cases: a bar a group, beside what they said last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...model.status import JobStatus
from ..failure_groups import FailureGroup, FailureReport
from . import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 12


def failures(report: FailureReport) -> Figure:
    """Draw the largest groups of failed cases; the rest are one bar."""
    groups = list(report)[:_SHOWN]
    rest = sum(len(group) for group in list(report)[_SHOWN:])
    made = style.figure(9.5, 1.3 + 0.55 * (len(groups) + bool(rest) or 1), title=_title(report))
    axes = style.quiet(made.subplots(), grid="x")
    counts = [len(group) for group in groups] + ([rest] if rest else [])
    words = [_words(group) for group in groups] + ([f"{len(report) - _SHOWN:,} more groups"] if rest else [])
    places = range(len(counts))
    bars = axes.barh(places, counts, color=style.colour(str(JobStatus.FAILED)), height=0.62)
    axes.bar_label(bars, labels=_beside(groups, rest), padding=4, fontsize=9)
    axes.set_yticks(places, words, fontsize=8.5)
    axes.set_ylim(len(counts) - 0.4 if counts else 0.6, -0.6)
    axes.set_xlim(0, max(counts, default=1) * 1.35)
    axes.set_xlabel("failed cases")
    axes.xaxis.set_major_locator(style.whole_numbers(6))
    axes.tick_params(axis="y", length=0)
    return made


def _title(report: FailureReport) -> str:
    if not report.failed:
        return f"No case of {report.cases:,} failed"
    return f"{report.failed:,} of {report.cases:,} cases failed, by what they said last"


def _words(group: FailureGroup) -> str:
    return style.wrapped(group.headline, 52)


def _beside(groups: Sequence[FailureGroup], rest: int) -> list[str]:
    beside = [
        f"{len(group):,}  {group.cause}" + (f"  ({group.where})".replace("$", r"\$") if group.where else "")
        for group in groups
    ]
    return [*beside, f"{rest:,}"] if rest else beside
