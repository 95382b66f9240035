"""``{{ expression }}`` in a text: where it stands and what it means; all other text is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

OPEN, CLOSE = "{{", "}}"
#: Where an expression leaves its value; no name that anybody would use.
_VALUE = "_tapisjobs_value"
#: Items of what one step of an expression makes, and bits of a power: a slip must not fill the memory.
_ITEMS, _BITS = 1_000_000, 100_000


def _range(*limits: int) -> range:
    found = range(*limits)
    _refuse_more(len(found))
    return found


_FUNCTIONS = (abs, bool, dict, float, int, len, list, max, min, repr, round, sorted, str, sum, tuple)
#: Functions that an expression may use beside its names.
BUILTINS: Mapping[str, Callable[..., Any]] = {
    **{function.__name__: function for function in _FUNCTIONS},
    "range": _range,
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


def compiled(expression: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return *expression* (Jinja's language, sandboxed) as a function of its names.

    Raises jinja2's ``TemplateSyntaxError`` when it cannot be read. A name that is not there gives an
    ``Undefined`` of jinja2.
    """
    from jinja2 import nodes

    found = nodes.Assign(nodes.Name(_VALUE, "store"), _parsed(expression), lineno=1)
    template = _environment().from_string(nodes.Template([found], lineno=1))

    def value(names: Mapping[str, Any]) -> Any:
        # Shared: the names are looked up where they are, not copied beside Jinja's own.
        context = template.new_context(names, shared=True)
        for _ in template.root_render_func(context):
            pass
        return context.vars[_VALUE]

    return value


def readable(expression: str) -> bool:
    """True when *expression* is one."""
    from jinja2 import TemplateSyntaxError

    try:
        _parsed(expression)
    except TemplateSyntaxError:
        return False
    return True


def names_in(expression: str) -> frozenset[str]:
    """Return the names that *expression* takes from outside, functions among them."""
    from jinja2 import meta, nodes

    output = nodes.Output([_parsed(expression)], lineno=1)
    return frozenset(meta.find_undeclared_variables(_of_environment(nodes.Template([output], lineno=1))))


def filters_in(expression: str) -> frozenset[str]:
    """Return the filters that *expression* uses: ``k | round`` has ``round``."""
    from jinja2 import nodes

    parsed = nodes.Output([_parsed(expression)])
    return frozenset(node.name for node in parsed.find_all(nodes.Filter))


def _parsed(expression: str) -> Any:
    from jinja2 import TemplateSyntaxError
    from jinja2.parser import Parser

    parser = Parser(_environment(), expression, state="variable")
    found = parser.parse_expression()
    if not parser.stream.eos:
        raise TemplateSyntaxError("there is more after the expression", parser.stream.current.lineno)
    return _of_environment(found)


def _of_environment(node: Any) -> Any:
    return node.set_environment(_environment())


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


def _times(left: Any, right: Any) -> Any:
    for some, count in ((left, right), (right, left)):
        if isinstance(some, str | list | tuple) and isinstance(count, int):
            _refuse_more(len(some) * count)
    return left * right


def _power(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > _BITS:
        raise OverflowError("the power is too large a number")
    return left**right


def _refuse_more(count: int) -> None:
    if count > _ITEMS:
        raise OverflowError(f"{count:,} items or characters are more than the {_ITEMS:,} that are allowed")


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {"*": _times, "**": _power}


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2.sandbox import SandboxedEnvironment

    class Bounded(SandboxedEnvironment):
        """The sandbox, which also looks at what could grow without end."""

        intercepted_binops = frozenset(_OPERATORS)

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            """Return what *operator* makes of both."""
            return _OPERATORS[operator](left, right)

    environment = Bounded()
    # An expression names what it is given; Jinja's own functions are not among that.
    environment.globals.clear()
    return environment
