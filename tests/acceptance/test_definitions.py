"""Production definitions of apps, systems and scheduler profiles: brought, checked, run, written back.

``tests/definitions`` holds files in the form in which large gateways keep them.
"""

from __future__ import annotations

import getpass
import json
import re
from contextlib import closing
from pathlib import Path

import pytest
from tapipy_user import ended, sign_in, zip_app

from jupyter_tapis_jobs.cli import main
from jupyter_tapis_jobs.client import connect as connecting
from jupyter_tapis_jobs.client.definitions import definitions_in
from jupyter_tapis_jobs.model.definitions import Kind, differing
from jupyter_tapis_jobs.model.errors import TapisJobsError

pytestmark = pytest.mark.needs("tapipy")

ME = getpass.getuser()
SAMPLES = Path(__file__).parents[1] / "definitions"
FOUND = [one.definition for one in definitions_in([SAMPLES])]
#: tapipy sends only what Tapis's specification names.
NOT_SENT = {"appType"}
#: Says something at every place that a value can come from.
REQUEST = {
    "name": "portal",
    "appId": "jupyter-hpc",
    "appVersion": "1.2.1",
    "maxMinutes": 30,
    "parameterSet": {"schedulerOptions": [{"name": "Reservation", "arg": "--reservation=R1"}]},
}
SOURCES = {
    "maxMinutes": "request",
    "parameterSet.schedulerOptions 'Reservation'": "request",
    "memoryMB": "app",
    "archiveSystemDir": "app",
    "parameterSet.containerArgs 'mounts'": "app",
    "parameterSet.envVariables _XTERM_CMD": "app",
    "hpcQueueName": "queue",
    "jobWorkingDir": "system",
    "parameterSet.envVariables TAPIS_HOST": "system",
    "scheduler profile tacc-apptainer": "profile",
    "isMpi": "default",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory, running_server):
    """A server of its own: what is defined there stays for all tests of this module."""
    with running_server(tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture(scope="module")
def ours(home):
    """Our client of it."""
    client = home.tapis()
    with closing(client.connection):
        yield client


@pytest.fixture(scope="module")
def tapis(home):
    """Tapipy's."""
    return sign_in(home.url, home.token)


@pytest.fixture(scope="module")
def defined(tapis):
    """All samples, brought by unmodified tapipy; title -> what the server answered."""
    create = {
        Kind.PROFILE: tapis.systems.createSchedulerProfile,
        Kind.SYSTEM: tapis.systems.createSystem,
        Kind.APP: tapis.apps.createAppVersion,
    }
    in_order = sorted(FOUND, key=lambda one: list(Kind).index(one.kind))
    return {one.title: create[one.kind](**one.raw) for one in in_order}


@pytest.fixture
def run(capsys):
    """``run(client, "export")``: exit code and output of a command."""

    def run(client, *words):
        code = main(words, connect=lambda url: client)
        return code, capsys.readouterr().out

    return run


# --- brought by tapipy ------------------------------------------------------------------------
@pytest.mark.parametrize("sample", FOUND, ids=lambda sample: sample.title)
def test_a_production_file_is_taken_and_told_as_it_was_said(tapis, defined, sample):
    assert sample.name in defined[sample.title].url
    get = {
        Kind.PROFILE: lambda: tapis.systems.getSchedulerProfile(name=sample.name, _tapis_debug=True),
        Kind.SYSTEM: lambda: tapis.systems.getSystem(systemId=sample.name, _tapis_debug=True),
        Kind.APP: lambda: tapis.apps.getApp(
            appId=sample.name, appVersion=sample.version, _tapis_debug=True
        ),
    }  # fmt: skip
    _, debug = get[sample.kind]()
    told = debug.response.json()["result"]
    assert set(differing(sample.kind, told, sample.wire)) <= NOT_SENT
    assert told["owner"] == ME


def test_what_a_file_says_of_another_owner_or_leaves_out_is_warned_about(defined):
    assert any("owner 'wma_prtl' is not taken over" in text for text in defined["system stampede"].warnings)
    assert any("has no containerImage" in text for text in defined["app not-ready 0.0.1"].warnings)


# --- import, export, import -------------------------------------------------------------------
@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory, running_server):
    """A second server, which has nothing yet."""
    with running_server(tmp_path_factory.mktemp("elsewhere")) as server:
        client = server.tapis()
        with closing(client.connection):
            yield client


