"""Definitions in a text of YAML or JSON: one or several documents, without what a text can do beyond data."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import yaml

from .errors import InvalidInputError
from .request_shape import as_json

#: Characters of a text; reading YAML takes seconds for more.
LONGEST = 250_000
#: Values that one document may stand for; aliases make many out of few.
_MOST = 200_000
#: Texts, though YAML takes ``version: 1.0`` for a number.
_TEXTS = ("id", "version")
_NUMBERS = ("tag:yaml.org,2002:float", "tag:yaml.org,2002:int", "tag:yaml.org,2002:timestamp")
_TEXT = "tag:yaml.org,2002:str"


def read_definitions(text: str) -> list[Any]:
    """Return the documents in *text* as JSON data; empty ones are left out.

    Raises ``InvalidInputError`` for what is no YAML, is too long, refers to itself or grows too large by
    its aliases.
    """
    if len(text) > LONGEST:
        raise _refused(
            f"The text has {len(text):,} characters; YAML is read up to {LONGEST:,}. "
            "Give it in parts, or as JSON."
        )
    try:
        found = [as_json(document) for document in _documents(text)]
    except RecursionError as cause:
        raise _refused("The text is nested too deeply.") from cause
    except (yaml.YAMLError, ValueError) as cause:
        place = getattr(cause, "problem_mark", None)
        line = f" in line {place.line + 1}" if place is not None else ""
        problem = getattr(cause, "problem", None) or "it cannot be parsed"
        raise _refused(f"The text is neither YAML nor JSON{line}: {problem}.") from cause
    return [document for document in found if document is not None]


def _documents(text: str) -> Iterator[Any]:
    maker = yaml.constructor.SafeConstructor()
    for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
        if _size(document, {}) > _MOST:
            raise _refused(f"The text stands for more than {_MOST:,} values.")
        for each in document.value if isinstance(document, yaml.SequenceNode) else (document,):
            _keep_texts(each)
        yield maker.construct_document(document)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many values a node stands for once its aliases are written out."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if (size := known.get(id(node))) is None:
        known[id(node)] = 0
        is_list = isinstance(node, yaml.SequenceNode)
        parts = node.value if is_list else chain.from_iterable(node.value)
        known[id(node)] = size = 1 + sum(_size(part, known) for part in parts)
    elif size == 0:
        raise _refused("The text refers to itself.")
    return size


def _keep_texts(node: yaml.Node) -> None:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value in _TEXTS and value.tag in _NUMBERS:
            value.tag = _TEXT


def _refused(words: str) -> InvalidInputError:
    return InvalidInputError(words, field="text")
