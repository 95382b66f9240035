"""The results of many cases in one tidy frame: parameters in front, and no case is left out."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, TapisJobsError, UnavailableError
from ..model.extensions import Extension
from ..model.globs import is_glob
from ..model.status import JobStatus
from ..model.texts import shown
from . import bulk
from .collecting import one_frame
from .failure import last_words
from .job import Job
from .job_lists import job_rows
from .output_cache import OutputCache
from .output_parsers import (
    Parser,
    Rows,
    as_rows,
    compiled,
    is_plain_csv,
    parser_named,
    rows_of,
)
from .results_file import to_parquet
from .study_columns import CASE, FILE, JOB, PROBLEM, STATUS, is_missing, parameter_names
from .study_outputs import Fetch
from .words import is_terminal

if TYPE_CHECKING:
    import pandas as pd

    from .tapis import Tapis

_Pattern = str | re.Pattern[str] | None
#: Words of a problem after which like ones are counted together.
_KIND = re.compile(r"[:(].*", re.DOTALL)


@dataclass(slots=True)
class _Results:
    """What came: tables and rows with a column ``jobUuid``, and uuid -> why nothing came."""

    tables: list[pd.DataFrame] = field(default_factory=list)
    rows: Rows = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    def add(self, uuid: str, table: Rows | pd.DataFrame, source: str, file: str | None = None) -> None:
        """Take in the table of one job."""
        if not len(table):
            self.problems[uuid] = f"{source} has no rows"
            return
        taken = (JOB,) if file is None else (JOB, FILE)
        if isinstance(table, list):
            known = {JOB: uuid} if file is None else {JOB: uuid, FILE: file}
            self.rows += [known | _other_names(row, taken) for row in table]
            return
        table = _renamed(table, taken)
        table.insert(0, JOB, uuid)
        if file is not None:
            table.insert(1, FILE, file)
        self.tables.append(table)


@dataclass(frozen=True, slots=True)
class _Reading:
    """How an output becomes a table."""

    parser: str | Parser | None
    pattern: _Pattern
    options: Mapping[str, Any]


def collect(
    tapis: Tapis,
    frame: pd.DataFrame,
    what: str | Callable[[Job], Any],
    *,
    parser: str | Parser | None = None,
    pattern: _Pattern = None,
    unfinished: bool = False,
    fresh: bool = False,
    to: str | Path | None = None,
    cache: OutputCache | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Return one tidy frame of the results of all cases in *frame*, with their parameters in front.

    *frame* is a study's, or one of ``tapis.jobs()``. *what* is an output (``"disp.csv"``), a glob
    (``"*.json"``, with a column ``file``), or a function of a ``Job`` that returns a value, row or table.
    What each file is, its name's end tells (CSV, TSV, JSON, JSON lines, Parquet, NumPy, else text), or
    *parser*; *pattern* makes rows of the matches in a text, its named groups are the columns. *options* go
    to pandas' reader.

    A case without a result keeps its row, and the column ``problem`` says why: not submitted, not
    finished, failed and how, no such output, unreadable. With *unfinished* the outputs of cases that
    failed, were cancelled or still run are read too. What was fetched of ended jobs is kept on this
    machine; *fresh* fetches it anew. *to* writes the frame to a Parquet file.

    Raises ``InvalidInputError`` for a frame without jobs or a parser, pattern or column that cannot be.
    """
    if not (callable(what) or isinstance(what, str)):
        raise InvalidInputError(
            f"collect takes an output ('disp.csv'), a glob ('*.json') or a function of a job, "
            f"not {shown(what)}.",
            field="what",
        )
    cases = _as_cases(frame)
    reading = _Reading(parser, None if pattern is None else compiled(pattern), options)
    problems = _not_ready(cases, unfinished=unfinished)
    jobs = _jobs(cases, problems, tapis)
    if callable(what) or (is_glob(what) and not tapis.can(Extension.BULK)):
        _complete(tapis, jobs)
    if callable(what):
        results = _by_call(what, jobs)
    else:
        parser_named(parser, what, pattern)
        fetch = Fetch(tapis, jobs, None if fresh else cache or OutputCache(), cache or OutputCache())
        try:
            results = _by_glob(fetch, what, reading) if is_glob(what) else _by_name(fetch, what, reading)
        except TypeError as cause:
            if not options:
                raise
            words = f"{what} cannot be read with {', '.join(options)}: {cause}."
            raise InvalidInputError(words, field=next(iter(options))) from cause
    results.problems = problems | results.problems
    joined = _joined(cases, results)
    _tell(joined, what)
    if to is not None:
        to_parquet(joined, to)
    return joined