def _texts(folder):
    return {
        str(file.relative_to(folder)): file.read_text()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_what_is_exported_is_the_same_definition_on_another_server(ours, elsewhere, run, defined, tmp_path):
    code, out = run(ours, "import", str(SAMPLES), "--update")
    assert code == 0, out
    assert out.endswith("1 updated, 12 unchanged.\n")
    assert run(ours, "export", "--to", str(tmp_path / "first"))[0] == 0
    code, out = run(elsewhere, "import", str(tmp_path / "first"))
    assert code == 0, out
    assert out.endswith("13 created.\n")
    assert run(elsewhere, "export", "--to", str(tmp_path / "second"), "--yaml")[0] == 0
    assert run(ours, "import", str(tmp_path / "second"))[1].endswith("13 unchanged.\n")
    assert run(elsewhere, "export", "--to", str(tmp_path / "third"))[0] == 0
    assert _texts(tmp_path / "third") == _texts(tmp_path / "first")
    assert run(elsewhere, "import", str(SAMPLES))[1].endswith("13 unchanged.\n")


# --- a request that is checked and not submitted ----------------------------------------------
def _by_rest(ours, file, **_):
    return ours.connection.post("/v3/jobs/validate", REQUEST)


def _by_client(ours, file, **_):
    preview = ours.validate(REQUEST)
    assert "--reservation=R1" in str(preview)
    assert "jupyter lab" in preview._repr_html_()
    return {"job": preview.job, "script": preview.script, "origins": preview.origins}


def _by_command(ours, file, run, **_):
    code, out = run(ours, "submit", str(file), "--dry-run", "--json")
    assert code == 0
    return json.loads(out)


@pytest.mark.parametrize("way", [_by_rest, _by_client, _by_command])
def test_a_dry_run_shows_job_script_and_where_each_value_comes_from(ours, defined, run, tmp_path, way):
    file = tmp_path / "request.json"
    file.write_text(json.dumps(REQUEST))
    told = way(ours=ours, file=file, run=run)
    found = {origin["field"]: origin["source"] for origin in told["origins"]}
    assert {field: found.get(field) for field in SOURCES} == SOURCES
    assert (told["job"]["maxMinutes"], told["job"]["memoryMB"]) == (30, 1000)
    assert told["job"]["execSystemId"] == "stampede"
    assert "#SBATCH --reservation=R1" in told["script"]
    assert "module load tacc-apptainer" in told["script"]
    assert "--mem" not in told["script"]
    assert "events='~/.tapisjobs/" in told["script"]
    assert ours.jobs(name="portal").empty


@pytest.fixture
def cell(tapis, one_shell, monkeypatch, capsys):
    """Run a cell of a notebook whose Tapis is *home*."""
    import jupyter_tapis_jobs

    monkeypatch.setenv("TAPIS_BASE_URL", tapis.base_url)
    monkeypatch.setenv("TAPIS_TOKEN", tapis.access_token.access_token)
    monkeypatch.setattr(connecting, "_connected", {})
    jupyter_tapis_jobs.load_ipython_extension(one_shell)

    def run_cell(text):
        capsys.readouterr()
        one_shell.run_cell(text)
        told = capsys.readouterr()
        return told.out + told.err

    yield run_cell
    for connected in connecting._connected.values():
        connected.connection.close()


def _rows(text):
    """Return field -> source of the table of values."""
    lines = text.split("\nValues\n")[1].split("\n\nScript")[0].splitlines()[2:]
    cells = [re.split(r" {2,}", line) for line in lines]
    return {row[0]: row[2] for row in cells}


def test_a_cell_and_a_command_show_the_same_table(ours, defined, cell, run, tmp_path):
    body = json.dumps({key: value for key, value in REQUEST.items() if not key.startswith("app")})
    shown = _rows(cell(f"%%tapisjob jupyter-hpc@1.2.1 --dry-run\n{body}"))
    file = tmp_path / "request.yaml"
    file.write_text(json.dumps(REQUEST))
    assert shown == _rows(run(ours, "submit", str(file), "--dry-run")[1])
    assert {field: shown[field] for field in SOURCES if len(field) < 48} == {
        field: source for field, source in SOURCES.items() if len(field) < 48
    }
    assert ours.jobs(name="portal").empty


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"maxMinutes": 999}, ["maxMinutes 999", "skx-dev", "120"]),
        ({"execSystemId": "cluster-login"}, ["jobType BATCH", "cluster-login", "app jupyter-hpc 1.2.1"]),
        ({"appVersion": "1.2"}, ["jupyter-hpc", "1.2.1"]),
        (
            {"parameterSet": {"schedulerOptions": [{"arg": "--tapis-profile nope"}]}},
            ["tacc-apptainer, nope", "a job has one"],
        ),
        (
            {"parameterSet": {"containerArgs": [{"name": "mounts", "arg": "--bind /x:/y"}]}},
            ["containerArgs 'mounts' is fixed to", "STOCKYARD", "Leave it out"],
        ),
        (
            {"parameterSet": {"envVariables": [{"key": "A-B", "value": "x"}]}},
            ["envVariables", "A-B"],
        ),
        ({"execSystemLogicalQueue": "skx-de"}, ["skx-de", "Did you mean 'skx-dev'?", "skx-dev, skx"]),
    ],
)
def test_a_refusal_names_value_rule_and_choices_and_whose_the_value_is(ours, defined, wrong, words):
    with pytest.raises(TapisJobsError) as refused:
        ours.validate(REQUEST | wrong)
    assert [word for word in words if word not in refused.value.message] == [], refused.value.message


