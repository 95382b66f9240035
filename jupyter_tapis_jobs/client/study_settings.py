"""What may be set of a study beside its cases, by the names that a person uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError
from ..model.extensions import Extension
from . import bulk

if TYPE_CHECKING:
    from .tapis import Tapis

SETTINGS = ("launchMode", "maxFailures", "maxRunning")


def settings_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study's settings by Tapis's style of names; ``max_running`` is ``maxRunning``."""
    named = {wire_name(name): value for name, value in given.items()}
    for name, value in named.items():
        if name not in SETTINGS:
            raise InvalidInputError(
                f"'{name}' is not a setting of a study: {', '.join(SETTINGS)}.", field=name, value=value
            )
        if name != "launchMode" and value is not None and not _is_limit(value):
            raise InvalidInputError(
                f"{name} must be a whole number from 1 on, or None for no limit, not {value!r}.",
                field=name,
                value=value,
            )
    bulk.checked_launch_mode(named.get("launchMode"))
    return named


def _is_limit(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def want_studies(tapis: Tapis) -> None:
    """Raise ``InvalidInputError`` where the server keeps no studies."""
    if not tapis.can(Extension.STUDIES):
        raise InvalidInputError(
            f"{tapis.connection.url} keeps no studies: they need our own server. There, "
            "tapis.submit_many(cases, …) submits one job a case."
        )


def wire_name(name: str) -> str:
    """Return a name in Tapis's style: ``max_running`` is ``maxRunning``."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
