"""A request as code: the ``%%tapisjob`` cell and the Python call that stand for it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .cell_options import JOB_OPTIONS, cell_input
from .errors import InvalidInputError
from .placeholders import OPEN
from .urls import data_bytes, is_data

#: An opening brace pair that a cell's line does not take for an expression.
_BRACES = "{{ '{{' }}"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_BEFORE = "import jupyter_tapis_jobs as tj\n\ntapis = tj.connect()\n"
#: Characters of a line of Python from which on a list or mapping is broken into lines.
_WIDTH = 88


def cell_of(request: Mapping[str, Any], app: Mapping[str, Any]) -> str | None:
    """Return the cell that submits *request*; None where no cell can (a script that is not text, …)."""
    from .job_text import read_text

    try:
        cell = _cell(_said(request), app)
        text = read_text(cell)
        is_same = same_request(text.request(app), request)
    except InvalidInputError:
        return None
    return cell if is_same and not text.warnings else None


def python_of(request: Mapping[str, Any], app: Mapping[str, Any]) -> str:
    """Return the lines of Python that submit *request*."""
    rest = _said(request)
    name, version = rest.pop("appId"), rest.pop("appVersion", None)
    given: dict[str, Any] = {} if version is None else {"appVersion": version}
    script = _script(rest, app)
    inputs = rest.pop("fileInputs", [])
    if script is not None:
        inputs = [item for item in inputs if item.get("name") != "script"]
        given["script"] = script
    texts = [_file(item) for item in inputs]
    files = {found[0]: found[1] for found in texts if found}
    if files and None not in texts and len(files) == len(texts):
        given["files"] = files
    elif inputs:
        given["fileInputs"] = inputs
    words, variables = _parameters(rest, all_plain=False)
    given |= ({"args": words} if words else {}) | ({"env": variables} if variables else {})
    lines = [_python(name), *(f"{key}={_python(value)}" for key, value in (given | rest).items())]
    body = "".join(f"    {line},\n" for line in lines)
    return f"{_BEFORE}job = tapis.submit(\n{body})\n"


def same_request(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """True when both ask for the same: what is null is unsaid, and a script may end with a newline more."""
    return _plain(_said(one)) == _plain(_said(other))


# -- the cell


def _cell(rest: dict[str, Any], app: Mapping[str, Any]) -> str:
    name, version = rest.pop("appId"), rest.pop("appVersion", None)
    words = [name if version is None else f"{name}@{version}"]
    takes_script = any(item.get("name") == "script" for item in _slots(app))
    body = _script(rest, app) if takes_script else ""
    if body is None or (takes_script and not body.strip()):
        raise InvalidInputError("A cell of this app is its script.")
    if takes_script:
        rest["fileInputs"] = [item for item in rest["fileInputs"] if item.get("name") != "script"]
    words += _fields(rest)
    plain, variables = _parameters(rest, all_plain=True)
    words += [word for arg in plain for word in ("--arg", arg)]
    words += [word for key, value in variables.items() for word in ("--env", f"{key}={value}")]
    words += _inputs(rest)
    rest = {key: value for key, value in rest.items() if value not in ([], {})}
    if takes_script:
        words += [word for field, value in _leaves(rest) for word in ("--set", f"{field}={_json(value)}")]
    elif rest:
        body = _yaml(rest)
    if OPEN in body:
        words.append("--raw")
    line = " ".join(_word(word) for word in words)
    if re.search(r"[\n\r]", line):
        raise InvalidInputError("The line of a cell is one line.")
    if not body.strip():
        # IPython wants a body below two signs, and takes one sign without.
        return f"%tapisjob {line}\n"
    return f"%%tapisjob {line}\n{body}" + ("" if body.endswith("\n") else "\n")


def _fields(rest: dict[str, Any]) -> Iterator[str]:
    """Yield the options of plain fields, and take these out of *rest*."""
    for option in JOB_OPTIONS:
        value = rest.get(option.field) if option.field else None
        fits = type(value) is int if option.whole_number else isinstance(value, str) and bool(value)
        if fits:
            yield from (option.flags[0], str(rest.pop(option.field)))


def _inputs(rest: dict[str, Any]) -> list[str]:
    """Return the options of inputs that are addresses, all or none, and take them out of *rest*."""
    items = rest.get("fileInputs", [])
    words = [_address(item) for item in items]
    if None in words:
        return []
    rest.pop("fileInputs", None)
    return [word for address in words if address for word in ("--input", address)]


def _address(item: Mapping[str, Any]) -> str | None:
    url, target = item.get("sourceUrl"), item.get("targetPath")
    if not isinstance(url, str) or not _ADDRESS.match(url) or set(item) - {"sourceUrl", "targetPath"}:
        return None
    text = f"{url}:{target}" if target else url
    return text if cell_input(text) == ((url, target) if target else url) else None


def _leaves(rest: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for field, value in rest.items():
        if field == "parameterSet":
            yield from ((f"{field}.{name}", part) for name, part in value.items())
        else:
            yield field, value


def _word(word: str) -> str:
    return shlex.quote(word).replace(OPEN, _BRACES)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _yaml(value: Any) -> str:
    import yaml

    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100))


# -- parts of a request


def _said(value: Any) -> Any:
    """Return *value* without what is null, on every level of mappings."""
    if isinstance(value, Mapping):
        return {key: _said(item) for key, item in value.items() if item is not None}
    return [_said(item) for item in value] if isinstance(value, list) else value


def _plain(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request in which equal contents have one spelling."""
    parameters = {
        key: value for key, value in request.get("parameterSet", {}).items() if value not in ([], {})
    }
    inputs = [_decoded(item) for item in request.get("fileInputs", [])]
    kept = {key: value for key, value in request.items() if key not in ("parameterSet", "fileInputs")}
    return {**kept, "parameterSet": parameters, "fileInputs": sorted(inputs, key=str)}


