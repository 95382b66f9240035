"""One value of a job with where it comes from, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

REQUEST, SCRIPT, APP, QUEUE, SYSTEM, DEFAULT = "request", "script", "app", "queue", "system", "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One value of a job and where it comes from.

    ``field`` is its path in Tapis's words, with the name of a list's item: ``parameterSet.appArgs 'k'``.
    ``why`` says more where there is more: what was written before macros, or the rule that counted.
    """

    field: str
    #: None for what the app offers and the job does not take.
    value: Any
    #: "request", "script", "app", "queue", "system" or "default".
    source: str
    why: str = ""


def as_written(said: str | None, value: str | None) -> str:
    """Tell what was written where macros have made something else of it."""
    macros = said is not None and said != value and ("${" in said or "HOST_EVAL(" in said)
    return f"written {said}" if macros else ""


def label_of(name: str | None, number: int) -> str:
    """Return how an item of a list is told: by its name, else by its place."""
    return f"'{name}'" if name else f"[{number}]"


def mode_of(mode: Any) -> str:
    """Return an input mode as it is told, "" for none."""
    return str(mode) if mode else ""
