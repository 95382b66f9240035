"""A request read from what people have: a ``%%tapisjob`` cell, or a request in JSON or YAML."""

from __future__ import annotations

import ast
import base64
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .cell_options import JOB_OPTIONS, Option, cell_input, set_field
from .errors import InvalidInputError, did_you_mean
from .placeholders import CLOSE, OPEN, pieces
from .request_shape import as_json, refuse_odd_parts
from .shorthands import arguments, merged, read_mapping, variables

MAGIC = "%%tapisjob"
_FLAGS = {flag: option for option in JOB_OPTIONS for flag in option.flags}
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
#: Stands for an expression while the line is split; no person types it.
_MARK = re.compile("\ue000(\\d+)\ue001")
#: Characters of a cell's first line.
_LONGEST_LINE = 20_000
#: What a form does not do, as it is about the notebook.
_NOTEBOOKS = frozenset({"--wait", "--follow", "-o", "--out", "--dry-run", "--raw", "-h", "--help"})


@dataclass(slots=True)
class JobText:
    """What was read. ``request`` wants the app's definition, which tells what the cell's body is."""

    app_id: str
    app_version: str | None
    fields: dict[str, Any]
    body: str | None = None
    #: The file that the body is (``--script``).
    body_file: str | None = None
    #: ``--raw``: braces are plain text.
    is_raw: bool = False
    #: What could not be taken over, one sentence each.
    warnings: list[str] = field(default_factory=list)

    def request(self, app: Mapping[str, Any]) -> dict[str, Any]:
        """Return the Tapis request for *app*, with its version where the text names none."""
        found = {"appId": self.app_id, "appVersion": self.app_version or app.get("version"), **self.fields}
        if self.body is None or not self.body.strip():
            return _without_shorthands(found, self.warnings)
        slots = [item for item in (app.get("jobAttributes") or {}).get("fileInputs") or [] if item]
        slot = next((item for item in slots if item.get("name") == "script"), None)
        if self.body_file is not None:
            inputs = [{"sourceUrl": _inlined(self.body), "targetPath": self.body_file}]
            found = merged(found, {"fileInputs": inputs})
        elif slot is not None:
            target = {"targetPath": slot["targetPath"]} if slot.get("targetPath") else {}
            script = {"name": "script", "sourceUrl": _inlined(self.body), **target}
            found = merged(found, {"fileInputs": [script]})
        else:
            found = merged(found, read_mapping(self.body, "The cell"))
        return _without_shorthands(found, self.warnings)


def read_text(text: str) -> JobText:
    """Read a cell, or a request in JSON or YAML; raises ``InvalidInputError`` when it is neither."""
    words = text.lstrip("\ufeff \t\r\n")
    if found := re.match(r"%?%tapisjob(?=\s|$)", words):
        line, _, body = words[found.end() :].partition("\n")
        return _read_cell(line.strip(), body)
    if words.startswith("%"):
        raise InvalidInputError(
            f"'{words.split()[0][:40]}' is no cell of a job. "
            f"Give a {MAGIC} cell, or a request in JSON or YAML.",
            field="text",
        )
    fields = read_mapping(words, "The text")
    app_id, version = fields.pop("appId", None), fields.pop("appVersion", None)
    if not isinstance(app_id, str) or not app_id:
        raise InvalidInputError("The request names no app: appId is missing.", field="appId")
    return JobText(app_id, None if version is None else str(version), fields)


def _read_cell(line: str, body: str) -> JobText:
    if len(line) > _LONGEST_LINE:
        raise InvalidInputError(f"The line of a cell has at most {_LONGEST_LINE:,} characters.", field="text")
    masked, expressions = _masked(line)
    found = JobText("", None, {}, body)
    for option, value in _options(masked):
        if option is None:
            if found.app_id:
                raise InvalidInputError(f"{MAGIC} takes one app, not '{found.app_id}' and '{value}'.")
            found.app_id, _, version = value.partition("@")
            found.app_version = version or None
            continue
        filled = _filled(value, expressions, option, found.warnings)
        if filled is not None:
            _apply(found, option, filled)
    if not found.app_id:
        raise InvalidInputError(f"Which app? The cell begins with {MAGIC} APP.", field="appId")
    if not found.is_raw and OPEN in body and CLOSE in body:
        found.warnings.append(
            "The body of the cell takes variables of the notebook ({{ … }}); here they are plain text."
        )
    return found


def _options(line: str) -> Iterator[tuple[Option | None, str]]:
    """Yield the options of a line with their values; what is no option is the app."""
    try:
        words = shlex.split(line)
    except ValueError as cause:
        raise InvalidInputError(f"{MAGIC}: a quote is not closed in: {line}", value=line) from cause
    rest = iter(words)
    for word in rest:
        flag, sign, value = word.partition("=")
        option = _FLAGS.get(word) or (_FLAGS.get(flag) if sign else None)
        if option is None and word.startswith("-"):
            known = [name for name in _FLAGS if name.startswith("--")]
            raise InvalidInputError(f"{MAGIC} has no option {flag}.{did_you_mean(flag, known)}", value=flag)
        if option is None or not option.value:
            yield option, word
        elif word in _FLAGS:
            given = next(rest, None)
            if given is None:
                raise InvalidInputError(f"{word} needs a value: {word} {option.value}.", value=word)
            yield option, given
        else:
            yield option, value


