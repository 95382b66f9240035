"""Transfers that are asked for by themselves: what they bring, how they end, and that they go on."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from far_hosts import ANNA, BERT, Clock, FarHosts, Shaky, ports_of

from jupyter_tapis_jobs.engine import freight
from jupyter_tapis_jobs.engine.files import FileService
from jupyter_tapis_jobs.engine.ports import Ports
from jupyter_tapis_jobs.engine.rights import Right
from jupyter_tapis_jobs.engine.transfers import OF_ONE_USER, PAUSES, Transfers
from jupyter_tapis_jobs.model.errors import (
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
)
from jupyter_tapis_jobs.model.transfer import Element, TransferStatus, TransferTask
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.store import lease as lease_row
from jupyter_tapis_jobs.store import transfers as rows

MEGABYTE = 1 << 20


@dataclass
class Desk:
    """The systems ``near`` and ``far``, the Web, and an engine's transfers, which can end and start again."""

    hosts: FarHosts
    clock: Clock
    ports: Ports
    web: dict[str, bytes | Exception] = field(default_factory=dict)
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    may_act: bool = True

    def __post_init__(self) -> None:
        self.ports = replace(self.ports, spawn=self._spawn)
        self.start()

    def start(self) -> None:
        """Be another engine over the same store."""
        lease = self.ports.database.write(lambda c: lease_row.acquire(c, "{}", self.clock.now()))
        assert lease
        self.transfers = Transfers(
            self.ports,
            FileService(self.hosts, self.hosts),
            fetch=self._fetch,
            epoch=lease.epoch,
            person=lambda name: {"anna": ANNA, "bert": BERT}[name],
            may_act=lambda: self.may_act,
        )

    async def stop(self) -> None:
        """End the engine as a server's end does."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        epoch = self.transfers._epoch
        self.ports.database.write(lambda c: lease_row.release(c, epoch))

    def _spawn(self, work: Any, name: str) -> asyncio.Task[Any]:
        self.tasks.append(asyncio.get_running_loop().create_task(work, name=name))
        return self.tasks[-1]

    async def _fetch(self, url: str) -> AsyncIterator[bytes]:
        content = self.web[url]
        if isinstance(content, Exception):
            raise content
        yield content

    def near(self, name: str = "") -> Path:
        return self.hosts.roots["near"] / name

    def far(self, name: str = "") -> Path:
        return self.hosts.roots["far"] / name

    async def ended(self, task: TransferTask, user: User = ANNA) -> TransferTask:
        while self.tasks:
            await self.tasks.pop(0)
        found = await self.transfers.get(user, task.uuid)
        assert found.has_ended
        return found

    async def run(self, *elements: tuple[str, str] | tuple[str, str, bool]) -> TransferTask:
        """Bring elements and return how it ended."""
        wanted = [(e[0], e[1], bool(e[2:] and e[2])) for e in elements]
        return await self.ended(await self.transfers.create(ANNA, wanted, "a tag"))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    hosts, clock = FarHosts(tmp_path, "near", "far", make=Shaky), Clock()
    with ports_of(tmp_path / "store", hosts, clock) as ports:
        desk = Desk(hosts, clock, ports)
        yield desk
        await desk.stop()


@pytest.fixture
def shaky(desk: Desk) -> Shaky:
    """The link to ``far``."""
    return desk.hosts.transports["far"]


def only(task: TransferTask) -> Element:
    (element,) = task.elements
    return element


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# --- what is brought --------------------------------------------------------------------------
async def test_a_file_gets_to_just_where_it_shall_be(desk):
    desk.near("data.csv").write_text("1,2")
    task = await desk.run(("tapis://near/data.csv", "tapis://far/new/folder/other.csv"))
    assert (task.status, task.error, task.tag) == (TransferStatus.COMPLETED, None, "a tag")
    assert desk.far("new/folder/other.csv").read_text() == "1,2"
    assert (only(task).total_bytes, only(task).bytes_moved, only(task).is_directory) == (3, 3, False)
    assert task.created <= task.started <= task.ended


@pytest.mark.parametrize(
    "target", ["tapis://far/here", "tapis://far/here/", "tapis://far/new/", "tapis://far/"]
)
async def test_a_file_goes_into_a_directory_that_is_there_or_is_named_so(desk, target):
    desk.far("here").mkdir()
    desk.near("two words").write_text("x")
    await desk.run(("tapis://near/two%20words", target))
    folder = desk.far(target.removeprefix("tapis://far/"))
    assert (folder / "two words").read_text() == "x"


async def test_a_directory_brings_what_is_in_it_and_leaves_what_is_there(desk):
    (desk.near("run/deep/empty")).mkdir(parents=True)
    desk.near("run/deep/a").write_text("aa")
    desk.near("run/naïve;`id`").write_text("b")
    desk.far("there").mkdir()
    desk.far("there/other").write_text("stays")
    task = await desk.run(("tapis://near//run/", "tapis://far/there"))
    assert names(desk.far("there")) == ["deep", "deep/a", "deep/empty", "naïve;`id`", "other"]
    assert desk.far("there/other").read_text() == "stays"
    assert only(task).is_directory
    assert only(task).total_bytes == 3
    # A tree travels as an archive, whose headers do not count.
    assert only(task).bytes_moved == 3


async def test_links_are_followed_as_long_as_they_stay_in_the_root_directory(desk, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key").write_text("secret")
    desk.near("shared/sub").mkdir(parents=True)
    desk.near("shared/sub/s").write_text("shared")
    desk.near("shared/back").symlink_to("../run")
    desk.near("run").mkdir()
    desk.near("run/a").write_text("a")
    for name, target in {
        "file": "a",
        "again": "a",
        "folder": "../shared",
        "myself": ".",
        "nowhere": "nothing",
        "out": str(tmp_path / "secret"),
    }.items():
        desk.near(f"run/{name}").symlink_to(target)
    task = await desk.run(("tapis://near/run", "tapis://far/copy"))
    assert task.status is TransferStatus.COMPLETED
    copy = desk.far("copy")
    assert (copy / "file").read_text() == (copy / "again").read_text() == "a"
    assert not any(path.is_symlink() for path in copy.rglob("*"))
    assert (copy / "folder/sub/s").read_text() == "shared"
    assert not (copy / "out").exists()
    assert "Left out" in only(task).error
    assert all(name in only(task).error for name in ("folder/back", "myself", "nowhere", "and 1 more"))


async def test_the_large_files_of_a_tree_travel_alone(desk, monkeypatch, shaky):
    monkeypatch.setattr(freight, "LARGE", MEGABYTE)
    desk.near("run/deep").mkdir(parents=True)
    desk.near("run/deep/large").write_bytes(os.urandom(3 * MEGABYTE))
    desk.near("run/small").write_text("small")
    # Its link breaks once, in the large file, which goes on where it was.
    shaky.breaks = [2 * MEGABYTE]
    task = await desk.run(("tapis://near/run", "tapis://far/run"))
    assert task.status is TransferStatus.COMPLETED
    assert names(desk.far("run")) == ["deep", "deep/large", "small"]
    assert desk.far("run/deep/large").read_bytes() == desk.near("run/deep/large").read_bytes()
    assert shaky.carried < 4 * MEGABYTE


async def test_on_one_system_nothing_travels(desk, shaky):
    desk.far("run").mkdir()
    desk.far("run/a").write_bytes(bytes(MEGABYTE))
    task = await desk.run(("tapis://far/run", "tapis://far/copy"), ("tapis://far/run/a", "tapis://far/b"))
    assert names(desk.far()) == ["b", "copy", "copy/a", "run", "run/a"]
    assert shaky.carried == 0
    assert [element.bytes_moved for element in task.elements] == [MEGABYTE, MEGABYTE]


async def test_a_file_comes_from_the_web(desk):
    url = "https://data.example.org/a/quake.csv?x=1"
    desk.web[url] = b"t,a\n"
    task = await desk.run((url, "tapis://far/in/"), (url, "tapis://far/in/other.csv"))
    assert task.status is TransferStatus.COMPLETED
    assert desk.far("in/quake.csv").read_bytes() == desk.far("in/other.csv").read_bytes() == b"t,a\n"
    assert [(e.total_bytes, e.bytes_moved) for e in task.elements] == [(4, 4), (4, 4)]


# --- how it ends ------------------------------------------------------------------------------
async def test_a_transfer_fails_with_an_element_that_is_not_there(desk):
    desk.near("a").write_text("a")
    task = await desk.run(("tapis://near/nothing", "tapis://far/x"), ("tapis://near/a", "tapis://far/a"))
    assert task.status is TransferStatus.FAILED
    assert task.error == "tapis://near/nothing does not exist."
    assert task.elements[0].status is TransferStatus.FAILED


async def test_a_transfer_does_not_fail_with_an_optional_element(desk):
    desk.near("a").write_text("a")
    task = await desk.run(
        ("tapis://near/nothing", "tapis://far/x", True), ("tapis://near/a", "tapis://far/a")
    )
    assert (task.status, task.error) == (TransferStatus.COMPLETED, None)
    assert [e.status for e in task.elements] == [TransferStatus.FAILED_OPT, TransferStatus.COMPLETED]
    assert "does not exist" in task.elements[0].error


async def test_after_a_failure_no_new_element_is_begun(desk):
    desk.near("a").write_text("a")
    wanted = [("tapis://near/nothing", "tapis://far/x")]
    task = await desk.run(*wanted, *(("tapis://near/a", f"tapis://far/{n}") for n in range(20)))
    statuses = {element.status for element in task.elements[1:]}
    assert TransferStatus.CANCELLED in statuses
    assert "another element failed" in task.elements[-1].error


async def test_what_the_host_refuses_is_told_in_a_sentence(desk):
    desk.near("a").write_text("a")
    desk.far("file").write_text("in the way")
    task = await desk.run(("tapis://near/a", "tapis://far/file/below"))
    assert task.status is TransferStatus.FAILED
    assert task.error == "tapis://far/file/below does not exist: what stands above it is not a directory."


async def test_the_end_of_the_way_that_a_host_speaks_of_is_named(desk, shaky):
    desk.near("a").write_text("a")
    (desk.near("tree") / "deep").mkdir(parents=True)
    (desk.near("tree") / "deep/leaf").write_text("b")
    desk.far("tree").write_text("in the way")

    def full(path: str) -> OSError:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    shaky.fault = full(str(desk.far(".a.part")))
    assert "tapis://far/b does not fit" in only(await desk.run(("tapis://near/a", "tapis://far/b"))).error
    shaky.fault = None
    task = await desk.run(("tapis://near/tree", "tapis://far/tree"))
    assert task.error.startswith("tapis://far/tree ")


async def test_nothing_is_brought_into_itself(desk):
    desk.far("run").mkdir()
    task = await desk.run(("tapis://far/run", "tapis://far/run/copy"))
    assert "itself or lies inside it" in task.error


# --- trouble that passes ----------------------------------------------------------------------
async def test_a_large_file_goes_on_where_the_link_broke(desk, shaky):
    content = os.urandom(4 * MEGABYTE)
    desk.near("large").write_bytes(content)
    shaky.breaks = [MEGABYTE, MEGABYTE]
    task = await desk.run(("tapis://near/large", "tapis://far/large"))
    assert task.status is TransferStatus.COMPLETED
    assert desk.far("large").read_bytes() == content
    assert shaky.carried < 5 * MEGABYTE
    assert only(task).bytes_moved == 4 * MEGABYTE


async def test_a_host_out_of_sight_is_waited_for_and_why_is_told(desk, shaky, monkeypatch):
    desk.near("a").write_text("a")
    shaky.is_away = True
    told: list[str | None] = []

    async def sleep(seconds: float) -> None:
        (found,) = await desk.transfers.recent(ANNA, 1, 0)
        told.append(only(found).error)
        shaky.is_away = len(told) < 2
        desk.clock.seconds += seconds

    monkeypatch.setattr(desk.clock, "sleep", sleep)
    task = await desk.run(("tapis://near/a", "tapis://far/a"))
    assert task.status is TransferStatus.COMPLETED
    assert only(task).retries == 2
    assert told[0] == "the far host cannot be reached. Tried again in 5 s."
    assert only(task).error is None


async def test_a_host_that_stays_out_of_sight_fails_the_transfer_after_a_while(desk, shaky):
    desk.near("a").write_text("a")
    shaky.is_away = True
    begun = desk.clock.seconds
    task = await desk.run(("tapis://near/a", "tapis://far/a"))
    assert (task.status, task.error) == (TransferStatus.FAILED, "the far host cannot be reached.")
    assert desk.clock.seconds - begun == sum(PAUSES)


async def test_an_engine_that_may_not_act_moves_nothing_until_it_may(desk, monkeypatch):
    desk.near("a").write_text("a")
    desk.may_act = False

    async def sleep(seconds: float) -> None:
        desk.may_act = True

    monkeypatch.setattr(desk.clock, "sleep", sleep)
    task = await desk.run(("tapis://near/a", "tapis://far/a"))
    assert task.status is TransferStatus.COMPLETED
    assert only(task).retries == 0


async def test_a_fault_of_our_own_ends_the_transfer_and_not_the_server(desk, caplog):
    desk.web["https://example.org/x"] = ZeroDivisionError("a fault")
    task = await desk.run(("https://example.org/x", "tapis://far/x"))
    assert task.status is TransferStatus.FAILED
    assert "fault of this server" in task.error
    assert "ZeroDivisionError" in caplog.text


async def test_the_web_out_of_sight_is_tried_again(desk, monkeypatch):
    url = "https://example.org/x"
    desk.web[url] = UnavailableError("example.org does not answer.")

    async def sleep(seconds: float) -> None:
        desk.web[url] = b"x"

    monkeypatch.setattr(desk.clock, "sleep", sleep)
    task = await desk.run((url, "tapis://far/x"))
    assert task.status is TransferStatus.COMPLETED


# --- cancelled, and gone on with --------------------------------------------------------------
async def held(desk: Desk, shaky: Shaky) -> TransferTask:
    """Begin a transfer of a large file and hold it in the middle."""
    desk.near("large").write_bytes(os.urandom(4 * MEGABYTE))
    shaky.hold_at = 2 * MEGABYTE
    task = await desk.transfers.create(ANNA, [("tapis://near/large", "tapis://far/large", False)])
    await shaky.is_held.wait()
    return task


async def test_a_transfer_tells_its_bytes_while_they_move(desk, shaky):
    task = await held(desk, shaky)
    moving = await desk.transfers.get(ANNA, task.uuid)
    assert moving.status is only(moving).status is TransferStatus.IN_PROGRESS
    assert only(moving).total_bytes == 4 * MEGABYTE
    assert 0 < only(moving).bytes_moved < 4 * MEGABYTE
    shaky.may_flow.set()
    assert only(await desk.ended(task)).bytes_moved == 4 * MEGABYTE


async def test_a_cancelled_transfer_ends_at_once_and_leaves_no_half_file(desk, shaky):
    task = await held(desk, shaky)
    ended = await desk.transfers.cancel(ANNA, task.uuid)
    assert ended.status is only(ended).status is TransferStatus.CANCELLED
    await asyncio.gather(*desk.tasks, return_exceptions=True)
    assert names(desk.far()) == []
    again = await desk.transfers.cancel(ANNA, task.uuid)
    assert (again.status, again.ended) == (TransferStatus.CANCELLED, ended.ended)


async def test_what_has_ended_cannot_be_cancelled(desk):
    desk.near("a").write_text("a")
    task = await desk.run(("tapis://near/a", "tapis://far/a"))
    assert (await desk.transfers.cancel(ANNA, task.uuid)).status is TransferStatus.COMPLETED


async def test_the_next_engine_goes_on_where_the_last_one_was(desk, shaky):
    task = await held(desk, shaky)
    await desk.stop()
    desk.tasks.clear()
    shaky.may_flow.set()
    stopped = desk.ports.database.read(lambda c: rows.get(c, task.uuid))
    assert stopped.status is TransferStatus.IN_PROGRESS
    desk.start()
    await desk.transfers.start()
    ended = await desk.ended(task)
    assert ended.status is TransferStatus.COMPLETED
    assert desk.far("large").read_bytes() == desk.near("large").read_bytes()
    # What the first one had brought was not sent again.
    assert shaky.carried < 6 * MEGABYTE


async def test_an_engine_that_lost_its_lease_stores_nothing_more(desk, shaky):
    task = await held(desk, shaky)
    epoch = desk.transfers._epoch
    desk.ports.database.write(lambda c: lease_row.release(c, epoch))
    shaky.may_flow.set()
    while desk.tasks:
        await desk.tasks.pop(0)
    stored = desk.ports.database.read(lambda c: rows.get(c, task.uuid))
    assert stored.status is TransferStatus.IN_PROGRESS
    desk.start()
    await desk.transfers.start()
    assert (await desk.ended(task)).status is TransferStatus.COMPLETED


async def test_many_transfers_of_one_user_wait_for_each_other(desk, shaky):
    first = await held(desk, shaky)
    for number in range(4):
        await desk.transfers.create(ANNA, [("tapis://near/large", f"tapis://far/{number}", False)])
    statuses = [task.status for task in await desk.transfers.recent(ANNA, 10, 0)]
    assert statuses.count(TransferStatus.ACCEPTED) >= 5 - OF_ONE_USER
    shaky.may_flow.set()
    await desk.ended(first)
    recent = await desk.transfers.recent(ANNA, 3, 1)
    assert [only(task).destination for task in recent] == [f"tapis://far/{n}" for n in (2, 1, 0)]
    assert {task.status for task in recent} == {TransferStatus.COMPLETED}


# --- who may, and what is refused -------------------------------------------------------------
async def test_another_user_knows_of_no_transfer(desk):
    desk.near("a").write_text("a")
    task = await desk.run(("tapis://near/a", "tapis://far/a"))
    for call in (desk.transfers.get(BERT, task.uuid), desk.transfers.cancel(BERT, task.uuid)):
        with pytest.raises(NotFoundError, match="or it is not yours"):
            await call
    assert await desk.transfers.recent(BERT, 10, 0) == []


async def test_what_a_user_was_given_can_be_brought_and_nothing_else(desk):
    desk.near("given").mkdir()
    desk.near("given/a").write_text("a")
    desk.near("given/way").symlink_to("../own")
    desk.near("own").mkdir()
    desk.near("own/b").write_text("b")
    desk.hosts.given = {"near": {Right.READ: ["/given"]}, "far": {Right.MODIFY: ["/in"]}}
    with pytest.raises(NotAllowedError, match="may not read /own"):
        await desk.transfers.create(BERT, [("tapis://near/own/b", "tapis://far/in/b", False)])
    with pytest.raises(NotAllowedError, match="may not change /given"):
        await desk.transfers.create(BERT, [("tapis://near/given/a", "tapis://near/given/b", False)])
    task = await desk.transfers.create(BERT, [("tapis://near/given", "tapis://far/in", False)])
    ended = await desk.ended(task, BERT)
    assert ended.status is TransferStatus.COMPLETED
    assert names(desk.far("in")) == ["a"]
    assert "way" in only(ended).error


async def test_a_right_that_is_taken_back_meanwhile_counts(desk, shaky):
    desk.near("a").write_text("a")
    desk.hosts.given = {"near": {Right.READ: ["/a"]}, "far": {Right.MODIFY: ["/in"]}}
    task = await desk.transfers.create(BERT, [("tapis://near/a", "tapis://far/in/a", False)])
    desk.hosts.given = {"far": {Right.MODIFY: ["/in"]}}
    assert (await desk.ended(task, BERT)).status is TransferStatus.FAILED
    assert names(desk.far()) == []


@pytest.mark.parametrize(
    ("source", "destination", "field"),
    [
        ("tapis://near/a", "https://example.org/a", "destinationURI"),
        ("tapis://near/a", "/somewhere", "destinationURI"),
        ("tapis://near/a", "tapis://far", "destinationURI"),
        ("tapis://near/a", "tapis://far/../a", "destinationURI"),
        ("ftp://example.org/a", "tapis://far/a", "sourceURI"),
        ("tapis:///a", "tapis://far/a", "sourceURI"),
        ("tapis://near/%2e%2e/a", "tapis://far/a", "sourceURI"),
        ("tapis://near/a\nb", "tapis://far/a", "sourceURI"),
        ("https://example.org/", "tapis://far/", "sourceURI"),
    ],
)
async def test_what_can_never_be_brought_is_refused_at_once(desk, source, destination, field):
    with pytest.raises(InvalidInputError) as refused:
        await desk.transfers.create(ANNA, [(source, destination, False)])
    assert refused.value.field == field


async def test_a_system_that_is_not_there_is_refused_at_once(desk):
    with pytest.raises(NotFoundError, match="no system elsewhere"):
        await desk.transfers.create(ANNA, [("tapis://near/a", "tapis://elsewhere/a", False)])
    with pytest.raises(InvalidInputError, match="elements holds 0"):
        await desk.transfers.create(ANNA, [])
