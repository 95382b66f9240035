"""The id of a case: the same whenever the same thing would be run, however it is written down.

    identity = app_identity(definition)                    # once: the app's definition as the server gives it
    case_id(row, template.uses, identity, inputs, work=template.work_of(given), defaults=…) -> "3f2a…" (16)

    inputs: of each input file of the case that is no template (texts of `files` and `script` are in `work`)
        local_input(target, sha256_of_its_bytes) -> str             local file: by content
        remote_input(url, target, size, modified) -> str            remote one: by URL, size, time (or None)

What counts: the parameters that the template uses (numbers by value, 1 = 1.0; columns in any order;
a parameter at its default is as if it were not there), the app with version and definition, arguments,
environment and inputs. What does not: name, system, queue, nodes, cores, memory, minutes, archive, tags.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from .builtin import BUILTIN
from .case_values import Plain, Row, number

_DIGITS = 16
#: Made once: thousands of short texts are written.
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
#: What of an app's definition says what is run; the rest are defaults of resources, words and rights.
_APP = (
    "id",
    "version",
    "runtime",
    "runtimeVersion",
    "runtimeOptions",
    "containerImage",
    "strictFileInputs",
)
_APP_JOB = ("isMpi", "mpiCmd", "cmdPrefix", "fileInputs", "fileInputArrays")
_PARAMETERS = ("appArgs", "containerArgs", "envVariables")
#: What of a request, in Tapis's form or in shorthands, says what is run; `inputs` are told by content.
_WORK = ("args", "env", "script", "files", "fileInputs", "fileInputArrays")
#: What is said to people only.
_WORDS = {"description", "notes"}


def canonical(value: Any) -> str:
    """Return JSON data as the one text that all equal data share.

    Keys are sorted, numbers are by value, bytes and paths are as their text. Raises ``ValueError`` for
    NaN and infinity, ``TypeError`` for what JSON has not.
    """
    return _JSON.encode(_normal(value))


def digest(text: str) -> str:
    """Return the SHA-256 of *text*, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def case_id(
    parameters: Row,
    template_uses: Collection[str],
    app: str,
    inputs: Iterable[str] = (),
    *,
    work: str = "",
    defaults: Mapping[str, Plain] | None = None,
) -> str:
    """Return the id of a case, 16 hexadecimal digits.

    *app* is from ``app_identity``, *inputs* from ``local_input`` and ``remote_input``, *work* from the
    template. Raises ``ValueError`` for NaN and infinity.
    """
    plain = defaults or {}
    counted = {
        name: number(value) if isinstance(value, float) else value
        for name, value in parameters.items()
        if name in template_uses and not (name in plain and same(value, plain[name]))
    }
    return digest(_JSON.encode([counted, app, work, sorted(inputs)]))[:_DIGITS]


def same(one: Plain, other: Plain) -> bool:
    """True when both are the same value: 1 and 1.0 are, 1 and true and "1" are not."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def app_identity(definition: Mapping[str, Any]) -> str:
    """Return what stands for an app in the ids of its cases: a digest of what of it says what is run."""
    attributes = definition.get("jobAttributes") or {}
    parts = {name: definition.get(name) for name in _APP} | {"containerImage": _image(definition)}
    parts |= {name: attributes.get(name, definition.get(name)) for name in _APP_JOB}
    return digest(canonical(_said(parts | _parameters(attributes))))


def _image(definition: Mapping[str, Any]) -> Any:
    """Return the image of an app; of one that every server has, whatever folder that server keeps it in."""
    image = definition.get("containerImage")
    own = f"/apps/{definition.get('id')}-{definition.get('version')}.zip"
    is_builtin = definition.get("id") in BUILTIN["app"] and str(image).startswith("tapis://local/")
    return own if is_builtin and str(image).endswith(own) else image


def work_parts(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a request, shorthands included, says what is run."""
    parts = {name: given.get(name) for name in _WORK} | _parameters(given)
    return {name: part for name, part in parts.items() if part not in (None, [], {})}


def local_input(target: str, sha256: str) -> str:
    """Return what stands for a file of this machine that is put at *target*: its content."""
    return canonical(["local", target, sha256])


def remote_input(
    url: str, target: str = "", size: int | None = None, modified: str | float | None = None
) -> str:
    """Return what stands for a file elsewhere that is put at *target*; None for what is not known."""
    return canonical(["remote", url, target, size, modified])


def _parameters(request: Mapping[str, Any]) -> dict[str, Any]:
    held = request.get("parameterSet") or {}
    return {name: held.get(name) for name in _PARAMETERS} if isinstance(held, Mapping) else {}


def _said(value: Any) -> Any:
    """Leave out what says nothing: null, empty, and words for people."""
    if isinstance(value, Mapping):
        said = {key: _said(item) for key, item in value.items() if key not in _WORDS}
        return {key: item for key, item in said.items() if item not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        return [_said(item) for item in value]
    return value


def _normal(value: Any) -> Any:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Mapping):
        return {str(key): _normal(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_normal(item) for item in value]
    if isinstance(value, bytes):
        return {"sha256": hashlib.sha256(value).hexdigest()}
    return str(value) if isinstance(value, PurePath) else value
