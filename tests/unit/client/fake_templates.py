"""The templates of the small Tapis in memory, as our server keeps them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class FakeTemplates:
    """``/v3/tapisjobs/templates``."""

    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, request: httpx.Request, parts: list[str]) -> tuple[int, Any]:
        """Return the status, and the result or the reason."""
        if request.method == "POST":
            return self._save(json.loads(request.content))
        if not parts:
            return 200, list(self.known.values())
        if parts[0] not in self.known:
            return 404, f"There is no template {parts[0]}."
        return 200, self.known.pop(parts[0]) if request.method == "DELETE" else self.known[parts[0]]

    def _save(self, body: dict[str, Any]) -> tuple[int, Any]:
        if body["name"] in self.known and not body["replace"]:
            return 409, f"You have a template {body['name']} already; replace=True saves over it."
        told = {**body, "appId": body["request"]["appId"], "updated": "2026-01-01T00:00:00Z"}
        self.known[body["name"]] = told
        return 200, told
