"""The form of an app: JSON Schema, hints for drawing it, and what it is filled with at first.

What the app's ``notes`` say as portals understand them is kept: labels, hidden entries, choices, validators,
hidden sections, the queues and systems that are offered. Notes that say something else are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .app import App, AppArgument, AppFileInput, AppParameterSet, EnvVariable
from .fields import NOT_SET, FileInputMode, InputMode, JobType, RuntimeType
from .inheritance import DEFAULTS
from .limits import BOUNDS
from .names import wire_name
from .slow_patterns import why_slow
from .system import LogicalQueue, System
from .texts import is_blank

#: Section of the form -> field of the app's parameterSet.
ARGUMENTS: Mapping[str, str] = {
    "args": "app_args",
    "containerArgs": "container_args",
    "schedulerOptions": "scheduler_options",
}
_TITLES = {
    "args": "Arguments",
    "containerArgs": "Arguments of the container",
    "schedulerOptions": "Options of the scheduler",
    "env": "Variables",
    "inputs": "Inputs",
    "targets": "Where inputs go",
    "nodeCount": "Nodes",
    "coresPerNode": "Cores on each node",
    "memoryMB": "Memory on each node (MB)",
    "maxMinutes": "Time limit (minutes)",
}
_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
_HIDDEN = {"ui:widget": "hidden"}
_Section = tuple[dict[str, Any], list[str], dict[str, Any]]


def form_of(app: App, systems: Sequence[System], system: System | None) -> dict[str, Any]:
    """Return the form of a job of *app* on *system*; *systems* are those that may be chosen."""
    notes = _mapping(app.notes)
    offered = offered_systems(notes, systems)
    kind = kind_of(app, system)
    properties: dict[str, Any] = {
        "name": {"type": "string", "title": "Name", "minLength": 1, "maxLength": 64}
    }
    required, ui = ["name"], dict[str, Any]()
    if has_script(app):
        properties["script"] = {"type": "string", "title": "Script", "minLength": 1}
        required.append("script")
        ui["script"] = {"ui:widget": "textarea"}
    for name, section in _sections(app, notes):
        entries, needed, hints = section
        if entries:
            properties[name] = {"type": "object", "title": _TITLES[name], "properties": entries}
            properties[name] |= {"required": needed} if needed else {}
        required += [name] if needed else []
        ui |= {name: hints} if hints else {}
    properties |= _more(app)
    properties["execSystemId"] = {"type": "string", "title": "System", "enum": [s.id for s in offered]}
    rules = list[dict[str, Any]]()
    if system is not None:
        places, rules = _place(app, notes, system, kind)
        properties |= places
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "title": _word(notes.get("label")) or app.id,
        "properties": properties,
        "required": required,
        **({"allOf": rules} if rules else {}),
    }
    return {
        "appId": app.id,
        "appVersion": app.version,
        "jobType": kind,
        "about": _about(app, notes),
        "systems": [_system(each) for each in offered],
        "execSystemId": system.id if system else None,
        "queues": [_queue(queue) for queue in offered_queues(notes, system)] if kind == JobType.BATCH else [],
        "schema": schema,
        "ui": ui,
        "values": _defaults(schema) | ({"execSystemId": system.id} if system else {}),
    }


def kind_of(app: App, system: System | None) -> JobType:
    """Return FORK or BATCH as a job that does not say it would have it."""
    if app.job_type is not None:
        return app.job_type
    can_batch = system is not None and system.can_run_batch and app.runtime is not RuntimeType.DOCKER
    return JobType.BATCH if can_batch else JobType.FORK


def has_script(app: App) -> bool:
    """True when the app has an input named ``script``: its text is a field of the form."""
    return any(item.name == "script" for item in app.job_attributes.file_inputs or [])


def input_key(item: AppFileInput) -> str:
    """Return what an input is called in the form: its name, or where it goes."""
    return item.name or item.target_path or ""


def offered_systems(notes: Mapping[str, Any], systems: Sequence[System]) -> list[System]:
    """Return the systems that run jobs and that the app's notes offer."""
    able = [system for system in systems if system.can_exec and system.enabled]
    chosen = [
        _word(item.get("systemId") if isinstance(item, Mapping) else item)
        for item in _list(notes.get("dynamicExecSystems"))
    ]
    return [system for system in able if system.id in chosen] or able


def offered_queues(notes: Mapping[str, Any], system: System | None) -> list[LogicalQueue]:
    """Return the system's queues that the app's notes offer; all where none of those is there."""
    queues = list(system.queues.values()) if system else []
    names = [_word(name) for name in _list(notes.get("queueFilter"))]
    return [queue for queue in queues if queue.name in names] or queues


