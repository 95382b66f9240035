"""``tapis.table()``: chosen jobs as rows with columns, buttons and results of the caller's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, TapisJobsError, did_you_mean
from ..model.extensions import Extension
from ..model.texts import printable, shown
from .connection import segment
from .job import Job
from .job_lists import job_rows, uuids_of

if TYPE_CHECKING:
    from .tapis import Tapis

OfJob = Callable[[Job], Any]
#: Separates two groups of buttons.
SEPARATOR = "|"
COLUMNS = ("name", "status", "appId", "created")
ACTIONS = ("resubmit", SEPARATOR, "logs", SEPARATOR, "terminate", "delete")
#: Lines of an output that are shown, and characters of what an action says.
LINES, LONGEST = 20, 4000
#: Jobs of a table when none are given.
NEWEST = 100


def _terminate(job: Job) -> str:
    job.cancel()
    return "asked to end"


def _run(job: Job) -> str:
    job.resume()
    return "goes on"


def _pause(job: Job) -> str:
    job.pause()
    return "asked to wait"


def _resubmit(job: Job) -> str:
    return f"submitted again as {job.resubmit().uuid}"


#: Tethys's words; what runs at submission is only let go by ``run``.
BUILT_IN: Mapping[str, OfJob] = {
    "run": _run,
    "pause": _pause,
    "resubmit": _resubmit,
    "logs": lambda job: "\n".join(job.tail(LINES)) or "no output yet",
    "terminate": _terminate,
}
#: Those that the table does by itself.
_OWN = ("results", "delete")


@dataclass(frozen=True, slots=True)
class Said:
    """What an action has to say of one job; *is_fault* where it did not work."""

    text: str
    is_fault: bool = False
    value: Any = None


class JobTable:
    """Jobs as a table; see ``Tapis.table``. ``rows()`` are its texts, ``do()`` presses a button."""

    def __init__(
        self, tapis: Tapis, jobs: Sequence[Job], columns: Any, actions: Any, results: OfJob | None
    ) -> None:
        self._tapis = tapis
        self.jobs = list(jobs)
        self.columns = _columns(columns)
        self.actions = _actions(actions, has_results=results is not None)
        self._results = results

    def rows(self) -> list[list[str]]:
        """Return the texts of each job's columns; a column that fails says why in its place."""
        return [[_cell(value, job) for value in self.columns.values()] for job in self.jobs]

    def refresh(self) -> None:
        """Ask how the jobs stand now."""
        for job in self.jobs:
            job.refresh()

    def do(self, action: str, job: Job) -> Said:
        """Do *action* with *job*, and return what it says; one that raises says so in a sentence."""
        try:
            value = self._act(action, job)
        except TapisJobsError as fault:
            return Said(fault.message, is_fault=True)
        except Exception as fault:  # noqa: BLE001 - one button of many; the others go on
            return Said(f"{action}: {type(fault).__name__}: {fault}"[:LONGEST], is_fault=True)
        return Said("" if value is None else printable_lines(str(value)), value=value)

    def _act(self, action: str, job: Job) -> Any:
        if action not in self.actions or self.actions[action] is None:
            known = [name for name, act in self.actions.items() if act]
            raise InvalidInputError(
                f"This table has no action {shown(action)}.{did_you_mean(action, known)}", field="action"
            )
        if action == "delete":
            self._tapis.connection.post(f"/v3/jobs/{segment(job.uuid)}/hide")
            self.jobs = [other for other in self.jobs if other.uuid != job.uuid]
            return "hidden"
        act = self._results if action == "results" else self.actions[action]
        return act(job) if act else None

    def __repr__(self) -> str:
        lines = [list(self.columns), *self.rows()]
        widths = [max(len(line[at]) for line in lines) for at in range(len(self.columns))]
        padded = (zip(line, widths, strict=True) for line in lines)
        return "\n".join("  ".join(text.ljust(width) for text, width in line).rstrip() for line in padded)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(title)}</th>" for title in self.columns)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in self.rows()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        drawn = _drawn(self)
        if drawn is not None:
            display(drawn)  # type: ignore[no-untyped-call]  # IPython's own
            return
        told = {"text/plain": repr(self), "text/html": self._repr_html_()}
        display(told, raw=True)  # type: ignore[no-untyped-call]


