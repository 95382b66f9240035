"""A picture of a study: static everywhere, interactive where plotly is there, never from the network."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...model.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PLOTLY = "application/vnd.plotly.v1+json"
#: Pixels that fit into a notebook beside its list of files; what is wider would be cut off there.
_WIDEST = 768
_STATIC = (".png", ".svg", ".pdf", ".jpg", ".webp")


class Picture:
    """What ``study.plot()`` returns.

    ``figure`` is matplotlib's, to change and to add to; ``interactive`` plotly's. In a notebook the PNG
    lies beside the interactive one, so that the saved notebook shows it wherever it is opened.
    """

    def __init__(
        self, figure: Figure, words: str, interactive: Callable[[], Any] | None = None, *, dpi: int = 110
    ) -> None:
        self.figure = figure
        #: What is to be seen, in one sentence: for those who do not see it.
        self.words = words
        self._draw_interactive = interactive
        self._dpi = dpi

    def __repr__(self) -> str:
        return f"Picture: {self.words}"

    @property
    def interactive(self) -> Any:
        """The same as a plotly figure. Raises ``UnavailableError`` where there is none or no plotly."""
        if self._draw_interactive is None:
            raise UnavailableError("This picture has no interactive form; .figure is matplotlib's.")
        try:
            return self._draw_interactive()
        except ImportError as cause:
            raise UnavailableError(
                "Interactive pictures need plotly: pip install 'jupyter-tapis-jobs[studies]'."
            ) from cause

    def save(self, path: str | Path) -> Path:
        """Write the picture: ``.png .svg .pdf .jpg .webp``, or ``.html``, interactive and whole by itself."""
        place = Path(path).expanduser()
        if place.suffix.lower() == ".html":
            self.interactive.write_html(place, include_plotlyjs=True, full_html=True)
        elif place.suffix.lower() in _STATIC:
            self.figure.savefig(place, dpi=2 * self._dpi)
        else:
            raise InvalidInputError(
                f"'{place.suffix}' is no kind of picture. One of: {' '.join(_STATIC)} .html.",
                field="path",
                value=str(path),
            )
        return place

    def png(self) -> bytes:
        """Return the static picture, no wider than a notebook."""
        body = io.BytesIO()
        dpi = min(self._dpi, _WIDEST / self.figure.get_figwidth())
        self.figure.savefig(body, format="png", dpi=dpi)
        return body.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        shown: dict[str, Any] = {"image/png": self.png(), "text/plain": repr(self)}
        try:
            shown[_PLOTLY] = json.loads(self.interactive.to_json())
        except UnavailableError:
            # The static one is there.
            return shown
        return shown
