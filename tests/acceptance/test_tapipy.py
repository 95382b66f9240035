"""Unmodified tapipy drives a real server: at Jupyter's root, and behind a hub's base URL.

What its calls look like on the wire, and which of its ways are odd, was measured; the tests follow
what public notebooks do.
"""

from __future__ import annotations

import getpass
import io
import itertools
import json
import zipfile
from datetime import datetime

import pytest
from tapipy_user import BASH, SYSTEM, ended, script, sign_in, zip_app

pytestmark = pytest.mark.needs("tapipy")

ME = getpass.getuser()
_numbers = itertools.count()


@pytest.fixture(scope="module")
def behind_a_hub(tmp_path_factory, running_server):
    """A server below the base URL that a hub gives it."""
    with running_server(tmp_path_factory.mktemp("hub"), "--ServerApp.base_url=/user/ada/") as server:
        yield server


@pytest.fixture(scope="module", params=["/", "/user/ada/"])
def front(request):
    """A server at Jupyter's root, then one below a hub's base URL."""
    return request.getfixturevalue("server" if request.param == "/" else "behind_a_hub")


@pytest.fixture(scope="module")
def tapis(front):
    return sign_in(front.url, front.token)


@pytest.fixture
def name():
    """An id that nothing has yet."""
    return f"thing-{next(_numbers)}"


@pytest.fixture
def folder(tmp_path):
    """A directory on system local, as its files are named: from the root of the machine."""
    return str(tmp_path)


@pytest.fixture
def run(tapis, until):
    """``run("echo hi")``: the job of that script, at its end."""

    def submitted(text, **fields):
        job = tapis.jobs.submitJob(name="tapipy", **BASH, fileInputs=script(text), **fields)
        ended(tapis, job, until)
        return tapis.jobs.getJob(jobUuid=job.uuid)

    return submitted


@pytest.fixture(scope="module")
def errors():
    from tapipy import errors

    return errors


# --- signing in -------------------------------------------------------------------------------
def test_name_and_password_give_a_token_with_the_users_claims(tapis):
    assert tapis.tenant_id == "jupyter"
    assert tapis.access_token.claims["tapis/username"] == ME
    assert tapis.authenticator.get_userinfo().username == ME
    assert tapis.authenticator.get_profile(username=ME).username == ME


def test_the_tenant_is_found_by_the_base_url_as_it_was_written(tapis):
    assert [tenant.base_url for tenant in tapis.tenants.list_tenants()] == [tapis.base_url]
    assert tapis.tenants.get_tenant(tenant_id="jupyter").base_url == tapis.base_url
    assert tapis.tenants.list_sites()[0].site_id == "jupyter"


def test_a_wrong_password_is_an_unauthorized_error(front, errors):
    with pytest.raises(errors.UnauthorizedError, match="password is the Jupyter server's token"):
        sign_in(front.url, "wrong")


def test_a_token_signs_in_without_a_password(front, tapis):
    from tapipy.tapis import Tapis

    other = Tapis(base_url=tapis.base_url, access_token=tapis.access_token.access_token)
    assert other.jobs.checkHealth().status == "ok"
    assert isinstance(other.jobs.getJobList(limit=1), list)


def test_a_token_that_is_none_of_ours_is_an_unauthorized_error(tapis, errors):
    from tapipy.tapis import Tapis

    stranger = Tapis(base_url=tapis.base_url)
    with pytest.raises(errors.UnauthorizedError, match="Sign in first") as caught:
        stranger.jobs.getJobList()
    assert caught.value.version
    assert caught.value.response.status_code == 401


