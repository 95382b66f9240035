"""A person who works with unmodified tapipy against a real server."""

from __future__ import annotations

import getpass
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

#: The app ``bash``, of which every system of ours has one.
BASH = {"appId": "bash", "appVersion": "1.0"}
SYSTEM = {
    "systemType": "LINUX",
    "host": "login1.example.org",
    "defaultAuthnMethod": "PKI_KEYS",
    "canExec": True,
    "rootDir": "/",
    "jobWorkingDir": "/tmp/work",
    "jobRuntimes": [{"runtimeType": "ZIP"}],
}


def sign_in(url: str, jupyter_token: str) -> Any:
    """Return tapipy's client of the Jupyter server at *url*, signed in by name and password."""
    from tapipy.tapis import Tapis

    tapis = Tapis(base_url=url.rstrip("/") + "/tapis", username=getpass.getuser(), password=jupyter_token)
    tapis.get_tokens()
    return tapis


def script(text: str) -> list[dict[str, Any]]:
    """Return the file inputs that make the apps bash and python run *text*."""
    return [{"name": "script", "sourceUrl": f"data:,{quote(text)}"}]


def zip_app(folder: Path, text: str) -> Path:
    """Return the image of a ZIP app that runs *text*."""
    image = folder / "app.zip"
    with zipfile.ZipFile(image, "w") as packed:
        packed.writestr("tapisjob_app.sh", text)
    return image


def ended(tapis: Any, job: Any, until: Callable[..., Any]) -> str:
    """Wait for the end of *job* and return its status."""

    def status() -> str | None:
        now = str(tapis.jobs.getJobStatus(jobUuid=job.uuid).status)
        return now if now in ("FINISHED", "FAILED", "CANCELLED") else None

    return str(until(status))
