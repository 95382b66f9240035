"""What one element of a transfer brings: found at its source, counted, and moved to its target.

Links in a tree are followed (Tapis Files, "Transfers"): the files they lead to are brought in their place.
What leads nowhere, or out of what the owner may read, is left out and told.
"""

from __future__ import annotations

import asyncio
import posixpath
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from ..model.errors import InvalidInputError, NotFoundError
from ..model.paths import normalise, within
from ..model.texts import refuse_control, shown
from ..model.transfer import Element
from ..model.urls import TAPIS
from ..model.user import User
from ..transports.base import FileInfo, Transport
from ..transports.names import aside_name, part_token
from .files import Access, FileService, Place
from .progress import Part
from .refusals import refusal, told
from .sources import Fetch, Source, host_source
from .transfer import Transfer

#: Links to directories that are followed one behind the other.
DEPTH = 20
#: Bytes of a file in a tree from which on it is worth a stream of its own, that can be resumed.
LARGE = 256 * 1024 * 1024
#: Characters of a URI.
LONGEST = 4096
#: Names of what was left out that are told.
TOLD = 3
_WEB = ("http://", "https://")


@dataclass(slots=True)
class Tree:
    """What is in a directory: real paths on its host -> names below it."""

    #: Files and empty directories of the tree itself.
    names: list[str] = field(default_factory=list)
    #: Files that travel alone, for they can be resumed.
    large: list[FileInfo] = field(default_factory=list)
    #: (real path, name below the target) of the files that links lead to.
    linked: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    size: int = 0
    links: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freight:
    """One element, ready to be moved. ``tree`` is None for a file."""

    source: Source
    host: Transport
    target: str
    #: The target as its owner wrote it.
    destination: str
    tree: Tree | None = None

    @property
    def size(self) -> int | None:
        """Bytes, None for what is on the Web."""
        return self.source.size if self.tree is None else self.tree.size

    def blamed(self, fault: OSError) -> str:
        """Return the end of the way, as its owner wrote it, of which a host speaks."""
        named = fault.filename if isinstance(fault.filename, str) else ""
        is_source = self.source.path is not None and within(self.source.path, named or "/")
        around = posixpath.dirname(self.target)
        is_target = named.startswith("/") and (within(around, named) or within(named, self.target))
        return self.destination if is_target and not is_source else self.source.url

    @property
    def remark(self) -> str | None:
        """What its owner should know although all went well."""
        names = self.tree.left_out if self.tree else []
        if not names:
            return None
        more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
        told_names = ", ".join(names[:TOLD])
        return f"Left out, for they are links that lead nowhere or outside: {told_names}{more}."


@dataclass(frozen=True, slots=True)
class Address:
    """A path of a system: ``tapis://<system>/<path>``."""

    system_id: str
    path: str
    #: It was written with a slash at its end: what is brought goes into it.
    is_folder: bool


def address(uri: str, field_name: str) -> Address:
    """Read a ``tapis://`` URI; raises ``InvalidInputError`` for everything else."""
    refuse_control(uri, field_name)
    system_id, slash, path = uri.removeprefix(TAPIS).partition("/")
    if not uri.startswith(TAPIS) or not system_id or not slash or len(uri) > LONGEST:
        raise InvalidInputError(
            f"{field_name} {shown(uri)} is no path of a system; write it as tapis://system/path.",
            field=field_name,
            value=uri[:LONGEST],
        )
    text = urllib.parse.unquote(path, errors="surrogateescape")
    return Address(system_id, normalise(text, field_name), not text or text.endswith("/"))


def is_web(uri: str) -> bool:
    """True for a source that is fetched from the Web."""
    return uri.startswith(_WEB)


