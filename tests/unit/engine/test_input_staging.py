"""Inputs of a cohort are brought with a handful of round trips; what fails fails its own job only."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from two_hosts import TwoHosts, given, tree_of

from jupyter_tapis_jobs.engine import inputs, transfer
from jupyter_tapis_jobs.engine.fetch import NOT_ON_THE_WEB
from jupyter_tapis_jobs.engine.verdict import Block, Fail, Go, Stay
from jupyter_tapis_jobs.model.errors import InvalidInputError, UnavailableError
from jupyter_tapis_jobs.model.status import JobStatus

MEGABYTE = 1 << 20
LARGE = inputs.SMALL + MEGABYTE


def odd_tree(folder: Path) -> None:
    """Make a directory with every kind of name and thing that a tree may hold."""
    names = ["two words", "line\nbreak", "naïve-日本語-🎉", "-rf", "quote'\"\\$HOME", "x" * 200]
    for name in [*names, os.fsdecode(b"not-utf8-\xff\xfe")]:
        (folder / name).mkdir(parents=True)
        (folder / name / name).write_text(f"content of {name!a}")
    (folder / "deep" / ("d" * 100) / ("e" * 100)).mkdir(parents=True)
    (folder / "deep" / ("d" * 100) / ("e" * 100) / "leaf").write_text("far down")
    (folder / "empty file").touch()
    (folder / "empty directory").mkdir()
    (folder / "link").symlink_to("two words/two words")
    (folder / "dangling").symlink_to("nowhere")


def random_bytes(size: int) -> bytes:
    return os.urandom(MEGABYTE) * (size // MEGABYTE) + bytes(size % MEGABYTE)


# -- few round trips


async def test_what_is_part_of_a_thousand_requests_travels_in_one_archive(hosts: TwoHosts) -> None:
    jobs = [hosts.job(f"j{n}", given(f"data:,case%20{n}", "in/case.txt")) for n in range(1000)]
    assert await hosts.stage(*jobs) == {}
    assert hosts.near.calls == {"put": 1}
    assert (hosts.place("j999") / "in/case.txt").read_text() == "case 999"


async def test_small_files_of_another_host_are_read_together_and_sent_together(hosts: TwoHosts) -> None:
    for n in range(100):
        (hosts.far_root / f"{n}.txt").write_text(f"case {n}")
    jobs = [hosts.job(f"j{n}", given(f"tapis://far/{n}.txt"), given("data:,x", "y")) for n in range(100)]
    assert await hosts.stage(*jobs) == {}
    assert (hosts.far.calls, hosts.near.calls) == ({"look": 1, "get": 1}, {"put": 1})
    assert (hosts.place("j99") / "99.txt").read_text() == "case 99"


async def test_what_lies_on_the_same_host_is_looked_for_once_and_copied_once(hosts: TwoHosts) -> None:
    odd_tree(hosts.near_root / "model")
    (hosts.near_root / "mesh.dat").write_bytes(random_bytes(LARGE))
    jobs = [hosts.job(f"j{n}", given("tapis://near/model"), given("tapis://near/mesh.dat")) for n in range(9)]
    assert await hosts.stage(*jobs) == {}
    assert hosts.near.calls == {"look": 1, "copy_all": 1, "copy": hosts.near.calls["copy"]}
    assert tree_of(hosts.place("j8") / "model") == tree_of(hosts.near_root / "model")
    assert (hosts.place("j8") / "mesh.dat").stat().st_ino != (hosts.near_root / "mesh.dat").stat().st_ino


async def test_directories_of_many_jobs_travel_in_one_stream(hosts: TwoHosts) -> None:
    for n in range(20):
        odd_tree(hosts.far_root / "cases" / f"case {n}")
    jobs = [hosts.job(f"j{n}", given(f"tapis://far/cases/case%20{n}", "deep/er")) for n in range(20)]
    assert await hosts.stage(*jobs) == {}
    assert (hosts.far.calls, hosts.near.calls) == ({"look": 1, "pack": 1}, {"unpack": 1})
    for n in range(20):
        assert tree_of(hosts.place(f"j{n}") / "deep/er") == tree_of(hosts.far_root / "cases" / f"case {n}")


async def test_directories_that_lie_in_each_other_come_whole(hosts: TwoHosts) -> None:
    odd_tree(hosts.far_root / "a" / "b")
    (hosts.far_root / "a" / "own").write_text("a's")
    urls = ["a", "a/b", "a/b/deep", "a/b/two%20words"]
    jobs = [hosts.job(f"j{n}", given(f"tapis://far/{url}", "tree")) for n, url in enumerate(urls)]
    assert await hosts.stage(*jobs) == {}
    assert tree_of(hosts.place("j0") / "tree") == tree_of(hosts.far_root / "a")
    assert tree_of(hosts.place("j1") / "tree") == tree_of(hosts.far_root / "a" / "b")


async def test_a_directory_of_thousands_of_files_comes_whole(
    hosts: TwoHosts, request: pytest.FixtureRequest
) -> None:
    count = 100_000 if request.config.getoption("--full") else 5_000
    for n in range(count):
        if n % 500 == 0:
            (hosts.far_root / "many" / f"{n // 500}").mkdir(parents=True)
        (hosts.far_root / "many" / f"{n // 500}" / f"{n}").write_text(f"{n}")
    assert await hosts.stage(hosts.job("j", given("tapis://far/many"))) == {}
    assert (hosts.far.calls, hosts.near.calls) == ({"look": 1, "pack": 1}, {"unpack": 1})
    files = [path for path in (hosts.place("j") / "many").rglob("*") if path.is_file()]
    assert len(files) == count
    assert all(path.read_text() == path.name for path in files[:: count // 100])


async def test_what_stays_on_the_host_is_not_touched(hosts: TwoHosts) -> None:
    assert await hosts.stage(hosts.job("j", given("tapislocal://exec.tapis/mesh", "mesh"))) == {}
    assert not hosts.near.calls


# -- shared inputs


async def test_a_large_input_of_many_jobs_is_brought_once_and_copied(hosts: TwoHosts) -> None:
    mesh = random_bytes(LARGE)
    (hosts.far_root / "mesh.dat").write_bytes(mesh)
    jobs = [hosts.job(f"j{n}", given("tapis://far/mesh.dat")) for n in range(5)]
    assert await hosts.stage(*jobs) == {}
    assert hosts.far.calls["read"] == hosts.near.calls["write"] == hosts.near.calls["copy_all"] == 1
    places = [hosts.place(job.uuid) / "mesh.dat" for job in jobs]
    assert all(place.read_bytes() == mesh for place in places)
    assert len({place.stat().st_ino for place in places}) == 5

    more = [hosts.job(f"k{n}", given("tapis://far/mesh.dat")) for n in range(5)]
    assert await hosts.stage(*more) == {}
    assert hosts.far.calls == {"look": 1}
    assert (hosts.place("k4") / "mesh.dat").read_bytes() == mesh


async def test_the_second_job_with_a_large_input_leaves_it_for_the_third(hosts: TwoHosts) -> None:
    (hosts.far_root / "mesh.dat").write_bytes(random_bytes(LARGE))
    reads = []
    for name in ("first", "second", "third", "fourth"):
        assert await hosts.stage(hosts.job(name, given("tapis://far/mesh.dat"))) == {}
        reads.append(hosts.far.calls["read"])
    assert reads == [1, 1, 0, 0]


async def test_a_changed_input_is_another_input(hosts: TwoHosts) -> None:
    for content in (b"a" * LARGE, b"b" * LARGE):
        (hosts.far_root / "mesh.dat").write_bytes(content)
        jobs = [hosts.job(f"j{n}", given("tapis://far/mesh.dat")) for n in range(2)]
        assert await hosts.stage(*jobs) == {}
        assert (hosts.place("j1") / "mesh.dat").read_bytes() == content


async def test_a_directory_of_many_jobs_is_brought_once_until_something_in_it_changes(
    hosts: TwoHosts,
) -> None:
    odd_tree(hosts.far_root / "model")
    for round_, packs in enumerate((1, 0, 1)):
        if round_ == 2:
            (hosts.far_root / "model/deep/new").write_text("new")
        jobs = [hosts.job(f"{round_}-{n}", given("tapis://far/model")) for n in range(3)]
        assert await hosts.stage(*jobs) == {}
        assert hosts.far.calls["pack"] == packs
        assert tree_of(hosts.place(f"{round_}-2") / "model") == tree_of(hosts.far_root / "model")


async def test_a_tiny_input_of_many_jobs_is_not_worth_sharing(hosts: TwoHosts) -> None:
    (hosts.far_root / "run.py").write_text("print()")
    (hosts.far_root / "run.py").chmod(0o755)
    jobs = [hosts.job(f"j{n}", given("tapis://far/run.py")) for n in range(50)]
    assert await hosts.stage(*jobs) == {}
    assert hosts.near.calls == {"put": 1}
    assert os.access(hosts.place("j49") / "run.py", os.X_OK)


async def test_without_room_for_sharing_the_first_job_serves_the_others(hosts: TwoHosts) -> None:
    (hosts.far_root / "mesh.dat").write_bytes(random_bytes(LARGE))
    hosts.near.full = f"{hosts.lane.folder}/inputs"
    jobs = [hosts.job(f"j{n}", given("tapis://far/mesh.dat")) for n in range(3)]
    assert await hosts.stage(*jobs) == {}
    assert (hosts.place("j2") / "mesh.dat").stat().st_size == LARGE


async def test_old_shared_inputs_are_removed(hosts: TwoHosts) -> None:
    old, young = hosts.near_root / "lane/inputs/old", hosts.near_root / "lane/inputs/young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "content").write_text("x")
    os.utime(old, (0, 0))
    (hosts.far_root / "mesh.dat").write_bytes(random_bytes(LARGE))
    assert await hosts.stage(*[hosts.job(f"j{n}", given("tapis://far/mesh.dat")) for n in range(2)]) == {}
    assert (old.exists(), young.exists()) == (False, True)


# -- large files, broken links


@pytest.fixture
def large(hosts: TwoHosts, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A file of 24 MB on the far host."""
    content = os.urandom(24 * MEGABYTE)
    (hosts.far_root / "big.dat").write_bytes(content)
    return content


