"""The panel's module and style, which pages fetch from the server."""

from __future__ import annotations

import httpx
import pytest

from jupyter_tapis_jobs.server.panel_files import FOLDER
from tests.conftest import TestServer

FILES = {"panel.js": "javascript", "panel.css": "text/css"}


def fetched(server: TestServer, name: str, **headers: str) -> httpx.Response:
    url = f"{server.url}tapis/v3/tapisjobs/panel/{name}"
    return httpx.get(url, headers=headers, trust_env=False)


def signed_in(server: TestServer) -> dict[str, str]:
    return {"Authorization": f"token {server.token}"}


@pytest.mark.parametrize("name", FILES)
def test_a_page_gets_the_panel_and_asks_each_time_whether_there_is_a_newer_one(
    server: TestServer, name: str
) -> None:
    if not (FOLDER / name).is_file():
        pytest.skip("the panel is not built here: install Node.js 20 and run `pip install -e .` again")
    answer = fetched(server, name, **signed_in(server))
    assert answer.status_code == 200
    assert FILES[name] in answer.headers["content-type"]
    assert answer.content == (FOLDER / name).read_bytes()
    assert answer.headers["cache-control"] == "no-cache"
    again = fetched(server, name, **signed_in(server), **{"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", FILES)
def test_who_is_not_signed_in_is_sent_away(server: TestServer, name: str) -> None:
    answer = fetched(server, name)
    assert answer.status_code == 403
    assert "text/html" in answer.headers["content-type"]


@pytest.mark.parametrize("name", ["panel_loader.js", "../app.py", "%2e%2e/app.py", "panel.jsx", ""])
def test_nothing_else_of_the_package_is_served(server: TestServer, name: str) -> None:
    assert fetched(server, name, **signed_in(server)).status_code in (403, 404)
