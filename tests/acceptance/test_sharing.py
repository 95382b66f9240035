"""Several people on one server, each with unmodified tapipy: what owners give, sharees get, strangers see.

Ada owns two machines, an app and files; Bob is given some of it; Carol is a stranger until she is not.
"""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tapipy_user import BASH, ended, script

from jupyter_tapis_jobs import connect
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotAllowedError, NotFoundError

pytestmark = pytest.mark.needs("tapipy")

_numbers = itertools.count(1)
#: Ada's machines, by the login servers of the rig; others work there as the host user that she gives.
CLUSTER, DATA = "cluster", "data"


@dataclass(frozen=True)
class People:
    """Three users of one server, none of whom owns it."""

    ada: Any
    bob: Any
    carol: Any
    url: str

    def kernel(self, name: str) -> Any:
        """Return our own client for one of them."""
        return connect(f"{self.url}tapis", token=getattr(self, name).access_token.access_token)


def machine(rig: Any, tapis: Any, name: str, login: str, *, dynamic: bool = False) -> None:
    """Add a login server of the rig as a system of the user's own, by Tapis's own calls.

    All work there as the host user, or where it is *dynamic*, each with a credential of their own.
    """
    host = rig.hosts[login]
    tapis.systems.createSystem(
        id=name,
        systemType="LINUX",
        host=host.host,
        port=host.port,
        effectiveUserId="${apiUserId}" if dynamic else host.user,
        defaultAuthnMethod="PKI_KEYS",
        rootDir="/",
        canExec=True,
        jobWorkingDir="HOST_EVAL($HOME)/shared-work",
        jobRuntimes=[{"runtimeType": "ZIP"}],
    )
    if not dynamic:
        credential(rig, tapis, name, host.user, login)


def credential(rig: Any, tapis: Any, name: str, user: str, login: str, **more: str) -> None:
    """Give the key that opens a login server of the rig."""
    told = subprocess.run(["ssh-keygen", "-lf", rig.known_hosts], capture_output=True, text=True, check=True)
    port = f":{rig.hosts[login].port}"
    (print_of_key,) = {line.split()[1] for line in told.stdout.splitlines() if port in line}
    tapis.systems.createUserCredential(
        systemId=name,
        userName=user,
        privateKey=rig.key.read_text(),
        publicKey=rig.key.with_suffix(".pub").read_text(),
        _tapis_query_parameters={"trust": print_of_key},
        **more,
    )


@pytest.fixture(scope="module")
def people(tmp_path_factory, running_server, rig) -> Iterator[People]:
    from tapipy.tapis import Tapis

    with running_server(tmp_path_factory.mktemp("shared")) as server:
        base = server.url.rstrip("/") + "/tapis"

        def user(name: str) -> Any:
            made = httpx.post(
                f"{base}/v3/tapisjobs/tokens",
                headers={"Authorization": f"token {server.token}"},
                json={"username": name},
                trust_env=False,
            ).json()["result"]["access_token"]["access_token"]
            return Tapis(base_url=base, access_token=made)

        found = People(user("ada"), user("bob"), user("carol"), server.url)
        machine(rig, found.ada, CLUSTER, "login1")
        machine(rig, found.ada, DATA, "login2")
        yield found


@pytest.fixture(scope="module")
def home(rig) -> str:
    """Where Ada's files are on the machine DATA."""
    path = rig.ssh("mktemp -d ~/shared-XXXX", "login2").strip()
    rig.ssh(
        f"mkdir {path}/open {path}/closed; echo open > {path}/open/a.txt; echo 7 > {path}/closed/b.txt",
        "login2",
    )
    return str(path)


@pytest.fixture(scope="module")
def app(people, rig, home) -> str:
    """Ada's app, which names her machines, her image, her input, and where outputs are kept."""
    run = "#!/bin/bash\\ncat number.txt; whoami; echo done > $_tapisExecSystemOutputDir/result.txt\\n"
    rig.ssh(
        f"cd {home}/closed && printf '{run}' > tapisjob_app.sh"
        " && python3 -m zipfile -c app.zip tapisjob_app.sh",
        "login2",
    )
    people.ada.apps.createAppVersion(
        id="adas-app",
        version="1",
        runtime="ZIP",
        containerImage=f"tapis://{DATA}{home}/closed/app.zip",
        jobAttributes={
            "execSystemId": CLUSTER,
            "archiveSystemId": DATA,
            "archiveSystemDir": f"{home}/closed/${{JobUUID}}",
            "fileInputs": [
                {
                    "name": "number",
                    "sourceUrl": f"tapis://{DATA}{home}/closed/b.txt",
                    "targetPath": "number.txt",
                    "inputMode": "REQUIRED",
                }
            ],
        },
    )
    return "adas-app"


