"""The types of the browser's side are those of the server."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

LABEXTENSION = Path(__file__).parents[2] / "labextension"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The script that writes the types."""
    spec = importlib.util.spec_from_file_location("generate_api", LABEXTENSION / "generate_api.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_types_are_what_the_servers_routes_would_give_today(generator):
    told = "they are stale: run python labextension/generate_api.py"
    assert generator.TARGET.read_text(encoding="utf-8") == generator.source(), told


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, "string"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "number | null"),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, "number"),
        ({"type": ["object", "null"]}, "Record<string, unknown> | null"),
        ({"enum": ["rows", "columns"]}, "'rows' | 'columns'"),
        ({"const": True}, "true"),
        ({"$ref": "#/components/schemas/JobStatus"}, "JobStatus"),
        ({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "(string | null)[]"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "Record<string, number>"),
        (
            {"type": "object", "properties": {"a": {"type": "null"}, "b-c": {}}, "required": ["a"]},
            "{ a: null; 'b-c'?: unknown }",
        ),
        ({}, "unknown"),
        (True, "unknown"),
    ],
    ids=str,
)
def test_a_schema_becomes_the_type_that_means_the_same(generator, schema, kind):
    assert generator._type(schema) == kind
