"""Which of a host's keys are believed."""

from __future__ import annotations

import asyncssh
import pytest

from jupyter_tapis_jobs.engine.access import openssh_text
from jupyter_tapis_jobs.engine.host_trust import fingerprint, from_known_hosts, is_in_known_hosts, trusted
from jupyter_tapis_jobs.model.errors import HostKeyError, InvalidInputError
from jupyter_tapis_jobs.transports.ssh_address import Address


@pytest.fixture(scope="module")
def keys():
    """A host's keys by their kind."""
    kinds = {"ed25519": "ssh-ed25519", "ecdsa": "ecdsa-sha2-nistp256"}
    return {name: asyncssh.generate_private_key(kind) for name, kind in kinds.items()}


@pytest.fixture
async def address(keys):
    """A host that has them all."""
    async with asyncssh.listen("127.0.0.1", 0, server_host_keys=list(keys.values())) as server:
        yield Address(host="127.0.0.1", port=server.get_port(), user="ada", use_config=False)


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
async def test_a_fingerprint_of_any_of_a_hosts_keys_is_found(address, keys, kind):
    wanted = keys[kind].get_fingerprint("sha256")
    found = await trusted(address, "login1", wanted)
    assert found.how == "pinned"
    assert [fingerprint(public) for public in found.keys] == [wanted]


async def test_a_fingerprint_of_none_of_them_is_refused_with_what_was_shown(address, keys):
    with pytest.raises(HostKeyError, match="Ask the site which one is right") as caught:
        await trusted(address, "login1", "SHA256:" + "A" * 43)
    assert caught.value.fingerprint in {key.get_fingerprint("sha256") for key in keys.values()}


def _line(key, host="login1.example.org"):
    return f"{host} {openssh_text(key)}\n"


def test_lines_of_known_hosts_give_the_keys_of_the_host_only(keys):
    there = Address(host="login1.example.org", port=22, user="ada", use_config=False)
    text = _line(keys["ecdsa"]) + _line(keys["ed25519"], "other.example.org")
    trust = from_known_hosts(there, text, may_read=False)
    assert (trust.keys, trust.how) == ((openssh_text(keys["ecdsa"]),), "known_hosts")
    with pytest.raises(InvalidInputError, match=r"does not know login2\.example\.org at port 22"):
        from_known_hosts(Address(host="login2.example.org", use_config=False), text, may_read=False)


def test_a_path_of_known_hosts_is_for_who_may_read_it(tmp_path, keys):
    there = Address(host="login1.example.org", use_config=False)
    file = tmp_path / "known"
    file.write_text(_line(keys["ecdsa"]))
    assert from_known_hosts(there, str(file), may_read=True).keys == (openssh_text(keys["ecdsa"]),)
    with pytest.raises(InvalidInputError, match="for the server's own user"):
        from_known_hosts(there, str(file), may_read=False)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        from_known_hosts(there, str(tmp_path / "missing"), may_read=True)


def test_the_users_own_known_hosts_and_configuration_count(tmp_path, monkeypatch, keys):
    monkeypatch.setenv("HOME", str(tmp_path))
    alias = Address(host="cluster")
    public = openssh_text(keys["ed25519"])
    assert not is_in_known_hosts(alias, public)
    ssh = tmp_path / ".ssh"
    ssh.mkdir()
    (ssh / "config").write_text("Host cluster\n  HostName login1.example.org\n  Port 2222\n")
    (ssh / "known_hosts").write_text(_line(keys["ed25519"], "[login1.example.org]:2222"))
    assert is_in_known_hosts(alias, public)
    assert not is_in_known_hosts(alias, openssh_text(keys["ecdsa"]))
