"""A filled form as a request, and a request as a filled form (see ``app_form``)."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from .app import App, AppFileInput, AppParameterSet
from .app_form import ARGUMENTS, has_script, input_key
from .errors import InvalidInputError
from .fields import FileInputMode, InputMode
from .names import wire_name
from .request_shape import refuse_odd_parts
from .shorthands import merged
from .urls import data_bytes, is_data

#: Fields that are the request's own.
_PLAIN = (
    "name",
    "execSystemId",
    "execSystemLogicalQueue",
    "nodeCount",
    "coresPerNode",
    "memoryMB",
    "maxMinutes",
)
#: Field of the form -> the scheduler's option.
_OPTIONS = {"allocation": "--account", "reservation": "--reservation"}


def request_of(app: App, values: Mapping[str, Any], rest: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the request that *values* ask for, with *rest*, of which the form has no fields.

    What is left at the app's own default is not said again. Raises ``InvalidInputError`` for values that
    are no form's.
    """
    refuse_odd_parts(rest or {})
    plain = {name: values[name] for name in _PLAIN if values.get(name) not in (None, "")}
    found = {"appId": app.id, "appVersion": app.version, **plain}
    parameters = {name: items for name, items in _parameters(app, values) if items}
    inputs = [*_inputs(app, values)]
    found |= {"fileInputs": inputs} if inputs else {}
    found |= {"parameterSet": parameters} if parameters else {}
    return merged(found, rest or {})


