"""Real receivers of notifications on this machine: a web server and a mail server that a test commands."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from jupyter_tapis_jobs.servers import free_port


@dataclass
class Hook:
    """A web server that takes webhooks on every path."""

    url: str = ""
    #: (path, headers, body) in the order of arrival, whatever was answered.
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    #: The next answers, (status, headers); 200 when there are none.
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    #: While it is clear, nobody gets an answer.
    answering: threading.Event = field(default_factory=threading.Event)

    def bodies(self, path: str | None = None) -> list[dict[str, Any]]:
        """Return what was sent to a path, or to all."""
        return [json.loads(body) for there, _, body in tuple(self.got) if path in (None, there)]

    def statuses(self, path: str | None = None) -> list[str]:
        """Return the details of the events that arrived."""
        return [body["event"]["type"].rpartition(".")[2] for body in self.bodies(path)]


@contextmanager
def web_receiver(port: int = 0) -> Iterator[Hook]:
    """Run a web server while the block runs."""
    hook = Hook()
    hook.answering.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.got.append((self.path, dict(self.headers), body))
            hook.answering.wait(60)
            status, headers = hook.answers.pop(0) if hook.answers else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    hook.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        hook.answering.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """A mail server that keeps what it is handed."""

    port: int = 0
    got: list[EmailMessage] = field(default_factory=list)
    #: Address -> what is answered to RCPT TO, as "550 no such user".
    refused: dict[str, str] = field(default_factory=dict)

    def subjects(self, address: str) -> list[str]:
        """Return the subjects of the mails to one address."""
        return [str(mail["Subject"]) for mail in tuple(self.got) if mail["To"] == address]

    # -- aiosmtpd's hooks

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        """Take the address or not."""
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep the mail."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.got.append(mail)
        return "250 taken"


@contextmanager
def mail_receiver(port: int = 0, **options: Any) -> Iterator[Mailbox]:
    """Run a mail server while the block runs; *options* are aiosmtpd's."""
    from aiosmtpd.controller import Controller

    box = Mailbox(port=port or free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
