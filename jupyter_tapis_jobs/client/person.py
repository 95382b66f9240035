"""Questions to the person who runs this Python: in a notebook, in a terminal, or nobody is there."""

from __future__ import annotations

import getpass
import sys
from typing import Protocol

from .progress import in_notebook


class Person(Protocol):
    """Answers questions; None when nobody is there to answer."""

    def is_there(self) -> bool:
        """Return False where surely nobody can answer."""
        ...

    def agrees(self, question: str) -> bool | None:
        """Return True for yes; anything but a yes is a no."""
        ...

    def secret(self, question: str) -> str | None:
        """Return what is typed, which is shown nowhere."""
        ...

    def instead(self, word: str, value: str = "") -> str:
        """Return how to give the answer called *word* without being asked."""
        ...


class AtTheKeyboard:
    """The person at this notebook or terminal."""

    def is_there(self) -> bool:
        """A notebook, or a terminal."""
        return in_notebook() or bool(sys.stdin and sys.stdin.isatty())

    def agrees(self, question: str) -> bool | None:
        """Ask ``question [y/N]``."""
        answer = self._asked(lambda: input(f"{question} [y/N] "))
        return None if answer is None else answer.strip().lower() in ("y", "yes")

    def secret(self, question: str) -> str | None:
        """Ask without an echo."""
        # Looked up when it is called: a kernel puts its own in place.
        return self._asked(lambda: getpass.getpass(question if question.endswith(" ") else f"{question} "))

    def instead(self, word: str, value: str = "") -> str:
        """An argument of the call."""
        if value == "True":
            return f"pass {word}=True"
        return f"pass {word}='{value}'" if value else f"pass {word}=…"

    def _asked(self, question: _Question) -> str | None:
        if not self.is_there():
            return None
        try:
            return question()
        except (EOFError, NotImplementedError):
            # A kernel run by a program takes no input: IPython's StdinNotImplementedError.
            return None


class _Question(Protocol):
    def __call__(self) -> str: ...
