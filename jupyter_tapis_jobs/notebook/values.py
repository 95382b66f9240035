"""``{{ expression }}``: values of the notebook in the text of a cell; all other text stays byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..model.errors import InvalidInputError, did_you_mean
from ..model.placeholders import BUILTINS, compiled, pieces


def fill(text: str, names: Mapping[str, Any]) -> str:
    """Return *text* with the value of each ``{{ expression }}`` in its place.

    ``{{}}`` and a ``{{`` that its line does not close are plain text. Raises ``InvalidInputError`` for an
    expression that cannot be read or evaluated.
    """
    return "".join(piece if plain else str(evaluate(piece, names)) for plain, piece in pieces(text))


def evaluate(expression: str, names: Mapping[str, Any]) -> Any:
    """Return the value of *expression* (Jinja's language, sandboxed) with the notebook's *names*."""
    from jinja2 import TemplateSyntaxError, UndefinedError
    from jinja2.exceptions import SecurityError
    from jinja2.runtime import Undefined

    shown = f"{{{{{expression}}}}}"
    try:
        value = compiled(expression)({**BUILTINS, **names})
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