# --- systems ----------------------------------------------------------------------------------
def test_a_system_lives_from_create_to_undelete(tapis, name, errors):
    tapis.systems.createSystem(id=name, **SYSTEM)
    assert tapis.systems.getSystem(systemId=name).host == "login1.example.org"
    tapis.systems.patchSystem(systemId=name, description="a second thought")
    assert tapis.systems.getSystem(systemId=name).description == "a second thought"
    tapis.systems.putSystem(systemId=name, **{**SYSTEM, "host": "login2.example.org"})
    assert tapis.systems.getSystem(systemId=name).host == "login2.example.org"
    tapis.systems.disableSystem(systemId=name)
    assert tapis.systems.isEnabled(systemId=name).aBoolean is False
    tapis.systems.enableSystem(systemId=name)
    assert tapis.systems.isEnabled(systemId=name).aBoolean is True
    assert tapis.systems.deleteSystem(systemId=name).changes == 1
    with pytest.raises(errors.NotFoundError, match=name):
        tapis.systems.getSystem(systemId=name)
    assert tapis.systems.undeleteSystem(systemId=name).changes == 1
    operations = [change.operation for change in tapis.systems.getHistory(systemId=name)]
    assert operations == ["CREATE", "MODIFY", "MODIFY", "DISABLE", "ENABLE", "DELETE", "UNDELETE"]


def test_systems_are_searched_in_every_form(tapis, name):
    tapis.systems.createSystem(id=name, **SYSTEM)
    by_list = tapis.systems.getSystems(search=f"(id.eq.{name})~(enabled.eq.true)", select="id,host")
    by_query = tapis.systems.searchSystemsQueryParameters(
        freeFormParameterName={}, _tapis_query_parameters={"id.like": f"{name}*"}
    )
    by_clause = tapis.systems.searchSystemsRequestBody(search=[f"id = '{name}'", " AND can_exec = true"])
    assert [system.id for found in (by_list, by_query, by_clause) for system in found] == [name] * 3
    assert vars(by_list[0]) == {"id": name, "host": "login1.example.org"}
    assert "local" in [system.id for system in tapis.systems.getSystems(listType="ALL", limit=-1)]


def test_a_system_that_is_there_already_is_a_conflict(tapis, name, errors):
    tapis.systems.createSystem(id=name, **SYSTEM)
    with pytest.raises(errors.BaseTapyException, match="SYSAPI_SYS_EXISTS") as caught:
        tapis.systems.createSystem(id=name, **SYSTEM)
    assert caught.value.response.status_code == 409


def test_every_attribute_of_a_system_is_there_even_when_it_is_null(tapis):
    local = tapis.systems.getSystem(systemId="local")
    assert {"notes", "tags", "batchLogicalQueues", "dtnSystemId", "jobEnvVariables"} <= vars(local).keys()
    assert local.rootDir == "/"


def test_this_machine_needs_no_credential(tapis):
    assert tapis.systems.checkUserCredential(systemId="local", userName=ME) is not None


# --- apps -------------------------------------------------------------------------------------
def test_an_app_lives_from_create_to_undelete(tapis, name, errors):
    app = {"containerImage": "/nowhere.zip", "runtime": "ZIP", "jobAttributes": {"execSystemId": "local"}}
    for version in ("1", "2"):
        tapis.apps.createAppVersion(id=name, version=version, **app)
    assert tapis.apps.getAppLatestVersion(appId=name).version == "2"
    one = {"appId": name, "appVersion": "1"}
    tapis.apps.patchApp(**one, description="a second thought")
    assert tapis.apps.getApp(**one).description == "a second thought"
    assert tapis.apps.getApp(appId=name, appVersion="2").description is None
    tapis.apps.putApp(**one, **app, tags=["new"])
    assert tapis.apps.getApp(**one).tags == ["new"]
    tapis.apps.disableApp(appId=name)
    assert tapis.apps.isEnabled(appId=name).aBoolean is False
    tapis.apps.enableApp(appId=name)
    tapis.apps.disableAppVersion(**one)
    assert tapis.apps.getApp(**one).versionEnabled is False
    tapis.apps.enableAppVersion(**one)
    tapis.apps.lockApp(**one)
    with pytest.raises(errors.BaseTapyException, match="locked"):
        tapis.apps.patchApp(**one, description="too late")
    tapis.apps.unlockApp(**one)
    assert tapis.apps.deleteApp(appId=name).changes == 1
    with pytest.raises(errors.NotFoundError, match=name):
        tapis.apps.getApp(**one)
    assert tapis.apps.undeleteApp(appId=name).changes == 1
    assert tapis.apps.getHistory(appId=name)[0].operation == "CREATE"


