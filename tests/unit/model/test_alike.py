"""Requests with the same key pass together or not at all; and thousands of plain cases have one key."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_samples import make_app, make_system

from jupyter_tapis_jobs.engine.alike import Alike
from jupyter_tapis_jobs.model.app import App
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotFoundError
from jupyter_tapis_jobs.model.request import parse_request
from jupyter_tapis_jobs.model.resolve import resolve
from jupyter_tapis_jobs.model.system import System
from jupyter_tapis_jobs.model.user import User

#: Takes the job's name into a directory, and fixes something of each kind.
APP = make_app(
    {
        "execSystemId": "host1",
        "execSystemOutputDir": "/work/${JobName}/out",
        "parameterSet": {
            "appArgs": [{"name": "fixed", "arg": "5", "inputMode": "FIXED"}, {"name": "free", "arg": "1"}],
            "envVariables": [{"key": "FIXED", "value": "5", "inputMode": "FIXED"}, {"key": "FREE"}],
        },
    }
)
SYSTEM = make_system(jobEnvVariables=[{"key": "OURS", "value": "5", "inputMode": "FIXED"}])
ODD = [
    "", " ", "..", "a/../b", "../x", "a b", " a", "a ", "a;b", "a'b", 'a"b', "$HOME", "${JobName}",
    "${Nobody}", "${", "HOST_EVAL($X)", "!tapis_not_set", "a\nb", "a\x00b", "ä", "x" * 65, "x" * 3000, "`id`",
    "-", "0", "5", "<free>", "\\", "a\\", "*", "~", "#", 5, 5.0, True, None, [], {}, ["<free>"],
]  # fmt: skip
PLAIN = ["5", "6", "0.05", "-1e-07", "case-1", "case.2", "a b", "a/b", "/work/x", "k=v"]
VALUES = st.sampled_from([*PLAIN, *ODD])
DATA = st.sampled_from(
    [*(f"data:;base64,{base64.b64encode(text).decode()}" for text in (b"", b"1", b"22", b"333", bytes(99))),
     "data:text/plain;base64,MQ==", "data:,MQ==", "data:;base64,MQ=", "data:;base64,M", "data:;base64,\n",
     "data:;base64,MQ%3D%3D", "data:;base64,M\nQ==", "data:;base64", "tapis://host1/a", "tapis://host1/../b",
     "", 7]
)  # fmt: skip
TARGETS = st.sampled_from(["input.txt", "model.tcl", "../x", "", None, "*"])


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    keys = draw(st.lists(st.sampled_from(["FIXED", "OURS", "FREE", "OWN", "_tapisX"]), max_size=2))
    names = draw(st.lists(st.sampled_from(["fixed", "free", "own", None]), max_size=2))
    inputs = draw(st.lists(st.tuples(DATA, TARGETS), max_size=2))
    return {
        "name": draw(VALUES),
        "appId": "solver",
        "appVersion": "1.0",
        "parameterSet": {
            "appArgs": [{"name": name, "arg": draw(VALUES)} for name in names],
            "envVariables": [{"key": key, "value": draw(VALUES)} for key in keys],
        },
        "fileInputs": [{"sourceUrl": url, "targetPath": target} for url, target in inputs],
    }


def keys_of(app: App = APP, system: System = SYSTEM) -> Alike:
    return Alike(lambda name, version: app, lambda name, app: system)


def passes(raw: dict[str, Any]) -> bool:
    try:
        resolve(
            parse_request(raw), APP, SYSTEM, archive_system=None, user=User("ada", "jupyter", True),
            uuid="6c2b0f6e-0001-4000-8000-000000000001-007", created="2026-11-21T04:48:47.123456Z",
            effective_user="ada", host_env={},
        )  # fmt: skip
    except InvalidInputError:
        return False
    return True


def plain(**changes: Any) -> dict[str, Any]:
    return {
        "name": "case-1",
        "appId": "solver",
        "appVersion": "1.0",
        "maxMinutes": 5,
        "parameterSet": {
            "appArgs": [{"arg": "--k 1"}],
            "envVariables": [{"key": "K", "value": "0.5"}],
        },
        "fileInputs": [{"sourceUrl": "data:;base64,MQ==", "targetPath": "input.txt"}],
        **changes,
    }


@given(st.data())
def test_requests_with_the_same_key_pass_together(data: st.DataObject) -> None:
    """Each is compared with a plain one of the same shape, as the first of a study mostly is."""
    raw = data.draw(requests())
    parameters = raw["parameterSet"]
    other = {
        **raw,
        "name": data.draw(VALUES),
        "parameterSet": {
            "appArgs": [{**item, "arg": data.draw(VALUES)} for item in parameters["appArgs"]],
            "envVariables": [{**item, "value": data.draw(VALUES)} for item in parameters["envVariables"]],
        },
        "fileInputs": [{**item, "sourceUrl": data.draw(DATA)} for item in raw["fileInputs"]],
    }
    alike = keys_of()
    if alike.key(raw) == alike.key(other):
        assert passes(raw) == passes(other)


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("field", ["name", "arg", "variable", "data"])
def test_an_odd_value_has_the_key_of_a_plain_one_only_where_it_passes(field: str, odd: Any) -> None:
    parameters = plain()["parameterSet"]
    odd_one = {
        "name": plain(name=odd),
        "arg": plain(parameterSet={**parameters, "appArgs": [{"arg": odd}]}),
        "variable": plain(parameterSet={**parameters, "envVariables": [{"key": "K", "value": odd}]}),
        "data": plain(fileInputs=[{"sourceUrl": odd, "targetPath": "input.txt"}]),
    }[field]  # fmt: skip
    assert passes(plain())
    assert passes(odd_one) or keys_of().key(odd_one) != keys_of().key(plain())


def test_cases_that_differ_in_plain_values_have_one_key() -> None:
    alike = keys_of()
    raws = [
        plain(
            name=f"case-{k}",
            parameterSet={
                "appArgs": [{"arg": f"--k {k} --damping {k / 7}"}],
                "envVariables": [{"key": "K", "value": str(-k / 3)}],
            },
            fileInputs=[
                {"sourceUrl": f"data:;base64,{base64.b64encode(bytes(k)).decode()}", "targetPath": "a"},
                {"sourceUrl": "data:;base64,MQ==", "targetPath": "b"},
            ],
        )
        for k in range(1000)
    ]
    assert len({alike.key(raw) for raw in raws}) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"maxMinutes": 6},
        {"memoryMB": 1},
        {"execSystemId": "host1"},
        {"tags": ["x"]},
        {"name": "x" * 65},
        {"fileInputs": [{"sourceUrl": "data:;base64,MQ==", "targetPath": "other.txt"}]},
        {"fileInputs": [{"sourceUrl": "tapis://host1/a", "targetPath": "input.txt"}]},
        {"parameterSet": {"envVariables": [{"key": "OTHER", "value": "0.5"}]}},
        {"parameterSet": {"schedulerOptions": [{"arg": "--qos x"}]}},
    ],
    ids=str,
)
def test_whatever_else_differs_makes_another_key(changes: dict[str, Any]) -> None:
    assert keys_of().key(plain(**changes)) != keys_of().key(plain())


def test_a_batch_script_is_read_for_each_case() -> None:
    assert keys_of().key(plain(appId="slurm")) is None


def test_what_is_not_there_is_told_for_each_case() -> None:
    def missing(*names: Any) -> Any:
        raise NotFoundError("it is not there.")

    assert Alike(missing, lambda name, app: SYSTEM).key(plain()) is None
    assert Alike(lambda name, version: APP, missing).key(plain()) is None
    assert keys_of(make_app()).key(plain()) is None  # no system is named
    assert keys_of().key([]) is None  # type: ignore[arg-type]


def test_two_inputs_for_one_target_are_looked_at_as_they_are() -> None:
    def doubled(first: str, second: str) -> dict[str, Any]:
        urls = (f"data:;base64,{text}" for text in (first, second))
        return plain(fileInputs=[{"sourceUrl": url, "targetPath": "input.txt"} for url in urls])

    assert keys_of().key(doubled("MQ==", "Mg==")) != keys_of().key(doubled("MQ==", "MQ=="))
