"""The specifications of Tapis v3 that tapipy ships: their operations, and what goes in and comes out."""

from __future__ import annotations

import functools
import pickle
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jsonschema import Draft202012Validator

#: What a job engine has to answer, by the name of its specification.
SERVICES = ("jobs", "apps", "systems", "files")
#: What a client needs beside that to sign in.
SIGN_IN = ("authenticator", "tenants", "tokens")
_METHODS = ("get", "post", "put", "patch", "delete")
_JSON = "application/json"
#: Searches take any attribute as a parameter: ``name.like=a*``.
_FREE = re.compile(r"[A-Za-z_]+(\.[a-z]+)?")
_SEARCHES = frozenset({"jobs.getJobSearchList", "apps.searchAppsQueryParameters"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one specification."""

    service: str
    name: str
    method: str
    #: From ``/v3`` on, with ``{parameters}``.
    path: str
    spec: Mapping[str, Any]

    @property
    def key(self) -> str:
        """``jobs.getJob``."""
        return f"{self.service}.{self.name}"

    @property
    def answer_schema(self) -> Any:
        """The schema of a good JSON answer; None where the answer is no JSON."""
        good = next(answer for code, answer in sorted(self.spec["responses"].items()) if code.startswith("2"))
        return _schema_in(good)

    @property
    def body_schema(self) -> Any:
        """The schema of the JSON that is sent; None where none is."""
        return _schema_in(self.spec.get("requestBody"))

    def parameters(self, place: str) -> set[str]:
        """Return the names of the parameters in the ``query``, the ``path`` or the ``header``."""
        return {item["name"] for item in self.spec.get("parameters") or [] if item["in"] == place}

    def matches(self, method: str, path: str) -> bool:
        """True for a request of this operation; *path* still encoded, from ``/v3`` on."""
        return method == self.method and self._pattern().fullmatch(path.rstrip("/")) is not None

    def _pattern(self) -> re.Pattern[str]:
        return _pattern(self.path)


#: A file's path may hold slashes, or be empty; what stands for a job is a uuid, and no word of ours.
_PARTS = {"{path}": "/?.*", "{outputPath}": "/?.*", "{jobUuid}": "/[0-9a-f]{8}-[0-9a-f-]{27}-007"}


@functools.cache
def _pattern(path: str) -> re.Pattern[str]:
    parts = [
        _PARTS.get(part, "/[^/]+") if part.startswith("{") else "/" + re.escape(part)
        for part in path.strip("/").split("/")
    ]
    return re.compile("".join(parts))


@functools.cache
def operations(services: tuple[str, ...] = SERVICES) -> dict[str, Operation]:
    """Return all operations of *services* by key."""
    return {found.key: found for service in services for found in _read(service)}


def _read(service: str) -> Iterator[Operation]:
    import tapipy

    folder = Path(tapipy.__file__).parent / "specs"
    (file,) = folder.glob(f"*openapi_v3-{service}.pickle")
    spec = pickle.loads(file.read_bytes())
    for path, item in spec["paths"].items():
        whole = path if path.startswith("/v3") else f"/v3{path}"
        for method in _METHODS:
            if method in item:
                yield Operation(service, item[method]["operationId"], method.upper(), whole, item[method])


def operation_of(method: str, path: str) -> Operation | None:
    """Return the operation that *method* and *path* are a request of; the most literal path first."""
    known = operations(SERVICES + SIGN_IN).values()
    found = [operation for operation in known if operation.matches(method, path)]
    return min(found, key=lambda operation: operation.path.count("{"), default=None)


def faults_of_request(method: str, path: str, query: str, body: Any) -> list[str]:
    """Return what in a request is not as the specifications say; *path* still encoded, from ``/v3`` on."""
    found = operation_of(method, path)
    if found is None:
        return [f"{method} {path} is no operation"]
    free = found.key in _SEARCHES
    known = found.parameters("query") | {"pretty"}
    faults = [
        f"{found.key} has no parameter {name}={value}"
        for name, value in parse_qsl(query, keep_blank_values=True)
        if name not in known and not (free and _FREE.fullmatch(name) and "." in name)
    ]
    if body is None:
        return faults
    if found.body_schema is None:
        return [*faults, f"{found.key} takes no body"]
    return [*faults, *(f"{found.key}: {fault}" for fault in faults_of(body, found.body_schema, closed=True))]


def faults_of(value: Any, schema: Any, *, closed: bool = False) -> list[str]:
    """Return where *value* is not as *schema* says; ``null`` is any value left out.

    With ``closed`` a key that the schema does not name is a fault.
    """
    validator = Draft202012Validator(_readable(schema, closed))
    return [f"{error.json_path} {error.message[:200]}" for error in validator.iter_errors(value)]


def missing_in(value: Any, schema: Any) -> list[str]:
    """Return the attributes of *schema* that *value* (an object, or a list of some) leaves out."""
    if isinstance(value, list):
        return sorted({name for item in value for name in missing_in(item, schema.get("items") or {})})
    if not isinstance(value, Mapping):
        return []
    return sorted(set(schema.get("properties") or {}) - set(value))


def _readable(schema: Any, closed: bool) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON Schema in which anything may be null."""
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value for key, value in schema.items() if key in _KEPT}
    if "properties" in schema:
        kept["properties"] = {
            name: {"anyOf": [{"type": "null"}, _readable(part, closed)]}
            for name, part in schema["properties"].items()
        }
        if closed:
            kept["additionalProperties"] = False
    if "items" in schema:
        kept["items"] = _readable(schema["items"], closed)
    return kept


#: Keywords that mean the same in both, and are kept as they are.
_KEPT = frozenset({"type", "enum", "required", "minLength", "maxLength", "minItems", "minimum", "maximum"})


def _schema_in(part: Mapping[str, Any] | None) -> Any:
    content = (part or {}).get("content") or {}
    return content[_JSON]["schema"] if _JSON in content else None


def names(keys: Iterable[str]) -> str:
    """Return *keys* as one line."""
    return ", ".join(sorted(keys))