# -- where it runs


def _place(
    app: App, notes: Mapping[str, Any], system: System, kind: JobType
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the fields about queue, size and time, and a rule for the limits of each queue."""
    attributes, properties = app.job_attributes, dict[str, Any]()
    queues = offered_queues(notes, system) if kind == JobType.BATCH else []
    names = [queue.name for queue in queues]
    wanted = (attributes.exec_system_logical_queue, system.batch_default_logical_queue, *names)
    default = next((name for name in wanted if name in names), None)
    is_queue_shown = bool(queues) and notes.get("hideQueue") is not True
    if is_queue_shown:
        properties["execSystemLogicalQueue"] = {
            "type": "string", "title": "Queue", "enum": names, "default": default
        }  # fmt: skip
    hidden = set()
    if notes.get("hideNodeCountAndCoresPerNode") is True:
        hidden |= {"node_count", "cores_per_node"}
    if notes.get("hideMaxMinutes") is True:
        hidden.add("max_minutes")
    for name in BOUNDS:
        if name not in hidden:
            said = getattr(attributes, name)
            allowed = _limits(system.queues.get(default or "")).get(wire_name(name), {})
            properties[wire_name(name)] = {
                "type": "integer",
                "title": _TITLES[wire_name(name)],
                "minimum": 1,
                "default": said if said and said > 0 else _within(DEFAULTS[name], allowed),
            }
    if kind == JobType.BATCH:
        if notes.get("hideAllocation") is not True:
            properties["allocation"] = {"type": "string", "title": "Allocation", "pattern": r"^[\w.+-]*$"}
        if notes.get("showReservation") is True:
            properties["reservation"] = {"type": "string", "title": "Reservation", "pattern": r"^[\w.,+-]*$"}
    if is_queue_shown:
        return properties, [rule for queue in queues if (rule := _rule(queue, properties))]
    for name, limits in _limits(system.queues.get(default or "")).items():
        if name in properties:
            properties[name] |= limits
    return properties, []


def _rule(queue: LogicalQueue, properties: Mapping[str, Any]) -> dict[str, Any] | None:
    limits = {name: limit for name, limit in _limits(queue).items() if name in properties}
    if not limits:
        return None
    chosen = {"properties": {"execSystemLogicalQueue": {"const": queue.name}}}
    return {
        "if": {**chosen, "required": ["execSystemLogicalQueue"]},
        "then": {"properties": limits},
    }


def _limits(queue: LogicalQueue | None) -> dict[str, dict[str, int]]:
    """Return what a queue allows, by the field's name on the wire."""
    found: dict[str, dict[str, int]] = {}
    for field, (least_name, most_name) in BOUNDS.items() if queue else ():
        least, most = getattr(queue, least_name), getattr(queue, most_name)
        limit = {"minimum": least} if least and least > 0 else {}
        limit |= {"maximum": most} if most and most > 0 else {}
        found |= {wire_name(field): limit} if limit else {}
    return found


def _within(value: int, limits: Mapping[str, int]) -> int:
    """Return the number nearest to *value* that a queue allows."""
    return min(max(value, limits.get("minimum", value)), limits.get("maximum", value))


def _queue(queue: LogicalQueue) -> dict[str, Any]:
    return {"name": queue.name, "description": queue.description, "limits": _limits(queue)}


def _system(system: System) -> dict[str, Any]:
    return {"id": system.id, "description": system.description, "canRunBatch": system.can_run_batch}


def _about(app: App, notes: Mapping[str, Any]) -> dict[str, Any]:
    words = {name: _word(notes.get(name)) for name in ("shortLabel", "category", "icon", "helpUrl")}
    if words["helpUrl"] and not words["helpUrl"].startswith(("https://", "http://", "/")):
        words["helpUrl"] = None
    return {
        "label": _word(notes.get("label")) or app.id,
        "description": app.description,
        "isInteractive": notes.get("isInteractive") is True,
        "licenseType": _word(notes.get("licenseType")),
        **words,
    }


# -- sections


def _sections(app: App, notes: Mapping[str, Any]) -> Iterator[tuple[str, _Section]]:
    attributes = app.job_attributes
    parameters = attributes.parameter_set or AppParameterSet()
    inputs = [item for item in attributes.file_inputs or [] if item.name != "script" and input_key(item)]
    yield "inputs", _collected(_input(item) for item in inputs)
    if notes.get("showTargetPath") is True:
        yield "targets", _collected(_target(item) for item in inputs if _is_open(item))
    for section, field in ARGUMENTS.items():
        given: Sequence[AppArgument] = getattr(parameters, field) or []
        yield section, _collected(_argument(item) for item in given if item.name)
    yield "env", _collected(_variable(item) for item in parameters.env_variables or [])


#: Name, schema, whether it is needed, whether it is hidden; None for what is no field.
_Entry = tuple[str, dict[str, Any], bool, bool] | None


def _collected(entries: Iterator[_Entry]) -> _Section:
    found = [entry for entry in entries if entry is not None]
    return (
        {name: schema for name, schema, _, _ in found},
        [name for name, _, needed, _ in found if needed],
        {name: _HIDDEN for name, _, _, hidden in found if hidden},
    )


def _argument(item: AppArgument) -> _Entry:
    return _entry(item.name or "", item, item.input_mode or InputMode.INCLUDE_ON_DEMAND, item.arg)


def _variable(item: EnvVariable) -> _Entry:
    value = None if item.value == NOT_SET else item.value
    return _entry(item.key, item, item.input_mode or InputMode.INCLUDE_BY_DEFAULT, value)


def _entry(name: str, item: AppArgument | EnvVariable, mode: InputMode, value: str | None) -> _Entry:
    if mode is InputMode.FIXED:
        return None
    is_needed = mode is InputMode.REQUIRED
    default = None if mode is InputMode.INCLUDE_ON_DEMAND else value
    schema = _property(name, item.description, _mapping(item.notes), default)
    if is_needed and "oneOf" not in schema:
        schema["minLength"] = 1
    return name, schema, is_needed, _mapping(item.notes).get("isHidden") is True


def _is_open(item: AppFileInput) -> bool:
    return item.input_mode is not FileInputMode.FIXED


def _input(item: AppFileInput) -> _Entry:
    if not _is_open(item):
        return None
    notes = _mapping(item.notes)
    is_needed = item.input_mode is FileInputMode.REQUIRED
    source = None if is_blank(item.source_url) else item.source_url
    schema = _property(input_key(item), item.description, notes, source if is_needed else None)
    # An optional input comes along only when it is asked for.
    schema |= {"examples": [source]} if source and not is_needed else {}
    schema["x-picker"] = _word(notes.get("selectionMode")) or "both"
    schema |= {"minLength": 1} if is_needed else {}
    return input_key(item), schema, is_needed, notes.get("isHidden") is True


def _target(item: AppFileInput) -> _Entry:
    target = None if is_blank(item.target_path) else item.target_path
    return input_key(item), _property(input_key(item), None, {}, target), False, False


def _property(
    name: str, description: str | None, notes: Mapping[str, Any], default: str | None
) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string", "title": _word(notes.get("label")) or name}
    found |= {"description": description} if description else {}
    choices = [
        {"const": str(value), "title": str(label)}
        for choice in _list(notes.get("enum_values"))
        if isinstance(choice, Mapping)
        for value, label in choice.items()
    ]
    found |= {"oneOf": choices} if choices else {}
    if notes.get("fieldType") == "email":
        found["format"] = "email"
    elif notes.get("fieldType") == "number":
        found["pattern"] = _NUMBER
    validator = _mapping(notes.get("validator"))
    pattern = _word(validator.get("regex"))
    if pattern and _is_pattern(pattern):
        found["pattern"] = pattern
        found |= {"x-message": message} if (message := _word(validator.get("message"))) else {}
    if notes.get("inputType") == "fileInput":
        found["x-picker"] = _word(notes.get("selectionMode")) or "both"
    if default is not None and (not choices or default in [choice["const"] for choice in choices]):
        found["default"] = default
    return found


def _more(app: App) -> dict[str, Any]:
    """Return the fields for what the app does not name itself."""
    pair = {"key": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}, "value": {"type": "string"}}
    source = {"sourceUrl": {"type": "string", "x-picker": "both"}, "targetPath": {"type": "string"}}
    found = {
        "moreArgs": {"type": "array", "title": "More arguments", "items": {"type": "string"}},
        "moreEnv": _rows("More variables", pair, ["key"]),
    }
    if not app.strict_file_inputs:
        found["moreInputs"] = _rows("More inputs", source, ["sourceUrl"])
    return found


def _rows(title: str, entries: Mapping[str, Any], needed: list[str]) -> dict[str, Any]:
    items = {"type": "object", "properties": entries, "required": needed}
    return {"type": "array", "title": title, "items": items}


def _defaults(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the schema's defaults fill in, section by section."""
    found: dict[str, Any] = {}
    for name, entry in schema["properties"].items():
        if "default" in entry:
            found[name] = entry["default"]
        elif entry["type"] == "object" and (inner := _defaults(entry)):
            found[name] = inner
    return found


# -- notes, which may hold anything


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return not why_slow(text)
