"""A function and its arguments as bytes: what a job carries to another Python, and what it needs there."""

from __future__ import annotations

import importlib.util
import inspect
import io
import json
import marshal
import site
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from ..model.errors import InvalidInputError
from .call_remote.script import FUNCTION, WANTED, python_here

#: Of all pickles; each Python that we run on has it.
PROTOCOL = 5
#: The head of byte code that goes without a look at its source (PEP 552).
_UNCHECKED = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
_WAY_OUT = "Make it inside the function, or give what it is made from (a path, numbers)."


@dataclass(frozen=True, slots=True)
class Arguments:
    """What one call is given; *number* is its place among many, from 0."""

    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    number: int | None = None

    @property
    def place(self) -> str:
        """Which call of many it is, as the end of a phrase."""
        return "" if self.number is None else f" of call {self.number}"

    def named(self) -> dict[str, Any]:
        """Return the arguments by what a person calls them: by number, from 1, or by name."""
        return {**{f"{number}": value for number, value in enumerate(self.args, 1)}, **self.kwargs}


def runner() -> str:
    """Return the script that calls the function on the host."""
    return (files(__package__) / "call_remote" / "script.py").read_text("utf-8")


def bundle(function: Callable[..., Any], common: Mapping[str, Any], packages: Sequence[str]) -> bytes:
    """Return all that calls of *function* share, as a zip archive: the same bytes for the same content.

    It holds the function with the arguments *common* to all calls, what is wanted of the Python there, and
    cloudpickle. Raises ``InvalidInputError`` that names what cannot be pickled.
    """
    wanted = {
        "python": python_here(),
        "protocol": PROTOCOL,
        "packages": list(packages),
        "function": name_of(function),
    }
    members = {
        WANTED: json.dumps(wanted).encode(),
        FUNCTION: _pickled_function(function, dict(common)),
        **_cloudpickle(),
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in members.items():
            writer.writestr(
                zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED
            )
    return archive.getvalue()


def pickled_arguments(function: Callable[..., Any], calls: Sequence[Arguments], *, alone: bool) -> bytes:
    """Return the arguments of the calls of one job: those of its one call when it is *alone*, else a list.

    Raises ``InvalidInputError`` that names the one that cannot be pickled.
    """
    sent: Any = [(tuple(call.args), dict(call.kwargs)) for call in calls]
    try:
        with _by_value(function):
            return _dumped(sent[0] if alone else sent)
    except Exception as cause:
        named = ((call, _culprit(call.named())) for call in calls)
        call, culprit = next(((call, name) for call, name in named if name), (calls[0], ""))
        raise InvalidInputError(
            f"The argument {culprit or '?'}{call.place} of {name_of(function)} cannot be pickled: {cause}. "
            f"{_WAY_OUT}",
            field="kwargs" if culprit in call.kwargs else "args",
            value=culprit,
        ) from cause


def name_of(function: Callable[..., Any]) -> str:
    """Return what a function is called by people."""
    inner = _inner(function)
    return str(getattr(inner, "__name__", type(inner).__name__)).replace("<lambda>", "lambda")


def _inner(function: Callable[..., Any]) -> Any:
    """Return what a ``functools.partial`` calls; any other function itself."""
    return getattr(function, "func", function)


def _pickled_function(function: Callable[..., Any], common: dict[str, Any]) -> bytes:
    try:
        with _by_value(function):
            return _dumped((function, common))
    except Exception as cause:
        culprit = _culprit({**_variables(function), **common})
        what = f"it uses '{culprit}', which cannot be pickled" if culprit else "it cannot be pickled"
        raise InvalidInputError(
            f"The function {name_of(function)} cannot be sent: {what} ({cause}). {_WAY_OUT}",
            field="function",
            value=culprit or name_of(function),
        ) from cause


def _dumped(value: Any) -> bytes:
    return bytes(cloudpickle.dumps(value, protocol=PROTOCOL))


def _culprit(named: Mapping[str, Any]) -> str:
    """Return the name of the first value that cannot be pickled, or an empty text."""
    for name, value in named.items():
        try:
            _dumped(value)
        except Exception:  # noqa: BLE001 - pickling runs the objects' own code
            return name
    return ""


def _variables(function: Callable[..., Any]) -> dict[str, Any]:
    """Return what the function uses of its surroundings."""
    inner = _inner(function)
    if not inspect.isroutine(inner):
        return dict(vars(inner)) if hasattr(inner, "__dict__") else {}
    if owner := getattr(inner, "__self__", None):
        return {"self": owner}
    try:
        used = inspect.getclosurevars(inner)
    except (TypeError, ValueError):
        return {}
    return {**used.nonlocals, **used.globals}


@contextmanager
def _by_value(function: Callable[..., Any]) -> Iterator[None]:
    """Let the function's own module travel with it where it is a file of the caller's, which no host has."""
    inner = _inner(function)
    module = sys.modules.get(getattr(inner, "__module__", None) or type(inner).__module__)
    if (
        module is None
        or not _is_own(module)
        or module.__name__ in cloudpickle.list_registry_pickle_by_value()
    ):
        yield
        return
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)


@cache
def _is_own(module: ModuleType) -> bool:
    """True for a file that was not installed; what stands in a notebook travels by value anyhow."""
    file = getattr(module, "__file__", None)
    if file is None or module.__name__ == "__main__":
        return False
    return not any(Path(file).resolve().is_relative_to(folder) for folder in _installed())


@cache
def _installed() -> tuple[Path, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = [
        *(sysconfig.get_path(name) for name in names),
        *site.getsitepackages(),
        site.getusersitepackages(),
    ]
    return tuple(Path(folder).resolve() for folder in folders)


@cache
def _cloudpickle() -> dict[str, bytes]:
    """Return cloudpickle's own modules: hosts need not have it, nor this version of it.

    As byte code: reading the source takes longer than a short call, and the function needs the same Python.
    """
    found: dict[str, bytes] = {}
    for item in sorted(files("cloudpickle").iterdir(), key=lambda item: item.name):
        if item.name.endswith(".py"):
            name = f"cloudpickle/{item.name}"
            code = compile(item.read_bytes(), name, "exec", dont_inherit=True, optimize=2)
            found[f"{name}c"] = _UNCHECKED + marshal.dumps(code)
    return found
