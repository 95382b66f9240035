"""Calls of functions as requests of jobs: what they share is carried once, each has its own arguments."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, did_you_mean
from ..model.shorthands import SHORTHANDS
from .builder import REQUEST_FIELDS, RequestBuilder
from .call_remote.script import ARGUMENTS, BUNDLE
from .carrier import Carrier, inlined
from .pickled import Arguments, bundle, name_of, pickled_arguments, runner

if TYPE_CHECKING:
    from .tapis import Tapis

#: Bytes of arguments that travel inside a request: a thousand requests of one call stay below 16 MB.
_INLINE = 8 * 1024
#: Characters of a function's name that go into a job's, which has 64 with its number.
_NAME = 48
_APP, _PYTHON = "python", "TAPIS_PYTHON"
#: What our script and the job's own fields take; the function's arguments go by ``kwargs``.
_FIELDS = REQUEST_FIELDS | set(SHORTHANDS) - {"script", "args"}
_PACKAGE = re.compile(r"[A-Za-z0-9_][\w.-]*", re.ASCII)
_NOT_IN_NAMES = re.compile(r"[^\w.-]+", re.ASCII)


class CallCarrier(Carrier):
    """Carries the arguments of a call inside its request, and what calls share by one upload."""

    def _source(self, target: str, data: bytes) -> str:
        if target == ARGUMENTS and self._inline_left and len(data) <= _INLINE:
            return inlined(data)
        return self._uploaded_data(hashlib.sha256(data).hexdigest(), target, data)


class CallRequests:
    """The requests of calls of one function, with what is the same in all of them built once.

    ``common`` are keyword arguments of every call, ``packages`` what the host's Python must have, ``fields``
    those of ``tapis.submit``. Raises ``InvalidInputError`` that names what is wrong.
    """

    def __init__(
        self,
        tapis: Tapis,
        function: Callable[..., Any],
        *,
        common: Mapping[str, Any],
        packages: Sequence[str],
        system: str | None,
        python: str | None,
        fields: Mapping[str, Any],
    ) -> None:
        _want_function(function)
        _want_packages(packages)
        _want_fields(fields)
        self._tapis = tapis
        self._function = function
        self._common = common
        self._builder = RequestBuilder(tapis, CallCarrier)
        self._name = fields.get("name")
        self._base = self._builder.request(
            _without_name(fields) | ({"execSystemId": system} if system else {}),
            {
                "script": runner(),
                "files": {**(fields.get("files") or {}), BUNDLE: bundle(function, common, packages)},
                "inputs": fields.get("inputs"),
                "env": {**(fields.get("env") or {}), **({_PYTHON: python} if python else {})},
            },
        )

    def request(self, calls: Sequence[Arguments], *, alone: bool = True) -> dict[str, Any]:
        """Return the request of the job that makes these calls; the result of one *alone* is no list."""
        for call in calls:
            _want_signature(self._function, call, self._common)
        name = self._job_name(calls[0].number)
        return self.with_arguments({**self._base, "name": name}, calls, alone=alone)

    def with_arguments(
        self, request: Mapping[str, Any], calls: Sequence[Arguments], *, alone: bool
    ) -> dict[str, Any]:
        """Return *request* with the arguments of these calls, in the place of others."""
        data = pickled_arguments(self._function, calls, alone=alone)
        own = self._builder.carriers[0].content(ARGUMENTS, data)
        others = [item for item in request["fileInputs"] if item.get("targetPath") != ARGUMENTS]
        return {**request, "fileInputs": [*others, own]}

    def changed(self, request: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return *request* with *changes*, which are as in ``job.resubmit``."""
        return self._builder.request(dict(request), changes)

    def _job_name(self, number: int | None) -> str:
        if self._name is None:
            told = _NOT_IN_NAMES.sub("", name_of(self._function))[:_NAME]
            return self._tapis.next_name(told or _APP)
        return str(self._name) if number is None else f"{self._name}-{number}"


def _without_name(fields: Mapping[str, Any]) -> dict[str, Any]:
    request = {key: value for key, value in fields.items() if key not in SHORTHANDS and value is not None}
    # Not to be counted: each call has a name of its own.
    return {"appId": _APP, **request, "name": request.get("name") or _APP}


def _want_function(function: Any) -> None:
    if not callable(function):
        raise InvalidInputError(
            f"{function!r:.60} is no function: tapis.call(function, *arguments).",
            field="function",
            value=function,
        )


def _want_packages(packages: Any) -> None:
    if isinstance(packages, str) or not isinstance(packages, Sequence):
        raise InvalidInputError(
            f"packages {packages!r:.60} is no list of names: packages=['scipy'].",
            field="packages",
            value=packages,
        )
    for name in packages:
        if not isinstance(name, str) or not _PACKAGE.fullmatch(name):
            raise InvalidInputError(
                f"packages: {name!r:.60} is no name of a module or distribution. Give the name alone, "
                "without a version: 'scipy', 'scikit-learn'.",
                field="packages",
                value=name,
            )


def _want_fields(fields: Mapping[str, Any]) -> None:
    for name in fields:
        if name not in _FIELDS:
            raise InvalidInputError(
                f"'{name}' is not a field of a job.{did_you_mean(name, _FIELDS)} "
                f"An argument of the function goes into kwargs={{'{name}': …}}.",
                field=name,
                value=fields[name],
            )


def _want_signature(function: Callable[..., Any], call: Arguments, common: Mapping[str, Any]) -> None:
    """Raise ``InvalidInputError`` where the function does not take these arguments and the *common* ones."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Some that are not written in Python do not tell.
        return
    try:
        signature.bind(*call.args, **{**common, **call.kwargs})
    except TypeError as cause:
        raise InvalidInputError(
            f"{name_of(function)}{signature} does not take the arguments{call.place}: {cause}.", field="args"
        ) from None
