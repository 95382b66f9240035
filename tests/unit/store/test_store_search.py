"""Lists of jobs, and that each question about them is answered by an index."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields

import pytest
import sqlalchemy

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.job import JobDefinition
from jupyter_tapis_jobs.model.search import (
    EVERYTHING,
    Comparison,
    Group,
    JobQuery,
    from_list,
    from_query,
    from_sql,
    holding,
)
from jupyter_tapis_jobs.model.status import Condition, JobStatus
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store import search as job_pages
from jupyter_tapis_jobs.store.search import SUMMARY_COLUMNS
from jupyter_tapis_jobs.store.tables import jobs


@pytest.fixture
def names(database):
    """``names(where, …)``: the names of the jobs found, in order."""

    def find(where=EVERYTHING, owner="train301", **query):
        page = database.read(lambda conn: job_rows.search(conn, JobQuery(where=where, **query), owner))
        return "".join(job.name for job in page.rows)

    return find


@pytest.fixture
def noted(new_job, store_jobs):
    """Jobs a to d with notes, and e without."""
    each = {
        "a": {"mesh": "fine", "size": 3, "soil": {"layers": 2}, "done": True},
        "b": {"mesh": "coarse*", "size": 10, "soil": {"layers": 3.5}, "done": False},
        "c": {"mesh": "Fine", "size": "3", "in": "x"},
        "d": {"mesh": 3, "done": "true", "odd key": 1},
        "e": {},
    }
    for name, notes in each.items():
        store_jobs(new_job(name=name), definition=json.dumps({"notes": notes}))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"notes.mesh": "fine"}, "a"),
        ({"notes.mesh.eq": "fine"}, "a"),
        ({"notes.mesh.neq": "fine"}, "edcb"),
        ({"notes.mesh.like": "*ine"}, "ca"),
        ({"notes.mesh.like": "coarse\\*"}, "b"),
        ({"notes.mesh.holds": "FINE"}, "ca"),
        ({"notes.mesh.in": "fine,3"}, "da"),
        ({"notes.mesh.nin": "fine,3"}, "ecb"),
        ({"notes.size": "3"}, "ca"),
        ({"notes.size.gt": "3"}, "b"),
        ({"notes.size.lte": "10"}, "ba"),
        ({"notes.mesh.gte": "coarse"}, "ba"),
        ({"notes.soil.layers": "3.5"}, "b"),
        ({"notes.soil.layers.lt": "3"}, "a"),
        ({"notes.done": "true"}, "da"),
        ({"notes.done": "false"}, "b"),
        ({"notes.in": "x"}, "c"),
        ({"notes.odd key": "1"}, "d"),
        ({"notes.x') OR 1=1 --": "1"}, ""),
        ({"notes.mesh": "' OR '1'='1"}, ""),
        ({"notes.mesh": "fine", "notes.size.lt": "2"}, ""),
    ],
)
def test_jobs_are_found_by_their_notes(names, noted, condition, found):
    assert names(from_query(condition)) == found


def test_all_grammars_ask_for_notes(names, noted):
    assert names(from_list("(notes.mesh.eq.fine)~(notes.soil.layers.eq.2)")) == "a"
    assert names(from_list("(notes.soil.layers.eq.3.5)")) == "b"
    assert names(from_sql("notes.mesh = 'fine' OR notes.soil.layers >= 3.5")) == "ba"
    assert names(from_sql("notes.mesh IN ('fine', 3) AND NOT notes.size = 3")) == "d"
    assert names(from_sql("notes.mesh LIKE '%ine'")) == "ca"


@pytest.mark.parametrize(
    ("search", "words"),
    [
        (lambda: from_query({"notes.": "x"}), "names no note"),
        (lambda: from_query({"notes..a": "x"}), "names no note"),
        (lambda: from_query({'notes.a"b': "x"}), "names no note"),
        (lambda: from_list("(notes.mesh.fine)"), "notes.KEY.operator.value"),
        (lambda: from_sql("notes.mesh BETWEEN 'a' AND 'b'"), "'between' is not an operator"),
    ],
)
def test_a_note_that_cannot_be_asked_for_is_told(search, words):
    with pytest.raises(InvalidInputError, match=words):
        search()


@pytest.fixture
def five(new_job, store_jobs):
    """Jobs a to e of one owner, one hidden, and one of another."""
    definition = json.dumps({"exec_system_exec_dir": "/work/a", "is_mpi": True, "archive_mode": "ALWAYS"})
    each = [
        {
            "name": "a",
            "status": JobStatus.FINISHED,
            "condition": Condition.NORMAL_COMPLETION,
            "tags": ("x", "y"),
        },
        {"name": "b", "status": JobStatus.FAILED, "memory_mb": 500, "description": "50% [done]*"},
        {"name": "c", "status": JobStatus.RUNNING, "condition": Condition.SCHEDULER_TIMEOUT, "tags": ("y",)},
        {"name": "d", "created": "2026-11-22T00:00:00.000000Z", "memory_mb": 700},
        {
            "name": "e",
            "created": "2026-11-20T00:00:00.000000Z",
            "remote_started": "2026-11-21T00:00:00.000000Z",
        },
    ]
    store_jobs(*(new_job(**fields) for fields in each), definition=definition)
    store_jobs(new_job(name="h", visible=False), new_job(name="o", owner="other"))


def test_the_newest_come_first_without_hidden_ones_and_without_those_of_others(names, five):
    assert names() == "edcba"
    assert names(include_hidden=True) == "hedcba"
    assert names(owner="other") == "o"
    assert names(list_type="SHARED_JOBS") == ""
    assert names(list_type="ALL_JOBS") == "edcba"
    assert names(None) == "edcba"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Comparison("status", "eq", "FAILED"), "b"),
        (Comparison("status", "neq", "FAILED"), "edca"),
        (Comparison("status", "in", ("FAILED", "FINISHED")), "ba"),
        (Comparison("status", "nin", ("FAILED", "FINISHED")), "edc"),
        (Comparison("memory_mb", "gt", 500), "d"),
        (Comparison("memory_mb", "gte", 500), "db"),
        (Comparison("memory_mb", "lt", 500), "eca"),
        (Comparison("memory_mb", "lte", 500), "ecba"),
        (Comparison("memory_mb", "between", (200, 700)), "db"),
        (Comparison("memory_mb", "nbetween", (200, 700)), "eca"),
        (Comparison("name", "like", "_"), "edcba"),
        (Comparison("name", "like", "A"), ""),
        (Comparison("description", "like", r"50\% [done]*"), "b"),
        (Comparison("description", "like", r"50\__%"), ""),
        (Comparison("description", "like", "%[d%"), "b"),
        (Comparison("description", "nlike", "%[d%"), "edca"),
        (Comparison("tags", "contains", ("x", "z")), "a"),
        (Comparison("tags", "ncontains", ("y",)), "edb"),
        (Comparison("visible", "eq", True), "edcba"),
        (Comparison("condition", "eq", "NORMAL_COMPLETION"), "a"),
        (Comparison("condition", "eq", "SCHEDULER_TIMEOUT"), ""),
        (Comparison("remote_started", "gt", "2026-01-01T00:00:00.000000Z"), "e"),
        (Comparison("exec_system_exec_dir", "eq", "/work/a"), "edcba"),
        (Comparison("mpi", "eq", True), "edcba"),
        (Comparison("archive_mode", "like", "ALW%"), "edcba"),
        (Group("OR", (Comparison("name", "eq", "a"), Comparison("name", "eq", "c"))), "ca"),
        (Group("AND", (Comparison("name", "gte", "b"), Comparison("name", "lt", "d"))), "cb"),
        (Group("NOT", (Comparison("name", "eq", "a"),)), "edcb"),
        (from_query({"created.gt": "2026-11-21", "status.eq": "PENDING"}), "d"),
        (from_list("(name.in.a,b,c)~(status.neq.RUNNING)"), "ba"),
        (from_sql("status = 'FINISHED' OR (name LIKE '%b%' AND memoryMB > 1)"), "ba"),
        (from_sql("NOT (tags = 'y') AND created BETWEEN '2026-11-22' AND '2026-11-23'"), "d"),
    ],
)
def test_a_search_finds_what_fits(names, five, where, expected):
    assert names(where) == expected


@pytest.fixture
def known(new_job, store_jobs):
    """Jobs that people know by different things."""
    store_jobs(
        new_job(name="a", description="Pushover"),
        new_job(name="b", app_id="OpenSees-MP", exec_system_id="frontera"),
        new_job(name="c", exec_system_id="frontera", remote_job_id="4711_17"),
        new_job(name="d", uuid="d3b07384-0000-4000-8000-000000000000-007"),
        new_job(name="50%_x", visible=False),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("opensees", "b"),
        ("FRONTERA", "cb"),
        ("frontera sees", "b"),
        ("4711_1", "c"),
        ("4711%", ""),
        ("D3B07384", "d"),
        ("pushover", ""),
        ("  ", "dcba"),
        ("' OR 1=1 --", ""),
        ("/", ""),
    ],
)
def test_words_are_looked_for_in_what_people_know_a_job_by(names, known, text, expected):
    assert names(holding(EVERYTHING, text)) == expected


def test_words_narrow_a_search(names, known):
    where = Comparison("name", "neq", "c")
    assert names(holding(where, "frontera")) == "b"
    assert names(holding(EVERYTHING, "0%_"), include_hidden=True) == "50%_x"


def test_a_value_is_a_value_whatever_stands_in_it(names, five):
    assert names(Comparison("name", "eq", "' OR 1=1 --")) == ""
    assert names(Comparison("name", "like", "'; DROP TABLE jobs; --%")) == ""
    assert names() == "edcba"


def test_an_attribute_that_jobs_do_not_have_names_the_nearest(names, five):
    with pytest.raises(InvalidInputError, match="Did you mean 'exec_system_exec_dir'"):
        names(Comparison("exec_system_exec_di", "eq", "x"))


def test_lists_are_ordered_and_cut_into_pages(names, five):
    assert names(order_by=(("created", "asc"),)) == "eabcd"
    assert names(order_by=(("created", "desc"),)) == "dcbae"
    assert names(order_by=(("memory_mb", "desc"), ("name", "asc"))) == "dbace"
    assert names(limit=2, skip=1) == "dc"
    assert names(limit=0, skip=3) == "ba"
    assert names(limit=-1) == "edcba"
    assert names(order_by=(("memory_mb", "asc"),), start_after="100") == "bd"
    assert names(order_by=(("created", "desc"),), start_after="2026-11-21T04:48:47.123456Z") == "e"
    with pytest.raises(InvalidInputError, match="startAfter needs orderBy"):
        names(start_after="x")
    with pytest.raises(InvalidInputError, match="whole number"):
        names(order_by=(("memory_mb", "asc"),), start_after="much")


def test_the_total_counts_all_that_fit_not_only_the_page(database, five):
    def page(**query):
        return database.read(lambda conn: job_rows.search(conn, JobQuery(**query), "train301"))

    assert page(limit=2, compute_total=True).total == 5
    assert page(limit=1, compute_total=True, where=Comparison("memory_mb", "gte", 500)).total == 2
    assert page(limit=2).total == -1


def test_jobs_are_counted_by_status(database, five):
    def counted(owner="train301", **query):
        return database.read(lambda conn: job_pages.counts(conn, JobQuery(**query), owner))

    assert counted() == {"FAILED": 1, "FINISHED": 1, "PENDING": 2, "RUNNING": 1}
    assert counted(include_hidden=True)["PENDING"] == 3
    assert counted(where=Comparison("memory_mb", "gte", 500)) == {"FAILED": 1, "PENDING": 1}
    assert counted(limit=1, skip=3) == counted(), "pages do not matter"
    assert counted("nobody") == {}


@pytest.mark.parametrize("order", [("name",), ("status", "name"), ("memory_mb",), ("archive_mode",)])
def test_pages_that_are_sorted_follow_each_other(names, five, order):
    by = tuple((name, "desc") for name in order)
    whole = names(order_by=by, limit=-1)
    assert sorted(whole) == list("abcde")
    assert "".join(names(order_by=by, limit=2, skip=skip) for skip in (0, 2, 4)) == whole


def test_the_same_question_with_other_values_has_another_answer(names, five):
    found = [names(Comparison("name", "in", values)) for values in (("a",), ("a", "b"), ("c", "d", "e"))]
    assert found == ["a", "ba", "edc"]


def test_summaries_come_as_columns_in_slices(database, five):
    def work(conn):
        return list(job_rows.summary_columns(conn, JobQuery(limit=-1), "train301", chunk=2))

    slices = database.read(work)
    assert [len(columns[0]) for columns in slices] == [2, 2, 1]
    rows = [row for columns in slices for row in zip(*columns, strict=True)]
    assert [row[1] for row in rows] == ["e", "d", "c", "b", "a"]
    # Why a job ended is told once it has ended.
    assert [row[7] for row in rows] == [None, None, None, None, "NORMAL_COMPLETION"]
    assert dict(zip(SUMMARY_COLUMNS, rows[-1], strict=True))["status"] == "FINISHED"


def test_a_search_that_finds_nothing_has_no_slices(database, five):
    where = Comparison("name", "eq", "nothing")
    found = database.read(
        lambda conn: list(job_rows.summary_columns(conn, JobQuery(where=where), "train301"))
    )
    assert found == []


# --- how questions are answered -----------------------------------------------------------------


@pytest.fixture
def plans(database, new_job, store_jobs):
    """``plans(work)``: how SQLite answers every statement of *work*."""
    required = [
        field.name for field in fields(JobDefinition) if field.default is field.default_factory is MISSING
    ]
    definition = json.dumps(dict.fromkeys(required, "x"))
    store_jobs(*(new_job() for _ in range(20)), definition=definition)

    def explain(work):
        asked = _statements_of(database, work)
        return [plan for statement in asked for plan in _plan(database, statement)]

    return explain


def _statements_of(database, work):
    found = []

    def traced(conn):
        driver = conn.connection.driver_connection
        driver.set_trace_callback(found.append)
        try:
            work(conn)
        finally:
            driver.set_trace_callback(None)

    database.write(traced)
    return [statement for statement in found if re.match(r"\s*(SELECT|UPDATE|DELETE)", statement)]


def _plan(database, statement):
    return database.read(lambda conn: [row[3] for row in conn.execute(_explained(statement))])


def _explained(statement):
    # Values stand in the traced text already; a colon in them is no parameter.
    return sqlalchemy.text("EXPLAIN QUERY PLAN " + statement.replace(":", r"\:"))


def _search(**query):
    return lambda conn: job_rows.search(conn, JobQuery(**query), "train301")


def _counts(**query):
    return lambda conn: job_pages.counts(conn, JobQuery(**query), "train301")


def _change(conn):
    job = job_rows.active(conn)[0]
    job_rows.apply(conn, [job_rows.Change(before=job, after=job.evolve(last_message="x"))])


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda conn: job_rows.get(conn, "00000000-0000-4000-8000-000000000001-007"), id="get"),
        pytest.param(lambda conn: job_rows.get_many(conn, ["a", "b"]), id="get many"),
        pytest.param(job_rows.active, id="active"),
        pytest.param(job_rows.quota_counts, id="quotas"),
        pytest.param(lambda conn: job_rows.definitions(conn, [1, 2]), id="definitions"),
        pytest.param(lambda conn: job_rows.request(conn, 1), id="request"),
        pytest.param(lambda conn: job_rows.history(conn, 1), id="history"),
        pytest.param(lambda conn: job_rows.events_after(conn, "train301", 3, 100), id="events after"),
        pytest.param(job_rows.newest_event_id, id="newest event"),
        pytest.param(_change, id="change"),
        pytest.param(_search(), id="newest"),
        pytest.param(_search(compute_total=True), id="total"),
        pytest.param(_search(include_hidden=True), id="hidden too"),
        pytest.param(_search(order_by=(("created", "desc"),)), id="by time"),
        pytest.param(_search(order_by=(("created", "desc"),), start_after="2026-11-01"), id="start after"),
        pytest.param(_search(where=Comparison("created", "gt", "2026-11-01T00:00:00.000000Z")), id="since"),
        pytest.param(_search(where=Comparison("status", "eq", "FAILED")), id="status"),
        pytest.param(_search(where=Comparison("status", "in", ("FAILED", "RUNNING"))), id="statuses"),
        pytest.param(_search(where=Comparison("name", "like", "a%")), id="name"),
        pytest.param(_search(where=holding(EVERYTHING, "a b"), compute_total=True), id="words"),
        pytest.param(_search(order_by=(("name", "desc"),), skip=10), id="by name"),
        pytest.param(_counts(), id="counts"),
        pytest.param(_counts(where=holding(EVERYTHING, "a b")), id="counts of words"),
        pytest.param(_search(where=Comparison("exec_system_exec_dir", "eq", "/x")), id="definition"),
        pytest.param(
            lambda conn: list(job_rows.summary_columns(conn, JobQuery(limit=-1), "train301")), id="summaries"
        ),
    ],
)
def test_no_question_reads_the_whole_table_of_jobs(plans, work):
    steps = plans(work)
    assert steps
    scans = [step for step in steps if re.match(r"SCAN (jobs|job_events|job_definitions)\b", step)]
    assert [step for step in scans if "INDEX jobs_unfinished" not in step] == []


@pytest.mark.parametrize(
    "query", [{}, {"order_by": (("created", "desc"),)}, {"order_by": (("created", "asc"),), "limit": 10}]
)
def test_the_newest_are_read_in_order_and_not_sorted(plans, query):
    assert not any("TEMP B-TREE" in step for step in plans(_search(**query)))


def test_words_are_looked_for_in_an_index_and_rows_are_read_of_what_is_found_only(plans):
    (covering,) = {step for step in plans(_counts(where=holding(EVERYTHING, "a"))) if "jobs" in step}
    assert "COVERING INDEX jobs_words" in covering
    found = plans(_search(where=holding(EVERYTHING, "a")))
    assert [step for step in found if "COVERING INDEX jobs_words" in step]


def test_what_is_sorted_are_ids_and_not_rows(plans):
    steps = plans(_search(order_by=(("name", "desc"),)))
    assert any("INTEGER PRIMARY KEY" in step for step in steps)


def test_each_index_of_jobs_has_a_question(plans, database):
    used = " ".join(
        step
        for work in (
            lambda conn: job_rows.get(conn, "00000000-0000-4000-8000-000000000001-007"),
            job_rows.active,
            _search(),
            _search(order_by=(("created", "desc"),)),
            _search(where=Comparison("status", "eq", "FAILED")),
            _search(where=holding(EVERYTHING, "a")),
        )
        for step in plans(work)
    )
    assert {index.name for index in jobs.indexes if not re.search(rf"\b{index.name}\b", used)} == set()
