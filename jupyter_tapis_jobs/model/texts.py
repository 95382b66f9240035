"""Characters that a text may not hold, by its kind (Tapis Jobs, "Text validation")."""

from __future__ import annotations

import re

from .errors import InvalidInputError

#: They have no printed form: 0x00-1F and 7F-9F.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: What a terminal would act on, and marks that change the direction of text.
UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]")
#: To a shell they join, redirect or start commands.
DANGEROUS = re.compile(r"[&><|;`]")
#: The name of an environment variable.
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

_CONTROL_NAMES = {"\n": "a newline", "\t": "a tab", "\r": "a carriage return", "\0": "a null character"}


def refuse_control(text: str, field: str, way_out: str = "Remove it.") -> None:
    """Raise ``InvalidInputError`` when *text*, the value of *field*, holds a control character."""
    # Nearly every text is printable, and this asks ten times faster than the pattern.
    if not text.isprintable() and (found := CONTROL.search(text)):
        name = _CONTROL_NAMES.get(found[0], f"the control character {found[0]!r}")
        raise InvalidInputError(
            f"{field} holds {name} (character {found.start() + 1} of {shown(text)}). {way_out}",
            field=field,
            value=text,
        )


def refuse_dangerous(text: str, field: str) -> None:
    """Raise ``InvalidInputError`` when *text*, the value of *field*, holds a control or shell character."""
    refuse_control(text, field)
    if found := DANGEROUS.search(text):
        raise InvalidInputError(
            f"{field} {shown(text)} holds {found[0]!r}, which a shell would act on. "
            "It may not hold any of & > < | ; `.",
            field=field,
            value=text,
        )


def printable(text: str) -> str:
    """Return *text* as a terminal may have it: what it would act on becomes a replacement character."""
    return UNPRINTED.sub("\ufffd", text)


def is_blank(text: str | None) -> bool:
    """True when *text* counts as unset: missing, empty or white space."""
    return not text or text.isspace()


def shown(value: object, longest: int = 60) -> str:
    """Return *value* as a sentence shows it: quoted, shortened, without control characters."""
    text = repr(value)
    return (
        text if len(text) <= longest else f"{text[: longest - 4]}...{text[0] if text[0] in _QUOTES else ''}"
    )


_QUOTES = "\"'"