async def test_a_large_file_goes_on_where_the_link_broke(hosts: TwoHosts, large: bytes) -> None:
    hosts.near.breaks = [9 * MEGABYTE, 0, MEGABYTE, 0, 0, 5 * MEGABYTE]
    assert await hosts.stage(hosts.job("j", given("tapis://far/big.dat"))) == {}
    assert (hosts.place("j") / "big.dat").read_bytes() == large
    assert hosts.near.calls["write"] > 1
    assert [path.name for path in hosts.place("j").iterdir()] == ["big.dat"]


async def test_a_link_that_stays_broken_holds_the_job_and_the_next_try_brings_the_rest(
    hosts: TwoHosts, large: bytes
) -> None:
    job = hosts.job("j", given("tapis://far/big.dat"))
    hosts.near.breaks = [9 * MEGABYTE, *([0] * 9)]
    verdict = (await hosts.stage(job))["j"]
    assert isinstance(verdict, Block)
    assert "the link was lost" in verdict.message

    hosts.near.breaks.clear()
    offsets: list[int] = []
    read = hosts.far.read
    hosts.far.read = lambda path, *, offset=0, length=None: (
        offsets.append(offset) or read(path, offset=offset, length=length)
    )
    assert await hosts.stage(job) == {}
    assert offsets[0] >= 8 * MEGABYTE
    assert (hosts.place("j") / "big.dat").read_bytes() == large