#: Draws a table with buttons where the notebook can.
_in_notebook: list[Callable[[JobTable], Any]] = []


def use_in_notebook(draw: Callable[[JobTable], Any]) -> None:
    """Let *draw* make the widget of a table; it returns None where it cannot."""
    _in_notebook[:] = [draw]


def table_of(tapis: Tapis, jobs: Any, columns: Any, actions: Any, results: OfJob | None = None) -> JobTable:
    """Return the table; see ``Tapis.table``."""
    if results is not None and not callable(results):
        raise InvalidInputError(
            f"results must be a function of a job, not {shown(results)}.", field="results", value=results
        )
    uuids = uuids_of(tapis.jobs(limit=NEWEST) if jobs is None else jobs)
    rows = job_rows(tapis.connection, uuids, "allAttributes", by_body=tapis.can(Extension.BULK))
    found = {str(row["uuid"]): Job(tapis, row) for row in rows}
    chosen = [found[uuid] if uuid in found else tapis.job(uuid) for uuid in uuids]
    return JobTable(tapis, chosen, columns, actions, results)


def printable_lines(text: str) -> str:
    """Return the end of *text* without what a terminal would act on."""
    return "\n".join(printable(line) for line in text[-LONGEST:].splitlines())


def _drawn(table: JobTable) -> Any:
    from .progress import in_notebook

    return _in_notebook[0](table) if _in_notebook and in_notebook() else None


def _columns(given: Any) -> dict[str, OfJob | str]:
    found: dict[str, OfJob | str] = {}
    for item in [given] if isinstance(given, str | Mapping) else list(given):
        if isinstance(item, str):
            found[item] = item
        elif isinstance(item, Mapping) and all(map(callable, item.values())):
            found |= {str(title): value for title, value in item.items()}
        else:
            raise InvalidInputError(
                f"columns holds {shown(item)}: give attributes of a job ('name'), or {{'Title': function}}.",
                field="columns",
                value=item,
            )
    return found


def _actions(given: Any, *, has_results: bool) -> dict[str, OfJob | None]:
    """Return label -> what it does; a separator does nothing and is named by its place."""
    found: dict[str, OfJob | None] = {}
    for item in [given] if isinstance(given, str | Mapping) else list(given):
        if item == SEPARATOR:
            found[f"{SEPARATOR}{len(found)}"] = None
        elif isinstance(item, Mapping) and all(map(callable, item.values())):
            found |= {str(label): act for label, act in item.items()}
        elif isinstance(item, str) and item in BUILT_IN:
            found[item] = BUILT_IN[item]
        elif item in _OWN and (item != "results" or has_results):
            found[str(item)] = lambda job: None
        else:
            known = [*BUILT_IN, *_OWN]
            raise InvalidInputError(
                f"actions holds {shown(item)}.{did_you_mean(str(item), known)} Give {', '.join(known)} "
                "(results with results=function), '|', or {'Label': function}.",
                field="actions",
                value=item,
            )
    if has_results and "results" not in found:
        found["results"] = lambda job: None
    return found


def _cell(value: OfJob | str, job: Job) -> str:
    try:
        found = job.row.get(value) if isinstance(value, str) else value(job)
    except TapisJobsError as fault:
        found = fault.message
    except Exception as fault:  # noqa: BLE001 - one place of many; the others are shown
        found = f"{type(fault).__name__}: {fault}"
    return "" if found is None else printable(" ".join(str(found)[:LONGEST].split("\n")).strip())
