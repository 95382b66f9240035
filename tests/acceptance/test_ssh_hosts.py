"""Hosts over real SSH: added, checked, refused; keys pinned; secrets that never come back."""

from __future__ import annotations

import getpass
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from forwarder import Forwarder
from plain_http import bash, good, refused
from tapipy_user import sign_in

ME = getpass.getuser()
PASSPHRASE = "battery staple 4711"
WRONG = "wrong horse 0815"
_numbers = itertools.count()


class Api:
    """The API as one person; what it answers is kept, to be searched for secrets."""

    heard: ClassVar[list[str]] = []

    def __init__(self, base, token):
        self.client = httpx.Client(
            base_url=base, headers={"X-Tapis-Token": token}, trust_env=False, timeout=120
        )

    def call(self, method, path, body=None, **query):
        more = {} if body is None else {"json": body}
        answer = self.client.request(method, path, params=query, **more)
        self.heard.append(answer.text)
        return answer

    def add(self, **body):
        return self.call("POST", "/v3/tapisjobs/hosts", body)

    def check(self, name, **body):
        return self.call("POST", f"/v3/tapisjobs/hosts/{name}/check", body)

    def states(self):
        return {row["id"]: row for row in good(self.call("GET", "/v3/tapisjobs/hosts"))}

    def ended(self, uuid, until):
        """Return a job's status once it goes no further."""

        def status():
            now = good(self.call("GET", f"/v3/jobs/{uuid}/status"))["status"]
            return now if now in ("FINISHED", "FAILED", "CANCELLED", "BLOCKED") else None

        return until(status)

    def system(self, name):
        return self.call("GET", f"/v3/systems/{name}")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home without keys, agent or configuration: the server's user has nothing but what is given."""
    folder = tmp_path_factory.mktemp("home")
    (folder / ".ssh").mkdir(mode=0o700)
    return folder


