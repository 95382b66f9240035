"""Jobs of a real server on this machine: apps, inputs, archives, ends; servers that die and come back."""

from __future__ import annotations

import io
import os
import signal
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from web_files import web_server

from jupyter_tapis_jobs import Job, Tapis


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.fixture
def client_of() -> Iterator[Callable[..., Tapis]]:
    """``client_of(server)``: a client whose connection is closed after the test."""
    with ExitStack() as stack:

        def opened(server) -> Tapis:
            tapis = server.tapis()
            stack.callback(tapis.connection.close)
            return tapis

        yield opened


@pytest.fixture
def tapis(server, client_of: Callable[..., Tapis]) -> Tapis:
    return client_of(server)


@pytest.fixture
def define(tapis: Tapis) -> Iterator[Callable[..., str]]:
    """Define a ZIP app on the local system; it is gone after the test."""
    made: list[str] = []

    def one(image: str, **attributes: object) -> str:
        name = f"app-{uuid.uuid4().hex[:8]}"
        definition = {
            "id": name,
            "version": "1.0",
            "runtime": "ZIP",
            "containerImage": image,
            "jobAttributes": {"execSystemId": "local", **attributes},
        }
        tapis.connection.post("/v3/apps", definition)
        made.append(name)
        return name

    yield one
    for name in made:
        tapis.connection.post(f"/v3/apps/{name}/delete")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server on this machine that serves ``tmp_path/web``; its address."""
    folder = tmp_path / "web"
    folder.mkdir()
    with web_server(folder) as address:
        yield address


def ended(job: Job) -> Job:
    return job.wait(180, progress=False)


def does_something(pid: str) -> bool:
    """Tell whether a process is there and is more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def exec_dir(tapis: Tapis, job: Job) -> Path:
    return Path(tapis.connection.get(f"/v3/jobs/{job.uuid}")["execSystemExecDir"])


def test_a_zip_app_from_a_path_gets_its_arguments_environment_and_inputs(
    tapis: Tapis, define: Callable[..., str], tmp_path: Path
) -> None:
    program = 'cd output; printf "%s|" "$@" > args; echo "$KIND" > kind; cat ../mesh/a.txt ../deep/* > both\n'
    image = tmp_path / "app.zip"
    image.write_bytes(zipped(**{"tapisjob.manifest": "tapisjob_executable=bin/go\n", "bin/go": program}))
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh" / "a.txt").write_text("a")
    (tmp_path / "b c.txt").write_text("b")
    app = define(f"tapis://local{image}")
    job = ended(
        tapis.submit(
            {
                "name": "zip",
                "appId": app,
                "appVersion": "1.0",
                "parameterSet": {
                    "appArgs": [{"arg": "-n 3"}, {"arg": "'two words'"}],
                    "envVariables": [{"key": "KIND", "value": "it's $HOME; `id`"}],
                },
                "fileInputs": [
                    {"sourceUrl": f"tapis://local{tmp_path}/mesh", "targetPath": "mesh"},
                    {"sourceUrl": f"tapis://local{tmp_path}/b c.txt", "targetPath": "deep/b c.txt"},
                ],
            }
        )
    )
    assert job.status == "FINISHED", job.read()
    assert job.read("args") == "-n|3|two words|"
    assert job.read("kind") == "it's $HOME; `id`\n"
    assert job.read("both") == "ab"
    names = set(job.outputs()["path"])
    assert {"args", "kind", "both", "tapisjob.out", "tapisjob.sh", "tapisjob.env"} <= names


def test_an_archive_elsewhere_holds_what_the_filter_chooses(
    tapis: Tapis, define: Callable[..., str], tmp_path: Path
) -> None:
    image = tmp_path / "app.zip"
    image.write_bytes(
        zipped(**{"tapisjob_app.sh": "cd output; mkdir sub; touch a.csv b.txt sub/c.csv; echo hi\n"})
    )
    app = define(str(image), archiveSystemId="local", archiveSystemDir=f"{tmp_path}/kept/${{JobName}}")
    chosen = {"includes": ["**.csv"], "excludes": ["b*"], "includeLaunchFiles": False}
    job = ended(
        tapis.submit(
            {"name": "kept", "appId": app, "appVersion": "1.0", "parameterSet": {"archiveFilter": chosen}}
        )
    )
    assert job.status == "FINISHED", job.row
    kept = tmp_path / "kept" / "kept"
    assert sorted(str(p.relative_to(kept)) for p in kept.rglob("*") if p.is_file()) == ["a.csv", "sub/c.csv"]
    assert set(job.outputs()["path"]) >= {"a.csv", "sub/c.csv"}


def test_images_and_inputs_come_from_the_web_when_the_server_may(
    serve, client_of, web: str, tmp_path: Path
) -> None:
    (tmp_path / "web" / "app.zip").write_bytes(zipped(**{"tapisjob_app.sh": "cat data.txt\n"}))
    (tmp_path / "web" / "data.txt").write_text("from the web\n")
    request = {
        "name": "web",
        "appId": "from-web",
        "appVersion": "1.0",
        "fileInputs": [{"sourceUrl": f"{web}/data.txt"}],
    }
    definition = {"id": "from-web", "version": "1.0", "runtime": "ZIP", "containerImage": f"{web}/app.zip"}
    with serve("--TapisJobsApp.allow_private_inputs=True") as server:
        tapis = client_of(server)
        tapis.connection.post("/v3/apps", {**definition, "jobAttributes": {"execSystemId": "local"}})
        job = ended(tapis.submit(request))
        assert job.status == "FINISHED", job.row
        assert job.read() == "from the web\n"
        (tmp_path / "web" / "data.txt").unlink()
        missing = ended(tapis.submit(request))
        assert missing.status == "FAILED"
        assert missing.row["condition"] == "JOB_UNABLE_TO_STAGE_INPUTS"
        assert f"{web}/data.txt" in missing.row["lastMessage"]


