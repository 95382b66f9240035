"""The files of the server's machine are its user's: another user's jobs neither read nor write them."""

from __future__ import annotations

from typing import Any

import pytest
from people import Api, Who, message

SYSTEM = {
    "id": "others-cluster",
    "systemType": "LINUX",
    "host": "cluster.example.org",
    "defaultAuthnMethod": "PKI_KEYS",
    "canExec": True,
    "rootDir": "/",
    "jobWorkingDir": "/work",
    "jobRuntimes": [{"runtimeType": "ZIP"}],
}


def app(**attributes: Any) -> dict[str, Any]:
    """Return an app that another user defines, with an image of their own."""
    image = attributes.pop("containerImage", "/apps/x.zip")
    given = {"execSystemId": SYSTEM["id"], "archiveOnAppError": True, **attributes}
    return {"id": "others-app", "runtime": "ZIP", "containerImage": image, "jobAttributes": given}


CASES: dict[str, dict[str, Any]] = {
    "an input": {"request": {"fileInputs": [{"sourceUrl": "tapis://local/etc/passwd", "targetPath": "x"}]}},
    "an optional input of the app": {
        "app": {"fileInputs": [{"name": "x", "sourceUrl": "tapis://local/etc/passwd", "targetPath": "x"}]}
    },
    "an image": {"app": {"containerImage": "tapis://local/home/ada/secrets.zip"}},
    "an archive": {"request": {"archiveSystemId": "local", "archiveSystemDir": "/tmp/planted"}},
}


@pytest.mark.parametrize("case", CASES)
def test_another_users_job_does_not_touch_the_servers_own_files(api: Api, case: str) -> None:
    api.call("POST", "/v3/systems", Who.OTHER, json=SYSTEM)
    version = f"1.{list(CASES).index(case)}"
    api.post("/v3/apps", {**app(**CASES[case].get("app", {})), "version": version}, Who.OTHER)
    request = {"name": "x", "appId": "others-app", "appVersion": version, **CASES[case].get("request", {})}
    refused = api.call("POST", "/v3/jobs/submit", Who.OTHER, json=request)
    assert refused.status_code == 403, refused.text
    assert "only its user may read and write there" in message(refused)
