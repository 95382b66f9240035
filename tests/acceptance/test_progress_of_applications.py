"""What applications tell of their progress comes to whoever looks at their jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path

import httpx
import pytest
from rig.rig import Rig

from jupyter_tapis_jobs import Tapis
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.servers import free_port
from tests.conftest import TestServer

#: No more than a machine with two cores runs at a time.
TELLS = (
    "echo tapisjob-progress: 12/30 step 12",
    """echo '{"percent": 40, "message": "step 12"}' > progress.json""",
)


def waiting_for(gate: Path) -> str:
    return f"until [ -e {gate} ]; do sleep 0.1; done\n"


def test_running_jobs_tell_how_far_they_are_without_any_network(
    tapis: Tapis, until: Callable[..., None], tmp_path: Path
) -> None:
    gate = tmp_path / "go"
    scripts = [f"{tells}\n{waiting_for(gate)}" for tells in TELLS]
    jobs = [tapis.submit("bash", script=script, maxMinutes=5) for script in scripts]
    for job in jobs:
        until(lambda job=job: job.progress == 40)
        assert (job.progress_message, job.status) == ("step 12", "RUNNING")
    gate.touch()
    for job in jobs:
        assert job.wait().status == "FINISHED"
        assert job.progress == 40
    frame = tapis.jobs(progress=True).set_index("uuid")
    assert [frame.progress[job.uuid] for job in jobs] == [40.0, 40.0]
    assert frame.progressMessage[jobs[0].uuid] == "step 12"
    assert "progress" not in tapis.jobs(limit=1).columns


def test_what_a_job_says_last_is_kept_after_its_end(
    tapis: Tapis, until: Callable[..., None], tmp_path: Path
) -> None:
    gate = tmp_path / "go"
    script = f"echo tapisjob-progress: 40%\n{waiting_for(gate)}echo tapisjob-progress: 100% all done\n"
    job = tapis.submit("bash", script=script, maxMinutes=5)
    until(lambda: job.progress == 40)
    gate.touch()
    job.wait()
    assert (job.progress, job.progress_message) == (100, "all done")
    # What is no step of the job is not in its history, however often it was told.
    assert "progress" not in " ".join(job.history()["description"])


def test_the_cases_of_a_study_tell_how_far_they_are(
    tapis: Tapis, until: Callable[..., None], tmp_path: Path
) -> None:
    gate = tmp_path / "go"
    script = f"echo tapisjob-progress: {{{{ k }}}}/4 step {{{{ k }}}}\n{waiting_for(gate)}"
    study = tapis.study("steps", "bash", cases={"k": [1, 3]}, script=script, maxMinutes=5).run()
    until(lambda: study.frame(progress=True).progress.tolist() == [25.0, 75.0])
    gate.touch()
    frame = study.wait(180, progress=False).frame(progress=True)
    assert frame.progress.tolist() == [25.0, 75.0]
    assert frame.progressMessage.tolist() == ["step 1", "step 3"]
    assert str(frame.progressTold.dtype) == "datetime64[us, UTC]"
    assert set(frame.columns) - set(study.frame().columns) == {"progress", "progressMessage", "progressTold"}


def test_progress_is_no_column_beside_a_parameter_of_that_name(tapis: Tapis) -> None:
    script = "echo {{ progress }}"
    study = tapis.study("named-so", "bash", cases={"progress": [1]}, script=script, maxMinutes=5).run()
    with pytest.raises(InvalidInputError, match="has a parameter 'progress'"):
        study.frame(progress=True)
    assert study.frame().progress.tolist() == [1]


def test_progress_that_makes_no_sense_is_told_and_the_job_goes_on(
    tapis: Tapis, until: Callable[..., None], tmp_path: Path
) -> None:
    gate = tmp_path / "go"
    script = f"echo tapisjob-progress: 40%\n{waiting_for(gate)}echo tapisjob-progress: 140% too much\n"
    script += waiting_for(tmp_path / "end")
    job = tapis.submit("bash", script=script, maxMinutes=5)
    until(lambda: job.progress == 40)
    gate.touch()
    until(lambda: job.refresh().progress_message)
    assert job.progress_message == "⚠ tapisjob-progress: '140' is not a number from 0 to 100 (%)."
    assert job.progress == 40
    (tmp_path / "end").touch()
    assert job.wait().status == "FINISHED"


def test_jobs_of_a_cluster_tell_it_too(cluster: Tapis, until: Callable[..., None]) -> None:
    script = "echo tapisjob-progress: 12/30 step 12\nsleep 600\n"
    job = cluster.submit("bash", script=script, execSystemId="cluster", maxMinutes=12)
    try:
        until(lambda: job.progress == 40)
        assert (job.progress_message, job.status) == ("step 12", "RUNNING")
    finally:
        job.cancel()


# -- callbacks


@pytest.fixture(scope="module")
def called(
    running_server: Callable[..., AbstractContextManager[TestServer]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tapis]:
    """A client of a server that jobs may call back."""
    port = free_port()
    address = f"--TapisJobsApp.callback_url=http://127.0.0.1:{port}/tapis/"
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("jupyter_tapis_jobs.servers.free_port", lambda: port)
            server = stack.enter_context(running_server(tmp_path_factory.mktemp("called"), address))
        tapis = server.tapis()
        with closing(tapis.connection):
            yield tapis


#: One line, as the README has it.
CALL = """curl -sS -H "X-Tapis-Callback-Token: $TAPISJOBS_CALLBACK_TOKEN" "$TAPISJOBS_CALLBACK_URL" """


def test_a_running_job_calls_back_by_one_line_of_curl(
    called: Tapis, until: Callable[..., None], tmp_path: Path
) -> None:
    gate, end = tmp_path / "go", tmp_path / "end"
    script = f"""{CALL} -d progress=12/30 -d "message=step 12"
{waiting_for(gate)}{CALL} -d '{{"progress": 140}}'
{CALL} -H "X-Tapis-Callback-Token: wrong" -d progress=50
{CALL} -d '{{"progress": {{"done": 3, "total": 4}}}}'
{CALL} -X POST
{waiting_for(end)}"""
    job = called.submit("bash", script=script, maxMinutes=5)
    until(lambda: job.progress == 40)
    assert job.progress_message == "step 12"
    gate.touch()
    until(lambda: job.progress == 75)
    assert job.status == "RUNNING"
    end.touch()
    printed = job.wait().read("tapisjob.out")
    assert printed.count('{"success":true}') == 3
    assert "progress 140 is not a number from 0 to 100" in printed
    assert job.progress == 75


def test_a_job_of_a_cluster_calls_back_as_well(called: Tapis, rig: Rig, until: Callable[..., None]) -> None:
    called.add_host("cluster", **rig.reaching())
    script = f"""{CALL} -d progress=12/30 -d "message=step 12"\nsleep 600\n"""
    job = called.submit("bash", script=script, execSystemId="cluster", maxMinutes=12)
    try:
        # The call makes the engine look: it need not wait for the scheduler's next round.
        until(lambda: job.status == "RUNNING" and job.progress == 40)
        assert job.progress_message == "step 12"
        until(lambda: '{"success":true}' in job.read("tapisjob.out"))
    finally:
        job.cancel()


def test_a_callback_needs_the_token_of_its_own_job_and_is_told_no_more(
    called: Tapis, until: Callable[..., None], tmp_path: Path
) -> None:
    end = tmp_path / "end"
    one = called.submit("bash", script=f"echo $TAPISJOBS_CALLBACK_TOKEN\n{waiting_for(end)}", maxMinutes=5)
    other = called.submit("bash", script=waiting_for(end), maxMinutes=5)
    token = until(lambda: one.status == "RUNNING" and one.read("tapisjob.out").strip())
    base = called.connection.url

    def call(uuid: str, token: str, **sent: object) -> httpx.Response:
        headers = {"X-Tapis-Callback-Token": token}
        return httpx.post(f"{base}/v3/jobs/{uuid}/callback", headers=headers, **sent)  # type: ignore[arg-type]

    refused = [
        call(other.uuid, token, json={"progress": 5}),
        call(other.uuid, "", json={"progress": 5}),
        call(one.uuid, token[:-1] + "g", json={"progress": 140}),
        call(one.uuid, "no token", json={}),
        call("no-such-job", token, json={}),
    ]
    assert {answer.status_code for answer in refused} == {403}
    assert len({answer.json()["message"] for answer in refused}) == 1
    assert call(one.uuid, token, json={"progress": 140}).status_code == 400
    assert call(one.uuid, token, content=b"x" * 5000).status_code == 413
    assert call(one.uuid, token).json() == {"success": True}
    assert (one.progress, other.progress) == (None, None)
    whole = str(dict(one.refresh().row)) + one.history().to_csv() + str(one.request())
    assert token not in whole
    assert "TAPISJOBS_CALLBACK" not in whole
    end.touch()
    one.wait()
    answer = call(one.uuid, token, json={"progress": 99})
    assert answer.json() == {"success": False, "message": f"Job {one.uuid} has ended; nothing was changed."}
    assert one.progress is None


def test_jobs_are_told_no_address_where_the_server_has_none(tapis: Tapis) -> None:
    job = tapis.submit("bash", script="env", maxMinutes=5)
    assert "TAPISJOBS_CALLBACK" not in job.wait().read("tapisjob.out")
