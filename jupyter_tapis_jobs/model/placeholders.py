"""``{{ expression }}`` in a text: where it stands and what it means; all other text is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

OPEN, CLOSE = "{{", "}}"
#: Functions that an expression may use beside its names.
BUILTINS: Mapping[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (abs, bool, float, int, len, list, max, min, range, repr, round, sorted, str, sum, tuple)
}


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Yield ``(True, plain text)`` and ``(False, expression)`` in order.

    An expression begins and ends in the same line; ``{{}}`` and a ``{{`` that its line does not close
    are plain text.
    """
    plain_from = position = 0
    while (start := text.find(OPEN, position)) >= 0:
        end = _end(text, start)
        position = start + 2 if end < 0 else end + 2
        expression = text[start + 2 : end]
        if end >= 0 and expression.strip():
            yield True, text[plain_from:start]
            yield False, expression
            plain_from = position
    yield True, text[plain_from:]


def compiled(expression: str) -> Any:
    """Return *expression* (Jinja's language, sandboxed) as a function of its names.

    Raises jinja2's ``TemplateSyntaxError`` when it cannot be read.
    """
    return _environment().compile_expression(expression, undefined_to_none=False)


def readable(expression: str) -> bool:
    """True when *expression* is one."""
    from jinja2 import TemplateSyntaxError

    try:
        compiled(expression)
    except TemplateSyntaxError:
        return False
    return True


def names_in(expression: str) -> frozenset[str]:
    """Return the names that *expression* takes from outside, functions among them."""
    from jinja2 import meta

    return frozenset(meta.find_undeclared_variables(_parsed(expression)))


def filters_in(expression: str) -> frozenset[str]:
    """Return the filters that *expression* uses: ``k | round`` has ``round``."""
    from jinja2 import nodes

    return frozenset(node.name for node in _parsed(expression).find_all(nodes.Filter))


def _parsed(expression: str) -> Any:
    return _environment().parse(f"{OPEN} {expression} {CLOSE}")


def _end(text: str, start: int) -> int:
    """Return where the expression opened at *start* ends: at the first ``}}`` that leaves it readable.

    The first ``}}`` of the line when none does, -1 when there is none.
    """
    stop = text.find("\n", start)
    stop = len(text) if stop < 0 else stop
    first = end = text.find(CLOSE, start + 2, stop)
    while end >= 0:
        expression = text[start + 2 : end]
        if not expression.strip() or readable(expression):
            return end
        end = text.find(CLOSE, end + 1, stop)
    return first


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment()
