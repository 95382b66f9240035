"""The card of a job: what it shows, as data, HTML and plain text; everything from a job is escaped."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..client.failure import failure_of
from ..client.words import progress_words, sentence, size, state_words
from ..model.status import JobStatus

MIME = "application/vnd.tapisjobs.job+json"
#: Lines of output, and files, that a card shows.
_TAIL, _FILES = 3, 8
#: Characters of the bar that tells how far an application is.
_BAR = 20
#: What the renderer needs of a job's row.
_KEYS = (
    *("uuid", "name", "owner", "tenant", "appId", "appVersion", "status", "condition", "created"),
    *("remoteStarted", "ended", "lastUpdated", "execSystemId", "archiveSystemId", "execSystemLogicalQueue"),
    *("lastMessage", "exitCode", "maxMinutes", "memoryMB", "nodeCount", "coresPerNode", "jobType"),
    *("launchMode", "launchReason", "remoteJobId", "progress", "progressMessage"),
)
#: The dots of a card: a word, and the statuses that stand for it.
_STATIONS = (
    ("pending", (JobStatus.PENDING,)),
    ("inputs", (JobStatus.PROCESSING_INPUTS, JobStatus.STAGING_INPUTS)),
    ("job", (JobStatus.STAGING_JOB,)),
    ("submit", (JobStatus.SUBMITTING_JOB,)),
    ("queue", (JobStatus.QUEUED,)),
    ("run", (JobStatus.RUNNING,)),
    ("archive", (JobStatus.ARCHIVING,)),
    ("done", (JobStatus.FINISHED,)),
)
_STATION_OF: dict[str, int] = {
    status: place for place, (_, statuses) in enumerate(_STATIONS) for status in statuses
}
#: How the dot of the present station looks; elsewhere half done.
_HERE: dict[str, str] = {JobStatus.FINISHED: "●", JobStatus.FAILED: "✗", JobStatus.CANCELLED: "⊘"}
#: Colours and moves of the cursor that a program prints for a terminal, and what else is not text.
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
#: Marks that change the direction of text could show a line as another one.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CardState:
    """All that a card shows, at one moment. ``job`` is a row as Tapis gives it, ``now`` seconds (epoch)."""

    job: Mapping[str, Any]
    now: float
    #: (status, when) in order.
    history: Sequence[tuple[str, str]] = ()
    tail: Sequence[str] = ()
    outputs: Sequence[Mapping[str, Any]] = ()
    #: Shown while the server does not answer.
    trouble: str = ""


def bundle(state: CardState) -> dict[str, Any]:
    """Return the card as MIME bundle: our own type, HTML and plain text, the last two readable anywhere."""
    facts = _facts(state)
    return {MIME: _data(state, facts), "text/html": _template().render(facts), "text/plain": _plain(facts)}


def _facts(state: CardState) -> dict[str, Any]:
    """What is shown, in words; the same for HTML and plain text."""
    job = state.job
    status = str(job.get("status") or "")
    tail = [printable(line) for line in state.tail][-_TAIL:]
    shown = list(state.outputs)[:_FILES]
    return {
        "uuid": str(job.get("uuid") or ""),
        "name": printable(str(job.get("name") or "")),
        "status": status,
        "look": state_words(status),
        "sentence": printable(sentence(job, state.now)),
        "place": printable(_place(job)),
        "stations": _dots(status, state.history),
        "stations_said": " · ".join(word for word, _ in _STATIONS),
        "progress": printable(progress_words(job)),
        "percent": _percent(job),
        "trouble": printable(state.trouble),
        "failure": failure_of(job, [printable(line) for line in state.tail]),
        "tail": tail,
        "files": [
            {"path": printable(str(row.get("path"))), "size": size(int(row.get("size") or 0))}
            for row in shown
        ],
        "more_files": len(state.outputs) - len(shown),
    }


def _data(state: CardState, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The content of our own MIME type, drawn live by the Lab extension. It holds no token."""
    failure = facts["failure"]
    return {
        "uuid": facts["uuid"],
        "name": facts["name"],
        "job": {key: state.job.get(key) for key in _KEYS},
        "history": [list(step) for step in state.history],
        "tail": facts["tail"],
        "outputs": [{"path": row.get("path"), "size": row.get("size")} for row in state.outputs],
        "failure": None
        if failure is None
        else {"cause": failure.cause, "evidence": failure.evidence, "nextStep": failure.next_step},
    }