@pytest.fixture
def refusal():
    """What is raised for what may not be known of, and for what may not be done."""
    from tapipy.errors import BadRequestError, ForbiddenError, NotFoundError

    return {400: BadRequestError, 403: ForbiddenError, 404: NotFoundError}


@pytest.fixture(scope="module")
def job(people, app, until) -> str:
    """A job of Bob's by Ada's app, which she shares with him alone."""
    people.ada.apps.shareApp(appId=app, users=["bob"])
    submitted = people.bob.jobs.submitJob(name="bobs", appId=app, appVersion="1")
    assert ended(people.bob, submitted, until) == "FINISHED"
    return str(submitted.uuid)


# --- apps, and what they bring along ------------------------------------------------------------
def test_a_shared_app_brings_its_owners_machines_inputs_and_archive(people, app, job, rig):
    found = people.bob.jobs.getJob(jobUuid=job)
    assert (found.owner, found.sharedAppCtx, found.execSystemId) == ("bob", "ada", CLUSTER)
    said = people.bob.jobs.getJobOutputDownload(jobUuid=job, outputPath="tapisjob.out")
    assert said.decode().split() == ["7", rig.hosts["login1"].user]
    outputs = people.bob.jobs.getJobOutputList(jobUuid=job, outputPath="/")
    assert "result.txt" in [row.name for row in outputs]


def test_a_shared_app_opens_nothing_beside_itself(people, app, job, home, refusal):
    for call, given in [
        (people.bob.systems.getSystem, {"systemId": CLUSTER}),
        (people.bob.files.listFiles, {"systemId": DATA, "path": f"{home}/closed"}),
        (people.bob.files.getContents, {"systemId": DATA, "path": f"{home}/open/a.txt"}),
    ]:
        with pytest.raises(refusal[404]):
            call(**given)
    with pytest.raises(refusal[403], match="its owner can grant you MODIFY"):
        people.bob.apps.patchApp(appId=app, appVersion="1", description="mine")
    other = [{"name": "number", "sourceUrl": f"tapis://{DATA}{home}/open/a.txt"}]
    with pytest.raises((refusal[404], refusal[403])):
        people.bob.jobs.submitJob(name="more", appId=app, appVersion="1", fileInputs=other)


def test_who_is_no_sharee_does_not_know_of_the_app(people, app, job, refusal):
    with pytest.raises(refusal[404]):
        people.carol.apps.getAppLatestVersion(appId=app)
    with pytest.raises(refusal[404]):
        people.carol.apps.shareApp(appId=app, users=["carol"])
    with pytest.raises(refusal[400], match="no app that you can use"):
        people.carol.jobs.submitJob(name="x", appId=app, appVersion="1")
    assert people.bob.apps.getShareInfo(appId=app).users == ["bob"]


def test_lists_tell_what_is_ones_own_what_is_shared_and_what_is_for_all(people, app, job):
    def listed(tapis: Any, kind: str) -> set[str]:
        return {row.id for row in tapis.apps.getApps(listType=kind, limit=-1)}

    people.ada.apps.createAppVersion(id="for-all", version="1", runtime="ZIP", containerImage="/x.zip")
    people.ada.apps.shareAppPublic(appId="for-all")
    people.ada.apps.grantUserPerms(appId="for-all", userName="carol", permissions=["READ"])
    assert app in listed(people.ada, "OWNED")
    assert app not in listed(people.bob, "OWNED")
    assert listed(people.bob, "SHARED_DIRECT") == {app}
    assert {app, "for-all"} <= listed(people.bob, "ALL")
    assert "for-all" in listed(people.carol, "SHARED_PUBLIC")
    assert listed(people.carol, "READ_PERM") == {"for-all"}
    assert app not in listed(people.carol, "ALL")
    people.ada.apps.unShareAppPublic(appId="for-all")
    assert "for-all" not in listed(people.bob, "ALL")


def test_what_is_taken_back_is_gone(people, refusal):
    people.ada.apps.createAppVersion(id="on-loan", version="1", runtime="ZIP", containerImage="/x.zip")
    people.ada.apps.shareApp(appId="on-loan", users=["bob", "carol"])
    assert people.carol.apps.getAppLatestVersion(appId="on-loan").owner == "ada"
    people.ada.apps.unShareApp(appId="on-loan", users=["carol"])
    assert people.bob.apps.getAppLatestVersion(appId="on-loan").owner == "ada"
    with pytest.raises(refusal[404]):
        people.carol.apps.getAppLatestVersion(appId="on-loan")


