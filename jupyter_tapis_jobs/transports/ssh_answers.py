"""What a host's commands print, as records and errors."""

from __future__ import annotations

import base64
import errno
import io
import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ..model.errors import TransportError
from ..model.times import iso
from .base import Content, FileInfo
from .complaints import errno_of as errno_of
from .complaints import error_of as error_of
from .ssh_command import Ended

_TYPES = {"f": "file", "d": "dir", "l": "symbolic_link", "U": "unknown", "N": "unknown"}
#: The last second a date can name; a job may have set any.
_LAST_TIME = 253402300799.0
_ABSENT = (errno.ENOENT, errno.ENOTDIR)
_NOT_FOUND = 127
_NO_COMMAND = re.compile(r"(?:^|[:\s])([\w.-]+): (?:command )?not found", re.MULTILINE)
_NOT_GNU = re.compile(
    r"^([\w.-]+): .*(?:(?:unrecognized|invalid|illegal|unknown) option|unknown predicate)", re.M
)
#: What tar and cp say of directories that were there before and are somebody else's.
_NOT_OURS = re.compile(r": Cannot (change mode|utime|change ownership)|^cp: preserving |Exiting with")
#: What tar says of files that changed while it read them, and what it says at its end.
_HARMLESS = re.compile(
    r"file changed as we read it|[Ff]ile removed before|socket ignored|Exiting with|shrank by"
)


@contextmanager
def understood(name: str) -> Iterator[None]:
    """Raise ``TransportError`` for an answer that is not of the form that was asked for."""
    try:
        yield
    except (ValueError, LookupError, tarfile.TarError) as error:
        raise strange(name) from error


def strange(name: str) -> TransportError:
    """Return the error for an answer that no command of the system's gives."""
    return TransportError(
        f"{name} answered what nobody understands; it will be asked again. "
        "See whether its start files (.bashrc) put other commands in the place of the system's."
    )


def file_infos(data: bytes, path: str) -> tuple[FileInfo | None, list[FileInfo]]:
    """Return what is at *path* itself, and what is below it in the order of names."""
    own: FileInfo | None = None
    below = []
    for record in os.fsdecode(data).split("\0")[:-1]:
        name = record.split("/", 6)[6]
        if name:
            below.append((name.split("/"), _info(record, f"{path.rstrip('/')}/{name}")))
        else:
            own = _info(record, path)
    return own, [info for _, info in sorted(below, key=lambda one: one[0])]


def folders(data: bytes) -> dict[str, list[FileInfo]]:
    """Return what is below each directory that ``ssh_scripts.listings`` was told of and found."""
    words = os.fsdecode(data).split("\0")[:-1]
    found: dict[str, list[tuple[list[str], FileInfo]]] = {}
    for folder, record in zip(words[::2], words[1::2], strict=True):
        name = record.split("/", 6)[6]
        if name:
            info = _info(record, f"{folder.rstrip('/')}/{name}")
            found[folder].append((name.split("/"), info))
        elif record.startswith("d/"):
            found[folder] = []
    return {
        folder: [info for _, info in sorted(below, key=lambda one: one[0])] for folder, below in found.items()
    }


def infos_by_path(data: bytes) -> dict[str, FileInfo]:
    """Return what is at each path, of records that hold whole paths."""
    records = os.fsdecode(data).split("\0")[:-1]
    return {(path := record.split("/", 6)[6]): _info(record, path) for record in records}


def _info(record: str, path: str) -> FileInfo:
    kind, size, modified, owner, group, permissions, _ = record.split("/", 6)
    return FileInfo(
        path=path,
        name=path.rstrip("/").rpartition("/")[2],
        type=_TYPES.get(kind, "other"),
        size=int(size),
        last_modified=iso(min(max(float(modified), 0.0), _LAST_TIME)),
        owner=owner,
        group=group,
        native_permissions=permissions[1:10],
    )


def contents(data: bytes, limit: int) -> dict[str, Content]:
    """Return what ``ssh_scripts.get`` has printed: beginnings of big files, an empty record, an archive."""
    found = {}
    position = 0
    while (end := data.find(b"\0", position)) > position:
        modified, _, rest = data[position:end].partition(b"\n")
        text, _, path = rest.partition(b" ")
        found[os.fsdecode(path)] = Content(base64.b64decode(text)[:limit], float(modified))
        position = end + 1
    with tarfile.open(
        fileobj=io.BytesIO(data[position + 1 :]), mode="r:", encoding="utf-8", errors="surrogateescape"
    ) as archive:
        for member in archive:
            if member.isreg() and (file := archive.extractfile(member)) is not None:
                found[member.name] = Content(file.read(limit), float(member.mtime))
    return found


def serious(complaints: str) -> str | None:
    """Return the first complaint that is more than: it is not there (any more), or it has changed."""
    for line in complaints.splitlines():
        if line and not _HARMLESS.search(line) and errno_of(line) not in _ABSENT:
            return line
    return None


def complaints_of(ended: Ended) -> str:
    """Return why tar or cp failed; nothing when they only could not change what is somebody else's."""
    left = without_strangers(ended.stderr)
    if not ended.exit_code or left:
        return left if ended.exit_code else ""
    is_harmless = ended.exit_code in (1, 2) and ended.stderr.strip()
    return "" if is_harmless else f"The command ended with {ended.exit_code} and said nothing"


def without_strangers(complaints: str) -> str:
    """Return the complaints that are more than: an existing directory of somebody else stays as it is."""
    return "\n".join(line for line in complaints.splitlines() if line and not _NOT_OURS.search(line))


def unpack_error(complaints: str, root: str) -> OSError:
    """Return why an archive was not unpacked; EPERM where a member would have gone through a link."""
    line = next((line for line in complaints.splitlines() if line), "")
    is_outside = (line.startswith("tar: ") and errno_of(line) in _ABSENT) or (
        line.startswith("cp: ") and "non-directory" in line
    )
    return PermissionError(errno.EPERM, line, root) if is_outside else error_of(complaints, root)


def check_tools(ended: Ended, name: str) -> None:
    """Raise ``TransportError`` when the host lacks a command, or has another than GNU's."""
    found = _NO_COMMAND.search(ended.stderr) or _NOT_GNU.search(ended.stderr)
    if found and ended.exit_code:
        raise TransportError(
            f"{name} has no GNU `{found[1]}` on its path. Tapis Jobs works there with tar, find, xargs and "
            "the coreutils of GNU: ask the site, or load a module for them in the start file of your shell."
        )


def raise_for(ended: Ended, path: str, name: str) -> None:
    """Raise what a script's end tells of, if it is no good end."""
    if ended.exit_code:
        check_tools(ended, name)
        raise error_of(ended.stderr, path)


def environment(data: bytes, mark: str, names: Iterable[str]) -> dict[str, str]:
    """Return the wanted variables of the first environment behind *mark*."""
    _, _, text = os.fsdecode(data).partition(f"{mark}\n")
    pairs = dict(
        item.partition("=")[::2] for item in text.partition(f"{mark}\n")[0].split("\0") if "=" in item
    )
    return {name: pairs[name] for name in names if name in pairs}
