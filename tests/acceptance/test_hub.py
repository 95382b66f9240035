"""A real JupyterHub: two users with servers of their own, and one server for all as the hub's service."""

from __future__ import annotations

from contextlib import closing

import httpx
import pytest
from hub import SERVICE, running_hub
from tapipy_user import BASH, ended, script

from jupyter_tapis_jobs import connect
from jupyter_tapis_jobs.model.errors import NotAllowedError, NotSignedInError

pytestmark = pytest.mark.needs("jupyterhub", "tapipy")


@pytest.fixture(scope="module")
def hub(tmp_path_factory, until):
    with running_hub(tmp_path_factory.mktemp("hub"), until) as found:
        yield found


@pytest.fixture(scope="module")
def tokens(hub):
    """What the hub gave Ada and Bob, who are in a group; Bob is in another one too."""
    found = {name: hub.user(name) for name in ("ada", "bob")}
    hub.group("lab", "ada", "bob")
    hub.group("board", "bob")
    return found


@pytest.fixture(scope="module")
def addresses(hub, tokens):
    """The Tapis API of each user's own server, below the hub's prefix."""
    for name in tokens:
        hub.begin(name)
    return {name: hub.ready(name) for name in tokens}


def called(address, token, path, method="GET", **more):
    """Make one call with a token of the hub's."""
    headers = {"Authorization": f"token {token}"}
    return httpx.request(method, f"{address}/v3{path}", headers=headers, trust_env=False, timeout=180, **more)


def result(answer):
    assert answer.is_success, answer.text
    return answer.json()["result"]


def signed_in(address, token):
    """Return unmodified tapipy, signed in with a token that the hub's user makes for it."""
    from tapipy.tapis import Tapis

    made = result(called(address, token, "/tapisjobs/tokens", "POST", json={}))
    return Tapis(base_url=address, access_token=made["access_token"]["access_token"])


def test_each_user_has_jobs_of_their_own_below_the_hubs_prefix(addresses, tokens, until):
    for name, address in addresses.items():
        assert result(called(address, tokens[name], "/tapisjobs/server"))["user"] == name
        tapis = signed_in(address, tokens[name])
        job = tapis.jobs.submitJob(name=f"of-{name}", **BASH, fileInputs=script(f"echo {name}"))
        assert ended(tapis, job, until) == "FINISHED"
        assert tapis.jobs.getJob(jobUuid=job.uuid).owner == name
        said = tapis.jobs.getJobOutputDownload(jobUuid=job.uuid, outputPath="tapisjob.out")
        assert said == f"{name}\n".encode()
    for name, address in addresses.items():
        names = {row["name"] for row in result(called(address, tokens[name], "/jobs/list"))}
        assert names == {f"of-{name}"}


def test_jobs_are_listed_by_a_group_of_the_hub_and_only_by_ones_own(addresses, tokens):
    found = result(called(addresses["ada"], tokens["ada"], "/jobs/search?listType=ALL_JOBS&group=lab"))
    assert {row["owner"] for row in found} == {"ada"}
    refused = called(addresses["ada"], tokens["ada"], "/jobs/search?group=board")
    assert refused.status_code == 403
    assert "You are not in a group 'board'. Your groups: lab." in refused.json()["message"]
    # tapipy's own token names its user only; the hub's groups of them are known.
    tapis = connect(addresses["ada"], token=tokens["ada"])
    with closing(tapis.connection):
        assert set(tapis.jobs(group="lab")["owner"]) == {"ada"}


def test_a_token_of_the_hub_is_a_password_for_tapipy(addresses, tokens):
    from tapipy.tapis import Tapis

    tapis = Tapis(base_url=addresses["ada"], username="ada", password=tokens["ada"])
    tapis.get_tokens()
    assert tapis.jobs.getJobList(limit=1)[0].owner == "ada"


@pytest.mark.parametrize("name", ["bob", "nobody"])
def test_nobody_signs_in_at_anothers_server(addresses, tokens, name):
    address, token = addresses["ada"], tokens.get(name, "0" * 32)
    answer = called(address, token, "/jobs/list")
    assert answer.status_code in (401, 403)
    assert "of-ada" not in answer.text
    body = {"username": "ada", "password": token, "grant_type": "password"}
    refused = httpx.post(f"{address}/v3/oauth2/tokens", json=body, trust_env=False, timeout=180)
    assert refused.status_code == 401


def test_jobs_are_found_again_after_the_hub_has_started_the_server_anew(hub, addresses, tokens, until):
    before = signed_in(addresses["bob"], tokens["bob"])
    gate = hub.folder / "gate"
    text = f"until [ -e {gate} ]; do sleep 0.1; done; echo through"
    job = before.jobs.submitJob(name="long", **BASH, fileInputs=script(text))
    until(lambda: before.jobs.getJobStatus(jobUuid=job.uuid).status == "RUNNING")
    hub.stop("bob")
    hub.begin("bob")
    assert hub.ready("bob") == addresses["bob"]
    gate.touch()
    # The token is as good as before: keys and tokens lie in the user's home.
    assert ended(before, job, until) == "FINISHED"
    said = before.jobs.getJobOutputDownload(jobUuid=job.uuid, outputPath="tapisjob.out")
    assert said.decode().splitlines()[-1] == "through"


def test_serve_is_a_service_of_the_hub_that_knows_its_users(hub, tokens, until):
    address = f"{hub.url}services/{SERVICE}/tapis"

    def there():
        return called(address, tokens["ada"], "/tapisjobs/server").is_success

    until(there)
    for name, token in tokens.items():
        assert result(called(address, token, "/tapisjobs/server"))["user"] == name
    assert called(address, "0" * 32, "/jobs/list").status_code in (401, 403)
    # One definition, shared with the other user of the same server.
    app = {"id": "adas", "version": "1", "runtime": "ZIP", "containerImage": "/x.zip"}
    result(called(address, tokens["ada"], "/apps", "POST", json=app))
    assert called(address, tokens["bob"], "/apps/adas").status_code == 404
    result(called(address, tokens["ada"], "/apps/share/adas", "POST", json={"users": ["bob"]}))
    assert result(called(address, tokens["bob"], "/apps/adas"))["owner"] == "ada"
    # Its machine is nobody's of them.
    kernel = connect(address, token=tokens["ada"])
    with pytest.raises((NotAllowedError, NotSignedInError)):
        kernel.submit("bash", script="id")