async def test_halves_of_two_different_files_are_never_put_together(hosts: TwoHosts, large: bytes) -> None:
    job = hosts.job("j", given("tapis://far/big.dat"))
    hosts.near.breaks = [9 * MEGABYTE]
    changed = bytes(len(large))
    sleep = hosts.clock.sleep

    async def change_meanwhile(seconds: float) -> None:
        (hosts.far_root / "big.dat").write_bytes(changed)
        await sleep(seconds)

    hosts.clock.sleep = change_meanwhile
    verdict = (await hosts.stage(job))["j"]
    assert isinstance(verdict, Block)
    assert "changed while it was copied" in verdict.message
    assert await hosts.stage(job) == {}
    assert (hosts.place("j") / "big.dat").read_bytes() == changed


async def test_owners_read_how_far_the_bytes_are(hosts: TwoHosts, large: bytes) -> None:
    hosts.clock.pace = 0.4
    assert await hosts.stage(hosts.job("j", given("tapis://far/big.dat"))) == {}
    assert {uuids for uuids, _ in hosts.notes} == {("j",)}
    texts = [text for _, text in hosts.notes]
    assert texts[0].startswith("copying inputs ")
    assert texts[0].endswith(" of 25 MB")
    assert texts[-1] in ("copying inputs 24 of 25 MB", "copying inputs 25 of 25 MB")
    assert len(texts) < 20


