"""What a dry run shows: the request that would be sent, and the script that would run."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TAPIS_VARIABLE = re.compile(r"(export )?_tapis")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A dry run; nothing was stored or started.

    ``job``, ``script`` and ``environment`` are empty on a tenant, which knows no dry run.
    """

    request: Mapping[str, Any]
    job: Mapping[str, Any] = field(default_factory=dict)
    script: str = ""
    environment: str = ""
    #: Job field -> where its value came from: request, app, queue, system, default.
    sources: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [("Request", request_text(self.request)), *self._files(), *self._resolved(), *self._warned()]
        return "\n\n".join(f"{title}\n{_rule(title)}\n{text.rstrip()}" for title, text in parts)

    def __repr__(self) -> str:
        return str(self)

    def _files(self) -> Iterator[tuple[str, str]]:
        """The texts that travel inside the request."""
        for item in self.request.get("fileInputs") or []:
            head, _, body = str(item.get("sourceUrl")).partition(",")
            if head.startswith("data:") and head.endswith(";base64"):
                yield str(item.get("targetPath")), base64.b64decode(body).decode(errors="replace")

    def _resolved(self) -> list[tuple[str, str]]:
        if not self.job:
            return [("Note", "This server knows no dry run: the request was not checked by it.")]
        return [
            ("Script (tapisjob.sh)", self.script),
            ("Environment (tapisjob.env)", self._own_environment()),
        ]

    def _own_environment(self) -> str:
        """The variables of the request, app and system; Tapis's own are many and the same for every job."""
        lines = self.environment.splitlines()
        own = [line for line in lines if not _TAPIS_VARIABLE.match(line)]
        return "\n".join([*own, f"… and {len(lines) - len(own)} variables _tapis…"])

    def _warned(self) -> list[tuple[str, str]]:
        return [("Warnings", "\n".join(f"⚠ {text}" for text in self.warnings))] if self.warnings else []


def request_text(request: Mapping[str, Any]) -> str:
    """Return *request* as JSON to read: the content of inline files is only counted."""
    return json.dumps(_readable(request), indent=2, ensure_ascii=False)


def _readable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(item) for item in value]
    if isinstance(value, str) and value.startswith("data:"):
        head, _, body = value.partition(",")
        count = len(body.rstrip("=")) * 3 // 4 if head.endswith(";base64") else len(body)
        return f"{head},… ({count} bytes)"
    return value


def _rule(title: str) -> str:
    return "─" * len(title)
