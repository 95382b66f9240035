"""Modes, owners and access lists of files, changed by the host's own commands."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import pytest
from far_hosts import ANNA, BERT, FarHosts

from jupyter_tapis_jobs.engine.files import FileService
from jupyter_tapis_jobs.engine.linux import AclChange, AclEntry, Change, LinuxTools, Recursion
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotFoundError

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "box"


@pytest.fixture
def tools(tmp_path: Path, root: Path) -> LinuxTools:
    hosts = FarHosts(tmp_path, "box")
    (root / "sub/deep").mkdir(parents=True)
    (root / "a file; touch evil").write_text("0123456789")
    (root / "sub/deep/b").write_text("b")
    (root / "sub/link").symlink_to("deep/b")
    (tmp_path / "secret").write_text("secret")
    (root / "out").mkdir()
    (root / "out/way").symlink_to(tmp_path)
    for path in (root, *root.rglob("*"), tmp_path / "secret"):
        if not path.is_symlink():
            path.chmod(0o750)
    return LinuxTools(FileService(hosts, hosts))


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.lstat().st_mode))


# --- stat -------------------------------------------------------------------------------------
async def test_stat_tells_numbers_mode_and_times_of_a_file(tools, root):
    path = root / "a file; touch evil"
    os.utime(path, (1_700_000_000.9, 1_600_000_000.5))
    found = await tools.stat(ANNA, "box", "/a file; touch evil")
    assert found.absolute_path == str(path)
    assert (found.uid, found.gid, found.size) == (os.getuid(), path.stat().st_gid, 10)
    assert found.perms == "rwxr-x---"
    assert (found.access_time, found.modify_time) == (1_700_000_000, 1_600_000_000)
    assert not found.dir
    assert not found.link
    assert not (root / "evil").exists()


async def test_stat_tells_of_the_link_or_of_what_it_leads_to(tools):
    link = await tools.stat(ANNA, "box", "sub/link")
    assert link.link
    there = await tools.stat(ANNA, "box", "sub/link", follow_links=True)
    assert (there.link, there.size) == (False, 1)
    assert there.absolute_path.endswith("/sub/deep/b")


async def test_stat_of_the_root_directory_is_a_directory(tools, root):
    assert (await tools.stat(ANNA, "box", "/")).dir


async def test_stat_does_not_follow_a_link_out_of_the_root_directory(tools):
    with pytest.raises(InvalidInputError, match="outside the rootDir"):
        await tools.stat(ANNA, "box", "out/way", follow_links=True)


@pytest.mark.parametrize("path", ["nothing", "nothing/below", "sub/deep/b/below"])
async def test_what_is_not_there_is_not_found(tools, path):
    with pytest.raises(NotFoundError, match="does not exist"):
        await tools.stat(ANNA, "box", path)
    with pytest.raises(NotFoundError, match="does not exist"):
        await tools.change(ANNA, "box", path, Change.CHMOD, "700")


async def test_a_stranger_knows_of_no_file(tools):
    with pytest.raises(NotFoundError, match="no system box"):
        await tools.stat(BERT, "box", "sub")


# --- chmod, chown, chgrp ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("argument", "then"), [("640", "0o640"), ("0600", "0o600"), ("g-rx,o+r", "0o704"), ("-x", "0o640")]
)
async def test_chmod_changes_the_mode(tools, root, argument, then):
    done = await tools.change(ANNA, "box", "a file; touch evil", Change.CHMOD, argument)
    assert (done.exit_code, done.std_err) == (0, "")
    assert done.command.startswith("chmod -- ")
    assert mode(root / "a file; touch evil") == then


async def test_chmod_changes_a_tree_when_asked_and_only_then(tools, root):
    await tools.change(ANNA, "box", "sub", Change.CHMOD, "700")
    assert (mode(root / "sub"), mode(root / "sub/deep/b")) == ("0o700", "0o750")
    await tools.change(ANNA, "box", "sub", Change.CHMOD, "770", recursive=True)
    assert (mode(root / "sub"), mode(root / "sub/deep/b")) == ("0o770", "0o770")


async def test_a_change_of_a_tree_does_not_follow_links_out_of_it(tools, root, tmp_path):
    await tools.change(ANNA, "box", "out", Change.CHMOD, "700", recursive=True)
    await tools.change(ANNA, "box", "out", Change.CHGRP, str(os.getgid()), recursive=True)
    assert mode(tmp_path / "secret") == "0o750"


@pytest.mark.needs("root")
async def test_chown_and_chgrp_change_owner_and_group(tools, root, tmp_path):
    assert (
        await tools.change(ANNA, "box", "out", Change.CHOWN, "daemon:daemon", recursive=True)
    ).exit_code == 0
    assert (root / "out").owner() == "daemon"
    assert os.lstat(root / "out/way").st_uid == pwd.getpwnam("daemon").pw_uid
    assert (tmp_path / "secret").owner() == "root"
    await tools.change(ANNA, "box", "sub", Change.CHGRP, "daemon")
    assert (root / "sub").group() == "daemon"
    assert (root / "sub/deep").group() == "root"


async def test_what_the_host_refuses_is_told_in_its_own_words(tools):
    done = await tools.change(ANNA, "box", "sub", Change.CHGRP, "nogroupofthisname")
    assert done.exit_code != 0
    assert "nogroupofthisname" in done.std_err


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        (Change.CHMOD, ""),
        (Change.CHMOD, "999"),
        (Change.CHMOD, "--reference=/etc/passwd"),
        (Change.CHMOD, "u+q"),
        (Change.CHOWN, "-R"),
        (Change.CHOWN, "a b"),
        (Change.CHOWN, "$(id)"),
        (Change.CHOWN, "--from=root"),
        (Change.CHGRP, "a:b"),
        (Change.CHGRP, "x" * 200),
    ],
)
async def test_a_strange_argument_is_refused_with_an_example(tools, change, argument):
    with pytest.raises(InvalidInputError, match=f"nothing that {change} takes; give") as refused:
        await tools.change(ANNA, "box", "sub", change, argument)
    assert refused.value.field == "argument"


# --- access lists -----------------------------------------------------------------------------
@pytest.mark.needs("setfacl")
async def test_entries_of_an_access_list_are_added_told_and_removed(tools):
    done = await tools.set_facl(ANNA, "box", "sub", AclChange.ADD, "user:daemon:rwx,default:group:daemon:r-x")
    if "not supported" in done.std_err:
        pytest.skip("this file system has no access lists")
    assert (done.exit_code, done.std_err) == (0, "")
    entries = await tools.get_facl(ANNA, "box", "sub")
    added = AclEntry(default_acl=False, type="user", principal="daemon", permissions="rwx")
    default = AclEntry(default_acl=True, type="group", principal="daemon", permissions="r-x")
    assert {added, default} <= set(entries)
    assert entries[0] == AclEntry(default_acl=False, type="user", principal="", permissions="rwx")
    await tools.set_facl(ANNA, "box", "sub", AclChange.REMOVE, "user:daemon")
    assert added not in await tools.get_facl(ANNA, "box", "sub")
    await tools.set_facl(ANNA, "box", "sub", AclChange.REMOVE_DEFAULT, None)
    assert default not in await tools.get_facl(ANNA, "box", "sub")
    await tools.set_facl(ANNA, "box", "sub", AclChange.ADD, "user:daemon:rwx", Recursion.PHYSICAL)
    assert added in await tools.get_facl(ANNA, "box", "sub/deep/b")
    await tools.set_facl(ANNA, "box", "sub", AclChange.REMOVE_ALL, "", Recursion.LOGICAL)
    assert len(await tools.get_facl(ANNA, "box", "sub/deep/b")) == 3


@pytest.mark.needs("setfacl")
async def test_a_wrong_access_list_is_told_in_the_hosts_words(tools):
    done = await tools.set_facl(ANNA, "box", "sub", AclChange.ADD, "user:nobodyofthisname:rwx")
    assert done.exit_code != 0
    assert "Invalid argument" in done.std_err


async def test_links_that_lead_out_of_the_root_directory_are_not_followed_for_access_lists(tools):
    with pytest.raises(InvalidInputError, match="link /way, which leads outside the rootDir"):
        await tools.set_facl(ANNA, "box", "out", AclChange.REMOVE_ALL, None, Recursion.LOGICAL)


@pytest.mark.parametrize("acl", [None, "", "  ", "-M/etc/passwd", "user:a:r\nuser:b:r", "x" * 5000])
async def test_a_strange_access_list_is_refused(tools, acl):
    with pytest.raises(InvalidInputError) as refused:
        await tools.set_facl(ANNA, "box", "sub", AclChange.ADD, acl)
    assert refused.value.field == "aclString"


async def test_a_host_without_access_lists_says_what_to_do(tools, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidInputError, match=r"has no command getfacl.*install the package acl"):
        await tools.get_facl(ANNA, "box", "sub")
    with pytest.raises(InvalidInputError, match="has no command setfacl"):
        await tools.set_facl(ANNA, "box", "sub", AclChange.REMOVE_ALL, None)