async def test_what_is_quickly_done_is_not_told(hosts: TwoHosts, large: bytes) -> None:
    assert await hosts.stage(hosts.job("j", given("tapis://far/big.dat"))) == {}
    assert hosts.notes == []


# -- what is missing, refused or away


async def test_a_missing_input_ends_its_own_job_and_is_named(hosts: TwoHosts) -> None:
    (hosts.far_root / "there").write_text("x")
    jobs = [
        hosts.job("far", given("tapis://far/gone", name="mesh")),
        hosts.job("near", given("tapis://near/gone")),
        hosts.job("optional", given("tapis://far/gone", optional=True)),
        hosts.job("whole", given("tapis://far/there")),
    ]
    verdicts = await hosts.stage(*jobs)
    assert verdicts == {
        "far": Fail("the input tapis://far/gone (mesh) does not exist. Upload it, or correct its sourceUrl."),
        "near": Fail(
            "the input tapis://near/gone (gone) does not exist. Upload it, or correct its sourceUrl."
        ),
    }
    assert (hosts.place("whole") / "there").exists()


@pytest.mark.parametrize("system", ["near", "far"])
async def test_a_link_that_leaves_the_root_directory_is_refused(hosts: TwoHosts, system: str) -> None:
    (hosts.folder / "secret").write_text("secret")
    (hosts.folder / system / "link").symlink_to(hosts.folder / "secret")
    (hosts.folder / system / "up").symlink_to("..")
    jobs = [
        hosts.job(n, given(f"tapis://{system}/{n}/secret" if n == "up" else f"tapis://{system}/{n}"))
        for n in ("link", "up")
    ]
    verdicts = await hosts.stage(*jobs)
    for name in ("link", "up"):
        assert isinstance(verdicts[name], Fail)
        assert "leads outside the rootDir" in verdicts[name].message
        assert not hosts.place(name).exists()


async def test_a_source_host_that_is_away_holds_only_those_who_need_it(hosts: TwoHosts) -> None:
    hosts.far.is_down = True
    verdicts = await hosts.stage(
        hosts.job("needs", given("tapis://far/x")), hosts.job("free", given("data:,x", "x"))
    )
    assert list(verdicts) == ["needs"]
    assert isinstance(verdicts["needs"], Block)
    assert (hosts.place("free") / "x").read_text() == "x"


