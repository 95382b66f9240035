"""Templates of jobs on the wire."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from ..model.template import JobTemplate
from .wire import Wire


class NewTemplate(Wire):
    """A template that is to be saved."""

    name: str
    description: str = ""
    request: dict[str, Any] = Field(description="Part of a job request: appId, and what is the default.")
    required: list[str] = Field(
        default=[],
        description="What has to be given: names of fields, inputs, arguments or environment variables.",
    )
    replace: bool = Field(False, description="Save over the template that has this name.")


class TemplateRow(Wire):
    """A template without its request."""

    name: str
    app_id: str
    description: str
    required: list[str]
    created: str
    updated: str


class TemplateDetails(TemplateRow):
    """A template."""

    request: dict[str, Any]


def row_to_wire(template: JobTemplate) -> dict[str, Any]:
    """Return a template for a list."""
    return {
        "name": template.name,
        "appId": json.loads(template.request)["appId"],
        "description": template.description,
        "required": list(template.required),
        "created": template.created,
        "updated": template.updated,
    }


def template_to_wire(template: JobTemplate) -> dict[str, Any]:
    """Return a whole template."""
    return {**row_to_wire(template), "request": json.loads(template.request)}