@pytest.fixture(scope="module")
def front(tmp_path_factory, running_server, home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.delenv("SSH_AUTH_SOCK", raising=False)
        with running_server(tmp_path_factory.mktemp("server")) as server:
            yield server


@pytest.fixture(scope="module")
def base(front):
    return front.url.rstrip("/") + "/tapis"


@pytest.fixture(scope="module")
def token(base, front):
    body = {"username": ME, "password": front.token, "grant_type": "password"}
    answer = httpx.post(f"{base}/v3/oauth2/tokens", json=body, trust_env=False)
    return good(answer)["access_token"]["access_token"]


@pytest.fixture(scope="module")
def api(base, token):
    person = Api(base, token)
    yield person
    person.client.close()


@pytest.fixture(scope="module")
def other(base, api):
    made = good(api.call("POST", "/v3/tapisjobs/tokens", {"username": "mallory"}))
    person = Api(base, made["access_token"]["access_token"])
    yield person
    person.client.close()


@pytest.fixture(scope="module")
def login(rig):
    """What is needed to get into a host of the rig."""
    host = rig.hosts["login1"]
    return {
        "host": host.host,
        "port": host.port,
        "user": host.user,
        "privateKey": rig.key.read_text(),
        "knownHosts": rig.known_hosts.read_text(),
    }


@pytest.fixture(scope="module")
def fingerprint(rig):
    told = subprocess.run(["ssh-keygen", "-lf", rig.known_hosts], capture_output=True, text=True, check=True)
    return told.stdout.splitlines()[0].split()[1]


@pytest.fixture
def name():
    """An id that nothing has yet."""
    return f"host-{next(_numbers)}"


@pytest.fixture(scope="module")
def odd(rig_variant):
    """A rig whose hosts want passwords and codes."""
    return rig_variant("sign-in")


def without(body, *names):
    return {key: value for key, value in body.items() if key not in names}


# --- adding -----------------------------------------------------------------------------------
def test_a_host_is_added_by_one_call_and_runs_jobs(api, login, name, until):
    added = good(api.add(id=name, **login))
    report, system = added["report"], added["system"]
    assert report["scheduler"] == "Slurm 22.05"
    assert [queue["name"] for queue in report["queues"]] == ["development", "normal"]
    assert report["arrays"] == {"max": 10000}
    assert report["known"] == "known_hosts"
    assert report["lines"][0].startswith("Slurm 22.05 · queues development (4 nodes, 10 min) normal (4 nodes")
    assert report["lines"][1] == "work directory $HOME/tapisjobs · ready"
    assert (system["canRunBatch"], system["batchDefaultLogicalQueue"]) == (True, "normal")
    assert system["notes"]["tapisjobs"]["maxArraySize"] == 10001
    assert api.states()[name]["state"] == "connected"
    load = good(api.call("GET", f"/v3/tapisjobs/hosts/{name}/load"))
    assert {queue["name"]: queue["nodes"] for queue in load["queues"]} == {"development": 4, "normal": 4}
    assert all(queue["idleNodes"] <= 4 for queue in load["queues"])
    home = good(api.call("GET", f"/v3/tapisjobs/hosts/{name}/places"))[0]
    assert home == {"name": "HOME", "path": report["home"]}
    assert isinstance(good(api.call("GET", f"/v3/tapisjobs/hosts/{name}/allocations")), list)
    job = good(
        api.call("POST", "/v3/jobs/submit", bash("id -un", execSystemId=name, memoryMB=100, maxMinutes=2))
    )
    assert api.ended(job["uuid"], until) == "FINISHED"
    assert (
        api.call("GET", f"/v3/jobs/{job['uuid']}/output/download/tapisjob.out").text == f"{login['user']}\n"
    )


@pytest.mark.parametrize(
    ("variant", "told"),
    [
        ("small-arrays", {"arrays": True, "maxArraySize": 11}),
        ("no-arrays", {"arrays": False, "maxArraySize": 0}),
        ("no-accounting", {"accounting": False, "arrays": True}),
        ("few-jobs", {"accounting": True, "maxJobsPerUser": 5}),
    ],
)
def test_what_a_cluster_allows_is_found(api, rig_variant, name, variant, told):
    body = rig_variant(variant).adding() | {"id": name}
    system = good(api.add(**body))["system"]
    found = {**system["notes"]["tapisjobs"], **system["batchLogicalQueues"][0]}
    assert {word: found[word] for word in told} == told


def test_a_key_nobody_vouches_for_is_shown_and_pinned_when_trusted(api, login, name, fingerprint):
    unknown = without(login, "knownHosts")
    asked = api.add(id=name, **unknown)
    assert "JOBS_HOST_KEY" in refused(asked, 409)
    assert asked.json()["result"]["fingerprint"] == fingerprint
    assert asked.json()["result"]["known"] is None
    assert api.system(name).status_code == 404
    added = good(api.add(id=name, trust=fingerprint, **unknown))
    assert (added["report"]["known"], added["report"]["fingerprint"]) == ("pinned", fingerprint)
    assert good(api.check(name))["known"] == "pinned"


def test_another_key_than_the_trusted_one_is_refused(api, login, name):
    asked = api.add(id=name, trust="SHA256:" + "A" * 43, **without(login, "knownHosts"))
    assert "Ask the site which one is right" in refused(asked, 409)
    assert api.system(name).status_code == 404


def test_a_changed_key_is_refused_until_somebody_trusts_it(api, login, rig, name, fingerprint):
    with closing(Forwarder(rig.hosts["login1"].port)) as way:
        there = without(login, "knownHosts", "port")
        good(api.add(id=name, port=way.port, trust=fingerprint, **there))
        way.leads_to = rig.hosts["login2"].port
        way.cut()
        asked = api.check(name)
        told = asked.json()["result"]
        assert "JOBS_HOST_KEY" in refused(asked, 409)
        assert told["known"] == fingerprint
        assert api.states()[name]["state"] == "trouble"
        # The key is right now, but login2 does not know login1's user.
        answer = api.check(name, trust=told["fingerprint"])
        assert "JOBS_HOST_SIGN_IN" in refused(answer)
        way.leads_to = rig.hosts["login1"].port
        assert good(api.check(name))["fingerprint"] == fingerprint


def test_a_host_that_is_there_is_not_taken_over_but_can_be_replaced(api, other, login, name):
    good(api.add(id=name, **login))
    assert "already exists" in refused(api.add(id=name, **login), 409)
    assert "is not yours" in refused(other.add(id=name, replace=True, **login), 409)
    again = good(api.add(id=name, replace=True, jobWorkingDir="/tmp/tapisjobs-elsewhere", **login))
    assert again["system"]["jobWorkingDir"] == "/tmp/tapisjobs-elsewhere"
    good(api.call("POST", f"/v3/systems/{name}/delete"))
    assert name not in api.states()
    # Secrets can be taken back from what is deleted.
    good(api.call("DELETE", f"/v3/systems/credential/{name}/user/{ME}"))
    good(api.add(id=name, replace=True, **login))
    assert good(api.system(name))["deleted"] is False


@pytest.fixture
def agent(rig):
    """An agent that holds the rig's key: the path of its socket."""
    told = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    told = dict(line.split(";")[0].split("=") for line in told.splitlines() if "=" in line)
    subprocess.run(["ssh-add", "-q", rig.key], env={**os.environ, **told}, check=True)
    yield told["SSH_AUTH_SOCK"]
    os.kill(int(told["SSH_AGENT_PID"]), signal.SIGTERM)


def test_with_an_agent_and_accept_new_nothing_has_to_be_given(tmp_path, running_server, agent, login, name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))
        patch.setenv("SSH_AUTH_SOCK", agent)
        options = "--TapisJobsApp.host_key_policy=accept-new"
        with running_server(tmp_path / "accepting", options) as server:
            answer = httpx.post(
                server.url.rstrip("/") + "/tapis/v3/tapisjobs/hosts",
                json={"id": name, **without(login, "knownHosts", "privateKey")},
                headers={"Authorization": f"token {server.token}"},
                trust_env=False,
                timeout=180,
            )
            assert good(answer)["report"]["known"] == "accepted"
            assert good(answer)["report"]["home"] == f"/home/{login['user']}"


