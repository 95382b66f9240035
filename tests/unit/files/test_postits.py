"""Links that let anybody read one path: how often, until when, and with whose rights."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from far_hosts import ANNA, BERT, Clock, FarHosts, ports_of

from jupyter_tapis_jobs.engine.catalog import Listing
from jupyter_tapis_jobs.engine.files import FileService
from jupyter_tapis_jobs.engine.postits import KEPT, PostIts
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotFoundError, TransportError, UnavailableError
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.store.postits import PostItRow


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hosts(tmp_path: Path) -> FarHosts:
    hosts = FarHosts(tmp_path, "box")
    (hosts.roots["box"] / "sub").mkdir()
    (hosts.roots["box"] / "a.txt").write_text("hello")
    (hosts.roots["box"] / "sub/b.txt").write_text("deep")
    return hosts


@pytest.fixture
def postits(tmp_path: Path, hosts: FarHosts, clock: Clock) -> Iterator[PostIts]:
    with ports_of(tmp_path / "store", hosts, clock) as ports:
        yield PostIts(ports, FileService(hosts, hosts))


def person(name: str) -> User:
    return {"anna": ANNA, "bert": BERT}[name]


async def read(postits: PostIts, row: PostItRow, **more: bool) -> bytes:
    download = await postits.redeem(row.id, person, **more)
    return b"".join([chunk async for chunk in download.chunks])


async def test_a_new_postit_is_good_for_one_use_within_thirty_days(postits, clock):
    row = await postits.create(ANNA, "box", "a.txt")
    assert (row.allowed_uses, row.times_used, row.path) == (1, 0, "/a.txt")
    assert await read(postits, row) == b"hello"
    assert (await postits.get(ANNA, row.id)).times_used == 1
    with pytest.raises(InvalidInputError, match="uses or its time are over") as refused:
        await read(postits, row)
    assert refused.value.code == "POSTIT_NOT_REDEEMABLE"
    late = await postits.create(ANNA, "box", "a.txt")
    clock.seconds += 30 * 24 * 3600
    with pytest.raises(InvalidInputError, match="time are over"):
        await read(postits, late)


async def test_of_many_who_use_a_postit_at_once_only_as_many_as_allowed_get_the_file(postits):
    row = await postits.create(ANNA, "box", "a.txt", allowed_uses=3)
    found = await asyncio.gather(*(read(postits, row) for _ in range(12)), return_exceptions=True)
    assert found.count(b"hello") == 3
    assert all(isinstance(other, InvalidInputError) for other in found if other != b"hello")
    assert (await postits.get(ANNA, row.id)).times_used == 3


async def test_an_unlimited_postit_has_no_end_and_is_counted(postits, clock):
    row = await postits.create(ANNA, "box", "a.txt", unlimited=True)
    clock.seconds += 10_000 * 24 * 3600
    for _ in range(3):
        assert await read(postits, row) == b"hello"
    found = await postits.get(ANNA, row.id)
    assert (found.expires, found.allowed_uses, found.times_used) == (None, -1, 3)


async def test_a_directory_is_sent_as_a_zip_file_unless_that_is_refused(postits):
    row = await postits.create(ANNA, "box", "sub", allowed_uses=-1)
    with zipfile.ZipFile(io.BytesIO(await read(postits, row))) as packed:
        assert packed.read("b.txt") == b"deep"
    with pytest.raises(InvalidInputError, match=r"directory.*zip") as refused:
        await read(postits, row, as_zip=False)
    assert refused.value.code == "POSTITS_REDEEM_DIR_NOZIP"
    file = await postits.create(ANNA, "box", "a.txt")
    with zipfile.ZipFile(io.BytesIO(await read(postits, file, as_zip=True))) as packed:
        assert packed.namelist() == ["a.txt"]


async def test_what_cannot_be_read_costs_no_use_and_tells_nothing_of_the_host(postits, hosts, monkeypatch):
    row = await postits.create(ANNA, "box", "a.txt")
    (hosts.roots["box"] / "a.txt").unlink()
    with pytest.raises(NotFoundError) as gone:
        await read(postits, row)

    async def unreachable(*_: str) -> None:
        raise TransportError("login1.example.org does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(hosts, "transport", unreachable)
        with pytest.raises(UnavailableError) as away:
            await read(postits, row)
    for told in (gone.value.message, away.value.message):
        assert not any(word in told for word in ("a.txt", "box", "login1", str(hosts.roots["box"])))
    (hosts.roots["box"] / "a.txt").write_text("again")
    assert await read(postits, row) == b"again"


async def test_a_postit_works_with_the_rights_that_its_owner_has_at_the_time(postits, hosts):
    row = await postits.create(ANNA, "box", "a.txt", unlimited=True)
    del hosts.roots["box"]
    with pytest.raises(NotFoundError, match="owner may not read it any more"):
        await read(postits, row)


async def test_a_postit_can_only_be_made_for_what_its_owner_may_read_and_is_there(postits):
    with pytest.raises(NotFoundError, match="no system box"):
        await postits.create(BERT, "box", "a.txt")
    with pytest.raises(NotFoundError, match="does not exist"):
        await postits.create(ANNA, "box", "nothing")
    with pytest.raises(InvalidInputError, match=r"holds '\.\.'"):
        await postits.create(ANNA, "box", "../store")


async def test_only_its_owner_knows_of_a_postit(postits):
    row = await postits.create(ANNA, "box", "a.txt")
    for call in (postits.get(BERT, row.id), postits.change(BERT, row.id), postits.delete(BERT, row.id)):
        with pytest.raises(NotFoundError, match="or it is not yours"):
            await call
    assert (await postits.search(BERT, Listing(), vars_of)).rows == []
    assert [found.id for found in (await postits.search(ANNA, Listing(), vars_of)).rows] == [row.id]


def vars_of(row: PostItRow) -> dict[str, object]:
    return {"path": row.path}


async def test_a_postit_that_is_changed_can_be_used_again_and_one_that_is_deleted_cannot(postits, clock):
    row = await postits.create(ANNA, "box", "a.txt", valid_seconds=10)
    await read(postits, row)
    clock.seconds += 20
    await postits.change(ANNA, row.id, allowed_uses=2, valid_seconds=10)
    assert await read(postits, row) == b"hello"
    changed = await postits.change(ANNA, row.id, unlimited=True)
    assert (changed.allowed_uses, changed.expires, changed.times_used) == (-1, None, 2)
    changed = await postits.change(ANNA, row.id, expiration="2026-01-01T01:00:00+01:00")
    assert changed.expires == "2026-01-01T00:00:00.000000Z"
    with pytest.raises(InvalidInputError, match="used no more"):
        await read(postits, row)
    assert await postits.delete(ANNA, row.id) == 1
    with pytest.raises(NotFoundError, match="no postit"):
        await read(postits, row)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"unlimited": True, "allowed_uses": 3}, "allowedUses"),
        ({"unlimited": True, "valid_seconds": 3}, "validSeconds"),
        ({"expiration": "tomorrow"}, "expiration"),
        ({"expiration": "2027-01-01", "valid_seconds": 3}, "expiration"),
    ],
)
async def test_what_contradicts_itself_or_is_no_time_is_refused(postits, given, field):
    row = await postits.create(ANNA, "box", "a.txt")
    with pytest.raises(InvalidInputError) as refused:
        await postits.change(ANNA, row.id, **given)
    assert refused.value.field == field


async def test_postits_that_ended_long_ago_are_forgotten(postits, clock):
    old = await postits.create(ANNA, "box", "a.txt", valid_seconds=1)
    clock.seconds += KEPT + 2
    new = await postits.create(ANNA, "box", "a.txt")
    assert [found.id for found in (await postits.search(ANNA, Listing(), vars_of)).rows] == [new.id]
    with pytest.raises(NotFoundError):
        await postits.get(ANNA, old.id)
