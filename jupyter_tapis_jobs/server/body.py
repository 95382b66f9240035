"""The body of a request: collected and read as JSON, or one file handed on while it arrives."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any, NoReturn, Protocol

from ..model.errors import InvalidInputError, TooLargeError

MEGABYTE = 1024 * 1024
#: Pieces of an upload that wait for the engine; then the sender has to wait.
WAITING = 8
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Sink(Protocol):
    """Takes a body piece by piece."""

    async def feed(self, piece: bytes) -> None:
        """Take the next piece; raises when the body cannot be taken."""
        ...

    async def end(self) -> None:
        """The body is complete."""
        ...


class Collected:
    """A body kept whole; what is over *limit* bytes is let pass unkept and refused at the end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0

    async def feed(self, piece: bytes) -> None:
        """Keep *piece*, unless it is too much."""
        self._size += len(piece)
        if self._size > self._limit:
            self._pieces.clear()
        else:
            self._pieces.append(piece)

    async def end(self) -> None:
        """Raise ``TooLargeError`` when there was too much."""
        if self._size > self._limit:
            raise TooLargeError(
                f"The body has {self._size / MEGABYTE:,.1f} MB; "
                f"at most {self._limit / MEGABYTE:,.0f} MB are taken. "
                "Send large files through /v3/files/ops instead."
                if self._limit >= MEGABYTE
                else f"The body has {self._size:,} bytes; at most {self._limit:,} are taken."
            )

    @property
    def data(self) -> bytes:
        """The whole body."""
        return b"".join(self._pieces)


class Piped:
    """A body that goes on to whom it is for, on any loop, while it arrives."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue(WAITING)
        self._taker: asyncio.Future[Any] | None = None

    def taken_by(self, taker: asyncio.Future[Any]) -> None:
        """Name who takes the pieces: once they are done, the rest of the body is let pass."""
        self._taker = taker

    async def feed(self, piece: bytes) -> None:
        """Hand *piece* on; waits while the taker is behind."""
        self._size += len(piece)
        if self._size > self._limit:
            await self._put(TooLargeError(f"Uploads have at most {self._limit / MEGABYTE:,.0f} MB here."))
        else:
            await self._put(piece)

    async def end(self) -> None:
        """Tell the taker that it was all."""
        await self._put(None)

    def break_off(self) -> None:
        """The sender went away in the middle."""
        if not self._queue.full():
            self._queue.put_nowait(InvalidInputError("The upload broke off before its end."))

    async def _put(self, item: bytes | BaseException | None) -> None:
        if self._taker is None:
            await self._queue.put(item)
            return
        put = asyncio.ensure_future(self._queue.put(item))
        await asyncio.wait({put, self._taker}, return_when=asyncio.FIRST_COMPLETED)
        if not put.done():
            put.cancel()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Iterate over the pieces, on whichever loop."""
        while (item := await self._next()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    async def _next(self) -> bytes | BaseException | None:
        if asyncio.get_running_loop() is self._loop:
            return await self._queue.get()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._queue.get(), self._loop))


class FilePart(Piped):
    """The part named ``file`` of a multipart body, without its wrapping."""

    def __init__(self, content_type: str, limit: int) -> None:
        super().__init__(limit)
        self._parser = _multipart_parser(content_type, self)
        self._field, self._value = b"", b""
        self._is_file = self._seen = self._is_damaged = False
        self._ready: list[bytes] = []

    async def feed(self, piece: bytes) -> None:
        """Unwrap *piece* and hand on what of it is the file."""
        from python_multipart.exceptions import MultipartParseError

        if self._is_damaged:
            return
        try:
            self._parser.write(piece)
        except MultipartParseError as fault:
            # The taker is told, and answers once it has undone what it had begun.
            self._is_damaged = True
            await self._put(InvalidInputError(f"The multipart body is damaged: {fault}.", field="file"))
            return
        ready, self._ready = self._ready, []
        for part in ready:
            await super().feed(part)

    async def end(self) -> None:
        """Tell the taker that it was all; a body without the part is wrong."""
        if not self._seen and not self._is_damaged:
            await self._put(InvalidInputError("The body has no part named 'file'.", field="file"))
        await super().end()

    # Called by the parser.

    def on_part_begin(self) -> None:
        """A part begins."""
        self._is_file = False

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """A piece of a header's name."""
        self._field += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """A piece of a header's value."""
        self._value += data[start:end]

    def on_header_end(self) -> None:
        """A header is complete."""
        from python_multipart.multipart import parse_options_header

        if self._field.lower() == b"content-disposition" and not self._seen:
            _, options = parse_options_header(self._value)
            self._is_file = options.get(b"name") == b"file"
            self._seen = self._is_file
        self._field, self._value = b"", b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """A piece of a part's content."""
        if self._is_file:
            self._ready.append(bytes(data[start:end]))


def _multipart_parser(content_type: str, part: FilePart) -> Any:
    from python_multipart.multipart import MultipartParser, parse_options_header

    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise InvalidInputError(
            f"An upload is multipart/form-data with a part named 'file', not '{content_type or 'nothing'}'.",
            field="Content-Type",
            value=content_type,
        )
    names = ("on_part_begin", "on_header_field", "on_header_value", "on_header_end", "on_part_data")
    return MultipartParser(boundary, {name: getattr(part, name) for name in names})  # type: ignore[arg-type]


def read_json(data: bytes) -> Any:
    """Return the JSON value of a body; raises ``InvalidInputError`` that names the position.

    Refused are also NaN and infinities, which JSON does not have, and halves of surrogate pairs,
    which no store or host can keep.
    """
    try:
        words = data.decode("utf-8-sig")
        value = json.loads(words, parse_constant=_no_constant)
        if _SURROGATE.search(words):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as fault:
        raise _not_json(f"byte {fault.start} is not UTF-8") from fault
    except UnicodeEncodeError as fault:
        raise _not_json("it holds half of a surrogate pair (\\ud800 to \\udfff alone)") from fault
    except json.JSONDecodeError as fault:
        raise _not_json(_position(fault)) from fault
    except RecursionError as fault:
        raise _not_json("it is nested too deeply") from fault
    except ValueError as fault:
        raise _not_json(str(fault)) from fault
    return value


def _position(fault: json.JSONDecodeError) -> str:
    where = f"{fault.msg} at line {fault.lineno}, column {fault.colno} (character {fault.pos})"
    ends = fault.pos >= len(fault.doc.rstrip()) or fault.msg.startswith("Unterminated string")
    return f"{where}; it seems to be cut off" if ends else where


def _not_json(why: str) -> InvalidInputError:
    return InvalidInputError(f"The body is not JSON: {why}.", field="body", code="JOBS_INVALID_JSON")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
