"""Where the API is and how to sign in: asked for, from the environment, or this kernel's own server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..model.errors import InvalidInputError, NotSignedInError, UnavailableError

#: Set by the server extension for the kernels that its server starts.
OWN_URL, OWN_TOKEN = "JUPYTER_TAPIS_JOBS_URL", "JUPYTER_TAPIS_JOBS_TOKEN"

#: The header of a Tapis token.
TOKEN_HEADER = "X-Tapis-Token"  # noqa: S105 - the header's name

_NO_SERVER = (
    "No Jupyter server with jupyter_tapis_jobs was found for this Python process. "
    "Start one with `jupyter lab` or `jupyter tapisjobs serve` and work in its notebooks, "
    "or name one: set TAPIS_BASE_URL (http://127.0.0.1:8888/tapis) and TAPIS_TOKEN, "
    "or connect(url, token=…)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One API and the sign-in for it."""

    #: What stands before ``/v3``; no slash at the end.
    url: str
    #: Sent with every call; kept out of every repr.
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Name and password when a token has yet to be asked for.
    password_grant: tuple[str, str] | None = field(default=None, repr=False)
    #: True for the server that started this kernel.
    own: bool = False


def find_endpoint(
    url: str | None = None,
    token: str | None = None,
    username: str | None = None,
    password: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> Endpoint:
    """Return the endpoint to use: the arguments, else ``TAPIS_*``, else the server of this kernel.

    Raises ``NotSignedInError`` when an address comes without a sign-in, ``UnavailableError`` when
    there is no server at all.
    """
    env = os.environ if environment is None else environment
    if url is None and (token or username):
        raise InvalidInputError("connect(token=…) needs the address too: connect(url, token=…).", field="url")
    if url is not None:
        # A token of the environment belongs to the environment's address, not to any other.
        same = url.rstrip("/") == env.get("TAPIS_BASE_URL", "").rstrip("/")
        saved = env if same else {}
        return _named(url, token or saved.get("TAPIS_TOKEN"), username or saved.get("TAPIS_USER"),
                      password or saved.get("TAPIS_PASSWORD"))  # fmt: skip
    if env.get("TAPIS_BASE_URL"):
        return _named(env["TAPIS_BASE_URL"], env.get("TAPIS_TOKEN"), env.get("TAPIS_USER"),
                      env.get("TAPIS_PASSWORD"))  # fmt: skip
    own = _own_server(env) or _hub_server(env) or _parent_server(env)
    if own is None:
        raise UnavailableError(_NO_SERVER + _running_note(env), code="JOBS_NO_SERVER")
    return own


def sign_in(token: str) -> dict[str, str]:
    """Return the headers for *token*: a Tapis JWT, or the token of a Jupyter server."""
    is_jwt = token.startswith("eyJ") and token.count(".") == 2
    return {TOKEN_HEADER: token} if is_jwt else {"Authorization": f"token {token}"}


def _named(url: str, token: str | None, username: str | None, password: str | None) -> Endpoint:
    if not url.startswith(("http://", "https://")):
        raise InvalidInputError(
            f"'{url}' is not an address. Expected one like https://tacc.tapis.io or "
            "http://127.0.0.1:8888/tapis.",
            field="url",
            value=url,
        )
    url = url.rstrip("/")
    if token:
        return Endpoint(url=url, headers=sign_in(token))
    if username and password:
        return Endpoint(url=url, password_grant=(username, password))
    raise NotSignedInError(
        f"{url} needs a sign-in: connect(url, token=…), or set TAPIS_TOKEN, or TAPIS_USER and TAPIS_PASSWORD."
    )


def _own_server(env: Mapping[str, str]) -> Endpoint | None:
    """The server extension left its address in the environment; its token lies in the runtime file."""
    url = env.get(OWN_URL)
    if not url:
        return None
    record = _parent_record(env) or {}
    token = env.get(OWN_TOKEN) or record.get("token") or env.get("JUPYTERHUB_API_TOKEN")
    return Endpoint(url=url.rstrip("/"), headers=sign_in(token) if token else {}, own=True)


def _hub_server(env: Mapping[str, str]) -> Endpoint | None:
    """A single-user server of JupyterHub: its address and token are in the environment."""
    service, prefix = env.get("JUPYTERHUB_SERVICE_URL"), env.get("JUPYTERHUB_SERVICE_PREFIX")
    token = env.get("JUPYTERHUB_API_TOKEN")
    if not (service and prefix and token):
        return None
    scheme, _, rest = service.partition("://")
    host = rest.split("/", 1)[0].replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - an address to call
    return Endpoint(url=f"{scheme}://{host}{prefix.rstrip('/')}/tapis", headers=sign_in(token), own=True)


def _parent_server(env: Mapping[str, str]) -> Endpoint | None:
    record = _parent_record(env)
    if record is None or not record.get("url"):
        return None
    token = record.get("token")
    return Endpoint(
        url=record["url"].rstrip("/") + "/tapis", headers=sign_in(token) if token else {}, own=True
    )


def _parent_record(env: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the runtime file's content of the server that started this kernel."""
    parent = env.get("JPY_PARENT_PID", "")
    return next((record for record in _records(env) if str(record.get("pid")) == parent), None)


def _records(env: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Read the runtime files of Jupyter servers without importing jupyter_server (two seconds)."""
    for path in sorted(_runtime_folder(env).glob("jpserver-*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(record, dict):
            yield record


def _runtime_folder(env: Mapping[str, str]) -> Path:
    if env.get("JUPYTER_RUNTIME_DIR"):
        return Path(env["JUPYTER_RUNTIME_DIR"])
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir())


def running_servers(environment: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Return the runtime records (``url``, ``token``, ``pid``, …) of the Jupyter servers running here."""
    env = os.environ if environment is None else environment
    return [record for record in _records(env) if record.get("url") and _alive(record.get("pid"))]


def _running_note(env: Mapping[str, str]) -> str:
    """Name the servers that do run here: one of them may be meant."""
    urls = [str(record["url"]).rstrip("/") + "/tapis" for record in running_servers(env)]
    return f" Servers running here: {', '.join(urls)}." if urls else ""


def _alive(pid: Any) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (OSError, TypeError, ValueError, OverflowError):
        return False
    return True
