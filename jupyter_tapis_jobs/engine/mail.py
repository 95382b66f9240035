"""Notifications by e-mail: one SMTP connection for all that waits.

The mail begins with what has happened in plain words; Tapis's JSON follows, as its own mails have it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from enum import StrEnum
from typing import TYPE_CHECKING

from ..model.errors import InvalidInputError, TransportError, UnavailableError
from ..model.notifications import Notice
from ..model.status import EventType
from ..model.times import parse_iso

if TYPE_CHECKING:
    import aiosmtplib

#: Seconds for a connection, and for each of the server's answers.
PATIENCE = 30.0
#: Mail servers cut long lines; longer texts of users are not repeated in plain words.
LONGEST_LINE = 500

NOT_SET_UP = (
    "this server sends no e-mail: its owner has not said which mail server to use. "
    'Set c.TapisJobsApp.smtp_server = "mail.example.org" in jupyter_server_config.py and start it again; '
    "job.wait() and the card tell of the job meanwhile."
)


class Security(StrEnum):
    """How the connection to a mail server is kept secret."""

    #: From the first byte (port 465).
    TLS = "tls"
    #: From the greeting on; refused where the server cannot (port 587).
    STARTTLS = "starttls"
    #: Not at all: a relay on this machine or in this network (port 25).
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in. An empty ``host`` means that none is sent."""

    host: str = ""
    port: int = 587
    security: Security = Security.STARTTLS
    user: str = ""
    password: str = ""
    #: The address that mails come from.
    sender: str = ""

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port}, {self.security})"

    @property
    def from_address(self) -> str:
        """Who the mails come from, where nothing is said: the one who signs in, or this machine."""
        return self.sender or (self.user if "@" in self.user else f"tapisjobs@{socket.getfqdn()}")


class MailSender:
    """Sends notifications by e-mail."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def check(self, address: str) -> None:
        """Raise ``InvalidInputError`` where no mail is sent at all."""
        if not self._server.host:
            raise InvalidInputError(f"{address} cannot be told: {NOT_SET_UP}", field="deliveryAddress")

    @asynccontextmanager
    async def session(self, receiver: str) -> AsyncIterator[MailSession]:
        """Sign in to the mail server."""
        self.check("e-mail")
        session = MailSession(self._server)
        await session.open()
        try:
            yield session
        finally:
            await session.close()


class MailSession:
    """A connection to the mail server."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._client: aiosmtplib.SMTP | None = None
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Connect and sign in; raises ``TransportError``."""
        import aiosmtplib

        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=PATIENCE,
            use_tls=server.security is Security.TLS,
            start_tls=server.security is Security.STARTTLS,
            tls_context=ssl.create_default_context() if server.security is not Security.NONE else None,
        )
        try:
            await client.connect()
            if server.user:
                await client.login(server.user, server.password)
        except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
            client.close()
            raise TransportError(
                f"mail server {server.host}:{server.port} cannot be used: {_reason(fault)}. Tried again."
            ) from fault
        self._client = client

    async def send(self, notice: Notice) -> None:
        """Hand in one mail; on a connection that the server has ended in between, a new one is made."""
        import aiosmtplib

        async with self._turn:
            if self._client is None or not self._client.is_connected:
                await self.open()
            assert self._client is not None  # noqa: S101 - opened above
            try:
                await self._client.send_message(message(notice, self._server.from_address))
            except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError) as fault:
                raise TransportError(f"the mail server broke off: {_reason(fault)}. Tried again.") from fault
            except aiosmtplib.SMTPRecipientsRefused as fault:
                raise self._refusal(notice, fault.recipients[0].code, fault.recipients[0].message) from fault
            except aiosmtplib.SMTPResponseException as fault:
                raise self._refusal(notice, fault.code, fault.message) from fault
            except (aiosmtplib.SMTPException, ValueError) as fault:
                raise InvalidInputError(f"the mail could not be made or sent: {_reason(fault)}.") from fault

    def _refusal(self, notice: Notice, code: int, words: str) -> UnavailableError | InvalidInputError:
        """Return what a mail server's no means: 4xx passes, 5xx stays (RFC 5321, 4.2.1)."""
        said = " ".join(words.split())[:200]
        told = f"the mail server does not take mail for {notice.delivery.address}: {code} {said}"
        if code == 421:
            return TransportError(f"the mail server is busy: {code} {said}. Tried again.")
        return UnavailableError(f"{told}. Tried again.") if code < 500 else InvalidInputError(f"{told}.")

    async def close(self) -> None:
        """Say good-bye; what was handed in stays handed in."""
        import aiosmtplib

        if self._client is not None and self._client.is_connected:
            with suppress(aiosmtplib.SMTPException, OSError):
                await self._client.quit()


def _reason(fault: BaseException) -> str:
    return " ".join(str(fault).split())[:300].rstrip(".") or type(fault).__name__


def message(notice: Notice, sender: str) -> EmailMessage:
    """Return the mail of one notification; the same at every try, its Message-ID too."""
    wire = notice.to_wire()
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = notice.delivery.address
    mail["Subject"] = _line(f"{notice.job.name}: {_what(notice)}", 200)
    mail["Date"] = format_datetime(datetime.fromtimestamp(parse_iso(notice.event.created), UTC))
    domain = parseaddr(sender)[1].partition("@")[2] or "localhost"
    mail["Message-ID"] = f"<{wire['uuid']}@{domain}>"
    # No holiday answers, please (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(
        "\n".join([*_plain(notice), "", json.dumps(wire, indent=2, ensure_ascii=False), ""]), charset="utf-8"
    )
    return mail


def _what(notice: Notice) -> str:
    """Return the event in a few words: ``FINISHED``."""
    if notice.event.event is EventType.JOB_NEW_STATUS:
        return notice.event.event_detail
    return f"{notice.event.event} {notice.event.event_detail}"


def _plain(notice: Notice) -> list[str]:
    """Return what has happened in plain words."""
    job, event = notice.job, notice.event
    is_status = event.event is EventType.JOB_NEW_STATUS
    lines = [f"Job {job.name} {'is now' if is_status else 'has news:'} {_what(notice)}."]
    if event.description:
        lines.append(_line(event.description, LONGEST_LINE))
    if notice.is_last and job.exit_code is not None:
        lines.append(f"exit code {job.exit_code}")
    lines += ["", f"job    {job.uuid}", f"app    {job.app_id} {job.app_version}"]
    return [*lines, f"system {job.exec_system_id}", f"time   {event.created}"]


def _line(text: str, longest: int) -> str:
    """Return *text* as one line of at most *longest* characters, without what no header may hold."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"
