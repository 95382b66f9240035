"""Where connect() goes: what was asked for, the environment, this kernel's own server, or a helpful no."""

import json
import os

import pytest

from jupyter_tapis_jobs.client.endpoint import find_endpoint, sign_in
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotSignedInError, UnavailableError

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
