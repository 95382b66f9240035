"""From what a person gives (args, inputs, env, script, files, process) to a Tapis request."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..model.errors import InvalidInputError, did_you_mean
from ..model.processing import with_process
from ..model.shorthands import arguments, read_mapping, variables
from .carrier import Carrier, local_path

_APP_NAME = re.compile(r"[A-Za-z0-9][\w.~-]*(@\S+)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|data:")


def read_request(given: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """Return the request in *given*: an app (``bash@1.0``), or a Tapis request as mapping, JSON or YAML.

    A ``Path`` is read as a file. Raises ``InvalidInputError`` when the text is no request.
    """
    if isinstance(given, Mapping):
        return copy.deepcopy(dict(given))
    if isinstance(given, str) and _APP_NAME.fullmatch(given.strip()):
        app, _, version = given.strip().partition("@")
        return {"appId": app} | ({"appVersion": version} if version else {})
    if not isinstance(given, str | Path):
        raise InvalidInputError(
            f"{given!r:.60} is no request. Give an app ('bash'), or a request as a mapping, JSON or YAML.",
            field="request",
        )
    text = given.read_text(encoding="utf-8") if isinstance(given, Path) else given
    return read_mapping(text, "The request")


def build(
    request: dict[str, Any],
    app: Mapping[str, Any],
    carrier: Carrier,
    given: Mapping[str, Any],
    folder: Path | None = None,
) -> dict[str, Any]:
    """Return *request* with the shorthands of *given* put in, for *app*.

    Only ``fileInputs``, ``parameterSet`` and ``notes`` change; what the request itself holds stays before it.
    """
    inputs = [
        *_script_inputs(app, carrier, given.get("script")),
        *_content_inputs(carrier, given.get("files")),
        *_path_inputs(app, carrier, given.get("inputs"), folder),
    ]
    if inputs:
        request["fileInputs"] = [*(request.get("fileInputs") or []), *(_named(app, item) for item in inputs)]
    if given.get("args") is not None:
        _extend(request, "appArgs", arguments(given["args"]))
    if given.get("env") is not None:
        _replace(request, "envVariables", variables(given["env"]))
    if given.get("process") is not None:
        # Notes of a request stand in the place of the app's.
        notes = app.get("notes") if request.get("notes") is None else request["notes"]
        request["notes"] = with_process(notes, given["process"])
    return request


def exec_systems(request: dict[str, Any]) -> dict[str, Any]:
    """A list of systems in ``execSystemId`` becomes Tapis's constraint on the choice."""
    systems = request.get("execSystemId")
    if isinstance(systems, str) or not isinstance(systems, Sequence):
        return request
    names = ", ".join("'" + str(name).replace("'", "''") + "'" for name in systems)
    constraints = [*(request.get("execSystemConstraints") or []), f"id IN ({names})"]
    kept = {key: value for key, value in request.items() if key != "execSystemId"}
    return {**kept, "execSystemConstraints": constraints, "dynamicExecSystem": True}


