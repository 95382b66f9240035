"""Outputs of many jobs: fetched in few calls, and put into one frame."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ..model.errors import InvalidInputError, JobError, NotFoundError
from ..model.status import JobStatus
from .connection import Connection
from .failure import last_words

if TYPE_CHECKING:
    import httpx
    import pandas as pd

    from .job import Job

#: Jobs of one call.
_ASKED = 10_000
_FILES, _ERRORS = "files/", "errors/"
#: Bytes with which two tables cannot simply be put behind one another.
_NOT_PLAIN = re.compile(rb'"|\r(?!\n)')


class _Body(io.RawIOBase):
    """The body of an answer as a file that is read once, from front to back."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill *buffer* as far as the next piece goes; 0 at the end."""
        if not self._rest:
            self._rest = next(self._pieces, b"")
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def fetched(connection: Connection, uuids: Sequence[str], path: str) -> Mapping[str, bytes]:
    """Return uuid -> content of the output *path* of each job (our server only).

    Raises ``NotFoundError`` that names the jobs without it.
    """
    contents, missing = fetched_or_missing(connection, uuids, path)
    if missing:
        first = next(iter(missing.values()))
        more = f" {len(missing) - 1} more jobs do not have it either." if len(missing) > 1 else ""
        raise NotFoundError(first + more)
    return contents


def fetched_or_missing(
    connection: Connection, uuids: Sequence[str], path: str
) -> tuple[Mapping[str, bytes], Mapping[str, str]]:
    """Return uuid -> content of the output *path*, and uuid -> why it cannot be had (our server only)."""
    contents: dict[str, bytes] = {}
    missing: dict[str, str] = {}
    for name, content in _answers(connection, uuids, {"path": path}):
        if name.startswith(_FILES):
            contents[name.removeprefix(_FILES)] = content
        else:
            missing[name.removeprefix(_ERRORS)] = _message(content)
    return contents, missing


def fetched_matching(
    connection: Connection, uuids: Sequence[str], pattern: str
) -> tuple[Mapping[str, Mapping[str, bytes]], Mapping[str, str]]:
    """Return uuid -> name -> content of the outputs that a glob means (our server only).

    Jobs of which one or all cannot be had are in the second mapping, with the reason.
    """
    contents: dict[str, dict[str, bytes]] = {}
    missing: dict[str, str] = {}
    for member, content in _answers(connection, uuids, {"path": pattern, "glob": True}):
        uuid, _, name = member.removeprefix(_FILES).removeprefix(_ERRORS).partition("/")
        if member.startswith(_FILES):
            contents.setdefault(uuid, {})[name] = content
        else:
            missing[uuid] = _message(content)
    return contents, missing


def _message(content: bytes) -> str:
    message = str(json.loads(content)["message"])
    return message[:1].upper() + message[1:]


def _answers(
    connection: Connection, uuids: Sequence[str], what: Mapping[str, Any]
) -> Iterator[tuple[str, bytes]]:
    for start in range(0, len(uuids), _ASKED):
        body = {"uuids": list(uuids[start : start + _ASKED]), **what}
        with connection.stream("/v3/jobs/output/bulk", patient=True, json=body) as answer:
            yield from _members(answer)


def _members(answer: httpx.Response) -> Iterator[tuple[str, bytes]]:
    body = io.BufferedReader(_Body(answer.iter_bytes()))
    with tarfile.open(fileobj=cast(Any, body), mode="r|") as archive:
        for member in archive:
            content = archive.extractfile(member)
            yield member.name, content.read() if content else b""


def one_frame(contents: Mapping[str, bytes], path: str, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return the CSV tables in *contents* (uuid -> bytes) as one frame, with a column ``jobUuid`` first."""
    import pandas as pd

    if not contents:
        return pd.DataFrame({"jobUuid": pd.Series([], dtype="str")})
    plain = None if options else _put_together(contents)
    if plain is not None:
        text, counts = plain
        table = _read(pd.read_csv, text, path, {})
        if len(table) == sum(counts):
            names = [uuid for uuid, count in zip(contents, counts, strict=True) for _ in range(count)]
            table.insert(0, "jobUuid", pd.Series(names, index=table.index, dtype="str"))
            return table
    tables = []
    for uuid, content in contents.items():
        table = _read(pd.read_csv, content, path, options)
        table.insert(0, "jobUuid", pd.Series([uuid] * len(table), index=table.index, dtype="str"))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _put_together(contents: Mapping[str, bytes]) -> tuple[bytes, list[int]] | None:
    """Return tables with the same head as one, and the rows of each; None where that might change them.

    One parse of a thousand tables takes as long as a few parses of one.
    """
    bodies: list[bytes] = []
    head = None
    for content in contents.values():
        first, _, body = content.partition(b"\n")
        if head is None:
            head = first
        if first != head or not first.strip() or _NOT_PLAIN.search(content):
            return None
        bodies.append(body if not body or body.endswith(b"\n") else body + b"\n")
    counts = [sum(1 for line in body.split(b"\n") if line.strip()) for body in bodies]
    return (head or b"") + b"\n" + b"".join(bodies), counts


def _read(
    read_csv: Callable[..., pd.DataFrame], content: bytes, path: str, options: Mapping[str, Any]
) -> pd.DataFrame:
    try:
        return read_csv(io.BytesIO(content), **options)
    except ValueError as cause:
        raise InvalidInputError(f"{path} cannot be read as a table: {cause}.", field="path") from cause


def want_all_finished(jobs: Sequence[Job]) -> None:
    """Raise ``JobError`` that names the jobs which are not finished."""
    unready = [job for job in jobs if job.last_status != JobStatus.FINISHED]
    if not unready:
        return
    shown = ", ".join(f"{job.name} {job.last_status}{_words(job)}" for job in unready[:5])
    more = f" and {len(unready) - 5} more" if len(unready) > 5 else ""
    raise JobError(
        f"collect wants finished jobs; {len(unready)} of {len(jobs)} are not: {shown}{more}. "
        "tapis.wait(jobs) waits for those that run; tapis.jobs(status='FINISHED') finds the finished ones."
    )


def _words(job: Job) -> str:
    return f" ({last_words(job.row)})" if job.last_status == JobStatus.FAILED else ""
