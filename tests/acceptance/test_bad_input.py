"""Bad input, and what it gets: one sentence that names field, value and way out, and nothing stored.

Hostile text is carried to the job byte for byte where Tapis allows it and refused where it does not;
it is never run: every text tries to make a canary file, and there never is one.
"""

from __future__ import annotations

import io
import itertools
import json
import re
import shlex
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_http import PlainHttp, bash, data_url, good, refused
from tapipy_user import zip_app

MEGABYTE = 1024 * 1024
_numbers = itertools.count()
#: What a job of the app bash leaves behind that writes nothing.
PLAIN_OUTPUTS = [
    "script.sh",
    "tapisjob.env",
    "tapisjob.out",
    "tapisjob.pid",
    "tapisjob.sh",
    "tapisjob_app.sh",
]


@pytest.fixture(scope="module")
def http(server, until):
    """The session's server."""
    plain = PlainHttp(server.endpoint, until)
    yield plain
    plain.client.close()


@pytest.fixture
def nothing_stored(http):
    """What the test sends leaves no job behind."""
    before = http.count()
    yield
    assert http.count() == before


@pytest.fixture(scope="module")
def canary(tmp_path_factory):
    """A file that hostile texts try to make; it must never be there."""
    path = tmp_path_factory.mktemp("canary") / "sings"
    yield path
    assert not path.exists()


@pytest.fixture(scope="module")
def app(http, tmp_path_factory):
    """``app(**jobAttributes)``: the id of an app that writes its arguments and its environment to files."""
    image = zip_app(
        tmp_path_factory.mktemp("app"),
        'printf \'%s\\0\' "$@" > "$_tapisExecSystemOutputDir/args"; '
        'env -0 > "$_tapisExecSystemOutputDir/env"\n',
    )

    def made(**attributes):
        name = f"bad-input-{next(_numbers)}"
        definition = {
            "id": name,
            "version": "1",
            "runtime": "ZIP",
            "containerImage": str(image),
            "jobAttributes": {"execSystemId": "local", **attributes},
        }
        good(http.post("/v3/apps", definition))
        return name

    return made


# --- one sentence -----------------------------------------------------------------------------
def argument(arg):
    return {"parameterSet": {"appArgs": [{"arg": arg}]}}


def variable(key, value):
    return {"parameterSet": {"envVariables": [{"key": key, "value": value}]}}


def further_input(**item):
    script = bash()["fileInputs"]
    return {"fileInputs": [*script, {"sourceUrl": data_url("x"), "targetPath": "x", **item}]}


