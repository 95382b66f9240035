"""Hosts: machines over SSH that jobs can run on, with what was found there."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.errors import CodeNeededError, InvalidInputError, NotFoundError
from ..model.extensions import Extension
from . import frames
from .connection import segment
from .host_sign_in import Conversation, private_key
from .person import AtTheKeyboard, Person
from .words import amount, limit

if TYPE_CHECKING:
    import pandas as pd

    from .tapis import Tapis

_PATH = "/v3/tapisjobs/hosts"
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")
#: A column of the table of queues, and what stands in it.
_HEAD = ("queue", "nodes", "cores a node", "memory a node", "time")


class Host:
    """One host. Made by ``tapis.add_host`` and ``tapis.host``, not by hand."""

    def __init__(
        self, tapis: Tapis, system: Mapping[str, Any], report: Mapping[str, Any] | None = None
    ) -> None:
        self._tapis = tapis
        #: The system's definition, in Tapis's field names.
        self.system = dict(system)
        #: What the last look at the host found; empty until ``check()``.
        self.report = dict(report or {})

    @property
    def name(self) -> str:
        """The system's id: what ``execSystemId`` and ``--system`` take."""
        return str(self.system["id"])

    @property
    def queues(self) -> pd.DataFrame:
        """The logical queues and their limits: ``name nodes cores memoryMB minutes default``."""
        return frames.from_rows(self._queues(), frames.QUEUES)

    def check(self, *, code: str | None = None, trust: str | None = None) -> Host:
        """Connect now, look at the host again, and say what was found.

        A one-time code is asked for when the host wants one; *trust* is the fingerprint of the new key
        of a host that was set up anew. Raises what stands in the way, as a sentence.
        """
        report = checked(self._tapis, self.name, {"code": code, "trust": trust})
        return Host(self._tapis, self._tapis.system(self.name), report)

    def __repr__(self) -> str:
        rows = [_HEAD, *map(_cells, self._queues())]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        ]
        table = [f"  {line.rstrip()}" for line in lines] if len(rows) > 1 else []
        return "\n".join([self._title(), *table])

    def _repr_html_(self) -> str:
        title = f"<div><strong>{escape(self.name)}</strong>{escape(self._title()[len(self.name) :])}</div>"
        rows = [dict(zip(_HEAD, _cells(row), strict=True)) for row in self._queues()]
        table = frames.from_rows(rows, dict.fromkeys(_HEAD, frames.TEXT))
        return title + (table.to_html(index=False, border=0, justify="left") if rows else "")

    def _title(self) -> str:
        facts = (self.system.get("notes") or {}).get("tapisjobs") or {}
        scheduler = self.report.get("scheduler") or _scheduler(facts)
        most = facts.get("maxArraySize") or 0
        arrays = (
            f"arrays up to {most - 1:,}" if most > 1 else "arrays forbidden" if facts.get("slurm") else ""
        )
        parts = (self.system.get("host"), scheduler or "no batch system", arrays)
        return " · ".join([f"{self.name}   {parts[0]}", *filter(None, parts[1:])])

    def _queues(self) -> list[dict[str, Any]]:
        default = self.system.get("batchDefaultLogicalQueue")
        return [
            {
                "name": row.get("name"),
                "nodes": row.get("maxNodeCount"),
                "cores": row.get("maxCoresPerNode"),
                "memoryMB": row.get("maxMemoryMB"),
                "minutes": row.get("maxMinutes"),
                "default": row.get("name") == default,
            }
            for row in self.system.get("batchLogicalQueues") or []
        ]


def add_host(
    tapis: Tapis, name: str, given: Mapping[str, Any], *, trusting: bool, person: Person | None = None
) -> Host:
    """Add the host with what is *given* (the fields of the call), asking *person* for what is missing."""
    _want_hosts(tapis)
    _want_fingerprint(given)
    body = {"id": name, **{field: value for field, value in given.items() if value is not None}}
    if "privateKey" in body:
        body["privateKey"] = private_key(body["privateKey"])
    if "knownHosts" in body:
        body["knownHosts"] = _known_hosts(body["knownHosts"])
    talk = Conversation(
        name,
        lambda sent: _posted(tapis, _PATH, sent),
        person or AtTheKeyboard(),
        _say,
        trusting=trusting,
    )
    added = talk.held(body)
    host = Host(tapis, added["system"], added.get("report"))
    _tell(host.report)
    return host


