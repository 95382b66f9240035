"""The one place that turns errors into HTTP answers."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from tornado.web import HTTPError

from ..model.errors import (
    CodeNeededError,
    ConflictError,
    HostKeyError,
    HostSignInError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    StoreError,
    TapisJobsError,
    TooLargeError,
    UnavailableError,
)
from ..model.study import CasesError
from .envelope import envelope
from .wire_studies import added_to_wire

log = logging.getLogger(__name__)

#: Error -> HTTP status; the nearest base class counts.
STATUS: Mapping[type[TapisJobsError], int] = MappingProxyType(
    {
        InvalidInputError: 400,
        NotSignedInError: 401,
        NotAllowedError: 403,
        NotFoundError: 404,
        ConflictError: 409,
        TooLargeError: 413,
        # A host asks something of the person who calls: trust, a code, another password.
        HostKeyError: 409,
        CodeNeededError: 409,
        HostSignInError: 400,
        UnavailableError: 503,
        StoreError: 503,
        TapisJobsError: 500,
    }
)
#: Characters of an offending value that are given back.
VALUE_LIMIT = 200


def status_of(fault: BaseException) -> int:
    """Return the HTTP status of an error."""
    if isinstance(fault, HTTPError):
        return fault.status_code
    return next((STATUS[kind] for kind in type(fault).__mro__ if kind in STATUS), 500)


def answer(fault: BaseException) -> tuple[int, dict[str, Any]]:
    """Return the status and the envelope of an error. What is not ours is logged and told as such."""
    status = status_of(fault)
    if isinstance(fault, TapisJobsError):
        return status, envelope(details(fault), f"{fault.code} {fault.message}", good=False)
    if isinstance(fault, HTTPError):
        return status, envelope(None, _words(fault), good=False)
    mark = secrets.token_hex(4)
    log.error("internal error %s", mark, exc_info=fault)
    return 500, envelope(
        None,
        f"JOBS_INTERNAL_ERROR Something went wrong inside the server; its log says more under {mark}.",
        good=False,
    )


def in_flight(status_code: int, told: Mapping[str, Any]) -> BaseException:
    """Return the error that tornado is answering (``write_error``): ours, if it was raised from one."""
    fault = told.get("exc_info", (None, None, None))[1]
    if isinstance(getattr(fault, "__cause__", None), TapisJobsError):
        fault = fault.__cause__
    return fault if isinstance(fault, BaseException) else HTTPError(status_code)


def details(fault: TapisJobsError) -> dict[str, Any] | None:
    """Return what is told beside the sentence, for forms and for the kernel, or None.

    That is field and value of a wrong input, what a host asks of the person, and which cases are wrong.
    """
    if isinstance(fault, InvalidInputError) and fault.field:
        return {"field": fault.field, "value": _shown(fault.value)}
    return next((told(fault) for kind, told in _ASKED.items() if isinstance(fault, kind)), None)


#: What a host asks and which cases are wrong, the special before the general; nothing of it is secret.
_ASKED: Mapping[type[TapisJobsError], Callable[[Any], dict[str, Any]]] = MappingProxyType(
    {
        HostKeyError: lambda fault: {"fingerprint": fault.fingerprint, "known": fault.known},
        CodeNeededError: lambda fault: {"prompts": list(fault.prompts)},
        HostSignInError: lambda fault: {"needs": fault.needs},
        CasesError: lambda fault: added_to_wire(fault.added),
    }
)


def refusal(fault: TapisJobsError) -> dict[str, Any]:
    """Return the error of one item of a bulk call."""
    told = details(fault) if isinstance(fault, InvalidInputError) else None
    return {"message": f"{fault.code} {fault.message}", **(told or {"field": None, "value": None})}


def _words(fault: HTTPError) -> str:
    phrase = fault.reason or HTTPStatus(fault.status_code).phrase
    told = fault.log_message % fault.args if fault.log_message else phrase
    return f"JOBS_HTTP_{fault.status_code} {told}"


def _shown(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    words = value if isinstance(value, str) else repr(value)
    return words if len(words) <= VALUE_LIMIT else words[:VALUE_LIMIT] + "…"
