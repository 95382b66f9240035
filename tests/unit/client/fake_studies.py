"""The studies of the small Tapis in memory: cases, attempts, and their table, as our server keeps them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

ENDED = ("FINISHED", "FAILED", "CANCELLED")
_OF_JOB = ("status", "condition", "exitCode", "created", "remoteStarted", "ended")


@dataclass
class FakeCase:
    """One case and the uuids of its attempts."""

    parameters: dict[str, Any]
    request: dict[str, Any]
    attempts: list[str] = field(default_factory=list)
    overrides: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class FakeStudy:
    """One study."""

    name: str
    template: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    cases: dict[str, FakeCase] = field(default_factory=dict)
    #: ``id name appId outputs jobUuid refusal message`` of chained requests, and these themselves by id.
    then: list[dict[str, Any]] = field(default_factory=list)
    requests: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass
class FakeStudies:
    """``/v3/tapisjobs/studies``. *submit* makes a job of a request; *job* is a job's row by uuid."""

    submit: Callable[[dict[str, Any]], str]
    job: Callable[[str], dict[str, Any]]
    known: dict[str, FakeStudy] = field(default_factory=dict)
    #: The bodies of what was sent, by the last part of the path.
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, request: httpx.Request, parts: list[str]) -> tuple[int, Any]:
        """Return code and result, or code and (message, result) of an error."""
        body = json.loads(request.content) if request.content else {}
        if not parts:
            return 200, self._make(body) if request.method == "POST" else self._listed()
        study = self.known.get(parts[0])
        if study is None and body.get("dryRun"):
            study = FakeStudy(parts[0])
        if study is None:
            return 404, (f"there is no study '{parts[0]}'.", None)
        what = parts[1] if len(parts) > 1 else request.method.lower()
        self.sent.append((what, body))
        if request.method == "DELETE" and what == "then":
            return self._then_deleted(study, int(parts[2]))
        handler = getattr(self, f"_{what}_posted" if request.method == "POST" else f"_{what}")
        result: tuple[int, Any] = handler(study, body, dict(request.url.params))
        return result

    def move(self, name: str, status: str, where: Callable[[dict[str, Any]], bool] = bool) -> None:
        """Give the last job of each case whose parameters fit a status."""
        for case in self.known[name].cases.values():
            if case.attempts and where(case.parameters):
                self.job(case.attempts[-1])["status"] = status

    def _make(self, body: dict[str, Any]) -> dict[str, Any]:
        study = self.known.setdefault(body["name"], FakeStudy(body["name"]))
        study.template = body["template"]
        study.settings |= {key: body[key] for key in body if key not in ("name", "template")}
        return self._info(study)

    def _listed(self) -> list[dict[str, Any]]:
        return [self._info(study) for study in reversed(self.known.values())]

    def _info(self, study: FakeStudy) -> dict[str, Any]:
        counts = Counter(self._status(case) for case in study.cases.values())
        return {
            "name": study.name, "template": study.template, "created": "2026-11-21T05:00:00.000000Z",
            "launchMode": "auto", "archived": False, **study.settings,
            "cases": len(study.cases), "counts": {key: counts[key] for key in counts if key},
            "then": self._then(study, None, None)[1],
        }  # fmt: skip

    def _get(self, study: FakeStudy, body: Any, query: Any) -> tuple[int, Any]:
        return 200, self._info(study)

    def _patch(self, study: FakeStudy, body: dict[str, Any], query: Any) -> tuple[int, Any]:
        name = body.pop("name", study.name)
        if name != study.name and name in self.known:
            return 409, (f"you have a study '{name}' already.", None)
        self.known[name] = self.known.pop(study.name)
        study.name = name
        study.settings |= body
        return 200, self._info(study)

    def _delete(self, study: FakeStudy, body: Any, query: Any) -> tuple[int, Any]:
        del self.known[study.name]
        return 200, None

    def _cases_posted(self, study: FakeStudy, body: dict[str, Any], query: Any) -> tuple[int, Any]:
        errors, wanted = [], []
        told: dict[str, Any] = {"known": 0, "inFlight": 0, "done": 0, "failed": 0}
        for row, case in enumerate(body["cases"]):
            known = study.cases.get(case["caseId"])
            told["known"] += known is not None
            status = self._status(known) if known else ""
            told["done"] += status == "FINISHED"
            told["failed"] += status in ENDED[1:]
            told["inFlight"] += bool(status) and status not in ENDED
            request = case.get("request") or (known and known.request) or {}
            if request.get("maxMinutes") == -1:
                message = "maxMinutes -1 is too small"
                errors.append(
                    {"row": row, "caseId": case["caseId"], "message": message, "field": "maxMinutes"}
                )
            elif not status or status in ENDED[1:] or (body["fresh"] and status in ENDED):
                wanted.append((case, request))
        if errors and not body["dryRun"]:
            return 400, ("Nothing was submitted.", {**told, "submitted": [], "errors": errors})
        submitted = [self._submitted(study, case, request, body["dryRun"]) for case, request in wanted]
        return 200, {**told, "submitted": submitted, "errors": errors}

    def _submitted(
        self, study: FakeStudy, case: dict[str, Any], request: dict[str, Any], dry: bool
    ) -> dict[str, Any]:
        if dry:
            return {"caseId": case["caseId"], "jobUuid": None}
        kept = study.cases.setdefault(case["caseId"], FakeCase(case.get("parameters") or {}, request))
        return self._attempt(case["caseId"], kept, {})

    def _attempt(self, case_id: str, case: FakeCase, changes: dict[str, Any]) -> dict[str, Any]:
        case.attempts.append(self.submit({**case.request, **changes}))
        case.overrides.append(changes)
        return {"caseId": case_id, "jobUuid": case.attempts[-1]}

    def _retry_posted(self, study: FakeStudy, body: dict[str, Any], query: Any) -> tuple[int, Any]:
        chosen = [(case_id, study.cases[case_id]) for case_id in body["caseIds"]]
        return 200, {"submitted": [self._attempt(case_id, case, body["changes"]) for case_id, case in chosen]}

    def _cancel_posted(self, study: FakeStudy, body: Any, query: Any) -> tuple[int, Any]:
        for case in study.cases.values():
            if self._status(case) not in ENDED:
                self.job(case.attempts[-1])["status"] = "CANCELLED"
        return 200, None

    def _then_posted(self, study: FakeStudy, body: dict[str, Any], query: Any) -> tuple[int, Any]:
        request = body["request"]
        row = {
            "id": len(study.requests) + 1, "name": request["name"], "appId": request["appId"],
            "outputs": body["outputs"], "jobUuid": None, "refusal": None, "message": "",
        }  # fmt: skip
        study.requests[row["id"]] = request
        study.then.append(row)
        return 200, self._then(study, None, None)[1][-1]

    def _then(self, study: FakeStudy, body: Any, query: Any) -> tuple[int, Any]:
        """Submit what waits, if the cases have ended; return how all stand."""
        states = [self._status(case) for case in study.cases.values()]
        left = sum(state not in ENDED for state in states)
        for row in study.then:
            row["message"] = f"is submitted when {left} cases have ended"
            if not left and "FINISHED" not in states:
                row["refusal"] = row["message"] = "none is FINISHED."
            elif not left:
                row["jobUuid"] = row["jobUuid"] or self.submit(study.requests[row["id"]])
                row["message"] = f"job {row['jobUuid']} is {self.job(row['jobUuid'])['status']}"
        return 200, study.then

    def _then_deleted(self, study: FakeStudy, number: int) -> tuple[int, Any]:
        (row,) = (row for row in study.then if row["id"] == number)
        if row["jobUuid"]:
            return 409, (f"It is job {row['jobUuid']} already.", None)
        study.then.remove(row)
        return 200, None

    def _frame(self, study: FakeStudy, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        rows = list(self._rows(study, everything=query.get("attempts") == "all"))
        names = ("caseId", "parameters", "jobUuid", *_OF_JOB, "queueSeconds", "runSeconds", "attempt")
        return 200, {name: [row.get(name) for row in rows] for name in names}

    def _cases(self, study: FakeStudy, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        rows = [
            {"caseId": case_id, "parameters": case.parameters, "request": case.request}
            for case_id, case in study.cases.items()
        ]
        skip = int(query["skip"])
        return 200, rows[skip : skip + int(query["limit"])]

    def _rows(self, study: FakeStudy, *, everything: bool) -> Iterator[dict[str, Any]]:
        for case_id, case in study.cases.items():
            for number, uuid in enumerate(case.attempts, 1):
                if everything or number == len(case.attempts):
                    job = self.job(uuid)
                    yield {
                        "caseId": case_id, "parameters": json.dumps(case.parameters), "jobUuid": uuid,
                        "attempt": number, "queueSeconds": 1.5, "runSeconds": job.get("seconds"),
                        **{name: job.get(name) for name in _OF_JOB},
                    }  # fmt: skip

    def _status(self, case: FakeCase) -> str:
        return str(self.job(case.attempts[-1])["status"]) if case.attempts else ""
