"""A job in the notebook: its outputs, its end, finding many, collecting from many."""

import io
import zipfile

import httpx
import pandas as pd
import pytest
from fake_tapis import FakeTapis

from jupyter_tapis_jobs.client.failure import failure_of
from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError, JobError, NotFoundError

STARTED = "2026-11-21T05:00:01.000000Z"


def test_reading_gives_what_is_there_while_the_job_runs(fake, tapis):
    uuid = fake.add_job("RUNNING")
    fake.outputs[uuid] = {"tapisjob.out": b"step 1\n"}
    assert tapis.job(uuid).read() == "step 1\n"


def test_a_misspelt_output_names_the_nearest_and_those_that_are_there(fake, tapis):
    uuid = fake.add_job("FINISHED", name="frame-1")
    fake.outputs[uuid] = {"disp.csv": b"a\n1\n", "tapisjob.out": b""}
    with pytest.raises(NotFoundError) as caught:
        tapis.job(uuid).read("disp.cvs")
    assert caught.value.message == (
        "disp.cvs is not among the outputs of frame-1. Did you mean 'disp.csv'? "
        "Files: disp.csv, tapisjob.out."
    )


def test_a_queued_job_has_no_outputs_yet_and_that_is_said(fake, tapis):
    with pytest.raises(JobError, match="has no outputs yet: it is QUEUED"):
        tapis.job(fake.add_job("QUEUED")).read()


def test_read_csv_of_a_running_job_names_the_call_that_waits(fake, tapis):
    uuid = fake.add_job("RUNNING", name="frame-1")
    with pytest.raises(JobError, match=r"wants a finished job: frame-1 is RUNNING\. job\.wait\(\) waits"):
        tapis.job(uuid).read_csv("disp.csv")


def test_read_csv_of_a_failed_job_tells_its_last_words(fake, tapis):
    uuid = fake.add_job("FAILED", name="frame-1", exitCode=1, remoteStarted=STARTED)
    fake.outputs[uuid] = {"tapisjob.out": b"Traceback\nModuleNotFoundError: No module named 'scipy'\n"}
    with pytest.raises(JobError, match="frame-1 FAILED: exit code 1: ModuleNotFoundError"):
        tapis.job(uuid).read_csv("disp.csv")


def test_a_finished_csv_is_a_frame(fake, tapis):
    uuid = fake.add_job("FINISHED")
    fake.outputs[uuid] = {"disp.csv": b"t,u\n0,1.5\n"}
    assert tapis.job(uuid).read_csv("disp.csv").to_dict("list") == {"t": [0], "u": [1.5]}


def test_one_output_is_downloaded_whole_or_not_at_all(fake, tapis, tmp_path):
    uuid = fake.add_job("FINISHED")
    fake.outputs[uuid] = {"out/a.txt": b"abc"}
    job = tapis.job(uuid)
    assert job.download("out/a.txt", to=tmp_path / "new").read_bytes() == b"abc"
    with pytest.raises(NotFoundError):
        job.download("b.txt", to=tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return buffer.getvalue()


def test_all_outputs_come_as_a_folder_named_by_the_job(fake, tapis, tmp_path):
    uuid = fake.add_job("FINISHED")
    fake.instead[f"/v3/jobs/{uuid}/output/download/"] = lambda request: httpx.Response(
        200, content=zipped(a="1", deep__b="2")
    )
    folder = tapis.job(uuid).download(to=tmp_path)
    assert folder == tmp_path / f"jobs-{uuid}"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) == ["a", "deep", "deep/b"]


def test_an_archive_that_reaches_outside_its_folder_is_refused_whole(fake, tapis, tmp_path):
    uuid = fake.add_job("FINISHED")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("good.txt", "1")
        packed.writestr("../../evil.txt", "2")
    fake.instead[f"/v3/jobs/{uuid}/output/download/"] = lambda request: httpx.Response(
        200, content=archive.getvalue()
    )
    with pytest.raises(InvalidInputError, match="lies outside"):
        tapis.job(uuid).download(to=tmp_path / "here")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_outputs_are_named_below_the_output_directory(fake, tapis):
    uuid = fake.add_job("FINISHED")
    fake.outputs[uuid] = {"deep/x.txt": b"12", "a.txt": b"1"}
    assert tapis.job(uuid).outputs()[["path", "size"]].values.tolist() == [["a.txt", 1], ["deep/x.txt", 2]]