def checked(
    tapis: Tapis, name: str, given: Mapping[str, Any], *, person: Person | None = None, tell: bool = True
) -> dict[str, Any]:
    """Connect to the host now with what is *given* (code, trust); return and *tell* what was found."""
    _want_hosts(tapis)
    _want_fingerprint(given)
    path = f"{_PATH}/{segment(name)}/check"

    # Another password or passphrase is not for a check to settle: the host is added anew.
    talk = Conversation(
        name,
        lambda sent: _posted(tapis, path, sent),
        person or AtTheKeyboard(),
        _say,
        settles=(CodeNeededError,),
    )
    report = talk.held({word: value for word, value in given.items() if value is not None})
    if tell:
        _tell(report)
    return dict(report)


def host_rows(tapis: Tapis) -> list[dict[str, Any]]:
    """Return ``id state message nextTry user`` of every host."""
    _want_hosts(tapis)
    return tapis.connection.get(_PATH) or []


def host_named(tapis: Tapis, name: str) -> Host:
    """Return the host with this id."""
    _want_hosts(tapis)
    try:
        return Host(tapis, tapis.system(name))
    except NotFoundError as cause:
        raise NotFoundError(f"{cause.message} A new one: tapis.add_host('{name}', host=…).") from None


def _want_hosts(tapis: Tapis) -> None:
    if not tapis.can(Extension.HOSTS):
        raise InvalidInputError(
            f"{tapis.connection.url} is a Tapis tenant, whose systems are made by Tapis's own calls "
            "(createSystem, createUserCredential). tapis.systems() lists them."
        )


def _posted(tapis: Tapis, path: str, body: dict[str, Any]) -> Any:
    """Send a body, with no secret in it where others can read it; it may have been asked for meanwhile."""
    _want_private(tapis, body)
    return tapis.connection.post(path, body)


def _want_private(tapis: Tapis, given: Mapping[str, Any]) -> None:
    secrets = [word for word in ("password", "privateKey", "passphrase", "code") if given.get(word)]
    if secrets and not tapis.connection.is_private:
        raise InvalidInputError(
            f"{tapis.connection.url} is not this machine and not https: {secrets[0]} would travel readable "
            "for everybody on the way. Use an https address."
        )


def _want_fingerprint(given: Mapping[str, Any]) -> None:
    trust = given.get("trust")
    if trust is not None and not _FINGERPRINT.fullmatch(str(trust)):
        raise InvalidInputError(
            f"trust '{trust}' is not a fingerprint as `ssh-keygen -lf` shows it: SHA256: and 43 characters.",
            field="trust",
            value=trust,
        )


def _known_hosts(given: str | Path) -> str:
    """Return the text of a known_hosts file that is there on this machine; else what was given."""
    text = str(given)
    if "\n" in text or " " in text.strip():
        return text
    path = Path(given).expanduser()
    try:
        return path.read_text(encoding="utf-8")
    except OSError as cause:
        raise InvalidInputError(
            f"knownHosts {path} cannot be read: {cause.strerror}.", field="knownHosts", value=text
        ) from None


def _tell(report: Mapping[str, Any]) -> None:
    lines: Sequence[str] = report.get("lines") or ()
    for line in lines:
        _say(f"  {line}")
    for warning in report.get("warnings") or ():
        _say(f"  ⚠ {warning}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _scheduler(facts: Mapping[str, Any]) -> str:
    """Return the scheduler and its version that a look at the host has found."""
    names = {"slurm": "Slurm", "condor": "HTCondor"}
    return next((f"{name} {facts[key]}" for key, name in names.items() if facts.get(key)), "")


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """A queue as a person reads it; the default one is marked."""
    memory, minutes = row.get("memoryMB"), row.get("minutes")
    return (
        f"{row.get('name')}{' (default)' if row.get('default') else ''}",
        _number(row.get("nodes")),
        _number(row.get("cores")),
        amount(memory) if memory and 0 < memory < _NO_LIMIT else "any",
        limit(minutes) if minutes and 0 < minutes < _NO_LIMIT else "any",
    )


#: Tapis's way to say "no limit" in a field that must have one.
_NO_LIMIT = 2_147_483_647


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and 0 < value < _NO_LIMIT else "any"
