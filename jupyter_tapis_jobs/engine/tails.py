"""The growing ends of files that somebody watches: one reader for each lane, shared by all viewers.

A round asks a host once for the news of every file that is watched there, whoever watches it. Rounds
come quickly while there is news and rarely when it is quiet; a new viewer need not wait for the next.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..model.errors import TransportError
from ..transports.base import Answer, Transport
from .lane import LaneKey
from .ports import Ports
from .systems import LOCAL

#: Seconds between two rounds: while there is news, and the longest when it is quiet.
FIRST, LAST = 0.1, 1.0
#: The same where a round is a command on another host.
FIRST_AFAR, LAST_AFAR = 0.25, 2.0
#: Bytes that a viewer gets in one round, and all viewers of a lane together.
CHUNK, ALL = 256 * 1024, 4 * 1024 * 1024
#: Bytes that each gets at least, however many there are.
LEAST = 16 * 1024

#: Path and byte from which on it is wanted: what viewers with the same wish share.
Wish = tuple[str, int]


@dataclass(frozen=True, slots=True)
class News:
    """What a round found of one file."""

    data: bytes = b""
    #: In bytes; None where there is no file.
    size: int | None = None
    #: The path leads elsewhere by now, and has to be resolved anew.
    is_link: bool = False


class Tails:
    """Hands out the news of files, read for all who wait for them."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._readers: dict[LaneKey, _Reader] = {}

    async def news(
        self, lane: LaneKey, transport: Transport, path: str, offset: int, *, soon: bool = False
    ) -> News:
        """Return what the file at a real *path* has from byte *offset* on, as of the lane's next round.

        With *soon* the round is made at once. Raises ``TransportError`` and ``OSError`` of the host.
        """
        reader = self._readers.get(lane)
        if reader is None:
            reader = self._readers[lane] = _Reader(self._ports, transport, is_near=lane[0] == LOCAL)
            self._ports.spawn(self._read(lane, reader), f"tails of {lane[0]}")
        reader.transport = transport
        return await reader.wait((path, offset), soon=soon)

    def hasten(self, lanes: Iterable[LaneKey]) -> None:
        """Something has happened to what is watched on *lanes*: make the next round at once."""
        for lane in lanes:
            if lane in self._readers:
                self._readers[lane].hurry.set()

    async def _read(self, lane: LaneKey, reader: _Reader) -> None:
        """Make rounds as long as there are viewers."""
        try:
            while reader.waiting:
                await reader.round()
                await reader.pause()
        finally:
            del self._readers[lane]
            reader.give_up()


