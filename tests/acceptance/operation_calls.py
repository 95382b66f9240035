"""One call of every operation of the Jobs, Apps, Systems and Files specifications, and what it answers."""

from __future__ import annotations

import getpass
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tapipy_user import BASH, SYSTEM, ended, script

ME = getpass.getuser()
#: Another person of the tenant.
ADA = "ada"
GLOBUS = "not supported by this server"
_ENDS = ("FINISHED", "FAILED", "CANCELLED")
_numbers = itertools.count(1)
_Given = Mapping[str, Any]


@dataclass
class World:
    """Makes what the calls are about, through tapipy; all of it is the caller's own."""

    tapis: Any
    #: Another person's tapipy.
    ada: Any
    folder: Path
    until: Callable[..., Any]
    _done: str = ""
    _running: str = ""
    _started: list[str] = field(default_factory=list)

    def name(self) -> str:
        """Return an id that nothing has yet."""
        return f"operation-{next(_numbers)}"

    def job(self) -> str:
        """Return a job that has FINISHED."""
        if not self._done:
            job = self.tapis.jobs.submitJob(**request("mkdir sub; echo hello; echo 1 > sub/a.txt"))
            assert ended(self.tapis, job, self.until) == "FINISHED"
            self._done = job.uuid
        return self._done

    def running(self) -> str:
        """Return a job that runs, the same each time."""
        self._running = self._running or self.runs()
        return self._running

    def runs(self) -> str:
        """Return a job of its own that runs."""
        job = self.tapis.jobs.submitJob(**request("exec sleep 600"))
        self._started.append(job.uuid)
        self.until(lambda: self.status(job.uuid) == "RUNNING")
        return str(job.uuid)

    def status(self, uuid: str) -> str:
        """Return where a job stands."""
        return str(self.tapis.jobs.getJobStatus(jobUuid=uuid).status)

    def app(self) -> dict[str, str]:
        """Make an app."""
        name = self.name()
        self.tapis.apps.createAppVersion(**app(name))
        return {"appId": name}

    def version(self) -> dict[str, str]:
        """Make an app, and name its version."""
        return {**self.app(), "appVersion": "1"}

    def system(self, **more: Any) -> dict[str, str]:
        """Make a system that nobody reaches."""
        name = self.name()
        self.tapis.systems.createSystem(id=name, **{**SYSTEM, **more})
        return {"systemId": name}

    def child(self) -> tuple[str, str]:
        """Make a parent and its child; return their ids."""
        parent, child = self.system(allowChildren=True, effectiveUserId=ADA)["systemId"], self.name()
        self.tapis.systems.createChildSystem(
            parentId=parent, id=child, effectiveUserId="grace", rootDir="/tmp/child"
        )
        return parent, child

    def profile(self) -> dict[str, str]:
        """Make a scheduler profile."""
        name = self.name()
        self.tapis.systems.createSchedulerProfile(name=name)
        return {"name": name}

    def file(self, text: str = "here\n") -> dict[str, str]:
        """Write a file on system local."""
        path = self.folder / f"{self.name()}.txt"
        path.write_text(text)
        return {"systemId": "local", "path": str(path)}

    def place(self) -> dict[str, str]:
        """Return a path on a system that others can be let in to."""
        return {**self.system(), "path": f"/data/{self.name()}"}

    def elements(self) -> list[dict[str, str]]:
        """Return what a transfer of one file is made of."""
        path = self.file()["path"]
        return [{"sourceURI": f"tapis://local{path}", "destinationURI": f"tapis://local{path}.copy"}]

    def transfer(self) -> dict[str, str]:
        """Begin a transfer."""
        task = self.tapis.files.createTransferTask(elements=self.elements())
        return {"transferTaskId": task.uuid}

    def postit(self) -> dict[str, str]:
        """Make a link to a file."""
        return {"postitId": self.tapis.files.createPostIt(**self.file()).postitId}

    def end(self) -> None:
        """Leave nothing running."""
        left = [uuid for uuid in self._started if self.status(uuid) not in _ENDS]
        for uuid in left:
            self.tapis.jobs.cancelJob(jobUuid=uuid)
        self.until(lambda: all(self.status(uuid) in _ENDS for uuid in left))


