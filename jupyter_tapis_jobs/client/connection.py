"""The one HTTP connection to the API: calls, answers, errors; what is safe is tried again, a submit never."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ..model.errors import (
    CodeNeededError,
    ConflictError,
    HostKeyError,
    HostSignInError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    TapisJobsError,
    TooLargeError,
    UnavailableError,
)
from . import patience
from .endpoint import Endpoint
from .signing import SignIn
from .words import duration

if TYPE_CHECKING:
    import httpx

#: Seconds: to reach the server; for the whole of a plain answer.
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 120.0
#: A stream that says nothing for this long is dead: the server sends a comment every 15 s.
SILENCE_SECONDS = 45.0
#: Calls that change nothing, or the same again when repeated.
_SAFE = frozenset({"GET", "HEAD"})
#: A file that is uploaded again lands in the same place.
_UPLOAD = "upload"
_REPEATABLE = _SAFE | {_UPLOAD}
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})

_ERRORS: Mapping[int, type[TapisJobsError]] = MappingProxyType(
    {
        400: InvalidInputError,
        401: NotSignedInError,
        403: NotAllowedError,
        404: NotFoundError,
        409: ConflictError,
        413: TooLargeError,
        422: InvalidInputError,
        429: UnavailableError,
        502: UnavailableError,
        503: UnavailableError,
        504: UnavailableError,
    }
)
#: Tapis begins its messages with a code: ``JOBS_NOT_FOUND There is no job …``.
_CODE = re.compile(r"^([A-Z][A-Z0-9]*_[A-Z0-9_]+):?\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Reply:
    """A decoded answer: Tapis's ``result`` and ``metadata``."""

    result: Any
    metadata: Mapping[str, Any]