class Carrier:
    """Finds and moves freight. Raises what the hosts raise, and ``TapisJobsError``."""

    def __init__(self, files: FileService, transfer: Transfer, fetch: Fetch) -> None:
        self._files = files
        self._transfer = transfer
        self._fetch = fetch

    async def permit(self, user: User, source: str, destination: str) -> None:
        """Raise unless *user* may bring one to the other; no host is asked."""
        if is_web(source):
            refuse_control(source, "sourceURI")
            if not _name_of(source) and destination.endswith("/"):
                raise InvalidInputError(
                    f"sourceURI {shown(source)} ends in no name; write one at the end of destinationURI.",
                    field="sourceURI",
                    value=source[:LONGEST],
                )
        else:
            await self._permit(user, address(source, "sourceURI"), "READ")
        if is_web(destination):
            raise InvalidInputError(
                f"destinationURI {shown(destination)} is on the Web, where nothing can be put; "
                "write it as tapis://system/path.",
                field="destinationURI",
                value=destination[:LONGEST],
            )
        await self._permit(user, address(destination, "destinationURI"), "MODIFY")

    async def _permit(self, user: User, where: Address, access: Access) -> None:
        await self._files.permitted(user, where.system_id, where.path, access)

    async def load(self, user: User, element: Element) -> Freight:
        """Find what there is to bring, and where exactly it goes."""
        destination = address(element.destination, "destinationURI")
        if is_web(element.source):
            web = _web_source(element.source, self._fetch)
            host, target = await self._target(user, destination, web.name, is_directory=False)
            return Freight(source=web, host=host, target=target, destination=element.destination)
        origin = address(element.source, "sourceURI")
        place = await self._files.place(user, origin.system_id, origin.path, "READ")
        with told(element.source):
            source = await _host_source(place, origin, element.source)
            tree = await _tree(place, source) if source.is_directory else None
        host, target = await self._target(
            user, destination, posixpath.basename(origin.path), is_directory=source.is_directory
        )
        if source.transport is host and source.path and within(source.path, target):
            raise InvalidInputError(
                f"destinationURI {element.destination} is the source itself or lies inside it.",
                field="destinationURI",
                value=element.destination,
            )
        return Freight(source=source, host=host, target=target, destination=element.destination, tree=tree)

    async def _target(
        self, user: User, where: Address, name: str, *, is_directory: bool
    ) -> tuple[Transport, str]:
        """Return the host and the path there: a directory's content goes into it, a file to just there.

        A file goes into a directory that is there, or is written with a slash at its end.
        """
        place = await self._files.place(user, where.system_id, where.path, "MODIFY")
        with told(where.path):
            if is_directory:
                return place.transport, await place.real(where.path)
            into = where.is_folder
            if not into:
                info = await place.transport.stat(await place.real(where.path))
                into = info is not None and info.type == "dir"
            if not into:
                return place.transport, await place.entry(where.path)
            folder = await place.real(where.path)
            return place.transport, f"{folder.rstrip('/')}/{name}"

    async def move(self, freight: Freight, new_part: Callable[[], Part], word: str) -> None:
        """Bring it; *word* lets a large file go on where another try with the same word broke off.

        *new_part* returns the count of one of the streams in which it travels.
        """
        source, host, target, tree = freight.source, freight.host, freight.target, freight.tree
        with _told(freight):
            if source.transport is host and source.path is not None and not (tree and tree.links):
                # On its own host nothing travels.
                await host.copy(source.path, target)
                new_part().at(freight.size or 0)
            elif tree is not None and (tree.links or tree.large):
                await self._move_parts(freight, tree, new_part, word)
            else:
                await self._transfer.bring(source, host, target, new_part(), resume=word)

    async def _move_parts(
        self, freight: Freight, tree: Tree, new_part: Callable[[], Part], word: str
    ) -> None:
        """Bring a tree without its links, its large files, and the files that its links lead to."""
        source, host, target = freight.source, freight.host, freight.target
        assert source.transport is not None and source.path is not None  # noqa: S101, PT018 - a tree is on a host
        await host.mkdir(target)
        if tree.names:
            places = {source.path: target}
            await self._transfer.trees(source.transport, host, places, new_part(), names=tree.names)
        for info in tree.large:
            large = host_source(source.url, (source.url, ""), source.transport, info)
            place = f"{target}{info.path[len(source.path) :]}"
            await self._transfer.bring(large, host, place, new_part(), resume=word)
        for places in _streams(tree.linked, target):
            await self._transfer.trees(source.transport, host, places, new_part())

    async def tidy(self, freight: Freight, word: str) -> None:
        """Remove what a file that is given up has left aside; that it cannot be done harms nothing."""
        if freight.tree is None and freight.source.size is not None:
            token = part_token(freight.target, f"{freight.source.key} {word}")
            with suppress(Exception):
                await freight.host.delete(aside_name(freight.target, token))


