"""Jobs and their histories as rows."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import fields

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.errors import ConflictError, NotFoundError
from jupyter_tapis_jobs.model.job import Argument, EnvVariable, FileInput, Job, JobDefinition
from jupyter_tapis_jobs.model.resolve import definition_json
from jupyter_tapis_jobs.model.status import (
    ALLOWED_MOVES,
    Condition,
    JobStatus,
    RemoteOutcome,
)
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store.database import Database
from jupyter_tapis_jobs.store.jobs import Change
from jupyter_tapis_jobs.store.tables import job_events, jobs

AWKWARD = "quote ' \" newline \n ${HOME} $(id) ; 🐍"


def _events(database, job, **page):
    return database.read(lambda conn: job_rows.history(conn, job.id, **page))


def _apply(database, *changes):
    return database.write(lambda conn: job_rows.apply(conn, changes))


def _get(database, job):
    return database.read(lambda conn: job_rows.get(conn, job.uuid))


def test_the_columns_of_the_table_are_the_fields_of_a_job():
    assert [column.name for column in jobs.columns] == [field.name for field in fields(Job)]


def test_a_stored_job_reads_back_as_it_was(database, new_job, store_jobs):
    job = new_job(
        name=AWKWARD,
        description=AWKWARD,
        tags=("a", "ü", AWKWARD),
        condition=Condition.SCHEDULER_TIMEOUT,
        resume_status=JobStatus.RUNNING,
        remote_outcome=RemoteOutcome.FAILED,
        visible=False,
        exit_code=137,
        exec_system_logical_queue="normal",
    )
    (stored,) = store_jobs(job)
    assert _get(database, job) == stored == job.evolve(id=stored.id)
    assert stored.id > 0


def test_ids_grow_in_the_order_of_acceptance(new_job, store_jobs):
    first = store_jobs(new_job(), new_job())
    second = store_jobs(new_job())
    ids = [job.id for job in (*first, *second)]
    assert ids == sorted(set(ids))


def test_the_history_of_a_new_job_begins_with_its_acceptance(database, new_job, store_jobs):
    (job,) = store_jobs(new_job())
    (event,) = _events(database, job)
    assert (event.event, event.event_detail, event.created) == ("JOB_NEW_STATUS", "PENDING", job.created)
    assert event.job_uuid == job.uuid
    assert event.owner == job.owner
    assert event.data["jobUuid"] == job.uuid


def test_a_job_with_a_uuid_that_is_taken_stores_nothing_of_its_call(database, new_job, store_jobs):
    store_jobs(new_job(uuid="twice"))
    with pytest.raises(sqlite3.IntegrityError):
        store_jobs(new_job(), new_job(uuid="twice"))
    assert [job.uuid for job in database.read(job_rows.active)] == ["twice"]


def test_what_was_asked_and_what_it_became_read_back(database, new_job):
    definition = JobDefinition(
        job_type="FORK",
        app_runtime="ZIP",
        container_image="/a.zip",
        exec_system_id="local",
        exec_system_exec_dir="/w",
        exec_system_input_dir="/w",
        exec_system_output_dir="/w",
        archive_system_id="local",
        archive_system_dir="/w",
        job_working_dir="/w",
        host="localhost",
        root_dir="/",
        app_args=(Argument(arg=AWKWARD),),
        env_variables=(EnvVariable(key="K", value=AWKWARD),),
        file_inputs=(FileInput(source_url="data:,x", target_path="x"),),
        notes={"deep": {"list": [1, None]}},
    )
    text = definition_json(definition)
    request = json.dumps({"name": AWKWARD})
    (job,) = database.write(lambda conn: job_rows.insert(conn, [(new_job(), request, text)]))
    assert database.read(lambda conn: job_rows.definitions(conn, [job.id, 4711])) == {job.id: definition}
    assert database.read(lambda conn: job_rows.request(conn, job.id)) == request


def test_a_change_stores_the_new_status_and_its_event_together(database, new_job, store_jobs, new_status):
    (job,) = store_jobs(new_job())
    change = new_status(
        job, JobStatus.PROCESSING_INPUTS, last_message="directories are made", blocked_count=2
    )
    events = _apply(database, change)
    assert _get(database, job) == change.after
    assert [event.event_detail for event in _events(database, job)] == ["PENDING", "PROCESSING_INPUTS"]
    assert events == _events(database, job)[1:]
    assert events.stale == []


def test_a_change_of_a_job_that_has_moved_on_is_left_alone_and_reported(
    database, new_job, store_jobs, new_status
):
    late, good = store_jobs(new_job(), new_job())
    _apply(database, new_status(late, JobStatus.CANCELLED))
    stale = new_status(late, JobStatus.PROCESSING_INPUTS)
    events = _apply(database, stale, new_status(good, JobStatus.PROCESSING_INPUTS))
    assert events.stale == [stale]
    assert [event.job_uuid for event in events] == [good.uuid]
    assert _get(database, late).status is JobStatus.CANCELLED
    assert len(_events(database, late)) == 2


def test_a_move_that_no_job_may_make_raises_and_stores_nothing(database, new_job, store_jobs, new_status):
    first, second = store_jobs(new_job(), new_job())
    changes = [new_status(first, JobStatus.PROCESSING_INPUTS), new_status(second, JobStatus.FINISHED)]
    with pytest.raises(ConflictError, match="cannot go from PENDING to FINISHED"):
        _apply(database, *changes)
    assert _get(database, first).status is JobStatus.PENDING


def test_several_changes_of_one_job_in_one_call_follow_each_other(database, new_job, store_jobs, new_status):
    job, other = store_jobs(new_job(), new_job())
    one = new_status(job, JobStatus.PROCESSING_INPUTS, last_message="first")
    two = new_status(one.after, JobStatus.STAGING_INPUTS, exit_code=0)
    _apply(database, new_status(other, JobStatus.CANCELLED, exit_code=1), one, two)
    assert _get(database, job) == two.after
    assert [event.event_detail for event in _events(database, job)][1:] == [
        "PROCESSING_INPUTS",
        "STAGING_INPUTS",
    ]


def test_an_ended_job_can_still_be_hidden(database, new_job, store_jobs):
    (job,) = store_jobs(new_job(status=JobStatus.FINISHED))
    _apply(database, Change(before=job, after=job.evolve(visible=False)))
    assert _get(database, job).visible is False


def test_many_jobs_are_found_in_the_order_asked_and_missing_ones_left_out(database, new_job, store_jobs):
    first, second = store_jobs(new_job(), new_job())
    found = database.read(lambda conn: job_rows.get_many(conn, [second.uuid, "no such", first.uuid]))
    assert list(found.values()) == [second, first]


def test_a_job_that_does_not_exist_is_not_found(database):
    with pytest.raises(NotFoundError, match="no job abc"):
        database.read(lambda conn: job_rows.get(conn, "abc"))
    with pytest.raises(NotFoundError):
        database.read(lambda conn: job_rows.request(conn, 1))


def test_active_jobs_are_all_that_have_not_ended_oldest_first(database, new_job, store_jobs):
    stored = store_jobs(
        *(new_job(status=status, exec_system_id=f"s{9 - n}") for n, status in enumerate(JobStatus))
    )
    assert database.read(job_rows.active) == [job for job in stored if not job.status.is_terminal]


def test_history_comes_in_pages(database, new_job, store_jobs, new_status):
    (job,) = store_jobs(new_job())
    for status in (JobStatus.PROCESSING_INPUTS, JobStatus.STAGING_INPUTS, JobStatus.STAGING_JOB):
        change = new_status(job, status)
        _apply(database, change)
        job = change.after
    details = [event.event_detail for event in _events(database, job, limit=2, skip=1)]
    assert details == ["PROCESSING_INPUTS", "STAGING_INPUTS"]
    assert len(_events(database, job, limit=0)) == 4


def test_events_after_the_last_one_seen_are_the_owners_own(database, new_job, store_jobs):
    mine, _ = store_jobs(new_job(), new_job(owner="other"))
    seen = _events(database, mine)[-1].id
    later = store_jobs(new_job(), new_job(owner="other"), new_job())
    found = database.read(lambda conn: job_rows.events_after(conn, "train301", seen, 10))
    assert [event.job_uuid for event in found] == [later[0].uuid, later[2].uuid]
    assert found[-1].id == database.read(job_rows.newest_event_id)


def test_event_ids_are_never_used_again(database, new_job, store_jobs):
    store_jobs(new_job())
    last = database.read(job_rows.newest_event_id)
    database.write(lambda conn: conn.execute(sqlalchemy.delete(job_events)))
    store_jobs(new_job())
    assert database.read(job_rows.newest_event_id) == last + 1


def test_quotas_count_active_jobs_but_neither_pending_nor_held_ones(database, new_job, store_jobs):
    store_jobs(*(new_job(status=status) for status in JobStatus))
    store_jobs(new_job(owner="other", exec_system_logical_queue="normal", status=JobStatus.RUNNING))
    counts = database.read(job_rows.quota_counts)
    assert {(c.exec_system_id, c.exec_system_logical_queue, c.owner): c.jobs for c in counts} == {
        ("local", None, "train301"): 7,
        ("local", "normal", "other"): 1,
    }


_STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 20), st.sampled_from(["", AWKWARD, "m"]), st.booleans()),
    max_size=25,
)


@given(steps=_STEPS)
def test_any_sequence_of_legal_changes_reads_back_as_it_was_made(tmp_path_factory, steps):
    database = Database.open(tmp_path_factory.mktemp("store"))
    try:
        _walk(database, steps)
    finally:
        database.close()


def _walk(database, steps):
    blank = dict.fromkeys(("owner", "name", "description", "app_id", "app_version", "tenant"), "x")
    systems = dict.fromkeys(("exec_system_id", "archive_system_id", "effective_user_id", "job_type"), "s")
    numbers = dict.fromkeys(("node_count", "cores_per_node", "memory_mb", "max_minutes"), 1)
    times = dict.fromkeys(("created", "last_updated"), "2026-11-21T04:48:47.123456Z")
    fixed = {**blank, **systems, **numbers, **times, "exec_system_logical_queue": None}
    new = [Job(uuid=str(n), status=JobStatus.PENDING, **fixed) for n in range(3)]
    expected = database.write(lambda conn: job_rows.insert(conn, [(job, "{}", "{}") for job in new]))
    for place, choice, message, visible in steps:
        before = expected[place]
        moves = sorted(ALLOWED_MOVES[before.status] | {before.status})
        after = before.evolve(
            status=moves[choice % len(moves)],
            last_message=message or None,
            visible=visible,
            attempt=before.attempt + choice,
            tags=(message,) * (choice % 3),
            resume_status=before.status if visible else None,
        )
        _apply(database, Change(before=before, after=after))
        expected[place] = after
    assert list(database.read(lambda conn: job_rows.get_many(conn, ["0", "1", "2"])).values()) == expected