def _decoded(item: Mapping[str, Any]) -> dict[str, Any]:
    if not is_data(str(item.get("sourceUrl"))):
        return dict(item)
    target = {} if item.get("name") == "script" else {"targetPath": item.get("targetPath")}
    content = data_bytes(item["sourceUrl"])
    rest = {key: value for key, value in item.items() if key not in ("sourceUrl", "targetPath")}
    return {**rest, **target, "content": content.rstrip(b"\n") if item.get("name") == "script" else content}


def _slots(app: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [item for item in (app.get("jobAttributes") or {}).get("fileInputs") or [] if item]


def _script(request: Mapping[str, Any], app: Mapping[str, Any]) -> str | None:
    """Return the text that fills the app's input ``script``; None where there is none in the request."""
    slot = next((item for item in _slots(app) if item.get("name") == "script"), None)
    given = [item for item in request.get("fileInputs", []) if item.get("name") == "script"]
    if slot is None or len(given) != 1 or set(given[0]) - {"name", "sourceUrl", "targetPath"}:
        return None
    if given[0].get("targetPath") not in (None, slot.get("targetPath")):
        return None
    return _text(given[0])


def _file(item: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return target and text of an input that holds its text, and nothing else."""
    target, text = item.get("targetPath"), _text(item)
    plain = isinstance(target, str) and target not in ("", "*") and set(item) == {"sourceUrl", "targetPath"}
    return (str(target), text) if plain and text is not None else None


def _text(item: Mapping[str, Any]) -> str | None:
    url = str(item.get("sourceUrl"))
    if not is_data(url):
        return None
    try:
        text = data_bytes(url).decode("utf-8")
    except (InvalidInputError, UnicodeDecodeError):
        return None
    # A carriage return would not come back from a cell or a literal as it was.
    return None if re.search(r"[\r\0]", text) else text


def _parameters(rest: dict[str, Any], *, all_plain: bool) -> tuple[list[Any], dict[str, str]]:
    """Take arguments and variables that have a short form out of *rest*, all of a kind or none."""
    found = dict(rest.pop("parameterSet", {}))
    words = [_plain_word(item) or item for item in found.get("appArgs", [])]
    if not (all_plain and any(isinstance(word, Mapping) for word in words)):
        found.pop("appArgs", None)
    else:
        words = []
    given = found.get("envVariables", [])
    variables = {item.get("key"): item.get("value") for item in given}
    simple = all(set(item) == {"key", "value"} and isinstance(item["value"], str) for item in given)
    if simple and len(variables) == len(given):
        found.pop("envVariables", None)
    else:
        variables = {}
    if found:
        rest["parameterSet"] = found
    return words, variables


def _plain_word(item: Mapping[str, Any]) -> str | None:
    """Return the one word that an argument is; None for one with a name, variables of the host, …"""
    arg = item.get("arg")
    if set(item) != {"arg"} or not isinstance(arg, str):
        return None
    try:
        words = shlex.split(arg)
    except ValueError:
        return None
    return words[0] if len(words) == 1 and words[0] and shlex.quote(words[0]) == arg else None


# -- Python


def _python(value: Any, indent: str = "    ") -> str:
    """Return a literal of Python for a value of JSON."""
    if isinstance(value, str):
        return _lines(value) or json.dumps(value, ensure_ascii=False)
    if not isinstance(value, list | dict) or not value:
        return repr(value)
    deeper = f"{indent}    "
    if isinstance(value, list):
        parts, ends = [_python(item, deeper) for item in value], "[]"
    else:
        parts, ends = [f"{_json(key)}: {_python(item, deeper)}" for key, item in value.items()], "{}"
    flat = ", ".join(parts)
    if len(indent) + len(flat) <= _WIDTH and "\n" not in flat:
        return f"{ends[0]}{flat}{ends[1]}"
    return f"{ends[0]}\n" + "".join(f"{deeper}{part},\n" for part in parts) + f"{indent}{ends[1]}"


def _lines(text: str) -> str | None:
    """Return a text of several lines as it reads, where Python takes it so."""
    if "\n" not in text or not all(sign.isprintable() or sign in "\n\t" for sign in text):
        return None
    words = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if words.endswith('"'):
        words = f'{words[:-1]}\\"'
    return f'"""{words}"""'