class _Reader:
    """The rounds of one lane."""

    def __init__(self, ports: Ports, transport: Transport, *, is_near: bool) -> None:
        self._ports = ports
        self._is_near = is_near
        self._first, self._last = (FIRST, LAST) if is_near else (FIRST_AFAR, LAST_AFAR)
        self._gap = self._first
        self.transport = transport
        self.waiting: dict[Wish, asyncio.Future[News]] = {}
        self.hurry = asyncio.Event()

    async def wait(self, wish: Wish, *, soon: bool) -> News:
        if soon:
            self.hurry.set()
        future = self.waiting.get(wish)
        if future is None:
            future = self.waiting[wish] = asyncio.get_running_loop().create_future()
        # A viewer who leaves must not take the news from those who stay.
        return await asyncio.shield(future)

    async def round(self) -> None:
        """Serve all who wait now."""
        waiting, self.waiting = self.waiting, {}
        self.hurry.clear()
        most = max(LEAST, min(CHUNK, ALL // len(waiting)))
        try:
            found = await self._look(tuple(waiting), most)
        except TransportError as trouble:
            _fail(waiting.values(), trouble)
            self._gap = self._last
            return
        except BaseException:
            _fail(waiting.values(), TransportError("the reader of this host's files has ended."))
            raise
        for wish, future in waiting.items():
            news = found.get(wish, News())
            if isinstance(news, OSError):
                _fail([future], news)
            elif not future.done():
                future.set_result(news)
        is_quiet = not any(isinstance(news, News) and news.data for news in found.values())
        self._gap = min(self._gap * 1.5, self._last) if is_quiet else self._first

    async def pause(self) -> None:
        """Wait for the next round, or until somebody is in a hurry."""
        tasks = [
            self._ports.spawn(self._ports.clock.sleep(self._gap), "pause of tails"),
            self._ports.spawn(_until(self.hurry), "hurry of tails"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    def give_up(self) -> None:
        """Nobody will serve those who still wait."""
        _fail(self.waiting.values(), TransportError("the reader of this host's files has ended."))

    async def _look(self, wishes: Sequence[Wish], most: int) -> Mapping[Wish, News | OSError]:
        if self._is_near:
            return {wish: await _near(self.transport, wish, most) for wish in wishes}
        answer = await self.transport.run(tail_script(wishes, most), live=True)
        return dict(parse_tails(wishes, answer))


async def _near(transport: Transport, wish: Wish, most: int) -> News | OSError:
    """Look at a file of this machine: without a command that is quicker."""
    try:
        return await _near_news(transport, *wish, most)
    except OSError as fault:
        return fault


async def _near_news(transport: Transport, path: str, offset: int, most: int) -> News:
    info = await transport.stat(path)
    if info is None or info.type != "file":
        return News(is_link=info is not None and info.type == "symbolic_link")
    if info.size <= offset:
        return News(size=info.size)
    with contextlib.suppress(FileNotFoundError):
        data = b"".join([chunk async for chunk in transport.read(path, offset=offset, length=most)])
        return News(data, max(info.size, offset + len(data)))
    return News()


_SCRIPT = """\
news() { # number, offset, size, path
  count=$(($3 - $2)); [ "$count" -le MOST ] || count=MOST
  printf 'news %s %s ' "$1" "$3"
  dd if="$4" bs=65536 iflag=skip_bytes,count_bytes skip="$2" count="$count" status=none 2> /dev/null |
    base64 -w 0
  echo
}
look() { # number, offset
  case $mode in
    8???) [ "$size" -gt "$2" ] && news "$1" "$2" "$size" "$name" || echo "same $1 $size" ;;
    a???) echo "link $1" ;;
  esac
}
stat -c '%s %f %n' -- PATHS 2> /dev/null | while IFS= read -r line; do
  size=${line%% *}; line=${line#* }; mode=${line%% *}; name=${line#* }
  case $name in
CASES
  esac
done
echo end
"""


def tail_script(wishes: Sequence[Wish], most: int) -> str:
    """Return the script that looks at all files: one process, and two more for each that has news."""
    paths: dict[str, list[str]] = {}
    for number, (path, offset) in enumerate(wishes):
        paths.setdefault(path, []).append(f"look {number} {offset}")
    words = {path: shlex.quote(path) for path in paths}
    cases = "\n".join(f"    {words[path]}) {'; '.join(looks)} ;;" for path, looks in paths.items())
    meanings = {"MOST": str(most), "PATHS": " ".join(words.values()), "CASES": cases}
    # All at once: a path may hold any of these words itself.
    return re.sub("|".join(meanings), lambda word: meanings[word[0]], _SCRIPT)


def parse_tails(wishes: Sequence[Wish], answer: Answer) -> dict[Wish, News]:
    """Return the news by wish; a file that is not there has none. Half an answer is a ``TransportError``."""
    lines = answer.stdout.splitlines()
    if not lines or lines[-1] != "end":
        raise TransportError("the host did not say all about the watched files; the next look follows.")
    return {wishes[number]: news for number, news in _said(lines[:-1])}


def _said(lines: Iterable[str]) -> Iterator[tuple[int, News]]:
    for line in lines:
        verb, number, *rest = line.split(" ")
        if verb == "link":
            yield int(number), News(is_link=True)
        elif verb == "same":
            yield int(number), News(size=int(rest[0]))
        elif verb == "news":
            yield int(number), News(_bytes(rest[1]), int(rest[0]))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise TransportError(
            "the host sent damaged bytes of a watched file; the next look follows."
        ) from None


def _fail(futures: Iterable[asyncio.Future[News]], trouble: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(trouble)
            # A viewer may have left meanwhile: then nobody asks, and that is no fault.
            future.exception()


async def _until(event: asyncio.Event) -> None:
    await event.wait()
