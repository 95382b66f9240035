"""Columns and actions that a notebook adds to its panels: functions of a job, run in the kernel."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from ..model.errors import InvalidInputError, TapisJobsError, did_you_mean
from ..model.extensions import Extension
from ..model.row_extras import plain
from ..model.status import JobStatus
from .job import Job
from .job_lists import job_rows

if TYPE_CHECKING:
    from .tapis import Tapis

#: What begins the names of a kernel's own, which the server has never heard of.
OWN = "kernel:"
#: What a column's function is given of a job without asking for each one.
_SELECT = "allAttributes"
Kind = Literal["text", "number", "time"]
KINDS = get_args(Kind)
STATUSES = tuple(str(status) for status in JobStatus)
_F = TypeVar("_F", bound=Callable[[Job], Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    title: str
    value: Callable[[Job], Any]
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    title: str
    run: Callable[[Job], Any]
    confirm: str | None
    statuses: tuple[str, ...]


class PanelExtras:
    """What was added; who listens hears when that changes.

    Of two with the same title the later one counts, as with a function whose cell is run again.
    """

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}
        self._actions: dict[str, _Action] = {}
        self._listeners: list[Callable[[], None]] = []

    def add(
        self,
        column: str | None,
        action: str | None,
        kind: Kind,
        confirm: str | None,
        statuses: str | Sequence[str],
    ) -> Callable[[_F], _F]:
        """Return the decorator that adds a function of a job as a column or as an action."""
        title = column or action
        if not title or (column and action):
            raise InvalidInputError(
                'in_panel takes one title: column="Peak drift" or action="Plot".', field="column"
            )
        if not isinstance(title, str) or not title.isprintable() or len(title) > 100:
            raise InvalidInputError(
                "A title is one line, 100 characters at most.", field="column", value=title
            )
        if kind not in KINDS:
            raise InvalidInputError(f"kind '{kind}' is none of {', '.join(KINDS)}.", field="kind", value=kind)
        wanted = (statuses,) if isinstance(statuses, str) else tuple(statuses)
        for status in wanted:
            if status not in STATUSES:
                hint = did_you_mean(str(status), STATUSES)
                raise InvalidInputError(
                    f"There is no status '{status}'.{hint}", field="statuses", value=status
                )

        def added(function: _F) -> _F:
            name = OWN + (re.sub(r"\W+", "-", title).strip("-").lower() or "extra")
            if column:
                self._columns[name] = _Column(title=title, value=function, kind=kind)
            else:
                self._actions[name] = _Action(title=title, run=function, confirm=confirm, statuses=wanted)
            for listener in list(self._listeners):
                listener()
            return function

        return added

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call *listener* whenever something is added; the result ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def described(self) -> dict[str, list[dict[str, Any]]]:
        """Return the titles as ``GET /v3/tapisjobs/jobs/extras`` tells the server's."""
        return {
            "columns": [
                {"name": name, "title": item.title, "kind": item.kind} for name, item in self._columns.items()
            ],
            "actions": [
                {"name": name, "title": item.title, "confirm": item.confirm, "statuses": list(item.statuses)}
                for name, item in self._actions.items()
            ],
        }

    def values(self, tapis: Tapis, uuids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return uuid -> column -> what it tells; None where it fails."""
        rows = job_rows(tapis.connection, uuids, _SELECT, by_body=tapis.can(Extension.BULK))
        jobs = [Job(tapis, row) for row in rows]
        return {job.uuid: {name: _value(item, job) for name, item in self._columns.items()} for job in jobs}

    def run(self, tapis: Tapis, name: str, uuids: Sequence[str]) -> list[dict[str, Any]]:
        """Do an action with some jobs; return for each ``uuid status message``."""
        action = self._actions.get(name)
        if action is None:
            gone = "this kernel has no such action any more: run the cell that adds it."
            return [_told(uuid, "error", gone) for uuid in uuids]
        return [_done(action, tapis, uuid) for uuid in uuids]


def _value(column: _Column, job: Job) -> Any:
    try:
        return plain(column.value(job))
    except Exception:  # noqa: BLE001 - one job of many; its place stays empty
        return None


def _done(action: _Action, tapis: Tapis, uuid: str) -> dict[str, Any]:
    try:
        job = tapis.job(uuid)
        if action.statuses and job.last_status not in action.statuses:
            return _told(uuid, "error", f"{action.title} is for jobs that are {', '.join(action.statuses)}.")
        words = plain(action.run(job))
    except TapisJobsError as fault:
        return _told(uuid, "error", fault.message)
    except Exception as fault:  # noqa: BLE001 - told to whoever pressed the button
        return _told(uuid, "error", f"{type(fault).__name__}: {fault}"[:1000])
    return _told(uuid, "success", "" if words is None else str(words))


def _told(uuid: str, status: str, message: str) -> dict[str, Any]:
    return {"uuid": uuid, "status": status, "message": message}


def asked(extras: PanelExtras, tapis: Tapis, told: Mapping[str, Any]) -> Any:
    """Answer a page: ``{"type": "values", "uuids"}`` or ``{"type": "run", "name", "uuids"}``."""
    uuids = [str(uuid) for uuid in told.get("uuids") or ()]
    if told.get("type") == "values":
        return extras.values(tapis, uuids)
    return extras.run(tapis, str(told.get("name")), uuids)
