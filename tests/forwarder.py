"""A port that leads to another one, and later to yet another: a host that was set up anew."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Forwarder:
    """Forwards what comes to ``port`` on this machine; ``leads_to`` may be changed at any time."""

    def __init__(self, leads_to: int) -> None:
        self.leads_to = leads_to
        #: Bytes that went there, and numbers of them at which the connections are cut.
        self.carried = 0
        self.cut_at: list[int] = []
        #: Bytes after which nothing goes there until ``may_flow`` is set.
        self.hold_at: int | None = None
        self.may_flow = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def is_held(self) -> bool:
        """True when so much went there that nothing more does."""
        return self.hold_at is not None and self.carried >= self.hold_at and not self.may_flow.is_set()

    def cut(self) -> None:
        """End the connections that go through."""
        while self._open:
            end = self._open.pop()
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        """Take no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.may_flow.set()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._open.append(near)
                far = socket.create_connection(("127.0.0.1", self.leads_to))
                self._open.append(far)
                threading.Thread(target=self._pump, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self._pump, args=(far, near, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if counts and self.is_held:
                    self.may_flow.wait(180)
                target.sendall(data)
                if counts:
                    self.carried += len(data)
                if self.cut_at and self.carried >= self.cut_at[0]:
                    del self.cut_at[0]
                    self.cut()
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