def test_results_are_what_the_program_wrote(fake, tapis):
    uuid = fake.add_job("FINISHED", fileInputs='[{"targetPath": "script.py"}, {"targetPath": "data"}]')
    names = [
        "script.py",
        "data/a.txt",
        "tapisjob.sh",
        "tapisjob.env",
        "tapisjob_app.sh",
        "tapisjob.out",
        "disp.csv",
    ]
    fake.outputs[uuid] = dict.fromkeys(names, b"")
    assert [row["path"] for row in tapis.job(uuid).results()] == ["disp.csv", "tapisjob.out"]


def test_on_a_tenant_outputs_are_read_by_the_files_service():
    tenant = FakeTapis(ours=False)
    uuid = tenant.add_job("FINISHED")
    tenant.outputs[uuid] = {"tapisjob.out": b"hello"}
    assert tenant.tapis().job(uuid).read() == "hello"
    assert tenant.calls[-1][1] == f"/v3/files/content/local/data/work/{uuid}/tapisjob.out"


def test_the_history_is_a_frame_with_times(fake, tapis):
    uuid = fake.add_job()
    fake.move(uuid, "RUNNING")
    table = tapis.job(uuid).history()
    assert table["eventDetail"].tolist() == ["PENDING", "RUNNING"]
    assert str(table["created"].dtype) == "datetime64[us, UTC]"


def test_cancelling_an_ended_job_is_a_conflict_in_the_servers_words(fake, tapis):
    with pytest.raises(ConflictError, match="has ended"):
        tapis.job(fake.add_job("FINISHED")).cancel()


def test_many_are_cancelled_in_one_call_with_a_result_each(fake, tapis):
    jobs = [tapis.job(fake.add_job("RUNNING")) for _ in range(3)]
    assert tapis.cancel(jobs)["status"].tolist() == ["success"] * 3
    assert fake.calls[-1] == ("POST", "/v3/jobs/cancel/bulk")


def test_on_a_tenant_a_cancel_that_fails_does_not_stop_the_others():
    tenant = FakeTapis(ours=False)
    uuids = [tenant.add_job(status) for status in ("FINISHED", "RUNNING")]
    table = tenant.tapis().cancel(uuids)
    assert table["status"].tolist() == ["error", "success"]
    assert tenant.jobs[uuids[1]]["status"] == "CANCELLED"


# --- tables ----------------------------------------------------------------------------------
def test_the_table_of_jobs_has_the_same_columns_and_types_when_it_is_empty(fake, tapis):
    empty = tapis.jobs()
    fake.add_job("FINISHED", ended="2026-11-21T05:00:09.000000Z")
    fake.add_job("RUNNING")
    full = tapis.jobs()
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert list(full["status"]) == ["RUNNING", "FINISHED"]
    assert full["ended"].tolist()[0] is pd.NaT
    assert str(full["ended"].dtype) == "datetime64[us, UTC]"


def test_filters_are_the_servers_work(fake, tapis):
    fake.add_job("FAILED")
    fake.add_job("FINISHED")
    assert list(tapis.jobs(status="failed")["status"]) == ["FAILED"]
    tapis.jobs(
        status=["FAILED", "CANCELLED"], app="bash", name="run*", since="7d", condition="timeout", limit=5
    )
    query = fake.queries[-1]
    assert query["status.in"] == "FAILED,CANCELLED"
    assert query["appId.eq"] == "bash"
    assert query["name.like"] == "run*"
    assert "SCHEDULER_TIMEOUT" in query["condition.in"].split(",")
    assert query["limit"] == "5"
    assert query["created.gte"].endswith("Z")


def test_a_tenants_jobs_come_page_by_page_and_none_is_left_out(monkeypatch):
    from jupyter_tapis_jobs.client import job_lists as module

    monkeypatch.setattr(module, "_PAGE", 10)
    tenant = FakeTapis(ours=False)
    uuids = [tenant.add_job("FINISHED") for _ in range(25)]
    assert tenant.tapis().jobs()["uuid"].tolist() == uuids[::-1]
    assert len(tenant.tapis().jobs(limit=12)) == 12


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"status": "FAILD"}, "'FAILD' is not a status of Tapis. Did you mean 'FAILED'?"),
        ({"stauts": "FAILED"}, "Jobs cannot be filtered by 'stauts'. Did you mean 'status'?"),
        ({"since": "a week"}, "since='a week' is not a time. Expected '7d'"),
        ({"status": []}, "asks for no job at all"),
    ],
)
def test_a_filter_that_cannot_be_is_explained(tapis, filters, words):
    with pytest.raises(InvalidInputError) as caught:
        tapis.jobs(**filters)
    assert words in caught.value.message


