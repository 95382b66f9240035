"""Columns and actions of other packages: loaded, asked, and kept from harming the rest."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from made_jobs import job_maker

from jupyter_tapis_jobs.model.errors import InvalidInputError, NotAllowedError, NotFoundError
from jupyter_tapis_jobs.model.row_extras import ACTIONS_GROUP, COLUMNS_GROUP, JobAction, JobColumn, plain
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.server import plugins, row_extras
from jupyter_tapis_jobs.store.page import Page


class Point:
    """An entry point of a package that is not really installed."""

    def __init__(self, name: str, item: Any) -> None:
        self.name, self.value, self._item = name, f"pack:{name}", item

    def load(self) -> Any:
        if isinstance(self._item, Exception):
            raise self._item
        return self._item


@pytest.fixture
def install(monkeypatch):
    """``install(columns={name: item}, actions={…})``: what other packages register."""

    def put(columns=None, actions=None):
        given = {COLUMNS_GROUP: columns or {}, ACTIONS_GROUP: actions or {}}
        monkeypatch.setattr(
            plugins, "entry_points", lambda group: [Point(*item) for item in given[group].items()]
        )
        plugins.plugins.cache_clear()

    yield put
    plugins.plugins.cache_clear()


@pytest.fixture
def jobs():
    make = job_maker("ada", "jupyter", "2026-11-21T04:48:47.123456Z")
    return [make(status=JobStatus.FINISHED, exit_code=0, tags=("a",)), make(status=JobStatus.RUNNING)]


@pytest.fixture
def call(jobs):
    """``call(action, uuids, is_owner=…, name=…)``: the result of a route's action."""

    def made(action, uuids=(), *, is_owner=True, name=""):
        async def ask(work):
            async def search(user, query):
                return Page([job for job in jobs if job.uuid in query.where.value], -1)

            return await work(SimpleNamespace(views=SimpleNamespace(search=search)))

        given = SimpleNamespace(
            user=SimpleNamespace(name="ada", is_server_user=is_owner),
            body=SimpleNamespace(uuids=list(uuids)),
            path={"actionName": name},
            door=SimpleNamespace(ask=ask),
        )
        return asyncio.run(action(given)).result

    return made


def test_columns_and_actions_are_listed_and_broken_packages_are_named(install, call, caplog):
    install(
        {
            "drift": JobColumn(title="Drift", value=len, kind="number"),
            "bad": ImportError("no numpy"),
            "odd": 3,
        },
        {"again": JobAction(title="Run again", run=len, confirm="Sure?", statuses=("FAILED",))},
    )
    with caplog.at_level(logging.CRITICAL):
        found = call(row_extras.get_extras)
    assert found["columns"] == [{"name": "drift", "title": "Drift", "kind": "number"}]
    assert found["actions"] == [
        {"name": "again", "title": "Run again", "confirm": "Sure?", "statuses": ["FAILED"]}
    ]
    assert found["faults"] == [
        "bad (pack:bad) cannot be loaded: ImportError: no numpy",
        "odd (pack:odd) is no JobColumn, but int",
    ]


def test_a_column_sees_a_row_and_its_fault_leaves_the_others_alone(install, call, jobs, caplog):
    def broken(row):
        raise KeyError("drift")

    install(
        {
            "code": JobColumn(title="Code", value=lambda row: row["exitCode"]),
            "tag": JobColumn(title="Tag", value=lambda row: row["tags"][0]),
            "bad": JobColumn(title="Bad", value=broken),
        }
    )
    uuid = jobs[0].uuid
    found = call(row_extras.get_values, [uuid, "of-somebody-else"])
    assert found["values"] == {uuid: {"code": 0, "tag": "a", "bad": None}}
    assert "column bad of job" in caplog.text
    assert call(row_extras.get_values) == {"values": {}}


def test_an_action_is_done_with_each_job_and_tells_what_became_of_it(install, call, jobs):
    def run(row):
        if row["status"] == "RUNNING":
            raise ValueError("still running")
        return f"done {row['name']}"

    install(actions={"do": JobAction(title="Do", run=run)})
    rows = call(row_extras.run_action, [jobs[0].uuid, jobs[1].uuid, "gone"], name="do")
    assert [(row["status"], row["message"]) for row in rows] == [
        ("success", "done job 1"),
        ("error", "ValueError: still running"),
        ("error", "there is no job gone, or it is not yours."),
    ]


def test_an_action_is_for_the_statuses_it_says(install, call, jobs):
    install(actions={"do": JobAction(title="Do", run=lambda row: None, statuses=("FINISHED",))})
    rows = call(row_extras.run_action, [job.uuid for job in jobs], name="do")
    assert [row["status"] for row in rows] == ["success", "error"]
    assert rows[1]["message"] == "Do is for jobs that are FINISHED."


def test_an_action_may_refuse_with_a_sentence(install, call, jobs):
    def run(row):
        raise InvalidInputError("Not on Sundays.")

    install(actions={"do": JobAction(title="Do", run=run)})
    assert call(row_extras.run_action, [jobs[0].uuid], name="do")[0]["message"] == "Not on Sundays."


def test_actions_are_the_server_users_and_only_those_that_are_there(install, call, jobs):
    install(actions={"archive": JobAction(title="Archive", run=lambda row: "ok")})
    with pytest.raises(NotAllowedError):
        call(row_extras.run_action, [jobs[0].uuid], name="archive", is_owner=False)
    with pytest.raises(NotFoundError, match="Did you mean 'archive'"):
        call(row_extras.run_action, [jobs[0].uuid], name="archve")


def test_values_are_what_json_has():
    given = [float("nan"), 1.5, 2, True, None, "x" * 2000, [1]]
    assert [plain(value) for value in given] == [None, 1.5, 2, True, None, "x" * 1000, "[1]"]
