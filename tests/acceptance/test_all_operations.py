"""Every operation of the specifications that tapipy ships, called by unmodified tapipy in a running lab."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from operation_calls import ADA, CALLS, World
from tapipy_user import sign_in
from tapis_specs import faults_of, missing_in, names, operations

pytestmark = pytest.mark.needs("tapipy", "jupyterlab")

#: Jobs, Apps, Systems, Files.
COUNT = {"jobs": 25, "apps": 30, "systems": 40, "files": 32}


def _keys() -> list[str]:
    try:
        return list(operations())
    except ImportError:
        return []


@pytest.fixture(scope="module")
def world(tmp_path_factory, running_server, until):
    """A `jupyter lab` with its own user and one more person."""
    from tapipy.tapis import Tapis

    with running_server(tmp_path_factory.mktemp("lab"), module="jupyterlab") as lab:
        made = httpx.post(
            f"{lab.url}tapis/v3/tapisjobs/tokens",
            headers={"Authorization": f"token {lab.token}"},
            json={"username": ADA},
        ).json()["result"]["access_token"]["access_token"]
        tapis = sign_in(lab.url, lab.token)
        ada = Tapis(base_url=tapis.base_url, access_token=made)
        found = World(tapis=tapis, ada=ada, folder=tmp_path_factory.mktemp("files"), until=until)
        yield found
        found.end()


def test_there_are_as_many_operations_as_the_specifications_had():
    counts = dict.fromkeys(COUNT, 0)
    for operation in operations().values():
        counts[operation.service] += 1
    assert counts == COUNT


def test_every_operation_of_the_specifications_is_called():
    assert names(set(operations()) - set(CALLS)) == ""
    assert names(set(CALLS) - set(operations())) == ""


@pytest.mark.parametrize("key", _keys())
def test_the_operation_answers_as_its_specification_says(key, world):
    operation, call = operations()[key], CALLS[key]
    given = call.given(world)
    response = called(world.tapis, operation, given)
    assert response.status_code == call.status, response.text
    if call.status >= 400:
        assert call.says in response.json()["message"]
        return
    result = _checked(operation, call, response)
    assert call.shows(result, given, world), result


def called(tapis: Any, operation: Any, given: Any) -> Any:
    """Call an operation through tapipy, and return the answer as it came over the wire."""
    from tapipy.errors import BaseTapyException

    try:
        told = getattr(getattr(tapis, operation.service), operation.name)(**given, _tapis_debug=True)
    except BaseTapyException as refused:
        return refused.response
    # A result that is a text comes back alone, also where tapipy is asked for more.
    return httpx.Response(200, json={"result": told}) if isinstance(told, str) else told[1].response


def _checked(operation: Any, call: Any, response: Any) -> Any:
    """Return the result of a good answer, which is as the specification says."""
    schema = operation.answer_schema
    if schema is None:
        assert not response.headers["Content-Type"].startswith("application/json")
        return response.content
    answer = response.json()
    # Some schemas leave the envelope out and describe what is in it.
    if "result" not in schema["properties"]:
        schema = {"type": "object", "properties": {"result": schema}}
    assert faults_of(answer, schema) == []
    if call.whole:
        assert names(missing_in(answer["result"], schema["properties"]["result"])) == ""
    return answer["result"]
