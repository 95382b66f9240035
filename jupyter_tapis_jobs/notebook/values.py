"""``{{ expression }}``: values of the notebook in the text of a cell; all other text stays byte for byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..model.errors import InvalidInputError, did_you_mean

_OPEN, _CLOSE = "{{", "}}"
#: Functions that an expression may use beside the notebook's own names.
_BUILTINS: Mapping[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (abs, bool, float, int, len, list, max, min, range, repr, round, sorted, str, sum, tuple)
}


def fill(text: str, names: Mapping[str, Any]) -> str:
    """Return *text* with the value of each ``{{ expression }}`` in its place.

    ``{{}}`` and a ``{{`` that its line does not close are plain text. Raises ``InvalidInputError`` for an
    expression that cannot be read or evaluated.
    """
    return "".join(piece if plain else str(evaluate(piece, names)) for plain, piece in pieces(text))


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Yield ``(True, plain text)`` and ``(False, expression)`` in order.

    An expression begins and ends in the same line.
    """
    plain_from = position = 0
    while (start := text.find(_OPEN, position)) >= 0:
        end = _end(text, start)
        position = start + 2 if end < 0 else end + 2
        expression = text[start + 2 : end]
        if end >= 0 and expression.strip():
            yield True, text[plain_from:start]
            yield False, expression
            plain_from = position
    yield True, text[plain_from:]


def evaluate(expression: str, names: Mapping[str, Any]) -> Any:
    """Return the value of *expression* (Jinja's language, sandboxed) with the notebook's *names*."""
    from jinja2 import TemplateSyntaxError, UndefinedError
    from jinja2.exceptions import SecurityError
    from jinja2.runtime import Undefined

    shown = f"{{{{{expression}}}}}"
    try:
        value = _compiled(expression)({**_BUILTINS, **names})
    except TemplateSyntaxError as cause:
        raise InvalidInputError(
            f"{shown} cannot be read: {cause.message}. To keep braces as they are: --raw.", value=expression
        ) from cause
    except SecurityError as cause:
        raise InvalidInputError(f"{shown} is not allowed: {cause}.", value=expression) from cause
    except UndefinedError as cause:
        raise InvalidInputError(f"{shown}: {cause}.", value=expression) from cause
    except Exception as cause:
        raise InvalidInputError(f"{shown}: {type(cause).__name__}: {cause}", value=expression) from cause
    if isinstance(value, Undefined):
        raise _unknown(shown, expression, names)
    return value


def _unknown(shown: str, expression: str, names: Mapping[str, Any]) -> InvalidInputError:
    word = re.match(r"\s*([A-Za-z_]\w*)", expression)
    name = word.group(1) if word else expression.strip()
    if name in names:
        return InvalidInputError(f"{shown} has no value in this notebook.", value=expression)
    public = [known for known in names if not known.startswith("_")]
    return InvalidInputError(
        f"{shown}: there is no variable '{name}' in this notebook.{did_you_mean(name, public)} "
        "To keep braces as they are: --raw.",
        value=expression,
    )


def _end(text: str, start: int) -> int:
    """Return where the expression opened at *start* ends: at the first ``}}`` that leaves it readable.

    The first ``}}`` of the line when none does, -1 when there is none.
    """
    stop = text.find("\n", start)
    stop = len(text) if stop < 0 else stop
    first = end = text.find(_CLOSE, start + 2, stop)
    while end >= 0:
        expression = text[start + 2 : end]
        if not expression.strip() or _readable(expression):
            return end
        end = text.find(_CLOSE, end + 1, stop)
    return first


def _readable(expression: str) -> bool:
    from jinja2 import TemplateSyntaxError

    try:
        _compiled(expression)
    except TemplateSyntaxError:
        return False
    return True


def _compiled(expression: str) -> Any:
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment().compile_expression(expression, undefined_to_none=False)
