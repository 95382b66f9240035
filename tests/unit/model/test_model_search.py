"""The three grammars of a search, and paging."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.search import (
    APP_ATTRIBUTES,
    EVERYTHING,
    SYSTEM_ATTRIBUTES,
    Comparison,
    Group,
    JobQuery,
    from_list,
    from_query,
    from_sql,
    job_query,
    order_by,
    selected,
)

FINISHED = Comparison("status", "eq", "FINISHED")
CASES = Comparison("name", "like", "case%")


def test_query_parameters_must_all_hold() -> None:
    assert from_query({"status.eq": "FINISHED", "name.like": "case*"}) == Group("AND", (FINISHED, CASES))
    assert from_query({"status": "FINISHED", "limit": "5", "pretty": "true"}) == FINISHED
    assert from_query({}) == EVERYTHING


def test_a_list_of_conditions_must_all_hold() -> None:
    assert from_list("(status.eq.FINISHED)~(name.like.case*)") == Group("AND", (FINISHED, CASES))
    assert from_list("status.EQ.FINISHED") == FINISHED


def test_a_where_clause_has_and_or_not_and_parentheses() -> None:
    text = "status = 'FINISHED' AND (name LIKE 'case%' or NOT node_count > 3)"
    more = Group("NOT", (Comparison("node_count", "gt", 3),))
    assert from_sql(text) == Group("AND", (FINISHED, Group("OR", (CASES, more))))
    assert from_sql("  ") == EVERYTHING


def test_and_binds_closer_than_or() -> None:
    a, b, c = (Comparison("id", "eq", n) for n in (1, 2, 3))
    assert from_sql("id=1 OR id=2 AND id=3") == Group("OR", (a, Group("AND", (b, c))))


@pytest.mark.parametrize(
    ("query", "listed", "sql", "expected"),
    [
        (("memoryMB.gte", "5"), "(memoryMB.gte.5)", "memory_mb >= 5", Comparison("memory_mb", "gte", 5)),
        (("id.neq", "5"), "(id.neq.5)", "id <> 5", Comparison("id", "neq", 5)),
        (("id.in", "1,2"), "(id.in.1,2)", "id IN (1, 2)", Comparison("id", "in", (1, 2))),
        (("id.nin", "1"), "(id.nin.1)", "id NOT IN (1)", Comparison("id", "nin", (1,))),
        (
            ("id.between", "1,2"),
            "(id.between.1,2)",
            "id BETWEEN 1 AND 2",
            Comparison("id", "between", (1, 2)),
        ),
        (
            ("id.nbetween", "1,2"),
            "(id.nbetween.1,2)",
            "id NOT BETWEEN 1 AND 2",
            Comparison("id", "nbetween", (1, 2)),
        ),
        (("visible.eq", "True"), "(visible.eq.true)", "visible = TRUE", Comparison("visible", "eq", True)),
        (
            ("name.nlike", "a!*"),
            "(name.nlike.a!*)",
            "name NOT LIKE 'a_%'",
            Comparison("name", "nlike", "a_%"),
        ),
        (
            ("tags.contains", "a,b"),
            "(tags.contains.a,b)",
            "tags IN ('a','b')",
            Comparison("tags", "contains", ("a", "b")),
        ),
        (
            ("tags.ncontains", "a"),
            "(tags.ncontains.a)",
            "tags <> 'a'",
            Comparison("tags", "ncontains", ("a",)),
        ),
        (
            ("created.lt", "2026-11-21T05:00:00+01:00"),
            "(created.lt.2026-11-21T04)",
            "created < '2026-11-21 04:00'",
            Comparison("created", "lt", "2026-11-21T04:00:00.000000Z"),
        ),
    ],
)
def test_the_grammars_say_the_same(
    query: tuple[str, str], listed: str, sql: str, expected: Comparison
) -> None:
    assert from_query(dict([query])) == from_list(listed) == from_sql(sql) == expected


@pytest.mark.parametrize(
    ("text", "pattern"),
    [("a*", "a%"), ("a!", "a_"), ("50%_x", r"50\%\_x"), (r"a\*b\!", "a*b!"), (r"a\\b", r"a\\b")],
)
def test_patterns_become_those_of_sql(text: str, pattern: str) -> None:
    assert from_query({"name.like": text}) == Comparison("name", "like", pattern)


def test_values_may_hold_the_signs_of_the_grammar() -> None:
    assert from_list(r"(name.eq.a\~b\,c.d)") == Comparison("name", "eq", "a~b,c.d")
    assert from_sql("name = 'it''s (a) ~ AND'") == Comparison("name", "eq", "it's (a) ~ AND")
    assert from_query({"name.in": r"a\,b,c"}) == Comparison("name", "in", ("a,b", "c"))


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026", "2026-01-01T00:00:00.000000Z"),
        ("2026-11", "2026-11-01T00:00:00.000000Z"),
        ("2026-11-21", "2026-11-21T00:00:00.000000Z"),
        ("2026-11-21T04:48", "2026-11-21T04:48:00.000000Z"),
        ("2026-11-21T04:48:47.5Z", "2026-11-21T04:48:47.500000Z"),
        ("2026-11-21T04:48:47-0600", "2026-11-21T10:48:47.000000Z"),
    ],
)
def test_the_end_of_a_time_may_be_missing(text: str, iso: str) -> None:
    assert from_query({"created.gt": text}) == Comparison("created", "gt", iso)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"statu.eq": "x"}, "'statu' cannot be searched or sorted by. Did you mean 'status'"),
        ({"status.lik": "x"}, "'lik' is not an operator. Did you mean 'like'"),
        ({"visible.gt": "true"}, "'gt' is not an operator for visible, which is a truth. Operators: eq, neq"),
        ({"nodeCount.gt": "many"}, "nodeCount must be a whole number, not 'many'"),
        ({"visible.eq": "maybe"}, "visible must be true or false"),
        ({"created.gt": "yesterday"}, "created must be a time such as"),
        ({"created.gt": "2026-13"}, "created must be a time such as"),
        ({"id.between": "1"}, "id between needs two values"),
        ({"nodeCount.eq": "9" * 30}, "must be a whole number"),
    ],
)
def test_wrong_conditions_are_told(params: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        from_query(params)


@pytest.mark.parametrize("text", ["status", "()", "(.eq.x)", "(status.eq)", "(a.eq.x)~", "~"])
def test_a_list_that_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(InvalidInputError):
        from_list(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("status =", "where a value is expected"),
        ("status = FINISHED", "Put texts in single quotes"),
        ("= 'x'", "where an attribute is expected"),
        ("status 'x'", "where =, <>, <, >, LIKE, IN or BETWEEN is expected"),
        ("status = 'x' name = 'y'", "is not understood from 'name' on"),
        ("(status = 'x'", r"where \) is expected"),
        ("status = 'x", "cannot be read from"),
        ("status IS NULL", "where =, <>"),
        ("status = 'x'; DROP TABLE jobs", "cannot be read from '; DROP"),
        ("tags > 'a'", "compares a list"),
        ("(" * 5000 + "id=1", "nested more than 50 deep"),
        ("NOT " * 5000 + "id=1", "nested more than 50 deep"),
    ],
)
def test_a_clause_that_cannot_be_read_is_told(text: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        from_sql(text)


def test_apps_and_systems_have_attributes_of_their_own() -> None:
    assert from_list("(versionEnabled.eq.true)", APP_ATTRIBUTES) == Comparison("version_enabled", "eq", True)
    assert from_query({"host.like": "*.org"}, SYSTEM_ATTRIBUTES) == Comparison("host", "like", "%.org")
    with pytest.raises(InvalidInputError):
        from_sql("nodeCount = 1", SYSTEM_ATTRIBUTES)


TOKENS = [
    "status",
    "id",
    "=",
    "<>",
    "LIKE",
    "NOT",
    "IN",
    "BETWEEN",
    "AND",
    "OR",
    "(",
    ")",
    ",",
    "'x'",
    "5",
    "'",
    "%",
]


@given(text=st.lists(st.sampled_from(TOKENS), max_size=10).map(" ".join) | st.text(max_size=20))
def test_any_clause_is_read_or_refused_with_a_sentence(text: str) -> None:
    with contextlib.suppress(InvalidInputError):
        assert isinstance(from_sql(text), Comparison | Group)


@given(
    params=st.dictionaries(
        st.sampled_from(["name.like", "id.in", "created.gt", "tags.contains"]), st.text(max_size=12)
    )
)
def test_any_parameters_are_read_or_refused_with_a_sentence(params: dict[str, str]) -> None:
    with contextlib.suppress(InvalidInputError):
        assert isinstance(from_query(params), Comparison | Group)


# --- paging ----------------------------------------------------------------------------------------


def test_paging_has_tapis_defaults() -> None:
    assert job_query({}) == JobQuery()
    assert (JobQuery().limit, JobQuery().list_type, JobQuery().select) == (
        100,
        "MY_JOBS",
        ("summaryAttributes",),
    )


def test_paging_is_read_from_parameters_in_any_capitals() -> None:
    query = job_query(
        {
            "limit": "-1",
            "skip": "5",
            "orderBy": "created(desc), name",
            "computeTotal": "True",
            "listType": "all_jobs",
        },
        FINISHED,
    )
    assert (query.limit, query.skip, query.compute_total, query.list_type) == (-1, 5, True, "ALL_JOBS")
    assert query.order_by == (("created", "desc"), ("name", "asc"))
    assert query.where == FINISHED


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"limit": "ten"}, "limit must be a whole number, not 'ten'"),
        ({"computeTotal": "si"}, "computeTotal must be true or false"),
        ({"orderBy": "created desc"}, r"Write attribute\(asc\) or attribute\(desc\)"),
        ({"orderBy": "creatd"}, "Did you mean 'created'"),
        ({"listType": "MY_JOB"}, "Did you mean 'MY_JOBS'"),
        ({"startAfter": "x"}, "startAfter needs orderBy"),
        ({"startAfter": "x", "orderBy": "id", "skip": "1"}, "cannot be used together"),
        ({"select": "uuid,nam"}, "select names 'nam', which a job does not have. Did you mean 'name'"),
    ],
)
def test_wrong_paging_is_told(params: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        job_query(params)


def test_a_selection_is_of_attributes_and_groups() -> None:
    assert selected("uuid, fileInputs,summaryAttributes") == ("uuid", "file_inputs", "summaryAttributes")
    assert selected("") == ("summaryAttributes",)


@pytest.mark.parametrize("text", ["name", "name(asc)", "name( ASC )", ",name,"])
def test_an_order_is_ascending_unless_said(text: str) -> None:
    expected: Any = (("name", "asc"),)
    assert order_by(text) == expected
