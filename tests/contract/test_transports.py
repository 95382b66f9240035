"""What every transport promises, run over every implementation that can run here."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rig_hosts import ssh_transport

from jupyter_tapis_jobs.model.errors import TransportError
from jupyter_tapis_jobs.transports import local
from jupyter_tapis_jobs.transports.base import Entry, Transport
from jupyter_tapis_jobs.transports.local import LocalTransport

ODD_NAMES = [
    "two words",
    " leading and trailing ",
    "line\nbreak",
    "-rf",
    "--",
    "*",
    "$HOME `id` $(id) ; & |",
    "quote'\"\\",
    "naïve-日本語-🎉",
    "tab\tbell\a",
    os.fsdecode(b"not-utf8-\xff\xfe"),
    "x" * 255,
]


async def at_once(seconds: float) -> None:
    """Wait for nothing but the others' turn."""
    await asyncio.sleep(0)


@dataclass(frozen=True)
class Kind:
    """One implementation; ``platform`` is what it takes this machine for."""

    make: Callable[[pytest.FixtureRequest], Transport]
    platform: str = sys.platform


def over_ssh(request: pytest.FixtureRequest) -> Transport:
    return ssh_transport(request.getfixturevalue("rig"))


MAKERS = {
    "local": Kind(lambda _: LocalTransport(sleep=at_once)),
    "local without GNU tools": Kind(lambda _: LocalTransport(sleep=at_once), platform="darwin"),
    "ssh": Kind(over_ssh),
}


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that the rig's users reach and may change."""
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="transports-")))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    before = os.umask(0)
    with open_folder() as folder:
        yield folder
    os.umask(before)


@pytest.fixture(params=MAKERS)
async def transport(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Transport]:
    kind = MAKERS[request.param]
    monkeypatch.setattr(local.sys, "platform", kind.platform)
    made = kind.make(request)
    yield made
    await made.close()


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for 64 KiB and a few files."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=20,mode=777", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs a small file system, and mounting one is refused here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def content(transport: Transport, path: Path | str, **keywords: int) -> bytes:
    return b"".join([chunk async for chunk in transport.read(str(path), **keywords)])


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


# run


async def test_a_script_answers_with_its_output_its_errors_and_its_exit_code(transport):
    answer = await transport.run("echo out\necho err >&2\nexit 3")
    assert (answer.exit_code, answer.stdout, answer.stderr) == (3, "out\n", "err\n")


@pytest.mark.parametrize("script", ["", "# only a comment", "true # no newline at its end", "\n\n"])
async def test_a_script_that_does_little_ends_well(transport, script):
    assert (await transport.run(script)).exit_code == 0


async def test_a_command_that_reads_its_input_does_not_swallow_the_rest_of_the_script(transport):
    answer = await transport.run("cat\necho still here")
    assert answer.stdout == "still here\n"


async def test_a_script_with_a_mistake_runs_nothing_of_it(transport, tmp_path):
    answer = await transport.run(f"touch {tmp_path}/made\nif then")
    assert answer.exit_code != 0
    assert names(tmp_path) == []


async def test_here_documents_work_in_a_script(transport):
    assert (await transport.run("cat <<'END'\na $b `c`\nEND\n")).stdout == "a $b `c`\n"


async def test_a_megabyte_of_output_on_both_streams_arrives(transport):
    answer = await transport.run(
        "yes 0123456789abcde | head -c 1048576; yes 0123456789abcde | head -c 1048576 >&2"
    )
    assert answer.stdout == answer.stderr == "0123456789abcde\n" * 65536


async def test_a_script_of_two_megabytes_runs(transport):
    long = "".join(f": {'x' * 100}\n" for _ in range(20_000))
    assert (await transport.run(long + "echo end")).stdout == "end\n"


async def test_odd_bytes_of_a_script_and_its_output_survive(transport):
    text = os.fsdecode(b"\xff\xfe") + "日本"
    assert (await transport.run(f"printf '%s' '{text}'")).stdout == text


async def test_death_by_a_signal_is_128_plus_its_number(transport):
    assert (await transport.run("kill -9 $$")).exit_code == 137


async def test_a_background_process_is_not_waited_for(transport, tmp_path):
    answer = await transport.run("setsid sleep 600 >/dev/null 2>&1 </dev/null & echo $!", timeout=100)
    os.kill(int(answer.stdout), 9)


async def test_past_its_time_a_script_and_its_children_are_killed(transport, tmp_path):
    pid_file = tmp_path / "pid"
    with pytest.raises(TransportError, match=r"1\.5 s"):
        await transport.run(f"sleep 600 & echo $! >{pid_file}; wait", timeout=1.5)
    child = Path(f"/proc/{int(pid_file.read_text())}/stat")
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
        await asyncio.sleep(0)