def app_inputs(app: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the file inputs that *app* declares."""
    return [item for item in (app.get("jobAttributes") or {}).get("fileInputs") or [] if item]


def app_variables(app: Mapping[str, Any]) -> set[str]:
    """Return the names of the environment variables that *app* declares."""
    parameters = (app.get("jobAttributes") or {}).get("parameterSet") or {}
    return {str(item.get("key")) for item in parameters.get("envVariables") or []}


def takes_script(app: Mapping[str, Any]) -> bool:
    """True when the app has a file input named ``script``: the text of a cell goes there."""
    return any(item.get("name") == "script" for item in app_inputs(app))


def _script_inputs(app: Mapping[str, Any], carrier: Carrier, script: Any) -> list[dict[str, Any]]:
    if script is None:
        return []
    slot = next((item for item in app_inputs(app) if item.get("name") == "script"), None)
    if slot is None:
        raise InvalidInputError(
            f"App {app.get('id')} has no file input named 'script'. Give the text as a file: "
            "files={'model.tcl': text}, and name it in args.",
            field="script",
        )
    if not isinstance(script, str | bytes):
        raise InvalidInputError(f"script must be text, not {type(script).__name__}.", field="script")
    target = str(slot.get("targetPath") or "script")
    return [{"name": "script", **carrier.content(target, script)}]


def _content_inputs(carrier: Carrier, files: Any) -> list[dict[str, Any]]:
    if files is None:
        return []
    if not isinstance(files, Mapping):
        raise InvalidInputError(
            "files must be a mapping of names to texts: {'k.txt': '3\\n'}.", field="files"
        )
    wrong = [name for name, content in files.items() if not isinstance(content, str | bytes)]
    if wrong:
        raise InvalidInputError(
            f"files['{wrong[0]}'] must be the text of the file. For a file beside the notebook: "
            f"inputs=['{wrong[0]}'].",
            field="files",
        )
    return [carrier.content(str(name), content) for name, content in files.items()]


def _path_inputs(
    app: Mapping[str, Any], carrier: Carrier, inputs: Any, folder: Path | None
) -> list[dict[str, Any]]:
    if inputs is None:
        return []
    if isinstance(inputs, Mapping):
        by_name = {item.get("name"): item for item in app_inputs(app)}
        return [
            found
            for target, source in inputs.items()
            for found in _input(carrier, source, by_name.get(str(target)), str(target), folder)
        ]
    items = [inputs] if isinstance(inputs, str | Path) else inputs
    pairs = [item if isinstance(item, tuple) else (item, None) for item in items]
    return [found for source, target in pairs for found in _input(carrier, source, None, target, folder)]


def _input(
    carrier: Carrier, source: Any, slot: Mapping[str, Any] | None, target: str | None, folder: Path | None
) -> list[dict[str, Any]]:
    """One given input: Tapis's own form, an address, or a file beside the notebook."""
    if isinstance(source, Mapping):
        return [dict(source)]
    if not isinstance(source, str | Path):
        raise InvalidInputError(
            f"inputs must hold paths or addresses, not {type(source).__name__}.", field="inputs", value=source
        )
    naming = {"name": slot["name"]} if slot else {}
    goal = str(slot.get("targetPath") or "") if slot else target
    if isinstance(source, str) and _SCHEME.match(source):
        return [naming | {"sourceUrl": source} | ({"targetPath": goal} if goal else {})]
    path = local_path(source, folder)
    return [naming | item for item in carrier.file(path, goal if goal and goal != "*" else path.name)]


def _named(app: Mapping[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """Give an input the name of the app's own input that has the same target."""
    if item.get("name") or not item.get("targetPath"):
        return item
    slot = next((s for s in app_inputs(app) if s.get("targetPath") == item["targetPath"]), None)
    return {"name": slot["name"], **item} if slot and slot.get("name") else item


def _extend(request: dict[str, Any], name: str, items: list[dict[str, Any]]) -> None:
    if items:
        parameters = dict(request.get("parameterSet") or {})
        request["parameterSet"] = parameters | {name: [*(parameters.get(name) or []), *items]}


def _replace(request: dict[str, Any], name: str, items: list[dict[str, Any]]) -> None:
    """Put variables in; a given value takes the place of one with the same key."""
    keys = {item["key"] for item in items}
    parameters = dict(request.get("parameterSet") or {})
    kept = [item for item in parameters.get(name) or [] if item.get("key") not in keys]
    if items:
        request["parameterSet"] = parameters | {name: [*kept, *items]}


def unknown_app(name: str, known: Iterable[str]) -> str:
    """Return the sentence for an app that is not there."""
    names = sorted(set(known))
    listed = f" Apps: {', '.join(names[:12])}." if names else " There are no apps yet."
    return f"App '{name}' is not here.{did_you_mean(name, names)}{listed}"
