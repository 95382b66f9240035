"""The grammar of a search that is like SQL's WHERE.

``status = 'FINISHED' AND (name LIKE 'case%' OR nodeCount > 1)``: comparisons, LIKE, IN, BETWEEN, AND, OR,
NOT and parentheses; texts in single quotes, no arithmetic, no IS NULL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .attributes import JOB_ATTRIBUTES, Kind, check_op, known_attribute
from .conditions import EVERYTHING, Comparison, Condition, Group, Value
from .errors import InvalidInputError
from .search_notes import PREFIX, check_note_op, note_path
from .search_values import typed
from .texts import shown

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>[+-]?\d+(?:\.\d+)?(?!\w))"
    r"|(?P<word>notes(?:\.[A-Za-z0-9_]+)+|[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign><>|!=|<=|>=|=|<|>|\(|\)|,))",
    re.ASCII,
)
_SIGNS = {"=": "eq", "!=": "neq", "<>": "neq", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_DEEPEST = 50


def from_sql(text: str, attributes: Mapping[str, Kind] = JOB_ATTRIBUTES) -> Condition:
    """Read a WHERE clause: comparisons, LIKE, IN, BETWEEN, AND, OR, NOT and parentheses."""
    return _Sql(text, attributes).condition()


@dataclass(slots=True)
class _Sql:
    """A parser by descent: OR over AND over NOT over comparisons."""

    text: str
    attributes: Mapping[str, Kind]
    tokens: list[tuple[str, str]] = field(default_factory=list)
    at: int = 0
    depth: int = 0

    def condition(self) -> Condition:
        if not self.text.strip():
            return EVERYTHING
        self.tokens = list(self._tokens())
        found = self._or()
        if self.at < len(self.tokens):
            raise self._fault(f"is not understood from {shown(self._peek()[1])} on")
        return found

    def _tokens(self) -> Iterator[tuple[str, str]]:
        at, end = 0, len(self.text.rstrip())
        while at < end:
            found = _TOKEN.match(self.text, at)
            if found is None:
                raise self._fault(f"cannot be read from {shown(self.text[at : at + 20])} on")
            at = found.end()
            kind = found.lastgroup or ""
            yield kind, found[kind]

    def _or(self) -> Condition:
        return self._joined("OR", self._and)

    def _and(self) -> Condition:
        return self._joined("AND", self._not)

    def _joined(self, joint: Literal["AND", "OR"], part: Callable[[], Condition]) -> Condition:
        parts: list[Condition] = [part()]
        while self._takes(joint):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Group(joint, tuple(parts))

    def _not(self) -> Condition:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self._fault(f"is nested more than {_DEEPEST} deep")
        found = Group("NOT", (self._not(),)) if self._takes("NOT") else self._primary()
        self.depth -= 1
        return found

    def _primary(self) -> Condition:
        if self._takes("("):
            found = self._or()
            self._needs(")")
            return found
        kind, word = self._next()
        if kind != "word":
            raise self._fault(f"has {shown(word)} where an attribute is expected")
        return self._comparison(word)

    def _comparison(self, name: str) -> Condition:
        if name.startswith(PREFIX) and self.attributes is JOB_ATTRIBUTES:
            return self._note(name)
        attribute = known_attribute(name, self.attributes)
        kind = self.attributes[attribute]
        op = self._op()
        check_op(op, name, Kind.TEXT if kind is Kind.LIST else kind)
        if op in ("like", "nlike"):
            return Comparison(attribute, op, self._literal(Kind.TEXT, name))
        if op in ("between", "nbetween"):
            low = self._literal(kind, name)
            self._needs("AND")
            return Comparison(attribute, op, (low, self._literal(kind, name)))
        if op in ("in", "nin"):
            return Comparison(attribute, self._for_list(op, kind), self._list(kind, name))
        value = self._literal(kind, name)
        if kind is Kind.LIST:
            return Comparison(attribute, self._for_list(op, kind), (value,))
        return Comparison(attribute, op, value)

    def _note(self, name: str) -> Comparison:
        note_path(name)
        op = self._op()
        check_note_op(op, name)
        if op in ("in", "nin"):
            return Comparison(name, op, self._list(Kind.TEXT, name))
        return Comparison(name, op, self._literal(Kind.TEXT, name))

    def _for_list(self, op: str, kind: Kind) -> str:
        """``tags = 'a'`` and ``tags IN ('a')`` ask what ``contains`` asks."""
        if kind is not Kind.LIST:
            return op
        asks = {"eq": "contains", "in": "contains", "neq": "ncontains", "nin": "ncontains"}
        if op not in asks:
            raise self._fault("compares a list; use =, <>, IN or NOT IN there")
        return asks[op]

    def _op(self) -> str:
        kind, word = self._next()
        if kind == "sign" and word in _SIGNS:
            return _SIGNS[word]
        negated = kind == "word" and word.upper() == "NOT"
        if negated:
            kind, word = self._next()
        if kind == "word" and word.upper() in ("LIKE", "IN", "BETWEEN"):
            return ("n" if negated else "") + word.lower()
        raise self._fault(f"has {shown(word)} where =, <>, <, >, LIKE, IN or BETWEEN is expected")

    def _list(self, kind: Kind, name: str) -> tuple[Value, ...]:
        self._needs("(")
        values = [self._literal(kind, name)]
        while self._takes(","):
            values.append(self._literal(kind, name))
        self._needs(")")
        return tuple(values)

    def _literal(self, kind: Kind, name: str) -> Value:
        token, text = self._next()
        if token == "text":  # noqa: S105 - a kind of token
            return typed(text[1:-1].replace("''", "'"), kind, name)
        if token == "number" or (token == "word" and text.lower() in ("true", "false")):  # noqa: S105
            return typed(text, kind, name)
        raise self._fault(f"has {shown(text)} where a value is expected. Put texts in single quotes")

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "its end")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self.at += 1
        return token

    def _takes(self, word: str) -> bool:
        kind, text = self._peek()
        if kind in ("word", "sign") and text.upper() == word:
            self.at += 1
            return True
        return False

    def _needs(self, word: str) -> None:
        if not self._takes(word):
            raise self._fault(f"has {shown(self._peek()[1])} where {word} is expected")

    def _fault(self, why: str) -> InvalidInputError:
        return InvalidInputError(
            f"the search {shown(self.text, 200)} {why}.", field="search", value=self.text
        )