async def test_a_file_that_may_not_be_read_ends_its_own_job(hosts: TwoHosts) -> None:
    for name in ("open", "closed"):
        (hosts.far_root / name).write_text(name)
    get = hosts.far.get

    async def refusing(paths, *, limit=65536):
        if any(path.endswith("closed") for path in paths):
            raise PermissionError(13, "Permission denied", next(p for p in paths if p.endswith("closed")))
        return await get(paths, limit=limit)

    hosts.far.get = refusing
    verdicts = await hosts.stage(*[hosts.job(n, given(f"tapis://far/{n}")) for n in ("open", "closed")])
    assert list(verdicts) == ["closed"]
    assert "Permission denied" in verdicts["closed"].message
    assert (hosts.place("open") / "open").exists()


async def test_an_input_in_the_place_of_a_directory_ends_its_own_job(hosts: TwoHosts) -> None:
    (hosts.place("bad") / "x").mkdir(parents=True)
    verdicts = await hosts.stage(*[hosts.job(n, given("data:,1", "x")) for n in ("bad", "good")])
    assert list(verdicts) == ["bad"]
    assert isinstance(verdicts["bad"], Fail)


@pytest.mark.parametrize("size", [10, LARGE])
async def test_a_full_disk_holds_the_job(hosts: TwoHosts, size: int) -> None:
    (hosts.far_root / "x").write_bytes(bytes(size))
    hosts.near.full = f"{hosts.place('j')}"
    job = hosts.job("j", given("tapis://far/x"))
    verdict = (await hosts.stage(job))["j"]
    assert isinstance(verdict, Block)
    assert "no space is left" in verdict.message
    hosts.near.full = None
    assert await hosts.stage(job) == {}


async def test_a_file_goes_into_a_tree_that_comes_with_it(hosts: TwoHosts) -> None:
    odd_tree(hosts.far_root / "model")
    inputs_ = (given("data:,mine", "model/empty%20file".replace("%20", " ")), given("tapis://far/model"))
    assert await hosts.stage(hosts.job("j", *inputs_)) == {}
    assert (hosts.place("j") / "model/empty file").read_text() == "mine"


# -- what takes long


async def test_who_needs_little_does_not_wait_for_who_needs_much(hosts: TwoHosts, large: bytes) -> None:
    jobs = [hosts.job("much", given("tapis://far/big.dat")), hosts.job("little", given("data:,x", "x"))]
    verdicts = await hosts.staging.staging_inputs(hosts.lane, jobs)
    assert verdicts == {"much": Stay(rests=True)}
    assert (hosts.place("little") / "x").exists()
    assert await hosts.staging.staging_inputs(hosts.lane, jobs[:1]) == {"much": Stay(rests=True)}
    await asyncio.gather(*hosts.tasks)
    assert hosts.woken == [JobStatus.STAGING_INPUTS]
    assert await hosts.staging.staging_inputs(hosts.lane, jobs[:1]) == {"much": Go()}
    assert (hosts.place("much") / "big.dat").read_bytes() == large


async def test_bytes_of_a_cancelled_job_stop_on_their_way(hosts: TwoHosts, large: bytes) -> None:
    sent: list[int] = []

    def watched(uuids: Sequence[str], text: str) -> None:
        sent.append(hosts.place("j").stat().st_size)
        hosts.cancelled.add("j")

    hosts.clock.pace = 1.0
    hosts.on_note = watched
    job = hosts.job("j", given("tapis://far/big.dat"))
    assert await hosts.staging.staging_inputs(hosts.lane, [job]) == {"j": Stay(rests=True)}
    await asyncio.gather(*hosts.tasks)
    assert len(sent) < 5
    assert not (hosts.place("j") / "big.dat").exists()


async def test_two_cohorts_that_need_the_same_at_once_bring_it_once(hosts: TwoHosts, large: bytes) -> None:
    cohorts = [
        [hosts.job(f"{name}{n}", given("tapis://far/big.dat")) for n in range(3)] for name in ("a", "b", "c")
    ]
    for jobs in cohorts:
        await hosts.staging.staging_inputs(hosts.lane, jobs)
    await asyncio.gather(*hosts.tasks)
    for jobs in cohorts:
        verdicts = await hosts.staging.staging_inputs(hosts.lane, jobs)
        assert set(map(type, verdicts.values())) == {Go}
        assert all((hosts.place(job.uuid) / "big.dat").read_bytes() == large for job in jobs)
    assert hosts.far.calls["read"] == hosts.near.calls["write"] == 1