#: What is wrong in a request -> (the field that is named, the value that is named, the way out).
WRONG = {
    "an unknown field": ({"appVersoin": "1"}, "appVersoin", "'appVersoin'", "Did you mean 'appVersion'?"),
    "an unknown field inside": (
        {"parameterSet": {"appArg": []}},
        "parameterSet.appArg",
        "'appArg'",
        "Did you mean 'appArgs'?",
    ),
    "a text for a number": ({"maxMinutes": "soon"}, "maxMinutes", "'soon'", "a whole number"),
    "half a node": ({"nodeCount": 1.5}, "nodeCount", "1.5", "a whole number"),
    "too small a number": ({"memoryMB": 0}, "memoryMB", "0", "at least 1"),
    "a text for a list": ({"tags": "x"}, "tags", "'x'", "a list"),
    "an object for a list": ({"fileInputs": {}}, "fileInputs", "{}", "a list"),
    "a word for a truth": ({"archiveOnAppError": "maybe"}, "archiveOnAppError", "'maybe'", "true or false"),
    "an unknown choice": ({"jobType": "FROK"}, "jobType", "'FROK'", "Did you mean 'FORK'?"),
    "an unknown app": ({"appId": "bsh"}, "appId", "'bsh'", "Did you mean 'bash'?"),
    "an unknown version": ({"appVersion": "9"}, "appVersion", "'9'", "Its latest is 1.0"),
    "an unknown system": ({"execSystemId": "lokal"}, "execSystemId", "'lokal'", "Did you mean 'local'?"),
    "an unknown archive": ({"archiveSystemId": "x"}, "archiveSystemId", "'x'", "There are: "),
    "an input of nowhere": (
        further_input(sourceUrl="tapis://lokal/x"),
        "fileInputs.sourceUrl",
        "'lokal'",
        "Did you mean 'local'?",
    ),
    "an input that is not there": (
        further_input(sourceUrl="tapis://local/no/such/file"),
        "fileInputs.sourceUrl",
        "tapis://local/no/such/file",
        "does not exist",
    ),
    "an input of another kind": (
        further_input(sourceUrl="ftp://host/x"),
        None,
        "ftp://host/x",
        "tapis://system/path",
    ),
    "no script": ({"fileInputs": []}, "fileInputs", "'script'", "Add {"),
    "no name": ({"name": None}, "name", "name", "text"),
    "a long name": ({"name": "n" * 4096}, "name", "4,096 characters", "at most 64"),
    "a directory outside": (
        {"execSystemExecDir": "/work/../../etc"},
        "execSystemExecDir",
        "'/work/../../etc'",
        "without it",
    ),
    "an archive outside": ({"archiveSystemDir": "../x"}, "archiveSystemDir", "../x", "without it"),
    "a target outside": (further_input(targetPath="../x"), None, "'../x'", "without it"),
    "a source outside": (
        further_input(sourceUrl="tapis://local/../etc/passwd"),
        None,
        "'../etc/passwd'",
        "without it",
    ),
    "a newline in a name": ({"name": "a\nb"}, "name", "'a\\nb'", "Remove it"),
    "a newline in a variable": (variable("A", "a\nb"), None, "'a\\nb'", "into an input file"),
    "a null in a variable": (variable("A", "a\0b"), None, "null character", "into an input file"),
    "no name of a variable": (variable("A-B", "x"), None, "'A-B'", "must match"),
    "a name of ours": (variable("_tapisX", "x"), None, "_tapisX", "_tapis"),
    "a newline in an argument": (argument("'a\nb'"), None, "\\n", "into an input file"),
    "two commands": (argument("a; rm b"), "parameterSet.appArgs", "'a; rm b'", "Quote it"),
    "a pipe": (argument("a | b"), "parameterSet.appArgs", "'|'", "Quote it"),
    "a redirection": (argument("a > /etc/passwd"), "parameterSet.appArgs", "'>'", "Quote it"),
    "backticks": (argument("`id`"), "parameterSet.appArgs", "'`'", "Quote it"),
    "an open quote": (argument('a "b'), "parameterSet.appArgs", '"', "Close it"),
    "a newline in a target": (further_input(targetPath="a\nb"), None, "'a\\nb'", "Remove it"),
}


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_request_is_one_400_that_names_field_value_and_way_out(http, what):
    changes, field, value, way_out = WRONG[what]
    answer = http.submit(bash() | changes)
    words = refused(answer)
    assert value in words
    assert way_out in words
    assert "\n" not in words
    told = answer.json()["result"]
    assert field in (None, told["field"])
    assert re.sub(r"\W.*", "", (field or told["field"]).rsplit(".", 1)[-1]) in words


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("missing", ["name", "appId", "appVersion"])
def test_a_required_field_that_is_missing_is_named(http, missing):
    request = bash()
    del request[missing]
    assert f"{missing} is missing" in refused(http.submit(request))


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        (
            {"parameterSet": {"appArgs": [{"name": "mesh", "arg": "", "inputMode": "REQUIRED"}]}},
            ("parameterSet.appArgs", "'mesh'"),
        ),
        (
            {
                "parameterSet": {
                    "envVariables": [{"key": "MESH", "value": "!tapis_not_set", "inputMode": "REQUIRED"}]
                }
            },
            ("MESH",),
        ),
        (
            {"fileInputs": [{"name": "mesh", "targetPath": "mesh", "inputMode": "REQUIRED"}]},
            ("fileInputs", "'mesh'", "sourceUrl"),
        ),
    ],
)
def test_an_argument_variable_or_input_that_the_app_needs_is_named(http, app, attributes, words):
    told = refused(http.submit({"name": "x", "appId": app(**attributes), "appVersion": "1"}))
    assert all(word in told for word in words), told


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("target", ["tapisjob.sh", "tapisjob.env", ".tapisjob/claim"])
def test_an_input_cannot_take_the_place_of_a_launch_file(http, target):
    request = bash()
    inputs = [*request["fileInputs"], {"sourceUrl": "data:,x", "targetPath": target}]
    assert target in refused(http.submit(request | {"fileInputs": inputs}))