def request(text: str) -> dict[str, Any]:
    """Return the request of a job that runs *text*."""
    return {"name": "operation", **BASH, "fileInputs": script(text)}


def app(name: str, version: str = "1") -> dict[str, Any]:
    """Return an app's definition."""
    return {"id": name, "version": version, "runtime": "ZIP", "containerImage": "/nowhere.zip"}


@dataclass(frozen=True, kw_only=True)
class Call:
    """How an operation is called: ``given`` makes its arguments.

    ``shows`` is what is true of the answer's ``result`` (the bytes of a download) afterwards. A refusal
    has another ``status``, and ``says`` is in its message.
    """

    given: Callable[[World], _Given] = lambda world: {}
    shows: Callable[[Any, _Given, World], object] = lambda result, given, world: True
    status: int = 200
    says: str = ""
    #: Whether an object of the answer has every attribute of the specification: not where only what
    #: was selected, or once said, is told.
    whole: bool = True


def _job(world: World) -> _Given:
    return {"jobUuid": world.job()}


def _changes(count: int) -> Callable[[Any, _Given, World], object]:
    return lambda result, given, world: result["changes"] == count


def _is(**values: Any) -> Callable[[Any, _Given, World], object]:
    return lambda result, given, world: all(result[name] == value for name, value in values.items())


def _has(name: str, key: str) -> Callable[[Any, _Given, World], object]:
    """A list with the thing that was asked for."""
    return lambda result, given, world: given[key] in [row[name] for row in result]


# --- jobs -------------------------------------------------------------------------------------
def _hidden(world: World) -> _Given:
    world.tapis.jobs.hideJob(jobUuid=world.job())
    return _job(world)


def _is_listed(result: Any, given: _Given, world: World) -> bool:
    return given["jobUuid"] in [job.uuid for job in world.tapis.jobs.getJobList(limit=-1)]


def _shared_job(world: World) -> _Given:
    world.tapis.jobs.shareJob(**_job_share(world))
    return _job(world)


def _job_share(world: World) -> _Given:
    return {
        **_job(world),
        "grantee": ADA,
        "jobResource": ["JOB_HISTORY", "JOB_OUTPUT"],
        "jobPermission": "READ",
    }


def _subscription(world: World) -> dict[str, Any]:
    target = {"deliveryMethod": "WEBHOOK", "deliveryAddress": "https://93.184.216.34/hook"}
    return {
        "jobUuid": world.running(),
        "description": "to hear of it",
        "enabled": True,
        "eventCategoryFilter": "JOB_NEW_STATUS",
        "deliveryTargets": [target],
        "ttlminutes": 60,
    }


def _subscribed(world: World) -> dict[str, Any]:
    given = _subscription(world)
    world.tapis.jobs.subscribe(**given)
    return {"jobUuid": given["jobUuid"], "uuid": given["jobUuid"]}


