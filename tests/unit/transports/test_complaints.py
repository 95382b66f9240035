"""What commands complain of becomes the system's own errors, entry by entry."""

from __future__ import annotations

import errno

import pytest

from jupyter_tapis_jobs.model.errors import TransportError
from jupyter_tapis_jobs.transports import ssh_answers as answers
from jupyter_tapis_jobs.transports.base import Entry
from jupyter_tapis_jobs.transports.complaints import error_of, unescaped
from jupyter_tapis_jobs.transports.ssh_command import Ended
from jupyter_tapis_jobs.transports.ssh_put import failures


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("stat: cannot statx '/a': No such file or directory", errno.ENOENT),
        ("head: write error: No space left on device", errno.ENOSPC),
        ("sh: 3: cannot create /a/b: Permission denied", errno.EACCES),
        ("cp: cannot overwrite directory '/a' with non-directory", errno.EISDIR),
        ("tar: This does not look like a tar archive", errno.EINVAL),
        ("the disk is on fire", errno.EIO),
        ("", errno.EIO),
    ],
)
def test_a_complaint_is_the_error_it_tells_of(line, number):
    error = error_of(f"\n{line}\nand more", "/a") if line else error_of("", "/a")
    assert (error.errno, error.filename) == (number, "/a")
    assert error.strerror


def test_names_that_tar_has_escaped_are_read_as_they_are():
    assert unescaped(r"na\303\257ve\n\\ \: \t\377") == "naïve\n\\ : \t\udcff"


def failed(complaints: str, *paths: str) -> dict[str, int | None]:
    entries = [Entry(path=path, content=b"") for path in paths]
    return {path: error.errno for path, error in failures(entries, complaints).items()}


def test_only_the_entries_that_tar_names_have_failed():
    complaints = (
        "tar: a/b: Cannot open: Is a directory\ntar: Exiting with failure status due to previous errors"
    )
    assert failed(complaints, "/a/b", "/a/c") == {"/a/b": errno.EISDIR}


def test_a_colon_in_a_name_does_not_confuse():
    complaints = "tar: a\\: Cannot open\\: b: Cannot open: Permission denied"
    assert failed(complaints, "/a: Cannot open: b", "/a") == {"/a: Cannot open: b": errno.EACCES}


def test_what_could_not_be_made_for_want_of_a_directory_has_that_directorys_reason():
    complaints = (
        "tar: home/other: Cannot mkdir: Permission denied\n"
        "tar: home/other/file: Cannot open: No such file or directory"
    )
    assert failed(complaints, "/home/other/file", "/home/mine") == {"/home/other/file": errno.EACCES}


def test_when_no_entry_is_named_all_have_failed():
    assert failed("tar: Cannot chdir: Stale file handle", "/a", "/b") == {
        "/a": errno.ESTALE,
        "/b": errno.ESTALE,
    }


@pytest.mark.parametrize(
    "complaint",
    [
        "/bin/sh: 3: tar: not found",
        "sh: line 2: tar: command not found",
        "tar: unrecognized option '--no-overwrite-dir'",
        "tar: invalid option -- 'z'",
    ],
)
def test_a_missing_or_strange_tool_is_named(complaint):
    with pytest.raises(TransportError, match="example has no GNU `tar`"):
        answers.check_tools(Ended(127, b"", complaint), "example")


def test_files_that_vanish_or_change_while_they_are_read_are_nothing_serious():
    assert (
        answers.serious(
            "tar: /a: Cannot stat: No such file or directory\n"
            "tar: ./b: file changed as we read it\n"
            "tar: ./c: File removed before we read it\n"
            "find: '/d/e': Not a directory\n"
            "tar: Exiting with failure status due to previous errors\n"
        )
        is None
    )
    assert answers.serious("find: '/a': Permission denied") == "find: '/a': Permission denied"