def _plain(facts: Mapping[str, Any]) -> str:
    head = f"{facts['look'].glyph} {facts['name']}  {facts['status']}  {facts['sentence']}"
    lines = [f"{head}   {facts['place']}", f"  {facts['stations']}   {facts['stations_said']}"]
    if facts["progress"]:
        lines.append(f"  {_bar(facts['percent'])}{facts['progress']}")
    if facts["trouble"]:
        lines.append(f"  ⚠ {facts['trouble']}")
    if facts["failure"]:
        lines.append(f"  {facts['failure']}")
    lines += [f"  │ {line}" for line in facts["tail"]]
    if facts["files"]:
        more = f" · and {facts['more_files']} more" if facts["more_files"] else ""
        lines.append("  " + " · ".join(f"{file['path']} {file['size']}" for file in facts["files"]) + more)
    return "\n".join(lines)


def _percent(job: Mapping[str, Any]) -> float | None:
    """Return a number from 0 to 100, whatever stands there: a style is made of it."""
    percent = job.get("progress")
    return None if percent is None else max(0.0, min(float(percent), 100.0))


def _bar(percent: float | None) -> str:
    """``████████░░░░░░░░░░░░`` for 40 %; nothing where only words were told."""
    if percent is None:
        return ""
    full = round(percent / 100 * _BAR)
    return "█" * full + "░" * (_BAR - full) + " "


def _place(job: Mapping[str, Any]) -> str:
    """``rig · normal · BATCH array 4711_17 · 1 node x 1 core · 5 min``, as far as it is known."""
    nodes, cores, minutes = (job.get(key) for key in ("nodeCount", "coresPerNode", "maxMinutes"))
    parts = [job.get("execSystemId"), job.get("execSystemLogicalQueue"), _launch(job)]
    if nodes and cores:
        parts.append(f"{_count(nodes, 'node')} x {_count(cores, 'core')}")
    if minutes:
        parts.append(f"{minutes} min")
    return " · ".join(str(part) for part in parts if part)


def _launch(job: Mapping[str, Any]) -> str:
    """How it is started, with the scheduler's number; a process number tells a person nothing."""
    if job.get("jobType") != "BATCH":
        return str(job.get("jobType") or "")
    mode = job.get("launchMode")
    return " ".join(filter(None, ("BATCH", mode if mode in _TOGETHER else "", job.get("remoteJobId"))))


#: Launch modes that start many jobs at once.
_TOGETHER = frozenset({"array", "pack"})


def _dots(status: str, history: Sequence[tuple[str, str]]) -> str:
    """``●──●──◐──○``: what is behind the job, where it is, what is to come; ✗ where it stopped."""
    reached = [_STATION_OF[step] for step, _ in history if step in _STATION_OF]
    here = _STATION_OF.get(status, max(reached, default=0))
    mark = _HERE.get(status, "◐")
    return "──".join(
        "●" if place < here else mark if place == here else "○" for place in range(len(_STATIONS))
    )


def _count(number: Any, noun: str) -> str:
    return f"{number} {noun}" if int(number) == 1 else f"{number} {noun}s"


def printable(text: str) -> str:
    """Return *text* without what a terminal would act on and marks that turn it around."""
    return _BIDI.sub("", _CONTROL.sub("", text))[:500]


@functools.cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    source = Path(__file__).with_name("card.html.j2").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(source)