def test_apps_are_searched_in_every_form(tapis, name):
    tapis.apps.createAppVersion(id=name, version="1", containerImage="/x.zip", runtime="ZIP")
    by_list = tapis.apps.getApps(search=f"(id.like.*{name}*)", listType="ALL", select="id,version,owner")
    by_query = tapis.apps.searchAppsQueryParameters(
        freeFormParameterName={}, _tapis_query_parameters={"id.eq": name}
    )
    by_clause = tapis.apps.searchAppsRequestBody(search=[f"id = '{name}'"])
    assert [app.id for found in (by_list, by_query, by_clause) for app in found] == [name] * 3
    assert vars(by_list[0]) == {"id": name, "version": "1", "owner": ME}


def test_an_app_that_is_there_already_is_told_in_the_words_that_dapi_looks_for(tapis, errors):
    with pytest.raises(errors.BaseTapyException, match="already exists") as caught:
        tapis.apps.createAppVersion(id="bash", version="1.0", containerImage="/x.zip", runtime="ZIP")
    assert "APPAPI_APP_EXISTS" in caught.value.message


def test_every_attribute_of_an_app_is_there_even_when_it_is_null(tapis):
    attributes = vars(tapis.apps.getApp(appId="python", appVersion="1.0").jobAttributes)
    assert {"archiveSystemDir", "mpiCmd", "subscriptions", "tags", "fileInputArrays"} <= attributes.keys()
    parts = vars(attributes["parameterSet"]).keys()
    assert {"appArgs", "containerArgs", "schedulerOptions", "envVariables", "archiveFilter"} <= parts


# --- files ------------------------------------------------------------------------------------
@pytest.mark.parametrize("file_name", ["plain.txt", "with space.txt", "ä #1?.txt", "100%.txt", "a+b&c.txt"])
def test_a_file_comes_back_byte_for_byte(tapis, folder, file_name):
    from urllib.parse import quote

    content = bytes(range(256)) * 5
    # tapipy pastes a path into the URL: what would end the path there has to be quoted before.
    path = quote(f"{folder}/{file_name}")
    tapis.files.insert(systemId="local", path=path, file=content)
    assert tapis.files.getContents(systemId="local", path=path) == content
    assert [row.name for row in tapis.files.listFiles(systemId="local", path=folder)] == [file_name]


# tapipy's upload leaves the file open.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.filterwarnings("ignore:unclosed file.*mine.txt:ResourceWarning")
def test_a_file_of_this_machine_is_uploaded_and_a_text_is_sent_as_content(tapis, folder, tmp_path):
    (tmp_path / "mine.txt").write_bytes(b"from the disk")
    tapis.upload(
        source_file_path=str(tmp_path / "mine.txt"), system_id="local", dest_file_path=f"{folder}/a/b.txt"
    )
    tapis.files.insert(systemId="local", path=f"{folder}/c.txt", file="a text")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"from the disk"
    assert (tmp_path / "c.txt").read_bytes() == b"a text"


def test_a_json_file_comes_as_bytes_and_not_as_its_content(tapis, folder):
    tapis.files.insert(systemId="local", path=f"{folder}/a.json", file=b'{"status": "success"}')
    assert tapis.files.getContents(systemId="local", path=f"{folder}/a.json") == b'{"status": "success"}'


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({"range": "0,3"}, b"0123"),
        ({"Range": "bytes=2-3"}, b"23"),
        ({"range": "8,"}, b"89"),
        ({"more": "1"}, b"0123456789"),
    ],
)
def test_a_range_is_asked_for_by_header(tapis, folder, headers, part):
    path = f"{folder}/digits"
    tapis.files.insert(systemId="local", path=path, file=b"0123456789")
    assert tapis.files.getContents(systemId="local", path=path, _tapis_headers=headers) == part
    # tapipy drops what its specification has as a header.
    assert tapis.files.getContents(systemId="local", path=path, range="0,3", stream=True) == b"0123456789"


