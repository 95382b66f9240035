"""A request as a cell, as Python, and read back from either."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.job_code import cell_of, python_of, same_request
from jupyter_tapis_jobs.model.job_text import read_text

BASH = {
    "id": "bash",
    "version": "1.0",
    "jobAttributes": {"fileInputs": [{"name": "script", "targetPath": "script.sh"}]},
}
SOLVER = {"id": "opensees-py", "version": "3.7", "jobAttributes": {"fileInputs": [{"name": "mesh"}]}}


def inlined(text: str, **more: Any) -> dict[str, Any]:
    return {**more, "sourceUrl": "data:;base64," + base64.b64encode(text.encode()).decode()}


def bash(script: str = "echo hello\n", **more: Any) -> dict[str, Any]:
    script_input = inlined(script, name="script", targetPath="script.sh")
    inputs = [script_input, *more.pop("fileInputs", [])]
    return {"appId": "bash", "appVersion": "1.0", "fileInputs": inputs, **more}


def solver(**more: Any) -> dict[str, Any]:
    return {"appId": "opensees-py", "appVersion": "3.7", **more}


def test_a_cell_has_options_for_plain_fields_and_the_script_as_its_body():
    request = bash(
        name="pier 7",
        execSystemId="frontera",
        maxMinutes=5,
        description=None,
        fileInputs=[{"sourceUrl": "tapis://frontera/mesh.msh", "targetPath": "m.msh"}],
        parameterSet={
            "appArgs": [{"arg": "-v"}, {"arg": "'two words'"}],
            "envVariables": [{"key": "K", "value": "3"}],
            "logConfig": {"stdoutFilename": "o", "stderrFilename": "e"},
        },
    )
    assert cell_of(request, BASH) == (
        "%%tapisjob bash@1.0 --name 'pier 7' --system frontera --minutes 5 --arg -v --arg 'two words' "
        "--env K=3 --input tapis://frontera/mesh.msh:m.msh "
        """--set 'parameterSet.logConfig={"stdoutFilename": "o", "stderrFilename": "e"}'"""
        "\necho hello\n"
    )


def test_the_body_of_an_app_without_a_script_is_the_rest_of_the_request():
    request = solver(nodeCount=2, parameterSet={"appArgs": [{"name": "model", "arg": "$HOME/a.py"}]})
    assert cell_of(request, SOLVER) == (
        "%%tapisjob opensees-py@3.7 --nodes 2\n"
        "parameterSet:\n  appArgs:\n  - name: model\n    arg: $HOME/a.py\n"
    )


def test_braces_stay_braces():
    request = bash("echo {{ x }} }}", name="{{ n }}", parameterSet={"appArgs": [{"arg": "'{{{a}}'"}]})
    cell = cell_of(request, BASH)
    assert cell is not None
    assert "--raw" in cell
    assert same_request(read_text(cell).request(BASH), request)


@pytest.mark.parametrize(
    "request_",
    [
        {"appId": "bash", "appVersion": "1.0"},
        {"appId": "bash", "fileInputs": [{"name": "script", "sourceUrl": "tapis://local/a.sh"}]},
        bash("\x00"),
        {"appId": "bash", "fileInputs": [{"name": "script", "sourceUrl": "data:;base64,/w=="}]},
        bash(name="two\nlines"),
    ],
    ids=["no script", "a script elsewhere", "a zero", "bytes", "a name of two lines"],
)
def test_what_a_cell_cannot_say_has_none_but_python_can(request_):
    assert cell_of(request_, BASH) is None
    compile(python_of(request_, BASH), "cell", "exec")


def test_python_reads_as_people_write_it():
    request = bash(
        'import numpy\nprint("a\\n")\n',
        maxMinutes=5,
        archiveOnAppError=False,
        parameterSet={
            "appArgs": [{"arg": "'two words'"}, {"arg": "$HOME"}],
            "envVariables": [{"key": "K", "value": "3"}],
        },
    )
    assert python_of(request, BASH) == (
        "import jupyter_tapis_jobs as tj\n\ntapis = tj.connect()\njob = tapis.submit(\n"
        '    "bash",\n    appVersion="1.0",\n'
        '    script="""import numpy\nprint("a\\\\n")\n""",\n'
        '    args=["two words", {"arg": "$HOME"}],\n    env={"K": "3"},\n'
        "    maxMinutes=5,\n    archiveOnAppError=False,\n)\n"
    )


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12) | st.sampled_from(
    ["a b", "it's", '"', "$HOME", "{{ x }}", "{{", "}}", "-v", "--name", "k=v", "#", "\\", "", "yes", "1.0"]
)
texts = st.lists(words, max_size=4).map("\n".join)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
requests = st.fixed_dictionaries(
    {},
    optional={
        "name": words,
        "execSystemId": words,
        "nodeCount": st.integers(1, 99),
        "maxMinutes": st.integers(1, 99) | words,
        "archiveOnAppError": st.booleans(),
        "tags": st.lists(words, max_size=2),
        "notes": st.dictionaries(words, words | st.integers() | st.lists(words, max_size=2), max_size=2),
        "parameterSet": st.fixed_dictionaries(
            {},
            optional={
                "appArgs": st.lists(
                    st.fixed_dictionaries({"arg": words}, optional={"name": words}), max_size=3
                ),
                "envVariables": st.lists(
                    st.fixed_dictionaries({"key": names, "value": words}),
                    max_size=3,
                    unique_by=lambda item: item["key"],
                ),
            },
        ),
    },
)


@settings(max_examples=100)
@given(texts, requests)
def test_a_cell_says_the_same_as_its_request_or_there_is_none(script, more):
    for request, app in ((bash(script, **more), BASH), (solver(**more), SOLVER)):
        cell = cell_of(request, app)
        if cell is not None:
            assert same_request(read_text(cell).request(app), request)


@settings(max_examples=100)
@given(texts, requests)
def test_python_holds_the_script_and_the_values_as_they_are(script, more):
    said: dict[str, Any] = {}

    class Tapis:
        def submit(self, app, **fields):
            said.update(fields, appId=app)

    code = python_of(bash(script, **more), BASH).partition("tapis = tj.connect()\n")[2]
    exec(code, {"tapis": Tapis()})  # noqa: S102
    assert said["appId"] == "bash"
    if "script" in said:
        assert said["script"] == script
    plain = [field for field in more if field != "parameterSet"]
    assert {field: said[field] for field in plain} == {field: more[field] for field in plain}


# -- reading


def test_a_cell_as_people_write_it_is_read():
    text = read_text("%%tapisjob bash -o job --wait --minutes 5 --env K=3 --arg=-v --out a.csv=a\necho $K\n")
    expected = bash(
        "echo $K\n",
        maxMinutes=5,
        parameterSet={"appArgs": [{"arg": "-v"}], "envVariables": [{"key": "K", "value": "3"}]},
    )
    assert same_request(text.request(BASH), expected)
    assert text.warnings == []


def test_a_file_of_any_app_and_the_short_forms_of_a_body_are_read():
    cell = read_text("%%tapisjob opensees-py --script model.py --arg model.py\nprint(1)\n")
    expected = solver(
        fileInputs=[inlined("print(1)\n", targetPath="model.py")],
        parameterSet={"appArgs": [{"arg": "model.py"}]},
    )
    assert same_request(cell.request(SOLVER), expected)
    body = read_text("%%tapisjob opensees-py\nnodeCount: 2\nargs: [b c]\nenv: {K: 3}\n")
    assert body.request(SOLVER)["parameterSet"] == {
        "appArgs": [{"arg": "'b c'"}],
        "envVariables": [{"key": "K", "value": "3"}],
    }


def test_what_only_the_notebook_has_is_told_and_left_out():
    line = "%%tapisjob bash --name run-{{ n }} --nodes {{ 2 }} --input model.py --cases c"
    text = read_text(f"{line}\necho {{{{ k }}}}")
    request = text.request(BASH)
    assert "name" not in request
    assert request["nodeCount"] == 2
    assert [warning.split(" ")[0] for warning in text.warnings] == ["--name", "--cases", "The", "model.py"]


@pytest.mark.parametrize("text", ['{"appId": "bash", "maxMinutes": 5}', "appId: bash\nmaxMinutes: 5\n"])
def test_json_and_yaml_are_requests(text):
    assert read_text(text).request(BASH) == {"appId": "bash", "appVersion": "1.0", "maxMinutes": 5}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("%%bash\necho", "is no cell of a job"),
        ("%%tapisjob", "Which app"),
        ("%%tapisjob bash 'a", "quote is not closed"),
        ("%%tapisjob bash --node 3", "Did you mean '--nodes'"),
        ("%%tapisjob bash --nodes", "needs a value"),
        ("%%tapisjob bash --nodes two", "whole number"),
        ("%%tapisjob bash python", "takes one app"),
        ("%%tapisjob bash --env K", "expected K=V"),
        ("%%tapisjob bash --set K", "expected FIELD=VALUE"),
        ("[1, 2]", "must be a mapping"),
        ("{", "neither YAML nor JSON"),
        ("name: a", "names no app"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(text, words):
    with pytest.raises(InvalidInputError, match=words):
        read_text(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("appId: bash\nfileInputs: [1]", "fileInputs must be a list of objects"),
        ("appId: bash\nparameterSet: x", "parameterSet must be an object"),
        ("appId: bash\nparameterSet: {envVariables: [{key: [1]}]}", r"envVariables\[0\].key must be text"),
        ("appId: bash\nnotes: {a: .nan}", "is no value of a request"),
        ("appId: bash\nnotes: {a: !!binary aGVsbG8=}", "is no value of a request"),
        ("%%tapisjob opensees-py\nnotes: 2001-99-99", "neither YAML nor JSON"),
        ("%%tapisjob bash --set notes=2001-99-99", "cannot be read"),
        ("%%tapisjob bash " + "x" * 30_000, "at most 20,000 characters"),
        ("appId: bash\nnotes: " + "[" * 5000, "neither YAML nor JSON"),
    ],
)
def test_odd_contents_are_refused_with_a_sentence(text, words):
    with pytest.raises(InvalidInputError, match=words):
        read_text(text).request(SOLVER)


def test_aliases_do_not_make_a_small_text_a_large_request():
    bomb = "".join(f"n{i}: &n{i} [{', '.join([f'*n{i - 1}' if i else 'x'] * 9)}]\n" for i in range(9))
    with pytest.raises(InvalidInputError, match="at most 200,000 values"):
        read_text(f"appId: bash\n{bomb}").request(BASH)


def test_dates_of_yaml_are_text():
    assert read_text("appId: bash\nname: 2026-11-21\n").request(BASH)["name"] == "2026-11-21"
