"""A transfer that was asked for by itself: its elements, and the states they go through (Tapis Files)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TransferStatus(StrEnum):
    """Where a transfer, or one of its elements, stands (Tapis Files, "Transfers")."""

    ACCEPTED = "ACCEPTED"
    #: What there is to bring is known.
    STAGED = "STAGED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    #: Failed, but the transfer does not depend on it.
    FAILED_OPT = "FAILED_OPT"
    #: Known to Tapis; nothing here pauses.
    PAUSED = "PAUSED"


#: No move leads out of these.
ENDED = frozenset(
    {
        TransferStatus.COMPLETED,
        TransferStatus.CANCELLED,
        TransferStatus.FAILED,
        TransferStatus.FAILED_OPT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One source and where it goes. Sizes in bytes; ``total_bytes`` is None until it is known."""

    id: int
    transfer_id: int
    uuid: str
    source: str
    destination: str
    optional: bool = False
    status: TransferStatus = TransferStatus.ACCEPTED
    #: Why it failed, or what was left out.
    error: str | None = None
    is_directory: bool = False
    total_bytes: int | None = None
    bytes_moved: int = 0
    #: How often it was tried again.
    retries: int = 0
    started: str | None = None
    ended: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferTask:
    """Some elements that were asked for together."""

    id: int
    uuid: str
    owner: str
    tag: str | None
    status: TransferStatus
    error: str | None
    created: str
    started: str | None
    ended: str | None
    elements: tuple[Element, ...]

    @property
    def has_ended(self) -> bool:
        """True when nothing more happens to it."""
        return self.status in ENDED
