"""``output://NODE/path``: an output of another node of the same workflow, in the place of an input's URL.

Of a fan-out, ``output://GROUP/path``, it is that output of each of its nodes, below ``GROUP/ROW/``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

from .errors import InvalidInputError
from .paths import relative
from .texts import shown

OUTPUT = "output://"
_INPUTS = "fileInputs"
#: What of an input says where it goes; a whole group has places of its own.
_TARGET = "targetPath"

#: What stands for one input that names an output: (node or group, path, the input) -> inputs.
Bring = Callable[[str, str, Mapping[str, Any]], list[dict[str, Any]]]


def output_url(node: str, path: str) -> str:
    """Return the URL of an output of *node*."""
    return f"{OUTPUT}{node}/{quote(_checked(path, node), safe='/@:+,=~')}"


def node_and_path(url: str) -> tuple[str, str]:
    """Return node (or group) and path that an ``output://`` URL names."""
    node, _, path = url.removeprefix(OUTPUT).partition("/")
    return node, _checked(unquote(path), node)


def named_nodes(request: Mapping[str, Any]) -> list[str]:
    """Return the nodes and groups whose outputs a request takes, in order."""
    return list(dict.fromkeys(node_and_path(item["sourceUrl"])[0] for item in _references(request)))


def with_outputs(request: Mapping[str, Any], bring: Bring) -> dict[str, Any]:
    """Return *request* with what *bring* makes of each input that names an output."""
    if not any(_references(request)):
        return dict(request)
    inputs: list[Any] = []
    for item in request[_INPUTS]:
        inputs += bring(*node_and_path(item["sourceUrl"]), item) if _is_reference(item) else [item]
    return {**request, _INPUTS: inputs}


def target_of(item: Mapping[str, Any], path: str) -> str:
    """Return where one output goes: blank or ``*`` is its own name."""
    given = item.get(_TARGET)
    return path.rpartition("/")[2] if given in (None, "", "*") else str(given)


def _references(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    inputs = request.get(_INPUTS)
    # What else is wrong with them is told as for any request.
    yield from (item for item in inputs if _is_reference(item)) if isinstance(inputs, list) else ()


def _is_reference(item: Any) -> bool:
    url = item.get("sourceUrl") if isinstance(item, Mapping) else None
    return isinstance(url, str) and url.startswith(OUTPUT)


def _checked(path: str, node: str) -> str:
    found = relative(path, "fileInputs.sourceUrl")
    if not found or not node:
        raise InvalidInputError(
            f"{shown(OUTPUT + node + '/' + path)} names no output. Write {OUTPUT}NODE/file.csv.",
            field="fileInputs.sourceUrl",
            value=path,
        )
    return found