# --- systems ------------------------------------------------------------------------------------
def test_permissions_on_a_system_are_stairs(people, rig, refusal, until):
    carol, on_it = people.carol, {"systemId": CLUSTER}

    def given(*rights: str) -> None:
        people.ada.systems.grantUserPerms(**on_it, userName="carol", permissions=list(rights))

    with pytest.raises(refusal[404]):
        carol.systems.getSystem(**on_it)
    given("READ")
    assert carol.systems.getSystem(**on_it).owner == "ada"
    with pytest.raises(refusal[403], match="EXECUTE"):
        carol.jobs.submitJob(
            name="c", appId="bash", appVersion="1.0", execSystemId=CLUSTER, fileInputs=script("id")
        )
    with pytest.raises(refusal[403], match="MODIFY"):
        carol.systems.patchSystem(**on_it, description="hers")
    given("EXECUTE")
    ran = carol.jobs.submitJob(
        name="c", appId="bash", appVersion="1.0", execSystemId=CLUSTER, fileInputs=script("whoami")
    )
    assert ended(carol, ran, until) == "FINISHED"
    assert carol.jobs.getJobOutputDownload(jobUuid=ran.uuid, outputPath="tapisjob.out").decode().split() == [
        rig.hosts["login1"].user
    ]
    given("MODIFY")
    carol.systems.patchSystem(**on_it, description="ours")
    assert set(carol.systems.getUserPerms(**on_it, userName="carol").names) == {"READ", "MODIFY", "EXECUTE"}
    with pytest.raises(refusal[403]):
        carol.systems.getUserPerms(**on_it, userName="bob")
    with pytest.raises(refusal[403], match="only its owner"):
        carol.systems.shareSystem(**on_it, users=["bob"])
    people.ada.systems.revokeUserPerms(**on_it, userName="carol", permissions=["READ"])
    people.ada.systems.revokeUserPerm(**on_it, userName="carol", permission="EXECUTE")
    with pytest.raises(refusal[404]):
        carol.systems.getSystem(**on_it)


def test_on_a_shared_system_where_all_work_as_themselves_each_needs_a_credential(people, rig, refusal, until):
    machine(rig, people.ada, "own", "login1", dynamic=True)
    bob, run = people.bob, {**BASH, "execSystemId": "own", "fileInputs": script("whoami")}
    with pytest.raises(refusal[404]):
        credential(rig, bob, "own", "bob", "login1")
    people.ada.systems.shareSystem(systemId="own", users=["bob"])
    without = bob.jobs.submitJob(name="without", **run)
    found = until(lambda: _stopped(bob.jobs.getJob(jobUuid=without.uuid)))
    assert "credential" in found.lastMessage
    credential(rig, bob, "own", "bob", "login1", loginUser=rig.hosts["login1"].user)
    ran = bob.jobs.submitJob(name="with", **run)
    assert ended(bob, ran, until) == "FINISHED"
    # What is his is not even the owner's to know.
    with pytest.raises(refusal[404]):
        people.ada.systems.removeUserCredential(systemId="own", userName="bob")
    people.ada.systems.unShareSystem(systemId="own", users=["bob"])
    with pytest.raises(refusal[404]):
        bob.systems.getSystem(systemId="own")


def _stopped(job: Any) -> Any:
    """Return a job that goes no further by itself."""
    return job if job.status in ("BLOCKED", "FAILED") else None


def test_a_wrong_word_is_answered_with_the_right_ones(people, refusal):
    on_it = {"systemId": CLUSTER, "userName": "bob"}
    with pytest.raises(
        refusal[400], match=r"'RAED' is not one of: READ, MODIFY, EXECUTE\. Did you mean 'READ'"
    ):
        people.ada.systems.grantUserPerms(**on_it, permissions=["RAED"])
    with pytest.raises(refusal[400], match="ada owns the system"):
        people.ada.systems.shareSystem(systemId=CLUSTER, users=["ada"])
    with pytest.raises(refusal[400], match="no user name"):
        people.ada.systems.shareSystem(systemId=CLUSTER, users=["~public"])


