"""What a dry run shows: each value of the job and where it comes from, and the script that would run."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..model.texts import printable

_TAPIS_VARIABLE = re.compile(r"(export )?_tapis")
#: Characters of a field, a value and a reason in a terminal; the HTML has all of them.
_WIDTHS = (48, 60, 64)
_HEAD = ("field", "value", "from", "")
_CELL = "text-align:left;vertical-align:top;padding:1px 10px 1px 0"


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
    #: Every value of the job: ``field value source why``, see ``model.origin.Origin``.
    origins: Sequence[Mapping[str, Any]] = ()
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n\n".join(f"{title}\n{_rule(title)}\n{text.rstrip()}" for title, text in self._parts())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """What a notebook shows; every text in it is escaped."""
        warned = "".join(f"<div>⚠ {html.escape(text)}</div>" for text in self.warnings)
        parts = [part for part in self._parts() if part[0] not in ("Values", "Warnings")]
        texts = "".join(_folded(title, text) for title, text in parts)
        return f"<div>{warned}{_html_table(self.origins)}{texts}</div>"

    def _parts(self) -> list[tuple[str, str]]:
        return [
            ("Request", request_text(self.request)),
            *inline_files(self.request),
            *self._values(),
            *self._resolved(),
            *self._warned(),
        ]

    def _values(self) -> list[tuple[str, str]]:
        return [("Values", _text_table(self.origins))] if self.origins else []

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


def inline_files(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield ``(path, text)`` of the files that travel inside *request*."""
    for item in request.get("fileInputs") or []:
        head, _, body = str(item.get("sourceUrl")).partition(",")
        if head.startswith("data:") and head.endswith(";base64"):
            yield str(item.get("targetPath")), base64.b64decode(body).decode(errors="replace")


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


# --- the table of values ----------------------------------------------------------------------
def _cells(origin: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return field, value, source and reason of one value as texts."""
    value = origin.get("value")
    if value is None:
        shown = "–"
    elif isinstance(value, str):
        shown = value if value else '""'
    else:
        shown = json.dumps(_readable(value), ensure_ascii=False)
    if shown.startswith("data:"):
        address, arrow, target = shown.rpartition(" → ")
        shown = f"{_readable(address)}{arrow}{target}" if arrow else str(_readable(shown))
    return str(origin.get("field")), shown, str(origin.get("source")), str(origin.get("why") or "")


def _text_table(origins: Iterable[Mapping[str, Any]]) -> str:
    """Return the values as columns; what is too long for a terminal loses its middle."""
    field, value, why = _WIDTHS
    lines = [
        (_short(cells[0], field), _short(cells[1], value), cells[2], _short(cells[3], why))
        for cells in [_HEAD, *map(_cells, origins)]
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _short(text: str, longest: int) -> str:
    text = printable(text)
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[: longest - 1 - half]}…{text[-half:]}"


def _html_table(origins: Sequence[Mapping[str, Any]]) -> str:
    if not origins:
        return ""
    head = "".join(f'<th style="{_CELL}">{name}</th>' for name in _HEAD)
    rows = "".join(f"<tr>{''.join(map(_html_cell, _cells(origin)))}</tr>" for origin in origins)
    return f'<table style="margin:2px 0"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _html_cell(text: str) -> str:
    return f'<td style="{_CELL};overflow-wrap:anywhere">{html.escape(printable(text))}</td>'


def _folded(title: str, text: str) -> str:
    return (
        f"<details><summary>{html.escape(title)}</summary>"
        f'<pre style="white-space:pre-wrap">{html.escape(text.rstrip())}</pre></details>'
    )