@pytest.mark.usefixtures("nothing_stored")
def test_a_disabled_app_and_a_disabled_version_are_told(http, app):
    name = app()
    request = {"name": "x", "appId": name, "appVersion": "1"}
    for path in (name, f"{name}/1"):
        good(http.post(f"/v3/apps/{path}/disable"))
        words = refused(http.submit(request))
        assert f"app {name} 1 is disabled" in words
        assert "enable it" in words
        good(http.post(f"/v3/apps/{path}/enable"))


def test_a_link_does_not_lead_out_of_the_outputs(http, tmp_path):
    (tmp_path / "secret").write_text("secret")
    job = http.run(bash(f"ln -s {tmp_path}/secret link; ln -s {tmp_path} folder; ln -s link loop"))
    for path, call in itertools.product(("link", "folder/secret", "loop"), ("list", "download", "follow")):
        answer = http.client.get(f"/v3/jobs/{job['uuid']}/output/{call}/{path}")
        assert "outside" in refused(answer)
    packed = http.output(job, "/")
    assert zipfile.ZipFile(io.BytesIO(packed)).namelist() == PLAIN_OUTPUTS


# --- bodies -----------------------------------------------------------------------------------
@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("path", ["/v3/jobs/submit", "/v3/jobs/submit/bulk", "/v3/apps", "/v3/jobs/search"])
def test_a_body_of_20_mb_is_a_413_with_the_limit_and_another_way(http, path):
    filler = json.dumps(bash("#" * (16 * MEGABYTE))).encode()
    assert len(filler) > 20 * MEGABYTE
    words = refused(http.post(path, content=filler), 413)
    assert "at most 16 MB" in words
    assert "/v3/files/ops" in words


@pytest.mark.usefixtures("nothing_stored")
def test_a_request_that_is_cut_off_anywhere_is_a_400(http):
    text = json.dumps(bash("echo é")).encode()
    for end in range(1, len(text), 7):
        words = refused(http.post("/v3/jobs/submit", content=text[:end]))
        assert "The body is not JSON" in words
        assert "cut off" in words


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("body", [[], [bash()], "text", 5, True])
def test_a_request_that_is_no_object_is_a_400(http, body):
    assert "takes a JSON object" in refused(http.submit(body))


@pytest.mark.usefixtures("nothing_stored")
def test_a_bulk_call_that_is_no_list_is_a_400(http):
    assert "must be a list" in refused(http.post("/v3/jobs/submit/bulk", bash()))
    assert "must be an object" in refused(http.post("/v3/jobs/submit/bulk", [bash(), 5]))


# --- all or nothing ---------------------------------------------------------------------------
@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("place", [0, 25, 49])
def test_of_an_atomic_bulk_call_with_one_bad_request_nothing_is_stored(http, place):
    requests = [bash() for _ in range(50)]
    requests[place] = bash(maxMinutes="soon")
    rows = good(http.post("/v3/jobs/submit/bulk", requests, params={"atomic": "true"}))
    assert not any("uuid" in row for row in rows)
    words = [row["error"]["message"] for row in rows]
    assert "maxMinutes must be a whole number" in words.pop(place)
    assert all("held back" in other or "not accepted" in other for other in words), words[0]


def test_of_an_atomic_bulk_call_that_is_right_all_is_stored(http):
    before = http.count()
    rows = good(http.post("/v3/jobs/submit/bulk", [bash()] * 20, params={"atomic": "true"}))
    assert http.count() == before + 20
    assert {http.ended(row["uuid"])["status"] for row in rows} == {"FINISHED"}


