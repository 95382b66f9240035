"""Many calls of one function, each a job: wait for them, take their values, call again what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from ..model.errors import InvalidInputError, TapisJobsError
from ..model.extensions import Extension
from ..model.status import JobStatus
from .builder import RequestBuilder
from .call_outcome import Outcome, outcomes
from .call_request import CallRequests
from .job import Job
from .job_lists import job_rows
from .pickled import name_of
from .words import is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from .tapis import Tapis

_RESULT, _STATUS, _ERROR, _JOB, _ITEM = "result", "status", "error", "jobUuid", "item"
#: The columns of ``frame()`` that are not the caller's.
_OURS = frozenset({_RESULT, _STATUS, _ERROR, _JOB})
#: What is asked of jobs to tell how their calls stand.
_STANDING = "uuid,name,owner,status,condition,lastMessage,remoteResultInfo,maxMinutes,memoryMB"


class Calls(Sequence[Job]):
    """The calls of ``tapis.map``, in the order of what it was given: a sequence of their jobs."""

    def __init__(
        self,
        tapis: Tapis,
        function: str,
        cases: Any,
        requests: Sequence[dict[str, Any]],
        launch_mode: str | None,
    ) -> None:
        self._tapis = tapis
        self._function = function
        self._cases = cases
        self._requests = list(requests)
        self._launch_mode = launch_mode
        self._jobs = _submitted(tapis, requests, launch_mode)
        #: uuid -> outcome, of those that have been asked for.
        self._known: dict[str, Outcome] = {}

    def __repr__(self) -> str:
        counts = Counter(job.last_status for job in self._jobs)
        told = ", ".join(f"{count:,} {status}" for status, count in counts.items())
        return f"{len(self):,} calls of {self._function}" + (f": {told}" if told else "")

    def __len__(self) -> int:
        return len(self._jobs)

    @overload
    def __getitem__(self, place: int) -> Job: ...
    @overload
    def __getitem__(self, place: slice) -> list[Job]: ...
    def __getitem__(self, place: int | slice) -> Job | list[Job]:
        return self._jobs[place]

    def wait(self, timeout: float | None = None, *, progress: bool = True) -> Calls:
        """Wait until all calls have ended, and return them.

        Raises ``JobError`` when that takes longer than *timeout* seconds; the calls go on.
        """
        self._tapis.wait(self._jobs, timeout, progress=progress)
        return self

    def results(
        self, timeout: float | None = None, *, return_exceptions: bool = False, progress: bool = True
    ) -> list[Any]:
        """Wait, and return what the calls returned, in order.

        Raises what the first failed call raised; with *return_exceptions* the exceptions stand in the
        list instead. Values are unpickled, as ``Job.result`` tells.
        """
        self.wait(timeout, progress=progress)
        known = self._outcomes()
        found = [known[job.uuid] for job in self._jobs]
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
        found = self._outcomes()
        ended = [found.get(job.uuid, Outcome()) for job in self._jobs]
        table = self._cases.copy() if _is_frame(self._cases) else _items_frame(self._cases)
        table[_RESULT] = _series([outcome.value for outcome in ended], table.index)
        table[_STATUS] = pd.Series([job.last_status for job in self._jobs], table.index, dtype="str")
        table[_ERROR] = pd.Series([outcome.words for outcome in ended], table.index, dtype=object)
        table[_JOB] = pd.Series([job.uuid for job in self._jobs], table.index, dtype="str")
        return table

    def failed(self) -> list[Job]:
        """Return the jobs of the calls that have failed or were cancelled; ``job.result()`` raises why."""
        self._refresh()
        return [job for job in self._jobs if _has_failed(job)]

    def retry(self, *places: int, **changes: Any) -> Calls:
        """Call again what failed, or the calls at *places* (from 0), with *changes* in their requests.

        *changes* are as in ``job.resubmit`` (``maxMinutes=20``, ``env={…}``). The new jobs take the places
        of the old ones. Raises ``InvalidInputError`` for a call that has not ended.
        """
        self._refresh()
        failed = [place for place, job in enumerate(self._jobs) if _has_failed(job)]
        chosen = list(dict.fromkeys(places)) or failed
        for place in chosen:
            self._want_ended(place)
        build = RequestBuilder(self._tapis)
        requests = [build.request(dict(self._requests[place]), changes) for place in chosen]
        again = _submitted(self._tapis, requests, self._launch_mode)
        for place, request, job in zip(chosen, requests, again, strict=True):
            self._requests[place], self._jobs[place] = request, job
        return self

    def _want_ended(self, place: int) -> None:
        if not 0 <= place < len(self):
            raise InvalidInputError(
                f"There is no call {place}: they count from 0 to {len(self) - 1}.",
                field="places",
                value=place,
            )
        job = self._jobs[place]
        if not is_terminal(job.last_status):
            raise InvalidInputError(
                f"Call {place} ({job.name}) is {job.last_status}: wait() for it, or cancel it first "
                f"(calls[{place}].cancel()).",
                field="places",
                value=place,
            )

    def _refresh(self) -> None:
        """Ask where the calls stand that have not ended, in lists."""
        active = {job.uuid: job for job in self._jobs if not is_terminal(job.last_status)}
        by_body = self._tapis.can(Extension.BULK)
        for row in job_rows(self._tapis.connection, list(active), _STANDING, by_body=by_body):
            active[str(row["uuid"])].take(row)

    def _outcomes(self) -> Mapping[str, Outcome]:
        """Return uuid -> outcome of the calls that have ended; each is unpickled once."""
        ended = [job for job in self._jobs if is_terminal(job.last_status)]
        new = [job for job in ended if job.uuid not in self._known or not self._known[job.uuid].settled]
        self._known |= outcomes(self._tapis, new)
        return self._known


def map_calls(
    tapis: Tapis,
    function: Callable[..., Any],
    cases: Any,
    *,
    launch_mode: str | None,
    **given: Any,
) -> Calls:
    """Submit a call of *function* for each of *cases*; see ``Tapis.map``."""
    cases = cases if _is_frame(cases) else _items(cases)
    requests = CallRequests(tapis, function, **given)
    arguments = _rows(cases) if _is_frame(cases) else [((item,), {}) for item in cases]
    built = [requests.request(args, kwargs, number) for number, (args, kwargs) in enumerate(arguments)]
    return Calls(tapis, name_of(function), cases, built, launch_mode)


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
