"""Studies through a real server: cases go in, a table comes out, also after the server was started anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from jupyter_tapis_jobs.client.connection import Connection
from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError, NotFoundError
from tests.conftest import TestServer, until

STUDIES = "/v3/tapisjobs/studies"
FRAME = [
    "caseId", "parameters", "jobUuid", "status", "condition", "exitCode", "created", "remoteStarted", "ended",
    "queueSeconds", "runSeconds", "attempt", "progress", "progressMessage", "progressTold",
]  # fmt: skip
#: Fails for k = 3, unless it is told not to.
SCRIPT = "[ $K = 3 ] && [ -z $MERCY ] && exit 7; echo $K > out.txt"


@pytest.fixture
def study(tapis: Tapis, request: pytest.FixtureRequest) -> Iterator[str]:
    """The path of a study of the test's own, deleted behind it."""
    name = f"{request.node.name}"[:100]
    template = {"appId": "bash", "parameterSet": {"envVariables": [{"key": "K", "value": "{{ k }}"}]}}
    tapis.connection.post(STUDIES, {"name": name, "template": template, "maxRunning": 50})
    path = f"{STUDIES}/{name}"
    yield path
    if any(row["name"] == name for row in tapis.connection.get(STUDIES)):
        tapis.connection.post(f"{path}/cancel")
        until(lambda: _is_over(tapis.connection, path))
        tapis.connection.call("DELETE", path)


def case(k: int, script: str = SCRIPT, **fields: Any) -> dict[str, Any]:
    request = {
        "name": f"case-{k}",
        "appId": "bash",
        "appVersion": "1.0",
        "fileInputs": [{"name": "script", "sourceUrl": f"data:,{_quoted(script)}"}],
        "parameterSet": {"envVariables": [{"key": "K", "value": str(k)}]},
        **fields,
    }
    return {"caseId": f"id{k}", "parameters": {"k": k, "name": "Ärmel"}, "request": request}


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text)


def _is_over(connection: Connection, path: str) -> bool:
    counts = connection.get(path)["counts"]
    return not set(counts) - {"FINISHED", "FAILED", "CANCELLED"}


def test_cases_are_run_retried_and_extended(tapis: Tapis, study: str) -> None:
    ask = tapis.connection
    added = ask.post(f"{study}/cases", {"cases": [case(k) for k in range(5)]})
    assert [row["caseId"] for row in added["submitted"]] == [f"id{k}" for k in range(5)]
    until(lambda: _is_over(ask, study))
    assert ask.get(study)["counts"] == {"FINISHED": 4, "FAILED": 1}
    table = ask.get(f"{study}/frame", format="columns")
    assert list(table) == FRAME
    assert table["parameters"][3] == {"k": 3, "name": "Ärmel"}
    assert table["exitCode"] == [0, 0, 0, 7, 0]
    assert table["status"].index("FAILED") == 3
    assert all(0 <= seconds < 60 for seconds in table["queueSeconds"] + table["runSeconds"])
    mercy = {"parameterSet": {"envVariables": [{"key": "K", "value": "3"}, {"key": "MERCY", "value": "yes"}]}}
    retried = ask.post(f"{study}/retry", {"caseIds": ["id3"], "changes": mercy})
    assert [row["caseId"] for row in retried["submitted"]] == ["id3"]
    until(lambda: _is_over(ask, study))
    more = ask.post(f"{study}/cases", {"cases": [case(k) for k in range(7)]})
    assert (more["known"], more["done"], len(more["submitted"])) == (5, 5, 2)
    until(lambda: _is_over(ask, study))
    assert ask.get(study)["counts"] == {"FINISHED": 7}
    assert ask.get(f"{study}/frame")["attempt"] == [1, 1, 1, 2, 1, 1, 1]
    assert len(ask.get(f"{study}/frame", attempts="all")["caseId"]) == 8
    (third,) = ask.get(f"{study}/cases", skip=3, limit=1)
    assert (third["caseId"], third["request"]["name"], third["parameters"]["k"]) == ("id3", "case-3", 3)
    assert [(made["number"], made["why"]) for made in third["attempts"]] == [(1, "run"), (2, "retry")]
    assert third["attempts"][1]["overrides"] == mercy
    job = tapis.job(third["attempts"][1]["jobUuid"])
    assert job.read("out.txt") == "3\n"


def test_one_wrong_case_of_many_is_told_and_nothing_is_submitted(tapis: Tapis, study: str) -> None:
    cases = [case(k) for k in range(3)] + [case(9, maxMinuts=3)]
    with pytest.raises(InvalidInputError, match=r"Nothing was submitted\. Row 3: .*maxMinutes") as caught:
        tapis.connection.post(f"{study}/cases", {"cases": cases})
    (error,) = caught.value.errors
    assert (error["caseId"], error["row"], error["field"]) == ("id9", 3, "maxMinuts")
    assert tapis.connection.get(study)["cases"] == 0
    looked = tapis.connection.post(f"{study}/cases", {"cases": cases, "dryRun": True})
    assert looked["errors"] == [error]
    assert [row["jobUuid"] for row in looked["submitted"]] == [None] * 3
    assert looked["launchMode"] == "single"


def test_a_study_is_cancelled_archived_renamed_and_deleted(tapis: Tapis, study: str) -> None:
    ask = tapis.connection
    ask.post(f"{study}/cases", {"cases": [case(k, "exec sleep 600") for k in range(3)]})
    with pytest.raises(ConflictError, match=r"3 cases of study .* are still on their way"):
        ask.call("DELETE", study)
    assert ask.post(f"{study}/cancel")["asked"] == 3
    until(lambda: ask.get(study)["counts"] == {"CANCELLED": 3})
    assert ask.call("PATCH", study, json={"archived": True, "name": "put away"}).result["archived"] is True
    assert "put away" not in [row["name"] for row in ask.get(STUDIES, archived="false")]
    assert "put away" in [row["name"] for row in ask.get(STUDIES, archived="true")]
    jobs = ask.get(f"{STUDIES}/put%20away/frame")["jobUuid"]
    ask.call("DELETE", f"{STUDIES}/put%20away")
    with pytest.raises(NotFoundError, match="there is no study 'put away'"):
        ask.get(f"{STUDIES}/put%20away")
    assert tapis.job(jobs[0]).status == "CANCELLED"


def test_a_study_survives_its_server(
    running_server: Callable[..., AbstractContextManager[TestServer]], tmp_path: Path
) -> None:
    path, gate = f"{STUDIES}/s", tmp_path / "go"
    with running_server(tmp_path / "server") as server, closing(server.tapis().connection) as ask:
        ask.post(STUDIES, {"name": "s", "template": {"appId": "bash"}, "maxRunning": 1})
        slow = [case(k, f"until [ -e '{gate}' ]; do sleep 0.2; done; echo $K") for k in range(3)]
        ask.post(f"{path}/cases", {"cases": slow})
        until(lambda: ask.get(path)["counts"].get("BLOCKED") == 2)
        gate.touch()
    with running_server(tmp_path / "server") as server, closing(server.tapis().connection) as ask:
        joined = ask.post(f"{path}/cases", {"cases": [{"caseId": f"id{k}"} for k in range(3)]})
        assert (joined["known"], joined["submitted"]) == (3, [])
        until(lambda: ask.get(path)["counts"] == {"FINISHED": 3})
        assert ask.get(path)["maxRunning"] == 1