def test_collect_makes_one_frame_with_the_job_of_each_row(fake, tapis):
    jobs = []
    for k in range(3):
        uuid = fake.add_job("FINISHED")
        fake.outputs[uuid] = {"disp.csv": f"u\n{k}\n{k + 1}\n".encode()}
        jobs.append(tapis.job(uuid))
    table = tapis.collect(jobs, "disp.csv")
    assert list(table.columns) == ["jobUuid", "u"]
    assert table["u"].tolist() == [0, 1, 1, 2, 2, 3]
    assert table["jobUuid"].tolist() == [job.uuid for job in jobs for _ in range(2)]
    assert tapis.collect(tapis.jobs(), "disp.csv")["u"].sum() == table["u"].sum()
    assert list(tapis.collect([], "disp.csv").columns) == ["jobUuid"]


def test_collect_names_the_jobs_that_are_not_finished(fake, tapis):
    uuids = [
        fake.add_job("FINISHED", name="a"),
        fake.add_job("RUNNING", name="b"),
        fake.add_job("FAILED", name="c", condition="SCHEDULER_TIMEOUT", maxMinutes=10),
    ]
    with pytest.raises(JobError) as caught:
        tapis.collect(uuids, "disp.csv")
    assert "2 of 3 are not: b RUNNING, c FAILED (stopped at the time limit of 10 min)" in caught.value.message


def test_apps_systems_and_definitions_show_what_is_needed_to_use_them(tapis):
    assert tapis.apps()["id"].tolist() == ["bash", "python", "opensees-py"]
    assert tapis.systems()["id"].tolist() == ["local", "frontera"]
    assert "inputs: script (required)" in repr(tapis.app("bash"))
    assert "queues: normal, large" in repr(tapis.system("frontera"))


# --- failures --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("job", "tail", "said"),
    [
        (
            {"condition": "SCHEDULER_TIMEOUT", "maxMinutes": 20},
            ["step 3 of 5"],
            "stopped at the time limit of 20 min; last line: step 3 of 5.   → job.resubmit(maxMinutes=40)",
        ),
        (
            {"condition": "SCHEDULER_OUT_OF_MEMORY", "memoryMB": 4000},
            [],
            "out of memory: more than 4000 MB.   → job.resubmit(memoryMB=8000)",
        ),
        (
            {"exitCode": 1},
            ["ModuleNotFoundError: No module named 'scipy'"],
            "exit code 1: ModuleNotFoundError: No module named 'scipy'.   "
            "→ install scipy for the Python that runs the job (TAPIS_PYTHON), or use an app that has it",
        ),
        ({"exitCode": 139}, [], "stopped by signal 11.   → job.history()"),
        (
            {"exitCode": 137, "jobType": "BATCH", "memoryMB": 500},
            ["case 3"],
            "killed (exit code 137), most often for want of memory: case 3.   → job.resubmit(memoryMB=1000)",
        ),
        ({"exitCode": 137, "jobType": "FORK"}, [], "stopped by signal 9.   → job.history()"),
        (
            {"lastMessage": "the image cannot be read."},
            [],
            "the image cannot be read.   → job.history()",
        ),
    ],
)
def test_a_failure_is_cause_evidence_and_next_step(job, tail, said):
    assert str(failure_of({"status": "FAILED", **job}, tail)) == said


def test_a_job_that_did_not_fail_has_no_failure():
    assert failure_of({"status": "FINISHED", "exitCode": 0}) is None


# --- how it is started ------------------------------------------------------------------------
def test_the_launch_mode_is_asked_for_until_it_is_settled(fake, tapis):
    uuid = fake.add_job("SUBMITTING_JOB", launchMode="auto", launchReason=None)
    job = tapis.job(uuid)
    assert (job.launchMode, job.launchReason) == ("auto", None)
    fake.jobs[uuid] |= {"launchMode": "array", "launchReason": "arrays are allowed"}
    assert (job.launchMode, job.launchReason) == ("array", "arrays are allowed")
    asked = len(fake.calls)
    assert job.launchMode == "array"
    assert len(fake.calls) == asked


@pytest.mark.parametrize("jobs", [None, 5, object()])
def test_what_is_no_list_of_jobs_is_refused_with_what_would_be_one(tapis, jobs):
    with pytest.raises(
        InvalidInputError, match=r"is no list of jobs\. .* tapis\.jobs\(\), study\.frame\(\)\."
    ):
        tapis.collect(jobs, "u.csv")


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"exitCode": 3}, 3),
        ({"remoteResultInfo": "3"}, 3),
        ({"remoteResultInfo": "it was removed"}, None),
        ({}, None),
    ],
)
def test_the_exit_code_is_known_whether_news_or_the_job_itself_told_it(fake, tapis, told, code):
    job = tapis.submit("bash", script="exit 3")
    fake.move(job.uuid, "FAILED", **told)
    assert job.refresh().exit_code == code
