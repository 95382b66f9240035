"""``tapis.panel()``: the jobs in a cell of a notebook, drawn by what the notebook has for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..model.errors import JobError
from .panel_extras import PanelExtras
from .progress import in_notebook

if TYPE_CHECKING:
    from .tapis import Tapis

_in_notebook: list[Callable[[Tapis], Any]] = []
#: What this kernel adds to its panels.
EXTRAS = PanelExtras()


def use_in_notebook(make: Callable[[Tapis], Any]) -> None:
    """Let *make* make the panels of this kernel's notebook, of the jobs that a ``Tapis`` has."""
    _in_notebook[:] = [make]


def panel_of(tapis: Tapis) -> Any:
    """Return the widget; ``JobError`` says why there is none."""
    if not (_in_notebook and in_notebook()):
        raise JobError(
            "panel() draws in a notebook, and this is none. Call it in JupyterLab or Jupyter Notebook; "
            "elsewhere tapis.jobs() has the same jobs as a data frame."
        )
    if tapis.server() is None:
        raise JobError(
            f"The panel shows the jobs of this Jupyter server, and {tapis.connection.url} is another Tapis. "
            "tapis.jobs() has its jobs as a data frame."
        )
    return _in_notebook[0](tapis)
