"""What a route answers: an envelope, or a stream of bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Rows:
    """A long list as a result: each item is put into its wire form when its turn comes."""

    items: Sequence[Any]
    to_wire: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Columns:
    """A result of the form {column: [values]}."""

    names: Sequence[str]
    #: Slices of the rows in order: for each column the JSON texts of its values, joined by commas.
    slices: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer: the result, Tapis's message with its code, and the metadata of a list."""

    result: Any
    message: str
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document that is sent as it is, without envelope."""

    content: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """An answer that is sent while it is made; ``chunks`` is closed when the caller goes away."""

    chunks: AsyncIterator[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    #: Send the headers before there is anything to send: the caller waits for what comes.
    at_once: bool = False


Answer = Reply | Document | Stream
