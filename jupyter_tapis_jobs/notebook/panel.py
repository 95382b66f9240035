"""The panel in a cell: a widget whose module talks to the server from the page, whatever the kernel is doing.

It carries no address and no token: the page's own cookie signs it in. On a page that is not the server's own,
its calls come as messages to this kernel, which makes them over its connection; so does what is asked of the
columns and actions that the notebook has added.

What the notebook holds of it is a loader of a few lines: the module comes from the page's server, and where
there is none from this kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..client.panel import EXTRAS, use_in_notebook
from ..client.panel_extras import asked
from ..client.relay import Relay
from ..model.errors import JobError, TapisJobsError

if TYPE_CHECKING:
    from ..client.tapis import Tapis

#: Made from ``labextension/`` with the Lab extension.
FOLDER = Path(__file__).parent.parent / "panel"
#: What a page says of the columns and actions of this kernel; all else is for the server.
_OWN = frozenset({"values", "run"})


def make(tapis: Tapis) -> Any:
    """Return a new panel of the jobs that *tapis* has; ``JobError`` says what is not installed."""
    return _widget()(tapis)


@cache
def _widget() -> type[Any]:
    try:
        anywidget: Any = import_module("anywidget")
        traitlets: Any = import_module("traitlets")
    except ImportError as cause:
        raise JobError(
            "The panel needs anywidget: pip install anywidget, and load the page again."
        ) from cause
    loader = FOLDER / "panel_loader.js"
    if not loader.is_file():
        raise JobError(
            "The panel was not built when this package was installed, as Node.js was not there. "
            "Install Node.js 20.19 or newer and run the installation again; tapis.jobs() works without."
        )

    class Panel(anywidget.AnyWidget):  # type: ignore[misc]
        """The jobs of this Jupyter server."""

        _esm = loader
        #: Titles of what the notebook has added, as ``PanelExtras.described`` tells them.
        extras = traitlets.Dict().tag(sync=True)
        #: Of the package that this panel comes from; the server may have another.
        version = traitlets.Unicode(__version__).tag(sync=True)

        def __init__(self, tapis: Tapis) -> None:
            super().__init__(extras=EXTRAS.described())
            self._tapis = tapis
            self._relay = Relay(tapis.connection, self._tell)
            self._unlisten = EXTRAS.listen(lambda: setattr(self, "extras", EXTRAS.described()))
            self.on_msg(self._hear)

        def __repr__(self) -> str:
            return "The jobs of this Jupyter server, live. Run this cell again to see them."

        def close(self) -> None:
            """Take it off all pages."""
            if "_relay" in vars(self):
                self._unlisten()
                self._relay.close()
            super().close()

        def _hear(self, _: Any, told: Any, __: Any) -> None:
            if not isinstance(told, Mapping):
                return
            if told.get("type") == "module":
                self.send({"type": "module", "id": told.get("id")}, [path.read_bytes() for path in _module()])
            elif told.get("type") in _OWN:
                self._answer(told)
            else:
                self._relay.hear(told)

        def _answer(self, told: Mapping[str, Any]) -> None:
            about = {"type": "own", "id": told.get("id")}
            try:
                self.send({**about, "result": asked(EXTRAS, self._tapis, told)})
            except TapisJobsError as fault:
                self.send({**about, "trouble": fault.message})

        def _tell(self, message: Mapping[str, Any], beside: Sequence[bytes]) -> None:
            if self.comm is not None:
                self.send(message, list(beside))

    return Panel


def _module() -> tuple[Path, Path]:
    return FOLDER / "panel.js", FOLDER / "panel.css"


def register(shell: Any) -> None:
    """Let ``tapis.panel()`` make panels in this notebook."""
    use_in_notebook(make)
