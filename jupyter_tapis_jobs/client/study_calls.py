"""The calls of one study to our server: cases go in one call, or in few where a body has its limit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..model.errors import InvalidInputError, NotFoundError, did_you_mean
from ..model.given_names import refuse_bad_name
from .connection import Connection, segment
from .study_preview import told_of

_STUDIES = "/v3/tapisjobs/studies"
#: Cases of one page; share of the largest body that is filled, and bytes of a body where nobody says more.
_PAGE, _FILLED, _BODY = 1000, 0.8, 16 * 1024 * 1024
#: Made once, as it tells the size of thousands of cases.
_JSON = json.JSONEncoder(separators=(",", ":"))
#: Seconds that a call with thousands of requests may take.
_LONG = 600.0


@dataclass(frozen=True, slots=True)
class Case:
    """One rendered case: what makes it this case, and the Tapis request that runs it.

    Of a case that the server has, the id is enough.
    """

    case_id: str
    parameters: Mapping[str, Any] | None = None
    request: Mapping[str, Any] | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the case as the server takes it."""
        if self.request is None:
            return {"caseId": self.case_id}
        parameters = dict(self.parameters or {})
        return {"caseId": self.case_id, "parameters": parameters, "request": dict(self.request)}


@dataclass(slots=True)
class Answer:
    """What became of cases: counts of those known, and the jobs of those submitted."""

    known: int = 0
    in_flight: int = 0
    done: int = 0
    failed: int = 0
    submitted: list[Mapping[str, Any]] = field(default_factory=list)
    #: What is wrong with cases: ``row caseId message field``; only a dry run tells it here.
    errors: list[Mapping[str, Any]] = field(default_factory=list)
    #: How the jobs would be started, and why, where the server tells.
    launch_mode: str = ""
    launch_reason: str = ""

    def add(self, told: Mapping[str, Any]) -> None:
        """Take in one answer of the server."""
        self.known += _count(told.get("known"))
        self.in_flight += _count(told.get("inFlight"))
        self.done += _count(told.get("done"))
        self.failed += _count(told.get("failed"))
        self.submitted += told.get("submitted") or []
        self.errors += told.get("errors") or []
        self.launch_mode = str(told.get("launchMode") or self.launch_mode)
        self.launch_reason = str(told.get("launchReason") or self.launch_reason)


