"""The panel in a cell: a widget whose module talks to the server from the page, whatever the kernel is doing.

It carries no address and no token: the page's own cookie signs it in.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ..client.panel import use_in_notebook
from ..model.errors import JobError

#: Made from ``labextension/`` with the Lab extension.
FOLDER = Path(__file__).parent.parent / "panel"


def make() -> Any:
    """Return a new panel; ``JobError`` says what is not installed."""
    return _widget()()


@cache
def _widget() -> type[Any]:
    try:
        anywidget: Any = import_module("anywidget")
    except ImportError as cause:
        raise JobError(
            "The panel needs anywidget: pip install anywidget, and load the page again."
        ) from cause
    module, style = FOLDER / "panel.js", FOLDER / "panel.css"
    if not module.is_file():
        raise JobError(
            "The panel was not built when this package was installed, as Node.js was not there. "
            "Install Node.js 20.19 or newer and run the installation again; tapis.jobs() works without."
        )

    class Panel(anywidget.AnyWidget):  # type: ignore[misc]
        """The jobs of this Jupyter server."""

        _esm = module
        _css = style

    return Panel


def register(shell: Any) -> None:
    """Let ``tapis.panel()`` make panels in this notebook."""
    use_in_notebook(make)
