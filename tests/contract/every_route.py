"""One call of every route that works for the owner, and what another user gets for the same call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from shutil import which
from typing import Any

from jupyter_tapis_jobs.server.route import Answers, Route
from jupyter_tapis_jobs.server.table import TABLE


@dataclass(frozen=True, kw_only=True)
class World:
    """What is there for the calls to be about; all of it the owner's."""

    #: A job that has FINISHED and written out.txt.
    done: str
    #: Gives the uuid of a job that runs.
    running: Callable[[], str]
    #: Gives the uuid of a job whose application has begun.
    begun: Callable[[], str]
    #: An absolute directory on system local, with the file here.txt in it.
    folder: str
    app: str
    system: str
    owner: str
    #: Gives the uuid of a new transfer.
    transfer: Callable[[], str]
    #: Gives the id of a new postit that leads to here.txt.
    postit: Callable[[], str]
    #: Gives the id of a new token of the owner's.
    token: Callable[[], str]
    #: Gives the name of a new scheduler profile.
    profile: Callable[[], str]
    #: Gives the name of a new study without cases.
    study: Callable[[], str]
    #: Gives the name of a new workflow, which is paused.
    workflow: Callable[[], str]
    #: Gives the name of a new template.
    template: Callable[[], str]
    #: Gives the uuid of a job that has FINISHED and waits for a kernel to process its outputs.
    processed: Callable[[], str]
    #: Gives name and chainId of a new study without cases and a chained request of it.
    chain: Callable[[], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How a route is called. ``other`` is what another user gets."""

    other: int
    path: Callable[[World], Mapping[str, str]] = field(default=lambda world: {})
    query: Mapping[str, str] = field(default_factory=dict)
    body: Callable[[World], Any] | None = None
    file: bytes | None = None
    good: int | None = None


def _job(world: World) -> Mapping[str, str]:
    return {"jobUuid": world.done}


def _running(world: World) -> Mapping[str, str]:
    return {"jobUuid": world.running()}


def _begun(world: World) -> Mapping[str, str]:
    return {"jobUuid": world.begun()}


def _output(world: World) -> Mapping[str, str]:
    return {"jobUuid": world.done, "path": "out.txt"}


def _app(world: World) -> Mapping[str, str]:
    return {"appId": world.app, "appVersion": "1", "userName": world.owner}


def _system(world: World) -> Mapping[str, str]:
    return {"systemId": world.system, "userName": world.owner}


def _sharing(key: str) -> dict[str, Sample]:
    """Permissions and shares of an app or a system, whose id the specification calls *key*."""
    service, word = key.removesuffix("Id") + "s", key.removesuffix("Id").capitalize()

    def of(world: World) -> Mapping[str, str]:
        name = world.app if key == "appId" else world.system
        return {key: name, "userName": "somebody", "permission": "READ"}

    some = {"permissions": ["READ"]}
    samples = {
        "grantUserPerms": Sample(other=404, path=of, body=lambda w: some),
        "getUserPerms": Sample(other=404, path=of),
        "revokeUserPerms": Sample(other=404, path=of, body=lambda w: some),
        "revokeUserPerm": Sample(other=404, path=of),
        f"share{word}": Sample(other=404, path=of, body=lambda w: _THEM),
        f"share{word}Public": Sample(other=404, path=of),
        "getShareInfo": Sample(other=404, path=of),
        f"unShare{word}": Sample(other=404, path=of, body=lambda w: _THEM),
        f"unShare{word}Public": Sample(other=404, path=of),
    }
    return {f"{service}.{name}": sample for name, sample in samples.items()}


def _profile(world: World) -> Mapping[str, str]:
    return {"name": world.profile()}


def _file(world: World) -> Mapping[str, str]:
    return {"systemId": "local", "path": f"{world.folder}/here.txt"}


def _transfer(world: World) -> dict[str, Any]:
    there = f"tapis://local{world.folder}"
    return {"elements": [{"sourceURI": f"{there}/here.txt", "destinationURI": f"{there}/brought.txt"}]}


def _task(world: World) -> Mapping[str, str]:
    return {"transferTaskId": world.transfer()}


def _postit(world: World) -> Mapping[str, str]:
    return {"postitId": world.postit()}


def _token(world: World) -> Mapping[str, str]:
    return {"tokenId": world.token()}


def _study(world: World) -> Mapping[str, str]:
    return {"name": world.study()}


def _workflow(world: World) -> Mapping[str, str]:
    return {"name": world.workflow()}


def _cases(world: World) -> dict[str, Any]:
    return {"cases": [{"caseId": "c1", "parameters": {"k": 1}, "request": request(world)}]}


def _node(world: World) -> dict[str, Any]:
    return {"name": "mesh", "request": request(world)}


def _processed(world: World) -> Mapping[str, str]:
    return {"jobUuid": world.processed()}


def _template(world: World) -> Mapping[str, str]:
    return {"name": world.template()}


def _chained(world: World) -> dict[str, Any]:
    return {"request": request(world), "outputs": ["out.txt"]}


def _new_file(world: World) -> Mapping[str, str]:
    return {"systemId": "local", "path": f"{world.folder}/new.txt"}


def request(world: World) -> dict[str, Any]:
    """Return a job request that is fine."""
    script = {"name": "script", "sourceUrl": "data:,echo%20hello"}
    return {"name": "sample", "appId": "bash", "appVersion": "1.0", "fileInputs": [script]}


def app_definition(name: str, version: str = "1") -> dict[str, Any]:
    """Return an app that could run."""
    return {"id": name, "version": version, "runtime": "ZIP", "containerImage": "/nowhere.zip"}


def system_definition(name: str) -> dict[str, Any]:
    """Return a system that could be reached."""
    return {
        "id": name,
        "systemType": "LINUX",
        "host": "login1.example.org",
        "defaultAuthnMethod": "PKI_KEYS",
        "canExec": True,
        "rootDir": "/",
        "jobWorkingDir": "/tmp/work",
        "jobRuntimes": [{"runtimeType": "ZIP"}],
    }


#: To an address where nobody answers (RFC 2606).
SUBSCRIPTION = {
    "eventCategoryFilter": "JOB_USER_EVENT",
    "deliveryTargets": [{"deliveryMethod": "WEBHOOK", "deliveryAddress": "https://hook.invalid/x"}],
}
JOB_SHARE = {"grantee": "somebody", "jobResource": ["JOB_OUTPUT"], "jobPermission": "READ"}
_THEM = {"users": ["somebody"]}
_CLAUSE = {"search": ["id like '*'"]}
_CHANGES = {"description": "changed"}
#: A machine without access lists says so.
_ACL = None if which("setfacl") else 400

#: operationId of the document -> the sample.
SAMPLES: dict[str, Sample] = {
    # A token of another user is not a shell as the server's owner.
    "jobs.submitJob": Sample(other=403, body=request),
    # Each request has its own answer, good or bad.
    "jobs.submitJobs": Sample(other=200, body=lambda w: [request(w)]),
    "jobs.validateJob": Sample(other=403, body=request),
    "jobs.cancelJobs": Sample(other=200, body=lambda w: {"uuids": [w.running()]}),
    "jobs.collectJobOutputs": Sample(other=404, body=lambda w: {"uuids": [w.done], "path": "out.txt"}),
    "jobs.getJobList": Sample(other=200),
    "jobs.getJobSearchList": Sample(other=200, query={"name.like": "*"}),
    "jobs.getJobSearchListByPostSqlStr": Sample(other=200, body=lambda w: {"search": ["name LIKE ", "'*'"]}),
    "jobs.getJobEvents": Sample(other=200),
    "jobs.getJob": Sample(other=404, path=_job),
    "jobs.getJobStatus": Sample(other=404, path=_job),
    "jobs.getJobHistory": Sample(other=404, path=_job),
    "jobs.getResubmitRequestJson": Sample(other=404, path=_job),
    "jobs.resubmitJob": Sample(other=404, path=_job),
    "jobs.cancelJob": Sample(other=404, path=_running),
    # What runs is not held.
    "jobs.pauseJob": Sample(other=404, good=409, path=_begun),
    "jobs.resumeJob": Sample(other=404, good=409, path=_begun),
    "jobs.pauseJobs": Sample(other=200, body=lambda w: {"uuids": [w.running()]}),
    # Only the job's own token counts: its owner is refused without it like anybody else.
    "jobs.jobCallback": Sample(other=403, good=403, path=_job, body=lambda w: {"progress": 40}),
    "jobs.resumeJobs": Sample(other=200, body=lambda w: {"uuids": [w.running()]}),
    "jobs.hideJob": Sample(other=404, path=_job),
    "jobs.unhideJob": Sample(other=404, path=_job),
    "jobs.putJobAnnotations": Sample(other=404, path=_job, body=lambda w: {"tags": ["seen"]}),
    "jobs.patchJobAnnotations": Sample(other=404, path=_job, body=lambda w: {"notes": {"by": "me"}}),
    "jobs.subscribe": Sample(other=404, path=_running, body=lambda w: SUBSCRIPTION),
    "jobs.getSubscriptions": Sample(other=404, path=_job),
    "jobs.deleteSubscriptions": Sample(other=404, path=lambda w: {"uuid": w.done}),
    "jobs.getJobNotifications": Sample(other=404, path=_job),
    "jobs.sendEvent": Sample(other=404, path=_running, body=lambda w: {"eventData": "hello"}),
    "jobs.shareJob": Sample(other=404, path=_job, body=lambda w: JOB_SHARE),
    "jobs.getJobShare": Sample(other=404, path=_job),
    "jobs.deleteJobShare": Sample(other=404, path=lambda w: {**_job(w), "user": "somebody"}),
    "jobs.getJobOutputList": Sample(other=404, path=lambda w: {**_job(w), "path": ""}),
    "jobs.getJobOutputDownload": Sample(other=404, path=_output),
    "jobs.previewJobOutput": Sample(other=404, path=_output),
    "jobs.followJobOutput": Sample(other=404, path=_output),
    "jobs.checkHealth": Sample(other=200),
    "jobs.readycheck": Sample(other=200),
    "jobs.ready": Sample(other=200),
    "jobs.sayHello": Sample(other=200),
    "apps.healthCheck": Sample(other=200),
    "apps.readyCheck": Sample(other=200),
    "apps.getApps": Sample(other=200, query={"listType": "ALL"}),
    "apps.createAppVersion": Sample(other=409, body=lambda w: app_definition(w.app, "2")),
    "apps.searchAppsQueryParameters": Sample(other=200, query={"id.like": "*"}),
    "apps.searchAppsRequestBody": Sample(other=200, body=lambda w: _CLAUSE),
    "apps.getAppLatestVersion": Sample(other=404, path=_app),
    "apps.getApp": Sample(other=404, path=_app),
    "apps.patchApp": Sample(other=404, path=_app, body=lambda w: _CHANGES),
    "apps.putApp": Sample(other=404, path=_app, body=lambda w: app_definition(w.app)),
    "apps.isEnabled": Sample(other=404, path=_app),
    "apps.disableApp": Sample(other=404, path=_app),
    "apps.enableApp": Sample(other=404, path=_app),
    "apps.disableAppVersion": Sample(other=404, path=_app),
    "apps.enableAppVersion": Sample(other=404, path=_app),
    "apps.lockApp": Sample(other=404, path=_app),
    "apps.unlockApp": Sample(other=404, path=_app),
    "apps.deleteApp": Sample(other=404, path=_app),
    "apps.undeleteApp": Sample(other=404, path=_app),
    "apps.changeAppOwner": Sample(other=404, path=_app),
    "apps.getHistory": Sample(other=404, path=_app),
    **_sharing("appId"),
    "systems.healthCheck": Sample(other=200),
    "systems.readyCheck": Sample(other=200),
    "systems.getSystems": Sample(other=200, query={"listType": "ALL"}),
    "systems.createSystem": Sample(other=409, good=409, body=lambda w: system_definition(w.system)),
    "systems.searchSystemsQueryParameters": Sample(other=200, query={"id.like": "*"}),
    "systems.searchSystemsRequestBody": Sample(other=200, body=lambda w: _CLAUSE),
    # Another user's search finds nothing; the parent is nobody else's to see, and has no children.
    "systems.matchConstraints": Sample(other=200, body=lambda w: {"match": ["id like '*'"]}),
    "systems.createChildSystem": Sample(
        other=404, good=400, path=lambda w: {"parentId": w.system}, body=lambda w: {"rootDir": "/tmp"}
    ),
    "systems.unlinkFromParent": Sample(other=404, path=lambda w: {"childSystemId": w.system}),
    "systems.unlinkChildren": Sample(
        other=404, path=lambda w: {"parentSystemId": w.system}, query={"all": "true"}
    ),
    "systems.getGlobusAuthUrl": Sample(other=404, good=400, path=_system),
    "systems.generateGlobusTokens": Sample(
        other=404, good=400, path=lambda w: {**_system(w), "authCode": "a", "sessionId": "s"}
    ),
    "systems.getSystem": Sample(other=404, path=_system),
    "systems.patchSystem": Sample(other=404, path=_system, body=lambda w: _CHANGES),
    "systems.putSystem": Sample(other=404, path=_system, body=lambda w: system_definition(w.system)),
    "systems.isEnabled": Sample(other=404, path=_system),
    "systems.disableSystem": Sample(other=404, path=_system),
    "systems.enableSystem": Sample(other=404, path=_system),
    "systems.deleteSystem": Sample(other=404, path=_system),
    "systems.undeleteSystem": Sample(other=404, path=_system),
    "systems.changeSystemOwner": Sample(other=404, path=_system),
    "systems.getHistory": Sample(other=404, path=_system),
    **_sharing("systemId"),
    "systems.checkUserCredential": Sample(
        other=404, path=lambda w: {"systemId": "local", "userName": w.owner}
    ),
    "systems.hostEval": Sample(other=403, path=lambda w: {"systemId": "local", "envVarName": "HOME"}),
    "systems.createUserCredential": Sample(
        other=404,
        path=_system,
        query={"skipCredentialCheck": "True"},
        body=lambda w: {"password": "correct horse"},
    ),
    "systems.getUserCredential": Sample(other=404, path=_system),
    "systems.removeUserCredential": Sample(other=404, path=_system),
    "systems.getSchedulerProfiles": Sample(other=200),
    "systems.createSchedulerProfile": Sample(other=409, good=409, body=lambda w: {"name": w.profile()}),
    # Profiles are there for all in the tenant, and their owners' to delete.
    "systems.getSchedulerProfile": Sample(other=200, path=_profile),
    "systems.deleteSchedulerProfile": Sample(other=403, path=_profile),
    "files.healthCheck": Sample(other=200),
    "files.readyCheck": Sample(other=200),
    "files.listFiles": Sample(other=403, path=lambda w: {"systemId": "local", "path": w.folder}),
    "files.mkdir": Sample(
        other=403, path=lambda w: {"systemId": "local"}, body=lambda w: {"path": f"{w.folder}/made"}
    ),
    "files.insert": Sample(other=403, path=_new_file, file=b"new"),
    "files.moveCopy": Sample(
        other=403, path=_file, body=lambda w: {"operation": "COPY", "newPath": f"{w.folder}/copy.txt"}
    ),
    "files.getContents": Sample(other=403, path=_file),
    "files.grantPermissions": Sample(
        other=403, path=_file, body=lambda w: {"username": "somebody", "permission": "READ"}
    ),
    "files.getPermissions": Sample(other=403, path=_file, query={"username": "somebody"}),
    "files.deletePermissions": Sample(other=403, path=_file, query={"username": "somebody"}),
    "files.sharePath": Sample(other=403, path=_file, body=lambda w: _THEM),
    "files.sharePathPublic": Sample(other=403, path=_file),
    "files.getShareInfo": Sample(other=403, path=_file),
    "files.unSharePath": Sample(other=403, path=_file, body=lambda w: _THEM),
    "files.unSharePathPublic": Sample(other=403, path=_file),
    "files.unSharePathAll": Sample(other=403, path=_file),
    "files.getStatInfo": Sample(other=403, path=_file),
    "files.runLinuxNativeOp": Sample(
        other=403, path=_file, body=lambda w: {"operation": "CHMOD", "argument": "640"}
    ),
    "files.getFacl": Sample(other=403, path=_file, good=_ACL),
    "files.setFacl": Sample(
        other=403, path=_file, body=lambda w: {"operation": "REMOVE_ALL", "aclString": ""}, good=_ACL
    ),
    "files.createTransferTask": Sample(other=403, body=_transfer),
    "files.getRecentTransferTasks": Sample(other=200),
    "files.getTransferTask": Sample(other=404, path=_task),
    "files.getTransferTaskDetails": Sample(other=404, path=_task),
    "files.cancelTransferTask": Sample(other=404, path=_task),
    "files.createPostIt": Sample(other=403, path=_file, body=lambda w: {"allowedUses": 2}),
    "files.listPostIts": Sample(other=200),
    "files.getPostIt": Sample(other=404, path=_postit),
    "files.updatePostIt": Sample(other=404, path=_postit, body=lambda w: {"validSeconds": 60}),
    "files.deletePostIt": Sample(other=404, path=_postit),
    # The link is all that is needed.
    "files.redeemPostIt": Sample(other=200, path=_postit, query={"download": "true"}),
    "files.delete": Sample(other=403, path=lambda w: {"systemId": "local", "path": f"{w.folder}/copy.txt"}),
    "oauth2.create_token": Sample(other=401, good=401, body=lambda w: {"username": "x", "password": "y"}),
    "oauth2.revoke_token": Sample(other=401, good=401, body=lambda w: {"token": "no.token.ofours"}),
    "oauth2.hello": Sample(other=200),
    "oauth2.ready": Sample(other=200),
    "tokens.hello": Sample(other=200),
    "tokens.ready": Sample(other=200),
    "oauth2.get_userinfo": Sample(other=200),
    "oauth2.list_profiles": Sample(other=200),
    "oauth2.get_profile": Sample(other=404, path=lambda w: {"username": w.owner}),
    "tokens.refresh_token": Sample(other=401, good=401, body=lambda w: {"refresh_token": "no.token.ofours"}),
    "tokens.revoke_token": Sample(other=401, good=401, body=lambda w: {"token": "no.token.ofours"}),
    "sites.list_sites": Sample(other=200),
    "sites.get_site": Sample(other=200, path=lambda w: {"siteId": "jupyter"}),
    "tenants.list_tenants": Sample(other=200),
    "tenants.get_tenant": Sample(other=200, path=lambda w: {"tenantId": "jupyter"}),
    "tapisjobs.createUserToken": Sample(other=403, body=lambda w: {"username": "somebody"}),
    "tapisjobs.listUserTokens": Sample(other=200),
    "tapisjobs.revokeUserToken": Sample(other=404, path=_token),
    "tapisjobs.purgeJobs": Sample(
        other=403, body=lambda w: {"olderThanDays": 365, "allUsers": True, "dryRun": True}
    ),
    "tapisjobs.getServer": Sample(other=200),
    "tapisjobs.addHost": Sample(
        other=409, good=409, body=lambda w: {"id": w.system, "host": "login1.example.org"}
    ),
    "tapisjobs.getHosts": Sample(other=200),
    # Without a credential there is nothing to sign in with.
    "tapisjobs.checkHost": Sample(other=404, good=400, path=_system, body=lambda w: {}),
    "tapisjobs.getHostLoad": Sample(other=404, path=_system),
    "tapisjobs.getHostAllocations": Sample(other=404, path=_system),
    "tapisjobs.getHostPlaces": Sample(other=404, path=_system),
    "tapisjobs.getJobCounts": Sample(other=200, query={"text": "sample", "status.neq": "FAILED"}),
    "tapisjobs.getJobValues": Sample(other=200, query={"attribute": "appId"}),
    "tapisjobs.getJobExtras": Sample(other=200),
    "tapisjobs.getJobExtraValues": Sample(other=200, body=lambda w: {"uuids": [w.done]}),
    # No other package adds one here.
    "tapisjobs.runJobAction": Sample(
        other=403, good=404, path=lambda w: {"actionName": "x"}, body=lambda w: {"uuids": [w.done]}
    ),
    # The app is there for all.
    "tapisjobs.writeCode": Sample(other=200, body=lambda w: {"request": request(w)}),
    "tapisjobs.readCode": Sample(other=200, body=lambda w: {"text": "%%tapisjob bash\ntrue\n"}),
    "tapisjobs.readDefinitions": Sample(other=200, body=lambda w: {"text": "id: x\nversion: 1.0\n"}),
    "tapisjobs.getAppForm": Sample(other=404, path=_app),
    "tapisjobs.fillAppForm": Sample(other=404, path=_app, body=lambda w: {"values": {"name": "x"}}),
    "tapisjobs.openAppForm": Sample(other=404, path=_app, body=lambda w: {"request": request(w)}),
    "tapisjobs.getStudies": Sample(other=200),
    "tapisjobs.createStudy": Sample(other=200, body=lambda w: {"name": "sample", "template": request(w)}),
    "tapisjobs.getStudy": Sample(other=404, path=_study),
    "tapisjobs.patchStudy": Sample(other=404, path=_study, body=lambda w: {"maxRunning": 5}),
    "tapisjobs.deleteStudy": Sample(other=404, path=_study),
    "tapisjobs.cancelStudy": Sample(other=404, path=_study),
    "tapisjobs.getStudyCases": Sample(other=404, path=_study),
    "tapisjobs.addStudyCases": Sample(other=404, path=_study, body=_cases),
    "tapisjobs.retryStudyCases": Sample(other=404, path=_study, body=lambda w: {"caseIds": []}),
    "tapisjobs.getStudyChains": Sample(other=404, path=_study),
    "tapisjobs.addStudyChain": Sample(other=404, path=_study, body=_chained),
    "tapisjobs.deleteStudyChain": Sample(other=404, path=lambda w: w.chain()),
    "tapisjobs.getWorkflows": Sample(other=200),
    "tapisjobs.runWorkflow": Sample(other=400, body=lambda w: {"name": "sample", "nodes": [_node(w)]}),
    "tapisjobs.getWorkflow": Sample(other=404, path=_workflow),
    "tapisjobs.deleteWorkflow": Sample(other=404, good=409, path=_workflow),
    "tapisjobs.getWorkflowNodes": Sample(other=404, path=_workflow),
    "tapisjobs.cancelWorkflow": Sample(other=404, path=_workflow),
    "tapisjobs.pauseWorkflow": Sample(other=404, path=_workflow),
    "tapisjobs.resumeWorkflow": Sample(other=404, path=_workflow),
    "tapisjobs.retryWorkflow": Sample(other=404, good=409, path=_workflow),
    "tapisjobs.getProcessing": Sample(other=404, path=_processed),
    "tapisjobs.getProcessings": Sample(other=200, body=lambda w: {"uuids": [w.processed()]}),
    "tapisjobs.processAgain": Sample(other=404, path=_processed),
    "tapisjobs.reportProcessing": Sample(other=404, path=_processed, body=lambda w: {"claim": "kernel-1"}),
    "tapisjobs.getTemplates": Sample(other=200),
    "tapisjobs.saveTemplate": Sample(
        other=200, body=lambda w: {"name": "own", "request": {"appId": "bash"}, "replace": True}
    ),
    "tapisjobs.getTemplate": Sample(other=404, path=_template),
    "tapisjobs.deleteTemplate": Sample(other=404, path=_template),
    "tapisjobs.getStudyFrame": Sample(other=404, path=_study, query={"attempts": "all"}),
    "openapi.getOpenapi": Sample(other=200),
}

ROUTES: dict[str, Route] = {f"{route.service}.{route.operation}": route for route in TABLE}
IN_ORDER = [name for name in SAMPLES if name in ROUTES]


def address(route: Route, values: Mapping[str, str]) -> str:
    """Return the path of *route* with its parameters filled in."""
    from urllib.parse import quote

    path = route.path
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", quote(value.lstrip("/")))
    return path


def is_endless(route: Route) -> bool:
    """Tell whether the answer has no end."""
    return route.answers is Answers.EVENTS
