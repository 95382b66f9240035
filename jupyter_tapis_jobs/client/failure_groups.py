"""The failed cases of a study, put together by what ended them, each group with the call that may mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from ..model.errors import NotFoundError
from ..model.extensions import Extension
from ..model.files import STDOUT
from ..model.status import JobStatus
from ..model.texts import printable
from .case_selection import selection, where
from .failure_causes import LOOKED, CaseCause, Cause, cause_of
from .job import Job
from .job_lists import job_rows
from .output_cache import OutputCache
from .study_columns import CASE, JOB, STATUS, parameter_names
from .study_outputs import Fetch
from .words import STATES

if TYPE_CHECKING:
    import pandas as pd

    from .tapis import Tapis

_Row = Mapping[str, Any]
#: Failed cases whose output is read; the others are put together by condition and exit code.
_READ = 500
#: What of a job tells why it failed, beside what the frame has.
_TOLD = "uuid,status,lastMessage,remoteResultInfo,maxMinutes,memoryMB,jobType,remoteStarted"
#: What differs between lines that say the same.
_DIFFERS = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27,}|[-+]?\d+\.?\d*(?:e[-+]?\d+)?", re.IGNORECASE)
_FOLDERS = re.compile(r"(?:/[\w.@+-]+)+/(?=[\w.@+-])")
_FAILED = STATES[JobStatus.FAILED]


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failed cases with the same likely cause; ``next_step`` is the call or advice that may mend them."""

    cause: Cause
    told: str
    #: The telling line of one of them, or "".
    line: str
    case_ids: tuple[str, ...]
    #: What their parameters have in common and no other case has: ``k > 55``, or "".
    where: str
    condition: str
    exit_code: int | None
    next_step: str

    @property
    def headline(self) -> str:
        """The words beside the count: the telling line, or the cause where it says more."""
        if self.cause in (Cause.TIME, Cause.MEMORY, Cause.HOST) or not self.line:
            return self.told
        return f'"{self.line}"'

    def __len__(self) -> int:
        return len(self.case_ids)

    def __str__(self) -> str:
        place = f"  ({self.where})" if self.where else ""
        return f"{_FAILED.glyph} {len(self):,}  {self.headline}{place}   {self.cause}   → {self.next_step}"


