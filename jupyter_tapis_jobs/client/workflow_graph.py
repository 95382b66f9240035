"""A workflow as a picture: nodes from left to right as they wait for one another, a fan-out as one box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ..model.status import JobStatus
from ..model.texts import printable
from .words import state_words

#: Pixels: a box, the gaps between boxes, and the rim.
_WIDE, _HIGH, _APART, _BELOW, _RIM = 150, 44, 56, 16, 6
#: Characters of a name that a box shows, and layers that stand side by side at least.
_SHORT = 18
#: What a group is coloured by: the first of these that any of its nodes is in.
_FIRST = (
    JobStatus.FAILED,
    JobStatus.BLOCKED,
    JobStatus.RUNNING,
    JobStatus.ARCHIVING,
    JobStatus.PAUSED,
    JobStatus.QUEUED,
    JobStatus.SUBMITTING_JOB,
    JobStatus.STAGING_JOB,
    JobStatus.STAGING_INPUTS,
    JobStatus.PROCESSING_INPUTS,
    JobStatus.PENDING,
    JobStatus.CANCELLED,
)
_ARROW = (
    '<defs><marker id="tapis-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0 8 4 0 8z" fill="#888"/></marker></defs>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A node, or a fan-out as one; ``counts`` are its nodes by their state."""

    name: str
    after: tuple[str, ...]
    counts: Mapping[str, int]
    is_fan_out: bool = False

    @property
    def state(self) -> str:
        """The state that a person wants to know of first."""
        if len(self.counts) == 1:
            return next(iter(self.counts))
        return next((state for state in _FIRST if state in self.counts), "WAITING")

    @property
    def words(self) -> str:
        """``✓ done``, ``▶ 12 of 1,000 done``."""
        look = state_words(self.state)
        if not self.is_fan_out:
            return f"{look.glyph} {_word(self.state)}"
        total, done = sum(self.counts.values()), self.counts.get(JobStatus.FINISHED, 0)
        failed = self.counts.get(JobStatus.FAILED, 0)
        return f"{look.glyph} {done:,} of {total:,} done" + (f", {failed:,} failed" if failed else "")


def svg(boxes: Sequence[Box], name: str) -> str:
    """Return the picture as SVG; every text in it is escaped."""
    if not boxes:
        return ""
    columns = _columns(boxes)
    places = {
        box.name: (_RIM + x * (_WIDE + _APART), _RIM + y * (_HIGH + _BELOW))
        for x, column in enumerate(columns)
        for y, box in enumerate(column)
    }
    width = 2 * _RIM + len(columns) * (_WIDE + _APART) - _APART
    height = 2 * _RIM + max(map(len, columns)) * (_HIGH + _BELOW) - _BELOW
    lines = [_line(places[source], places[box.name]) for box in boxes for source in _sources(box, places)]
    drawn = [_box(box, *places[box.name]) for box in boxes]
    return (
        f'<div style="overflow:auto;margin-top:8px"><svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12"><title>workflow {_text(name)}</title>{_ARROW}{"".join(lines + drawn)}</svg></div>'
    )


def _columns(boxes: Sequence[Box]) -> list[list[Box]]:
    """Return the boxes by layers: each behind all that it waits for."""
    known = {box.name: box for box in boxes}
    layers: dict[str, int] = {}
    # A stack in place of recursion: a chain may be as long as a workflow is large.
    stack = list(reversed(boxes))
    while stack:
        box = stack[-1]
        before = _sources(box, known)
        left = [known[name] for name in before if name not in layers]
        if left:
            stack += left
            continue
        layers[box.name] = 1 + max((layers[name] for name in before), default=-1)
        stack.pop()
    columns: list[list[Box]] = [[] for _ in range(1 + max(layers.values()))]
    for box in boxes:
        columns[layers[box.name]].append(box)
    return columns


def _sources(box: Box, known: Mapping[str, object]) -> list[str]:
    """Return the boxes before one; a node of a fan-out is in the box of all of it."""
    names = dict.fromkeys(name if name in known else name.partition("[")[0] for name in box.after)
    return [name for name in names if name in known and name != box.name]


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1, x2, y2 = start[0] + _WIDE, start[1] + _HIGH // 2, end[0], end[1] + _HIGH // 2
    middle = (x1 + x2) // 2
    return (
        f'<path d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}" fill="none" stroke="#888" '
        'stroke-width="1.5" marker-end="url(#tapis-arrow)"/>'
    )


def _box(box: Box, x: int, y: int) -> str:
    colour = state_words(box.state).colour
    shadow = (
        f'<rect x="{x + 4}" y="{y + 4}" width="{_WIDE}" height="{_HIGH}" rx="6" fill="{colour}" '
        'opacity=".45"/>'
        if box.is_fan_out
        else ""
    )
    short = box.name if len(box.name) <= _SHORT else f"{box.name[: _SHORT - 1]}…"
    return (
        f"<g><title>{_text(f'{box.name}: {box.words}')}</title>{shadow}"
        f'<rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="6" fill="{colour}"/>'
        f'<text x="{x + 10}" y="{y + 18}" fill="#fff" font-weight="bold">{_text(short)}</text>'
        f'<text x="{x + 10}" y="{y + 34}" fill="#fff">{_text(box.words)}</text></g>'
    )


def _word(state: str) -> str:
    return state_words(state).words.partition(";")[0] or state.lower().replace("_", " ")


def _text(text: str) -> str:
    return escape(printable(text))