class Connection:
    """Calls one API. Thread-safe; httpx is imported and the connection opened at the first call."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        transport: httpx.BaseTransport | None = None,
        async_transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = endpoint.url
        #: True for the server that started this kernel.
        self.is_own = endpoint.own
        self._sign_in = SignIn(endpoint, self._token)
        self._transport, self._async_transport = transport, async_transport
        self._sleep = sleep
        self._near = endpoint.own or urlsplit(endpoint.url).hostname in _THIS_MACHINE
        self._opening = threading.Lock()
        self._client: httpx.Client | None = None

    def __repr__(self) -> str:
        return f"Connection({self.url!r})"

    @property
    def is_private(self) -> bool:
        """True where nobody on the way can read what is sent."""
        return self._near or self.url.startswith("https://")

    # --- calls -------------------------------------------------------------------------------
    def get(self, path: str, **params: Any) -> Any:
        """Return the ``result`` of a GET; a parameter that is None is left out."""
        return self.call("GET", path, params=params).result

    def post(self, path: str, json: Any = None, **params: Any) -> Any:
        """Return the ``result`` of a POST, which is sent once and never again."""
        return self.call("POST", path, params=params, json=json).result

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        upload: Callable[[], Any] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Reply:
        """Make one call and return its answer.

        ``upload`` opens the file of a multipart upload, anew for each try. Raises the error of
        ``model.errors`` that fits the answer, with the server's own sentence.
        """

        def request(form: Any = None) -> httpx.Response:
            return self._http().request(
                method, self._address(path), params=_present(params), json=json, files=form,
                headers={**self._signed(), **(headers or {})}, timeout=self._limits(seconds),
            )  # fmt: skip

        def send() -> httpx.Response:
            if upload is None:
                return request()
            with upload() as content:
                return request({"file": ("file", content, "application/octet-stream")})

        return self._decoded(self._sent(send, method if upload is None else _UPLOAD, path))

    @contextmanager
    def stream(
        self, path: str, *, patient: bool = False, json: Any = None, **params: Any
    ) -> Iterator[httpx.Response]:
        """Open the body of a GET, or of a POST of *json*, as it arrives.

        A ``patient`` one may be silent for any time.
        """
        import httpx

        limits = self._limits(SILENCE_SECONDS)
        if patient:
            limits = httpx.Timeout(None, connect=CONNECT_SECONDS)

        try:
            with self._http().stream(
                "GET" if json is None else "POST", self._address(path), params=_present(params),
                headers=self._signed(), json=json, timeout=limits,
            ) as response:  # fmt: skip
                if response.is_error:
                    response.read()
                    raise self.error_of(response)
                yield response
        except httpx.TransportError as cause:
            raise self._lost(cause, "GET", path) from cause

    def read(self, path: str, *, headers: Mapping[str, str] | None = None, **params: Any) -> bytes:
        """Return the body of a download."""

        def send() -> httpx.Response:
            return self._http().get(
                self._address(path), params=_present(params), timeout=self._limits(ANSWER_SECONDS),
                headers={**self._signed(), **(headers or {})},
            )  # fmt: skip

        response = self._sent(send, "GET", path)
        if response.is_error:
            raise self.error_of(response)
        return response.content

    def error_of(self, response: httpx.Response) -> TapisJobsError:
        """Return the error that an answer stands for; of a token that has run out it says so."""
        return self.explained(error_of(response))

    def explained(self, error: TapisJobsError) -> TapisJobsError:
        """Return *error*, or what is behind it: a token that has run out."""
        return self._sign_in.explained(error) if isinstance(error, NotSignedInError) else error

    def async_client(self) -> httpx.AsyncClient:
        """Return a new client for a thread with a loop of its own; the caller closes it."""
        import httpx

        return httpx.AsyncClient(
            base_url=self.url, event_hooks={"request": [self._sign]}, transport=self._async_transport,
            timeout=self._limits(SILENCE_SECONDS), trust_env=not self._near, follow_redirects=False,
        )  # fmt: skip

    def close(self) -> None:
        """Let go of the kept connection; the next call opens it again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    # --- the parts of a call -----------------------------------------------------------------
    def _http(self) -> httpx.Client:
        import httpx

        with self._opening:
            if self._client is None:
                limits = httpx.Limits(max_keepalive_connections=16, keepalive_expiry=60)
                # A proxy of the environment is for the tenant, never for this machine's own server.
                self._client = httpx.Client(
                    transport=self._transport, follow_redirects=False, trust_env=not self._near, limits=limits
                )
            return self._client

    def _address(self, path: str) -> str:
        return f"{self.url}{path}"

    def _limits(self, seconds: float) -> httpx.Timeout:
        import httpx

        return httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))

    def _signed(self) -> dict[str, str]:
        return self._sign_in.headers()

    def _decoded(self, response: httpx.Response) -> Reply:
        if response.is_error or response.is_redirect:
            raise _redirected(response) if response.is_redirect else self.error_of(response)
        body = _json_of(response)
        if not isinstance(body, Mapping):
            raise TapisJobsError(
                f"{response.request.url.copy_with(query=None)} did not answer in Tapis's form. "
                "Is this the address of a Tapis API?"
            )
        return Reply(body.get("result"), body.get("metadata") or {})

    async def _sign(self, request: httpx.Request) -> None:
        request.headers.update(self._signed())

    def _token(self, body: Mapping[str, str]) -> Mapping[str, Any]:
        """Tapis's password grant: a JWT for a name and a password."""
        result: Mapping[str, Any] = self.call("POST", "/v3/oauth2/tokens", json=body).result
        return result

    def _sent(self, send: Callable[[], httpx.Response], method: str, path: str) -> httpx.Response:
        """Send a call. A repeatable one is tried a few times, any other only where it was not taken."""
        import httpx
        from tenacity import Retrying, retry_if_exception_type, retry_if_result

        repeatable = method in _REPEATABLE
        passing = patience.PASSING if repeatable else {patience.BUSY}
        lost = (httpx.NetworkError, httpx.RemoteProtocolError) if repeatable else ()
        attempts = Retrying(
            retry=retry_if_exception_type(lost)
            | retry_if_result(lambda answer: answer.status_code in passing),
            stop=patience.is_enough,
            wait=patience.gap,
            sleep=self._sleep,
            # After the last try an answer is returned and an exception raised as they are.
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        try:
            answer: httpx.Response = attempts(send)
        except httpx.TransportError as cause:
            raise self._lost(cause, method, path) from cause
        return answer

    def _lost(self, cause: httpx.TransportError, method: str, path: str) -> UnavailableError:
        import httpx

        if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout):
            return UnavailableError(
                f"Nothing answers at {self.url}. Is the server still running? Running jobs go on without it.",
                code="JOBS_NO_SERVER",
            )
        what = f"The connection to {self.url} was lost before the answer came"
        if method in _SAFE:
            return UnavailableError(f"{what}. Try again.")
        if path.startswith("/v3/jobs/submit") or path.endswith("/resubmit"):
            return UnavailableError(
                f"{what}: the job may have been accepted. See tapis.jobs(since='1h') before trying again.",
                code="JOBS_UNKNOWN_OUTCOME",
            )
        return UnavailableError(f"{what}: it may or may not have been done. Look, then try again.")


