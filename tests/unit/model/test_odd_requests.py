"""Whatever comes as a request, code and forms answer with code, values, or one sentence."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.app import parse_app
from jupyter_tapis_jobs.model.app_form import form_of
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.form_request import request_of, values_of
from jupyter_tapis_jobs.model.job_code import cell_of, python_of
from jupyter_tapis_jobs.model.job_text import read_text
from jupyter_tapis_jobs.model.request_shape import refuse_odd_parts

SLOTS = [{"name": "script", "targetPath": "s.sh"}, {"name": "mesh"}, {"targetPath": "lib"}]
PARTS = {"appArgs": [{"name": "model"}], "envVariables": [{"key": "K", "value": "3"}]}
RAW = {
    "id": "a",
    "version": "1",
    "runtime": "ZIP",
    "containerImage": "/a.zip",
    "jobAttributes": {"fileInputs": SLOTS, "parameterSet": PARTS},
}
APP = parse_app(RAW)[0]
FIELDS = [
    *("name", "key", "value", "arg", "include", "sourceUrl", "targetPath", "fileInputs", "parameterSet"),
    *("appArgs", "envVariables", "schedulerOptions", "args", "env", "inputs", "files", "script", "tags"),
    *("execSystemId", "moreArgs", "moreEnv", "moreInputs", "targets", "notes", "model", "K", "mesh", "lib"),
]
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["data:,x", "data:;base64,?"])
)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)
requests = st.dictionaries(st.sampled_from(FIELDS), anything, max_size=5)


@settings(max_examples=60)
@given(requests)
def test_a_request_becomes_code_and_values_or_is_refused(request_):
    given_ = {**request_, "appId": "a", "appVersion": "1"}
    with suppress(InvalidInputError):
        refuse_odd_parts(given_)
        compile(python_of(given_, APP.to_wire()), "call", "exec")
        cell_of(given_, APP.to_wire())
    with suppress(InvalidInputError):
        json.dumps(read_text(json.dumps(given_)).request(APP.to_wire()))
    with suppress(InvalidInputError):
        values, rest = values_of(APP, given_)
        json.dumps(request_of(APP, values, rest))


@settings(max_examples=60)
@given(requests, requests)
def test_values_become_a_request_or_are_refused(values, rest):
    with suppress(InvalidInputError):
        json.dumps(request_of(APP, values, rest))


@settings(max_examples=40)
@given(
    st.dictionaries(st.sampled_from(["queueFilter", "dynamicExecSystems", "label", "hideQueue"]), anything),
    anything,
)
def test_notes_of_any_kind_make_a_form(notes, inner):
    parts = {
        "appArgs": [{"name": "model", "notes": {"enum_values": inner, "validator": inner, "label": inner}}]
    }
    app, _ = parse_app({**RAW, "notes": notes, "jobAttributes": {"parameterSet": parts}})
    json.dumps(form_of(app, [], None))
