"""Keeps the cards of a notebook up to date: one thread, fed by the kernel's one stream of news."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, cast

from ..client.job import Job
from ..client.live import Live, News
from ..client.progress import in_notebook
from ..client.words import age, is_terminal
from ..model.errors import TapisJobsError, UnavailableError
from ..model.status import JobStatus
from .card import CardState, bundle

_log = logging.getLogger(__name__)
#: Seconds between two redraws of a card that only prints; bytes of its output that are kept.
_PRINTING, _KEPT = 0.5, 16 * 1024
#: (age in seconds, seconds between ticks of the shown time).
_PACES = ((60.0, 1.0), (600.0, 5.0), (float("inf"), 15.0))


class Handle(Protocol):
    """An output of a cell that can be changed."""

    def display(self, data: dict[str, Any], *, raw: bool) -> None:
        """Show it."""
        ...

    def update(self, data: dict[str, Any], *, raw: bool) -> None:
        """Change what is shown."""
        ...


class Card:
    """One shown card and what it knows."""

    def __init__(self, job: Job, handle: Handle, now: float) -> None:
        self.job = Job.copy_of(job)
        self.handle = handle
        self.drawn = now
        self.due = now
        self.settled = threading.Event()
        self.stops: list[Callable[[], None]] = []
        self.tailing = False
        self._history: list[tuple[str, str]] = []
        self._text = b""
        self._outputs: list[dict[str, Any]] = []
        self._trouble = ""

    def state(self, now: float) -> CardState:
        """Return what to show."""
        return CardState(
            job=self.job.row,
            now=now,
            history=tuple(self._history),
            tail=_lines(self._text),
            outputs=tuple(self._outputs),
            trouble=self._trouble,
        )

    def hear(self, news: News) -> None:
        """Take in news of the job."""
        self._trouble = news.error.message if news.error else news.trouble
        if news.job is None:
            return
        self.job.take(news.job)
        event = news.event or {}
        if event.get("event") == "JOB_NEW_STATUS":
            step = (str(event.get("eventDetail")), str(event.get("created")))
            if step not in self._history:
                self._history.append(step)
        elif not self._history or self._history[-1][0] != self.job.last_status:
            self._read_history()

    def hear_text(self, piece: bytes) -> None:
        """Take in what the job printed."""
        self._text = (self._text + piece)[-_KEPT:]

    def complete(self) -> None:
        """Read what only an ended job has: its files, its last lines, its whole row."""
        self.job.refresh()
        self._read_history()
        self._outputs = self.job.results()
        self._text = "\n".join(self.job.tail()).encode()

    def settle(self, seconds: float = 5.0) -> None:
        """Wait until the ended job's card is drawn: a notebook run by nobody ends with its last cell."""
        self.settled.wait(seconds)

    def _read_history(self) -> None:
        rows = self.job.history_rows()
        self._history = [
            (str(row["eventDetail"]), str(row["created"]))
            for row in rows
            if row.get("event") == "JOB_NEW_STATUS"
        ]


class Cards:
    """All live cards of this kernel."""

    def __init__(self, live: Live, now: Callable[[], float] = time.time) -> None:
        self._live = live
        self._now = now
        self._inbox: queue.SimpleQueue[tuple[Card, News | bytes | None]] = queue.SimpleQueue()
        self._cards: list[Card] = []
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def keep(self, card: Card) -> None:
        """Keep *card* up to date until its job has ended."""
        self._inbox.put((card, None))
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tapisjobs-cards", daemon=True)
                self._thread.start()

    def step(self) -> None:
        """Wait for the next news or tick, and redraw what it changes."""
        self._take_in()
        for card in [card for card in self._cards if card.due <= self._now()]:
            self._redraw(card)

    def _run(self) -> None:
        while True:
            try:
                self.step()
            except Exception:  # noqa: BLE001
                # One card that cannot be drawn must not stop the others.
                _log.exception("a job's card could not be drawn")

    def _take_in(self) -> None:
        """Take everything that waits, so that a burst of news is one redraw."""
        try:
            self._hear(*self._inbox.get(timeout=self._patience()))
            while True:
                self._hear(*self._inbox.get_nowait())
        except queue.Empty:
            return

    def _patience(self) -> float | None:
        if not self._cards:
            return None
        return max(0.0, min(card.due for card in self._cards) - self._now())

    def _hear(self, card: Card, item: News | bytes | None) -> None:
        if item is None:
            self._cards.append(card)
            card.stops.append(self._live.listen(card.job.uuid, lambda news: self._inbox.put((card, news))))
        elif isinstance(item, bytes):
            card.hear_text(item)
            card.due = min(card.due, card.drawn + _PRINTING)
        else:
            self._hear_news(card, item)

    def _hear_news(self, card: Card, news: News) -> None:
        try:
            card.hear(news)
            if is_terminal(card.job.last_status):
                card.complete()
        except UnavailableError:
            # The stream tells the state again when the server is back.
            card.due = self._now()
            return
        except TapisJobsError as cause:
            news = News(error=cause)
            card.hear(news)
        card.due = self._now()
        if news.error is not None or is_terminal(card.job.last_status):
            self._let_go(card)
        elif card.job.last_status == JobStatus.RUNNING and not card.tailing:
            card.tailing = True
            card.stops.append(self._tail(card))

    def _tail(self, card: Card) -> Callable[[], None]:
        """Follow what the job prints, from near its present end; a tenant tells it only at the end."""
        try:
            if not card.job.can_follow():
                return lambda: None
            start = max(0, card.job.stdout_size() - _KEPT)
        except TapisJobsError:
            start = 0
        return self._live.tail(
            card.job.uuid, card.job.stdout_name(), lambda piece: self._inbox.put((card, piece)), start
        )

    def _let_go(self, card: Card) -> None:
        for stop in card.stops:
            stop()
        if card in self._cards:
            self._cards.remove(card)
        self._redraw(card)
        card.settled.set()

    def _redraw(self, card: Card) -> None:
        now = self._now()
        card.drawn = now
        card.due = now + _pace(card.state(now))
        card.handle.update(bundle(card.state(now)), raw=True)


_kept: dict[Live, Cards] = {}


def show(job: Job, handle: Handle | None = None) -> Card:
    """Show the card of *job* as output of this cell, and keep it up to date while the job lives."""
    from IPython.display import DisplayHandle

    card = Card(job, handle or cast(Handle, DisplayHandle()), time.time())  # type: ignore[no-untyped-call]
    if is_terminal(card.job.last_status):
        _completed(card)
    card.handle.display(bundle(card.state(time.time())), raw=True)
    if is_terminal(card.job.last_status) or not in_notebook():
        card.settled.set()
    else:
        live = job.live
        _kept.setdefault(live, Cards(live)).keep(card)
    return card


def register(shell: Any) -> None:
    """Make a job at the end of a cell its card."""
    shell.display_formatter.ipython_display_formatter.for_type_by_name(
        "jupyter_tapis_jobs.client.job", "Job", show
    )


def _completed(card: Card) -> None:
    try:
        card.complete()
    except TapisJobsError as cause:
        card.hear(News(trouble=cause.message))


def _pace(state: CardState) -> float:
    seconds = age(state.job, state.now)
    return next(pace for limit, pace in _PACES if seconds < limit)


def _lines(text: bytes) -> list[str]:
    """Return the printed lines; of a line rewritten by ``\\r`` (a progress bar) the last form."""
    lines = text.decode(errors="replace").split("\n")
    kept = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines]
    return [line for line in kept if line.strip()][-20:]