_JOBS = {
    "checkHealth": Call(),
    "ready": Call(),
    "readycheck": Call(),
    "sayHello": Call(),
    "submitJob": Call(given=lambda w: request("true"), shows=_is(appId="bash", status="PENDING")),
    "resubmitJob": Call(
        given=_job, shows=lambda r, g, w: r["uuid"] != g["jobUuid"] and r["appId"] == "bash"
    ),
    "getResubmitRequestJson": Call(whole=False, given=_job, shows=_is(appId="bash", name="operation")),
    "getJob": Call(given=_job, shows=_is(status="FINISHED", condition="NORMAL_COMPLETION")),
    "getJobStatus": Call(given=_job, shows=_is(status="FINISHED")),
    "getJobHistory": Call(
        given=_job, shows=lambda r, g, w: [row["eventDetail"] for row in r][-1] == "FINISHED"
    ),
    "getJobList": Call(given=lambda w: {**_job(w), "limit": -1}, shows=_has("uuid", "jobUuid")),
    "getJobSearchList": Call(
        whole=False,
        given=lambda w: {**_job(w), "_tapis_query_parameters": {"uuid.eq": w.job()}},
        shows=lambda r, g, w: [row["uuid"] for row in r] == [g["jobUuid"]],
    ),
    "getJobSearchListByPostSqlStr": Call(
        whole=False,
        given=lambda w: {**_job(w), "request_body": {"search": ["uuid = ", f"'{w.job()}'"]}},
        shows=lambda r, g, w: [row["uuid"] for row in r] == [g["jobUuid"]],
    ),
    "getJobOutputList": Call(
        given=lambda w: {**_job(w), "outputPath": "sub"},
        shows=lambda r, g, w: [row["name"] for row in r] == ["a.txt"],
    ),
    "getJobOutputDownload": Call(
        given=lambda w: {**_job(w), "outputPath": "tapisjob.out"}, shows=lambda r, g, w: r == b"hello\n"
    ),
    "hideJob": Call(given=_job, shows=lambda r, g, w: not _is_listed(r, g, w)),
    "unhideJob": Call(given=_hidden, shows=_is_listed),
    "cancelJob": Call(
        given=lambda w: {"jobUuid": w.runs()},
        shows=lambda r, g, w: w.until(lambda: w.status(g["jobUuid"]) == "CANCELLED"),
    ),
    "sendEvent": Call(
        given=lambda w: {"jobUuid": w.running(), "eventData": "half way", "eventDetail": "PROGRESS"},
        shows=lambda r, g, w: (
            "PROGRESS"
            in [row.eventDetail for row in w.tapis.jobs.getJobHistory(jobUuid=g["jobUuid"], limit=100)]
        ),
    ),
    "shareJob": Call(
        given=_job_share,
        shows=lambda r, g, w: len(w.ada.jobs.getJobHistory(jobUuid=g["jobUuid"])) > 0,
    ),
    "getJobShare": Call(
        given=_shared_job,
        shows=lambda r, g, w: {(row["grantee"], row["jobResource"]) for row in r}
        == {(ADA, "JOB_HISTORY"), (ADA, "JOB_OUTPUT")},
    ),
    "deleteJobShare": Call(
        given=lambda w: {**_shared_job(w), "user": ADA},
        shows=lambda r, g, w: w.tapis.jobs.getJobShare(jobUuid=g["jobUuid"]) == [],
    ),
    "subscribe": Call(given=_subscription),
    "getSubscriptions": Call(given=_subscribed, shows=lambda r, g, w: len(r) == 1),
    "deleteSubscriptions": Call(
        given=_subscribed,
        shows=lambda r, g, w: w.tapis.jobs.getSubscriptions(jobUuid=g["jobUuid"]) == [],
    ),
}  # fmt: skip


