"""A small Tapis in memory, behind httpx's own seam: enough of the API for the kernel's side."""

from __future__ import annotations

import io
import json
import re
import tarfile
import uuid as uuids
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from fake_stream import EventStream
from fake_studies import FakeStudies
from fake_templates import FakeTemplates

from jupyter_tapis_jobs.client.connection import Connection
from jupyter_tapis_jobs.client.endpoint import Endpoint
from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.model.globs import names_matching

URL = "http://127.0.0.1:8888/tapis"

BASH = {
    "id": "bash",
    "version": "1.0",
    "description": "Runs a shell script.",
    "jobAttributes": {
        "execSystemId": "local",
        "fileInputs": [{"name": "script", "targetPath": "script.sh", "inputMode": "REQUIRED"}],
        "parameterSet": {"envVariables": []},
    },
}
PYTHON = {
    "id": "python",
    "version": "1.0",
    "jobAttributes": {
        "execSystemId": "local",
        "fileInputs": [{"name": "script", "targetPath": "script.py", "inputMode": "REQUIRED"}],
        "parameterSet": {"envVariables": [{"key": "TAPIS_PYTHON", "value": "!tapis_not_set"}]},
    },
}
OPENSEES = {
    "id": "opensees-py",
    "version": "3.7",
    "jobAttributes": {"execSystemId": "frontera", "fileInputs": [{"name": "mesh", "targetPath": "mesh.msh"}]},
}
LOCAL = {"id": "local", "rootDir": "/", "jobWorkingDir": "/data/tapisjobs/work", "jobEnvVariables": None}
FRONTERA = {
    "id": "frontera",
    "rootDir": "/home",
    "batchLogicalQueues": [{"name": "normal"}, {"name": "large"}],
}


