"""Two grammars of a search that name attribute, operator and value, with points between.

- query parameters ``status.eq=FINISHED&created.gt=2026-01`` (``from_query``);
- a list ``(status.eq.FINISHED)~(name.like.case*)`` (``from_list``).

All conditions must hold. In a pattern ``*`` is any text and ``!`` one character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .attributes import JOB_ATTRIBUTES, Kind, check_op, known_attribute
from .conditions import Comparison, Condition, Value, all_of
from .errors import InvalidInputError
from .search_notes import NOTE_OPS, PREFIX, check_note_op, note_and_op, note_path
from .search_values import typed
from .texts import shown

_MANY = frozenset({"in", "nin", "contains", "ncontains"})
_TWO = frozenset({"between", "nbetween"})
#: Query parameters that are not conditions.
PAGING = frozenset(
    [
        "limit",
        "skip",
        "startAfter",
        "orderBy",
        "computeTotal",
        "select",
        "listType",
        "pretty",
        "showDeleted",
        "search",
        "includeHidden",
        "format",
        "requireExecPerm",
        "hasCredentials",
        "impersonationId",
        "resourceTenant",
    ]
)


def from_query(params: Mapping[str, str], attributes: Mapping[str, Kind] = JOB_ATTRIBUTES) -> Condition:
    """Read ``attribute.op=value`` parameters, of jobs also ``notes.KEY.op=value``.

    Those of ``PAGING`` are passed over, no operator means eq.
    """
    parts = [
        _comparison(*_attribute_and_op(key), value, attributes)
        for key, value in params.items()
        if key not in PAGING
    ]
    return all_of(parts)


def from_list(text: str, attributes: Mapping[str, Kind] = JOB_ATTRIBUTES) -> Condition:
    r"""Read ``(attribute.op.value)~(…)``; ``\`` before ``~ , ( )`` takes their meaning."""
    parts = []
    for item in _split_unescaped(text.strip(), "~"):
        inner = item.strip()
        if inner.startswith("(") and inner.endswith(")") and not inner.endswith("\\)"):
            inner = inner[1:-1]
        if inner.startswith(PREFIX) and attributes is JOB_ATTRIBUTES:
            parts.append(_listed_note(inner))
            continue
        name, dot, rest = inner.partition(".")
        op, second_dot, value = rest.partition(".")
        if not (name and dot and op and second_dot):
            raise InvalidInputError(
                f"search {shown(item)} cannot be read. Write (attribute.operator.value), joined by '~'.",
                field="search",
                value=text,
            )
        parts.append(_comparison(name, op.lower(), value, attributes))
    return all_of(parts)


def _listed_note(text: str) -> Comparison:
    """Read ``notes.KEY.op.value``: the first operator ends the key, as a value may hold points too."""
    parts = text.split(".")
    at = next((n for n in range(2, len(parts) - 1) if parts[n].lower() in NOTE_OPS), None)
    if at is None:
        raise InvalidInputError(
            f"search {shown(text)} cannot be read. Write (notes.KEY.operator.value).",
            field="search",
            value=text,
        )
    return _note(".".join(parts[:at]), parts[at].lower(), ".".join(parts[at + 1 :]))


def _note(name: str, op: str, text: str) -> Comparison:
    note_path(name)
    check_note_op(op, name)
    if op in ("like", "nlike"):
        return Comparison(name, op, _sql_pattern(text))
    if op in _MANY:
        return Comparison(name, op, tuple(_split_unescaped(text, ",")))
    return Comparison(name, op, _unescaped(text))


def _attribute_and_op(key: str) -> tuple[str, str]:
    if key.startswith(PREFIX):
        return note_and_op(key)
    name, _, op = key.partition(".")
    return name, op.lower() or "eq"


def _comparison(name: str, op: str, text: str, attributes: Mapping[str, Kind]) -> Comparison:
    if name.startswith(PREFIX) and attributes is JOB_ATTRIBUTES:
        return _note(name, op, text)
    attribute = known_attribute(name, attributes)
    kind = attributes[attribute]
    check_op(op, name, kind)
    if op in ("like", "nlike"):
        return Comparison(attribute, op, _sql_pattern(text))
    if op in _MANY or op in _TWO:
        values = tuple(typed(part, kind, name) for part in _split_unescaped(text, ","))
        return Comparison(attribute, op, _checked_pair(values, op, name, text))
    return Comparison(attribute, op, typed(_unescaped(text), kind, name))


def _checked_pair(values: tuple[Value, ...], op: str, name: str, text: str) -> tuple[Value, ...]:
    if op in _TWO and len(values) != 2:
        raise InvalidInputError(
            f"{name} {op} needs two values, not {shown(text)}. Write them with a comma between.",
            field=name,
            value=text,
        )
    return values


def _split_unescaped(text: str, at: str) -> Iterator[str]:
    r"""Split *text* at *at* where no backslash stands before it; the parts keep other escapes for later."""
    parts = re.split(rf"(?<!\\){re.escape(at)}", text)
    return (_unescaped(part) if at == "," else part for part in parts)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([~,().!*\\])", r"\1", text)


def _sql_pattern(text: str) -> str:
    r"""Return a pattern of ours (``*`` any text, ``!`` one character, ``\`` escapes) as SQL has it."""
    return re.sub(r"\\?.", lambda found: _SQL_OF.get(found[0], _escaped(found[0])), text, flags=re.DOTALL)


_SQL_OF = {"*": "%", "!": "_", "%": r"\%", "_": r"\_", "\\": r"\\", "\\\\": r"\\"}


def _escaped(token: str) -> str:
    return token if len(token) == 1 else f"\\{token[1]}" if token[1] in "%_" else token[1]