# --- paths --------------------------------------------------------------------------------------
def test_a_permission_on_a_path_holds_for_all_below_it_and_nothing_else(people, home, refusal):
    bob, place = people.bob.files, {"systemId": DATA, "path": f"{home}/open"}
    with pytest.raises(refusal[404]):
        bob.listFiles(**place)
    people.ada.files.grantPermissions(**place, username="bob", permission="READ")
    assert [row.name for row in bob.listFiles(**place)] == ["a.txt"]
    assert bob.getContents(systemId=DATA, path=f"{home}/open/a.txt") == b"open\n"
    assert bob.getPermissions(systemId=DATA, path=f"{home}/open/a.txt").permission == "READ"
    for path in (f"{home}/closed", home, f"{home}/open/../closed"):
        with pytest.raises((refusal[403], refusal[400])):
            bob.listFiles(systemId=DATA, path=path)
    with pytest.raises(refusal[403], match="can grant MODIFY"):
        bob.insert(systemId=DATA, path=f"{home}/open/new.txt", file=b"new")
    people.ada.files.grantPermissions(**place, username="bob", permission="MODIFY")
    bob.insert(systemId=DATA, path=f"{home}/open/new.txt", file=b"new")
    people.ada.files.deletePermissions(**place, username="bob")
    with pytest.raises(refusal[404]):
        bob.listFiles(**place)


def test_no_link_leads_out_of_a_shared_path(people, rig, home, refusal):
    rig.ssh(f"ln -sfn {home}/closed {home}/open/way-out", "login2")
    place = {"systemId": DATA, "path": f"{home}/open"}
    people.ada.files.sharePath(**place, users=["bob"])
    with pytest.raises((refusal[403], refusal[400], refusal[404])):
        people.bob.files.getContents(systemId=DATA, path=f"{home}/open/way-out/b.txt")
    people.ada.files.unSharePath(**place, users=["bob"])


def test_a_path_is_shared_with_one_or_with_all(people, home, refusal):
    place, file = {"systemId": DATA, "path": f"{home}/open"}, {"systemId": DATA, "path": f"{home}/open/a.txt"}
    people.ada.files.sharePath(**place, users=["bob"])
    assert people.bob.files.getContents(**file) == b"open\n"
    info = people.ada.files.getShareInfo(**file)
    assert [(row.username, row.path) for row in info.userShareInfoSet] == [("bob", f"{home}/open")]
    with pytest.raises(refusal[400], match="take that share back"):
        people.ada.files.unSharePath(**file, users=["bob"])
    with pytest.raises(refusal[404]):
        people.carol.files.getContents(**file)
    people.ada.files.sharePathPublic(**place)
    assert people.carol.files.getContents(**file) == b"open\n"
    people.ada.files.unSharePathAll(**place)
    for person in (people.bob, people.carol):
        with pytest.raises(refusal[404]):
            person.files.getContents(**file)


# --- jobs ---------------------------------------------------------------------------------------
#: What of a job can be asked for, and by which part of it.
_ASKED = {
    "getJob": (None, {}),
    "getJobStatus": (None, {}),
    "getJobHistory": ("JOB_HISTORY", {}),
    "getResubmitRequestJson": ("JOB_RESUBMIT_REQUEST", {}),
    "getJobOutputList": ("JOB_OUTPUT", {"outputPath": "/"}),
    "getJobOutputDownload": ("JOB_OUTPUT", {"outputPath": "tapisjob.out"}),
}


@pytest.mark.parametrize("part", ["JOB_HISTORY", "JOB_RESUBMIT_REQUEST", "JOB_OUTPUT", "JOB_INPUT"])
def test_each_part_of_a_job_is_shared_by_itself(people, job, refusal, part):
    carol = people.carol.jobs
    people.bob.jobs.shareJob(jobUuid=job, grantee="carol", jobResource=[part], jobPermission="READ")
    try:
        for operation, (needed, given) in _ASKED.items():
            if needed in (None, part):
                getattr(carol, operation)(jobUuid=job, **given)
                continue
            with pytest.raises(
                refusal[403], match=f"{needed} of job bobs is not shared with you, only {part}"
            ):
                getattr(carol, operation)(jobUuid=job, **given)
        for operation in ("cancelJob", "hideJob", "unhideJob"):
            with pytest.raises(refusal[403], match="only its owner"):
                getattr(carol, operation)(jobUuid=job)
        assert [row.jobResource for row in carol.getJobShare(jobUuid=job)] == [part]
    finally:
        people.bob.jobs.deleteJobShare(jobUuid=job, user="carol")
    for operation, (_, given) in _ASKED.items():
        with pytest.raises(refusal[404]):
            getattr(carol, operation)(jobUuid=job, **given)


