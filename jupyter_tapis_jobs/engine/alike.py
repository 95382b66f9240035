"""Requests that differ in nothing but plain values: what one of them passes, the others pass too.

For checking the thousands of cases of a study before they are run. A value is free where no rule looks
at more of it than that it is plain: the name, texts of arguments and variables that nobody has fixed, and
the bytes of ``data:`` inputs. Whatever else differs makes another key, and is checked by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ..model.app import App
from ..model.batch_script import SCRIPT_APP
from ..model.errors import InvalidInputError, TapisJobsError
from ..model.fields import FileInputMode, InputMode
from ..model.system import System
from ..model.urls import data_bytes

#: Letters and figures that are no macro, no quote, no control, no way up, and fit into a job's name.
_NAME = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*", re.ASCII)
#: What a shell takes as it is, words parted by blanks.
_TEXT = re.compile(r"[A-Za-z0-9_@%+=:,./-]{1,1024}(?: [A-Za-z0-9_@%+=:,./-]{1,1024}){0,64}", re.ASCII)
_BASE64 = re.compile(r"data:[a-z/+.-]{0,64};base64")


class _Free:
    """Stands in a key for a free value. No value of JSON is written like it."""

    def __repr__(self) -> str:
        return "<free>"


_FREE = _Free()


class Fixed(NamedTuple):
    """What app and system fix: names of variables and of arguments; and whether any input is."""

    variables: frozenset[str]
    arguments: frozenset[str]
    inputs: bool


class Alike:
    """Gives requests their keys.

    *app* finds an app by id and version, *system* the system of an app's request by its id.
    """

    def __init__(self, app: Callable[[str, str], App], system: Callable[[str, App], System]) -> None:
        self._app = app
        self._system = system
        self._fixed = lru_cache(maxsize=None)(self._looked_up)

    def key(self, raw: Mapping[str, Any]) -> str | None:
        """Return the same text for requests that pass together; None for one that is checked by itself."""
        if not isinstance(raw, Mapping):
            return None
        names = [raw.get(name) for name in ("appId", "appVersion", "execSystemId")]
        if not all(isinstance(name, str) for name in names[:2]) or names[0] == SCRIPT_APP:
            return None
        fixed = self._fixed(names[0], names[1], names[2] if isinstance(names[2], str) else "")
        return None if fixed is None else repr(_opened(raw, fixed))

    def _looked_up(self, app_id: str, version: str, system_id: str) -> Fixed | None:
        """Return what is fixed for the requests of an app on a system; None where that is not known."""
        try:
            app = self._app(app_id, version)
            name = system_id or app.job_attributes.exec_system_id
            system = self._system(name, app) if name else None
        except TapisJobsError:
            return None
        return None if system is None else fixed_by(app, system)


def fixed_by(app: App, system: System) -> Fixed:
    """Return what *app* and *system* fix."""
    attributes = app.job_attributes
    parameters = attributes.parameter_set
    variables = [*(system.job_env_variables or ()), *((parameters and parameters.env_variables) or ())]
    arguments = (parameters and parameters.app_args) or ()
    return Fixed(
        variables=frozenset(item.key for item in variables if item.input_mode is InputMode.FIXED),
        arguments=frozenset(item.name or "" for item in arguments if item.input_mode is InputMode.FIXED),
        inputs=any(item.input_mode is FileInputMode.FIXED for item in attributes.file_inputs or ()),
    )


def _opened(raw: Mapping[str, Any], fixed: Fixed) -> dict[str, Any]:
    """Return a request with its free values taken out."""
    found = dict(raw)
    if _is(_NAME, raw.get("name")):
        found["name"] = _FREE
    parameters = raw.get("parameterSet")
    if isinstance(parameters, Mapping):
        found["parameterSet"] = opened = dict(parameters)
        for part, value, name, closed in (
            ("envVariables", "value", "key", fixed.variables),
            ("appArgs", "arg", "name", fixed.arguments),
        ):
            if isinstance(items := parameters.get(part), list):
                opened[part] = [_open_text(item, value, name, closed) for item in items]
    inputs = raw.get("fileInputs")
    if isinstance(inputs, list) and not fixed.inputs and _are_apart(inputs):
        found["fileInputs"] = [_open_data(item) for item in inputs]
    return found


def _open_text(item: Any, value: str, name: str, closed: frozenset[str]) -> Any:
    if not isinstance(item, dict) or not _is(_TEXT, item.get(value)) or item.get(name) in closed:
        return item
    return {**item, value: _FREE}


def _are_apart(inputs: Sequence[Any]) -> bool:
    """True where each input has a target of its own: then none can be the very same as another."""
    targets = {item.get("targetPath") for item in inputs if isinstance(item, dict)}
    return len(targets) == len(inputs) and all(isinstance(target, str) and target for target in targets)


def _open_data(item: dict[str, Any]) -> dict[str, Any]:
    url = item.get("sourceUrl")
    if not isinstance(url, str) or not _BASE64.fullmatch(head := url.partition(",")[0]):
        return item
    try:
        data_bytes(url)
    except InvalidInputError:
        return item
    return {**item, "sourceUrl": (head, _FREE)}


def _is(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
