"""A person of DesignSafe works with unmodified dapi in a running lab: from the sign-in to the cleaning up."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import httpx
import pytest

pytestmark = [
    pytest.mark.needs("dapi", "jupyterlab"),
    # tapipy opens what it uploads, and does not close it.
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
    ),
]

ME, ADA = getpass.getuser(), "ada"
#: Systems that dapi knows by name: where MyData lies, and the cluster that its templates are for.
STORAGE, CLUSTER = "designsafe.storage.default", "stampede3"
APP = "pushover"
QUEUE = {"name": "skx", "hpcQueueName": "development", "maxNodeCount": 2, "maxMinutes": 10}
BATCH = {
    "canExec": True,
    "canRunBatch": True,
    "batchScheduler": "SLURM",
    "batchDefaultLogicalQueue": "skx",
    "batchLogicalQueues": [QUEUE],
    "jobWorkingDir": "HOST_EVAL($HOME)/dapi/work/${JobUUID}",
    "jobRuntimes": [{"runtimeType": "ZIP"}],
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory, running_server):
    options = ("--TapisJobsApp.host_key_policy=accept-new",)
    with running_server(tmp_path_factory.mktemp("lab"), *options, module="jupyterlab") as running:
        yield running


@pytest.fixture(scope="module")
def ds(lab, rig):
    """dapi's client, signed in by name and password, of a tenant with a storage and a real cluster."""
    from dapi import DSClient

    found = DSClient(base_url=f"{lab.url}tapis", username=ME, password=lab.token)
    login, home = rig.hosts["login1"], rig.ssh("mkdir -p dapi; pwd").strip()
    for name, more in ((STORAGE, {"canExec": False, "rootDir": f"{home}/dapi"}), (CLUSTER, BATCH)):
        found.tapis.systems.createSystem(
            id=name, host=login.host, port=login.port, systemType="LINUX", defaultAuthnMethod="PKI_KEYS",
            effectiveUserId="${apiUserId}", **{"rootDir": "/", **more},
        )  # fmt: skip
        found.tapis.systems.createUserCredential(
            systemId=name, userName=ME, loginUser=login.user, privateKey=rig.key.read_text(), publicKey="x"
        )
    yield found
    rig.ssh("rm -rf dapi")


@pytest.fixture(scope="module")
def ada(lab):
    """The same client of another person, who was given a token."""
    from dapi import DSClient
    from tapipy.tapis import Tapis

    answer = httpx.post(
        f"{lab.url}tapis/v3/tapisjobs/tokens",
        headers={"Authorization": f"token {lab.token}"},
        json={"username": ADA},
    )
    token = answer.json()["result"]["access_token"]["access_token"]
    return DSClient(tapis_client=Tapis(base_url=f"{lab.url}tapis", access_token=token))


@pytest.fixture(scope="module")
def app(ds, tmp_path_factory) -> Path:
    """Return the folder of an app: dapi's own template, deployed as it is."""
    folder = Path(ds.apps.new(APP, target_dir=str(tmp_path_factory.mktemp("apps")), template="zip"))
    assert ds.apps.deploy(str(folder))["version"] == "0.1.0"
    return folder


@pytest.fixture(scope="module")
def inputs(ds, tmp_path_factory) -> str:
    """Return the address of an uploaded input directory, its name with a space."""
    model = tmp_path_factory.mktemp("inputs") / "my model.txt"
    model.write_text("12 storeys\n")
    folder = ds.files.to_uri("/MyData/dapi run")
    ds.tapis.files.mkdir(systemId=STORAGE, path=f"{ME}/dapi run")
    ds.files.upload(str(model), f"{folder}/my model.txt")
    return str(folder)


@pytest.fixture(scope="module")
def submitted(ds, app, inputs):
    """Submit one job of the app."""

    def submit(command: str, **options):
        request = ds.jobs.generate(
            app_id=APP,
            input_dir_uri=inputs,
            allocation="DS-123",
            cores_per_node=1,
            memory_mb=200,
            max_minutes=5,
            extra_env_vars=[{"key": "COMMAND", "value": command}],
            **options,
        )
        return ds.jobs.submit(request)

    return submit


@pytest.fixture(scope="module")
def done(submitted):
    """Return a job that dapi has watched to its end."""
    job = submitted("cat 'my model.txt'; mkdir -p sub; echo 1,2 > sub/disp.csv", job_name="dapi done")
    assert job.monitor(interval=0.1) == "FINISHED"
    return job


def test_systems_are_listed_with_their_queues(ds):
    found = ds.systems.list().set_index("id")
    assert found["category"].to_dict() == {"local": "hpc", STORAGE: "storage", CLUSTER: "hpc"}
    queues = ds.systems.queues(CLUSTER)
    assert queues[["name", "hpcQueue", "maxNodes"]].to_dict("records") == [
        {"name": "skx", "hpcQueue": "development", "maxNodes": 2}
    ]


