"""One line that tells how the waiting goes: rewritten in place where possible, else one per change."""

from __future__ import annotations

import sys
from typing import Any, Protocol, TextIO


class Progress(Protocol):
    """Shows a line; ``change`` tells that it says something new, not only a later time."""

    def show(self, line: str, *, change: bool) -> None:
        """Show *line* in place of the one before."""
        ...

    def done(self) -> None:
        """Leave the last line standing."""
        ...


class Silent:
    """Shows nothing."""

    def show(self, line: str, *, change: bool) -> None:
        """Do nothing."""

    def done(self) -> None:
        """Do nothing."""


class LogLines:
    """A line per change, for files and pipes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, line: str, *, change: bool) -> None:
        """Write *line* when it says something new."""
        if change:
            self._out.write(line + "\n")
            self._out.flush()

    def done(self) -> None:
        """Nothing is left open."""


class TerminalLine:
    """One line of a terminal, rewritten."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, line: str, *, change: bool) -> None:
        """Rewrite the line."""
        self._out.write(f"\r\x1b[K{line}")
        self._out.flush()

    def done(self) -> None:
        """Go to the next line."""
        self._out.write("\n")
        self._out.flush()


class NotebookLine:
    """One output of a notebook cell, updated; the saved notebook keeps the last."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, line: str, *, change: bool) -> None:
        """Show the line, or update it."""
        from IPython.display import DisplayHandle

        bundle = {"text/plain": line}
        if self._handle is None:
            self._handle = DisplayHandle()  # type: ignore[no-untyped-call]  # IPython's own
            self._handle.display(bundle, raw=True)
        else:
            self._handle.update(bundle, raw=True)

    def done(self) -> None:
        """The output stands as it is."""


def choose_progress() -> Progress:
    """Return the way of showing progress that fits where this Python runs."""
    if in_notebook():
        return NotebookLine()
    return TerminalLine(sys.stdout) if sys.stdout.isatty() else LogLines(sys.stdout)


def in_notebook() -> bool:
    """True in a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None