def values_of(app: App, request: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a form's values for *request*, and the rest of it, of which a form has no fields."""
    refuse_odd_parts(request)
    values = {name: request[name] for name in _PLAIN if request.get(name) is not None}
    rest = {key: value for key, value in request.items() if key not in (*_PLAIN, "appId", "appVersion")}
    _take_inputs(app, values, rest)
    _take_parameters(app, values, rest)
    return values, {key: value for key, value in rest.items() if value not in (None, [], {})}


# -- to a request


def _parameters(app: App, values: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    parameters = app.job_attributes.parameter_set or AppParameterSet()
    for section, field in ARGUMENTS.items():
        given = _section(values, section)
        items = [
            found
            for item in getattr(parameters, field) or []
            if item.name and (found := _filled(item.name, item.arg, item.input_mode, given, "name", "arg"))
        ]
        if section == "args":
            items += [{"arg": shlex.quote(str(word))} for word in _rows(values, "moreArgs")]
        if section == "schedulerOptions":
            items += [
                {"arg": f"{flag}={values[name]}"} for name, flag in _OPTIONS.items() if values.get(name)
            ]
        yield wire_name(field), items
    given = _section(values, "env")
    variables = [
        found
        for item in parameters.env_variables or []
        if (
            found := _filled(
                item.key, item.value, item.input_mode or InputMode.INCLUDE_BY_DEFAULT, given, "key", "value"
            )
        )
    ]
    more = [
        {"key": str(row["key"]), "value": str(row.get("value") or "")}
        for row in _rows(values, "moreEnv")
        if isinstance(row, Mapping) and row.get("key")
    ]
    yield "envVariables", [*variables, *more]


def _filled(
    name: str, own: str | None, mode: InputMode | None, given: Mapping[str, Any], key: str, value: str
) -> dict[str, Any] | None:
    """Return the request's entry for what the app names; None where nothing has to be said."""
    text = given.get(name)
    if mode is InputMode.FIXED:
        return None
    if text in (None, ""):
        # Emptied: what the app puts in by itself is left out.
        is_left_out = mode is InputMode.INCLUDE_BY_DEFAULT and name in given
        return {key: name, "include": False} if is_left_out else None
    if mode is not InputMode.INCLUDE_ON_DEMAND and mode is not None and str(text) == own:
        return None
    return {key: name, value: str(text)}


def _inputs(app: App, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if has_script(app) and values.get("script"):
        held = base64.b64encode(str(values["script"]).encode()).decode()
        yield {"name": "script", "sourceUrl": f"data:application/octet-stream;base64,{held}"}
    urls, targets = _section(values, "inputs"), _section(values, "targets")
    for item in _named(app):
        url, target = urls.get(input_key(item)), targets.get(input_key(item))
        if target in ("", item.target_path):
            target = None
        if url in (None, "") or (url == item.source_url and target is None and _is_needed(item)):
            continue
        naming = {"name": item.name} if item.name else {"targetPath": item.target_path}
        yield {**naming, "sourceUrl": str(url), **({"targetPath": str(target)} if target else {})}
    for row in _rows(values, "moreInputs"):
        if isinstance(row, Mapping) and row.get("sourceUrl"):
            place = {"targetPath": str(row["targetPath"])} if row.get("targetPath") else {}
            yield {"sourceUrl": str(row["sourceUrl"]), **place}


def _named(app: App) -> list[AppFileInput]:
    inputs = app.job_attributes.file_inputs or []
    shown = [item for item in inputs if item.name != "script" and input_key(item)]
    return [item for item in shown if item.input_mode is not FileInputMode.FIXED]


def _is_needed(item: AppFileInput) -> bool:
    return item.input_mode is FileInputMode.REQUIRED


def _section(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name) or {}
    if not isinstance(found, Mapping):
        raise InvalidInputError(
            f"values.{name} must be an object of names and texts.", field=f"values.{name}"
        )
    return found


def _rows(values: Mapping[str, Any], name: str) -> list[Any]:
    found = values.get(name) or []
    if not isinstance(found, list):
        raise InvalidInputError(f"values.{name} must be a list.", field=f"values.{name}")
    return [item for item in found if item not in (None, "")]


# -- from a request


def _take_inputs(app: App, values: dict[str, Any], rest: dict[str, Any]) -> None:
    named = {item.name: input_key(item) for item in _named(app) if item.name}
    unnamed = {item.target_path: input_key(item) for item in _named(app) if not item.name}
    kept = []
    for given in rest.pop("fileInputs", None) or []:
        item = {key: value for key, value in given.items() if value is not None}
        name, url, target = item.get("name"), item.get("sourceUrl"), item.get("targetPath")
        text = _text(url) if name == "script" and has_script(app) else None
        key = named.get(name) if name else unnamed.get(target)
        if set(item) - {"name", "sourceUrl", "targetPath"} or not isinstance(url, str):
            kept.append(given)
        elif text is not None:
            values["script"] = text
        elif key is not None:
            values.setdefault("inputs", {})[key] = url
            if name and target:
                values.setdefault("targets", {})[key] = target
        elif name is None and not is_data(url) and not app.strict_file_inputs:
            row = {"sourceUrl": url} | ({"targetPath": target} if target else {})
            values.setdefault("moreInputs", []).append(row)
        else:
            kept.append(given)
    rest["fileInputs"] = kept


def _text(url: Any) -> str | None:
    if not isinstance(url, str) or not is_data(url):
        return None
    try:
        return data_bytes(url).decode("utf-8")
    except (InvalidInputError, UnicodeDecodeError):
        return None


def _take_parameters(app: App, values: dict[str, Any], rest: dict[str, Any]) -> None:
    own = app.job_attributes.parameter_set or AppParameterSet()
    parameters = dict(rest.pop("parameterSet", None) or {})
    for section, field in ARGUMENTS.items():
        names = {item.name for item in getattr(own, field) or [] if item.name}
        kept = []
        for item in parameters.pop(wire_name(field), None) or []:
            if not _take(item, names, "name", "arg", values, section) and not _take_more(
                item, section, values
            ):
                kept.append(item)
        parameters[wire_name(field)] = kept
    keys = {item.key for item in own.env_variables or []}
    kept = []
    for item in parameters.pop("envVariables", None) or []:
        if _take(item, keys, "key", "value", values, "env"):
            continue
        if set(item) <= {"key", "value"}:
            values.setdefault("moreEnv", []).append(dict(item))
        else:
            kept.append(item)
    parameters["envVariables"] = kept
    rest["parameterSet"] = {name: part for name, part in parameters.items() if part not in (None, [], {})}


def _take(
    item: Mapping[str, Any],
    names: set[str | None] | set[str],
    key: str,
    value: str,
    values: dict[str, Any],
    to: str,
) -> bool:
    """Put an entry that the app names into the form; False where the form has no field for it."""
    said = {name: part for name, part in item.items() if part is not None}
    if said.get(key) not in names or set(said) - {key, value, "include"}:
        return False
    if said.get("include") is False:
        values.setdefault(to, {})[said[key]] = ""
        return value not in said
    if value not in said:
        return False
    values.setdefault(to, {})[said[key]] = said[value]
    return True


def _take_more(item: Mapping[str, Any], section: str, values: dict[str, Any]) -> bool:
    said = {name: part for name, part in item.items() if part is not None}
    arg = said.get("arg")
    if set(said) != {"arg"} or not isinstance(arg, str):
        return False
    if section == "args":
        try:
            words = shlex.split(arg)
        except ValueError:
            return False
        if len(words) != 1 or shlex.quote(words[0]) != arg:
            return False
        values.setdefault("moreArgs", []).append(words[0])
        return True
    flag, sign, text = arg.partition("=")
    name = next((name for name, option in _OPTIONS.items() if option == flag), None)
    if section != "schedulerOptions" or not sign or name is None or name in values:
        return False
    values[name] = text
    return True