# --- what was checked is what runs ------------------------------------------------------------
@pytest.fixture(scope="module")
def request_that_runs(tapis, defined, tmp_path_factory):
    """A request for the production app ``extract``, with an image that is there."""
    image = zip_app(
        tmp_path_factory.mktemp("image"),
        'echo "args: $*"\necho "VERBOSE=${VERBOSE-unset}"\nmkdir -p "$_tapisExecSystemOutputDir/sub"\n'
        'cat "$_tapisExecSystemInputDir/archive" > "$_tapisExecSystemOutputDir/sub/copy.txt"\n',
    )
    sample = next(one.raw for one in FOUND if one.name == "extract")
    tapis.apps.createAppVersion(**(sample | {"version": "0.2", "containerImage": str(image)}))
    return {
        "name": "unpack",
        "appId": "extract",
        "appVersion": "0.2",
        "fileInputs": [{"sourceUrl": "data:,one%20two", "targetPath": "archive"}],
        "parameterSet": {"appArgs": [{"name": "Compression type", "arg": "zip"}]},
    }


@pytest.fixture(scope="module")
def job(tapis, request_that_runs, until):
    """That request, run to its end."""
    submitted = tapis.jobs.submitJob(**request_that_runs)
    status = ended(tapis, submitted, until)
    done = tapis.jobs.getJob(jobUuid=submitted.uuid)
    assert status == "FINISHED", done.lastMessage
    return done


def test_the_job_and_its_script_are_those_that_the_dry_run_showed(ours, request_that_runs, job):
    told = ours.validate(request_that_runs)
    run = ours.job(job.uuid).row
    same = ("parameterSet", "fileInputs", "execSystemExecDir", "execSystemOutputDir", "archiveSystemDir")
    for name in (*same, "maxMinutes", "memoryMB", "jobType", "archiveOnAppError"):
        assert _of_no_job(told.job[name]) == _of_no_job(run[name]), name
    script = (Path("/") / run["execSystemExecDir"].lstrip("/") / "tapisjob.sh").read_text()
    assert _of_no_job(told.script) == _of_no_job(script)


def _of_no_job(value):
    """Return a text without uuids and times, in which two jobs of one request differ."""
    if not isinstance(value, str):
        return value
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-007|[-T\d]*\d\d:[:.\d]+Z", "…", value)


# --- its outputs, as the Tapis command line has them ------------------------------------------
def test_outputs_are_listed_long_and_fetched_into_a_folder_of_the_job(ours, job, run, tmp_path):
    lines = run(ours, "output-list", "-L", job.uuid)[1].splitlines()
    assert [line.split()[-1] for line in lines] == [
        *("path", "sub/copy.txt", "tapisjob.env", "tapisjob.out", "tapisjob.sh")
    ]
    assert "7 B" in lines[1]
    assert run(ours, "output-list", job.uuid, "sub")[1] == "sub/copy.txt\n"
    code, out = run(ours, "output-get", "-r", job.uuid, "--to", str(tmp_path))
    assert code == 0
    assert out == f"{tmp_path / f'jobs-{job.uuid}'}\n"
    assert (tmp_path / f"jobs-{job.uuid}/sub/copy.txt").read_text() == "one two"
    text = (tmp_path / f"jobs-{job.uuid}/tapisjob.out").read_text()
    assert text == "args: zip 6\nVERBOSE=\n"