def test_shared_jobs_have_a_list_of_their_own(people, job):
    def listed(kind: str) -> list[str]:
        return [row.uuid for row in people.carol.jobs.getJobList(listType=kind, limit=-1)]

    assert listed("SHARED_JOBS") == []
    people.bob.jobs.shareJob(jobUuid=job, grantee="carol", jobResource=["JOB_OUTPUT"], jobPermission="READ")
    assert listed("SHARED_JOBS") == [job]
    assert job in listed("ALL_JOBS")
    assert job not in listed("MY_JOBS")
    people.bob.jobs.deleteJobShare(jobUuid=job, user="carol")
    assert listed("SHARED_JOBS") == []


def test_a_share_is_in_the_history_and_says_with_whom(people, job):
    people.bob.jobs.shareJob(jobUuid=job, grantee="carol", jobResource=["JOB_OUTPUT"], jobPermission="READ")
    people.bob.jobs.deleteJobShare(jobUuid=job, user="carol")
    rows = people.bob.jobs.getJobHistory(jobUuid=job, limit=1000)
    told = [row.eventDetail for row in rows if row.event == "JOB_SHARE_EVENT"]
    assert told[-2:] == ["SHARE_JOB_OUTPUT", "UNSHARE_JOB_OUTPUT"]


def test_who_comes_late_hears_of_shared_jobs_too(people, job):
    people.bob.jobs.shareJob(jobUuid=job, grantee="carol", jobResource=["JOB_HISTORY"], jobPermission="READ")
    headers = {"X-Tapis-Token": people.carol.access_token.access_token}
    news = f"{people.url}tapis/v3/jobs/events"
    with httpx.stream("GET", news, params={"after": 1}, headers=headers, trust_env=False) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data:"))
        told = next(line for line in lines if "bobs" in line)
    assert job in told
    people.bob.jobs.deleteJobShare(jobUuid=job, user="carol")


def test_the_archive_of_a_shared_job_is_open_to_the_files_api(people, job, refusal):
    found = people.bob.jobs.getJob(jobUuid=job)
    file = {"systemId": DATA, "path": f"{found.archiveSystemDir}/result.txt"}
    with pytest.raises(refusal[404]):
        people.carol.files.getContents(**file)
    people.bob.jobs.shareJob(jobUuid=job, grantee="carol", jobResource=["JOB_OUTPUT"], jobPermission="READ")
    assert people.carol.files.getContents(**file) == b"done\n"
    people.bob.jobs.deleteJobShare(jobUuid=job, user="carol")
    with pytest.raises(refusal[404]):
        people.carol.files.getContents(**file)


# --- notebooks ----------------------------------------------------------------------------------
def test_a_notebook_shares_a_job_and_another_one_waits_for_it_and_reads_it(people, app, job):
    bob, carol = people.kernel("bob"), people.kernel("carol")
    mine = bob.submit(app)
    assert mine.share("carol").to_dict("records") == [
        {"user": "carol", "gives": "history, input, output, request"}
    ]
    theirs = carol.job(mine.uuid)
    assert theirs.wait(timeout=180, progress=False).status == "FINISHED"
    assert theirs.read("result.txt") == "done\n"
    assert list(carol.jobs(whose="shared")["uuid"]) == [mine.uuid]
    with pytest.raises(NotAllowedError, match="only its owner"):
        theirs.cancel()
    assert len(mine.unshare()) == 0
    with pytest.raises(NotFoundError):
        carol.job(mine.uuid)


def test_a_notebook_shares_apps_systems_and_paths_in_the_same_words(people, home):
    ada, bob = people.kernel("ada"), people.kernel("bob")
    place = f"tapis://{DATA}{home}/open"
    assert list(ada.share(place, "bob", everybody=True)["user"]) == ["everybody", "bob"]
    assert "a.txt" in list(bob.files(DATA, f"{home}/open")["name"])
    assert len(ada.unshare(place)) == 0
    assert list(ada.share(CLUSTER, "bob")["user"]) == ["bob"]
    assert bob.system(CLUSTER)["owner"] == "ada"
    assert len(ada.unshare(f"system:{CLUSTER}", "bob")) == 0
    assert ada.grant(place, "bob", "MODIFY") == ["READ", "MODIFY"]
    assert ada.revoke(place, "bob", "MODIFY") == ["READ"]
    assert ada.revoke(place, "bob") == []
    with pytest.raises(NotFoundError, match="Did you mean 'cluster'"):
        ada.share("clutser", "bob")
    with pytest.raises(InvalidInputError, match="Name users, or say everybody=True"):
        ada.share(CLUSTER)
    with pytest.raises(InvalidInputError, match="Did you mean 'output'"):
        bob.submit("adas-app").share("carol", parts="ouput")
