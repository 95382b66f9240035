"""A named template of jobs: the defaults of a request, and the names of what a person has to give."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import did_you_mean
from .texts import VARIABLE_NAME, shown

#: Shorthand -> the part of a request that it fills; ``script`` is an input of that name.
_PARTS = {"args": "appArgs", "env": "envVariables"}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTemplate:
    """One template of one owner; ``request`` is JSON, ``required`` the names that have to be given."""

    owner: str
    name: str
    description: str
    request: str
    required: tuple[str, ...]
    created: str
    updated: str


def missing(request: Mapping[str, Any], required: Sequence[str]) -> list[str]:
    """Return those of *required* that *request* says nothing of, in their order.

    A name is a field, a shorthand of ``tapis.submit`` (``script``, ``args``, …), or the name of an
    argument, an input or an environment variable.
    """
    given = frozenset(_given(request))
    return [name for name in required if name not in given]


def no_template(name: str, known: Collection[str]) -> str:
    """Return the sentence for a template that is not among the *known* of its owner."""
    listed = f" Templates: {', '.join(sorted(known)[:12])}." if known else " You have none yet."
    way = f" To save one: tapis.template({shown(name)}, app=…, maxMinutes=30)."
    return f"There is no template {shown(name)}.{did_you_mean(name, known)}{listed}{way}"


def slots(app: Mapping[str, Any]) -> dict[str, str]:
    """Return what the definition *app* names -> the shorthand that fills it: inputs, args or env."""
    attributes = app.get("jobAttributes") or {}
    parameters = attributes.get("parameterSet") or {}
    named = {
        "inputs": [item.get("name") for item in attributes.get("fileInputs") or []],
        "args": [item.get("name") for item in parameters.get("appArgs") or []],
        "env": [item.get("key") for item in parameters.get("envVariables") or []],
    }
    return {str(name): part for part, names in named.items() for name in names if name}


def shorthand_of(name: str, found: Mapping[str, str]) -> str | None:
    """Return the shorthand that gives *name* its value; None when nothing does.

    *found* are the app's ``slots``; what is none of them can only be an environment variable.
    """
    if name in found:
        return found[name]
    return "env" if VARIABLE_NAME.fullmatch(name) else None


def _given(request: Mapping[str, Any]) -> Iterator[str]:
    yield from (name for name, value in request.items() if value not in (None, "", [], {}))
    inputs = request.get("fileInputs") or []
    yield from ("inputs", "files") if inputs else ()
    yield from (str(item["name"]) for item in inputs if item.get("name") and item.get("sourceUrl"))
    parameters = request.get("parameterSet") or {}
    yield from (shorthand for shorthand, part in _PARTS.items() if parameters.get(part))
    for item in parameters.get("envVariables") or []:
        if item.get("value") not in (None, ""):
            yield str(item.get("key"))
    for part in ("appArgs", "containerArgs", "schedulerOptions"):
        for item in parameters.get(part) or []:
            if item.get("name") and item.get("arg"):
                yield str(item["name"])