# --- hostile text -----------------------------------------------------------------------------
def hostile(canary):
    """Return texts that try to make *canary* if anything reads them as code."""
    touch = f"touch {canary}"
    return [
        f"$({touch})",
        f"`{touch}`",
        f"; {touch} ;",
        f"' ; {touch} ; '",
        f'" ; {touch} ; "',
        f"'\"'$({touch})'\"'",
        f"\\'; {touch}; \\'",
        f"&& {touch}",
        f"|| {touch}",
        f"| {touch}",
        f"$(({touch}))",
        f"${{x:-$({touch})}}",
        f"x=`{touch}`",
        f"> {canary}",
        f"{{{{ {touch} }}}}",
        f"%$({touch})s\\x41\\101",
        'it\'s "quoted" \\ \\\\ \\n',
        "* ? [a-z] ~ ~root {a,b} !! #",
        " leading and trailing ",
        "-n",
        "--",
        "a=b=c",
        "",
        "😀 é 漢字 \u202e\u200b\ufeff\u2028",
        "€" * 4096,
        "x" * 100_000,
    ]


def refusing(text):
    """Tell whether Tapis refuses *text* as a value: it holds a control character."""
    return bool(re.search(r"[\x00-\x1f\x7f-\x9f]", text))


def environment_of(http, job):
    pairs = http.output(job, "env").split(b"\0")
    return dict(pair.split(b"=", 1) for pair in pairs if b"=" in pair)


def carried(http, name, variables, arguments):
    """Run the app with these values; return what of them the program got."""
    parameters = {
        "envVariables": [{"key": key, "value": value} for key, value in variables.items()],
        "appArgs": [{"arg": shlex.quote(text)} for text in arguments],
    }
    job = http.run({"name": "hostile", "appId": name, "appVersion": "1", "parameterSet": parameters})
    assert job["status"] == "FINISHED", job["lastMessage"]
    found = environment_of(http, job)
    got = http.output(job, "args").split(b"\0")[:-1] if arguments else []
    return {key: found.get(key.encode()) for key in variables}, got


@pytest.fixture(scope="module")
def echo(app):
    """The id of an app without parameters of its own."""
    return app()


def test_hostile_values_and_arguments_reach_the_program_byte_for_byte(http, echo, canary):
    texts = hostile(canary)
    variables = {f"V{number}": text for number, text in enumerate(texts)}
    values, arguments = carried(http, echo, variables, texts)
    assert values == {key: text.encode() for key, text in variables.items()}
    assert arguments == [text.encode() for text in texts]


@pytest.fixture(scope="module")
def property_examples(request):
    return 100 if request.config.getoption("--full") else 6


def test_any_text_reaches_the_program_byte_for_byte_or_is_refused(http, echo, property_examples):
    letters = st.text(
        st.one_of(
            st.sampled_from("'\"\\$`;&|<>(){}[]*?~#!%=- ABHOME\u00e9\u2028"),
            st.characters(exclude_categories=["Cs"]),
        ),
        max_size=40,
    )

    @settings(max_examples=property_examples, deadline=None)
    @given(st.lists(letters, min_size=30, max_size=60))
    def all_arrive(texts):
        fine = [text for text in texts if not refusing(text)]
        variables = {f"V{number}": text for number, text in enumerate(fine) if text != "!tapis_not_set"}
        values, arguments = carried(http, echo, variables, fine)
        assert values == {key: text.encode() for key, text in variables.items()}
        assert arguments == [text.encode() for text in fine]
        for text in (text for text in texts if refusing(text)):
            assert "holds" in _why(http, variable("V", text))
            assert "holds" in _why(http, argument(shlex.quote(text)))

    all_arrive()


def _why(http, fields):
    return refused(http.post("/v3/jobs/validate", bash() | fields))


@pytest.mark.parametrize(
    "content",
    [bytes(range(256)) * 3, b"echo \xff\xfe\n", b"\r\necho windows\r\n", b"", b"no newline", "😀 é".encode()],
)
def test_a_scripts_text_is_carried_byte_for_byte(http, content):
    job = http.run(bash(content))
    assert http.output(job, "script.sh") == content


