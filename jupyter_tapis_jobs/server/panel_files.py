"""The module and the style of the panel, fetched by the page, so that no notebook has to hold them."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

#: Made from ``labextension/`` with the Lab extension.
FOLDER = Path(__file__).parent.parent / "panel"
PATH = r"/v3/tapisjobs/panel/(panel\.(?:js|css))"


class PanelFile(JupyterHandler, web.StaticFileHandler):
    """One of the two files, as Jupyter serves its own: to everybody, as nothing in them is anybody's."""

    @allow_unauthenticated
    def get(self, path: str, include_body: bool = True) -> Coroutine[Any, Any, None]:
        """Send the file, or that the page has the newest one."""
        return super().get(path, include_body)

    @allow_unauthenticated
    def head(self, path: str) -> Coroutine[Any, Any, None]:
        """Tell of the file."""
        return super().get(path, include_body=False)

    def set_extra_headers(self, path: str) -> None:
        """Have the page ask each time whether there is a newer one, as a new version has the same name."""
        self.set_header("Cache-Control", "no-cache")