def test_credentials_are_looked_up_and_taken_away(ds, rig):
    assert ds.systems.check_credentials(CLUSTER) is True
    assert ds.systems.check_credentials("local") is True
    assert ds.systems.check_credentials("no-such-system") is False
    ds.tapis.systems.createSystem(id="other", host="login9.example.org", systemType="LINUX",
                                  defaultAuthnMethod="PKI_KEYS", canExec=False, rootDir="/")  # fmt: skip
    ds.systems.revoke_credentials("other")
    assert ds.systems.check_credentials("other") is False


def test_a_system_without_tapis_key_service_says_so(ds):
    from dapi.exceptions import CredentialError

    with pytest.raises(CredentialError, match="not 'TMS_KEYS'"):
        ds.systems.establish_credentials("local")


def test_a_wrong_password_is_an_authentication_error(lab):
    from dapi import DSClient
    from dapi.exceptions import AuthenticationError

    with pytest.raises(AuthenticationError, match="Name or password is wrong"):
        DSClient(base_url=f"{lab.url}tapis", username=ME, password="wrong")


def test_files_are_uploaded_listed_and_downloaded(ds, inputs, tmp_path):
    assert [row.name for row in ds.files.list(inputs)] == ["my model.txt"]
    ds.files.download(f"{inputs}/my model.txt", str(tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_text() == "12 storeys\n"


def test_an_app_is_deployed_found_and_deployed_again(ds, app):
    spec = json.loads((app / "app.json").read_text())
    (app / "app.json").write_text(json.dumps({**spec, "description": "the second try"}))
    assert ds.apps.deploy(str(app))["container_image"].startswith(f"tapis://{STORAGE}/")
    assert [found.id for found in ds.apps.find("push", verbose=False)] == [APP]
    assert ds.apps.get_details(APP, verbose=False).description == "the second try"


def test_a_job_is_watched_and_its_outputs_are_read(ds, done, tmp_path, capsys):
    assert done.archive_uri.startswith(f"tapis://{STORAGE}/{ME}/tapis-jobs-archive/")
    assert "12 storeys" in done.get_output_content("tapisjob.out").splitlines()
    assert {"tapisjob.out", "inputDirectory"} <= {row.name for row in done.list_outputs()}
    assert "disp.csv" in {row.name for row in done.list_outputs("inputDirectory/sub")}
    done.download_output("inputDirectory/sub/disp.csv", str(tmp_path / "disp.csv"))
    assert (tmp_path / "disp.csv").read_text() == "1,2\n"
    capsys.readouterr()
    done.print_runtime_summary(verbose=True)
    told = capsys.readouterr().out
    assert "TOTAL   time:" in told
    assert "FINISHED" in told


def test_jobs_are_listed_as_a_frame(ds, done):
    found = ds.jobs.list(app_id=APP, status="finished")
    assert done.uuid in set(found["uuid"])
    assert str(found["created_dt"].dtype).endswith("UTC]")


def test_a_failed_job_says_so(submitted):
    job = submitted("echo no such model >&2; exit 3")
    assert job.monitor(interval=0.1) == "FAILED"
    assert "no such model" in job.get_output_content("tapisjob.out")


def test_a_running_job_is_cancelled(submitted, until):
    job = submitted("exec sleep 600")
    until(lambda: job.get_status() == "RUNNING")
    job.cancel()
    until(lambda: job.get_status() == "CANCELLED")


def test_a_job_is_shared_with_a_person_of_the_tenant(ds, ada, done):
    told = done.share(user_id=ADA)
    assert told["grantees"] == [ADA]
    assert set(done.shares["resource"]) == {"JOB_HISTORY", "JOB_RESUBMIT_REQUEST", "JOB_OUTPUT", "JOB_INPUT"}
    assert set(done.shares["createdBy"]) == {ME}
    assert done.uuid in set(ada.jobs.list(list_type="SHARED_JOBS")["uuid"])
    assert ada.jobs.job(done.uuid).get_status() == "FINISHED"
    text = ada.tapis.jobs.getJobOutputDownload(jobUuid=done.uuid, outputPath="tapisjob.out")
    assert b"12 storeys" in text


def test_a_stranger_to_the_tenant_is_given_nothing(done):
    with pytest.raises(ValueError, match="'nobody-of-us' not found"):
        done.share(user_id="nobody-of-us")


def test_nothing_is_left_when_all_is_cleaned_up(ds, app, inputs):
    from dapi.exceptions import FileOperationError

    ds.tapis.files.delete(systemId=STORAGE, path=f"{ME}/dapi run")
    with pytest.raises(FileOperationError):
        ds.files.list(inputs)
    ds.tapis.apps.deleteApp(appId=APP)
    for name in (CLUSTER, STORAGE):
        ds.systems.revoke_credentials(name)
        ds.tapis.systems.deleteSystem(systemId=name)
    assert ds.apps.find("push", verbose=False) == []
    assert set(ds.systems.list()["id"]) == {"local"}