async def test_scripts_run_side_by_side(transport, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    answers = await asyncio.gather(
        transport.run(f"cat {fifo}", timeout=100), transport.run(f"echo met >{fifo}", timeout=30)
    )
    assert answers[0].stdout == "met\n"


# put and get


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_odd_names_are_put_listed_read_copied_moved_and_deleted(transport, tmp_path, name):
    path = f"{tmp_path}/{name}"
    assert await transport.put([Entry(path=path, content=b"text")]) == {}
    assert os.listdir(tmp_path) == [name]
    assert [(i.name, i.path) for i in await transport.list(str(tmp_path))] == [(name, path)]
    assert {p: c.data for p, c in (await transport.get([path])).items()} == {path: b"text"}
    assert await content(transport, path) == b"text"
    await transport.copy(path, f"{tmp_path}/folder/{name}")
    await transport.delete(path)
    await transport.move(f"{tmp_path}/folder/{name}", path)
    assert await transport.write(path, stream(b"new")) == 3
    assert await transport.real_path(path) == path
    found = await transport.stat(path)
    assert found is not None
    assert (found.name, found.size) == (name, 3)


async def test_modes_are_exact_whatever_the_umask(transport, tmp_path):
    entries = [
        Entry(path=f"{tmp_path}/private", mode=0o700),
        Entry(path=f"{tmp_path}/private/script", content=b"", mode=0o777),
        Entry(path=f"{tmp_path}/private/secret", content=b"", mode=0o600),
        Entry(path=f"{tmp_path}/shared"),
    ]
    before = os.umask(0o027)
    try:
        assert await transport.put(entries) == {}
        await transport.write(f"{tmp_path}/written", stream(b"x"), mode=0o666)
    finally:
        os.umask(before)
    modes = {p.name: oct(p.stat().st_mode & 0o7777) for p in tmp_path.rglob("*")}
    assert modes == {
        "private": "0o700",
        "script": "0o777",
        "secret": "0o600",
        "shared": "0o770",
        "written": "0o666",
    }


async def test_a_directory_that_exists_keeps_its_mode_and_content(transport, tmp_path):
    (tmp_path / "own").mkdir(mode=0o700)
    (tmp_path / "own" / "file").write_text("kept")
    assert await transport.put([Entry(path=f"{tmp_path}/own", mode=0o777)]) == {}
    await transport.mkdir(f"{tmp_path}/own")
    assert oct((tmp_path / "own").stat().st_mode & 0o777) == "0o700"
    assert (tmp_path / "own" / "file").read_text() == "kept"


async def test_missing_parents_are_made(transport, tmp_path):
    assert await transport.put([Entry(path=f"{tmp_path}/a/b/c", content=b"1")]) == {}
    await transport.write(f"{tmp_path}/d/e/f", stream(b"2"))
    await transport.mkdir(f"{tmp_path}/g/h")
    assert (tmp_path / "a/b/c").read_bytes() + (tmp_path / "d/e/f").read_bytes() == b"12"
    assert (tmp_path / "g/h").is_dir()


async def test_thousands_of_entries_are_put_in_order_and_read_back(transport, tmp_path):
    entries = [
        entry
        for number in range(600)
        for entry in (
            Entry(path=f"{tmp_path}/{number}"),
            Entry(path=f"{tmp_path}/{number}/in", content=str(number).encode()),
        )
    ]
    assert await transport.put(iter(entries)) == {}
    paths = [e.path for e in entries]
    assert {p: c.data for p, c in (await transport.get(paths)).items()} == {
        e.path: e.content for e in entries if e.content is not None
    }
    assert len(await transport.list(str(tmp_path), recurse=True)) == 1200


async def test_one_entry_that_fails_leaves_the_others_alone(transport, tmp_path):
    (tmp_path / "file").write_text("")
    bad = f"{tmp_path}/file/below"
    failed = await transport.put(
        [Entry(path=bad, content=b""), Entry(path=f"{tmp_path}/good", content=b"good")]
    )
    assert {path: error.errno for path, error in failed.items()} == {bad: errno.ENOTDIR}
    assert (tmp_path / "good").read_bytes() == b"good"


async def test_a_put_over_a_link_replaces_the_link_and_not_its_target(transport, tmp_path):
    (tmp_path / "target").write_text("kept")
    (tmp_path / "link").symlink_to("target")
    assert await transport.put([Entry(path=f"{tmp_path}/link", content=b"new")]) == {}
    assert (tmp_path / "target").read_text() == "kept"
    assert not (tmp_path / "link").is_symlink()


async def test_a_put_over_a_directory_that_holds_something_fails_and_leaves_all_as_it_was(
    transport, tmp_path
):
    (tmp_path / "folder/inside").mkdir(parents=True)
    failed = await transport.put([Entry(path=f"{tmp_path}/folder", content=b"x")])
    assert [error.errno in (errno.EISDIR, errno.EEXIST) for error in failed.values()] == [True]
    assert names(tmp_path) == ["folder"]
    assert names(tmp_path / "folder") == ["inside"]


async def test_get_leaves_out_what_is_missing_or_no_file_and_stops_at_its_limit(transport, tmp_path):
    (tmp_path / "long").write_bytes(b"0123456789")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    asked = [f"{tmp_path}/{n}" for n in ("long", "empty", "folder", "pipe", "none", "long/below")]
    assert {p: c.data for p, c in (await transport.get(asked, limit=4)).items()} == {
        asked[0]: b"0123",
        asked[1]: b"",
    }


# read and write


async def test_a_big_file_streams_whole_and_by_ranges(transport, tmp_path):
    data = os.urandom(5_000_001)
    assert await transport.write(
        f"{tmp_path}/big", stream(data[:1], data[1:3_000_000], data[3_000_000:])
    ) == len(data)
    whole = await content(transport, tmp_path / "big")
    assert hashlib.sha256(whole).digest() == hashlib.sha256(data).digest()
    for offset, length in [
        (0, 10),
        (1_048_570, 20),
        (4_999_999, 100),
        (5_000_001, 5),
        (9_000_000, 5),
        (7, 0),
    ]:
        part = await content(transport, tmp_path / "big", offset=offset, length=length)
        assert part == data[offset : offset + length]
    assert await content(transport, tmp_path / "big", offset=4_000_000) == data[4_000_000:]


async def test_a_range_beyond_four_gigabytes_of_a_file_with_a_hole_is_read(transport, tmp_path):
    with open(tmp_path / "sparse", "wb") as file:
        file.seek(5 << 30)
        file.write(b"end")
    assert await content(transport, tmp_path / "sparse", offset=(5 << 30) - 2) == b"\0\0end"


async def test_an_empty_file_is_written_and_read(transport, tmp_path):
    assert await transport.write(f"{tmp_path}/empty", stream()) == 0
    assert await content(transport, tmp_path / "empty") == b""


async def test_a_reader_may_leave_early(transport, tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 3_000_000)
    await transport.stat(str(tmp_path))
    before = len(os.listdir("/proc/self/fd"))
    async with aclosing(transport.read(f"{tmp_path}/file")) as chunks:
        async for _ in chunks:
            break
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_file_is_not_seen_before_it_is_whole(transport, tmp_path):
    seen = []

    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * 2_000_000
        seen.append((tmp_path / "file").read_bytes())
        yield b"y"

    (tmp_path / "file").write_bytes(b"old")
    await transport.write(f"{tmp_path}/file", chunks())
    assert seen == [b"old"]
    assert (tmp_path / "file").stat().st_size == 2_000_001


async def test_a_write_that_breaks_off_leaves_the_old_file_and_nothing_else(transport, tmp_path):
    async def chunks() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError("the sender went away")

    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(ConnectionResetError):
        await transport.write(f"{tmp_path}/file", chunks())
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


# trouble


@pytest.mark.parametrize(
    ("verb", "name", "number"),
    [
        ("read", "none", errno.ENOENT),
        ("read", "folder", errno.EISDIR),
        ("read", "pipe", errno.EINVAL),
        ("read", "loop", errno.ELOOP),
        ("read", "file/below", errno.ENOTDIR),
        ("list", "none", errno.ENOENT),
        ("delete", "none", errno.ENOENT),
        ("mkdir", "file", errno.EEXIST),
        ("mkdir", "file/below", errno.ENOTDIR),
    ],
)
async def test_what_the_host_refuses_is_an_oserror_with_its_number(transport, tmp_path, verb, name, number):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    path = f"{tmp_path}/{name}"
    with pytest.raises(OSError) as caught:  # noqa: PT011 (the number is what is tested)
        await (content(transport, path) if verb == "read" else getattr(transport, verb)(path))
    assert caught.value.errno == number


@pytest.mark.parametrize("verb", ["copy", "move"])
async def test_a_missing_source_is_told_and_makes_no_parents(transport, tmp_path, verb):
    with pytest.raises(FileNotFoundError):
        await getattr(transport, verb)(f"{tmp_path}/none", f"{tmp_path}/new/target")
    assert names(tmp_path) == []


async def test_a_full_disk_is_told_by_every_verb_that_writes(transport, full_disk, tmp_path):
    (tmp_path / "big").write_bytes(b"x" * 200_000)
    (full_disk / "old").write_bytes(b"old")
    target = f"{full_disk}/old"
    with pytest.raises(OSError) as written:  # noqa: PT011
        await transport.write(target, stream(b"x" * 200_000))
    with pytest.raises(OSError) as copied:  # noqa: PT011
        await transport.copy(f"{tmp_path}/big", f"{full_disk}/copy")
    (full_disk / "copy").unlink(missing_ok=True)
    assert names(full_disk) == ["old"]
    assert (full_disk / "old").read_bytes() == b"old"
    failed = await transport.put([Entry(path=target, content=b"x" * 200_000)])
    assert [written.value.errno, copied.value.errno, failed[target].errno] == [errno.ENOSPC] * 3
    assert [path.read_bytes() for path in full_disk.iterdir()] in ([b"old"], [])


async def test_a_full_disk_fails_only_the_entries_that_found_no_room(transport, full_disk):
    entries = [Entry(path=f"{full_disk}/{n:02}", content=b"") for n in range(40)]
    failed = await transport.put(entries)
    assert 0 < len(failed) < 40
    assert {error.errno for error in failed.values()} == {errno.ENOSPC}
    assert names(full_disk) == sorted(e.path[-2:] for e in entries if e.path not in failed)


# listings


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a/sub").mkdir(parents=True)
    (tmp_path / "a/sub/deep").write_text("deep")
    (tmp_path / "a/file").write_text("12345")
    (tmp_path / "a-b").write_text("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "dangling").symlink_to("nowhere")
    return tmp_path


async def test_a_listing_has_one_level_in_order_of_names(transport, tree):
    found = await transport.list(str(tree))
    assert [(i.name, i.type) for i in found] == [
        ("a", "dir"),
        ("a-b", "file"),
        ("dangling", "symbolic_link"),
        ("empty", "dir"),
        ("link", "symbolic_link"),
    ]


async def test_a_recursive_listing_puts_each_directory_before_its_content_and_follows_no_link(
    transport, tree
):
    found = await transport.list(str(tree), recurse=True)
    assert [os.path.relpath(i.path, tree) for i in found] == [
        "a",
        "a/file",
        "a/sub",
        "a/sub/deep",
        "a-b",
        "dangling",
        "empty",
        "link",
    ]


async def test_a_listing_stops_at_its_depth_and_its_limit(transport, tree):
    by_depth = await transport.list(str(tree), recurse=True, depth=2)
    assert f"{tree}/a/sub" in [i.path for i in by_depth]
    assert f"{tree}/a/sub/deep" not in [i.path for i in by_depth]
    assert [i.name for i in await transport.list(str(tree), recurse=True, limit=3)] == ["a", "file", "sub"]
    assert await transport.list(str(tree), limit=0) == []


async def test_a_file_is_listed_as_itself_and_an_empty_directory_as_nothing(transport, tree):
    assert [i.path for i in await transport.list(f"{tree}/a/file")] == [f"{tree}/a/file"]
    assert await transport.list(f"{tree}/empty", recurse=True) == []


async def test_many_directories_are_listed_together_and_what_is_none_is_left_out(transport, tree):
    asked = [f"{tree}/a", f"{tree}/empty", f"{tree}/none", f"{tree}/a/file", f"{tree}/link"]
    found = await transport.list_all(asked)
    assert {folder: [os.path.relpath(i.path, folder) for i in below] for folder, below in found.items()} == {
        asked[0]: ["file", "sub", "sub/deep"],
        asked[1]: [],
    }
    assert found[asked[0]] == await transport.list(asked[0], recurse=True)
    near = await transport.list_all([str(tree), asked[0]], depth=1)
    assert near == {folder: await transport.list(folder) for folder in (str(tree), asked[0])}
    assert await transport.list_all([]) == {}


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_odd_names_are_listed_in_directories_of_odd_names(transport, tmp_path, name):
    folder = f"{tmp_path}/{name}"
    await transport.put([Entry(path=f"{folder}/{name}", content=b"text")])
    found = await transport.list_all([folder])
    assert {place: [i.name for i in below] for place, below in found.items()} == {folder: [name]}


async def test_an_entry_tells_size_time_owner_and_permissions(transport, tree):
    os.utime(tree / "a/file", (0, 1_700_000_000.25))
    os.chmod(tree / "a/file", 0o640)
    found = await transport.stat(f"{tree}/a/file")
    assert found is not None
    assert (found.type, found.size, found.native_permissions) == ("file", 5, "rw-r-----")
    assert found.last_modified == "2023-11-14T22:13:20.250000Z"
    assert (found.owner, found.group) == ((tree / "a/file").owner(), (tree / "a/file").group())


async def test_times_that_no_calendar_holds_do_no_harm(transport, tree):
    os.utime(tree / "a/file", (-5_000_000_000, -5_000_000_000))
    found = await transport.stat(f"{tree}/a/file")
    assert found is not None
    assert found.last_modified.endswith("Z")


async def test_stat_sees_the_link_itself_and_nothing_where_nothing_is(transport, tree):
    for name in ("link", "dangling"):
        found = await transport.stat(f"{tree}/{name}")
        assert found is not None
        assert found.type == "symbolic_link"
    assert await transport.stat(f"{tree}/none") is None
    assert await transport.stat(f"{tree}/a/file/below") is None


async def test_real_path_resolves_links_and_keeps_missing_tails(transport, tree):
    root = os.path.realpath(tree)
    assert await transport.real_path(f"{tree}/link/sub/../new/file") == f"{root}/a/new/file"


# resumed writes


async def test_a_write_with_a_word_goes_on_where_it_broke_off(transport, tmp_path):
    async def breaking() -> AsyncIterator[bytes]:
        yield b"x" * 1_500_000
        raise ConnectionResetError("the sender went away")

    path = f"{tmp_path}/deep/file"
    assert await transport.written(path, "version 1") == 0
    with pytest.raises(ConnectionResetError):
        await transport.write(path, breaking(), resume="version 1")
    there = await transport.written(path, "version 1")
    assert 0 < there <= 1_500_000
    assert await transport.stat(path) is None
    assert await transport.written(path, "version 2") == 0
    rest = b"x" * (1_500_000 - there) + b"end"
    assert await transport.write(path, stream(rest), resume="version 1", mode=0o640) == 1_500_003
    assert Path(path).read_bytes() == b"x" * 1_500_000 + b"end"
    assert oct(Path(path).stat().st_mode & 0o777) == "0o640"
    assert names(tmp_path / "deep") == ["file"]
    assert await transport.written(path, "version 1") == 0


# look


async def test_a_look_tells_where_paths_lead_and_what_is_there(transport, tree):
    root = os.path.realpath(tree)
    asked = [
        f"{tree}/link/file",
        f"{tree}/link",
        f"{tree}/dangling",
        f"{tree}/none/below",
        f"{tree}/a/./sub/..",
    ]
    found = await transport.look(asked)
    assert {path: (f.real_path, f.info and (f.info.path, f.info.type)) for path, f in found.items()} == {
        asked[0]: (f"{root}/a/file", (f"{root}/a/file", "file")),
        asked[1]: (f"{root}/a", (f"{root}/a", "dir")),
        asked[2]: (f"{root}/nowhere", None),
        asked[3]: (f"{root}/none/below", None),
        asked[4]: (f"{root}/a", (f"{root}/a", "dir")),
    }
    assert await transport.look([]) == {}


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_odd_names_are_looked_at_packed_unpacked_and_copied_together(transport, tmp_path, name):
    path = f"{tmp_path}/from/{name}"
    await transport.put([Entry(path=path, content=b"text")])
    assert [(f.real_path, f.info and f.info.name) for f in (await transport.look([path])).values()] == [
        (path, name)
    ]
    assert await transport.copy_all([(path, f"{tmp_path}/copied/{name}")]) == {}
    await transport.unpack(f"{tmp_path}/to", transport.pack(f"{tmp_path}/from", [name]))
    assert await transport.written(path, "word") == 0
    assert os.listdir(tmp_path / "to") == os.listdir(tmp_path / "copied") == [name]


# copy_all


async def test_many_copies_are_made_together_and_those_that_fail_are_named(transport, tree):
    (tree / "precious").write_text("kept")
    (tree / "onto").symlink_to(tree / "precious")
    pairs = [
        (f"{tree}/a/file", f"{tree}/onto"),
        (f"{tree}/none", f"{tree}/new/none"),
        (f"{tree}/a", f"{tree}/new/tree"),
        (f"{tree}/link", f"{tree}/new/link"),
        (f"{tree}/a/file", f"{tree}/a-b/below"),
        (f"{tree}/a/file", f"{tree}/empty"),
    ]
    failed = await transport.copy_all(pairs)
    assert {path: error.errno for path, error in failed.items()} == {
        f"{tree}/new/none": errno.ENOENT,
        f"{tree}/a-b/below": errno.EEXIST,
        f"{tree}/empty": errno.EISDIR,
    }
    assert (tree / "onto").read_text() == "12345"
    assert (tree / "precious").read_text() == "kept"
    assert names(tree / "new/tree") == ["file", "sub"]
    assert os.readlink(tree / "new/link") == "a"
    assert await transport.copy_all([]) == {}


async def test_one_file_is_copied_to_many_places_with_its_mode_and_time_and_through_no_link(transport, tree):
    os.chmod(tree / "a/file", 0o755)
    os.utime(tree / "a/file", (0, 1_600_000_000))
    (tree / "precious").write_text("kept")
    (tree / "job3").mkdir()
    (tree / "job3/in").symlink_to(tree / "precious")
    (tree / "job4/in").mkdir(parents=True)
    pairs = [(f"{tree}/{source}", f"{tree}/job{n}/{name}") for n in range(450)
             for source, name in (("a/file", "in"), ("a-b", "other"))]  # fmt: skip
    failed = await transport.copy_all(pairs)
    assert {path: error.errno for path, error in failed.items()} == {f"{tree}/job4/in": errno.EISDIR}
    made = [tree / f"job{n}/in" for n in range(450) if n != 4]
    assert {path.read_text() for path in made} == {"12345"}
    assert {oct(path.stat().st_mode & 0o777) for path in made} == {"0o755"}
    assert {path.stat().st_mtime for path in made} == {1_600_000_000}
    assert {path.stat().st_nlink for path in made} == {1}
    assert (tree / "precious").read_text() == "kept"


async def test_copies_that_build_on_each_other_are_made_in_their_order(transport, tree):
    pairs = [(f"{tree}/a", f"{tree}/b"), (f"{tree}/a-b", f"{tree}/b/file"), (f"{tree}/b/file", f"{tree}/c"),
             *((f"{tree}/c", f"{tree}/d{n}") for n in range(6))]  # fmt: skip
    assert await transport.copy_all(pairs) == {}
    assert (tree / "b/file").read_text() == (tree / "c").read_text() == (tree / "d5").read_text() == ""
    same = [(f"{tree}/a/file", f"{tree}/a/file"), *((f"{tree}/a/file", f"{tree}/e{n}") for n in range(6))]
    assert [error.errno for error in (await transport.copy_all(same)).values()] == [errno.EINVAL]
    assert (tree / "a/file").read_text() == (tree / "e5").read_text() == "12345"


# pack and unpack


@pytest.fixture
def made() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder / "root"


async def test_a_packed_tree_is_unpacked_as_it_was(transport, tree, made):
    os.chmod(tree / "a/file", 0o755)
    os.utime(tree / "a/file", (0, 1_600_000_000))
    (tree / "a/to outside").symlink_to("/etc/passwd")
    (tree / "a/big").write_bytes(b"0123456789abcdef" * 200_001)
    (tree / ("d" * 120)).mkdir()
    (tree / ("d" * 120) / ("f" * 120)).write_text("long")
    await transport.unpack(f"{made}/deep", transport.pack(str(tree)))
    made = made / "deep"
    assert {str(p.relative_to(made)) for p in made.rglob("*")} == {
        str(p.relative_to(tree)) for p in tree.rglob("*")
    }
    assert (made / "a/big").read_bytes() == (tree / "a/big").read_bytes()
    assert oct((made / "a/file").stat().st_mode & 0o777) == "0o755"
    assert (made / "a/file").stat().st_mtime == 1_600_000_000
    assert os.readlink(made / "a/to outside") == "/etc/passwd"
    assert (made / "empty").is_dir()


async def test_of_a_directory_only_what_is_named_is_packed_and_what_is_missing_is_left_out(
    transport, tree, made
):
    await transport.unpack(str(made), transport.pack(str(tree), ["a/sub", "a-b", "none", "a/none"]))
    assert {str(p.relative_to(made)) for p in made.rglob("*")} == {"a", "a/sub", "a/sub/deep", "a-b"}
    await transport.unpack(f"{made}/none", transport.pack(str(tree), []))
    assert names(made / "none") == []


async def test_packing_what_is_not_there_is_told(transport, tree):
    with pytest.raises(FileNotFoundError):
        await anext(transport.pack(f"{tree}/none"))
    with pytest.raises(NotADirectoryError):
        await anext(transport.pack(f"{tree}/a/file"))


async def test_unpacking_replaces_files_and_links_and_keeps_the_rest(transport, tree, made):
    (made / "a").mkdir(parents=True)
    (made.parent / "precious").write_text("kept")
    (made / "a/file").symlink_to(made.parent / "precious")
    (made / "a/other").write_text("other")
    (made / "a-b").write_text("older")
    await transport.unpack(str(made), transport.pack(str(tree)))
    assert (made / "a/file").read_text() == "12345"
    assert (made / "a-b").read_text() == ""
    assert (made / "a/other").read_text() == "other"
    assert (made.parent / "precious").read_text() == "kept"


def archive(*members: tuple[str, bytes, str], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar archive of (name, type, link target); files hold their own name."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as made:
        for name, kind, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mode = kind, target, 0o755
            info.size = len(name.encode()) if kind == tarfile.REGTYPE else 0
            made.addfile(info, io.BytesIO(name.encode()))
    return file.getvalue()


FILE, LINK, HARD = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.mark.parametrize(
    "members",
    [
        [("{out}/climbed", FILE, "")],
        [("../out/climbed", FILE, "")],
        [("a/../../out/climbed", FILE, "")],
        [("link", LINK, "{out}"), ("link/climbed", FILE, "")],
        [("link", LINK, "../out"), ("link/climbed", FILE, "")],
        [("one", LINK, "two"), ("two", LINK, "../out"), ("one/climbed", FILE, "")],
        [("there/climbed", FILE, "")],
        [("there/folder", tarfile.DIRTYPE, "")],
        [("hard", HARD, "../out/precious"), ("hard", FILE, "")],
        [("hard", HARD, "{out}/precious")],
        [("hard", HARD, "there/precious")],
    ],
    ids=repr,
)
async def test_nothing_is_unpacked_outside_of_the_root(transport, tmp_path, members):
    out, root = tmp_path / "out", tmp_path / "root"
    out.mkdir()
    root.mkdir()
    (out / "precious").write_text("kept")
    (root / "there").symlink_to(out)
    data = archive(*((name.format(out=out), kind, to.format(out=out)) for name, kind, to in members))
    with pytest.raises(OSError) as caught:  # noqa: PT011
        await transport.unpack(str(root), stream(data))
    assert caught.value.errno == errno.EPERM
    assert names(out) == ["precious"]
    assert (out / "precious").read_text() == "kept"
    assert (out / "precious").stat().st_nlink == 1


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
async def test_every_form_of_archive_is_read_in_pieces_of_any_size(transport, tmp_path, form):
    long = "/".join(["folder-with-a-long-name"] * 8)
    data = archive(
        (f"{long}/file", FILE, ""),
        ("naïve", FILE, ""),
        ("near", LINK, "naïve"),
        ("hard", HARD, "naïve"),
        form=form,
    )
    await transport.unpack(str(tmp_path), stream(*(data[n : n + 777] for n in range(0, len(data), 777))))
    assert (tmp_path / long / "file").read_text() == f"{long}/file"
    assert (tmp_path / "hard").read_text() == (tmp_path / "near").read_text() == "naïve"
    assert (tmp_path / "hard").stat().st_nlink == 2


@pytest.mark.parametrize("data", [b"no archive at all" * 100, archive(("file", FILE, ""))[:514]])
async def test_what_is_no_whole_archive_is_told(transport, tmp_path, data):
    with pytest.raises(OSError, match=r"."):
        await transport.unpack(f"{tmp_path}/root", stream(data))


async def test_unpacking_within_some_directories_looks_at_no_other_ones(transport, tmp_path):
    (tmp_path / "from/a").mkdir(parents=True)
    (tmp_path / "from/a/file").write_text("new")
    (tmp_path / "outside").mkdir()
    (tmp_path / "root/other").mkdir(parents=True)
    (tmp_path / "root/other/link").symlink_to(tmp_path / "outside")
    packed = transport.pack(f"{tmp_path}/from", ["a"])
    await transport.unpack(f"{tmp_path}/root", packed, within=["a", "not there"])
    assert (tmp_path / "root/a/file").read_text() == "new"


async def test_nothing_leaves_the_directories_that_are_unpacked_within(transport, tmp_path):
    (tmp_path / "from/a/link").mkdir(parents=True)
    (tmp_path / "from/a/link/file").write_text("new")
    (tmp_path / "outside").mkdir()
    (tmp_path / "root/a").mkdir(parents=True)
    (tmp_path / "root/a/link").symlink_to(tmp_path / "outside")
    with pytest.raises(PermissionError):
        await transport.unpack(
            f"{tmp_path}/root", transport.pack(f"{tmp_path}/from", ["a/link/file"]), within=["a"]
        )
    assert not list((tmp_path / "outside").iterdir())


async def test_an_unpack_whose_stream_breaks_off_tells_what_broke_it(transport, tmp_path):
    async def chunks() -> AsyncIterator[bytes]:
        yield archive(("file", FILE, ""))[:514]
        raise ConnectionResetError("the sender went away")

    with pytest.raises(ConnectionResetError):
        await transport.unpack(str(tmp_path), chunks())


async def test_a_full_disk_is_told_when_unpacking(transport, full_disk, tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "from/big").write_bytes(b"x" * 200_000)
    with pytest.raises(OSError) as caught:  # noqa: PT011
        await transport.unpack(str(full_disk), transport.pack(f"{tmp_path}/from"))
    assert caught.value.errno == errno.ENOSPC


# copy, move, delete


async def test_a_copy_of_a_tree_keeps_modes_times_links_and_odd_names(transport, tree):
    os.chmod(tree / "a/file", 0o755)
    os.utime(tree / "a/file", (0, 1_600_000_000))
    (tree / "a/to outside").symlink_to("/etc/passwd")
    (tree / "a/hollow").mkdir()
    Path(f"{tree}/a/{ODD_NAMES[10]}").write_text("odd")
    await transport.copy(f"{tree}/a", f"{tree}/new/b")
    made = tree / "new/b"
    assert names(made) == names(tree / "a")
    assert oct((made / "file").stat().st_mode & 0o777) == "0o755"
    assert (made / "file").stat().st_mtime == 1_600_000_000
    assert os.readlink(made / "to outside") == "/etc/passwd"
    assert (made / "sub/deep").read_text() == "deep"


async def test_a_copy_is_a_file_of_its_own(transport, tree):
    await transport.copy(f"{tree}/a/file", f"{tree}/copy")
    (tree / "copy").write_text("changed")
    assert (tree / "a/file").read_text() == "12345"
    assert (tree / "a/file").stat().st_ino != (tree / "copy").stat().st_ino


async def test_the_target_of_a_copy_is_its_new_path_and_not_a_folder_to_put_it_in(transport, tree):
    await transport.copy(f"{tree}/a", f"{tree}/empty")
    assert names(tree / "empty") == ["file", "sub"]


async def test_a_copy_never_writes_through_a_link_at_its_target(transport, tree):
    (tree / "precious").write_text("kept")
    (tree / "empty/file").symlink_to(tree / "precious")
    (tree / "onto").symlink_to(tree / "precious")
    await transport.copy(f"{tree}/a", f"{tree}/empty")
    await transport.copy(f"{tree}/a/file", f"{tree}/onto")
    assert (tree / "precious").read_text() == "kept"
    assert (tree / "empty/file").read_text() == (tree / "onto").read_text() == "12345"


async def test_a_copy_never_enters_a_linked_directory_at_its_target(transport, tree):
    (tree / "elsewhere").mkdir()
    (tree / "empty/sub").symlink_to(tree / "elsewhere")
    with pytest.raises(OSError, match=r"sub|exists|overwrite"):
        await transport.copy(f"{tree}/a", f"{tree}/empty")
    assert names(tree / "elsewhere") == []


async def test_a_copied_link_stays_a_link(transport, tree):
    await transport.copy(f"{tree}/link", f"{tree}/second")
    assert os.readlink(tree / "second") == "a"


async def test_a_move_renames_to_the_target_itself_and_makes_its_parents(transport, tree):
    await transport.move(f"{tree}/a", f"{tree}/x/y")
    assert names(tree / "x/y") == ["file", "sub"]
    assert not (tree / "a").exists()
    await transport.move(f"{tree}/link", f"{tree}/x/link")
    assert (tree / "x/link").is_symlink()


async def test_a_move_to_another_file_system_arrives_whole(transport, tree, full_disk):
    await transport.move(f"{tree}/a", f"{full_disk}/a")
    assert (full_disk / "a/sub/deep").read_text() == "deep"
    assert not (tree / "a").exists()


async def test_delete_takes_a_tree_and_of_a_link_only_the_link(transport, tree):
    await transport.delete(f"{tree}/link")
    await transport.delete(f"{tree}/dangling")
    (tree / "empty/out").symlink_to(tree / "a")
    await transport.delete(f"{tree}/empty")
    assert names(tree) == ["a", "a-b"]
    await transport.delete(f"{tree}/a")
    assert names(tree) == ["a-b"]


@pytest.mark.parametrize("path", ["/", "//", "/.", "/tmp/.."])
async def test_the_root_directory_is_never_deleted(transport, path, monkeypatch):
    monkeypatch.setattr("shutil.rmtree", lambda path: pytest.fail(f"would have deleted {path}"))
    with pytest.raises(PermissionError):
        await transport.delete(path)


# watch


def leave(folder: Path, name: str) -> None:
    """Leave an event as a job does: written aside, then renamed."""
    folder.mkdir(exist_ok=True)
    (folder / f".{name}").write_text("")
    (folder / f".{name}").rename(folder / name)


async def test_a_watcher_hears_what_was_there_and_what_comes(transport, tmp_path):
    folder = tmp_path / "events"
    leave(folder, "first")
    async with aclosing(transport.watch(str(folder))) as batches:
        assert await anext(batches) == ["first"]
        leave(folder, "second")
        leave(folder, "third")
        assert await anext(batches) == ["second", "third"]


async def test_an_event_is_moved_away_once_the_next_batch_is_asked_for(transport, tmp_path):
    folder = tmp_path / "events"
    leave(folder, "one")
    async with aclosing(transport.watch(str(folder))) as batches:
        await anext(batches)
        assert names(folder) == ["one"]
        leave(folder, "two")
        await anext(batches)
        assert names(folder) == ["two"]


async def test_a_reader_that_died_is_told_again(transport, tmp_path):
    folder = tmp_path / "events"
    leave(folder, "one")
    for _ in range(2):
        async with aclosing(transport.watch(str(folder))) as batches:
            assert await anext(batches) == ["one"]


async def test_a_watched_folder_is_made_and_survives_its_deletion(transport, tmp_path):
    folder = tmp_path / "deep/events"
    async with aclosing(transport.watch(str(folder))) as batches:
        waiting = asyncio.ensure_future(anext(batches))
        while not folder.exists():
            await asyncio.sleep(0)
        folder.rmdir()
        while not folder.exists():
            await asyncio.sleep(0)
        leave(folder, "one")
        assert await waiting == ["one"]


async def test_half_written_events_and_directories_are_not_reported(transport, tmp_path):
    (tmp_path / ".half").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    leave(tmp_path, "whole")
    async with aclosing(transport.watch(str(tmp_path))) as batches:
        assert await anext(batches) == ["whole"]


async def test_events_of_many_writers_are_each_heard_once(transport, tmp_path):
    sent = {f"job-{writer}-{n}" for writer in range(8) for n in range(50)}

    def write(writer: int) -> None:
        for n in range(50):
            leave(tmp_path, f"job-{writer}-{n}")

    writing = asyncio.gather(*(asyncio.to_thread(write, writer) for writer in range(8)))
    heard: list[str] = []
    async with aclosing(transport.watch(str(tmp_path))) as batches:
        async for batch in batches:
            heard += batch
            if len(heard) >= len(sent):
                break
    await writing
    assert sorted(heard) == sorted(sent)


async def test_two_folders_are_watched_side_by_side(transport, tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]

    async def first(folder: Path) -> list[str]:
        async with aclosing(transport.watch(str(folder))) as batches:
            return list(await anext(batches))

    waiting = asyncio.gather(*(first(folder) for folder in folders))
    for folder in folders:
        await asyncio.to_thread(leave, folder, f"event-{folder.name}")
    assert await waiting == [["event-one"], ["event-two"]]


# environment


async def test_the_environment_has_the_variables_that_are_set(transport, monkeypatch):
    found = await transport.environment(["HOME", "PATH", "SURELY_NOT_SET_ANYWHERE"])
    assert set(found) == {"HOME", "PATH"}
    assert found["HOME"].startswith("/")