@contextmanager
def _told(freight: Freight) -> Iterator[None]:
    """Turn what a host refuses into a sentence about the end of the way that it speaks of."""
    with told(freight.source.url):
        try:
            yield
        except OSError as fault:
            raise refusal(fault, freight.blamed(fault)) from fault


async def _host_source(place: Place, origin: Address, url: str) -> Source:
    real = await place.real(origin.path)
    info = await place.transport.stat(real)
    if info is None:
        raise NotFoundError(f"{url} does not exist.")
    if info.type not in ("file", "dir"):
        raise InvalidInputError(f"{url} is neither a file nor a directory.", field="sourceURI", value=url)
    name = posixpath.basename(origin.path)
    return host_source(url, (place.system_id, ""), place.transport, info, name)


def _web_source(url: str, fetch: Fetch) -> Source:
    # A size of None lets it be fetched from its beginning, or not at all: the Web promises no more.
    return Source(url=url, name=_name_of(url), key=url, size=None, open=lambda offset: fetch(url))


def _name_of(url: str) -> str:
    return posixpath.basename(urllib.parse.unquote(urllib.parse.urlsplit(url).path))


# -- trees and their links


async def _tree(place: Place, source: Source) -> Tree:
    """List a directory and what its links lead to."""
    assert source.path is not None  # noqa: S101 - a directory is on a host
    tree = await _listed(place, source.path)
    await _follow(place, _below(source.path, "", tree.links), tree, (source.path,))
    return tree


async def _listed(place: Place, folder: str) -> Tree:
    listing = await place.transport.list(folder, recurse=True)
    return await asyncio.to_thread(_sorted, listing)


def _sorted(listing: Sequence[FileInfo]) -> Tree:
    """Tell apart files, empty directories and links; count the bytes."""
    tree, full = Tree(), {posixpath.dirname(info.path) for info in listing}
    for info in listing:
        if info.type == "symbolic_link":
            tree.links.append(info.path)
        elif info.type == "file":
            tree.size += info.size
            if info.size > LARGE:
                tree.large.append(info)
            else:
                tree.names.append(info.path)
        elif info.type == "dir" and info.path not in full:
            tree.names.append(info.path)
    return tree


#: (path of a link on its host, name below the target).
_Link = tuple[str, str]


async def _follow(place: Place, links: Sequence[_Link], tree: Tree, above: tuple[str, ...]) -> None:
    """Enter into *tree* what links lead to; *above* are the directories by which this place was reached."""
    if not links:
        return
    seen = await place.transport.look([path for path, _ in links])
    for path, name in links:
        real, info = seen[path].real_path, seen[path].info
        # What holds itself has no end.
        is_endless = any(within(real, inner) for inner in (path, *above)) or len(above) > DEPTH
        if info is None or is_endless or not within(place.real_ground, real):
            tree.left_out.append(name)
        elif info.type == "file":
            tree.linked.append((real, name))
            tree.size += info.size
        elif info.type == "dir":
            await _follow_directory(place, real, name, tree, (*above, real))
        else:
            tree.left_out.append(name)


async def _follow_directory(place: Place, folder: str, name: str, tree: Tree, above: tuple[str, ...]) -> None:
    found = await _listed(place, folder)
    tree.size += found.size
    tree.linked += _below(folder, name, [*found.names, *(info.path for info in found.large)])
    if not (found.names or found.large or found.links):
        tree.linked.append((folder, name))
    await _follow(place, _below(folder, name, found.links), tree, above)


def _below(folder: str, name: str, paths: Iterable[str]) -> list[_Link]:
    """Return paths below *folder* with the names that they have below the target's *name*."""
    return [(path, f"{name}{path[len(folder) :]}".lstrip("/")) for path in paths]


def _streams(linked: Sequence[_Link], target: str) -> Iterator[dict[str, str]]:
    """Yield path -> place: what several links lead to travels in several streams."""
    left = list(linked)
    while left:
        places: dict[str, str] = {}
        again = []
        for path, name in left:
            if path in places:
                again.append((path, name))
            else:
                places[path] = f"{target}/{name}"
        yield places
        left = again