def segment(text: str) -> str:
    """Return *text* as one part of an address."""
    return quote(text, safe="")


def path_text(path: str) -> str:
    """Return a file's path as the end of an address; slashes stay."""
    return quote(path.lstrip("/"), safe="/")


def error_of(response: httpx.Response) -> TapisJobsError:
    """Return the error that an answer stands for, with the server's own sentence."""
    body = _json_of(response)
    text = body.get("message") if isinstance(body, Mapping) else None
    message = str(text or f"The server answered {response.status_code} {response.reason_phrase}.")
    code = _CODE.match(message)
    if code:
        message = message[code.end() :]
    kind = _ERRORS.get(response.status_code, TapisJobsError)
    of_host = _OF_HOSTS.get(code.group(1)) if code else None
    if of_host is not None:
        return of_host(message, _details(body))
    if kind is InvalidInputError:
        return _invalid(message, body, code)
    pause = patience.asked_pause(response)
    if pause is not None and pause > patience.LONGEST:
        message += f" The server asks for a pause of {duration(pause)}."
    error = kind(message, code=code.group(1) if code else None)
    if isinstance(error, UnavailableError):
        error.retry_after = pause
    return error


def refusal(error: Mapping[str, Any]) -> InvalidInputError:
    """Return the error of one refused request in the answer to a bulk call."""
    return InvalidInputError(
        _CODE.sub("", str(error.get("message", "refused"))),
        field=str(error.get("field") or ""),
        value=error.get("value"),
    )


def _invalid(message: str, body: Any, code: re.Match[str] | None) -> InvalidInputError:
    details = _details(body)
    return InvalidInputError(
        message,
        field=str(details.get("field") or ""),
        value=details.get("value"),
        code=code.group(1) if code else None,
        errors=details.get("errors") or (),
    )


def _details(body: Any) -> Mapping[str, Any]:
    """Return what an error tells beside its sentence."""
    result = body.get("result") if isinstance(body, Mapping) else None
    return result if isinstance(result, Mapping) else {}


#: What a host asks of the person, by the code of the message.
_OF_HOSTS: Mapping[str, Callable[[str, Mapping[str, Any]], TapisJobsError]] = MappingProxyType(
    {
        HostKeyError.code: lambda message, told: HostKeyError(
            message, fingerprint=str(told.get("fingerprint") or ""), known=told.get("known")
        ),
        HostSignInError.code: lambda message, told: HostSignInError(message, needs=told.get("needs")),
        CodeNeededError.code: lambda message, told: CodeNeededError(
            message, prompts=tuple(map(str, told.get("prompts") or ()))
        ),
    }
)


def _redirected(response: httpx.Response) -> NotSignedInError:
    return NotSignedInError(
        f"{response.request.url.copy_with(query=None)} wants a sign-in page: the token is missing or wrong."
    )


def _json_of(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _present(params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    kept = {name: value for name, value in (params or {}).items() if value is not None}
    return kept or None