async def test_a_fault_of_long_work_is_met_again_in_plain_sight(hosts: TwoHosts, large: bytes) -> None:
    async def broken(*args: object, **options: object) -> int:
        raise RuntimeError("a fault of ours")

    hosts.near.write = broken
    job = hosts.job("j", given("tapis://far/big.dat"))
    assert await hosts.staging.staging_inputs(hosts.lane, [job]) == {"j": Stay(rests=True)}
    await asyncio.gather(*hosts.tasks)
    assert hosts.woken == [JobStatus.STAGING_INPUTS]
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await hosts.staging.staging_inputs(hosts.lane, [job])


async def test_a_file_that_grows_comes_as_long_as_it_was_seen(hosts: TwoHosts, large: bytes) -> None:
    look = hosts.far.look

    async def then_grows(paths: Sequence[str]) -> object:
        found = await look(paths)
        with (hosts.far_root / "big.dat").open("ab") as file:
            file.write(b"more")
        return found

    hosts.far.look = then_grows
    assert await hosts.stage(hosts.job("j", given("tapis://far/big.dat"))) == {}
    assert (hosts.place("j") / "big.dat").read_bytes() == large


# -- the Web


async def test_a_file_of_the_web_is_fetched_once_for_all_jobs(hosts: TwoHosts) -> None:
    hosts.web["https://w/a.txt"] = b"small"
    jobs = [hosts.job(f"j{n}", given("https://w/a.txt")) for n in range(10)]
    assert await hosts.stage(*jobs) == {}
    assert hosts.fetched == {"https://w/a.txt": 1}
    assert hosts.near.calls == {"put": 1}
    assert (hosts.place("j9") / "a.txt").read_bytes() == b"small"


@pytest.mark.parametrize("count", [1, 3])
async def test_a_large_file_of_the_web_is_streamed(hosts: TwoHosts, count: int) -> None:
    hosts.web["https://w/a.bin"] = random_bytes(LARGE)
    jobs = [hosts.job(f"j{n}", given("https://w/a.bin")) for n in range(count)]
    assert await hosts.stage(*jobs) == {}
    assert hosts.near.calls["write"] == 1
    assert all((hosts.place(job.uuid) / "a.bin").read_bytes() == hosts.web["https://w/a.bin"] for job in jobs)


async def test_what_the_web_refuses_ends_the_job_unless_it_is_optional_or_passes(hosts: TwoHosts) -> None:
    hosts.web["https://w/gone"] = InvalidInputError("https://w/gone answered 404", code=NOT_ON_THE_WEB)
    hosts.web["https://w/busy"] = UnavailableError("https://w/busy answered 503")
    verdicts = await hosts.stage(
        hosts.job("needs", given("https://w/gone")),
        hosts.job("optional", given("https://w/gone", optional=True)),
        hosts.job("waits", given("https://w/busy")),
    )
    assert isinstance(verdicts.pop("needs"), Fail)
    assert isinstance(verdicts.pop("waits"), Block)
    assert verdicts == {}


def test_batches_keep_the_memory_bounded() -> None:
    assert inputs.BATCH >= inputs.SMALL
    assert transfer.AT_ONCE < 5


async def test_a_system_that_cannot_be_reached_at_all_ends_only_who_needs_it(hosts: TwoHosts) -> None:
    async def refusing(system_id: str, effective_user: str) -> object:
        if system_id == "far":
            raise InvalidInputError("system far is of type S3, which is not reached over SSH.")
        return hosts.near

    hosts.transport = refusing
    verdicts = await hosts.stage(
        hosts.job("needs", given("tapis://far/x")), hosts.job("free", given("data:,x", "x"))
    )
    assert verdicts == {"needs": Fail("system far is of type S3, which is not reached over SSH.")}
