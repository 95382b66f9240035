"""What Linux itself knows of a user's files: owners and modes, access lists (Tapis Files, "utils/linux").

The commands run on the host as its user. What is wrong with a call is told as an error of ours; what the
command says of the file is its result, whatever exit code it has.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..model.errors import InvalidInputError, NotFoundError, UnavailableError
from ..model.paths import normalise, within
from ..model.texts import refuse_control, shown
from ..model.user import User
from ..transports.base import Answer, FileInfo
from .files import FileService, Place
from .refusals import told

#: Seconds for one file, and for a tree.
QUICK, LONG = 60.0, 3600.0
#: Characters of an argument and of an access list.
ARGUMENT, ACL = 128, 4096
#: Characters that are kept of what a command said.
SAID = 65536
#: The exit code of a shell that did not find a command.
_NO_COMMAND = 127
_PERMISSIONS = "rwxrwxrwx"


class Change(StrEnum):
    """What is changed of a file."""

    CHMOD = "CHMOD"
    CHOWN = "CHOWN"
    CHGRP = "CHGRP"


class AclChange(StrEnum):
    """What is done with the entries of an access list."""

    ADD = "ADD"
    REMOVE = "REMOVE"
    REMOVE_ALL = "REMOVE_ALL"
    REMOVE_DEFAULT = "REMOVE_DEFAULT"


class Recursion(StrEnum):
    """How far an access list is changed: the path itself, all below it, also behind links."""

    NONE = "NONE"
    PHYSICAL = "PHYSICAL"
    LOGICAL = "LOGICAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatInfo:
    """What ``stat`` tells. Sizes in bytes, times in seconds since the epoch, perms as ``rwxr-x---``."""

    absolute_path: str
    uid: int
    gid: int
    size: int
    perms: str
    access_time: int
    modify_time: int
    dir: bool
    link: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A command that was run on a host, and what it said."""

    command: str
    exit_code: int
    std_out: str
    std_err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AclEntry:
    """One line of an access list: ``default:user:ada:rwx``."""

    default_acl: bool
    type: str
    principal: str
    permissions: str


_MODE = re.compile(r"[0-7]{1,4}|[ugoa]*([-+=]([rwxXst]*|[ugo]))+(,[ugoa]*([-+=]([rwxXst]*|[ugo]))+)*")
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.@\\+-]*\$?"
#: Change -> command, pattern of its argument, what a good one looks like.
_CHANGES = {
    # No link on the way leads a change out of the tree: chmod never follows them.
    Change.CHMOD: ("chmod", _MODE, "a mode such as 750 or u+rwx,g-w"),
    Change.CHOWN: ("chown -h", re.compile(rf"{_NAME}(:({_NAME})?)?|:{_NAME}"), "a user, or user:group"),
    Change.CHGRP: ("chgrp -h", re.compile(_NAME), "a group"),
}
_ACL_OPTIONS = {
    AclChange.ADD: "-m",
    AclChange.REMOVE: "-x",
    AclChange.REMOVE_ALL: "-b",
    AclChange.REMOVE_DEFAULT: "-k",
}
_RECURSIONS = {Recursion.NONE: "", Recursion.PHYSICAL: "-RP ", Recursion.LOGICAL: "-RL "}
#: GNU's and busybox's words, else BSD's.
_STAT = """\
stat -c '%u %g %s %a %X %Y' {path} 2>/dev/null || stat -f '%u %g %z %Lp %a %m' {path}
"""
_NUMBERS = re.compile(r"(\d+) (\d+) (\d+) ([0-7]+) (-?\d+) (-?\d+)\s*")


