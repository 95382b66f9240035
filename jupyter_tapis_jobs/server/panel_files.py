"""The module and the style of the panel, fetched by the page, so that no notebook has to hold them."""

from __future__ import annotations

from pathlib import Path

from jupyter_server.base.handlers import JupyterHandler
from tornado import web

#: Made from ``labextension/`` with the Lab extension.
FOLDER = Path(__file__).parent.parent / "panel"
PATH = r"/v3/tapisjobs/panel/(panel\.(?:js|css))"


class PanelFile(JupyterHandler, web.StaticFileHandler):
    """One of the two files, for who is signed in at the page, as all else here."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Find out who asks; nobody is nobody to answer."""
        await super().prepare(_redirect_to_login=False)
        if self.current_user is None:
            raise web.HTTPError(403, "Sign in at the Jupyter server first.")

    def set_extra_headers(self, path: str) -> None:
        """Have the page ask each time whether there is a newer one, as a new version has the same name."""
        self.set_header("Cache-Control", "no-cache")
