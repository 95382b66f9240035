"""What its owner may call a study, a workflow or a template: text that can be a part of an address."""

from __future__ import annotations

from typing import Any

from .errors import InvalidInputError
from .texts import is_blank, refuse_control, shown

#: Characters of the name of a study or a workflow.
LONGEST = 120


def refuse_bad_name(
    name: Any, what: str = "a study", *, longest: int = LONGEST, is_word: bool = False
) -> None:
    """Raise ``InvalidInputError`` unless *name* can be that of *what*; one that *is_word* has no blanks."""
    if isinstance(name, str):
        refuse_control(name, "name")
        # "." and ".." are no part of an address: they are another address.
        is_part = not is_blank(name) and "/" not in name and name not in (".", "..") and name == name.strip()
        if is_part and len(name) <= longest and (not is_word or _is_word(name)):
            return
    rule = "without blanks, quotes and '/'" if is_word else "no '/', no space at its ends"
    raise InvalidInputError(
        f"name {shown(name)} cannot name {what}: text of 1 to {longest} characters, {rule}.",
        field="name",
        value=name,
    )


def _is_word(name: str) -> bool:
    """True for what an option of a cell takes as it is: its value ends at a blank."""
    return not any(sign.isspace() or sign in "\"'" for sign in name)
