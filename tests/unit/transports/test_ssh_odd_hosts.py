"""Hosts with talkative start files, strange shells, missing tools and few places."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import asyncssh
import pytest
from rig.rig import Rig
from rig_hosts import ssh_transport

from jupyter_tapis_jobs.model.errors import TransportError
from jupyter_tapis_jobs.transports import ssh, ssh_scripts, ssh_streams
from jupyter_tapis_jobs.transports.base import Entry
from jupyter_tapis_jobs.transports.ssh import SshTransport
from jupyter_tapis_jobs.transports.ssh_address import Address, KnownKeys, SignIn
from jupyter_tapis_jobs.transports.ssh_sign_in import connect


@pytest.fixture(scope="module")
def hosts(rig_variant: Callable[[str], Rig]) -> Rig:
    return rig_variant("sign-in")


@pytest.mark.parametrize("host", ["noisy", "csh"])
async def test_start_files_that_talk_and_shells_that_are_no_sh_do_no_harm(hosts, host):
    transport = ssh_transport(hosts, host)
    environment = await transport.environment(["HOME", "SHELL", "SURELY_NOT_SET"])
    home = environment["HOME"]
    assert set(environment) == {"HOME", "SHELL"}
    answer = await transport.run("echo 'out $HOME !'; echo err >&2; exit 3")
    assert (answer.exit_code, answer.stdout, answer.stderr) == (3, "out $HOME !\n", "err\n")

    folder = f"{home}/odd hosts"
    entries = [Entry(path=f"{folder}/{n}", content=b"%d" % n) for n in range(20)]
    assert await transport.put(entries) == {}
    got = await transport.get([entry.path for entry in entries])
    assert {path: content.data for path, content in got.items()} == {e.path: e.content for e in entries}
    async with aclosing(transport.read(f"{folder}/7")) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"7"
    await transport.unpack(f"{folder}/copy", transport.pack(folder, ["1", "2"]))
    assert [info.name for info in await transport.list(f"{folder}/copy")] == ["1", "2"]
    async with aclosing(transport.watch(f"{folder}/copy")) as batches:
        assert await anext(batches) == ["1", "2"]
    await transport.delete(folder)
    await transport.close()


@pytest.fixture
def tools(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everything a host needs but tar; the host's whole path."""
    folder = Path("/tmp") / f"tools-{os.getpid()}"
    folder.mkdir(mode=0o755)
    for name in ("mkdir", "find", "xargs", "head", "base64", "stat", "realpath", "grep", "rm", "sh"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    monkeypatch.setattr(ssh_scripts, "_PLAIN", f"export LC_ALL=C PATH={folder}\n")
    yield folder
    shutil.rmtree(folder)


async def every_bulk_verb(transport: SshTransport) -> AsyncIterator[str]:
    """Yield what each verb that needs tar says."""

    async def nothing() -> AsyncIterator[bytes]:
        yield bytes(1024)

    for verb in (
        lambda: transport.put([Entry(path="/tmp/never-made", content=b"")]),
        lambda: transport.get(["/etc/passwd"]),
        lambda: anext(transport.pack("/etc", ["passwd"])),
        lambda: transport.unpack("/tmp/never-made-root", nothing()),
    ):
        with pytest.raises(TransportError) as caught:
            await verb()
        yield str(caught.value)


async def test_a_host_without_tar_is_told_in_a_sentence(hosts, tools):
    transport = ssh_transport(hosts)
    said = [sentence async for sentence in every_bulk_verb(transport)]
    assert all("login1 has no GNU `tar`" in sentence for sentence in said)
    assert (await transport.run("echo still here")).stdout == "still here\n"
    await transport.run("rmdir /tmp/never-made-root")
    await transport.close()


async def test_a_host_with_another_tar_is_told_in_a_sentence(hosts, tools):
    (tools / "tar").write_text("#!/bin/sh\necho \"tar: unrecognized option '--null'\" >&2\nexit 1\n")
    (tools / "tar").chmod(0o755)
    transport = ssh_transport(hosts)
    said = [sentence async for sentence in every_bulk_verb(transport)]
    assert all("login1 has no GNU `tar`" in sentence for sentence in said)
    await transport.run("rmdir /tmp/never-made-root")
    await transport.close()


async def test_a_file_system_that_hangs_is_told_after_a_while(hosts, tools, monkeypatch):
    (tools / "find").unlink()
    (tools / "find").write_text("#!/bin/sh\nexec /bin/sleep 600\n")
    (tools / "find").chmod(0o755)
    monkeypatch.setattr(ssh, "SOON", 0.5)
    transport = ssh_transport(hosts)
    with pytest.raises(TransportError, match=r"login1 did not end within 0\.5 s"):
        await transport.stat("/tmp")
    await transport.close()


# hosts as OpenSSH cannot play them


@asynccontextmanager
async def served(
    process: Callable[[asyncssh.SSHServerProcess], object], places: int = 10
) -> AsyncIterator[SshTransport]:
    """A transport to a server of this process that answers each command with *process*."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    taken: set[object] = set()

    class Server(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return False

        def session_requested(self) -> object:
            if len(taken) >= places:
                return False
            return asyncssh.SSHServerProcess(answered, None, 3, False)

    async def answered(its: asyncssh.SSHServerProcess) -> None:
        taken.add(its)
        try:
            await process(its)
        finally:
            taken.discard(its)

    server = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[key], server_factory=Server, encoding=None
    )
    port = server.get_port()

    async def connected() -> asyncssh.SSHClientConnection:
        where = Address(host="127.0.0.1", port=port, user="somebody", use_config=False)
        return await connect(where, SignIn(password="any"), KnownKeys(accept_new=True))

    transport = SshTransport(connected, name="oddity")
    try:
        yield transport
    finally:
        await transport.close()
        server.close()
        await server.wait_closed()


async def by_sh(its: asyncssh.SSHServerProcess) -> None:
    """Run the command as a host does."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_shell(its.command or "", stdin=pipe, stdout=pipe, stderr=pipe)
    stdout, stderr = await process.communicate(await its.stdin.read())
    its.stdout.write(stdout)
    its.stderr.write(stderr)
    its.exit(process.returncode or 0)


async def test_an_account_that_may_not_run_commands_is_told_in_the_hosts_own_words():
    async def refusing(its: asyncssh.SSHServerProcess) -> None:
        its.stdout.write(b"Welcome!\nThis account is currently not available.\n")
        its.exit(1)

    async with served(refusing) as transport:
        with pytest.raises(
            TransportError, match=r"oddity runs no commands .*: This account is currently not av"
        ):
            await transport.run("true")


async def test_a_command_that_ends_without_saying_how_is_lost():
    async def vanishing(its: asyncssh.SSHServerProcess) -> None:
        script = await its.stdin.read(60)
        mark = script.split()[3]
        its.stdout.write(mark + b" 1\n")
        its.stderr.write(mark + b"\n")
        its.channel.close()

    async with served(vanishing) as transport:
        with pytest.raises(TransportError, match="oddity was lost"):
            await transport.run("true")


async def test_a_host_with_a_single_place_serves_one_command_after_the_other():
    async with served(by_sh, places=1) as transport:
        answers = await asyncio.gather(*(transport.run(f"echo {n}") for n in range(6)))
    assert [answer.stdout for answer in answers] == [f"{n}\n" for n in range(6)]


async def test_a_host_without_any_place_is_told():
    async def no_pause(seconds: float) -> None:
        await asyncio.sleep(0)

    async with served(by_sh, places=0) as transport:
        transport._work._sleep = no_pause
        with pytest.raises(TransportError, match="allows no more commands"):
            await transport.run("true")


async def test_a_watcher_that_falls_silent_is_given_up(monkeypatch):
    monkeypatch.setattr(ssh_streams, "WATCH_SILENCE", 0.3)

    async def silent(its: asyncssh.SSHServerProcess) -> None:
        mark = (await its.stdin.read(60)).split()[3]
        its.stdout.write(mark + b" 1\n")
        await its.stdin.read()

    async with served(silent) as transport:
        with pytest.raises(TransportError, match="does not tell of its jobs any more"):
            await anext(transport.watch("/events"))