def _apply(found: JobText, option: Option, value: str) -> None:
    flag, fields = option.flags[-1], found.fields
    if option.field:
        fields[option.field] = _whole(value, flag) if option.whole_number else value
    elif flag == "--set":
        name, sign, text = value.partition("=")
        if not sign:
            raise InvalidInputError(f"--set {value}: expected FIELD=VALUE.", field="--set", value=value)
        found.fields = merged(fields, set_field(name.strip(), text))
    elif flag == "--arg":
        fields.setdefault("args", []).append(value)
    elif flag == "--env":
        name, sign, text = value.partition("=")
        if not sign:
            raise InvalidInputError(f"--env {value}: expected K=V.", field="--env", value=value)
        fields.setdefault("env", {})[name.strip()] = text
    elif flag == "--input":
        fields.setdefault("inputs", []).append(cell_input(value))
    elif flag == "--process":
        found.fields = merged(fields, {"notes": {"tapisjobs": {"process": value}}})
    elif flag == "--script":
        found.body_file = value
    elif flag == "--cases":
        found.warnings.append(f"--cases {value} makes a study of the notebook's data; here it is one job.")
    elif flag == "--raw":
        found.is_raw = True
    elif flag == "--template":
        raise InvalidInputError(
            f"--template {value} is no part of a request. Name the app in its place; the form has a "
            "choice of templates.",
            field="--template",
            value=value,
        )
    elif flag not in _NOTEBOOKS:
        raise InvalidInputError(f"{flag} cannot be taken over.", value=flag)


def _without_shorthands(request: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    """Return Tapis's own form; files beside a notebook cannot come along."""
    request = as_json(request)
    refuse_odd_parts(request)
    plain = {key: value for key, value in request.items() if key not in _SHORT}
    parameters = dict(plain.get("parameterSet") or {})
    if request.get("args") is not None:
        parameters["appArgs"] = [*(parameters.get("appArgs") or []), *arguments(request["args"])]
    if request.get("env") is not None:
        given = variables(request["env"])
        keys = {item["key"] for item in given}
        kept = [item for item in parameters.get("envVariables") or [] if item.get("key") not in keys]
        parameters["envVariables"] = [*kept, *given]
    inputs = [*(plain.get("fileInputs") or []), *_inputs(request.get("inputs"), warnings)]
    inputs += _files(request.get("files"))
    if isinstance(request.get("script"), str):
        inputs.append({"name": "script", "sourceUrl": _inlined(request["script"])})
    return (
        plain
        | ({"parameterSet": parameters} if parameters else {})
        | ({"fileInputs": inputs} if inputs else {})
    )


_SHORT = frozenset({"args", "env", "inputs", "files", "script"})


def _inputs(given: Any, warnings: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the inputs that are addresses; tell of the others."""
    if isinstance(given, Mapping):
        items = [(source, target) for target, source in given.items()]
    else:
        items = given if isinstance(given, list) else [given]
    for item in items:
        source, target = item if isinstance(item, tuple) else _pair(item)
        if isinstance(source, Mapping):
            yield dict(source)
        elif isinstance(source, str) and _ADDRESS.match(source):
            yield {"sourceUrl": source} | ({"targetPath": target} if target else {})
        elif source is not None:
            warnings.append(f"{source} is a file beside the notebook. Choose it again among the inputs.")


def _pair(item: Any) -> tuple[Any, Any]:
    """Return source and target of ``--input PATH:TARGET``, which is a list of two by now."""
    return (item[0], item[1]) if isinstance(item, list) and len(item) == 2 else (item, None)


def _files(given: Any) -> Iterator[dict[str, Any]]:
    for name, text in given.items() if isinstance(given, Mapping) else ():
        yield {"sourceUrl": _inlined(str(text)), "targetPath": str(name)}


def _whole(text: str, flag: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidInputError(f"{flag} {text}: expected a whole number.", field=flag, value=text) from None


# -- expressions


def _masked(line: str) -> tuple[str, list[str]]:
    """Return *line* with a mark for each expression, and the expressions."""
    expressions: list[str] = []
    parts = []
    for plain, piece in pieces(line):
        if not plain:
            expressions.append(piece)
        parts.append(piece if plain else f"\ue000{len(expressions) - 1}\ue001")
    return "".join(parts), expressions


def _filled(text: str, expressions: list[str], option: Option, warnings: list[str]) -> str | None:
    """Return an option's value with its expressions; None where they need the notebook's variables."""
    used = [expressions[int(mark[1])] for mark in _MARK.finditer(text)]
    values = [_value(expression) for expression in used]
    if None in values:
        shown = " ".join(f"{OPEN}{expression}{CLOSE}" for expression in used)
        warnings.append(f"{option.flags[-1]} {shown} takes a variable of the notebook. Write its value.")
        return None
    rest = iter(values)
    return _MARK.sub(lambda mark: next(rest) or "", text)


def _value(expression: str) -> str | None:
    """Return the value of an expression that is a literal; None for any other."""
    try:
        found = ast.literal_eval(expression.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return str(found) if isinstance(found, str | int | float) else None


def _inlined(text: str) -> str:
    return "data:application/octet-stream;base64," + base64.b64encode(text.encode()).decode()