def test_directories_are_made_listed_and_sent_as_zip_files(tapis, folder):
    tapis.files.mkdir(systemId="local", path=f"{folder}/deep/er")
    tapis.files.insert(systemId="local", path=f"{folder}/deep/er/a.txt", file=b"a")
    rows = tapis.files.listFiles(systemId="local", path=folder, recurse=True)
    inside = folder.lstrip("/")
    assert [(row.path, row.type) for row in rows] == [
        (f"{inside}/deep", "dir"),
        (f"{inside}/deep/er", "dir"),
        (f"{inside}/deep/er/a.txt", "file"),
    ]
    assert rows[2].url == f"tapis://local/{inside}/deep/er/a.txt"
    packed = tapis.files.getContents(systemId="local", path=folder, zip=True)
    assert "deep/er/a.txt" in zipfile.ZipFile(io.BytesIO(packed)).namelist()
    assert [row.name for row in tapis.files.listFiles(systemId="local", path=folder, limit=1)] == ["deep"]


def test_files_are_copied_moved_and_deleted(tapis, folder, tmp_path, errors):
    path = f"{folder}/a.txt"
    tapis.files.insert(systemId="local", path=path, file=b"a")
    tapis.files.moveCopy(systemId="local", path=path, operation="COPY", newPath=f"{folder}/copy.txt")
    tapis.files.moveCopy(systemId="local", path=path, operation="MOVE", newPath=f"{folder}/moved.txt")
    assert tapis.files.getStatInfo(systemId="local", path=f"{folder}/moved.txt").size == 1
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["copy.txt", "moved.txt"]
    tapis.files.delete(systemId="local", path=f"{folder}/copy.txt")
    with pytest.raises(errors.NotFoundError, match=r"copy\.txt does not exist"):
        tapis.files.delete(systemId="local", path=f"{folder}/copy.txt")
    assert [entry.name for entry in tmp_path.iterdir()] == ["moved.txt"]


def test_the_root_is_a_slash(tapis):
    assert {"etc", "tmp"} <= {row.name for row in tapis.files.listFiles(systemId="local", path="/")}


def test_dots_that_tapipy_resolves_itself_reach_no_other_system(tapis, errors):
    with pytest.raises(errors.NotFoundError, match="no system x"):
        tapis.files.listFiles(systemId="local", path="../x")


# --- jobs -------------------------------------------------------------------------------------
def test_a_job_of_the_app_bash_runs_and_its_output_is_read(tapis, run):
    job = run("echo hello; mkdir -p sub; echo 1 > sub/a.txt; echo '{}' > b.json")
    assert (job.status, job.condition) == ("FINISHED", "NORMAL_COMPLETION")
    for path in ("tapisjob.out", "/tapisjob.out", "./tapisjob.out"):
        assert tapis.jobs.getJobOutputDownload(jobUuid=job.uuid, outputPath=path) == b"hello\n"
    assert tapis.jobs.getJobOutputDownload(jobUuid=job.uuid, outputPath="sub/a.txt") == b"1\n"
    assert tapis.jobs.getJobOutputDownload(jobUuid=job.uuid, outputPath="b.json") == b"{}\n"


def test_a_job_of_the_app_python_runs(tapis, until):
    job = tapis.jobs.submitJob(
        name="py", appId="python", appVersion="1.0", fileInputs=script("print(6 * 7, '\u00e9')")
    )
    assert ended(tapis, job, until) == "FINISHED"
    out = tapis.jobs.getJobOutputDownload(jobUuid=job.uuid, outputPath="tapisjob.out")
    assert out.decode() == "42 \u00e9\n"


def test_an_app_of_ones_own_runs_from_a_zip_file_of_this_machine(tapis, name, tmp_path, until):
    image = zip_app(tmp_path, 'echo "$1|$2|$WORD"\n')
    tapis.apps.createAppVersion(
        id=name,
        version="0.1",
        runtime="ZIP",
        containerImage=str(image),
        jobAttributes={
            "execSystemId": "local",
            "parameterSet": {
                "appArgs": [{"name": "first", "arg": "one", "inputMode": "REQUIRED"}],
                "envVariables": [{"key": "WORD", "value": "from the app"}],
            },
        },
    )
    job = tapis.jobs.submitJob(
        name="own",
        appId=name,
        appVersion="0.1",
        parameterSet={
            "appArgs": [{"arg": "'two words'"}],
            "envVariables": [{"key": "WORD", "value": "from the request"}],
        },
    )
    assert ended(tapis, job, until) == "FINISHED"
    out = tapis.jobs.getJobOutputDownload(jobUuid=job.uuid, outputPath="tapisjob.out")
    assert out == b"one|two words|from the request\n"


