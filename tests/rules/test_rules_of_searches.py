"""The operators of a search, on a store and in the three grammars."""

from __future__ import annotations

from itertools import product

import pytest

from jupyter_tapis_jobs.engine.catalog import matches
from jupyter_tapis_jobs.model.attributes import OPS, SYSTEM_ATTRIBUTES, Kind
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.search import from_list, from_query, from_sql, job_query

SYSTEM = {
    "id": "frontera-1",
    "port": 22,
    "enabled": True,
    "tags": ["hpc", "tacc"],
    "host": "login1",
    "uuid": None,
}

#: The same question as query parameter, list and WHERE clause, and whether the system above fits it.
QUESTIONS = [
    ("id.eq=frontera-1", "(id.eq.frontera-1)", "id = 'frontera-1'", True),
    ("id.neq=frontera-1", "(id.neq.frontera-1)", "id <> 'frontera-1'", False),
    ("port.gt=21", "(port.gt.21)", "port > 21", True),
    ("port.gte=23", "(port.gte.23)", "port >= 23", False),
    ("port.lt=22", "(port.lt.22)", "port < 22", False),
    ("port.lte=22", "(port.lte.22)", "port <= 22", True),
    ("id.in=a,frontera-1", "(id.in.a,frontera-1)", "id IN ('a', 'frontera-1')", True),
    ("id.nin=a,frontera-1", "(id.nin.a,frontera-1)", "id NOT IN ('a', 'frontera-1')", False),
    ("id.like=front*", "(id.like.front*)", "id LIKE 'front%'", True),
    ("id.like=frontera!1", "(id.like.frontera!1)", "id LIKE 'frontera_1'", True),
    ("id.nlike=FRONT*", "(id.nlike.FRONT*)", "id NOT LIKE 'FRONT%'", True),
    ("id.holds=ontera", "(id.holds.ontera)", "id LIKE '%ontera%'", True),
    ("id.holds=front*", "(id.holds.front*)", "id LIKE '%front*%'", False),
    ("port.between=1,22", "(port.between.1,22)", "port BETWEEN 1 AND 22", True),
    ("port.nbetween=1,22", "(port.nbetween.1,22)", "port NOT BETWEEN 1 AND 22", False),
    ("enabled.eq=true", "(enabled.eq.true)", "enabled = true", True),
    ("tags.contains=hpc", "(tags.contains.hpc)", "tags IN ('hpc')", True),
    ("tags.ncontains=hpc", "(tags.ncontains.hpc)", "tags NOT IN ('hpc')", False),
    ("root_dir.eq=/", "(rootDir.eq./)", "root_dir = '/'", False),
]


@pytest.mark.parametrize(("query", "items", "clause", "fits"), QUESTIONS)
def test_every_operator_means_the_same_in_every_grammar(
    query: str, items: str, clause: str, fits: bool
) -> None:
    name, _, value = query.partition("=")
    conditions = (
        from_query({name: value}, SYSTEM_ATTRIBUTES),
        from_list(items, SYSTEM_ATTRIBUTES),
        from_sql(clause, SYSTEM_ATTRIBUTES),
    )
    wire = {**SYSTEM, "rootDir": None}
    assert [matches(condition, wire) for condition in conditions] == [fits] * 3


def test_every_operator_of_tapis_has_a_question() -> None:
    asked = {query.partition("=")[0].partition(".")[2] for query, *_ in QUESTIONS}
    assert asked == {op for ops in OPS.values() for op in ops}


@pytest.mark.parametrize(("kind", "op"), [*product((Kind.TRUTH, Kind.LIST), ("gt", "like", "between"))])
def test_an_operator_is_refused_where_it_makes_no_sense(kind: Kind, op: str) -> None:
    name = next(name for name, its in SYSTEM_ATTRIBUTES.items() if its is kind)
    with pytest.raises(InvalidInputError, match="is not an operator for"):
        from_query({f"{name}.{op}": "1"}, SYSTEM_ATTRIBUTES)


@pytest.mark.parametrize("clause", ["id IS NULL", "port + 1 = 2", "id LIKE 'a' ESCAPE '!'", "id = frontera"])
def test_null_arithmetic_escape_and_bare_words_are_refused(clause: str) -> None:
    with pytest.raises(InvalidInputError):
        from_sql(clause, SYSTEM_ATTRIBUTES)


def test_limit_is_100_and_zero_or_less_is_all_and_start_after_needs_an_order() -> None:
    assert (job_query({}).limit, job_query({"limit": "0"}).limit, job_query({"limit": "-1"}).limit) == (
        100,
        0,
        -1,
    )
    assert job_query({"startAfter": "x", "orderBy": "name(desc)"}).order_by == (("name", "desc"),)
    for params in ({"startAfter": "x"}, {"startAfter": "x", "orderBy": "name", "skip": "1"}):
        with pytest.raises(InvalidInputError):
            job_query(params)