class FailureReport(Sequence[FailureGroup]):
    """The groups, largest first; shown as text and as a table in a notebook."""

    def __init__(self, groups: Sequence[FailureGroup], cases: int) -> None:
        self._groups = tuple(groups)
        #: Cases of the study, failed or not.
        self.cases = cases

    def __getitem__(self, index: Any) -> Any:
        return self._groups[index]

    def __len__(self) -> int:
        return len(self._groups)

    def __iter__(self) -> Iterator[FailureGroup]:
        return iter(self._groups)

    @property
    def failed(self) -> int:
        """How many cases failed."""
        return sum(len(group) for group in self)

    def __repr__(self) -> str:
        if not self._groups:
            return f"No case of {self.cases:,} failed."
        return "\n".join([f"{self.failed:,} of {self.cases:,} cases failed", *map(str, self)])

    def _repr_html_(self) -> str:
        if not self._groups:
            return f"<p>{escape(repr(self))}</p>"
        head = "".join(f"<th style='text-align:left'>{name}</th>" for name in _HEADS)
        rows = "".join(f"<tr>{_cells(group)}</tr>" for group in self)
        caption = f"{self.failed:,} of {self.cases:,} cases failed"
        return (
            f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def frame(self) -> pd.DataFrame:
        """Return a row a group: ``cases`` (int), ``exitCode`` (Int64), and the words of it as text."""
        import pandas as pd

        rows = [(len(g), str(g.cause), g.line, g.where, g.condition, g.exit_code, g.next_step) for g in self]
        names = ["cases", "cause", "line", "where", "condition", "exitCode", "nextStep"]
        return pd.DataFrame(rows, columns=names).astype({"exitCode": "Int64"})


_HEADS = ("cases", "what it said", "where", "likely cause", "what to do")


def _cells(group: FailureGroup) -> str:
    count = f"<b style='color:{_FAILED.colour}'>{_FAILED.glyph}</b> {len(group):,}"
    words = (group.headline, group.where, str(group.cause))
    plain = "".join(f"<td style='text-align:left'>{escape(word)}</td>" for word in words)
    return f"<td style='text-align:right;white-space:nowrap'>{count}</td>{plain}" + (
        f"<td style='text-align:left'><code>{escape(group.next_step)}</code></td>"
    )


@dataclass(frozen=True, slots=True)
class CaseFailure:
    """Why one case failed: what a person needs to mend it, with the last lines that it printed."""

    case_id: str
    parameters: Mapping[str, Any]
    condition: str
    exit_code: int | None
    cause: CaseCause
    lines: tuple[str, ...]
    next_step: str

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
        code = "" if self.exit_code is None else f" · exit code {self.exit_code}"
        head = (
            f"{_FAILED.glyph} case {self.case_id} ({given}) FAILED · {self.condition or 'no condition'}{code}"
        )
        likely = f"likely cause: {self.cause.cause} - {self.cause.told}"
        return "\n".join([head, likely, *(f"  | {line}" for line in self.lines), f"→ {self.next_step}"])

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


# --- with a server ----------------------------------------------------------------------------
def failures_of(tapis: Tapis, frame: pd.DataFrame, cache: OutputCache | None = None) -> FailureReport:
    """Return why cases of a study's *frame* failed; the outputs of at most 500 of them are read."""
    failed = frame.loc[frame[STATUS] == str(JobStatus.FAILED), JOB].dropna().astype(str).tolist()
    if not failed:
        return FailureReport((), len(frame))
    return failure_groups(frame, tails_of(tapis, failed[:_READ], cache), _rows(tapis, failed))


def case_failure(tapis: Tapis, frame: pd.DataFrame, case_id: str, lines: int = 10) -> CaseFailure:
    """Return why one case failed, with the last *lines* of its output.

    Raises ``NotFoundError`` when there is no such case or it did not fail.
    """
    found = frame[frame[CASE] == case_id]
    if not len(found):
        raise NotFoundError(f"There is no case '{case_id}' in this study.")
    row = found.iloc[-1]
    if row[STATUS] != JobStatus.FAILED:
        raise NotFoundError(f"Case {case_id} did not fail: it is {row[STATUS]}.")
    uuid = str(row[JOB])
    known = {**_rows(tapis, [uuid]).get(uuid, {}), **_of_frame(row)}
    tail = tails_of(tapis, [uuid]).get(uuid, ())
    cause = cause_of(known, tail)
    return CaseFailure(
        case_id=case_id,
        parameters={name: row[name] for name in parameter_names(frame)},
        condition=str(known.get("condition") or ""),
        exit_code=known.get("exitCode"),
        cause=cause,
        lines=tuple(tail[-lines:]),
        next_step=_next_step(cause, f'"{case_id}"', [known], case_id),
    )


def tails_of(
    tapis: Tapis, uuids: Sequence[str], cache: OutputCache | None = None
) -> dict[str, tuple[str, ...]]:
    """Return uuid -> the last lines that each of these jobs of one study printed."""
    if not uuids:
        return {}
    jobs = {uuid: Job(tapis, {"uuid": uuid, "status": str(JobStatus.FAILED)}) for uuid in uuids}
    kept = cache or OutputCache()
    contents, _ = Fetch(tapis, jobs, kept, kept).outputs(uuids, _stdout_name(tapis, uuids[0]))
    return {uuid: _last_lines(content) for uuid, content in contents.items()}


def _stdout_name(tapis: Tapis, uuid: str) -> str:
    try:
        return tapis.job(uuid).stdout_name()
    except NotFoundError:
        # Purged meanwhile; the name is nearly always this one.
        return STDOUT


def _last_lines(content: bytes) -> tuple[str, ...]:
    text = content[-64 * 1024 :].decode(errors="replace")
    lines = [line for line in text.splitlines() if line.strip()][-LOOKED:]
    return tuple(printable(line.expandtabs().rstrip()) for line in lines)


def _rows(tapis: Tapis, uuids: Sequence[str]) -> dict[str, _Row]:
    rows = job_rows(tapis.connection, uuids, _TOLD, by_body=tapis.can(Extension.BULK))
    return {str(row["uuid"]): row for row in rows}


# --- without one ------------------------------------------------------------------------------
def failure_groups(
    frame: pd.DataFrame, tails: Mapping[str, Sequence[str]], rows: Mapping[str, _Row] | None = None
) -> FailureReport:
    """Put the FAILED cases of *frame* together by likely cause and telling line, largest group first.

    *tails* is job uuid -> the last lines that it printed, *rows* job uuid -> more of the job as Tapis tells
    it (``maxMinutes``, ``memoryMB``, ``lastMessage``).
    """
    table = frame.reset_index(drop=True)
    together: dict[tuple[Any, ...], list[tuple[int, CaseCause, _Row]]] = {}
    for place, row in table[table[STATUS] == str(JobStatus.FAILED)].iterrows():
        known = {**(rows or {}).get(str(row[JOB]), {}), **_of_frame(row)}
        cause = cause_of(known, tails.get(str(row[JOB]), ()))
        together.setdefault(_key(cause, known), []).append((int(str(place)), cause, known))
    largest_first = sorted(together.values(), key=len, reverse=True)
    groups = [_group(table, members, index) for index, members in enumerate(largest_first)]
    return FailureReport(groups, len(table))


def _of_frame(row: Any) -> dict[str, Any]:
    """Return what a row of the frame tells of its job, in Tapis's names."""
    import pandas as pd

    known = {name: row[name] for name in (STATUS, "condition", "exitCode") if name in row.index}
    found = {name: value for name, value in known.items() if not pd.isna(value)}
    if "exitCode" in found:
        found["exitCode"] = int(found["exitCode"])
    return found


def _key(cause: CaseCause, row: _Row) -> tuple[Any, ...]:
    if cause.cause in (Cause.TIME, Cause.MEMORY):
        # How far each came differs; why it ended does not.
        return cause.cause, row.get("condition")
    alike = _DIFFERS.sub("#", _FOLDERS.sub("/", cause.line or cause.told))
    return cause.cause, row.get("condition"), row.get("exitCode"), alike


def _group(table: pd.DataFrame, members: Sequence[tuple[int, CaseCause, _Row]], index: int) -> FailureGroup:
    places = [place for place, _, _ in members]
    mask = table.index.to_series().isin(places)
    _, first, row = members[0]
    ids = tuple(table.loc[places, CASE].astype(str))
    meant = selection(table, mask)
    which = f"study.failures()[{index}].case_ids" if meant is None else meant
    return FailureGroup(
        cause=first.cause,
        told=first.told,
        line=first.line,
        case_ids=ids,
        where=where(table, mask),
        condition=str(row.get("condition") or ""),
        exit_code=row.get("exitCode"),
        next_step=_next_step(first, which, [known for _, _, known in members], ids[0]),
    )


def _next_step(cause: CaseCause, which: str, rows: Sequence[_Row], case_id: str) -> str:
    more = {Cause.TIME: "maxMinutes", Cause.MEMORY: "memoryMB"}.get(cause.cause)
    if more:
        held = [int(row[more]) for row in rows if row.get(more)]
        return _retry(which, f"{more}={2 * max(held) if held else '…'}")
    words = _ADVICE.get(cause.cause, 'study.job("{case}").read("tapisjob.out")')
    thing = cause.thing or "it"
    return words.format(thing=thing, retry=_retry(which), steps=_retry(which, _ENVIRONMENT), case=case_id)


def _retry(which: str, changes: str = "") -> str:
    return f"study.retry({', '.join(part for part in (which, changes) if part)})"


_ENVIRONMENT = "env={…}"
_ADVICE: Mapping[Cause, str] = {
    Cause.CONVERGENCE: "smaller steps or another algorithm; as settings of the environment: {steps}",
    Cause.NUMBERS: "look at the model for these parameters; with other settings: {steps}",
    Cause.FILE: "give {thing} to the cases: inputs=[…] or files={{…}} of tapis.study(…)",
    Cause.COMMAND: "load {thing} in the script or the app's profile, then {retry}",
    Cause.PERMISSION: "look at who may read and run it on the host, then {retry}",
    Cause.DISK: "make room on the host, then {retry}",
    Cause.LICENCE: "wait for a licence, or run fewer at a time: study.set(maxRunning=…), then {retry}",
    Cause.HOST: "{retry}",
}