@pytest.mark.parametrize("path", [".", "/", "./", "//"])
def test_the_outputs_have_many_names(tapis, run, path):
    job = run("mkdir sub; echo 1 > sub/a.txt")
    rows = tapis.jobs.getJobOutputList(jobUuid=job.uuid, outputPath=path)
    assert {"sub", "a.txt", "tapisjob.out", "tapisjob.sh"} <= {row.name for row in rows}
    packed = tapis.jobs.getJobOutputDownload(jobUuid=job.uuid, outputPath=path)
    assert zipfile.ZipFile(io.BytesIO(packed)).read("sub/a.txt") == b"1\n"


@pytest.mark.parametrize("path", ["sub", "sub/", "/sub", "/sub/"])
def test_a_directory_of_the_outputs_is_listed_and_sent_as_a_zip_file(tapis, run, path):
    job = run("mkdir sub; echo 1 > sub/a.txt; echo 2 > sub/b.txt")
    rows = tapis.jobs.getJobOutputList(jobUuid=job.uuid, outputPath=path)
    assert [row.name for row in rows] == ["a.txt", "b.txt"]
    packed = tapis.jobs.getJobOutputDownload(jobUuid=job.uuid, outputPath=path)
    assert zipfile.ZipFile(io.BytesIO(packed)).read("a.txt") == b"1\n"


def test_one_file_comes_as_a_zip_file_when_that_is_asked_for(tapis, run):
    job = run("echo 1 > a.txt")
    packed = tapis.jobs.getJobOutputDownload(
        jobUuid=job.uuid, outputPath="a.txt", compress=True, format="zip"
    )
    assert zipfile.ZipFile(io.BytesIO(packed)).read("a.txt") == b"1\n"


def test_a_row_of_the_outputs_says_where_the_file_is_on_its_system(tapis, run):
    job = run("echo 1 > a.txt")
    (row,) = tapis.jobs.getJobOutputList(jobUuid=job.uuid, outputPath="a.txt")
    assert row.path == f"{job.archiveSystemDir}/a.txt".lstrip("/")
    assert row.url == f"tapis://{job.archiveSystemId}/{row.path}"
    assert tapis.files.getContents(systemId=job.archiveSystemId, path=row.path) == b"1\n"


def test_a_part_of_the_outputs_is_one_level(tapis, run):
    job = run("mkdir sub; touch sub/a b c")
    rows = tapis.jobs.getJobOutputList(jobUuid=job.uuid, outputPath="/", limit=2, skip=1)
    assert [row.name for row in rows] == ["c", "script.sh"]


def test_jobs_are_listed_and_searched_in_both_forms(tapis, run, name):
    run("true")
    job = tapis.jobs.submitJob(name=name, **BASH, fileInputs=script("true"), tags=["mine"])
    newest = tapis.jobs.getJobList(limit=1, orderBy="created(desc)", listType="ALL_JOBS", computeTotal=True)
    by_query = tapis.jobs.getJobSearchList(_tapis_query_parameters={"name.eq": name}, select="name,uuid")
    by_clause = tapis.jobs.getJobSearchListByPostSqlStr(
        request_body={"search": ["(owner = '", f"{ME}' AND name LIKE '{name}%')"]}
    )
    assert [found[0].uuid for found in (newest, by_query, by_clause)] == [job.uuid] * 3
    assert vars(by_query[0]) == {"name": name, "uuid": job.uuid}
    everything = tapis.jobs.getJobSearchList(
        _tapis_query_parameters={"uuid.eq": job.uuid}, select="allAttributes"
    )
    assert vars(everything[0]).keys() == vars(tapis.jobs.getJob(jobUuid=job.uuid)).keys()


