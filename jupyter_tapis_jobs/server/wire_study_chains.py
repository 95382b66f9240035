"""Chained requests of studies on the wire: the body and the results of the routes about them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from ..model.status import JobStatus
from ..model.study_chain import Chain
from .wire import Wire


class NewChain(Wire):
    """A request that is submitted once no case is in flight, and which outputs of the cases it is given."""

    request: dict[str, Any] = Field(
        description="A job request. The job finds the study's table as cases.csv, and below cases/ROW/ the "
        "outputs of the case in that row, from 0."
    )
    outputs: list[str] = Field(description="Files or folders that each case leaves: peak.csv.")


class ChainRow(Wire):
    """A chained request, and what has become of it."""

    id: int
    name: str = Field(description="Of the job.")
    app_id: str
    outputs: list[str]
    created: str
    job_uuid: str | None = Field(description="Null until it is submitted.")
    job_status: JobStatus | None
    refusal: str | None = Field(description="Why it was not submitted, until it is tried again.")
    message: str = Field(description="How it stands, as a sentence.")


def chain_to_wire(chain: Chain, counts: Mapping[str, int]) -> dict[str, Any]:
    """Return a chained request; *counts* are the cases of its study by status."""
    request = json.loads(chain.request)
    return {
        "id": chain.id,
        "name": str(request.get("name") or ""),
        "appId": str(request.get("appId") or ""),
        "outputs": list(chain.outputs),
        "created": chain.created,
        "jobUuid": chain.job_uuid,
        "jobStatus": chain.job_status,
        "refusal": chain.refusal or None,
        "message": chain.told(counts),
    }
