"""Many calls of one function, each a job: wait for them, take their values, call again what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from ..model.errors import InvalidInputError, TapisJobsError
from ..model.extensions import Extension
from ..model.status import JobStatus
from ..model.texts import shown
from .call_outcome import Outcome, outcomes
from .call_request import CallRequests
from .job import Job
from .job_lists import job_rows
from .pickled import Arguments, name_of
from .words import is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from .tapis import Tapis

#: The places of calls and the request of the job that makes them.
_Wanted = tuple[tuple[int, ...], dict[str, Any]]
_RESULT, _STATUS, _ERROR, _JOB, _ITEM = "result", "status", "error", "jobUuid", "item"
#: The columns of ``frame()`` that are not the caller's.
_OURS = frozenset({_RESULT, _STATUS, _ERROR, _JOB})
#: What is asked of jobs to tell how their calls stand.
_STANDING = "uuid,name,owner,status,condition,lastMessage,remoteResultInfo,maxMinutes,memoryMB"


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The calls that one job makes: their places among all, in the job's order."""

    places: tuple[int, ...]
    request: dict[str, Any]
    job: Job


class Calls(Sequence[Job]):
    """The calls of ``tapis.map``, in the order of what it was given: a sequence of their jobs.

    ``chunksize`` calls share a job; their places then hold the same one.
    """

    def __init__(
        self,
        tapis: Tapis,
        function: str,
        cases: Any,
        requests: CallRequests,
        arguments: Sequence[Arguments],
        chunksize: int,
        launch_mode: str | None,
    ) -> None:
        self._tapis = tapis
        self._function = function
        self._cases = cases
        self._requests = requests
        self._arguments = arguments
        #: True where a job's result is that of its one call.
        self._alone = chunksize == 1
        self._launch_mode = launch_mode
        #: What makes the call at each place.
        self._chunks: dict[int, _Chunk] = {}
        #: uuid -> outcome, of those that have been asked for.
        self._known: dict[str, Outcome] = {}
        shared = [
            tuple(range(len(self))[start : start + chunksize]) for start in range(0, len(self), chunksize)
        ]
        self._submit(
            [(places, requests.request(self._given(places), alone=self._alone)) for places in shared]
        )

    def __repr__(self) -> str:
        jobs = self._jobs()
        counts = Counter(job.last_status for job in jobs)
        told = ", ".join(f"{count:,} {status}" for status, count in counts.items())
        shared = "" if self._alone else f" in {len(jobs):,} job{'' if len(jobs) == 1 else 's'}"
        return f"{len(self):,} calls of {self._function}{shared}" + (f": {told}" if told else "")

    def __len__(self) -> int:
        return len(self._arguments)

    @overload
    def __getitem__(self, place: int) -> Job: ...
    @overload
    def __getitem__(self, place: slice) -> list[Job]: ...
    def __getitem__(self, place: int | slice) -> Job | list[Job]:
        found = range(len(self))[place]
        return self._chunks[found].job if isinstance(found, int) else [self._chunks[at].job for at in found]

    def wait(self, timeout: float | None = None, *, progress: bool = True) -> Calls:
        """Wait until all calls have ended, and return them.

        Raises ``JobError`` when that takes longer than *timeout* seconds; the calls go on.
        """
        self._tapis.wait(self._jobs(), timeout, progress=progress)
        return self

    def results(
        self, timeout: float | None = None, *, return_exceptions: bool = False, progress: bool = True
    ) -> list[Any]:
        """Wait, and return what the calls returned, in order.

        Raises what the first failed call raised; with *return_exceptions* the exceptions stand in the
        list instead. Values are unpickled, as ``Job.result`` tells.
        """
        self.wait(timeout, progress=progress)
        found = self._outcomes()
        failed = [outcome.error for outcome in found if outcome.error is not None]
        if failed and not return_exceptions:
            if len(found) > 1 and not getattr(failed[0], "__notes__", None):
                failed[0].add_note(
                    f"{len(failed):,} of {len(found):,} calls failed: calls.failed() are their jobs, "
                    "calls.retry() calls them again, results(return_exceptions=True) has the other values."
                )
            raise failed[0].with_traceback(None)
        return [outcome.value if outcome.error is None else outcome.error for outcome in found]

    def frame(self) -> pd.DataFrame:
        """Return the given frame with the columns ``result status error jobUuid``; waits for nothing.

        ``error`` is the exception in one line. Another iterable than a frame is the column ``item``.
        """
        import pandas as pd

        self._refresh()
        ended = self._outcomes()
        table = self._cases.copy() if _is_frame(self._cases) else _items_frame(self._cases)
        table[_RESULT] = _series([outcome.value for outcome in ended], table.index)
        table[_STATUS] = pd.Series(self._statuses(ended), table.index, dtype="str")
        table[_ERROR] = pd.Series([outcome.words for outcome in ended], table.index, dtype=object)
        table[_JOB] = pd.Series([job.uuid for job in self], table.index, dtype="str")
        return table

    def failed(self) -> list[Job]:
        """Return the jobs of the calls that have failed or were cancelled; ``job.result()`` raises why."""
        self._refresh()
        found = (self[place] for place in self._failed())
        return list({job.uuid: job for job in found}.values())

    def retry(self, *places: int, **changes: Any) -> Calls:
        """Call again what failed, or the calls at *places* (from 0), with *changes* in their requests.

        *changes* are as in ``job.resubmit`` (``maxMinutes=20``, ``env={…}``). The new jobs take the places
        of the old ones; calls that shared a job share the new one. Raises ``InvalidInputError`` for a call
        that has not ended.
        """
        self._refresh()
        chosen = list(dict.fromkeys(places)) or self._failed()
        for place in chosen:
            self._want_ended(place)
        self._submit([self._again(group, changes) for group in self._by_job(chosen)])
        return self

    def _by_job(self, places: Iterable[int]) -> Iterable[tuple[int, ...]]:
        groups: dict[str, list[int]] = {}
        for place in places:
            groups.setdefault(self[place].uuid, []).append(place)
        return map(tuple, groups.values())

    def _again(self, places: tuple[int, ...], changes: Mapping[str, Any]) -> _Wanted:
        """Return the request that has the calls at *places*, which shared a job, made again."""
        chunk = self._chunks[places[0]]
        request = chunk.request
        if places != chunk.places:
            request = self._requests.with_arguments(request, self._given(places), alone=self._alone)
        return places, self._requests.changed(request, changes)

    def _given(self, places: Iterable[int]) -> list[Arguments]:
        return [self._arguments[place] for place in places]

    def _submit(self, wanted: Sequence[_Wanted]) -> None:
        """Submit the requests; each job takes the places of its calls."""
        jobs = _submitted(self._tapis, [request for _, request in wanted], self._launch_mode)
        for (places, request), job in zip(wanted, jobs, strict=True):
            chunk = _Chunk(places, request, job)
            self._chunks |= dict.fromkeys(places, chunk)

    def _jobs(self) -> list[Job]:
        """Return each job once, in the order of the calls."""
        return list({job.uuid: job for job in self}.values())

    def _want_ended(self, place: int) -> None:
        if not 0 <= place < len(self):
            raise InvalidInputError(
                f"There is no call {place}: they count from 0 to {len(self) - 1}.",
                field="places",
                value=place,
            )
        job = self[place]
        if not is_terminal(job.last_status):
            raise InvalidInputError(
                f"Call {place} ({job.name}) is {job.last_status}: wait() for it, or cancel it first "
                f"(calls[{place}].cancel()).",
                field="places",
                value=place,
            )

    def _refresh(self) -> None:
        """Ask where the calls stand that have not ended, in lists."""
        active = {job.uuid: job for job in self._jobs() if not is_terminal(job.last_status)}
        by_body = self._tapis.can(Extension.BULK)
        for row in job_rows(self._tapis.connection, list(active), _STANDING, by_body=by_body):
            active[str(row["uuid"])].take(row)

    def _failed(self) -> list[int]:
        """Return the places of the calls that have failed; of several in a job those without a value."""
        failed = [place for place, job in enumerate(self) if _has_failed(job)]
        if self._alone or not failed:
            return failed
        outcomes = self._outcomes()
        return [place for place in failed if outcomes[place].error is not None]

    def _statuses(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Return how each call stands: as its job; of several in a failed one, well if it has a value."""
        stand = [job.last_status for job in self]
        if self._alone:
            return stand
        return [
            JobStatus.FINISHED if _has_failed(job) and outcome.error is None else status
            for job, outcome, status in zip(self, outcomes, stand, strict=True)
        ]

    def _outcomes(self) -> list[Outcome]:
        """Return what became of each call, nothing for those that run; each result is unpickled once."""
        ended = [job for job in self._jobs() if is_terminal(job.last_status)]
        new = [job for job in ended if job.uuid not in self._known or not self._known[job.uuid].settled]
        self._known |= outcomes(self._tapis, new)
        found = [Outcome()] * len(self)
        for chunk in {id(chunk): chunk for chunk in self._chunks.values()}.values():
            known = self._known.get(chunk.job.uuid, Outcome())
            for offset, place in enumerate(chunk.places):
                # The others of a job of which some were called again are as they were.
                if self._chunks[place] is chunk:
                    found[place] = known if self._alone else known.of_call(offset)
        return found


def map_calls(
    tapis: Tapis,
    function: Callable[..., Any],
    cases: Any,
    chunksize: int,
    *,
    launch_mode: str | None,
    **given: Any,
) -> Calls:
    """Submit a call of *function* for each of *cases*; see ``Tapis.map``."""
    _want_chunksize(chunksize)
    cases = cases if _is_frame(cases) else _items(cases)
    requests = CallRequests(tapis, function, **given)
    arguments = _rows(cases) if _is_frame(cases) else [((item,), {}) for item in cases]
    calls = [Arguments(args, kwargs, number) for number, (args, kwargs) in enumerate(arguments)]
    return Calls(tapis, name_of(function), cases, requests, calls, chunksize, launch_mode)


def _want_chunksize(given: Any) -> None:
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise InvalidInputError(
            f"chunksize {shown(given)} is no number of calls: 1 has each call be a job, 100 have a hundred "
            "calls share one.",
            field="chunksize",
            value=given,
        )


def _submitted(tapis: Tapis, requests: Sequence[dict[str, Any]], launch_mode: str | None) -> list[Job]:
    """Submit the requests; where one is refused, the others are taken back."""
    found = tapis.submit_requests(list(requests), atomic=False, launch_mode=launch_mode)
    jobs = [job for job in found if isinstance(job, Job)]
    refused = [error for error in found if isinstance(error, TapisJobsError)]
    if refused:
        if jobs:
            tapis.cancel(jobs)
        raise refused[0]
    return jobs


def _has_failed(job: Job) -> bool:
    return is_terminal(job.last_status) and job.last_status != JobStatus.FINISHED


def _is_frame(cases: Any) -> bool:
    return hasattr(cases, "columns") and hasattr(cases, "iterrows")


def _items(cases: Any) -> list[Any]:
    if isinstance(cases, Mapping | str | bytes) or not isinstance(cases, Iterable):
        raise InvalidInputError(
            f"tapis.map takes a frame or a list of items, not {type(cases).__name__}. "
            "All combinations of values are tj.grid(k=[1, 2], …); one call is tapis.call(function, …).",
            field="cases",
        )
    return list(cases)


def _rows(frame: pd.DataFrame) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Return each row as keyword arguments; columns must be names of their own."""
    wrong = [name for name in frame.columns if not isinstance(name, str) or name in _OURS]
    twice = [name for name, count in Counter(frame.columns).items() if count > 1]
    if wrong or twice:
        why = "is there twice" if twice else "is no name for an argument, or one of the columns of frame()"
        raise InvalidInputError(
            f"The column {(twice or wrong)[0]!r} {why}: rename it, and the argument of the function.",
            field="cases",
            value=(twice or wrong)[0],
        )
    return [((), {str(name): value for name, value in row.items()}) for row in frame.to_dict("records")]


def _items_frame(items: Sequence[Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({_ITEM: _series(list(items), pd.RangeIndex(len(items)))})


def _series(values: list[Any], index: pd.Index[Any]) -> pd.Series[Any]:
    """Return a column of numbers where all are, with NaN for what is missing; else of objects as they are."""
    import pandas as pd

    numbers = all(value is None or pd.api.types.is_number(value) for value in values)
    if numbers and any(value is not None for value in values):
        return pd.Series(values, index)
    column = pd.Series([None] * len(values), index, dtype=object)
    for place, value in enumerate(values):
        # One by one: pandas takes a list of lists, or of frames, apart.
        column.iat[place] = value
    return column
