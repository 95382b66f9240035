"""Transfers asked for with unmodified tapipy: between two hosts, from the Web, over a killed server."""

from __future__ import annotations

import functools
import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from forwarder import Forwarder
from tapipy_user import SYSTEM, sign_in
from web_files import web_server

pytestmark = pytest.mark.needs("tapipy")

HERE, THERE = "move-login1", "move-login2"
ENDS = ("COMPLETED", "FAILED", "CANCELLED")
MEGABYTE = 1 << 20


@contextmanager
def lab(running_server, folder: Path) -> Iterator[Any]:
    """Run a server that may fetch from this machine too."""
    with running_server(folder, "--TapisJobsApp.allow_private_inputs=True") as server:
        yield server


def known(rig: Any, server: Any, system: str, host: str, way: Forwarder | None = None) -> None:
    """Let the server know a host of the rig, also by another way."""
    it, keys = rig.hosts[host], rig.known_hosts.read_text()
    place, port = (it.host, it.port) if way is None else ("127.0.0.1", way.port)
    client = server.tapis()
    client.add_host(
        system, host=place, port=port, user=it.user, key=rig.key,
        knownHosts=keys.replace(f"[{it.host}]:{it.port}", f"[{place}]:{port}"),
    )  # fmt: skip
    client.connection.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the server keeps what it knows."""
    return tmp_path_factory.mktemp("transfers")


@pytest.fixture(scope="module")
def server(rig, running_server, folder):
    with lab(running_server, folder) as running:
        known(rig, running, HERE, "login1")
        known(rig, running, THERE, "login2")
        yield running


@pytest.fixture(scope="module")
def tapis(server) -> Any:
    return sign_in(server.url, server.token)


@pytest.fixture(scope="module")
def ada(server) -> Any:
    """Another person."""
    from tapipy.tapis import Tapis

    made = httpx.post(
        f"{server.url}tapis/v3/tapisjobs/tokens",
        headers={"Authorization": f"token {server.token}"},
        json={"username": "ada"},
    ).json()["result"]["access_token"]["access_token"]
    return Tapis(base_url=server.url.rstrip("/") + "/tapis", access_token=made)


@pytest.fixture
def places(on_host, request) -> tuple[str, str]:
    """A directory of the test's own on each of the two hosts."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    first, second = (
        on_host(host, f"rm -rf ~/moved/{name}; mkdir -p ~/moved/{name}; cd ~/moved/{name}; pwd").strip()
        for host in ("login1", "login2")
    )
    return first, second


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server, and the folder that it shows."""
    folder = tmp_path / "web"
    folder.mkdir()
    with web_server(folder) as address:
        yield address, folder


@pytest.fixture
def carry(tapis, until) -> Callable[..., Any]:
    """Ask for a transfer of (source, destination) pairs and return it, with details, at its end."""

    def carried(*pairs: tuple[str, str], client: Any = None, **fields: Any) -> Any:
        task = (client or tapis).files.createTransferTask(elements=elements(*pairs), **fields)
        return ended(client or tapis, task.uuid, until)

    return carried


def elements(*pairs: tuple[str, str], **fields: Any) -> list[dict[str, Any]]:
    return [{"sourceURI": source, "destinationURI": target, **fields} for source, target in pairs]


def ended(tapis: Any, uuid: str, until: Callable[..., Any]) -> Any:
    until(lambda: tapis.files.getTransferTask(transferTaskId=uuid).status in ENDS)
    return tapis.files.getTransferTaskDetails(transferTaskId=uuid)


def refusal(call: Callable[[], Any], status: int) -> str:
    from tapipy.errors import BaseTapyException

    with pytest.raises(BaseTapyException) as refused:
        call()
    assert refused.value.response.status_code == status
    return str(refused.value.response.json()["message"])


# -- what is brought


def test_a_directory_goes_from_host_to_host_and_its_bytes_are_counted(carry, on_host, places):
    here, there = places
    on_host("login1", f"cd {here}; mkdir -p deep/er; printf 12345 > deep/er/five; ln -s er/five deep/link")
    task = carry((f"tapis://{HERE}{here}/deep", f"tapis://{THERE}{there}/brought"), tag="with a tag")
    assert (task.status, task.tag, task.errorMessage) == ("COMPLETED", "with a tag", None)
    assert (task.totalTransfers, task.completeTransfers) == (1, 1)
    assert (task.estimatedTotalBytes, task.totalBytesTransferred) == (10, 10)
    (parent,) = task.parentTasks
    assert (parent.status, parent.children[0].dir) == ("COMPLETED", True)
    assert task.created <= task.startTime <= task.endTime
    # Links are followed: the file comes in the link's place.
    listed = on_host("login2", f"cd {there}/brought; find . -type f | sort; cat er/five link")
    assert listed == "./er/five\n./link\n1234512345"


def test_several_elements_go_from_here_and_from_the_web_in_one_transfer(
    carry, on_host, places, web, tmp_path
):
    (url, shown), (here, there) = web, places
    data = os.urandom(3 * MEGABYTE + 17)
    (shown / "mesh.dat").write_bytes(data)
    (tmp_path / "two words.txt").write_text("local\n")
    task = carry(
        (f"{url}/mesh.dat", f"tapis://{HERE}{here}/"),
        (f"tapis://local{tmp_path}/two%20words.txt", f"tapis://{THERE}{there}/sub/mine.txt"),
    )
    assert (task.status, task.completeTransfers) == ("COMPLETED", 2)
    assert task.totalBytesTransferred == len(data) + 6
    assert on_host("login1", f"sha256sum < {here}/mesh.dat").split()[0] == hashlib.sha256(data).hexdigest()
    assert on_host("login2", f"cat {there}/sub/mine.txt") == "local\n"
    back = carry((f"tapis://{HERE}{here}/mesh.dat", f"tapis://local{tmp_path}/back.dat"))
    assert back.status == "COMPLETED"
    assert (tmp_path / "back.dat").read_bytes() == data


def test_recent_transfers_are_listed_newest_first_and_only_ones_own(tapis, ada, carry, tmp_path):
    (tmp_path / "a").write_text("a")
    first, second = (carry((f"tapis://local{tmp_path}/a", f"tapis://local{tmp_path}/{n}")) for n in "bc")
    listed = [task.uuid for task in tapis.files.getRecentTransferTasks(limit=2)]
    assert listed == [second.uuid, first.uuid]
    assert ada.files.getRecentTransferTasks() == []
    for call in (ada.files.getTransferTask, ada.files.getTransferTaskDetails, ada.files.cancelTransferTask):
        message = refusal(functools.partial(call, transferTaskId=first.uuid), 404)
        assert "There is no transfer" in message


# -- what goes wrong


def test_what_is_not_there_fails_the_transfer_in_a_sentence_unless_it_is_optional(tapis, until, places, web):
    (url, _), (here, there) = web, places
    gone = f"tapis://{THERE}{there}/gone"
    task = tapis.files.createTransferTask(elements=elements((gone, f"tapis://{HERE}{here}/x")))
    failed = ended(tapis, task.uuid, until)
    assert (failed.status, failed.errorMessage) == ("FAILED", f"{gone} does not exist.")
    pair = (f"{url}/gone", f"tapis://{HERE}{here}/x")
    task = tapis.files.createTransferTask(elements=elements(pair, optional=True))
    optional = ended(tapis, task.uuid, until)
    assert (optional.status, optional.parentTasks[0].status) == ("COMPLETED", "FAILED_OPT")
    assert "404" in optional.parentTasks[0].errorMessage


def test_a_host_that_refuses_is_quoted(carry, on_host, places, tmp_path):
    here, _ = places
    (tmp_path / "a").write_text("a")
    on_host("login1", f"mkdir {here}/closed; chmod 500 {here}/closed")
    task = carry((f"tapis://local{tmp_path}/a", f"tapis://{HERE}{here}/closed/a"))
    assert task.status == "FAILED"
    assert task.errorMessage == (
        f"tapis://{HERE}{here}/closed/a is closed to the host user; change its permissions on the host."
    )


def test_what_can_never_be_brought_is_refused_at_once(tapis, ada, places):
    here, _ = places
    bucket = {**SYSTEM, "systemType": "S3", "bucketName": "b", "canExec": False, "rootDir": "/"}
    tapis.systems.createSystem(id="move-bucket", **bucket)

    def said(source: str, target: str, status: int = 400, client: Any = tapis) -> str:
        wanted = elements((source, target))
        return refusal(lambda: client.files.createTransferTask(elements=wanted), status)

    fine = f"tapis://{HERE}{here}/x"
    assert "nothing can be put" in said(fine, "https://example.org/x")
    assert "There is no system nowhere" in said("tapis://nowhere/x", fine, 404)
    assert "is of type S3, which is not supported by this server" in said(fine, "tapis://move-bucket/x")
    assert "is no path of a system" in said("x.txt", fine)
    assert f"There is no system {HERE}" in said(fine, fine, 404, ada)
    assert "elements" in refusal(lambda: tapis.files.createTransferTask(elements=[]), 400)


# -- what takes long


def test_a_transfer_on_its_way_tells_its_bytes_and_is_cancelled(
    rig, server, tapis, until, on_host, places, tmp_path
):
    here, _ = places
    (tmp_path / "big").write_bytes(os.urandom(32 * MEGABYTE))
    with closing(Forwarder(rig.hosts["login1"].port)) as way:
        known(rig, server, "move-slow", "login1", way)
        way.hold_at = way.carried + 12 * MEGABYTE
        pair = (f"tapis://local{tmp_path}/big", f"tapis://move-slow{here}/big")
        uuid = tapis.files.createTransferTask(elements=elements(pair)).uuid
        until(lambda: way.is_held)

        def moving() -> Any:
            now = tapis.files.getTransferTask(transferTaskId=uuid)
            return now if now.totalBytesTransferred > 4 * MEGABYTE else None

        task = until(moving)
        assert (task.status, task.estimatedTotalBytes) == ("IN_PROGRESS", 32 * MEGABYTE)
        assert task.totalBytesTransferred < 32 * MEGABYTE
        tapis.files.cancelTransferTask(transferTaskId=uuid)
        done = ended(tapis, uuid, until)
        assert (done.status, done.parentTasks[0].status) == ("CANCELLED", "CANCELLED")
        way.may_flow.set()
        # What lay aside goes too.
        until(lambda: on_host("login1", f"ls -A {here}") == "")


def test_a_transfer_goes_on_where_a_killed_server_was(
    rig, running_server, server, tapis, folder, until, on_host, places, tmp_path
):
    # The last one: the server of the others does not survive it.
    here, _ = places
    size = 48 * MEGABYTE
    data = os.urandom(size)
    (tmp_path / "big").write_bytes(data)
    with closing(Forwarder(rig.hosts["login1"].port)) as way:
        known(rig, server, "move-again", "login1", way)
        before = way.carried
        way.hold_at = before + size // 2
        pairs = [(f"tapis://local{tmp_path}/big", f"tapis://move-again{here}/{name}") for name in "ab"]
        uuid = tapis.files.createTransferTask(elements=elements(*pairs), tag="kept").uuid
        until(lambda: way.is_held)
        os.kill(server.process.process.pid, signal.SIGKILL)
        server.process.process.wait()
        way.cut()
        way.may_flow.set()
        with lab(running_server, folder) as again:
            task = ended(sign_in(again.url, again.token), uuid, until)
        assert (task.status, task.tag, task.errorMessage) == ("COMPLETED", "kept", None)
        # What was on its way at the end travels again, and no more.
        assert way.carried - before < 2.5 * size
    digest = hashlib.sha256(data).hexdigest()
    assert on_host("login1", f"cd {here}; ls -A; sha256sum < a; sha256sum < b") == (
        f"a\nb\n{digest}  -\n{digest}  -\n"
    )