# --- what apps and systems have in common -----------------------------------------------------
def _rights(service: str, key: str) -> dict[str, Call]:
    """Permissions and shares of an app or a system, whose id the specification calls *key*."""
    word = key.removesuffix("Id").capitalize()

    def made(world: World) -> dict[str, Any]:
        return dict(world.app() if service == "apps" else world.system())

    def api(world: World) -> Any:
        return getattr(world.tapis, service)

    def granted(*rights: str) -> Callable[[World], _Given]:
        def given(world: World) -> _Given:
            thing = {**made(world), "userName": ADA}
            if rights:
                api(world).grantUserPerms(**thing, permissions=list(rights))
            return thing

        return given

    def rights_are(*rights: str) -> Callable[[Any, _Given, World], object]:
        return lambda r, g, w: (
            _listed(api(w).getUserPerms(**{key: g[key]}, userName=ADA).names) == set(rights)
        )

    def shared(world: World) -> dict[str, Any]:
        thing = made(world)
        getattr(api(world), f"share{word}")(**thing, users=[ADA])
        return thing

    def public(world: World) -> dict[str, Any]:
        thing = made(world)
        getattr(api(world), f"share{word}Public")(**thing)
        return thing

    def is_public(yes: bool) -> Callable[[Any, _Given, World], object]:
        return lambda r, g, w: api(w).getShareInfo(**{key: g[key]}).public is yes

    def users_are(*users: str) -> Callable[[Any, _Given, World], object]:
        return lambda r, g, w: _listed(api(w).getShareInfo(**{key: g[key]}).users) == set(users)

    return {
        "getUserPerms": Call(
            given=granted("READ"), shows=lambda r, g, w: set(r["names"]) == {"READ"}
        ),
        "grantUserPerms": Call(
            given=lambda w: {**granted()(w), "permissions": ["READ", "EXECUTE"]},
            shows=rights_are("READ", "EXECUTE"),
        ),
        "revokeUserPerms": Call(
            given=lambda w: {**granted("READ", "EXECUTE")(w), "permissions": ["EXECUTE"]},
            shows=rights_are("READ"),
        ),
        "revokeUserPerm": Call(
            given=lambda w: {**granted("READ", "EXECUTE")(w), "permission": "EXECUTE"},
            shows=rights_are("READ"),
        ),
        "getShareInfo": Call(given=shared, shows=lambda r, g, w: r["users"] == [ADA] and not r["public"]),
        f"share{word}": Call(given=lambda w: {**made(w), "users": [ADA]}, shows=users_are(ADA)),
        f"unShare{word}": Call(given=lambda w: {**shared(w), "users": [ADA]}, shows=users_are()),
        f"share{word}Public": Call(given=made, shows=is_public(True)),
        f"unShare{word}Public": Call(given=public, shows=is_public(False)),
    }  # fmt: skip


def _listed(names: Any) -> set[str]:
    return set(names or [])


# --- apps -------------------------------------------------------------------------------------
def _disabled_app(world: World) -> _Given:
    given = world.version()
    world.tapis.apps.disableApp(appId=given["appId"])
    world.tapis.apps.disableAppVersion(**given)
    return given


def _deleted_app(world: World) -> _Given:
    given = world.app()
    world.tapis.apps.deleteApp(**given)
    return given


def _locked_app(world: World) -> _Given:
    given = world.version()
    world.tapis.apps.lockApp(**given)
    return given


def _app_is(**values: Any) -> Callable[[Any, _Given, World], object]:
    def shows(result: Any, given: _Given, world: World) -> bool:
        found = world.tapis.apps.getAppLatestVersion(appId=given["appId"])
        return all(getattr(found, name) == value for name, value in values.items())

    return shows


_APPS = {
    "healthCheck": Call(),
    "readyCheck": Call(),
    "getApps": Call(whole=False, given=lambda w: {**w.app(), "limit": -1}, shows=_has("id", "appId")),
    "createAppVersion": Call(given=lambda w: app(w.name()), status=201),
    "searchAppsQueryParameters": Call(
        whole=False,
        given=lambda w: {**(made := w.app()), "_tapis_query_parameters": {"id.eq": made["appId"]}},
        shows=_has("id", "appId"),
    ),
    "searchAppsRequestBody": Call(
        whole=False,
        given=lambda w: {**(made := w.app()), "search": [f"id = '{made['appId']}'"]},
        shows=lambda r, g, w: [row["id"] for row in r] == [g["appId"]],
    ),
    "getAppLatestVersion": Call(given=World.app, shows=_is(version="1", runtime="ZIP")),
    "getApp": Call(given=World.version, shows=_is(version="1", runtime="ZIP")),
    "patchApp": Call(
        given=lambda w: {**w.version(), "description": "better"}, shows=_app_is(description="better")
    ),
    "putApp": Call(
        given=lambda w: {**w.version(), "runtime": "ZIP", "containerImage": "/else.zip"},
        shows=_app_is(containerImage="/else.zip"),
    ),
    "isEnabled": Call(given=World.app, shows=_is(aBoolean=True)),
    "enableApp": Call(given=lambda w: {"appId": _disabled_app(w)["appId"]}, shows=_app_is(enabled=True)),
    "disableApp": Call(given=World.app, shows=_app_is(enabled=False)),
    "enableAppVersion": Call(given=_disabled_app, shows=_app_is(versionEnabled=True)),
    "disableAppVersion": Call(given=World.version, shows=_app_is(versionEnabled=False)),
    "lockApp": Call(given=World.version, shows=_app_is(locked=True)),
    "unlockApp": Call(given=_locked_app, shows=_app_is(locked=False)),
    "deleteApp": Call(given=World.app, shows=_changes(1)),
    "undeleteApp": Call(given=_deleted_app, shows=_app_is(deleted=False)),
    "changeAppOwner": Call(
        given=lambda w: {**w.app(), "userName": ADA},
        shows=lambda r, g, w: w.ada.apps.getAppLatestVersion(appId=g["appId"]).owner == ADA,
    ),
    "getHistory": Call(given=World.app, shows=lambda r, g, w: r[0]["operation"] == "CREATE"),
    **_rights("apps", "appId"),
}  # fmt: skip


