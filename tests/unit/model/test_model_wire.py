"""What clients see of a job, and that statuses, errors and jobs stay light."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from model_samples import CREATED, UUID, Resolved, make_cluster

from jupyter_tapis_jobs.model.job import JobEvent
from jupyter_tapis_jobs.model.names import inner_name, wire_name
from jupyter_tapis_jobs.model.status import Condition, EventType, JobStatus
from jupyter_tapis_jobs.model.wire import (
    JOB_FIELDS,
    HistoryEntry,
    JobDetails,
    JobStanding,
    JobSummary,
    event_to_wire,
    job_to_wire,
    needs_definition,
    selected_to_wire,
    status_to_wire,
    summary_to_wire,
)

#: Every property of ``Job`` in Tapis's OpenAPI document (jobs 0.1).
TAPIS_JOB = frozenset(
    [
        "id",
        "name",
        "owner",
        "tenant",
        "description",
        "status",
        "condition",
        "lastMessage",
        "created",
        "ended",
        "lastUpdated",
        "uuid",
        "appId",
        "appVersion",
        "archiveOnAppError",
        "dynamicExecSystem",
        "execSystemId",
        "execSystemExecDir",
        "execSystemInputDir",
        "execSystemOutputDir",
        "execSystemLogicalQueue",
        "archiveSystemId",
        "archiveSystemDir",
        "dtnSystemId",
        "dtnSystemInputDir",
        "dtnSystemOutputDir",
        "nodeCount",
        "coresPerNode",
        "memoryMB",
        "maxMinutes",
        "fileInputs",
        "parameterSet",
        "execSystemConstraints",
        "subscriptions",
        "blockedCount",
        "remoteJobId",
        "remoteJobId2",
        "remoteOutcome",
        "remoteResultInfo",
        "remoteQueue",
        "remoteSubmitted",
        "remoteStarted",
        "remoteEnded",
        "remoteSubmitRetries",
        "remoteChecksSuccess",
        "remoteChecksFailed",
        "remoteLastStatusCheck",
        "inputTransactionId",
        "inputCorrelationId",
        "archiveTransactionId",
        "archiveCorrelationId",
        "stageAppTransactionId",
        "stageAppCorrelationId",
        "dtnInputTransactionId",
        "dtnInputCorrelationId",
        "dtnOutputTransactionId",
        "dtnOutputCorrelationId",
        "tapisQueue",
        "visible",
        "createdby",
        "createdbyTenant",
        "tags",
        "jobType",
        "mpiCmd",
        "cmdPrefix",
        "sharedAppCtx",
        "sharedAppCtxAttribs",
        "trackingId",
        "notes",
        "mpi",
    ]
)


@pytest.fixture
def sample(resolved: Callable[..., Resolved]) -> Resolved:
    return resolved(
        system=make_cluster(),
        jobType="BATCH",
        fileInputs=[{"sourceUrl": "tapis://s/é"}],
        parameterSet={
            "appArgs": [{"arg": "-x"}],
            "envVariables": [{"key": "zeta", "value": "1"}, {"key": "A", "value": ""}],
        },
        tags=["b", "a"],
        notes={"n": 1},
    )


def test_a_job_shows_every_attribute_of_tapis_and_few_more(sample: Resolved) -> None:
    ours = {"archiveMode", "launchMode", "launchReason", "cohortId"}
    ours |= {"progress", "progressMessage", "progressTold"}
    assert set(job_to_wire(*sample)) == TAPIS_JOB | ours == set(map(wire_name, JOB_FIELDS))


def test_a_job_can_be_put_into_json_and_fits_its_own_model(sample: Resolved) -> None:
    wire = json.loads(json.dumps(job_to_wire(*sample)))
    assert JobDetails.model_validate(wire).model_dump(mode="json", by_alias=True) == wire


def test_what_tapis_keeps_as_json_text_is_json_text(sample: Resolved) -> None:
    wire = job_to_wire(*sample)
    assert json.loads(wire["fileInputs"])[0]["targetPath"] == "é"
    assert json.loads(wire["notes"]) == {"n": 1}
    assert json.loads(wire["subscriptions"]) == []
    assert wire["execSystemConstraints"] is None
    parameters = json.loads(wire["parameterSet"])
    assert parameters["appArgs"] == [
        {"arg": "-x", "name": None, "description": None, "include": None, "notes": None}
    ]
    assert parameters["logConfig"] == {"stdoutFilename": "tapisjob.out", "stderrFilename": "tapisjob.out"}
    assert parameters["archiveFilter"] == {"includes": [], "excludes": [], "includeLaunchFiles": True}


def test_the_environment_shows_the_jobs_own_variables_sorted_with_the_others(sample: Resolved) -> None:
    keys = [v["key"] for v in json.loads(job_to_wire(*sample)["parameterSet"])["envVariables"]]
    assert keys == sorted(keys, key=str.lower)
    assert {"_tapisJobUUID", "A", "zeta"} <= set(keys)


def test_the_condition_is_shown_once_the_job_has_ended(sample: Resolved) -> None:
    job, definition = sample
    going = job.evolve(status=JobStatus.ARCHIVING, condition=Condition.SCHEDULER_TIMEOUT)
    ended = going.evolve(status=JobStatus.FAILED)
    for look in (lambda j: job_to_wire(j, definition), summary_to_wire, status_to_wire):
        assert look(going)["condition"] is None
        assert look(ended)["condition"] == "SCHEDULER_TIMEOUT"


def test_a_row_of_a_list_has_tapis_columns(sample: Resolved) -> None:
    row = summary_to_wire(sample[0])
    assert list(row) == [
        "uuid",
        "name",
        "owner",
        "tenant",
        "appId",
        "appVersion",
        "status",
        "condition",
        "created",
        "remoteStarted",
        "ended",
        "lastUpdated",
        "execSystemId",
        "archiveSystemId",
    ]
    assert (row["uuid"], row["status"], row["created"]) == (UUID, "PENDING", CREATED)
    JobSummary.model_validate(row)
    JobStanding.model_validate(status_to_wire(sample[0]))


def test_a_selection_shows_just_what_is_selected(sample: Resolved) -> None:
    job, definition = sample
    assert selected_to_wire(job, None, ("uuid", "memory_mb", "tags", "condition")) == {
        "uuid": UUID,
        "memoryMB": 100,
        "tags": ["a", "b"],
        "condition": None,
    }
    assert selected_to_wire(job, None, ("summaryAttributes",)) == summary_to_wire(job)
    assert set(selected_to_wire(job, definition, ("summaryAttributes", "notes"))) == {
        *summary_to_wire(job),
        "notes",
    }
    assert selected_to_wire(job, definition, ("uuid", "allAttributes")) == job_to_wire(job, definition)


def test_only_a_selection_beyond_the_jobs_own_record_needs_its_definition() -> None:
    assert not needs_definition(("uuid", "summaryAttributes", "max_minutes"))
    assert needs_definition(("uuid", "file_inputs"))
    assert needs_definition(("allAttributes",))


def test_an_event_shows_tapis_history_row() -> None:
    event = JobEvent(
        job_uuid=UUID,
        owner="ada",
        event=EventType.JOB_NEW_STATUS,
        event_detail="RUNNING",
        created=CREATED,
        description="The job runs.",
    )
    row = event_to_wire(event)
    assert row == {
        "event": "JOB_NEW_STATUS",
        "created": CREATED,
        "eventDetail": "RUNNING",
        "description": "The job runs.",
        "transferTaskUuid": None,
        "transferSummary": None,
    }
    HistoryEntry.model_validate(row)


@pytest.mark.parametrize(
    ("inner", "wire"),
    [
        ("memory_mb", "memoryMB"),
        ("min_memory_mb", "minMemoryMB"),
        ("exec_system_id", "execSystemId"),
        ("remote_job_id2", "remoteJobId2"),
        ("is_mpi", "isMpi"),
        ("uuid", "uuid"),
    ],
)
def test_names_go_both_ways(inner: str, wire: str) -> None:
    assert (wire_name(inner), inner_name(wire), inner_name(inner)) == (wire, inner, inner)


def test_statuses_errors_and_jobs_are_imported_without_pydantic() -> None:
    light = ", ".join(f"jupyter_tapis_jobs.model.{name}" for name in ("status", "errors", "job"))
    code = f"import sys, {light}; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
