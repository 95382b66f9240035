"""Where connect() goes: what was asked for, the environment, this kernel's own server, or a helpful no."""

import json
import os

import httpx
import pytest
from fake_tapis import FakeTapis, error, result

from jupyter_tapis_jobs.client import connect as connecting
from jupyter_tapis_jobs.client.connection import Connection
from jupyter_tapis_jobs.client.endpoint import Endpoint, find_endpoint, sign_in
from jupyter_tapis_jobs.model.errors import (
    InvalidInputError,
    NotAllowedError,
    NotSignedInError,
    TapisJobsError,
    UnavailableError,
)

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2ln"


@pytest.fixture
def runtime(tmp_path):
    """A runtime folder with this process as the server that started the kernel."""
    record = {"pid": os.getpid(), "url": "http://127.0.0.1:8888/base/", "token": "jupyter-token"}
    (tmp_path / "jpserver-1.json").write_text(json.dumps(record))
    (tmp_path / "jpserver-2.json").write_text("{ torn")
    return {"JUPYTER_RUNTIME_DIR": str(tmp_path)}


def test_a_jwt_is_tapiss_token_and_anything_else_is_jupyters():
    assert sign_in(JWT) == {"X-Tapis-Token": JWT}
    assert sign_in("a1b2c3") == {"Authorization": "token a1b2c3"}


def test_the_environment_names_a_tenant_and_its_token():
    found = find_endpoint(environment={"TAPIS_BASE_URL": "https://tacc.tapis.io/", "TAPIS_TOKEN": JWT})
    assert (found.url, found.headers, found.own) == ("https://tacc.tapis.io", {"X-Tapis-Token": JWT}, False)


def test_the_environment_can_hold_a_name_and_a_password_instead():
    env = {"TAPIS_BASE_URL": "https://tacc.tapis.io", "TAPIS_USER": "me", "TAPIS_PASSWORD": "p"}
    assert find_endpoint(environment=env).password_grant == ("me", "p")


def test_the_environments_token_is_not_sent_to_another_address():
    env = {"TAPIS_BASE_URL": "https://tacc.tapis.io", "TAPIS_TOKEN": JWT}
    with pytest.raises(NotSignedInError):
        find_endpoint("https://elsewhere.example", environment=env)
    assert find_endpoint("https://tacc.tapis.io/", environment=env).headers == {"X-Tapis-Token": JWT}


def test_the_server_of_this_kernel_is_found_by_its_pid(runtime):
    found = find_endpoint(environment=runtime | {"JPY_PARENT_PID": str(os.getpid())})
    assert found.url == "http://127.0.0.1:8888/base/tapis"
    assert found.headers == {"Authorization": "token jupyter-token"}
    assert found.own


def test_the_extensions_address_comes_before_the_runtime_files_and_takes_their_token(runtime):
    env = runtime | {
        "JPY_PARENT_PID": str(os.getpid()),
        "JUPYTER_TAPIS_JOBS_URL": "http://127.0.0.1:9/x/tapis",
    }
    found = find_endpoint(environment=env)
    assert found.url == "http://127.0.0.1:9/x/tapis"
    assert found.headers == {"Authorization": "token jupyter-token"}


def test_on_a_hub_the_users_server_is_found(tmp_path):
    env = {
        "JUPYTER_RUNTIME_DIR": str(tmp_path),
        "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8888/user/me/",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/me/",
        "JUPYTERHUB_API_TOKEN": "hub",
    }
    found = find_endpoint(environment=env)
    assert (found.url, found.headers) == (
        "http://127.0.0.1:8888/user/me/tapis",
        {"Authorization": "token hub"},
    )


def test_without_a_server_the_error_says_how_to_start_one_and_which_run_here(runtime):
    with pytest.raises(UnavailableError) as caught:
        find_endpoint(environment=runtime)
    assert "jupyter lab" in caught.value.message
    assert "http://127.0.0.1:8888/base/tapis" in caught.value.message
    assert "jupyter-token" not in caught.value.message


@pytest.mark.parametrize("url", ["tacc.tapis.io", "ftp://x", ""])
def test_what_is_no_address_is_refused_with_an_example(url):
    with pytest.raises(InvalidInputError, match="Expected one like"):
        find_endpoint(url, "token", environment={})


# --- the first call --------------------------------------------------------------------------
def opened(answer, own=True):
    endpoint = Endpoint(url="http://127.0.0.1:8888/tapis", own=own)
    return connecting.opened(
        Connection(endpoint, transport=httpx.MockTransport(answer)), own=own, uploads=None
    )


def test_a_server_of_this_kernel_without_the_extension_is_said_so_with_the_way_out():
    with pytest.raises(UnavailableError, match=r"runs without jupyter_tapis_jobs\. Install it there"):
        opened(lambda request: httpx.Response(404, html="<h1>404</h1>"))


@pytest.mark.parametrize(
    ("code", "kind"), [(401, NotSignedInError), (403, NotAllowedError), (500, TapisJobsError)]
)
def test_what_this_kernels_server_refuses_is_said_at_once_in_its_words(code, kind):
    with pytest.raises(kind, match="the token has expired"):
        opened(lambda request: error(code, "JOBS_NO the token has expired"))


@pytest.mark.parametrize("code", [400, 401, 403, 404, 500])
def test_any_other_api_is_a_tenant_whatever_it_says_to_a_path_that_it_does_not_know(code):
    assert opened(lambda request: error(code), own=False).server() is None


def test_an_engine_that_is_busy_elsewhere_is_told(capsys):
    holder = {"pid": 4711, "url": "http://127.0.0.1:8889/", "started": "2026-11-21T09:12:00Z"}
    opened(lambda request: result({"engine": {"state": "forwarding", "holder": holder}}))
    assert "The job engine is busy in another server (pid 4711, since " in capsys.readouterr().out


def test_one_api_is_opened_once_per_kernel(monkeypatch):
    monkeypatch.setattr(connecting, "_connected", {})
    monkeypatch.setattr(connecting, "Connection", lambda endpoint: FakeTapis(ours=False).connection())
    first = connecting.connect("https://tacc.tapis.io", token=JWT)
    assert connecting.connect("https://tacc.tapis.io", token=JWT) is first
    assert connecting.connect("https://tacc.tapis.io", token=JWT + "x") is not first