class StudyCalls:
    """One study at the server, by name. ``largest`` is the largest body that the server takes, in bytes."""

    def __init__(self, connection: Connection, name: str, *, largest: int | None = None) -> None:
        refuse_bad_name(name)
        self._connection = connection
        self.name = name
        self._largest = int((largest or _BODY) * _FILLED)

    def make(self, template: Mapping[str, Any], settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make the study, or change the settings of the one that is there; return it."""
        body = {"name": self.name, "template": template, **settings}
        made: Mapping[str, Any] = self._connection.post(_STUDIES, body)
        return made

    def info(self) -> Mapping[str, Any]:
        """Return what the server says of the study; ``NotFoundError`` names those that are there."""
        try:
            found: Mapping[str, Any] = self._connection.get(self._path())
        except NotFoundError:
            names = [str(row.get("name")) for row in study_rows(self._connection)]
            listed = f" Studies: {', '.join(names[:12])}." if names else " There are no studies yet."
            raise NotFoundError(
                f"Study '{self.name}' is not here.{did_you_mean(self.name, names)}{listed} "
                f"A new one: tapis.study('{self.name}', app, cases=…)."
            ) from None
        return found

    def change(self, **settings: Any) -> Mapping[str, Any]:
        """Change name, archived, maxRunning or maxFailures; return the study."""
        changed: Mapping[str, Any] = self._connection.call("PATCH", self._path(), json=settings).result
        self.name = str(settings.get("name") or self.name)
        return changed

    def delete(self) -> None:
        """Remove the study from the server."""
        self._connection.call("DELETE", self._path())

    def add(self, cases: Sequence[Case], *, fresh: bool = False) -> Answer:
        """Add *cases* and submit those that are not done or in flight; all or nothing.

        Several bodies are all checked before the first is submitted. Raises ``InvalidInputError`` whose
        ``errors`` name the cases by their place in *cases*.
        """
        bodies = list(self._bodies(cases))
        if len(bodies) > 1:
            checked = self._posted(bodies, fresh=fresh, dryRun=True)
            if checked.errors:
                raise refused_cases(checked.errors)
        answer = self._posted(bodies, fresh=fresh, dryRun=False)
        if answer.errors:
            raise refused_cases(answer.errors)
        return answer

    def try_out(self, cases: Sequence[Case], launch_mode: str | None = None) -> Answer:
        """Return what ``add`` would do; nothing is stored, and the study need not be there yet."""
        mode = {"launchMode": launch_mode} if launch_mode else {}
        return self._posted(list(self._bodies(cases)), fresh=False, dryRun=True, **mode)

    def retry(self, case_ids: Sequence[str], changes: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Submit cases again, with *changes* in their requests; return ``caseId jobUuid`` of each."""
        body = {"caseIds": list(case_ids), "changes": dict(changes)}
        told = self._connection.call("POST", self._path("retry"), json=body, seconds=_LONG).result
        submitted = told.get("submitted") if isinstance(told, Mapping) else told
        return list(submitted or [])

    def chain(self, request: Mapping[str, Any], outputs: Sequence[str]) -> Mapping[str, Any]:
        """Have *request* submitted once no case is in flight; return how it stands."""
        body = {"request": dict(request), "outputs": list(outputs)}
        told: Mapping[str, Any] = self._connection.call(
            "POST", self._path("then"), json=body, seconds=_LONG
        ).result
        return told

    def chains(self) -> list[Mapping[str, Any]]:
        """Return what the server says of each chained request, oldest first."""
        return list(self._connection.get(self._path("then")) or [])

    def unchain(self, chain_id: int) -> None:
        """Take back a chained request; ``ConflictError`` for one that is a job already."""
        self._connection.call("DELETE", self._path(f"then/{chain_id}"))

    def cancel(self) -> Any:
        """Cancel every job of the study that has not ended."""
        return self._connection.call("POST", self._path("cancel"), seconds=_LONG).result

    def columns(self, attempts: str = "last") -> Mapping[str, Sequence[Any]]:
        """Return the study's table by columns, in the order in which the cases were given."""
        found = self._connection.get(self._path("frame"), attempts=attempts, format="columns")
        return found if isinstance(found, Mapping) else {}

    def cases(self) -> Iterator[Mapping[str, Any]]:
        """Yield every case with its request, page by page."""
        skip = 0
        while True:
            page = self._connection.get(self._path("cases"), skip=skip, limit=_PAGE) or []
            yield from page
            skip += len(page)
            if len(page) < _PAGE:
                return

    def _posted(self, bodies: Sequence[list[dict[str, Any]]], **how: Any) -> Answer:
        answer = Answer()
        rows: dict[str, int] = {}
        for cases in bodies:
            rows |= {case["caseId"]: place for place, case in enumerate(cases, len(rows))}
            body = {"cases": cases, **how}
            try:
                told = self._connection.call("POST", self._path("cases"), json=body, seconds=_LONG).result
            except InvalidInputError as refused:
                if not refused.errors:
                    raise
                told = {"errors": refused.errors}
            answer.add(told)
        # Of each body the server counts its rows anew.
        answer.errors = [{**error, "row": rows.get(str(error.get("caseId")))} for error in answer.errors]
        return answer

    def _bodies(self, cases: Sequence[Case]) -> Iterator[list[dict[str, Any]]]:
        body: list[dict[str, Any]] = []
        size = 0
        for case in cases:
            wire = case.to_wire()
            more = len(_JSON.encode(wire)) + 1
            if body and size + more > self._largest:
                yield body
                body, size = [], 0
            body.append(wire)
            size += more
        if body:
            yield body

    def _path(self, what: str = "") -> str:
        return f"{_STUDIES}/{segment(self.name)}" + (f"/{what}" if what else "")


def study_rows(connection: Connection) -> list[Mapping[str, Any]]:
    """Return what the server says of each study of the caller."""
    found = connection.get(_STUDIES)
    return [row for row in found or [] if isinstance(row, Mapping)]


def refused_cases(errors: Sequence[Mapping[str, Any]]) -> InvalidInputError:
    """Return the one error of several cases: the sentence of the first, and how many there are."""
    first = errors[0]
    message = told_of(first)
    if len(errors) > 1:
        message += f" {len(errors) - 1:,} more cases are invalid; study.preview() lists them."
    return InvalidInputError(
        f"{message} Nothing was submitted.",
        field=str(first.get("field") or ""),
        value=first.get("value"),
        errors=tuple(errors),
    )


def _count(told: Any) -> int:
    """A count, or a list of what is counted."""
    return len(told) if isinstance(told, list | tuple) else int(told or 0)