# --- systems ----------------------------------------------------------------------------------
def _system_is(**values: Any) -> Callable[[Any, _Given, World], object]:
    def shows(result: Any, given: _Given, world: World) -> bool:
        found = world.tapis.systems.getSystem(systemId=given["systemId"])
        return all(getattr(found, name) == value for name, value in values.items())

    return shows


def _disabled_system(world: World) -> _Given:
    given = world.system()
    world.tapis.systems.disableSystem(**given)
    return given


def _deleted_system(world: World) -> _Given:
    given = world.system()
    world.tapis.systems.deleteSystem(**given)
    return given


def _credential(world: World) -> dict[str, Any]:
    return {**world.system(), "userName": ME, "password": "correct horse", "skipCredentialCheck": True}


def _with_credential(world: World) -> _Given:
    given = _credential(world)
    world.tapis.systems.createUserCredential(**given)
    return {"systemId": given["systemId"], "userName": ME}


def _parent_of(child: str, world: World) -> Any:
    return world.tapis.systems.getSystem(systemId=child).parentId


def _new_child(world: World) -> _Given:
    return {
        "parentId": world.system(allowChildren=True)["systemId"],
        "id": world.name(),
        "effectiveUserId": "grace",
        "rootDir": "/tmp/child",
    }


_SYSTEMS = {
    "healthCheck": Call(),
    "readyCheck": Call(),
    "getSystems": Call(
        whole=False, given=lambda w: {**w.system(), "limit": -1}, shows=_has("id", "systemId")
    ),
    "createSystem": Call(given=lambda w: {"id": w.name(), **SYSTEM}, status=201),
    "createChildSystem": Call(
        given=_new_child, status=201, shows=lambda r, g, w: _parent_of(g["id"], w) == g["parentId"]
    ),
    "unlinkFromParent": Call(
        given=lambda w: {"childSystemId": w.child()[1]},
        shows=lambda r, g, w: not _parent_of(g["childSystemId"], w),
    ),
    "unlinkChildren": Call(
        given=lambda w: {"parentSystemId": (pair := w.child())[0], "childSystemIds": [pair[1]]},
        shows=lambda r, g, w: not _parent_of(g["childSystemIds"][0], w),
    ),
    "searchSystemsQueryParameters": Call(
        whole=False,
        given=lambda w: {
            **(made := w.system()),
            "freeFormParameterName": {},
            "_tapis_query_parameters": {"id.eq": made["systemId"]},
        },
        shows=lambda r, g, w: [row["id"] for row in r] == [g["systemId"]],
    ),
    "searchSystemsRequestBody": Call(
        whole=False,
        given=lambda w: {**(made := w.system()), "search": [f"id = '{made['systemId']}'"]},
        shows=lambda r, g, w: [row["id"] for row in r] == [g["systemId"]],
    ),
    "matchConstraints": Call(
        whole=False,
        given=lambda w: {**(made := w.system()), "match": [f"id = '{made['systemId']}'"]},
        shows=lambda r, g, w: [row["id"] for row in r] == [g["systemId"]],
    ),
    "getSystem": Call(given=World.system, shows=_is(host="login1.example.org")),
    "patchSystem": Call(
        given=lambda w: {**w.system(), "description": "better"}, shows=_system_is(description="better")
    ),
    "putSystem": Call(
        given=lambda w: {**w.system(), **SYSTEM, "host": "login2.example.org"},
        shows=_system_is(host="login2.example.org"),
    ),
    "isEnabled": Call(given=World.system, shows=_is(aBoolean=True)),
    "enableSystem": Call(given=_disabled_system, shows=_system_is(enabled=True)),
    "disableSystem": Call(given=World.system, shows=_system_is(enabled=False)),
    "deleteSystem": Call(given=World.system, shows=_changes(1)),
    "undeleteSystem": Call(given=_deleted_system, shows=_system_is(deleted=False)),
    "changeSystemOwner": Call(
        given=lambda w: {**w.system(), "userName": ADA},
        shows=lambda r, g, w: w.ada.systems.getSystem(systemId=g["systemId"]).owner == ADA,
    ),
    "getHistory": Call(given=World.system, shows=lambda r, g, w: r[0]["operation"] == "CREATE"),
    "hostEval": Call(
        given=lambda w: {"systemId": "local", "envVarName": "HOME"},
        shows=lambda r, g, w: r["name"] == str(Path.home()),
    ),
    "createUserCredential": Call(given=_credential),
    "getUserCredential": Call(
        given=_with_credential, shows=lambda r, g, w: "correct horse" not in str(r)
    ),
    "removeUserCredential": Call(given=_with_credential),
    "checkUserCredential": Call(given=lambda w: {"systemId": "local", "userName": ME}),
    "getGlobusAuthUrl": Call(given=World.system, status=400, says=GLOBUS),
    "generateGlobusTokens": Call(
        given=lambda w: {**w.system(), "userName": ME, "authCode": "a", "sessionId": "s"},
        status=400,
        says=GLOBUS,
    ),
    "getSchedulerProfiles": Call(given=World.profile, shows=_has("name", "name")),
    "createSchedulerProfile": Call(given=lambda w: {"name": w.name()}, status=201),
    "getSchedulerProfile": Call(
        given=World.profile, shows=lambda r, g, w: (r["name"], r["owner"]) == (g["name"], ME)
    ),
    "deleteSchedulerProfile": Call(given=World.profile, shows=_changes(1)),
    **_rights("systems", "systemId"),
}  # fmt: skip


