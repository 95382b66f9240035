"""Where a job stands, as a notebook last heard of it or asks for it now."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from ..model.extensions import Extension
from ..model.status import JobStatus
from .connection import segment
from .words import is_terminal

if TYPE_CHECKING:
    from .tapis import Tapis

#: Seconds in which a tenant is not asked for the same job twice by `job.status`, however tight the loop.
_ASKED_AGAIN = 1.0


class Standing:
    """The part of a ``Job`` that knows its row."""

    def __init__(self, tapis: Tapis, row: Mapping[str, Any]) -> None:
        self._tapis = tapis
        self._row: dict[str, Any] = dict(row)
        self._whole = "execSystemOutputDir" in self._row
        self._tail: list[str] | None = None
        #: When the server was last asked for it, by the monotonic clock.
        self._heard = float("-inf")

    @property
    def uuid(self) -> str:
        """Tapis's name for the job, unique for ever."""
        return str(self._row["uuid"])

    @property
    def name(self) -> str:
        """The name from the request."""
        return str(self._row.get("name") or self.uuid)

    @property
    def status(self) -> str:
        """Where the job stands now; asks the server until the job has ended."""
        recent = time.monotonic() - self._heard < _ASKED_AGAIN and not self._tapis.can(Extension.EVENTS)
        if not is_terminal(self.last_status) and not recent:
            self.refresh()
        return self.last_status

    @property
    def last_status(self) -> str:
        """Where the job stood when last heard of; asks nobody."""
        return str(self._row.get("status") or JobStatus.PENDING)

    @property
    def row(self) -> Mapping[str, Any]:
        """All that was last heard of the job, in Tapis's field names."""
        return self._row

    @property
    def tapis(self) -> Tapis:
        """The client that the job was made or found with."""
        return self._tapis

    @property
    def notes(self) -> Mapping[str, Any]:
        """What its request wrote down (Tapis's ``notes``); asked for where a list did not tell."""
        if "notes" not in self._row:
            self.refresh()
        told = self._row.get("notes") or {}
        return dict(json.loads(told) if isinstance(told, str) else told)

    @property
    def launchMode(self) -> str | None:  # noqa: N802 - Tapis's style, as the one below
        """How it is handed to its scheduler: ``single``, ``array``, ``pack``; ``auto`` before that."""
        return self._settled("launchMode")

    @property
    def launchReason(self) -> str | None:  # noqa: N802
        """Why it is handed over so; None until that is settled."""
        return self._settled("launchReason")

    @property
    def progress(self) -> float | None:
        """How far its application says it is, in percent; asks the server until the job has ended.

        None where it has said nothing (README, "Progress of your application"), and with a Tapis tenant.
        """
        if not (self._whole and is_terminal(self.last_status)):
            self.refresh()
        told = self._row.get("progress")
        return None if told is None else float(told)

    @property
    def progress_message(self) -> str | None:
        """Its application's words about that, as last heard of; or what is wrong with them."""
        return self._row.get("progressMessage")

    def _settled(self, field: str) -> str | None:
        if not self._row.get("launchReason") and not (self._whole and is_terminal(self.last_status)):
            self.refresh()
        return self._row.get(field)

    def refresh(self) -> Self:
        """Ask the server where the job stands."""
        self.take(self._tapis.connection.get(self._path()))
        self._whole, self._heard = True, time.monotonic()
        return self

    def take(self, row: Mapping[str, Any]) -> None:
        """Take in what news tells; an ended job does not come back."""
        if is_terminal(self.last_status) and not is_terminal(str(row.get("status"))):
            return
        self._row.update({key: value for key, value in row.items() if key != "uuid"})
        self._tail = None

    def _path(self, what: str = "") -> str:
        return f"/v3/jobs/{segment(self.uuid)}" + (f"/{what}" if what else "")
