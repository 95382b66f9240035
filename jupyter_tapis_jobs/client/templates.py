"""Named templates of jobs: saved, found, and submitted with what they leave to be given."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, did_you_mean
from ..model.extensions import Extension
from ..model.shorthands import SHORTHANDS, merged
from ..model.template import missing, shorthand_of, slots
from ..model.texts import shown
from . import frames
from .builder import REQUEST_FIELDS, RequestBuilder
from .connection import segment
from .processing import named_process
from .request import build, exec_systems, read_request

if TYPE_CHECKING:
    import pandas as pd

    from .job import Job
    from .tapis import Tapis

_TEMPLATES = "/v3/tapisjobs/templates"
_FIELDS = REQUEST_FIELDS | frozenset(SHORTHANDS)
FRAME: frames.Columns = {
    "name": frames.TEXT,
    "app": frames.TEXT,
    "required": frames.TEXT,
    "description": frames.TEXT,
    "updated": frames.TIME,
}


class Template:
    """The defaults of a job, by name; see ``Tapis.template``."""

    def __init__(self, tapis: Tapis, told: Mapping[str, Any]) -> None:
        self._tapis = tapis
        self.name = str(told["name"])
        self.description = str(told.get("description") or "")
        self.required = tuple(told.get("required") or ())
        self.defaults: dict[str, Any] = dict(told["request"])

    @property
    def app(self) -> str:
        """The app, with its version where the template says one."""
        version = self.defaults.get("appVersion")
        return f"{self.defaults['appId']}@{version}" if version else str(self.defaults["appId"])

    def __repr__(self) -> str:
        lines = [f"Template {self.name} of app {self.app}", self.description, f"required: {self._wanted}"]
        plain = {name: value for name, value in self.defaults.items() if not name.startswith("app")}
        lines += [f"{name}: {shown(value, 100)}" for name, value in plain.items()]
        return "\n  ".join(line for line in lines if line)

    def submit(self, **fields: Any) -> Job:
        """Submit a job with *fields* over the defaults, and return it at once; as ``request`` otherwise."""
        return self._tapis.submit(self.request(**fields))

    def request(self, **fields: Any) -> dict[str, Any]:
        """Return the Tapis request of the defaults with *fields* over them.

        *fields* are those of ``tapis.submit``, shorthands too, and names of the app's inputs, arguments
        and environment variables: ``template.request(script=text, damping=0.05)``. A given input or
        named argument takes the place of the template's.

        Raises ``InvalidInputError`` that names all that is required and missing, or a name that is none.
        """
        return RequestBuilder(self._tapis).request(self.filled(fields), {})

    def filled(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return *fields* over the defaults, shorthands as they are; raises as ``request`` does."""
        given = self._placed(fields)
        base = _without(self.defaults, given)
        self._want_required(base, given)
        return merged(base, given)

    def delete(self) -> None:
        """Delete the template; its jobs stay. ``NotFoundError`` when it is gone already."""
        self._tapis.connection.call("DELETE", f"{_TEMPLATES}/{segment(self.name)}")

    @property
    def _wanted(self) -> str:
        return ", ".join(self.required) or "nothing"

    def _placed(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return *fields* with what the app names put into its shorthand."""
        given = {name: value for name, value in fields.items() if name in _FIELDS}
        others = [name for name in fields if name not in _FIELDS]
        found = self._slots() if others else {}
        for name in others:
            part = shorthand_of(name, found) if name in (*found, *self.required) else None
            if part is None:
                known = {*_FIELDS, *found, *self.required}
                raise InvalidInputError(
                    f"Template {self.name} and its app {self.app} know no '{name}'."
                    f"{did_you_mean(name, known)} Required: {self._wanted}. "
                    f"Other variables go into env={{{name!r}: …}}.",
                    field=name,
                    value=fields[name],
                )
            given[part] = {**_mapping(part, given.get(part), name), name: fields[name]}
        return given

    def _slots(self) -> dict[str, str]:
        app_id, _, version = self.app.partition("@")
        return slots(self._tapis.app(app_id, version or None))

    def _want_required(self, base: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        inner = [given[part] for part in ("args", "env", "inputs") if isinstance(given.get(part), Mapping)]
        said = {str(name) for part in (given, *inner) for name, value in part.items() if _is_said(value)}
        fields = {name: value for name, value in given.items() if name not in SHORTHANDS}
        absent = [name for name in missing(merged(base, fields), self.required) if name not in said]
        if absent:
            raise InvalidInputError(
                f"Template {self.name} wants {', '.join(absent)} too: "
                f"tapis.template({self.name!r}).submit({', '.join(f'{name}=…' for name in absent)}).",
                field=absent[0],
            )


def template_of(
    tapis: Tapis,
    name: str,
    app: str | Path | Mapping[str, Any] | None = None,
    *,
    required: Sequence[str] = (),
    description: str = "",
    replace: bool = False,
    **given: Any,
) -> Template:
    """Save a template, or return the one of that *name*; see ``Tapis.template``."""
    tapis.need(Extension.TEMPLATES, "keep templates of jobs")
    if app is None:
        app = {"appId": given.pop("appId")} if given.get("appId") else None
    if app is None:
        if required or given or description or replace:
            raise InvalidInputError(
                f"Which app? To save a template: tapis.template('{name}', app='bash', …). To use the one "
                f"that is there: tapis.template('{name}').submit(…).",
                field="app",
            )
        return Template(tapis, tapis.connection.get(f"{_TEMPLATES}/{segment(name)}"))
    names = [required] if isinstance(required, str) else list(required)
    request = _defaults(tapis, read_request(app), given)
    _check_required(tapis, request, names)
    body = {"name": name, "description": description, "request": request, "required": names}
    return Template(tapis, tapis.connection.post(_TEMPLATES, {**body, "replace": replace}))


def templates_frame(tapis: Tapis) -> pd.DataFrame:
    """Return the caller's templates as a frame; see ``Tapis.templates``."""
    rows = [
        {**row, "app": row["appId"], "required": ", ".join(row["required"])} for row in template_rows(tapis)
    ]
    return frames.from_rows(rows, FRAME)


def template_rows(tapis: Tapis) -> list[Mapping[str, Any]]:
    """Return the caller's templates as the server tells them, by name, without their requests."""
    tapis.need(Extension.TEMPLATES, "keep templates of jobs")
    return list(tapis.connection.get(_TEMPLATES) or [])


def _defaults(tapis: Tapis, base: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the partial request to be kept; files beside the notebook travel in it."""
    fields = {name: value for name, value in given.items() if name not in SHORTHANDS}
    _refuse_unknown(fields)
    wanted = merged(base, fields)
    # A whole request in YAML may have shorthands of its own.
    shorthands = {name: wanted.pop(name) for name in SHORTHANDS if name in wanted} | {
        name: given[name] for name in SHORTHANDS if given.get(name) is not None
    }
    named_process(shorthands.get("process"))
    request = exec_systems(copy.deepcopy(wanted))
    if shorthands and isinstance(request.get("appId"), str):
        app = tapis.app(request["appId"], request.get("appVersion"))
        build(request, app, tapis.carrier(request.get("execSystemId")), shorthands)
    return request


def _refuse_unknown(fields: Mapping[str, Any]) -> None:
    for name in fields:
        if name not in _FIELDS:
            raise InvalidInputError(
                f"'{name}' is not a field of a request.{did_you_mean(name, _FIELDS)} "
                f"Variables go into env={{{name!r}: …}}.",
                field=name,
                value=fields[name],
            )


def _check_required(tapis: Tapis, request: Mapping[str, Any], names: Sequence[Any]) -> None:
    """Refuse a slip: a name that nobody knows and that is nearly one that is known."""
    others = [name for name in names if name not in _FIELDS]
    if not others or not isinstance(request.get("appId"), str):
        return
    found = slots(tapis.app(request["appId"], request.get("appVersion")))
    for name in others:
        hint = did_you_mean(str(name), {*_FIELDS, *found})
        if name not in found and (hint or shorthand_of(str(name), found) is None):
            raise InvalidInputError(
                f"required holds {shown(name)}, which is no field, input, argument or variable of app "
                f"{request['appId']}.{hint}",
                field="required",
                value=name,
            )


def _without(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of *base* without the inputs and named arguments that *given* brings anew."""
    request = copy.deepcopy(dict(base))
    inputs, args = given.get("inputs"), given.get("args")
    named = {str(name) for name in inputs} if isinstance(inputs, Mapping) else set[str]()
    _drop(request, "fileInputs", named | ({"script"} if given.get("script") is not None else set()))
    if isinstance(args, Mapping) and isinstance(request.get("parameterSet"), dict):
        _drop(request["parameterSet"], "appArgs", {str(name) for name in args})
    return request


def _drop(part: dict[str, Any], field: str, names: set[str]) -> None:
    if part.get(field):
        part[field] = [item for item in part[field] if item.get("name") not in names]


def _is_said(value: Any) -> bool:
    return value is not None and not (isinstance(value, str | list | tuple | dict) and not value)


def _mapping(part: str, value: Any, name: str) -> Mapping[str, Any]:
    """Return what is given for a shorthand beside the *name* that is to go into it."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInputError(
            f"{name} is one of the app's {part}, and {part} is given as a list beside it. Write "
            f"{part}={{'{name}': …, …}}.",
            field=part,
        )
    return value