def test_hostile_file_names_are_carried_byte_for_byte(http, canary):
    names = [
        "a b'c.txt",
        f'x"y$(touch {canary.name})`.txt',
        f";touch {canary.name}|&.txt",
        "😀 é.txt",
        "a\\b\\n",
        "-rf",
        "a%2fb%41",
        "~",
        "$HOME/${x}",
        "\u202eexe",
        " sp ",
        ".hidden",
        "...",
        "#?&=",
        "n" * 255,
        "/".join(["d" * 200] * 15),
    ]
    inputs = [
        {"sourceUrl": data_url(f"content {number}"), "targetPath": name} for number, name in enumerate(names)
    ]
    job = http.run(bash("find . -type f -print0 > all", inputs=inputs))
    assert job["status"] == "FINISHED", job["lastMessage"]
    for number, name in enumerate(names):
        assert http.output(job, name) == f"content {number}".encode()
    listed = {row["path"] for row in http.get(f"/v3/jobs/{job['uuid']}/output/list/", limit=-1)}
    below = job["archiveSystemDir"].lstrip("/")
    assert {f"{below}/{name}" for name in names if "/" not in name} <= listed
    assert not any(row.endswith(canary.name) and "touch" not in row for row in listed)


def test_a_path_with_hostile_names_is_the_jobs_directory(http, tmp_path, canary):
    directory = f'{tmp_path}/it\'s "$(touch {canary})" `x`;&|<>*?~ 😀'
    job = http.run(bash("pwd; echo 1 > a.txt", execSystemExecDir=directory, execSystemInputDir=directory,
                        execSystemOutputDir=directory))  # fmt: skip
    assert job["status"] == "FINISHED", job["lastMessage"]
    assert http.output(job, "tapisjob.out").decode() == f"{directory}\n"


def test_outputs_with_names_that_are_no_text_are_listed_and_packed(http):
    job = http.run(bash(b"printf x > $'new\\nline'; printf y > $'odd\\xff'; printf z > ok"))
    names = {row["name"] for row in http.get(f"/v3/jobs/{job['uuid']}/output/list/")}
    assert {"ok", "new\nline", "odd\udcff"} <= names
    assert http.output(job, "odd\udcff".encode("utf-8", "surrogateescape")) == b"y"
    assert http.client.get(f"/v3/jobs/{job['uuid']}/output/download/").content.startswith(b"PK")


@pytest.mark.parametrize("name", ["n" * 256, "n" * 4096, "d/" * 2000 + "x"])
def test_a_name_that_the_host_cannot_have_is_refused(http, tmp_path, name):
    path = f"/v3/files/ops/local{tmp_path}/{name}"
    answers = [
        http.client.post(path, files={"file": ("x", b"x")}),
        http.post("/v3/files/ops/local", {"path": f"{tmp_path}/{name}"}),
        http.client.get(path),
        http.client.get(path.replace("/ops/", "/content/")),
        http.client.delete(path),
    ]
    assert {answer.status_code for answer in answers} <= {400, 404}
    assert answers[0].status_code == 400
    assert list(tmp_path.iterdir()) == []


def test_a_job_whose_input_has_a_name_that_the_host_cannot_have_fails_and_says_so(http):
    for name, words in (("n" * 256, "File name too long"), ("d/" * 1900 + "x", "nested too deeply")):
        job = http.run(bash(inputs=[{"sourceUrl": data_url("x"), "targetPath": name}]))
        assert (job["status"], job["condition"]) == ("FAILED", "JOB_UNABLE_TO_STAGE_INPUTS")
        assert words in job["lastMessage"]


@pytest.mark.parametrize("path", ["n" * 300, "d/" * 1900])
def test_an_output_that_cannot_be_there_is_refused(http, path):
    job = http.run(bash())
    for call in ("list", "download", "follow"):
        answer = http.client.get(f"/v3/jobs/{job['uuid']}/output/{call}/{path}")
        assert answer.status_code in ((200, 400) if call == "follow" else (400, 404)), answer.text
        assert answer.status_code != 200 or answer.content == b""


def test_a_directory_does_not_take_the_place_of_a_file(http, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    body = {"operation": "COPY", "newPath": f"{tmp_path}/file"}
    answer = http.client.put(f"/v3/files/ops/local{tmp_path}/folder", json=body)
    assert "file exists already" in refused(answer, 409)
    assert (tmp_path / "file").read_text() == "kept"
