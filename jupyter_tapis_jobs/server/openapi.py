"""The OpenAPI 3.1 document, made from the table of routes and the models of what travels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from .. import __version__
from .route import Answers, Route, Takes
from .table import TABLE

_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)\}")
_FILE_TYPE, _EVENT_TYPE = "application/octet-stream", "text/event-stream"
_SIGN_IN = {
    "tapisToken": {"type": "apiKey", "in": "header", "name": "X-Tapis-Token"},
    "jupyterToken": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "token <Jupyter's token>",
    },
}
#: What may go wrong with any call.
_ERRORS = {
    "400": "Wrong input; the message names field, value and way out.",
    "401": "Not signed in.",
    "403": "Not allowed.",
    "404": "There is no such thing, or it is not the caller's.",
    "409": "Its state does not allow it.",
    "413": "Too large.",
    "503": "Not now; try again.",
}


def document(base: str = "/tapis") -> dict[str, Any]:
    """Return the whole document for a server whose API is at *base*."""
    return {**_document(), "servers": [{"url": base}]}


@cache
def _document() -> dict[str, Any]:
    schemas = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for route in TABLE:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tapis Jobs inside Jupyter",
            "version": __version__,
            "description": "Jobs, Apps, Systems, Files and sign-in as in Tapis v3, and what is ours.",
        },
        "paths": paths,
        "components": {"schemas": {**schemas, **_own_schemas()}, "securitySchemes": _SIGN_IN},
    }


def _own_schemas() -> dict[str, Any]:
    return {"Error": _envelope({"description": "null, or the field and value that are wrong."}, "error")}


def _models() -> Iterator[tuple[Any, JsonSchemaMode]]:
    for route in TABLE:
        for model in filter(None, (route.query, route.body)):
            yield model, "validation"
        if route.result is not None:
            yield route.result, "serialization"


def _schemas() -> dict[str, Any]:
    """Return the schemas of all models that are named in the table, and of those inside them."""
    found: dict[str, Any] = {}
    for model, mode in _models():
        found.update(_schema(model, mode).get("$defs", {}))
        if isinstance(model, type) and hasattr(model, "model_json_schema"):
            _, defs = models_json_schema([(model, mode)], ref_template=_REF)
            found.update(defs.get("$defs", {}))
    return found


def _schema(model: Any, mode: JsonSchemaMode) -> dict[str, Any]:
    return TypeAdapter(model).json_schema(by_alias=True, ref_template=_REF, mode=mode)


def _shown(model: Any, mode: JsonSchemaMode) -> dict[str, Any]:
    """Return the schema of *model* as it stands in an operation: a reference where there is one."""
    if isinstance(model, type) and hasattr(model, "model_json_schema"):
        return {"$ref": _REF.format(model=model.__name__)}
    return {key: value for key, value in _schema(model, mode).items() if key != "$defs"}


def _operation(route: Route, schemas: Mapping[str, Any]) -> dict[str, Any]:
    lines = (route.action.__doc__ or "").strip()
    operation: dict[str, Any] = {
        # One document holds all services, so that tapipy's name gets its service in front.
        "operationId": f"{route.service}.{route.operation}",
        "tags": [route.service],
        "summary": lines.splitlines()[0],
        "parameters": [
            *_path_parameters(route),
            *_query_parameters(route, schemas),
            *_header_parameters(route),
        ],
        "responses": _responses(route),
        "security": [] if route.public else [{name: []} for name in _SIGN_IN],
    }
    body = _request_body(route)
    return operation | ({"requestBody": body} if body else {})


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in _PARAMETER.findall(route.path):
        note = {"description": "May hold slashes."} if name == "path" else {}
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, **note}


def _query_parameters(route: Route, schemas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if route.query is None:
        return
    for name, schema in schemas[route.query.__name__].get("properties", {}).items():
        yield {"name": name, "in": "query", "required": False, "schema": schema}


def _header_parameters(route: Route) -> Iterator[dict[str, Any]]:
    if route.answers is Answers.EVENTS:
        yield {"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"}}
    if route.operation == "getContents":
        for name in ("range", "more"):
            yield {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}


def _request_body(route: Route) -> dict[str, Any] | None:
    if route.takes is Takes.NOTHING:
        return None
    if route.takes is Takes.FILE:
        part = {
            "type": "object",
            "required": ["file"],
            "properties": {"file": {"type": "string", "format": "binary"}},
        }
        return {"required": True, "content": {"multipart/form-data": {"schema": part}}}
    schema = _shown(route.body, "validation")
    optional = {"type": "null"} in schema.get("anyOf", ())
    return {"required": not optional, "content": {"application/json": {"schema": schema}}}


def _responses(route: Route) -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": _REF.format(model="Error")}}}
    bad = {status: {"description": words, "content": error} for status, words in _ERRORS.items()}
    return {**_good(route), **bad}


def _good(route: Route) -> dict[str, Any]:
    if route.answers is Answers.BYTES:
        content = {_FILE_TYPE: {"schema": {"type": "string", "format": "binary"}}}
        good = {"description": "The bytes, as an attachment.", "content": content}
        return {"200": good} if route.operation != "getContents" else {"200": good, "206": good}
    if route.answers is Answers.EVENTS:
        events = {
            "description": "Server-sent events.",
            "content": {_EVENT_TYPE: {"schema": {"type": "string"}}},
        }
        return {"200": events}
    if route.answers is Answers.DOCUMENT:
        return {
            "200": {
                "description": "A document.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        }
    result = {} if route.result is None else _shown(route.result, "serialization")
    content = {"application/json": {"schema": _envelope(result, "success")}}
    return {str(route.status): {"description": "Done.", "content": content}}


def _envelope(result: Mapping[str, Any], status: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["status", "message", "version", "metadata", "result"],
        "properties": {
            "status": {"const": status},
            "message": {"type": "string"},
            "version": {"type": "string"},
            "commit": {"type": "string"},
            "build": {"type": "string"},
            "metadata": {"type": ["object", "null"]},
            "result": dict(result),
        },
    }
