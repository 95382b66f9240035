"""Every way into a real host, and a sentence for everything that keeps one out."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest
from rig.rig import Rig
from rig_hosts import address, key, known

from jupyter_tapis_jobs.model.errors import CodeNeededError, HostKeyError, HostSignInError, TransportError
from jupyter_tapis_jobs.transports import ssh_sign_in
from jupyter_tapis_jobs.transports.ssh_address import Address, KnownKeys, SignIn
from jupyter_tapis_jobs.transports.ssh_sign_in import connect, host_key

NOBODY = "nobody-of-this-name"


@pytest.fixture(scope="module")
def hosts(rig_variant: Callable[[str], Rig]) -> Rig:
    return rig_variant("sign-in")


async def said(where: Address, sign_in: SignIn, keys: KnownKeys) -> str:
    """Sign in and return who one is there."""
    async with await connect(where, sign_in, keys) as connection:
        done = await connection.run("id -un")
        return str(done.stdout).strip()


def made_key(folder: Path, passphrase: str = "") -> Path:
    path = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", path], check=True)
    return path


# ways in


async def test_a_key_from_a_file_lets_in(hosts):
    where = address(hosts)
    assert await said(where, key(hosts), known(hosts)) == where.user


async def test_a_key_given_as_text_and_locked_with_a_passphrase_lets_in(hosts, tmp_path):
    locked = tmp_path / "locked"
    locked.write_bytes(hosts.key.read_bytes())
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", locked], check=True)
    sign_in = SignIn(private_key=locked.read_text(), passphrase="open sesame")
    where = address(hosts)
    assert await said(where, sign_in, known(hosts)) == where.user
    for passphrase, sentence in (("wrong", "passphrase does not open"), (None, "locked with a passphrase")):
        with pytest.raises(HostSignInError, match=sentence):
            await connect(where, replace(sign_in, passphrase=passphrase), known(hosts))


async def test_keys_whose_passphrase_is_not_known_are_passed_over(hosts, tmp_path):
    locked = made_key(tmp_path, "a passphrase")
    where = address(hosts)
    sign_in = SignIn(key_files=(str(locked), str(hosts.key)))
    assert await said(where, sign_in, known(hosts)) == where.user
    with pytest.raises(HostSignInError, match=r"key cannot be opened. Give its passphrase"):
        await connect(where, SignIn(key_files=(str(locked),)), known(hosts))


async def test_a_password_lets_in_and_a_wrong_one_is_told(hosts):
    where = address(hosts, "password")
    assert await said(where, SignIn(password=hosts.hosts["password"].password), known(hosts)) == where.user
    with pytest.raises(HostSignInError, match="the password was not taken"):
        await connect(where, SignIn(password="wrong"), known(hosts))
    with pytest.raises(HostSignInError, match=r"none was given|takes none"):
        await connect(where, SignIn(), known(hosts))


async def test_password_and_one_time_code_let_in_and_the_code_is_asked_for(hosts):
    where, password = address(hosts, "otp"), hosts.hosts["otp"].password
    with pytest.raises(CodeNeededError, match="one-time code") as caught:
        await connect(where, SignIn(password=password), known(hosts))
    assert len(caught.value.prompts) == 1
    assert "one-time" in caught.value.prompts[0].lower()
    assert await said(where, SignIn(password=password, code=hosts.code()), known(hosts)) == where.user
    with pytest.raises(HostSignInError, match="code or the password was not taken"):
        await connect(where, SignIn(password=password, code="000000"), known(hosts))


async def test_an_agent_lets_in(hosts, tmp_path, monkeypatch):
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            await asyncio.sleep(0)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        subprocess.run(["ssh-add", "-q", hosts.key], check=True)
        where = address(hosts)
        assert await said(where, SignIn(use_agent=True), known(hosts)) == where.user
        with pytest.raises(HostSignInError):
            await connect(where, SignIn(), known(hosts))
    finally:
        agent.kill()
        agent.wait()


async def test_the_configuration_leads_through_another_host(hosts):
    where = Address(host="inner", config=str(hosts.ssh_config))
    assert await said(where, SignIn(), KnownKeys(accept_new=True)) == hosts.hosts["inner"].user


# what keeps one out


async def test_a_user_or_key_that_the_host_does_not_take_is_told(hosts, tmp_path):
    with pytest.raises(HostSignInError, match=f"does not let user '{NOBODY}' in: the key was not taken"):
        await connect(address(hosts, user=NOBODY), key(hosts), known(hosts))
    other = SignIn(private_key=made_key(tmp_path).read_text())
    with pytest.raises(HostSignInError, match="authorized_keys"):
        await connect(address(hosts), other, known(hosts))
    with pytest.raises(HostSignInError, match="cannot be read"):
        await connect(address(hosts), SignIn(private_key="ssh-ed25519 AAAA me@here"), known(hosts))


async def test_secrets_stand_in_no_representation_and_no_error(hosts):
    sign_in = SignIn(
        password="very secret", passphrase="more secret", private_key="key secret", code="123456"
    )
    assert "secret" not in repr(sign_in)
    assert "123456" not in repr(sign_in)
    with pytest.raises(HostSignInError) as caught:
        await connect(address(hosts, "password"), SignIn(password="very secret"), known(hosts))
    assert "secret" not in str(caught.value)


# host keys


async def test_an_unknown_host_shows_its_fingerprint_and_is_taken_only_when_that_is_allowed(hosts):
    shown = await host_key(address(hosts))
    with pytest.raises(HostKeyError, match=re.escape(shown.fingerprint)) as caught:
        await connect(address(hosts), key(hosts), KnownKeys())
    assert (caught.value.fingerprint, caught.value.known) == (shown.fingerprint, None)
    for keys in (KnownKeys(accept_new=True), KnownKeys(pinned=(shown.public,))):
        assert await said(address(hosts), key(hosts), keys) == address(hosts).user
    assert await said(address(hosts), key(hosts), KnownKeys(known_hosts=str(hosts.known_hosts)))


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ssh-rsa"])
async def test_a_changed_key_is_refused_whatever_its_kind_and_policy(hosts, kind, tmp_path):
    shown = await host_key(address(hosts))
    other = asyncssh.generate_private_key(kind).export_public_key("openssh").decode().strip()
    where = address(hosts)
    (tmp_path / "known").write_text(f"[{where.host}]:{where.port} {other}\n")
    for keys in (KnownKeys(pinned=(other,)), KnownKeys(known_hosts=str(tmp_path / "known"))):
        with pytest.raises(HostKeyError, match="shows another host key") as caught:
            await connect(where, key(hosts), replace(keys, accept_new=True))
        assert caught.value.fingerprint == shown.fingerprint
        assert caught.value.known == asyncssh.import_public_key(other).get_fingerprint("sha256")


# what is no host


async def test_a_name_that_nobody_has_and_a_port_where_nobody_listens_are_told(hosts):
    with pytest.raises(TransportError, match="no such host name"):
        await connect(Address(host="no-such-host.invalid", use_config=False), key(hosts), known(hosts))
    with pytest.raises(TransportError, match="nothing listens there"):
        await connect(Address(host="127.0.0.1", port=9, use_config=False), key(hosts), known(hosts))
    with pytest.raises(TransportError, match="nothing listens there"):
        await host_key(Address(host="127.0.0.1", port=9, use_config=False))


async def test_a_server_that_speaks_something_else_is_told(hosts):
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200)
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1")
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TransportError, match=r"127.0.0.1, port \d+, (does not answer as|closed)"):
            await connect(Address(host="127.0.0.1", port=port, use_config=False), key(hosts), known(hosts))


async def test_a_mistake_in_the_configuration_is_told(hosts, tmp_path):
    (tmp_path / "config").write_text("Port twentytwo\n")
    with pytest.raises(TransportError, match="config has a mistake"):
        await connect(Address(host="x", config=str(tmp_path / "config")), key(hosts), known(hosts))


async def test_a_server_that_takes_the_connection_and_says_nothing_is_told(hosts, monkeypatch):
    monkeypatch.setattr(ssh_sign_in, "LOGIN_TIMEOUT", 0.2)
    monkeypatch.setattr(ssh_sign_in, "CONNECT_TIMEOUT", 0.2)
    silent = socket.create_server(("127.0.0.1", 0))
    with silent:
        where = Address(host="127.0.0.1", port=silent.getsockname()[1], use_config=False)
        with pytest.raises(TransportError, match=r"does not answer\. Check"):
            await connect(where, key(hosts), known(hosts))
        with pytest.raises(TransportError, match=r"does not answer\. Check"):
            await host_key(where)


async def test_neither_agent_nor_terminal_goes_to_a_host_whatever_the_configuration_says(
    hosts, tmp_path, monkeypatch
):
    # Whoever has the account there, and so each job, could sign in elsewhere with a forwarded agent.
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    config = tmp_path / "config"
    config.write_text("Host *\n  ForwardAgent yes\n  RequestTTY force\n")
    where = replace(address(hosts), config=str(config))
    async with await connect(where, key(hosts), known(hosts)) as connection:
        done = await connection.run("tty; echo agent ${SSH_AUTH_SOCK-none}", term_type="xterm")
    assert str(done.stdout).split("\n")[:2] == ["not a tty", "agent none"]