class LinuxTools:
    """The native operations on a user's files.

    Errors: those of ``FileService``; ``InvalidInputError`` also when the host lacks the command.
    """

    def __init__(self, files: FileService) -> None:
        self._files = files

    async def stat(self, user: User, system_id: str, path: str, *, follow_links: bool = False) -> StatInfo:
        """Return what the host knows of *path*: of a link itself, or of what it leads to."""
        place = await self._files.place(user, system_id, path, "READ")
        with told(path):
            is_root = normalise(path) == "/"
            where = await (place.real(path) if follow_links or is_root else place.entry(path))
            info = await _there(place, where, path)
            answer = await place.transport.run(_STAT.format(path=shlex.quote(where)), timeout=QUICK)
        numbers = _NUMBERS.fullmatch(answer.stdout)
        if numbers is None:
            raise UnavailableError(f"The host's stat says nothing of {path}: {_last_line(answer)}")
        uid, gid, size, mode, accessed, modified = numbers.groups()
        return StatInfo(
            absolute_path=where,
            uid=int(uid),
            gid=int(gid),
            size=int(size),
            perms=_letters(int(mode, 8)),
            access_time=int(accessed),
            modify_time=int(modified),
            dir=info.type == "dir",
            link=info.type == "symbolic_link",
        )

    async def change(
        self, user: User, system_id: str, path: str, change: Change, argument: str, *, recursive: bool = False
    ) -> Outcome:
        """Change mode, owner or group of *path*, of all below it with *recursive*."""
        words, pattern, example = _CHANGES[change]
        if len(argument) > ARGUMENT or not pattern.fullmatch(argument):
            raise InvalidInputError(
                f"argument {shown(argument)} is nothing that {change} takes; give {example}.",
                field="argument",
                value=argument,
            )
        place = await self._files.place(user, system_id, path, "MODIFY")
        with told(path):
            where = await place.real(path)
            await _there(place, where, path)
        command = f"{words}{' -R' if recursive else ''} -- {shlex.quote(argument)} {shlex.quote(where)}"
        return _outcome(command, await place.transport.run(command, timeout=LONG if recursive else QUICK))

    async def get_facl(self, user: User, system_id: str, path: str) -> Sequence[AclEntry]:
        """Return the access list of *path*."""
        place = await self._files.place(user, system_id, path, "READ")
        with told(path):
            where = await place.real(path)
            await _there(place, where, path)
        # No header, absolute names, no remarks on effective rights.
        answer = await place.transport.run(f"getfacl -cpE {shlex.quote(where)}", timeout=QUICK)
        _refuse_without_tool(answer, "getfacl", system_id)
        if answer.exit_code:
            raise InvalidInputError(
                f"{path} has no access list that the host can tell: {_last_line(answer)}",
                field="path",
                value=path,
            )
        return [entry for line in answer.stdout.splitlines() if (entry := _acl_entry(line))]

    async def set_facl(
        self,
        user: User,
        system_id: str,
        path: str,
        change: AclChange,
        acl: str | None,
        recursion: Recursion = Recursion.NONE,
    ) -> Outcome:
        """Change the access list of *path*; *acl* holds entries, joined by commas (``user:ada:rwx``)."""
        words = f"setfacl {_RECURSIONS[recursion]}{_ACL_OPTIONS[change]}"
        if change in (AclChange.ADD, AclChange.REMOVE):
            words += f" {shlex.quote(_checked_acl(acl or '', change))}"
        place = await self._files.place(user, system_id, path, "MODIFY")
        with told(path):
            where = await place.real(path)
            await _there(place, where, path)
            if recursion is Recursion.LOGICAL:
                await _refuse_ways_out(place, where, path)
        command = f"{words} {shlex.quote(where)}"
        timeout = QUICK if recursion is Recursion.NONE else LONG
        answer = await place.transport.run(command, timeout=timeout)
        _refuse_without_tool(answer, "setfacl", system_id)
        return _outcome(command, answer)


async def _there(place: Place, where: str, path: str) -> FileInfo:
    info = await place.transport.stat(where)
    if info is None:
        raise NotFoundError(f"{path} does not exist.")
    return info


async def _refuse_ways_out(place: Place, where: str, path: str) -> None:
    """Raise when a link below *path*, which is to be followed, leads out of rootDir."""
    listed = await place.transport.list(where, recurse=True)
    links = [info.path for info in listed if info.type == "symbolic_link"]
    for link, found in (await place.transport.look(links)).items() if links else ():
        if not within(place.real_ground, found.real_path):
            raise InvalidInputError(
                f"{path} holds the link {link[len(where) :]}, which leads outside the rootDir of system "
                f"{place.system_id}. Use recursionMethod PHYSICAL, which follows no links.",
                field="recursionMethod",
                value=Recursion.LOGICAL,
            )


def _checked_acl(acl: str, change: AclChange) -> str:
    refuse_control(acl, "aclString")
    if not acl.strip() or len(acl) > ACL or acl.startswith("-"):
        raise InvalidInputError(
            f"aclString {shown(acl)} is no access list; {change} takes entries such as user:ada:rwx, "
            "joined by commas.",
            field="aclString",
            value=acl,
        )
    return acl


def _refuse_without_tool(answer: Answer, tool: str, system_id: str) -> None:
    if answer.exit_code == _NO_COMMAND:
        raise InvalidInputError(
            f"The host of system {system_id} has no command {tool}, so access lists are not supported there. "
            "Its administrator can install the package acl; modes, owners and groups change without it.",
            code="FILES_NO_TOOL",
        )


def _outcome(command: str, answer: Answer) -> Outcome:
    said, complained = answer.stdout[:SAID], answer.stderr[:SAID]
    return Outcome(command=command, exit_code=answer.exit_code, std_out=said, std_err=complained)


def _last_line(answer: Answer) -> str:
    lines = (answer.stderr or answer.stdout).strip().splitlines()
    return lines[-1] if lines else f"it ended with exit code {answer.exit_code}."


def _letters(mode: int) -> str:
    """Return ``rwxr-x---`` for 0o750."""
    return "".join(letter if mode & 1 << (8 - place) else "-" for place, letter in enumerate(_PERMISSIONS))


def _acl_entry(line: str) -> AclEntry | None:
    """Read one line of getfacl (acl(5), "ACL TEXT FORMS"); None for what is no entry."""
    text = line.strip()
    is_default = text.startswith("default:")
    parts = text.removeprefix("default:").split(":")
    if len(parts) != 3 or text.startswith("#"):
        return None
    return AclEntry(default_acl=is_default, type=parts[0], principal=parts[1], permissions=parts[2])