def test_the_web_of_private_addresses_is_refused_unless_configured(tapis: Tapis, web: str) -> None:
    inputs = [{"name": "script", "sourceUrl": f"{web}/data.txt"}]
    job = ended(tapis.submit({"name": "private", "appId": "bash", "appVersion": "1.0", "fileInputs": inputs}))
    assert job.status == "FAILED"
    assert "inside the server's own network" in job.row["lastMessage"]


def test_a_failing_program_is_failed_with_its_last_line_and_keeps_its_outputs(tapis: Tapis) -> None:
    job = ended(tapis.submit("python", script="print('so far')\nimport no_such_module\n"))
    assert job.status == "FAILED"
    assert job.row["condition"] == "JOB_REMOTE_OUTCOME_ERROR"
    assert job.row["lastMessage"] == "exit code 1: ModuleNotFoundError: No module named 'no_such_module'"
    assert job.read().startswith("so far\n")


def test_cancel_ends_the_whole_process_group(tapis: Tapis, until) -> None:
    job = tapis.submit("bash", script="sleep 300 & echo $! > child; sleep 300 & wait\n")
    child = exec_dir(tapis, job) / "child"
    until(lambda: child.exists() and child.read_text().strip())
    job.cancel()
    assert ended(job).status == "CANCELLED"
    assert not does_something(child.read_text().strip())
    assert job.row["condition"] == "CANCELLED_BY_USER"


def test_jobs_in_one_directory_run_one_after_the_other_and_each_has_its_own_end(
    tapis: Tapis, define, tmp_path: Path
) -> None:
    image = tmp_path / "image.zip"
    said = 'echo "$1" >> log.txt; exit "$1"'
    image.write_bytes(zipped(**{"tapisjob_app.sh": f"#!/bin/sh\n{said}\n"}))
    place = str(tmp_path / "here")
    folders = dict.fromkeys(("execSystemExecDir", "execSystemInputDir", "execSystemOutputDir"), place)
    app = define(str(image), **folders)
    jobs = tapis.submit_many([{"args": [str(code)]} for code in (0, 3, 0, 4)], appId=app, appVersion="1.0")
    ended = [tapis.job(job.uuid) for job in tapis.wait(jobs)]
    ends = [(job.last_status, job.row["remoteResultInfo"]) for job in ended]
    assert ends == [("FINISHED", "0"), ("FAILED", "3"), ("FINISHED", "0"), ("FAILED", "4")], ended[0].row
    # Each ran once, in the order of submission.
    assert Path(place, "log.txt").read_text().split() == ["0", "3", "0", "4"]


def test_a_hundred_jobs_share_the_cores_they_were_given(serve, client_of, tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = f"echo + >> {log}; for i in 1 2 3 4 5 6 7 8; do :; done; echo - >> {log}\n"
    with serve("--TapisJobsApp.fork_cores=2") as server:
        tapis = client_of(server)
        jobs = tapis.submit_many([tapis.prepare("bash", script=script, name=f"n-{n}") for n in range(100)])
        tapis.wait(jobs, 120, progress=False)
        assert set(tapis.jobs()["status"]) == {"FINISHED"}
    running = peak = 0
    for mark in log.read_text().split():
        running += 1 if mark == "+" else -1
        peak = max(peak, running)
    assert peak <= 2
    assert log.read_text().count("+") == 100


def test_a_server_killed_while_a_job_runs_finds_its_end_when_it_comes_back(serve, client_of, until) -> None:
    script = "echo started >> starts; until [ -e go ]; do read -t 0.05 _ < /dev/zero; done; echo done\n"
    with serve() as server:
        tapis = client_of(server)
        job = tapis.submit("bash", script=script, name="long")
        folder = exec_dir(tapis, job)
        until(lambda: (folder / "starts").exists())
        until(lambda: job.refresh().last_status == "RUNNING")
        os.kill(server.process.process.pid, signal.SIGKILL)
        server.process.process.wait()
    (folder / "go").touch()
    with serve() as server:
        again = client_of(server).job(job.uuid)
        assert ended(again).status == "FINISHED"
        assert again.read() == "done\n"
        assert (folder / "starts").read_text() == "started\n"


@pytest.mark.timeout(240)
def test_a_job_is_ended_at_its_time_limit(tapis: Tapis, request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--full"):
        pytest.skip(
            "takes more than a minute, the shortest limit there is: tests/run --full; simulated otherwise"
        )
    job = tapis.submit("bash", script="echo step 1; sleep 300\n", maxMinutes=1)
    assert ended(job).status == "FAILED"
    assert job.row["condition"] == "JOB_EXECUTION_MONITORING_TIMEOUT"
    assert job.row["lastMessage"] == "stopped at the time limit of 1 min; last line: step 1"
    assert job.read() == "step 1\n"