# --- files ------------------------------------------------------------------------------------
def _on_disk(given: _Given) -> Path:
    return Path(given["path"])


def _permitted(world: World) -> dict[str, str]:
    given = {**world.place(), "username": ADA}
    world.tapis.files.grantPermissions(**given, permission="READ")
    return given


def _shared_path(world: World) -> dict[str, Any]:
    given = world.place()
    world.tapis.files.sharePath(**given, users=[ADA])
    return given


def _public_path(world: World) -> dict[str, Any]:
    given = world.place()
    world.tapis.files.sharePathPublic(**given)
    return given


def _share_info(given: _Given, world: World) -> tuple[bool, set[str]]:
    found = world.tapis.files.getShareInfo(systemId=given["systemId"], path=given["path"])
    return found.isPublic, _listed(found.userSet)


def _transferred(result: Any, given: _Given, world: World) -> object:
    def status() -> str:
        return str(world.tapis.files.getTransferTask(transferTaskId=result["uuid"]).status)

    target = Path(given["elements"][0]["destinationURI"].removeprefix("tapis://local"))
    return world.until(lambda: status() == "COMPLETED") and target.read_text() == "here\n"


_FILES = {
    "healthCheck": Call(),
    "readyCheck": Call(),
    "listFiles": Call(given=World.file, shows=lambda r, g, w: [row["size"] for row in r] == [5]),
    "getContents": Call(given=World.file, shows=lambda r, g, w: r == b"here\n"),
    "insert": Call(
        given=lambda w: {"systemId": "local", "path": str(w.folder / w.name()), "file": b"new"},
        shows=lambda r, g, w: _on_disk(g).read_bytes() == b"new",
    ),
    "mkdir": Call(
        given=lambda w: {"systemId": "local", "path": str(w.folder / w.name() / "deep")},
        shows=lambda r, g, w: _on_disk(g).is_dir(),
    ),
    "moveCopy": Call(
        given=lambda w: {**(made := w.file()), "operation": "MOVE", "newPath": made["path"] + ".moved"},
        shows=lambda r, g, w: Path(g["newPath"]).is_file() and not _on_disk(g).exists(),
    ),
    "delete": Call(given=World.file, shows=lambda r, g, w: not _on_disk(g).exists()),
    "getStatInfo": Call(given=World.file, shows=_is(size=5)),
    "runLinuxNativeOp": Call(
        given=lambda w: {**w.file(), "operation": "CHMOD", "argument": "600"},
        shows=lambda r, g, w: _on_disk(g).stat().st_mode & 0o777 == 0o600,
    ),
    "getFacl": Call(given=World.file),
    "setFacl": Call(given=lambda w: {**w.file(), "operation": "ADD", "aclString": "user::rwx"}),
    "createTransferTask": Call(given=lambda w: {"tag": "t", "elements": w.elements()}, shows=_transferred),
    "getTransferTask": Call(
        given=World.transfer, shows=lambda r, g, w: r["uuid"] == g["transferTaskId"]
    ),
    "getTransferTaskDetails": Call(
        given=World.transfer, shows=lambda r, g, w: r["uuid"] == g["transferTaskId"]
    ),
    "getRecentTransferTasks": Call(given=World.transfer, shows=_has("uuid", "transferTaskId")),
    "cancelTransferTask": Call(given=World.transfer),
    "getPermissions": Call(given=_permitted, shows=_is(permission="READ", username=ADA)),
    "grantPermissions": Call(
        given=lambda w: {**w.place(), "username": ADA, "permission": "MODIFY"},
        shows=_is(permission="MODIFY", username=ADA),
    ),
    "deletePermissions": Call(
        given=_permitted,
        shows=lambda r, g, w: not getattr(w.tapis.files.getPermissions(**g), "permission", None),
    ),
    "getShareInfo": Call(given=_shared_path, shows=_is(userSet=[ADA], isPublic=False)),
    "sharePath": Call(
        given=lambda w: {**w.place(), "users": [ADA]},
        shows=lambda r, g, w: _share_info(g, w) == (False, {ADA}),
    ),
    "unSharePath": Call(
        given=lambda w: {**_shared_path(w), "users": [ADA]},
        shows=lambda r, g, w: _share_info(g, w) == (False, set()),
    ),
    "sharePathPublic": Call(given=World.place, shows=lambda r, g, w: _share_info(g, w)[0]),
    "unSharePathPublic": Call(given=_public_path, shows=lambda r, g, w: not _share_info(g, w)[0]),
    "unSharePathAll": Call(
        given=_shared_path, shows=lambda r, g, w: _share_info(g, w) == (False, set())
    ),
    "createPostIt": Call(
        given=lambda w: {**w.file(), "allowedUses": 2, "validSeconds": 60}, shows=_is(allowedUses=2)
    ),
    "listPostIts": Call(given=World.postit, shows=_has("postitId", "postitId")),
    "getPostIt": Call(given=World.postit, shows=_is(allowedUses=1, timesUsed=0)),
    "updatePostIt": Call(
        given=lambda w: {**w.postit(), "allowedUses": 5}, shows=_is(allowedUses=5)
    ),
    "deletePostIt": Call(given=World.postit, shows=_changes(1)),
    "redeemPostIt": Call(given=World.postit, shows=lambda r, g, w: r == b"here\n"),
}  # fmt: skip

#: ``service.operation`` -> its call.
CALLS: dict[str, Call] = {
    f"{service}.{name}": call
    for service, calls in {"jobs": _JOBS, "apps": _APPS, "systems": _SYSTEMS, "files": _FILES}.items()
    for name, call in calls.items()
}