# --- what is wrong ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"host": "no-such-host.invalid", "knownHosts": None}, "JOBS_HOST_UNREACHABLE", "no such host name"),
        ({"port": 1, "knownHosts": None}, "JOBS_HOST_UNREACHABLE", "nothing listens there"),
        ({"user": "nobody-there"}, "JOBS_HOST_SIGN_IN", "Check the user's name"),
        ({"privateKey": "-----BEGIN NONSENSE"}, "JOBS_HOST_SIGN_IN", "private key"),
        ({"privateKey": None, "password": WRONG}, "JOBS_HOST_SIGN_IN", "does not let user"),
        ({"trust": "SHA256:short"}, "JOBS_INVALID_INPUT", "trust cannot be used"),
        ({"port": "seventeen"}, "JOBS_INVALID_INPUT", "port cannot be used"),
        ({"pasword": WRONG}, "JOBS_INVALID_INPUT", "Did you mean 'password'"),
        ({"password": ["a", WRONG]}, "JOBS_INVALID_INPUT", "password cannot be used"),
        ({"id": "not good"}, "JOBS_INVALID_INPUT", "id cannot be used"),
        ({"id": "local"}, "SYSAPI_UNAUTH", "part of this server"),
        ({"keyFile": "/no/such/key", "privateKey": None}, "JOBS_INVALID_INPUT", "There is no key file"),
        ({"knownHosts": "other.example.org ssh-ed25519 AAAA"}, "JOBS_INVALID_INPUT", "knownHosts"),
        ({"rootDir": "relative"}, "JOBS_INVALID_INPUT", "rootDir"),
        ({"jobWorkingDir": "/root/jobs"}, "JOBS_INVALID_INPUT", "is no place for jobs"),
        ({"jobWorkingDir": "/etc"}, "JOBS_INVALID_INPUT", "it belongs to somebody else"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence_and_nothing_is_stored(api, login, name, changes, code, words):
    body = {key: value for key, value in {"id": name, **login, **changes}.items() if value is not None}
    answer = api.add(**body)
    assert answer.status_code in (400, 403), answer.text
    message = refused(answer, answer.status_code)
    assert message.startswith(code), message
    assert words in message
    assert WRONG not in message
    assert api.system(name).status_code == 404
    assert name not in api.states()


def test_a_wrong_passphrase_says_so_and_the_right_one_opens_the_key(api, login, rig, name, tmp_path):
    locked = tmp_path / "locked"
    shutil.copy(rig.key, locked)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", locked], check=True)
    body = {**login, "privateKey": locked.read_text()}
    for given in ({}, {"passphrase": WRONG}):
        answer = api.add(id=name, **{**body, **given})
        assert "passphrase" in refused(answer)
        assert answer.json()["result"]["needs"] == "passphrase"
    good(api.add(id=name, passphrase=PASSPHRASE, **body))


def test_a_key_file_is_the_server_users_own_way_only(api, other, login, rig, name):
    body = {**without(login, "privateKey"), "keyFile": str(rig.key)}
    assert "for its own user only" in refused(other.add(id=name, **body), 403)
    path = {**body, "knownHosts": str(rig.known_hosts)}
    assert "for its own user only" in refused(other.add(id=name, **path), 403)
    assert "server's own keys" in refused(other.add(id=name, **without(body, "keyFile")))
    good(api.add(id=name, **path))


# --- odd hosts --------------------------------------------------------------------------------
def there(odd, host):
    """Return what the host's user gives but for secrets."""
    it = odd.hosts[host]
    return {"host": it.host, "port": it.port, "user": it.user, "knownHosts": odd.known_hosts.read_text()}


def test_a_password_signs_in_and_is_asked_for(api, odd, name):
    body, password = there(odd, "password"), odd.hosts["password"].password
    answer = api.add(id=name, password=WRONG, **body)
    assert "the password was not taken" in refused(answer)
    assert answer.json()["result"]["needs"] == "password"
    added = good(api.add(id=name, password=password, **body))
    assert added["system"]["defaultAuthnMethod"] == "PASSWORD"


def test_a_host_that_wants_codes_asks_for_one_and_works_with_it(api, odd, name, front):
    body, password = there(odd, "otp"), odd.hosts["otp"].password
    asked = api.add(id=name, password=password, **body)
    assert "JOBS_HOST_CODE" in refused(asked, 409)
    assert asked.json()["result"]["prompts"]
    assert "JOBS_HOST_SIGN_IN" in refused(api.add(id=name, password=password, code="000000", **body))
    assert api.system(name).status_code == 404
    good(api.add(id=name, password=password, code=odd.code(), **body))
    assert api.states()[name]["state"] == "connected"
    # The one connection serves for all that follows.
    assert good(api.call("GET", f"/v3/systems/{name}/hostEval/HOME"))["name"] == f"/home/{body['user']}"
    odd.drop_connections("otp")
    assert "JOBS_HOST_CODE" in refused(api.check(name), 409)
    assert api.states()[name]["state"] in ("code needed", "idle")
    good(api.check(name, code=odd.code()))
    assert api.states()[name]["state"] == "connected"


@pytest.mark.parametrize("host", ["noisy", "csh"])
def test_banners_start_files_and_csh_do_no_harm(api, odd, name, host):
    report = good(api.add(id=name, privateKey=odd.key.read_text(), **there(odd, host)))["report"]
    assert report["scheduler"] == "Slurm 22.05"
    assert report["home"] == f"/home/{odd.hosts[host].user}"


def test_a_host_of_ssh_config_is_reached_through_its_jump_host(api, other, odd, home, name):
    config, known = home / ".ssh" / "config", home / ".ssh" / "known_hosts"
    config.write_text(odd.ssh_config.read_text())
    known.write_text(odd.known_hosts.read_text())
    try:
        added = good(api.add(id=name, host="inner"))
        assert (added["report"]["known"], added["report"]["home"]) == (
            "known_hosts",
            f"/home/{odd.hosts['inner'].user}",
        )
        assert api.states()[name]["user"] == odd.hosts["inner"].user
        # The configuration is nobody else's.
        assert "no such host name" in refused(other.add(id=f"{name}-other", host="inner", password="x"))
    finally:
        config.unlink()
        known.unlink()


def test_a_home_that_cannot_be_written_is_refused_with_the_way_out(api, odd, name):
    folder = Path("/home", odd.hosts["password"].user)
    mode = folder.stat().st_mode
    shutil.rmtree(folder / ".tapisjobs", ignore_errors=True)
    folder.chmod(0o500)
    try:
        answer = api.add(id=name, password=odd.hosts["password"].password, **there(odd, "password"))
    finally:
        folder.chmod(mode & 0o7777)
    assert f"the home {folder} of {folder.name} on {name} cannot be written" in refused(answer)
    assert api.system(name).status_code == 404


def test_a_host_without_slurm_is_one_that_runs_jobs_itself(api, odd, name, until):
    """Its login shell finds the usual commands only."""
    folder = Path("/home", odd.hosts["password"].user)
    tools = folder / "tools"
    tools.mkdir()
    for tool in Path("/usr/bin").iterdir():
        if not tool.name.startswith(("s", "docker")) or tool.name in ("sh", "sed", "stat", "sort", "sleep"):
            (tools / tool.name).symlink_to(tool)
    (folder / ".profile").write_text(f"PATH={tools}\n")
    try:
        added = good(api.add(id=name, password=odd.hosts["password"].password, **there(odd, "password")))
    finally:
        (folder / ".profile").unlink()
        shutil.rmtree(tools)
    assert added["report"]["scheduler"] is None
    assert added["report"]["queues"] == []
    assert not added["system"]["canRunBatch"]
    assert added["report"]["lines"][0].startswith("no Slurm")


def test_what_only_a_login_shell_sets_is_there_for_slurms_commands(api, odd, name, until):
    folder, link = Path("/home", odd.hosts["password"].user), odd.folder / "linked.conf"
    link.unlink(missing_ok=True)
    link.symlink_to(odd.slurm_conf)
    (folder / ".profile").write_text(f"SLURM_CONF={link}; export SLURM_CONF\n")
    try:
        body = {"id": name, "password": odd.hosts["password"].password, **there(odd, "password")}
        told = good(api.add(**body))["system"]["notes"]["tapisjobs"]
        assert told["environment"]["SLURM_CONF"] == str(link)
        # The second look, through scripts that were helped, finds the same.
        good(api.check(name))
        assert good(api.system(name))["notes"]["tapisjobs"]["environment"] == told["environment"]
        # Scripts that find the controller through it do their work.
        job = good(api.call("POST", "/v3/jobs/submit", bash("true", execSystemId=name, memoryMB=100)))
        assert api.ended(job["uuid"], until) == "FINISHED"
    finally:
        (folder / ".profile").unlink()


def test_an_archive_directory_on_another_host_is_asked_of_that_host(api, login, name, tmp_path):
    good(api.add(id=name, **login))
    there = {"archiveSystemId": name, "archiveSystemDir": "HOST_EVAL($HOME)/kept/${JobUUID}"}
    here = {"execSystemExecDir": "HOST_EVAL($HOME)/jobs/${JobUUID}"}
    job = good(api.call("POST", "/v3/jobs/validate", bash("true", **there, **here)))["job"]
    assert job["archiveSystemDir"] == f"/home/{login['user']}/kept/{job['uuid']}"
    assert not job["execSystemExecDir"].startswith(f"/home/{login['user']}/")


# --- plain Tapis ------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def tapis(front):
    return sign_in(front.url, front.token)


@pytest.fixture(scope="module")
def errors():
    from tapipy import errors

    return errors


def definition(login, name, **changes):
    """Return a system as a Tapis client describes it."""
    return {
        "id": name, "systemType": "LINUX", "host": login["host"], "port": login["port"],
        "defaultAuthnMethod": "PKI_KEYS", "canExec": True, "rootDir": "/",
        "jobWorkingDir": "HOST_EVAL($HOME)/work", "jobRuntimes": [{"runtimeType": "ZIP"}], **changes,
    }  # fmt: skip


@pytest.mark.needs("tapipy")
def test_tapipy_registers_a_system_and_a_credential_and_checks_it(tapis, errors, login, name, fingerprint):
    tapis.systems.createSystem(**definition(login, name))
    assert tapis.systems.getSystem(systemId=name).hasCredentials is False
    with pytest.raises(errors.NotFoundError, match="There is no credential"):
        tapis.systems.checkUserCredential(systemId=name, userName=ME)
    pair = {"systemId": name, "userName": ME, "loginUser": login["user"], "privateKey": login["privateKey"]}
    with pytest.raises(errors.BaseTapyException, match=fingerprint.replace("+", r"\+")) as asked:
        tapis.systems.createUserCredential(**pair, publicKey="x")
    assert asked.value.response.status_code == 409
    tapis.systems.createUserCredential(**pair, publicKey="x", _tapis_query_parameters={"trust": fingerprint})
    assert tapis.systems.checkUserCredential(systemId=name, userName=ME) is not None
    system = tapis.systems.getSystem(systemId=name)
    assert system.hasCredentials is True
    # What launch modes need to know was looked up with the first sign-in; the rest is as it was written.
    assert system.notes.tapisjobs.maxArraySize == 10001
    assert (system.canRunBatch, system.jobWorkingDir) == (False, "HOST_EVAL($HOME)/work")
    assert tapis.systems.hostEval(systemId=name, envVarName="HOME").name == f"/home/{login['user']}"
    told = tapis.systems.getUserCredential(systemId=name, userName=ME)
    assert (told.authnMethod, told.loginUser, told.privateKey) == ("PKI_KEYS", login["user"], None)
    tapis.systems.removeUserCredential(systemId=name, userName=ME)
    with pytest.raises(errors.NotFoundError):
        tapis.systems.checkUserCredential(systemId=name, userName=ME)


@pytest.mark.needs("tapipy")
def test_what_the_owner_noted_before_any_look_stays_with_the_queues_that_the_owner_wrote(
    tapis, login, name, fingerprint
):
    queue = {"name": "mine", "hpcQueueName": "normal", "maxNodeCount": 1}
    batch = {"canRunBatch": True, "batchScheduler": "SLURM", "batchLogicalQueues": [queue]}
    noted = {"tapisjobs": {"minUpdateSeconds": 60}}
    tapis.systems.createSystem(
        **definition(login, name, **batch, batchDefaultLogicalQueue="mine", notes=noted)
    )
    tapis.systems.createUserCredential(
        systemId=name, userName=ME, loginUser=login["user"], privateKey=login["privateKey"], publicKey="x",
        _tapis_query_parameters={"trust": fingerprint},
    )  # fmt: skip
    system = tapis.systems.getSystem(systemId=name)
    assert (system.notes.tapisjobs.maxArraySize, system.notes.tapisjobs.minUpdateSeconds) == (10001, 60)
    assert [queue.name for queue in system.batchLogicalQueues] == ["mine"]


@pytest.mark.needs("tapipy")
def test_a_credential_may_be_stored_untried_and_is_found_wrong_when_it_is_checked(
    tapis, errors, login, name, fingerprint
):
    tapis.systems.createSystem(**definition(login, name))
    tapis.systems.createUserCredential(
        systemId=name, userName=ME, loginUser=login["user"], password=WRONG, skipCredentialCheck=True
    )
    with pytest.raises(errors.BadRequestError, match="does not let user"):
        tapis.systems.checkUserCredential(
            systemId=name, userName=ME, _tapis_query_parameters={"trust": fingerprint}
        )


@pytest.mark.needs("tapipy")
def test_a_child_works_in_its_own_root_directory_and_where_its_parent_is(
    tapis, errors, login, name, fingerprint
):
    tapis.systems.createSystem(**definition(login, name, allowChildren=True))
    home, child = f"/home/{login['user']}", f"{name}-child"
    own = {"id": child, "effectiveUserId": login["user"], "rootDir": home}
    assert tapis.systems.createChildSystem(parentId=name, **own).url.endswith(f"/v3/systems/{child}")
    tapis.systems.createUserCredential(
        systemId=child, userName=login["user"], privateKey=login["privateKey"], publicKey="x",
        _tapis_query_parameters={"trust": fingerprint},
    )  # fmt: skip
    tapis.files.mkdir(systemId=child, path=child)
    assert child in [row.name for row in tapis.files.listFiles(systemId=child, path="/")]
    # What was opened to a host is closed when the parent is another one.
    tapis.systems.patchSystem(systemId=name, port=1, description="moved")
    moved = tapis.systems.getSystem(systemId=child)
    assert (moved.port, moved.description, moved.rootDir) == (1, "moved", home)
    with pytest.raises(errors.BaseTapyException, match="port 1, refuses the connection"):
        tapis.files.listFiles(systemId=child, path="/")
    tapis.systems.patchSystem(systemId=name, port=login["port"])
    assert tapis.systems.unlinkFromParent(childSystemId=child).changes == 1
    tapis.systems.patchSystem(systemId=name, port=1)
    tapis.files.delete(systemId=child, path=child)
    assert child not in [row.name for row in tapis.files.listFiles(systemId=child, path="/")]


@pytest.mark.needs("tapipy")
def test_a_system_with_a_fixed_user_takes_its_credential_along(api, tapis, errors, login, name, fingerprint):
    secret = {"privateKey": login["privateKey"], "publicKey": "x", "trust": fingerprint}
    fixed = definition(
        login, name, effectiveUserId=login["user"], rootDir="HOST_EVAL($HOME)", jobWorkingDir="/work",
        authnCredential=secret,
    )  # fmt: skip
    tapis.systems.createSystem(**fixed)
    system = tapis.systems.getSystem(systemId=name)
    assert (system.rootDir, system.hasCredentials) == (f"/home/{login['user']}", True)
    assert system.authnCredential is None
    assert tapis.systems.checkUserCredential(systemId=name, userName=login["user"]) is not None
    for changes, words in (
        ({"effectiveUserId": "${apiUserId}", "rootDir": "/"}, "needs a fixed effectiveUserId"),
        ({"authnCredential": None}, "is looked up on the host when the system is created"),
        ({"authnCredential": {"password": WRONG, "loginUser": "x", "trust": fingerprint}}, "loginUser"),
        ({"authnCredential": {"accessKey": "a", "accessSecret": "b"}}, "Give password, or privateKey"),
        ({"authnCredential": {}, "rootDir": "/", "skipCredentialCheck": True}, ""),
    ):
        body = {**fixed, "id": f"{name}-other", **changes}
        answer = api.call("POST", "/v3/systems", without(body, "skipCredentialCheck"))
        if words:
            assert words in refused(answer)
            assert api.system(f"{name}-other").status_code == 404


def test_another_users_credential_is_none(api, other, login, name):
    good(api.add(id=name, **login))
    mine = f"/v3/systems/credential/{name}/user/{ME}"
    for method, path in (("GET", mine), ("DELETE", mine), ("POST", f"{mine}/check")):
        refused(other.call(method, path), 404)
    refused(other.call("POST", mine, {"password": "x"}), 404)
    refused(other.check(name), 404)
    assert other.states() == {}
    # Nor is it the owner's to speak for others.
    refused(api.call("POST", f"/v3/systems/credential/{name}/user/mallory", {"password": "x"}), 404)


@pytest.mark.needs("tapipy")
def test_scheduler_profiles_are_made_found_listed_and_deleted(tapis, errors, other, name):
    tapis.systems.createSchedulerProfile(
        name=name,
        moduleLoads=[{"moduleLoadCommand": "module load", "modulesToLoad": ["apptainer"]}],
        hiddenOptions=["MEM"],
    )
    found = tapis.systems.getSchedulerProfile(name=name)
    assert (found.owner, found.hiddenOptions) == (ME, ["MEM"])
    assert name in [profile.name for profile in tapis.systems.getSchedulerProfiles()]
    with pytest.raises(errors.BaseTapyException, match="already exists"):
        tapis.systems.createSchedulerProfile(name=name)
    with pytest.raises(errors.NotFoundError, match=f"Did you mean '{name}'"):
        tapis.systems.getSchedulerProfile(name=f"{name}x")
    assert "to delete" in refused(other.call("DELETE", f"/v3/systems/schedulerProfile/{name}"), 403)
    tapis.systems.deleteSchedulerProfile(name=name)
    with pytest.raises(errors.NotFoundError):
        tapis.systems.getSchedulerProfile(name=name)


def test_a_system_that_points_elsewhere_does_not_take_the_old_key_along(api, login, rig, name):
    good(api.add(id=name, **login))
    good(api.call("PATCH", f"/v3/systems/{name}", {"port": rig.hosts["login2"].port}))
    assert "is not known yet" in refused(api.check(name), 409)


def test_a_system_given_away_leaves_its_credentials_behind(api, other, login, name):
    good(api.add(id=name, **login))
    good(api.call("POST", f"/v3/systems/{name}/changeOwner/mallory"))
    assert "has no credential" in refused(other.check(name))


# --- the last of all --------------------------------------------------------------------------
def test_secrets_are_in_no_answer_no_log_and_no_file(api, login, odd, front):
    """After all that was done above."""
    body = login["privateKey"].splitlines()[2]
    secrets = [body, PASSPHRASE, WRONG, odd.hosts["password"].password, odd.hosts["otp"].password]
    with closing(sqlite3.connect(front.data_dir / "jobs.sqlite")) as store:
        kept = "\n".join(store.iterdump())
    texts = [kept, front.process.log.read_text(), *Api.heard]
    texts += [
        path.read_bytes().decode("latin-1")
        for path in front.data_dir.rglob("*")
        if path.is_file() and path.parent.name != "work"
    ]
    assert "credentials" in kept
    for secret in secrets:
        assert not any(secret in text for text in texts), "a secret came out"
    assert os.stat(front.data_dir / "keys" / "credentials.key").st_mode & 0o077 == 0
