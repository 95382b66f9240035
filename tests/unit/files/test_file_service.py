"""The Files service on this machine, with a system whose rootDir is a folder."""

from __future__ import annotations

import dataclasses
import io
import os
import subprocess
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupyter_tapis_jobs.engine.files import Download, FileService, file_to_wire, open_download
from jupyter_tapis_jobs.engine.rights import PathRights, Right
from jupyter_tapis_jobs.model.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
)
from jupyter_tapis_jobs.model.system import System, parse_system
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.transports.local import LocalTransport

ANNA = User(name="anna", tenant="tapis", is_server_user=True)
BERT = User(name="bert", tenant="tapis", is_server_user=False)


class Hosts:
    """Gives this machine for every system, and remembers who asked for which."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def transport(self, system_id: str, effective_user: str) -> LocalTransport:
        self.asked.append((system_id, effective_user))
        return LocalTransport()


class Systems:
    """Systems that everybody may use."""

    def __init__(self, root: Path) -> None:
        #: What others than the owner may do with the paths of local.
        self.given: dict[Right, list[str]] = {}
        raw = {
            "id": "box",
            "systemType": "LINUX",
            "host": "localhost",
            "defaultAuthnMethod": "PKI_KEYS",
            "canExec": False,
            "rootDir": str(root),
        }
        self.known = {
            "box": parse_system({**raw, "effectiveUserId": "${apiUserId}"})[0],
            "local": parse_system({**raw, "id": "local", "effectiveUserId": "svc"})[0],
            "off": parse_system({**raw, "id": "off", "enabled": False})[0],
        }

    def for_files(self, user: User, system_id: str) -> tuple[System, PathRights]:
        if system_id not in self.known:
            raise NotFoundError(f"there is no system {system_id}.")
        if system_id == "local" and not user.is_server_user:
            return self.known[system_id], PathRights(system_id, user.name, True, self.given)
        return self.known[system_id], PathRights.everywhere(system_id, user.name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """rootDir, itself behind a link, with a secret beside it."""
    (tmp_path / "real/home/sub").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key").write_text("secret")
    real = tmp_path / "real"
    (real / "home/a.txt").write_text("0123456789")
    (real / "home/.hidden").write_text("")
    (real / "home/sub/b.csv").write_text("b")
    (real / "home/near").symlink_to("a.txt")
    (real / "home/out").symlink_to(tmp_path / "secret")
    (real / "home/out-file").symlink_to(tmp_path / "secret/key")
    (tmp_path / "root").symlink_to(real)
    return tmp_path / "root"


@pytest.fixture
def hosts() -> Hosts:
    return Hosts()


@pytest.fixture
def systems(root: Path) -> Systems:
    return Systems(root)


@pytest.fixture
def files(hosts: Hosts, systems: Systems) -> FileService:
    return FileService(hosts, systems)


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def body(download: Download) -> bytes:
    return b"".join([chunk async for chunk in download.chunks])


async def paths(files: FileService, path: str, **keywords: object) -> list[str]:
    return [info.path for info in await files.list(ANNA, "box", path, **keywords)]


# Listings


async def test_paths_of_a_listing_are_relative_to_the_root_directory(files):
    assert await paths(files, "/") == ["home"]
    assert await paths(files, "home//") == [
        "home/.hidden",
        "home/a.txt",
        "home/near",
        "home/out",
        "home/out-file",
        "home/sub",
    ]


async def test_a_recursive_listing_follows_no_link(files):
    found = await paths(files, "/", recurse=True)
    assert "home/sub/b.csv" in found
    assert "home/out" in found
    assert not [path for path in found if path.startswith("home/out/")]


async def test_a_recursive_listing_goes_twenty_levels_deep(files, root):
    (root / "/".join("d" * 25)).mkdir(parents=True)
    found = await paths(files, "/d", recurse=True)
    assert found[-1] == "/".join("d" * 21)


async def test_limit_and_offset_choose_a_page(files, root):
    for number in range(30):
        (root / "home/sub" / f"{number:02}").touch()
    assert await paths(files, "home/sub", limit=3, offset=28) == [
        "home/sub/28",
        "home/sub/29",
        "home/sub/b.csv",
    ]
    assert await paths(files, "home/sub", limit=0) == []
    assert await paths(files, "home/sub", offset=99) == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.csv", ["home/sub/b.csv"]),
        ("?.txt", ["home/a.txt"]),
        ("[a]*", []),
        ("regex:^[ab]\\.", ["home/a.txt", "home/sub/b.csv"]),
        ("REGEX:sv$", ["home/sub/b.csv"]),
    ],
)
async def test_a_pattern_chooses_by_name_in_every_level(files, pattern, expected):
    assert await paths(files, "/", recurse=True, pattern=pattern) == expected


@pytest.mark.parametrize("pattern", ["regex:(", "regex:(a+)+$", "x" * 300])
async def test_a_pattern_that_cannot_be_used_is_refused(files, pattern):
    with pytest.raises(InvalidInputError, match="pattern"):
        await files.list(ANNA, "box", "/", pattern=pattern)


@pytest.mark.parametrize("page", [{"limit": -1}, {"offset": -1}])
async def test_a_page_before_the_first_is_refused(files, page):
    with pytest.raises(InvalidInputError, match="0 or more"):
        await files.list(ANNA, "box", "/", **page)


async def test_a_file_is_listed_as_itself(files):
    assert await paths(files, "home/a.txt") == ["home/a.txt"]


async def test_what_is_listed_through_a_link_keeps_the_path_that_was_asked(files, root):
    (root / "short").symlink_to("home/sub")
    assert await paths(files, "short") == ["short/b.csv"]


async def test_what_is_not_there_is_told_by_its_name(files):
    for wrong in ("none", "home/a.txt/below"):
        with pytest.raises(NotFoundError, match=f"{wrong} does not exist"):
            await files.list(ANNA, "box", wrong)


async def test_an_entry_is_written_as_tapis_does(files, root):
    os.utime(root / "home/a.txt", (0, 1_700_000_000))
    os.chmod(root / "home/a.txt", 0o640)
    (info,) = await files.list(ANNA, "box", "home/a.txt")
    assert file_to_wire(info, "box") == {
        "mimeType": "text/plain",
        "type": "file",
        "owner": (root / "home/a.txt").owner(),
        "group": (root / "home/a.txt").group(),
        "nativePermissions": "rw-r-----",
        "url": "tapis://box/home/a.txt",
        "lastModified": "2023-11-14T22:13:20.000000Z",
        "name": "a.txt",
        "path": "home/a.txt",
        "size": 10,
    }
    (folder,) = await files.list(ANNA, "box", "/", pattern="home")
    assert file_to_wire(folder, "box")["mimeType"] is None


async def test_stat_tells_a_link_from_what_it_leads_to(files):
    link = await files.stat(ANNA, "box", "home/near")
    target = await files.stat(ANNA, "box", "home/near", follow_links=True)
    assert (link.type, link.path) == ("symbolic_link", "home/near")
    assert (target.type, target.path, target.size) == ("file", "home/near", 10)
    assert (await files.stat(ANNA, "box", "home/out")).type == "symbolic_link"
    assert (await files.stat(ANNA, "box", "/")).type == "dir"


# The fence around rootDir

FENCED = ["home/out", "home/out/key", "home/out-file", "/home/out/new/file"]
CROOKED = ["../secret/key", "home/../../secret", "home/..", "..", "a\0b", "a\nb", "a\x7fb", "a\x9bb"]


@pytest.mark.parametrize("path", [*FENCED, *CROOKED])
async def test_no_verb_leaves_the_root_directory(files, root, path):
    before = sorted(root.parent.rglob("*"))
    for verb in (files.list, files.open, files.mkdir):
        with pytest.raises(InvalidInputError) as caught:
            await verb(ANNA, "box", path)
        assert caught.value.field == "path"
    with pytest.raises(InvalidInputError):
        await files.stat(ANNA, "box", path, follow_links=True)
    for verb in (files.move, files.copy):
        with pytest.raises(InvalidInputError):
            await verb(ANNA, "box", "home/a.txt", path)
    assert sorted(root.parent.rglob("*")) == before
    assert (root.parent / "secret/key").read_text() == "secret"


@pytest.mark.parametrize("path", ["home/out/key", "home/out/new", *CROOKED])
async def test_nothing_is_written_moved_or_deleted_behind_a_link_that_leads_out(files, root, path):
    with pytest.raises(InvalidInputError):
        await files.insert(ANNA, "box", path, stream(b"evil"))
    with pytest.raises(InvalidInputError):
        await files.delete(ANNA, "box", path)
    with pytest.raises(InvalidInputError):
        await files.move(ANNA, "box", path, "home/stolen")
    with pytest.raises(InvalidInputError):
        await files.copy(ANNA, "box", path, "home/stolen")
    assert (root.parent / "secret/key").read_text() == "secret"
    assert os.listdir(root.parent / "secret") == ["key"]


async def test_a_neighbour_whose_name_begins_like_the_root_directory_is_outside(files, root):
    (root.parent / "real-not").mkdir()
    (root / "link").symlink_to(root.parent / "real-not")
    with pytest.raises(InvalidInputError, match="outside the rootDir"):
        await files.list(ANNA, "box", "link")


async def test_a_link_that_leads_out_is_itself_the_users_to_delete_move_and_replace(files, root):
    await files.move(ANNA, "box", "home/out", "home/moved")
    assert (root / "home/moved").is_symlink()
    await files.delete(ANNA, "box", "home/moved")
    await files.insert(ANNA, "box", "home/out-file", stream(b"own"))
    assert (root / "home/out-file").read_bytes() == b"own"
    assert (root.parent / "secret/key").read_text() == "secret"


@pytest.mark.parametrize("path", ["/", "", ".", "//", "home/.", "./."])
async def test_the_root_directory_itself_is_never_deleted_moved_or_replaced(files, root, path):
    if path == "home/.":
        await files.delete(ANNA, "box", path)
        assert not (root / "home").exists()
        return
    with pytest.raises(InvalidInputError, match="rootDir"):
        await files.delete(ANNA, "box", path)
    with pytest.raises(InvalidInputError, match="rootDir"):
        await files.move(ANNA, "box", path, "home/x")
    with pytest.raises(InvalidInputError, match="rootDir"):
        await files.insert(ANNA, "box", path, stream(b""))
    assert (root / "home/a.txt").exists()


async def test_a_name_that_only_looks_like_dots_is_a_name(files, root):
    for name in ("%2e%2e", "...", "..a", "a%2Fb"):
        await files.insert(ANNA, "box", f"home/sub/{name}", stream(b"x"))
    assert sorted(os.listdir(root / "home/sub")) == ["%2e%2e", "...", "..a", "a%2Fb", "b.csv"]


# Who may


async def test_the_local_system_is_the_server_users_alone(files):
    assert await files.list(ANNA, "local", "/")
    for call in (
        files.list(BERT, "local", "/"),
        files.stat(BERT, "local", "/"),
        files.open(BERT, "local", "home/a.txt"),
        files.insert(BERT, "local", "x", stream(b"")),
        files.mkdir(BERT, "local", "x"),
        files.move(BERT, "local", "home", "x"),
        files.copy(BERT, "local", "home", "x"),
        files.delete(BERT, "local", "home"),
    ):
        with pytest.raises(NotAllowedError, match="only its own user"):
            await call


async def test_a_host_is_reached_as_the_systems_effective_user(files, hosts):
    await files.list(ANNA, "box", "/")
    await files.list(ANNA, "local", "/")
    assert hosts.asked == [("box", "anna"), ("local", "svc")]


async def test_a_disabled_or_unknown_system_is_told(files):
    with pytest.raises(ConflictError, match="off is disabled"):
        await files.list(ANNA, "off", "/")
    with pytest.raises(NotFoundError, match="nowhere"):
        await files.list(ANNA, "nowhere", "/")


# Content


async def test_a_file_is_opened_whole(files):
    download = await files.open(ANNA, "box", "/home//a.txt")
    assert (download.name, download.size, download.total) == ("a.txt", 10, 10)
    assert await body(download) == b"0123456789"


async def test_a_link_inside_is_followed_and_keeps_its_name(files):
    download = await files.open(ANNA, "box", "home/near")
    assert (download.name, await body(download)) == ("near", b"0123456789")


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [
        ("0,3", 0, b"0123"),
        ("2,2", 2, b"2"),
        ("8,999", 8, b"89"),
        ("20,30", 10, b""),
        ("bytes=4-6", 4, b"456"),
        ("bytes=7-", 7, b"789"),
        ("bytes=-4", 6, b"6789"),
        ("bytes=-99", 0, b"0123456789"),
    ],
)
async def test_a_range_has_both_of_its_ends(files, text, offset, expected):
    download = await files.open(ANNA, "box", "home/a.txt", byte_range=text)
    assert (download.offset, download.size, download.total) == (offset, len(expected), 10)
    assert await body(download) == expected


@pytest.mark.parametrize("text", ["", ",", "5,2", "a,b", "-1,3,4", "bytes=", "bytes=1-2,4-5", "lines=1-2"])
async def test_a_range_that_is_none_is_refused(files, text):
    with pytest.raises(InvalidInputError, match="range"):
        await files.open(ANNA, "box", "home/a.txt", byte_range=text)


async def test_more_gives_pages_of_a_kilobyte(files, root):
    (root / "text").write_bytes(b"a" * 1024 + b"b" * 1024 + b"c")
    pages = [await body(await files.open(ANNA, "box", "text", more=page)) for page in (1, 2, 3, 4)]
    assert pages == [b"a" * 1024, b"b" * 1024, b"c", b""]
    with pytest.raises(InvalidInputError, match="counted from 1"):
        await files.open(ANNA, "box", "text", more=0)


async def test_what_is_no_file_is_told_before_an_answer_begins(files, root):
    os.mkfifo(root / "pipe")
    with pytest.raises(InvalidInputError, match="zip=true"):
        await files.open(ANNA, "box", "home")
    with pytest.raises(InvalidInputError, match="neither"):
        await files.open(ANNA, "box", "pipe")
    with pytest.raises(NotFoundError, match="home/none does not exist"):
        await files.open(ANNA, "box", "home/none")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
async def test_a_file_that_is_closed_is_told_before_an_answer_begins(files, root):
    for folder in (root.parent, *root.parent.parents):
        if folder.owner() == "root" and folder.stat().st_mode & 0o777 == 0o700:
            folder.chmod(0o711)
    (root / "home/a.txt").chmod(0)
    os.seteuid(65534)
    try:
        with pytest.raises(NotAllowedError, match=r"home/a\.txt is closed to the host user"):
            await files.open(ANNA, "box", "home/a.txt")
    finally:
        os.seteuid(0)


# Zip files


async def unzipped(download: Download) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(await body(download))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


async def test_a_directory_travels_as_a_zip_file(files, root):
    big = os.urandom(3_000_000)
    (root / "home/sub/big").write_bytes(big)
    (root / "home/empty").mkdir()
    for number in range(150):
        (root / f"home/empty/{number}").write_text(str(number))
    download = await files.open(ANNA, "box", "home", as_zip=True)
    assert (download.name, download.size) == ("home.zip", None)
    found = await unzipped(download)
    assert found["a.txt"] == b"0123456789"
    assert found["sub/big"] == big
    assert found["sub/"] == found["empty/"] == b""
    assert {found[f"empty/{number}"] for number in range(150)} == {str(n).encode() for n in range(150)}


async def test_a_zip_file_holds_files_behind_links_inside_but_nothing_from_outside(files, root):
    (root / "home/sub/up").symlink_to("..")
    (root / "home/dangling").symlink_to("nowhere")
    os.mkfifo(root / "home/pipe")
    found = await unzipped(await files.open(ANNA, "box", "home", as_zip=True))
    assert sorted(found) == [".hidden", "a.txt", "near", "sub/", "sub/b.csv"]
    assert found["near"] == b"0123456789"


async def test_one_file_and_a_directory_behind_a_link_are_zipped_too(files, root):
    (root / "short").symlink_to("home/sub")
    assert await unzipped(await files.open(ANNA, "box", "home/a.txt", as_zip=True)) == {
        "a.txt": b"0123456789"
    }
    download = await files.open(ANNA, "box", "short", as_zip=True)
    assert download.name == "short.zip"
    assert await unzipped(download) == {"b.csv": b"b"}


async def test_a_zip_file_keeps_modes_times_and_odd_names(files, root, tmp_path):
    folder = root / "odd"
    folder.mkdir()
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o750)
    os.utime(folder / "run.sh", (0, 1_700_000_000))
    (folder / "naïve 日本").write_text("1")
    (folder / "old").write_text("1")
    os.utime(folder / "old", (0, 0))
    Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff")).write_text("1")
    data = await body(await files.open(ANNA, "box", "odd", as_zip=True))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert sorted(archive.namelist()) == ["bad%FF", "naïve 日本", "old", "run.sh"]
        script = archive.getinfo("run.sh")
        assert oct(script.external_attr >> 16) == "0o100750"
        assert script.date_time == (2023, 11, 14, 22, 13, 20)
        assert archive.getinfo("old").date_time[0] == 1980


async def test_a_zip_file_is_sent_while_it_is_made(files, root):
    with open(root / "sparse", "wb") as file:
        file.truncate(64 << 20)
    download = await files.open(ANNA, "box", "/", as_zip=True)
    sizes = [len(chunk) async for chunk in download.chunks]
    assert len(sizes) > 60
    assert max(sizes) < 2 << 20


async def test_a_reader_may_leave_a_zip_file_early(files, root):
    (root / "home/sub/big").write_bytes(os.urandom(5_000_000))
    before = len(os.listdir("/proc/self/fd"))
    download = await files.open(ANNA, "box", "home/sub", as_zip=True)
    await anext(download.chunks)
    await download.chunks.aclose()
    assert len(os.listdir("/proc/self/fd")) == before


async def test_files_that_vanish_while_they_are_packed_are_left_out(files, root, monkeypatch):
    (root / "home/sub/big").write_bytes(bytes(1_000_000))
    listing = LocalTransport.list

    async def list_and_lose(self: LocalTransport, path: str, **keywords: object) -> object:
        found = await listing(self, path, **keywords)
        (root / "home/sub/big").unlink()
        (root / "home/a.txt").unlink()
        return found

    monkeypatch.setattr(LocalTransport, "list", list_and_lose)
    found = await unzipped(await files.open(ANNA, "box", "home", as_zip=True))
    assert sorted(found) == [".hidden", "sub/", "sub/b.csv"]


async def test_what_is_hidden_stays_out_of_the_zip_file_at_its_top_only(root):
    download = await open_download(
        LocalTransport(), str(root / "home"), as_zip=True, root=str(root), hidden=("sub", "b.csv")
    )
    assert sorted(await unzipped(download)) == [".hidden", "a.txt", "near"]
    download = await open_download(
        LocalTransport(), str(root), as_zip=True, root=str(root), hidden=("sub", "b.csv")
    )
    assert "home/sub/b.csv" in await unzipped(download)


async def test_other_programs_read_the_zip_file(files, root, tmp_path):
    data = await body(await files.open(ANNA, "box", "home", as_zip=True))
    (tmp_path / "out.zip").write_bytes(data)
    done = subprocess.run(
        ["python3", "-m", "zipfile", "-e", tmp_path / "out.zip", tmp_path / "unpacked"], check=False
    )
    assert done.returncode == 0
    assert (tmp_path / "unpacked/sub/b.csv").read_text() == "b"


# Changes


async def test_an_upload_makes_its_parents_and_replaces_an_older_file(files, root):
    assert await files.insert(ANNA, "box", "new/folder/f", stream(b"ab", b"c")) == 3
    assert await files.insert(ANNA, "box", "new/folder/f", stream(b"d")) == 1
    assert (root / "new/folder/f").read_bytes() == b"d"


async def test_an_upload_onto_a_directory_is_a_conflict(files):
    with pytest.raises(ConflictError, match="home is a directory"):
        await files.insert(ANNA, "box", "home", stream(b"x"))


async def test_a_directory_is_made_with_its_parents_once_or_twice(files, root):
    await files.mkdir(ANNA, "box", "x/y/z")
    await files.mkdir(ANNA, "box", "x/y/z")
    assert (root / "x/y/z").is_dir()
    with pytest.raises((ConflictError, NotFoundError)):
        await files.mkdir(ANNA, "box", "home/a.txt/below")


async def test_a_move_takes_a_new_name_or_goes_into_a_directory(files, root):
    await files.move(ANNA, "box", "home/a.txt", "deep/b.txt")
    assert (root / "deep/b.txt").read_text() == "0123456789"
    await files.move(ANNA, "box", "deep/b.txt", "home/sub")
    assert (root / "home/sub/b.txt").exists()
    await files.move(ANNA, "box", "home/sub", "/")
    assert sorted(os.listdir(root / "sub")) == ["b.csv", "b.txt"]


async def test_a_copy_takes_a_tree_and_leaves_it_where_it_was(files, root):
    await files.copy(ANNA, "box", "home/sub", "copy")
    await files.copy(ANNA, "box", "home/sub", "copy")
    assert (root / "copy/b.csv").read_text() == (root / "copy/sub/b.csv").read_text() == "b"
    assert (root / "home/sub/b.csv").exists()


@pytest.mark.parametrize("target", ["home", "home/sub", "home/sub/deep", "home/../home"])
async def test_a_directory_goes_not_into_itself(files, root, target):
    for verb in (files.move, files.copy):
        with pytest.raises(InvalidInputError):
            await verb(ANNA, "box", "home", target)
    assert sorted(os.listdir(root / "home/sub")) == ["b.csv"]


async def test_a_file_is_not_copied_or_moved_onto_itself(files, root):
    for verb in (files.move, files.copy):
        for target in ("home/a.txt", "home", "/home/./a.txt"):
            with pytest.raises(InvalidInputError, match="itself"):
                await verb(ANNA, "box", "home/a.txt", target)
    assert (root / "home/a.txt").read_text() == "0123456789"


async def test_what_is_not_there_is_neither_moved_nor_copied_nor_deleted(files, root):
    for call in (
        files.move(ANNA, "box", "none", "new/x"),
        files.copy(ANNA, "box", "none", "new/x"),
        files.delete(ANNA, "box", "none"),
    ):
        with pytest.raises(NotFoundError, match="none does not exist"):
            await call
    assert not (root / "new").exists()


async def test_a_directory_onto_one_that_is_not_empty_is_a_conflict(files, root):
    (root / "other/sub").mkdir(parents=True)
    (root / "other/sub/kept").touch()
    with pytest.raises(ConflictError, match="other is a directory that is not empty"):
        await files.move(ANNA, "box", "home/sub", "other")
    assert (root / "other/sub/kept").exists()


async def test_delete_takes_all_of_a_directory(files, root):
    await files.delete(ANNA, "box", "home")
    assert os.listdir(root) == []
    assert (root.parent / "secret/key").exists()


async def test_a_full_disk_is_told_as_trouble_that_passes(files, hosts, monkeypatch):
    async def full(self: LocalTransport, path: str, chunks: AsyncIterator[bytes]) -> int:
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr(LocalTransport, "write", full)
    with pytest.raises(UnavailableError, match="home/x does not fit: the disk is full"):
        await files.insert(ANNA, "box", "home/x", stream(b"x"))


async def test_an_error_without_a_sentence_of_ours_keeps_the_hosts_words(files, monkeypatch):
    async def broken(self: LocalTransport, path: str) -> str:
        raise OSError(116, "Stale file handle", path)

    monkeypatch.setattr(LocalTransport, "delete", broken)
    with pytest.raises(UnavailableError, match=r"home/a\.txt cannot be used: Stale file handle"):
        await files.delete(ANNA, "box", "home/a.txt")


async def test_downloads_are_immutable_and_never_named_as_something_a_browser_runs(files):
    download = await files.open(ANNA, "box", "home/a.txt")
    assert download.media_type == "application/octet-stream"
    with pytest.raises(dataclasses.FrozenInstanceError):
        download.name = "x"
    await download.chunks.aclose()


async def _text(download: Download) -> bytes:
    return b"".join([chunk async for chunk in download.chunks])


async def test_a_path_that_was_given_opens_what_is_below_it_and_no_more(files, systems):
    systems.given = {Right.READ: ["/home/sub", "/home/a.txt"]}
    assert await _text(await files.open(BERT, "local", "home/sub/b.csv")) == b"b"
    assert await _text(await files.open(BERT, "local", "/home/a.txt")) == b"0123456789"
    assert (await files.stat(BERT, "local", "home/a.txt")).size == 10
    for path in ("home", "home/near", "home/subway", "home/sub/.."):
        with pytest.raises((NotAllowedError, InvalidInputError)):
            await files.list(BERT, "local", path)
    for refused in (
        files.insert(BERT, "local", "home/sub/new", stream(b"")),
        files.delete(BERT, "local", "home/a.txt"),
        files.copy(BERT, "local", "home/a.txt", "home/sub/copy"),
    ):
        with pytest.raises(NotAllowedError, match="may not change"):
            await refused


async def test_no_link_leads_out_of_what_was_given(files, systems, root):
    (root / "home/sub/up").symlink_to("../a.txt")
    (root / "home/sub/away").symlink_to("..")
    systems.given = {Right.READ: ["/home/sub"], Right.MODIFY: ["/home/sub"]}
    with pytest.raises(NotAllowedError, match="leads outside /home/sub"):
        await files.open(BERT, "local", "home/sub/up")
    with pytest.raises(NotAllowedError, match="leads outside /home/sub"):
        await files.insert(BERT, "local", "home/sub/away/planted", stream(b"x"))
    zipped = await _text(await files.open(BERT, "local", "home/sub", as_zip=True))
    assert b"0123456789" not in zipped
    await files.insert(BERT, "local", "home/sub/mine", stream(b"x"))
    await files.move(BERT, "local", "home/sub/mine", "home/sub/yours")
    with pytest.raises(NotAllowedError):
        await files.move(BERT, "local", "home/sub/yours", "home/yours")
    assert not (root / "home/planted").exists()
