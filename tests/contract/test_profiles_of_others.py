"""The commands of a scheduler profile run as whoever uses it, so another user's is not to be used."""

from __future__ import annotations

from typing import Any

import pytest
from people import Api, Who, message


def profile(name: str) -> dict[str, Any]:
    return {"name": name, "moduleLoads": [{"moduleLoadCommand": "touch", "modulesToLoad": ["was-here"]}]}


def system(name: str) -> dict[str, Any]:
    queue = {"name": "normal", "hpcQueueName": "normal"}
    return {
        "id": name, "systemType": "LINUX", "host": "cluster.example.org", "defaultAuthnMethod": "PKI_KEYS",
        "canExec": True, "rootDir": "/", "jobWorkingDir": "/work", "jobRuntimes": [{"runtimeType": "ZIP"}],
        "canRunBatch": True, "batchScheduler": "SLURM", "batchLogicalQueues": [queue],
        "batchDefaultLogicalQueue": "normal",
    }  # fmt: skip


def request(on: str, named: str) -> dict[str, Any]:
    options = {"schedulerOptions": [{"arg": f"--tapis-profile {named}"}]}
    script = [{"name": "script", "sourceUrl": "data:,true"}]
    return {
        "name": "x", "appId": "bash", "appVersion": "1.0", "execSystemId": on, "jobType": "BATCH",
        "fileInputs": script, "parameterSet": options,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("maker", "user", "is_taken"),
    [(Who.OTHER, Who.OWNER, False), (Who.OWNER, Who.OTHER, True), (Who.OTHER, Who.OTHER, True)],
    ids=["of another user", "of the server's user", "of one's own"],
)
def test_a_profile_is_used_by_its_owner_or_comes_from_the_servers_user(
    api: Api, maker: Who, user: Who, is_taken: bool
) -> None:
    name = f"profile-{maker.name}-{user.name}".lower()
    api.post("/v3/systems/schedulerProfile", profile(name), maker)
    api.post("/v3/systems", system(name), user)
    answer = api.call("POST", "/v3/jobs/validate", user, json=request(name, name))
    assert answer.status_code == (200 if is_taken else 403), answer.text
    if not is_taken:
        assert "would run as you" in message(answer)
