"""A route: one row of the table from which both the handlers and the OpenAPI document follow."""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ..model.extensions import Extension
from .paths import Matcher
from .reply import Answer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .call import Call


class Answers(StrEnum):
    """What the body of a good answer is."""

    #: Tapis's envelope with the result.
    ENVELOPE = "envelope"
    #: A JSON document of its own, without envelope.
    DOCUMENT = "document"
    #: The bytes of a file.
    BYTES = "bytes"
    #: Server-sent events.
    EVENTS = "events"


class Takes(StrEnum):
    """What the body of a request is."""

    NOTHING = "nothing"
    #: JSON, checked here against the route's body model.
    MODEL = "model"
    #: The same with a secret in it: what is wrong is told without the value.
    SECRET = "secret"  # noqa: S105
    #: JSON, handed on as it came: the engine checks it and keeps it.
    RAW = "raw"
    #: One file as ``multipart/form-data``, handed on while it arrives.
    FILE = "file"


Action = Callable[["Call"], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path.

    ``operation`` is the name that tapipy's specifications give it; ``query``, ``body`` and
    ``result`` are the models of what is sent and answered; ``action`` does it.
    """

    method: str
    path: str
    operation: str
    action: Action
    query: type[BaseModel] | None = None
    body: Any = None
    takes: Takes = Takes.NOTHING
    result: Any = None
    answers: Answers = Answers.ENVELOPE
    #: HTTP status of a good answer.
    status: int = 200
    #: Answers also who is not signed in.
    public: bool = False
    #: Answered by the server that holds the engine, whichever server was asked.
    engine: bool = True
    #: What of ours it belongs to; None for what every Tapis answers.
    extension: Extension | None = None
    #: Bytes of its body; None for what the server takes otherwise.
    max_body: int | None = None

    @property
    def service(self) -> str:
        """The Tapis service: jobs, apps, systems, files, oauth2, tenants, …"""
        return self.path.split("/")[2].removesuffix(".json")


@dataclass(frozen=True, slots=True)
class Match:
    """The route of a request, and the texts of its path's parameters, decoded once."""

    route: Route
    path: Mapping[str, str]


class Routes:
    """Finds the route of a request. A literal part of a path is preferred to a parameter."""

    def __init__(self, table: Sequence[Route]) -> None:
        self.table = tuple(table)
        self._matchers = sorted(
            ((Matcher(route.path), route) for route in table), key=lambda pair: pair[0].order
        )

    def find(self, method: str, path: str) -> Match | None:
        """Return the route of *method* and *path* (from ``/v3`` on, still encoded), or None."""
        for matcher, route in self._matchers:
            if route.method == method and (values := matcher.match(path)) is not None:
                return Match(route, values)
        return None

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods that *path* has."""
        return tuple(
            sorted({route.method for matcher, route in self._matchers if matcher.match(path) is not None})
        )

    def near(self, path: str) -> str:
        """Return `` Did you mean /v3/jobs/list?`` or an empty string."""
        plain = re.sub("/+", "/", path)
        close = difflib.get_close_matches(plain, sorted({r.path for r in self.table}), n=1, cutoff=0.6)
        return f" Did you mean {close[0]}?" if close else ""
