"""Who is told of a job, in short words: an address and on what; made a Tapis subscription."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model.errors import InvalidInputError, did_you_mean
from ..model.status import TERMINAL, EventType, JobStatus

#: The end of the job, each status, or all that happens.
END, STATUS, ALL = "end", "status", "all"
_KINDS = {STATUS: str(EventType.JOB_NEW_STATUS), ALL: "ALL"}
#: Four weeks, as long as Tapis takes: a job may wait for weeks, and its end ends the subscription anyway.
_TTL_MINUTES = 40_320


def subscription(addresses: Sequence[str], on: str | Sequence[str], *, details: bool) -> dict[str, Any]:
    """Return the subscription that tells *addresses* (e-mail, or URLs of webhooks) *on* what.

    Without *details* (a server that is not ours) only the kind of event can be chosen: instead of some
    statuses all are told.
    """
    if not addresses:
        raise InvalidInputError(
            "Whom? Give an address: job.notify('train301@example.org').", field="addresses"
        )
    category, wanted = _chosen(on)
    words: dict[str, Any] = {
        "enabled": True,
        "eventCategoryFilter": category,
        "deliveryTargets": [_target(address) for address in addresses],
        # So the published specification spells it.
        "ttlminutes": _TTL_MINUTES,
    }
    return words | ({"eventDetailFilter": list(wanted)} if wanted and details else {})


def _target(address: str) -> dict[str, str]:
    return {"deliveryMethod": "WEBHOOK" if "://" in address else "EMAIL", "deliveryAddress": address}


def _chosen(on: str | Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the kind of events, and their details where not all are meant."""
    if on in (STATUS, ALL):
        return _KINDS[str(on)], ()
    if on in EventType.__members__.values():
        return str(on), ()
    words = TERMINAL if on == END else [on] if isinstance(on, str) else on
    return EventType.JOB_NEW_STATUS, tuple(sorted(_status(word) for word in words))


def _status(word: str) -> str:
    if word in JobStatus.__members__:
        return word
    known = [END, STATUS, ALL, *JobStatus, *EventType]
    hint = did_you_mean(word, known)
    raise InvalidInputError(
        f"on={word!r} is nothing to be told of.{hint} It takes 'end', 'status', 'all', statuses as FINISHED, "
        "or a kind of event as JOB_USER_EVENT.",
        field="on",
        value=word,
    )
