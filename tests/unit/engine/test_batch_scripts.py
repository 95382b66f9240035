"""Where the script of a batch request is taken from, and what is refused."""

from __future__ import annotations

import asyncio
import base64
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_tapis_jobs.engine import batch_scripts
from jupyter_tapis_jobs.engine.batch_scripts import BatchScripts, named
from jupyter_tapis_jobs.engine.sources import known_source
from jupyter_tapis_jobs.model.batch_request import ScriptedRequest
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotAllowedError, TooLargeError, TransportError
from jupyter_tapis_jobs.model.request import parse_request
from jupyter_tapis_jobs.model.system import parse_system
from jupyter_tapis_jobs.model.user import User

OWNER, OTHER = User("ada", "t", is_server_user=True), User("bob", "t", is_server_user=False)
SCRIPT = b"#!/bin/sh\n#SBATCH -t 7 -J mine\n"
INLINE = f"data:;base64,{base64.b64encode(SCRIPT).decode()}"
CLUSTER = {
    "id": "cluster", "systemType": "LINUX", "host": "h", "defaultAuthnMethod": "PKI_KEYS", "canExec": True,
    "rootDir": "/", "jobWorkingDir": "/work", "jobRuntimes": [{"runtimeType": "ZIP"}], "canRunBatch": True,
    "batchScheduler": "SLURM", "batchLogicalQueues": [{"name": "q", "hpcQueueName": "normal"}],
}  # fmt: skip


def asked(url: str, **fields: Any) -> dict[str, Any]:
    script = {"name": "script", "sourceUrl": url}
    return {"name": "n", "appId": "slurm", "appVersion": "1.0", "fileInputs": [script], **fields}


def read(raw: dict[str, Any], found: Any = None, user: User = OWNER, **system: Any) -> ScriptedRequest | None:
    """Read the script of a request; *found* is what lies at its URL."""

    async def transport(system_id: str, name: str) -> str:
        return f"{name} at {system_id}"

    async def find_all(wishes: Any, lane: Any, host: Any) -> Any:
        assert (lane, host) == (("cluster", user.name), f"{user.name} at cluster")
        return dict.fromkeys(wishes, found)

    ports: Any = SimpleNamespace(hosts=SimpleNamespace(transport=transport))
    sources: Any = SimpleNamespace(find_all=find_all)
    cluster = parse_system(CLUSTER | system)[0]
    return asyncio.run(BatchScripts(ports, sources).read(user, raw, parse_request(raw), cluster))


def minutes(scripted: ScriptedRequest | None) -> Any:
    assert scripted is not None
    return scripted.raw.get("maxMinutes")


def test_a_script_is_read_from_the_request_itself_or_from_its_host() -> None:
    assert minutes(read(asked(INLINE))) == 7
    url = "tapis://cluster/home/ada/run.slurm"
    assert minutes(read(asked(url), known_source(url, "run.slurm", SCRIPT))) == 7


def test_other_apps_and_systems_without_a_scheduler_have_no_script_to_read() -> None:
    assert read(asked(INLINE, appId="bash")) is None
    assert read(asked(INLINE), canRunBatch=False) is None
    assert read(asked(INLINE) | {"fileInputs": []}) is None


def test_a_fork_job_does_not_follow_its_lines_and_says_so() -> None:
    scripted = read(asked(INLINE, jobType="FORK"))
    assert minutes(scripted) is None
    assert scripted is not None
    assert scripted.warnings[0].startswith("the #SBATCH lines of the script are not read")


@pytest.mark.parametrize(
    ("url", "found", "error", "words"),
    [
        ("tapis://cluster/none", None, InvalidInputError, "does not exist"),
        ("tapis://cluster/x", TransportError("the host is away."), TransportError, "away"),
        ("https://example.org/run.slurm", None, InvalidInputError, "Send the script with the request"),
        ("tapislocal://exec.tapis/run.slurm", None, InvalidInputError, "Send the script with the request"),
        ("tapis://cluster/x", known_source("u", "n", b"echo"), InvalidInputError, "begins with #!"),
    ],
)
def test_a_script_that_cannot_be_read_is_told(
    url: str, found: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        read(asked(url), found)


def test_a_script_that_its_user_may_not_read_is_not_read() -> None:
    with pytest.raises(NotAllowedError, match="not yours"):
        read(asked("tapis://local/home/ada/run.slurm"), NotAllowedError("not yours."), user=OTHER)


@pytest.mark.parametrize("url", [INLINE, "tapis://cluster/x"])
def test_a_script_longer_than_sbatch_takes_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(batch_scripts, "LONGEST", len(SCRIPT) - 1)
    with pytest.raises(TooLargeError):
        read(asked(url), known_source("u", "n", SCRIPT))


def test_a_request_without_a_name_is_named_by_its_script() -> None:
    nameless = {key: value for key, value in asked(INLINE).items() if key != "name"}
    assert named(nameless)["name"] == "mine"
    assert named(nameless | {"fileInputs": []})["name"] == "slurm"
    assert named(asked(INLINE))["name"] == "n"
    assert "name" not in named(nameless | {"appId": "bash"})