def test_a_filter_that_tapipy_does_not_send_is_no_filter(tapis, run, name):
    run("true")
    assert len(tapis.jobs.getJobSearchList(name=name, limit=1)) == 1


def test_the_history_has_all_states_with_times_as_dapi_reads_them(tapis, run):
    history = tapis.jobs.getJobHistory(jobUuid=run("true").uuid)
    for entry in history:
        datetime.strptime(entry.created, "%Y-%m-%dT%H:%M:%S.%fZ")
    states = [entry.eventDetail for entry in history if entry.event == "JOB_NEW_STATUS"]
    assert states[0] == "PENDING"
    assert states[-2:] == ["ARCHIVING", "FINISHED"]
    assert len(states) == 9


def test_a_running_job_takes_events_and_is_cancelled(tapis, until, errors):
    job = tapis.jobs.submitJob(name="long", **BASH, fileInputs=script("touch here; exec sleep 600"))
    until(lambda: tapis.jobs.getJobStatus(jobUuid=job.uuid).status == "RUNNING")
    tapis.jobs.sendEvent(jobUuid=job.uuid, eventData="half way", eventDetail="PROGRESS")
    with pytest.raises(errors.BadRequestError, match="allowIfRunning"):
        tapis.jobs.getJobOutputList(jobUuid=job.uuid, outputPath=".")
    until(
        lambda: (
            "here"
            in [
                row.name
                for row in tapis.jobs.getJobOutputList(jobUuid=job.uuid, outputPath=".", allowIfRunning=True)
            ]
        )
    )
    tapis.jobs.cancelJob(jobUuid=job.uuid)
    assert ended(tapis, job, until) == "CANCELLED"
    mine = [entry for entry in tapis.jobs.getJobHistory(jobUuid=job.uuid) if entry.event == "JOB_USER_EVENT"]
    assert [(entry.eventDetail, entry.description) for entry in mine] == [("PROGRESS", "half way")]
    with pytest.raises(errors.BaseTapyException, match="CANCELLED already") as caught:
        tapis.jobs.cancelJob(jobUuid=job.uuid)
    assert caught.value.response.status_code == 409


def test_a_job_is_submitted_again_from_its_request(tapis, run, until):
    job = run("echo again", tags=["first"])
    request = tapis.jobs.getResubmitRequestJson(jobUuid=job.uuid)
    assert (request.appId, request.tags, request.fileInputs[0].name) == ("bash", ["first"], "script")
    second = tapis.jobs.resubmitJob(jobUuid=job.uuid)
    assert second.uuid != job.uuid
    assert ended(tapis, second, until) == "FINISHED"


def test_a_hidden_job_is_in_no_list_until_it_is_shown(tapis, run):
    job = run("true")
    named = {"_tapis_query_parameters": {"uuid.eq": job.uuid}}
    tapis.jobs.hideJob(jobUuid=job.uuid)
    assert tapis.jobs.getJobSearchList(**named) == []
    tapis.jobs.unhideJob(jobUuid=job.uuid)
    assert len(tapis.jobs.getJobSearchList(**named)) == 1


def test_a_job_keeps_the_callers_tracking_id(tapis):
    tracked = {"_x_tapis_tracking_id": "portal.run-7"}
    job = tapis.jobs.submitJob(name="tracked", **BASH, fileInputs=script("true"), **tracked)
    assert tapis.jobs.getJob(jobUuid=job.uuid).trackingId == "portal.run-7"
    assert tapis.jobs.resubmitJob(jobUuid=job.uuid).trackingId is None


def test_a_job_is_a_failed_one_when_its_program_failed(tapis, run):
    job = run("echo sorry; exit 3")
    assert (job.status, job.condition, job.remoteResultInfo) == ("FAILED", "JOB_REMOTE_OUTCOME_ERROR", "3")
    assert tapis.jobs.getJobOutputDownload(jobUuid=job.uuid, outputPath="tapisjob.out") == b"sorry\n"


