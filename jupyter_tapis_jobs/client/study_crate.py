"""A whole study in one file that others can open too: an RO-Crate, zipped.

Source: RO-Crate 1.1 (https://w3id.org/ro/crate/1.1), with the Process Run Crate profile's way to tell
what was run by what.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..model.errors import InvalidInputError, NotFoundError
from .whole_file import whole_file

_Json = Mapping[str, Any]
#: Of the files of ours in it; a later version of this package reads what an older one wrote.
FORMAT = 1
METADATA, STUDY, CASES, ATTEMPTS = "ro-crate-metadata.json", "study.json", "cases.jsonl", "attempts.csv"
_APPS, _INPUTS, _RESULTS = "apps/", "inputs/", "results"
_CRATE = "https://w3id.org/ro/crate/1.1"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
#: Bytes that a member may have when it is unpacked, and, of a large one that is no input, how many for each
#: that it has packed: a small file cannot fill the memory.
_LARGEST, _LARGE, _MOST_PACKED = 2_000_000_000, 64_000_000, 300
_KINDS = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
}
#: A time that every zip can hold: the same content gives the same file.
_MOMENT = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """All that is needed to run a study again, and what became of it."""

    name: str
    template: _Json
    settings: _Json
    #: ``caseId parameters request`` of each case, in order.
    cases: Sequence[_Json]
    #: The table of all attempts by columns, as the server tells it.
    attempts: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    apps: Sequence[_Json] = ()
    #: Files that were uploaded for the cases: address in the requests -> content.
    inputs: Mapping[str, bytes] = field(default_factory=dict)
    owner: str = ""
    created: str = ""
    #: The version of this package that wrote it.
    version: str = ""


def write_crate(
    record: StudyRecord, path: str | Path, *, now: str, results: tuple[str, bytes] | None = None
) -> Path:
    """Write *record* to a zip, whole or not at all; return where.

    *now* is the time of writing, *results* the end of a file name (``.csv``, ``.parquet``) and its content.
    """
    place = Path(path).expanduser()
    members = dict(_members(record))
    if results is not None:
        members[_RESULTS + results[0]] = results[1]
    metadata = _metadata(record, members, now)
    with whole_file(place, "path") as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as crate:
        for name, data in {METADATA: _text(metadata), **members}.items():
            crate.writestr(zipfile.ZipInfo(name, _MOMENT), data, zipfile.ZIP_DEFLATED)
    return place


def read_crate(path: str | Path) -> StudyRecord:
    """Return the study in a file that ``write_crate`` wrote; everything in it is checked, nothing unpacked.

    Raises ``NotFoundError`` where there is no file, ``InvalidInputError`` where it is none of ours, is
    damaged or changed, or comes from a later version.
    """
    place = Path(path).expanduser()
    if not place.is_file():
        raise NotFoundError(f"{path} is not there.")
    try:
        with zipfile.ZipFile(place) as crate:
            return _record(_Reader(crate, place.name))
    except zipfile.BadZipFile as cause:
        raise InvalidInputError(
            f"{place.name} is no zip, or a damaged one: {cause}.", field="path"
        ) from cause
    except (ValueError, TypeError, AttributeError, RuntimeError, EOFError, zlib.error) as cause:
        # What others wrote can be anything.
        raise InvalidInputError(f"{place.name} cannot be read as a study: {cause}.", field="path") from cause


# --- writing ----------------------------------------------------------------------------------
def _members(record: StudyRecord) -> Iterable[tuple[str, bytes]]:
    files = {url: f"{_INPUTS}{hashlib.sha256(data).hexdigest()}" for url, data in record.inputs.items()}
    study = {
        "format": FORMAT,
        "name": record.name,
        "created": record.created,
        "owner": record.owner,
        "version": record.version,
        "settings": dict(record.settings),
        "template": record.template,
        "inputs": files,
    }
    yield STUDY, _text(study)
    yield CASES, b"".join(_line(case) for case in record.cases)
    if record.attempts:
        yield ATTEMPTS, _table(record.attempts)
    for app in record.apps:
        yield f"{_APPS}{_plain(app.get('id'))}-{_plain(app.get('version'))}.json", _text(app)
    for url, name in files.items():
        yield name, record.inputs[url]


def _text(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _line(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _plain(text: Any) -> str:
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in str(text))


def _table(columns: Mapping[str, Sequence[Any]]) -> bytes:
    body = io.StringIO()
    rows = csv.writer(body, lineterminator="\n")
    rows.writerow(columns)
    rows.writerows(zip(*(map(_cell, column) for column in columns.values()), strict=True))
    return body.getvalue().encode()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping | list) else value


def _metadata(record: StudyRecord, members: Mapping[str, bytes], now: str) -> _Json:
    """Return the description of the crate: what is in it, who made it, what was run."""
    apps = [_software(app) for app in record.apps]
    owner = [{"@id": "#owner", "@type": "Person", "name": record.owner}] if record.owner else []
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": record.name,
        "description": f"Parameter study {record.name}: {len(record.cases):,} cases and what became of them.",
        "datePublished": now,
        "conformsTo": {"@id": _PROFILE},
        "hasPart": [{"@id": name} for name in members],
        "mentions": [{"@id": "#run"}],
        **({"author": {"@id": "#owner"}} if owner else {}),
    }
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"The cases of {record.name}",
        "instrument": [{"@id": app["@id"]} for app in apps],
        "object": [{"@id": name} for name in members if name in (STUDY, CASES) or name.startswith(_INPUTS)],
        "result": [{"@id": name} for name in members if name == ATTEMPTS or name.startswith(_RESULTS)],
        **({"agent": {"@id": "#owner"}} if owner else {}),
    }
    about = {"@id": METADATA, "@type": "CreativeWork", "about": {"@id": "./"}, "conformsTo": {"@id": _CRATE}}
    profile = {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    files = [_file(name, data) for name, data in members.items()]
    return {
        "@context": [f"{_CRATE}/context", {"sha256": "https://schema.org/sha256"}],
        "@graph": [about, root, profile, run, *owner, *apps, *files],
    }


def _software(app: _Json) -> dict[str, Any]:
    return {
        "@id": f"#{_plain(app.get('id'))}-{_plain(app.get('version'))}",
        "@type": "SoftwareApplication",
        "name": str(app.get("id")),
        "softwareVersion": str(app.get("version")),
        "description": str(app.get("description") or ""),
    }


def _file(name: str, data: bytes) -> dict[str, Any]:
    known = _NAMES.get(name) or (_NAMES[_APPS] if name.startswith(_APPS) else _NAMES[_INPUTS])
    if name.startswith(_RESULTS):
        known = "Results collected from the cases, one tidy table"
    return {
        "@id": name,
        "@type": "File",
        "name": known,
        "contentSize": str(len(data)),
        "encodingFormat": _KINDS.get(Path(name).suffix, "application/octet-stream"),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


_NAMES: Mapping[str, str] = MappingProxyType(
    {
        STUDY: "The study: its template and settings",
        CASES: "The cases, one a line: id, parameters, rendered Tapis request",
        ATTEMPTS: "Every attempt of every case: job, status, times",
        _APPS: "Definition of the app",
        _INPUTS: "An input file of the cases",
    }
)


# --- reading ----------------------------------------------------------------------------------
class _Reader:
    """The members of a crate, each held against the checksum that the metadata gives."""

    def __init__(self, crate: zipfile.ZipFile, name: str) -> None:
        self._crate = crate
        self.name = name
        self._there = {info.filename: info for info in crate.infolist()}
        if METADATA not in self._there:
            raise InvalidInputError(
                f"{name} is no RO-Crate: there is no {METADATA} in it. study.export(path) writes one.",
                field="path",
            )
        graph = self._json(self._bytes(METADATA), METADATA).get("@graph") or []
        self._sums = {
            str(item.get("@id")): str(item.get("sha256")) for item in graph if isinstance(item, Mapping)
        }

    def read(self, name: str) -> bytes:
        """Return a member; raises ``InvalidInputError`` where it is missing or was changed."""
        if name not in self._there:
            raise InvalidInputError(f"{self.name} is no study: there is no {name} in it.", field="path")
        data = self._bytes(name)
        if self._sums.get(name) != hashlib.sha256(data).hexdigest():
            raise InvalidInputError(
                f"{name} in {self.name} is not what was exported: its checksum differs.", field="path"
            )
        return data

    def json(self, name: str) -> dict[str, Any]:
        """Return a member that holds one JSON object."""
        return self._json(self.read(name), name)

    def names(self, folder: str) -> list[str]:
        """Return the members below *folder*."""
        return sorted(name for name in self._there if name.startswith(folder) and name != folder)

    def __contains__(self, name: str) -> bool:
        return name in self._there

    def _bytes(self, name: str) -> bytes:
        told = self._there[name]
        most = max(_LARGE, _MOST_PACKED * told.compress_size)
        is_bomb = told.file_size > most and not name.startswith(_INPUTS)
        if is_bomb or told.file_size > _LARGEST:
            raise InvalidInputError(f"{name} in {self.name} is too large to be read.", field="path")
        return self._crate.read(name)

    def _json(self, data: bytes, name: str) -> dict[str, Any]:
        try:
            found = json.loads(data, parse_constant=_no_number)
        except ValueError as cause:
            raise InvalidInputError(f"{name} in {self.name} is not JSON: {cause}.", field="path") from cause
        if not isinstance(found, dict):
            raise InvalidInputError(f"{name} in {self.name} is not a JSON object.", field="path")
        return found


def _record(reader: _Reader) -> StudyRecord:
    study = reader.json(STUDY)
    if int(study.get("format") or 0) > FORMAT:
        raise InvalidInputError(
            f"{reader.name} was written by a later version ({study.get('version')}) of jupyter_tapis_jobs. "
            "Update this one: pip install -U jupyter-tapis-jobs.",
            field="path",
        )
    cases = [_case(line, reader.name) for line in io.BytesIO(reader.read(CASES)) if line.strip()]
    if not cases:
        raise InvalidInputError(f"There is no case in {reader.name}.", field="path")
    for part in ("template", "settings", "inputs"):
        if not isinstance(study.get(part) or {}, dict):
            raise InvalidInputError(f"{part} in {STUDY} of {reader.name} is no JSON object.", field="path")
    return StudyRecord(
        name=str(study.get("name") or "study"),
        template=study.get("template") or {},
        settings=study.get("settings") or {},
        cases=cases,
        attempts=_columns(reader.read(ATTEMPTS)) if ATTEMPTS in reader else {},
        apps=[reader.json(name) for name in reader.names(_APPS)],
        inputs={str(url): reader.read(str(name)) for url, name in (study.get("inputs") or {}).items()},
        owner=str(study.get("owner") or ""),
        created=str(study.get("created") or ""),
        version=str(study.get("version") or ""),
    )


def _case(line: bytes, place: str) -> _Json:
    try:
        case = json.loads(line, parse_constant=_no_number)
    except ValueError as cause:
        raise InvalidInputError(f"{CASES} in {place} is not JSON: {cause}.", field="path") from cause
    parts = ("parameters", "request")
    if not (
        isinstance(case, dict) and case.get("caseId") and all(isinstance(case.get(p), dict) for p in parts)
    ):
        raise InvalidInputError(f"{CASES} in {place} has a line that is no case.", field="path")
    return case


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _columns(data: bytes) -> dict[str, list[str]]:
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    return {name: list(column) for name, column in zip(rows[0], zip(*rows[1:], strict=False), strict=False)}