def is_tidy(jobs: Any, path: str, options: Mapping[str, Any]) -> bool:
    """True where ``tapis.collect`` is asked for what only the tidy frame of all cases has."""
    study = CASE in getattr(jobs, "columns", ())
    more = not options.keys().isdisjoint(("parser", "pattern", "unfinished", "fresh", "to"))
    return study or more or is_glob(path) or not is_plain_csv(path, None, None)


def frame_of(jobs: Sequence[Job]) -> pd.DataFrame:
    """Return the frame of *jobs* that ``collect`` takes."""
    import pandas as pd

    names = ("name", "uuid", STATUS, "condition", "exitCode")
    return pd.DataFrame([{name: job.row.get(name) for name in names} for job in jobs], columns=list(names))


# --- the cases --------------------------------------------------------------------------------
def _as_cases(frame: pd.DataFrame) -> pd.DataFrame:
    """Return parameters, ``caseId``, ``jobUuid`` and ``status``, one row a case, whatever frame it is."""
    if JOB in frame.columns and STATUS in frame.columns:
        names = [*parameter_names(frame), *(name for name in (CASE, JOB, STATUS) if name in frame.columns)]
        told = [name for name in ("condition", "exitCode") if name in frame.columns]
        return frame[[*names, *told]].reset_index(drop=True)
    if {"uuid", STATUS} <= set(frame.columns):
        told = [name for name in ("name", "uuid", STATUS, "condition", "exitCode") if name in frame.columns]
        return frame[told].rename(columns={"uuid": JOB}).reset_index(drop=True)
    raise InvalidInputError(
        "collect wants a study's frame or one of tapis.jobs(): columns 'jobUuid' (or 'uuid') and 'status'.",
        field="frame",
    )


def _not_ready(cases: pd.DataFrame, *, unfinished: bool) -> dict[str, str]:
    """Return uuid -> why a job is not read."""
    wanted = _READABLE if unfinished else frozenset({str(JobStatus.FINISHED)})
    found = {}
    for row in cases[[name for name in (JOB, *_TOLD) if name in cases.columns]].to_dict("records"):
        if _is_text(row[JOB]) and row[STATUS] not in wanted:
            found[str(row[JOB])] = _standing(
                {str(key): value for key, value in row.items() if not is_missing(value)}
            )
    return found


_TOLD = (STATUS, "condition", "exitCode")
_READABLE = frozenset(
    map(
        str,
        (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.RUNNING, JobStatus.ARCHIVING),
    )
)
_NOT_SUBMITTED = "not submitted"


def _standing(row: Mapping[str, Any]) -> str:
    status = str(row.get(STATUS) or "unknown")
    if status == JobStatus.FAILED:
        return f"FAILED: {last_words(row)}"
    return status if is_terminal(status) else f"not finished: it is {status}"


def _jobs(cases: pd.DataFrame, problems: Mapping[str, str], tapis: Tapis) -> dict[str, Job]:
    """Return the jobs to read, by uuid, in the order of the cases."""
    columns = zip(cases[JOB], cases[STATUS], _names(cases), strict=True)
    return {
        str(uuid): Job(tapis, {"uuid": str(uuid), "status": str(status), "name": name})
        for uuid, status, name in columns
        if _is_text(uuid) and uuid not in problems
    }


def _complete(tapis: Tapis, jobs: Mapping[str, Job]) -> None:
    """Let *jobs* know where their outputs lie, in few questions: paths are told below that."""
    rows = job_rows(tapis.connection, list(jobs), _PLACES, by_body=tapis.can(Extension.BULK))
    for row in rows:
        jobs[str(row["uuid"])].take(row)


#: What is needed of a job to find its outputs, and to read the one that it printed.
_PLACES = (
    "uuid,name,status,execSystemId,execSystemOutputDir,archiveSystemId,archiveSystemDir,"
    "remoteOutcome,parameterSet,fileInputs"
)


def _names(cases: pd.DataFrame) -> Iterable[str]:
    named = next((name for name in ("name", CASE) if name in cases.columns), JOB)
    return cases[named].astype(str)


# --- fetching and parsing ---------------------------------------------------------------------
def _by_name(fetch: Fetch, path: str, reading: _Reading, uuids: Sequence[str] | None = None) -> _Results:
    """Read the output *path* of each job."""
    contents, problems = fetch.outputs(list(fetch.jobs) if uuids is None else uuids, path)
    results = _Results(problems=problems)
    _parse(contents, path, reading, results)
    return results


def _parse(
    contents: Mapping[str, bytes], path: str, reading: _Reading, results: _Results, file: str | None = None
) -> None:
    together = _together(contents, path, reading)
    if together is not None:
        if file is not None:
            together = _renamed(together, (FILE,))
            together.insert(1, FILE, file)
        results.tables.append(together)
        for uuid in contents.keys() - set(together[JOB]):
            results.problems[uuid] = f"{path} has no rows"
        return
    for uuid, content in contents.items():
        try:
            table = rows_of(
                content, path, parser=reading.parser, pattern=reading.pattern, options=reading.options
            )
        except InvalidInputError as cause:
            results.problems[uuid] = cause.message.rstrip(".")
        else:
            results.add(uuid, table, path, file)


