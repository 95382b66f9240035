"""What people write instead of a request's lists: args, env, and a mapping laid over another."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import InvalidInputError

SHORTHANDS = ("args", "inputs", "env", "script", "files", "process")


def arguments(args: Any) -> list[dict[str, Any]]:
    """Return ``appArgs`` from the shorthand: one item is one word for the program, whatever it holds.

    A text is one Tapis argument as it is (``$HOME`` expands on the host); a mapping gives values to
    the app's named arguments; an item that is a mapping is Tapis's own form.
    """
    if isinstance(args, str):
        return [{"arg": args}] if args.strip() else []
    if isinstance(args, Mapping):
        return [{"name": str(name), "arg": _word(value)} for name, value in args.items()]
    if not isinstance(args, Iterable) or isinstance(args, bytes):
        raise InvalidInputError(
            f"args must be a list of words, not {type(args).__name__}.", field="args", value=args
        )
    return [dict(item) if isinstance(item, Mapping) else {"arg": _word(item)} for item in args]


def variables(env: Any) -> list[dict[str, Any]]:
    """Return ``envVariables`` from a mapping of names to values."""
    if not isinstance(env, Mapping):
        raise InvalidInputError(
            f"env must be a mapping such as {{'K': 3}}, not {type(env).__name__}.", field="env", value=env
        )
    return [{"key": str(key), "value": str(value)} for key, value in env.items()]


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return *base* with *over* on top: mappings merge, lists follow one another, the rest is replaced."""
    result = dict(base)
    for key, value in over.items():
        here = result.get(key)
        if isinstance(here, Mapping) and isinstance(value, Mapping):
            result[key] = merged(here, value)
        elif isinstance(here, list) and isinstance(value, list):
            result[key] = _without_repeated_keys([*here, *value])
        else:
            result[key] = value
    return result


def read_mapping(text: str, what: str) -> dict[str, Any]:
    """Return the mapping written in *text* as YAML (and so JSON)."""
    import yaml

    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as cause:
        place = getattr(cause, "problem_mark", None)
        line = f" in line {place.line + 1}" if place is not None else ""
        problem = getattr(cause, "problem", None) or "it cannot be parsed"
        raise InvalidInputError(f"{what} is neither YAML nor JSON{line}: {problem}.") from cause
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidInputError(
            f"{what} must be a mapping of Tapis fields (nodeCount: 2), not {type(found).__name__}.",
            value=text[:200],
        )
    return found


def _without_repeated_keys(items: list[Any]) -> list[Any]:
    last = {item["key"]: item for item in items if isinstance(item, Mapping) and "key" in item}
    return [
        item for item in items if not isinstance(item, Mapping) or item is last.get(item.get("key"), item)
    ]


def _word(value: Any) -> str:
    return shlex.quote(str(value))
