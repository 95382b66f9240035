"""Templates of jobs (ours): the caller's own, by name."""

from __future__ import annotations

from ..model.extensions import Extension
from .call import Call
from .reply import Reply, Rows
from .route import Route, Takes
from .wire_templates import NewTemplate, TemplateDetails, TemplateRow, row_to_wire, template_to_wire


async def get_templates(call: Call) -> Reply:
    """List one's own templates, by name."""
    found = await call.door.look_up(lambda thread: thread.templates.every(call.user))
    return Reply(Rows(found, row_to_wire), f"JOBS_TEMPLATES_FOUND Templates found: {len(found)}.")


async def save_template(call: Call) -> Reply:
    """Save a template; with ``replace`` over the one that has its name."""
    body = call.body
    template = await call.door.change(
        lambda thread: thread.templates.save(
            call.user,
            body.name,
            body.request,
            required=body.required,
            description=body.description,
            replace=body.replace,
        )
    )
    return Reply(template_to_wire(template), f"JOBS_TEMPLATE_SAVED Template {template.name} is saved.")


async def get_template(call: Call) -> Reply:
    """Return one of one's own templates."""
    found = await call.door.look_up(lambda thread: thread.templates.get(call.user, call.path["name"]))
    return Reply(template_to_wire(found), f"JOBS_TEMPLATE_FOUND Template found: {found.name}.")


async def delete_template(call: Call) -> Reply:
    """Delete one of one's own templates; its jobs stay."""
    name = call.path["name"]
    found = await call.door.look_up(lambda thread: thread.templates.get(call.user, name))
    await call.door.change(lambda thread: thread.templates.delete(call.user, name))
    return Reply(template_to_wire(found), f"JOBS_TEMPLATE_DELETED Template {name} is deleted.")


_TEMPLATES = "/v3/tapisjobs/templates"
_OURS = Extension.TEMPLATES
ROUTES = (
    Route("GET", _TEMPLATES, "getTemplates", get_templates, result=list[TemplateRow], extension=_OURS),
    Route("POST", _TEMPLATES, "saveTemplate", save_template, body=NewTemplate, takes=Takes.MODEL,
          result=TemplateDetails, extension=_OURS),
    Route("GET", f"{_TEMPLATES}/{{name}}", "getTemplate", get_template, result=TemplateDetails,
          extension=_OURS),
    Route("DELETE", f"{_TEMPLATES}/{{name}}", "deleteTemplate", delete_template, result=TemplateDetails,
          extension=_OURS),
)  # fmt: skip
