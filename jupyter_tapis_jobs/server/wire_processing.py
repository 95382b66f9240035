"""What is done with a job's outputs after its end, on the wire."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field, JsonValue

from ..model.processing import MOST_TOLD, Outcome, Processing, ProcessingStatus, Runs, result_text
from .wire import Wire


class ProcessingDetails(Wire):
    """How it stands. ``result`` is what the function returned, ``problem`` what went wrong last."""

    job_uuid: str
    name: str
    runs: Runs
    status: ProcessingStatus
    attempts: int
    max_minutes: float
    retries: int
    on: list[str]
    due: str | None = Field(None, description="When the server looks at it next.")
    claim: str | None = Field(None, description="The attempt of a kernel that may tell its outcome.")
    result: Any = None
    problem: str | None = None
    created: str
    updated: str


class KernelReport(Wire):
    """A kernel claims the job, or tells what came of its attempt: ``result`` or ``problem``."""

    claim: str = Field(min_length=8, max_length=64, description="A name that the attempt gives itself.")
    result: JsonValue = None
    problem: str | None = Field(None, min_length=1, max_length=MOST_TOLD)

    def outcome(self) -> Outcome | None:
        """Return what came of the attempt; None where it begins. ``InvalidInputError`` for too much."""
        if self.problem is not None:
            return Outcome(problem=self.problem)
        return Outcome(result=result_text(self.result)) if "result" in self.model_fields_set else None


def processing_to_wire(item: Processing) -> dict[str, Any]:
    """Return how it stands."""
    return {
        "jobUuid": item.job_uuid,
        "name": item.wish.name,
        "runs": item.wish.runs.value,
        "status": item.status.value,
        "attempts": item.attempts,
        "maxMinutes": item.wish.max_minutes,
        "retries": item.wish.retries,
        "on": [status.value for status in item.wish.on],
        "due": item.due,
        "claim": item.claim,
        "result": None if item.result is None else json.loads(item.result),
        "problem": item.problem,
        "created": item.created,
        "updated": item.updated,
    }
