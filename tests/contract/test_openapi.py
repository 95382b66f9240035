"""The OpenAPI document: valid, complete, and what tapipy's own specifications call things."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from every_route import ROUTES
from jsonschema import Draft202012Validator

from jupyter_tapis_jobs.server.openapi import document
from jupyter_tapis_jobs.server.route import Routes
from jupyter_tapis_jobs.server.table import TABLE


def test_the_schema_of_openapi_finds_no_fault_in_the_document_and_one_in_a_broken_one():
    # The validator that carries the schema may not import beside tapipy's old pins.
    validator = Draft202012Validator(_openapi_schema())
    assert list(validator.iter_errors(document())) == []
    assert list(validator.iter_errors({**document(), "paths": {"jobs": 3}}))


def _openapi_schema() -> dict[str, Any]:
    spec = importlib.util.find_spec("openapi_spec_validator")
    assert spec is not None
    (folder,) = spec.submodule_search_locations or [""]
    text = (Path(folder) / "resources/schemas/v3.1/schema.json").read_text()
    return dict(json.loads(text))


def test_every_reference_leads_somewhere():
    whole = document()
    references = set(re.findall(r"#/components/schemas/[\w.-]+", str(whole)))
    assert references
    assert {reference.rsplit("/", 1)[1] for reference in references} <= set(whole["components"]["schemas"])


def test_every_route_is_in_the_document_under_a_name_of_its_own():
    operations = [
        operation["operationId"] for path in document()["paths"].values() for operation in path.values()
    ]
    assert sorted(operations) == sorted(ROUTES)
    assert len(operations) == len(TABLE) == len(set(operations))


def test_every_operation_says_what_it_does():
    for path in document()["paths"].values():
        for operation in path.values():
            assert operation["summary"].endswith(".")


def test_the_server_gives_the_document_with_its_own_address(api):
    assert api.call("GET", "/v3/openapi.json").json()["servers"] == [{"url": api.base}]


#: What Tapis does not have, or only in its documentation; our extensions of it are marked as such.
OURS = re.compile(r"/v3/(tapisjobs/|openapi|.*/((follow|preview)/|annotation$|notifications$))")


@pytest.mark.needs("tapipy")
@pytest.mark.parametrize("service", ["jobs", "apps", "systems", "files", "oauth2", "tenants", "sites"])
def test_methods_paths_and_names_are_those_of_tapipys_specifications(service):
    name = {"oauth2": "authenticator", "sites": "tenants"}.get(service, service)
    found = importlib.util.find_spec("tapipy")
    assert found is not None
    assert found.origin is not None
    text = (Path(found.origin).parent / "resources" / f"openapi_v3-{name}.yml").read_text()
    theirs = yaml.load(text, Loader=yaml.CSafeLoader)["paths"]
    named = {
        (method.upper(), _plain(path)): operation["operationId"]
        for path, methods in theirs.items()
        for method, operation in methods.items()
        if isinstance(operation, dict) and "operationId" in operation
    }
    mine = [route for route in TABLE if route.service == service and not route.extension]
    mine = [route for route in mine if not OURS.match(route.path)]
    assert mine
    for route in mine:
        assert named.get((route.method, _plain(route.path))) == route.operation, route.path


def _plain(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path).rstrip("/").removeprefix("/v3")


def test_a_misspelt_path_gets_the_nearest_one():
    assert Routes(TABLE).near("/v3/jobs/lsit") == " Did you mean /v3/jobs/list?"
