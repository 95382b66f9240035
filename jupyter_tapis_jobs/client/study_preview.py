"""What a study would do, before anything is spent: cases, their start, what is sent, what is wrong."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from ..model.status import JobStatus
from ..model.texts import printable
from .preview import inline_files, request_text
from .words import limit, size

#: Invalid cases that are listed in a line each; the frame has all of them.
_LISTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPreview:
    """A dry run of a study; nothing was submitted."""

    name: str
    #: Cases looked at, and parts of them.
    cases: int
    new: int = 0
    done: int = 0
    in_flight: int = 0
    failed: int = 0
    #: Cases of the study that were not looked at: they are there from before.
    others: int = 0
    launch_mode: str = ""
    launch_reason: str = ""
    #: Bytes that travel with every case on average, and once for all; files looked up elsewhere.
    bytes_each: int = 0
    bytes_once: int = 0
    #: Hours that the cases to run take at most, or as measured on those done; None where nobody knows.
    node_hours: float | None = None
    measured: bool = False
    #: Rendered requests of the first cases.
    samples: Sequence[Mapping[str, Any]] = ()
    #: How the jobs stand that go on with the cases, a line each.
    then: Sequence[str] = ()
    #: What is wrong with each invalid case: ``row caseId message field``.
    errors: Sequence[Mapping[str, Any]] = field(default=())

    @property
    def to_run(self) -> int:
        """Cases that ``run()`` would submit."""
        return self.new + self.failed

    def __str__(self) -> str:
        lines = [f"{self.name}: {self._counts()}", f"  {self._cost()}", f"  {self._travel()}"]
        goes_on = [f"  → {told}" for told in self.then]
        return "\n".join([*lines, *goes_on, *self._invalid(), *self._sample_lines()])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """What a notebook shows; every text in it is escaped."""
        lines = [self._counts(), self._cost(), self._travel(), *(f"→ {told}" for told in self.then)]
        told = "".join(f"<div>{html.escape(printable(line))}</div>" for line in lines)
        wrong = "".join(f"<div>{html.escape(printable(line.strip()))}</div>" for line in self._invalid())
        folded = "".join(
            f"<details><summary>{html.escape(printable(title))}</summary>"
            f'<pre style="white-space:pre-wrap">{html.escape(text)}</pre></details>'
            for title, text in self._sample_parts()
        )
        return f"<div><b>{html.escape(printable(self.name))}</b>{told}{wrong}{folded}</div>"

    def invalid(self) -> Any:
        """Return every invalid case as a frame: ``row`` (Int64, from 0), ``caseId message field`` (text)."""
        from . import frames

        columns = {
            "row": frames.NUMBER,
            "caseId": frames.TEXT,
            "message": frames.TEXT,
            "field": frames.TEXT,
        }
        return frames.from_rows(list(self.errors), columns)

    def _counts(self) -> str:
        parts = [(self.new, "new"), (self.done, "already done"), (self.in_flight, "in flight, joined")]
        parts += [(self.failed, "ended badly, to run again"), (len(self.errors), "invalid")]
        told = " · ".join(f"{count:,} {word}" for count, word in parts if count) or "nothing to do"
        more = f" · {self.others:,} others in the study stay as they are" if self.others else ""
        return f"{self.cases:,} case{'s' if self.cases != 1 else ''}: {told}{more}"

    def _cost(self) -> str:
        mode = self.launch_mode or "auto"
        why = f" ({self.launch_reason})" if self.launch_reason else ""
        return f"started: {mode}{why}" + (f" · {self._hours()}" if self.to_run else "")

    def _hours(self) -> str:
        if self.node_hours is None:
            return "node hours not known"
        minutes = max(1, round(self.node_hours * 60))
        told = f"{self.node_hours:,.0f} node hours" if minutes >= 600 else f"{limit(minutes)} of a node"
        return f"about {told}, as measured" if self.measured else f"at most {told}, by the time limit"

    def _travel(self) -> str:
        if not (self.bytes_once or self.bytes_each):
            return "nothing is transferred from here"
        once = [f"{size(self.bytes_once)} once"] if self.bytes_once else []
        each = [f"{size(self.bytes_each)} a case"] if self.bytes_each else []
        return f"inputs {' + '.join([*once, *each])}"

    def _invalid(self) -> list[str]:
        if not self.errors:
            return ["  no invalid case"]
        lines = [f"  ✗ {told_of(error)}" for error in self.errors[:_LISTED]]
        if len(self.errors) > _LISTED:
            lines.append(f"  … {len(self.errors) - _LISTED:,} more; preview.invalid() lists them all")
        return lines

    def _sample_lines(self) -> list[str]:
        return [line for title, text in self._sample_parts() for line in ("", title, text.rstrip())]

    def _sample_parts(self) -> list[tuple[str, str]]:
        return [
            part
            for sample in self.samples
            for part in (
                (f"Request of {sample.get('name')}", request_text(sample)),
                *((f"{path} of {sample.get('name')}", text) for path, text in inline_files(sample)),
            )
        ]


def told_of(error: Mapping[str, Any]) -> str:
    """Return what is wrong with one case as one sentence that names its row."""
    message = str(error.get("message") or "refused")
    row = error.get("row")
    return message if row is None or f"ow {row}" in message else f"Row {row}: {message}"


def most_hours(requests: Sequence[Mapping[str, Any]], app: Mapping[str, Any], count: int) -> float | None:
    """Return the node hours that *count* cases like *requests* take at most, by their time limits.

    None where one has no limit; *app* gives the limit and nodes that a request does not name.
    """
    attributes = app.get("jobAttributes") or {}
    total = 0.0
    for request in requests:
        minutes = request.get("maxMinutes") or attributes.get("maxMinutes")
        if not minutes:
            return None
        total += int(minutes) / 60 * int(request.get("nodeCount") or attributes.get("nodeCount") or 1)
    return total * count / len(requests) if requests else 0.0


def measured_hours(columns: Mapping[str, Sequence[Any]], count: int) -> float | None:
    """Return the node hours of *count* cases that run as long as those done; None where none was timed."""
    pairs = zip(columns.get("status") or (), columns.get("runSeconds") or (), strict=True)
    times = [float(seconds) for status, seconds in pairs if status == JobStatus.FINISHED and seconds]
    return fmean(times) / 3600 * count if times else None