def test_every_attribute_of_a_job_is_there_and_its_lists_are_json_texts(tapis, run):
    job = run("true", notes={"a": 1})
    assert {"remoteQueue", "lastMessage", "dtnSystemId", "mpiCmd", "sharedAppCtx"} <= vars(job).keys()
    for attribute in ("fileInputs", "parameterSet", "subscriptions", "notes"):
        json.loads(getattr(job, attribute))
    assert json.loads(job.notes) == {"a": 1}


# --- what public notebooks do -----------------------------------------------------------------
def test_queue_and_scheduler_options_are_taken_for_fork_jobs_too(run):
    job = run(
        "true",
        execSystemLogicalQueue="skx",
        nodeCount=1,
        parameterSet={"schedulerOptions": [{"name": "TACC Allocation", "arg": "-A ${allocation}"}]},
    )
    assert job.status == "FINISHED"
    assert json.loads(job.parameterSet)["schedulerOptions"][0]["arg"] == "-A ${allocation}"


def test_fields_that_are_null_are_as_if_they_were_left_out(run):
    job = run("true", description=None, nodeCount=None, tags=None, parameterSet=None)
    assert (job.status, job.nodeCount) == ("FINISHED", 1)


def test_an_archive_directory_may_begin_with_a_macro_and_no_slash(tapis, run):
    directory = "${JobWorkingDir}/kept/${JobUUID}"
    job = run("echo 1 > a.txt", archiveSystemId="local", archiveSystemDir=directory)
    assert job.archiveSystemDir.endswith(f"/kept/{job.uuid}")
    (row,) = tapis.jobs.getJobOutputList(jobUuid=job.uuid, outputPath="a.txt")
    assert tapis.files.getContents(systemId="local", path=row.path) == b"1\n"


def test_all_three_directories_may_be_one(run, folder):
    directory = f"{folder}/one"
    places = dict.fromkeys(("execSystemExecDir", "execSystemInputDir", "execSystemOutputDir"), directory)
    job = run("true", **places, archiveSystemDir=directory)
    assert (job.status, job.archiveSystemDir) == ("FINISHED", directory)


def test_a_host_variable_without_a_value_is_told(run, errors):
    with pytest.raises(errors.BadRequestError, match="NO_SUCH_VARIABLE, which is not set"):
        run("true", archiveSystemId="local", archiveSystemDir="HOST_EVAL($NO_SUCH_VARIABLE)/x")


def test_latest_is_a_version_like_any_other(tapis, errors):
    with pytest.raises(errors.BadRequestError, match=r"appVersion 'latest' .* Its latest is 1\.0"):
        tapis.jobs.submitJob(name="x", appId="bash", appVersion="latest", fileInputs=script("true"))


# --- errors -----------------------------------------------------------------------------------
def test_a_wrong_field_of_a_request_is_told_with_its_name(tapis, errors):
    with pytest.raises(errors.BadRequestError) as caught:
        tapis.jobs.submitJob(name="x", **BASH, maxMinutes="soon", fileInputs=script("true"))
    assert caught.value.message == (
        "JOBS_INVALID_INPUT maxMinutes must be a whole number, not the text 'soon'."
    )


def test_what_is_not_there_is_a_not_found_error(tapis, errors):
    with pytest.raises(errors.NotFoundError, match="no job none-007"):
        tapis.jobs.getJob(jobUuid="none-007")
    with pytest.raises(errors.NotFoundError, match="no output 'none'"):
        tapis.jobs.getJobOutputList(jobUuid=_newest_ended(tapis), outputPath="none")


def _newest_ended(tapis) -> str:
    found = tapis.jobs.getJobSearchList(_tapis_query_parameters={"status.eq": "FINISHED"}, limit=1)
    return str(found[0].uuid)


def test_what_this_server_does_not_have_is_a_json_answer(tapis, errors):
    with pytest.raises(errors.NotFoundError, match="JOBS_NO_ROUTE"):
        tapis.pods.list_pods()
    with pytest.raises(errors.BaseTapyException, match="has no POST; it has GET"):
        tapis.tenants.create_site(
            site_id="x", base_url="x", primary="x", services="x", site_admin_tenant_id="x"
        )