@dataclass
class FakeTapis:
    """The server. ``ours`` is False for a plain tenant, which knows only Tapis's own calls."""

    ours: bool = True
    apps: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {app["id"]: app for app in (BASH, PYTHON, OPENSEES)}
    )
    systems: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {s["id"]: s for s in (LOCAL, FRONTERA)}
    )
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    histories: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    outputs: dict[str, dict[str, bytes]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    #: (method, path) of every call, in order.
    calls: list[tuple[str, str]] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    headers: list[httpx.Headers] = field(default_factory=list)
    streams: list[EventStream] = field(default_factory=lambda: [EventStream()])
    opened: int = 0
    largest_body: int = 0
    #: Answers that come before anything else: path -> function of the request.
    instead: dict[str, Callable[[httpx.Request], httpx.Response]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.studies = FakeStudies(
            submit=lambda request: str(self._accepted(request)["uuid"]), job=lambda uuid: self.jobs[uuid]
        )
        self.templates = FakeTemplates()

    def tapis(self, **options: Any) -> Tapis:
        """Return a client of this server."""
        return Tapis(self.connection(), **options)

    def connection(self, **headers: str) -> Connection:
        """Return a connection to this server that does not wait between tries."""
        transport = httpx.MockTransport(self.answer)
        endpoint = Endpoint(url=URL, headers={"Authorization": "token secret", **headers})
        return Connection(
            endpoint, transport=transport, async_transport=transport, sleep=lambda seconds: None
        )

    def add_job(self, status: str = "PENDING", **values: Any) -> str:
        """Store a job as if it had been submitted."""
        uuid = f"{uuids.uuid4()}-007"
        self.jobs[uuid] = {
            "uuid": uuid,
            "name": f"job-{len(self.jobs) + 1}",
            "owner": "me",
            "tenant": "dev",
            "appId": "bash",
            "appVersion": "1.0",
            "status": status,
            "condition": None,
            "lastMessage": None,
            "created": f"2026-11-21T05:00:00.{len(self.jobs):06}Z",
            "remoteStarted": None,
            "ended": None,
            "lastUpdated": "2026-11-21T05:00:00.000000Z",
            "execSystemId": "local",
            "archiveSystemId": "local",
            "execSystemOutputDir": f"/data/work/{uuid}",
            "archiveSystemDir": f"/data/work/{uuid}",
            "jobType": "FORK",
            "nodeCount": 1,
            "coresPerNode": 1,
            "memoryMB": 2000,
            "maxMinutes": 60,
            **values,
        }
        self.outputs[uuid] = {}
        self.histories[uuid] = [_history("PENDING")]
        return uuid

    def move(self, uuid: str, status: str, **values: Any) -> dict[str, Any]:
        """Change a job's status; return the event that tells it."""
        self.jobs[uuid] |= {"status": status, **values}
        event = _history(status)
        self.histories[uuid].append(event)
        return {"event": event | {"jobUuid": uuid}, "job": self.jobs[uuid]}

    def tell(self, uuid: str, status: str, **values: Any) -> None:
        """Change a job's status and send its event."""
        data = json.dumps(self.move(uuid, status, **values))
        self.streams[-1].write(f": comment\n\nid: 7\nevent: JOB_NEW_STATUS\ndata: {data}\n\n")

    def last_request(self) -> dict[str, Any]:
        """Return the request that was submitted last."""
        return list(self.requests.values())[-1]

    # --- answers -----------------------------------------------------------------------------
    def answer(self, request: httpx.Request) -> httpx.Response:
        """The seam: one request in, one response out."""
        path = request.url.path.removeprefix("/tapis")
        self.calls.append((request.method, path))
        self.queries.append(dict(request.url.params))
        self.headers.append(request.headers)
        if path in self.instead:
            return self.instead[path](request)
        parts = path.strip("/").split("/")[1:]
        handler = getattr(self, f"_{parts[0]}", None)
        return handler(request, parts[1:]) if handler else error(404, f"There is no {path}.")

    def _tapisjobs(self, request: httpx.Request, parts: list[str]) -> httpx.Response:
        if parts[:1] == ["studies"] and self.ours:
            code, told = self.studies.answer(request, parts[1:])
            return result(told) if code == 200 else error(code, told[0], told[1])
        if parts[:1] == ["templates"] and self.ours:
            code, told = self.templates.answer(request, parts[1:])
            return result(told) if code == 200 else error(code, told)
        return (
            result(
                {"version": "0.1.0", "engine": {"state": "ready", "holder": None}}
                | ({"maxBodyBytes": self.largest_body} if self.largest_body else {})
            )
            if self.ours
            else error(404)
        )

    def _tenants(self, request: httpx.Request, parts: list[str]) -> httpx.Response:
        return result([{"tenant_id": "jupyter", **({"extensions": ["server"]} if self.ours else {})}])

    def _oauth2(self, request: httpx.Request, parts: list[str]) -> httpx.Response:
        return result({"username": "me"}) if parts == ["userinfo"] else error(404)

    def _apps(self, request: httpx.Request, parts: list[str]) -> httpx.Response:
        if request.method in ("POST", "PUT"):
            return _stored(self.apps, request, "id")
        if parts[1:] and parts[1] != self.apps.get(parts[0], {}).get("version"):
            return error(404, f"There is no {'/'.join(parts)}.")
        return _one_or_all(self.apps, parts)

    def _systems(self, request: httpx.Request, parts: list[str]) -> httpx.Response:
        if parts[:1] == ["schedulerProfile"]:
            return self._profiles(request, parts[1:])
        if request.method in ("POST", "PUT"):
            return _stored(self.systems, request, "id")
        if parts[1:] == ["hostEval", "HOME"]:
            return result({"name": "/home/me"})
        return _one_or_all(self.systems, parts)

    def _profiles(self, request: httpx.Request, parts: list[str]) -> httpx.Response:
        if request.method == "POST":
            return _stored(self.profiles, request, "name", owner="me")
        if request.method == "DELETE":
            return result({"changes": int(self.profiles.pop(parts[0], None) is not None)})
        return _one_or_all(self.profiles, parts)

    def _files(self, request: httpx.Request, parts: list[str]) -> httpx.Response:
        kind, system, path = parts[0], parts[1], "/".join(parts[2:])
        if kind == "content":
            uploaded = self.uploads.get(f"{system}/{path}")
            return self._content(path) if uploaded is None else httpx.Response(200, content=uploaded)
        if request.method == "POST":
            self.uploads[f"{system}/{path}"] = _multipart(request)
            return result(None)
        found = self.uploads.get(f"{system}/{path}")
        return (
            error(404, "There is no such file.")
            if found is None
            else result([{"name": path, "size": len(found)}])
        )

    def _content(self, path: str) -> httpx.Response:
        for uuid, files in self.outputs.items():
            folder = self.jobs[uuid]["archiveSystemDir"].strip("/") + "/"
            if path.startswith(folder) and path.removeprefix(folder) in files:
                return httpx.Response(200, content=files[path.removeprefix(folder)])
        return error(404, "There is no such file.")

    def _jobs(self, request: httpx.Request, parts: list[str]) -> httpx.Response:
        special = getattr(self, "_jobs_" + "_".join(parts).replace("/", "_"), None)
        if special:
            return special(request)
        uuid, rest = parts[0], parts[1:]
        if uuid not in self.jobs:
            return error(404, f"JOBS_NOT_FOUND There is no job {uuid}.")
        return getattr(self, "_job_" + (rest[0] if rest else "get"))(request, uuid, rest[1:])

    def _jobs_submit(self, request: httpx.Request) -> httpx.Response:
        return result(self._accepted(json.loads(request.content)))

    def _accepted(self, body: dict[str, Any]) -> dict[str, Any]:
        uuid = self.add_job(name=body["name"], appId=body["appId"])
        self.requests[uuid] = body
        return self.jobs[uuid]

    def _jobs_submit_bulk(self, request: httpx.Request) -> httpx.Response:
        return result([self._bulk_row(body) for body in json.loads(request.content)])

    def _bulk_row(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("maxMinutes") == -1:
            return {"error": {"message": "maxMinutes -1 is too small", "field": "maxMinutes", "value": -1}}
        job = self._accepted(body)
        return {key: job[key] for key in ("uuid", "name", "status")}

    def _jobs_validate(self, request: httpx.Request) -> httpx.Response:
        job = {"name": json.loads(request.content)["name"]}
        return result({"job": job, "script": "#!/bin/sh\nrun", "environment": "K=3", "warnings": ["odd"]})

    def _jobs_cancel_bulk(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)["uuids"]
        return result([{"uuid": uuid, "status": "success", "message": ""} for uuid in asked])

    def _jobs_output_bulk(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        body = io.BytesIO()
        with tarfile.open(fileobj=body, mode="w") as archive:
            for name, data in self._bulk_members(asked):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return httpx.Response(200, content=body.getvalue())

    def _bulk_members(self, asked: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
        for uuid in asked["uuids"]:
            names = (
                names_matching(self.outputs[uuid], asked["path"]) if asked.get("glob") else [asked["path"]]
            )
            found = {name: self.outputs[uuid][name] for name in names if name in self.outputs[uuid]}
            told = {"code": "JOBS_NOT_FOUND", "message": f"job {self.jobs[uuid]['name']} has no output."}
            if not found:
                yield f"errors/{uuid}", json.dumps(told).encode()
            for name, data in found.items():
                yield f"files/{uuid}/{name}" if asked.get("glob") else f"files/{uuid}", data

    def _jobs_events(self, request: httpx.Request) -> httpx.Response:
        self.opened += 1
        if self.opened > len(self.streams):
            self.streams.append(EventStream())
        return httpx.Response(200, stream=self.streams[self.opened - 1])

    def _jobs_list(self, request: httpx.Request) -> httpx.Response:
        return self._jobs_search(request)

    def _jobs_search(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        if request.method == "POST":
            query["uuid.in"] = ",".join(re.findall(r"'([^']+)'", json.loads(request.content)["search"][0]))
        rows = [job for job in self.jobs.values() if _matches(job, query)]
        rows.sort(key=lambda job: job["created"], reverse="desc" in query.get("orderBy", ""))
        if query.get("format") == "columns" and self.ours:
            return result({key: [row[key] for row in rows] for key in rows[0]} if rows else {})
        skip, limit = int(query.get("skip", 0)), int(query.get("limit", 100))
        return result(rows[skip : skip + limit] if limit > 0 else rows[skip:])

    def _job_get(self, request: httpx.Request, uuid: str, rest: list[str]) -> httpx.Response:
        return result(self.jobs[uuid])

    def _job_history(self, request: httpx.Request, uuid: str, rest: list[str]) -> httpx.Response:
        return result(self.histories[uuid])

    def _job_cancel(self, request: httpx.Request, uuid: str, rest: list[str]) -> httpx.Response:
        if self.jobs[uuid]["status"] == "FINISHED":
            return error(409, f"JOBS_JOB_CANCEL_FAILED job {uuid} has ended")
        self.move(uuid, "CANCELLED", condition="CANCELLED_BY_USER")
        return result(None)

    def _job_resubmit(self, request: httpx.Request, uuid: str, rest: list[str]) -> httpx.Response:
        changes = json.loads(request.content or b"{}") or {}
        return result(self._accepted({**self.requests[uuid], **changes}))

    def _job_resubmit_request(self, request: httpx.Request, uuid: str, rest: list[str]) -> httpx.Response:
        return result(self.requests[uuid])

    def _job_output(self, request: httpx.Request, uuid: str, rest: list[str]) -> httpx.Response:
        kind, path = rest[0], "/".join(rest[1:])
        files = self.outputs[uuid]
        if kind == "list":
            return result([_file(self.jobs[uuid], name, data) for name, data in files.items()])
        if path not in files:
            return error(404, f"There is no {path}.")
        offset = int(request.url.params.get("offset", 0))
        return httpx.Response(200, content=files[path][offset:])


def result(value: Any, **metadata: Any) -> httpx.Response:
    """Tapis's envelope around *value*."""
    body = {"status": "success", "message": "ok", "version": "1", "result": value, "metadata": metadata}
    return httpx.Response(200, json=body)


def error(code: int, message: str = "no", told: Any = None) -> httpx.Response:
    """Tapis's envelope around an error, with what it tells beside its sentence."""
    return httpx.Response(code, json={"status": "error", "message": message, "version": "1", "result": told})


def _one_or_all(things: dict[str, dict[str, Any]], parts: list[str]) -> httpx.Response:
    if not parts or not parts[0]:
        return result(list(things.values()))
    return result(things[parts[0]]) if parts[0] in things else error(404, f"There is no {parts[0]}.")


def _stored(
    things: dict[str, dict[str, Any]], request: httpx.Request, key: str, **more: Any
) -> httpx.Response:
    body = json.loads(request.content)
    things[body[key]] = body | more
    return result({"url": f"{URL}/{body[key]}"})


def _history(status: str) -> dict[str, Any]:
    return {
        "event": "JOB_NEW_STATUS",
        "eventDetail": status,
        "created": "2026-11-21T05:00:01.000000Z",
        "description": f"now {status}",
    }


def _file(job: dict[str, Any], name: str, data: bytes) -> dict[str, Any]:
    return {
        "name": name.rsplit("/", 1)[-1],
        "path": f"{job['execSystemOutputDir']}/{name}",
        "size": len(data),
        "type": "file",
        "lastModified": "2026-11-21T05:00:02Z",
    }


def _matches(job: dict[str, Any], query: dict[str, str]) -> bool:
    for key, value in query.items():
        name, _, operation = key.partition(".")
        if operation == "eq" and str(job.get(name)) != value:
            return False
        if operation == "in" and str(job.get(name)) not in value.split(","):
            return False
        if operation == "gte" and str(job.get(name)) < value:
            return False
    return True


def _multipart(request: httpx.Request) -> bytes:
    body = request.read()
    boundary = b"--" + request.headers["content-type"].partition("boundary=")[2].encode()
    return body.split(boundary)[1].partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