def _together(contents: Mapping[str, bytes], path: str, reading: _Reading) -> pd.DataFrame | None:
    """Return many CSV files by few parses; None where one of them is not like the others."""
    if not contents or not is_plain_csv(path, reading.parser, reading.pattern):
        return None
    try:
        return one_frame(contents, path, reading.options)
    except (InvalidInputError, ValueError):
        return None


def _by_glob(fetch: Fetch, pattern: str, reading: _Reading) -> _Results:
    """Read all outputs that *pattern* means."""
    found, problems = fetch.matching(pattern)
    results = _Results(problems=problems)
    for name, contents in found.items():
        _parse(contents, name, reading, results, file=name)
    return results


def _by_call(function: Callable[[Job], Any], jobs: Mapping[str, Job]) -> _Results:
    """Ask *function* for the result of each job, eight at a time."""
    outcomes = bulk.side_by_side(lambda job: _called(function, job), list(jobs.values()))
    failures = [found for found in outcomes if isinstance(found, _Raised)]
    if failures and len(failures) == len(outcomes):
        raise InvalidInputError(
            f"The function failed for all {len(failures)} cases; the first: {failures[0].words}.",
            field="what",
        ) from failures[0].cause
    results = _Results()
    for uuid, found in zip(jobs, outcomes, strict=True):
        if isinstance(found, _Raised):
            results.problems[uuid] = found.words
        elif found is None:
            results.problems[uuid] = "the function returned nothing"
        else:
            results.add(uuid, as_rows(found, "value"), "what the function returned")
    return results


@dataclass(frozen=True, slots=True)
class _Raised:
    """An error of the caller's function for one job."""

    cause: Exception

    @property
    def words(self) -> str:
        said = self.cause.message if isinstance(self.cause, TapisJobsError) else str(self.cause)
        return f"{type(self.cause).__name__}: {said}".rstrip(".: ")


def _called(function: Callable[[Job], Any], job: Job) -> Any:
    try:
        return function(job)
    except UnavailableError:
        raise
    except Exception as cause:  # noqa: BLE001 - one odd output must not lose the others
        return _Raised(cause)


# --- joining ----------------------------------------------------------------------------------
def _joined(cases: pd.DataFrame, results: _Results) -> pd.DataFrame:
    """Return the cases with their results behind them and the problems at the end."""
    import pandas as pd

    front = cases.drop(columns=[name for name in ("condition", "exitCode") if name in cases.columns])
    # What was called like a parameter gets another name.
    taken = [name for name in (*front.columns, PROBLEM) if name != JOB]
    made = [*results.tables, *([pd.DataFrame(results.rows)] if results.rows else [])]
    tables = [_renamed(table, taken) for table in made] or [pd.DataFrame({JOB: pd.Series([], dtype=object)})]
    found = pd.concat(tables, ignore_index=True)
    found[JOB] = found[JOB].astype(object)
    joined = front.assign(**{JOB: front[JOB].astype(object)}).merge(found, on=JOB, how="left", sort=False)
    told = joined[JOB].map(lambda uuid: results.problems.get(uuid) if _is_text(uuid) else _NOT_SUBMITTED)
    joined[PROBLEM] = pd.Series(told, index=joined.index, dtype="str")
    joined[JOB] = joined[JOB].astype("str")
    return joined


def _renamed(table: pd.DataFrame, taken: Sequence[str]) -> pd.DataFrame:
    """A result that is called like a parameter gets ``_result`` behind its name."""
    return table.rename(columns={name: f"{name}_result" for name in taken if name in table.columns})


def _other_names(row: Mapping[str, Any], taken: Sequence[str]) -> dict[str, Any]:
    return {f"{name}_result" if name in taken else name: value for name, value in row.items()}


def _tell(joined: pd.DataFrame, what: object) -> None:
    """Warn of the cases without a result, counted by reason."""
    key = CASE if CASE in joined.columns else JOB
    problems = joined.loc[joined[PROBLEM].notna(), [key, PROBLEM]]
    if problems.empty:
        return
    from .tapis import TapisJobsWarning

    problems = problems.drop_duplicates(key)
    kinds = Counter(_KIND.sub("", str(words)).strip() for words in problems[PROBLEM])
    counted = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common(5))
    cases = joined[key].nunique()
    named = what if isinstance(what, str) else getattr(what, "__name__", "the function")
    warnings.warn(
        f"{len(problems):,} of {cases:,} cases have no full result from {named}: {counted}. "
        "They keep their rows; the column 'problem' says why.",
        TapisJobsWarning,
        stacklevel=4,
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
