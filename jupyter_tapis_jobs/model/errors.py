"""Everything that can go wrong, as one tree; each error carries one sentence for the user.

TapisJobsError
├── InvalidInputError      what was asked cannot be done as it is written      (HTTP 400)
├── NotSignedInError       no token, or a wrong or expired one                 (401)
├── NotAllowedError        signed in, but this is not theirs to do             (403)
├── NotFoundError          there is no such thing, or it is not theirs to see  (404)
├── ConflictError          the thing is in a state that does not allow it      (409)
├── TooLargeError          more bytes than the server takes                    (413)
├── UnavailableError       passes by itself; try again                         (503)
│   └── TransportError     a host cannot be reached, or the link was lost
│       ├── HostKeyError     it shows a key that is not known, or another one than before
│       ├── HostSignInError  it does not let the user in
│       └── CodeNeededError  it asks for a one-time code
├── StoreError             the job store cannot be used: full, read-only, damaged, newer
└── JobError               a job did not end as the caller needed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class TapisJobsError(Exception):
    """Base of all errors of this package.

    ``message`` is one or two sentences for the user: what happened, to what, why, what to do now.
    ``code`` is Tapis's style of message code. ``transient`` tells that trying again can help.
    """

    code = "JOBS_ERROR"
    transient = False

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the sentence. ``%tapisjobs --debug`` has the rest."""
        return [self.message]


class InvalidInputError(TapisJobsError):
    """What was asked cannot be done as it is written.

    ``field`` is the path of the offending field in the request (``parameterSet.appArgs[0].arg``),
    ``value`` what stood there. Of many requests ``errors`` tells what is wrong with each that is
    refused: ``caseId row message field``.
    """

    code = "JOBS_INVALID_INPUT"

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        value: object = None,
        code: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message, code=code)
        self.field = field
        self.value = value
        self.errors = tuple(errors)


class NotSignedInError(TapisJobsError):
    """The call carries no token, or a wrong or expired one."""

    code = "JOBS_NOT_SIGNED_IN"


class NotAllowedError(TapisJobsError):
    """The caller is known but may not do this."""

    code = "JOBS_NOT_ALLOWED"


class NotFoundError(TapisJobsError):
    """There is no such thing, or it is not the caller's to see."""

    code = "JOBS_NOT_FOUND"


class ConflictError(TapisJobsError):
    """The thing is in a state that does not allow this."""

    code = "JOBS_CONFLICT"


class TooLargeError(TapisJobsError):
    """The body or file is larger than the server takes."""

    code = "JOBS_TOO_LARGE"


class UnavailableError(TapisJobsError):
    """It cannot be done now; trying again can help."""

    code = "JOBS_UNAVAILABLE"
    transient = True
    #: Seconds after which a server wants to be asked again, where it said so.
    retry_after: float | None = None


class TransportError(UnavailableError):
    """A host cannot be reached, or the link to it was lost before the answer came."""

    code = "JOBS_HOST_UNREACHABLE"


class HostKeyError(TransportError):
    """A host shows a key that is not known or has changed; ``fingerprint`` is ``SHA256:…``.

    ``known`` is the fingerprint that was expected, None for a host never seen.
    """

    code = "JOBS_HOST_KEY"

    def __init__(self, message: str, *, fingerprint: str, known: str | None = None) -> None:
        super().__init__(message)
        self.fingerprint = fingerprint
        self.known = known


class HostSignInError(TransportError):
    """A host does not let the user in: wrong or missing password, key, passphrase or user.

    ``needs`` is ``"password"`` or ``"passphrase"`` where that is what is missing or wrong.
    """

    code = "JOBS_HOST_SIGN_IN"

    def __init__(self, message: str, *, needs: str | None = None) -> None:
        super().__init__(message)
        self.needs = needs


class CodeNeededError(HostSignInError):
    """A host asks for a one-time code; ``prompts`` are its own words."""

    code = "JOBS_HOST_CODE"

    def __init__(self, message: str, *, prompts: tuple[str, ...]) -> None:
        super().__init__(message)
        self.prompts = prompts


class StoreError(TapisJobsError):
    """The job store cannot be used: disk full, read-only, damaged, or written by a newer version."""

    code = "JOBS_STORE_ERROR"


class JobError(TapisJobsError):
    """A job did not end as the caller needed (``job.wait(check=True)``, ``--out``)."""

    code = "JOBS_JOB_FAILED"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'large'?`` for the nearest of *known*, or an empty string."""
    nearest = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{nearest[0]}'?" if nearest else ""
