"""The progress of a study in a notebook: a bar, counts by state, the time left; live while cases run."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any, cast

from ..client.progress import in_notebook
from ..client.study_state import StudyState
from ..client.study_watch import Watch, use_in_notebook
from ..model.errors import TapisJobsError
from .card import printable
from .cards import Handle

if TYPE_CHECKING:
    from ..client.study import Study
    from ..client.workflow import Workflow

_log = logging.getLogger(__name__)
#: Seconds between two redraws at least.
_REDRAW = 0.5
_TRACK = "display:flex;height:10px;border-radius:5px;overflow:hidden;background:rgba(128,128,128,.25)"
_CHIP = "display:inline-block;margin:4px 12px 0 0;white-space:nowrap"
_DOT = "color:#fff;border-radius:3px;padding:0 4px;margin-right:4px"


def bundle(state: StudyState) -> dict[str, Any]:
    """Return the progress as MIME bundle, HTML and plain text; every text in it is escaped."""
    return {"text/html": _html(state), "text/plain": state.text}


def _html(state: StudyState) -> str:
    parts = [
        f'<div style="max-width:52em" role="group" aria-label="{state.kind} {_text(state.name)}">',
        f"<div><b>{_text(state.name)}</b>&ensp;{state.ended:,} of {state.total:,}"
        f"{_behind(state.left)}{_behind(state.stopped)}{_behind(state.trouble)}</div>",
        f'<div role="progressbar" aria-valuemin="0" aria-valuemax="{state.total}" '
        f'aria-valuenow="{state.ended}" style="{_TRACK}">{_segments(state)}</div>',
        "".join(
            f'<span style="{_CHIP}"><span style="{_DOT};background:{group.colour}">{group.glyph}</span>'
            f"{group.count:,} {group.word}</span>"
            for group in state.groups
        ),
        *(f"<div>{_text(told.strip())}</div>" for told in state.below),
        state.picture,
        "</div>",
    ]
    return "".join(parts)


def _segments(state: StudyState) -> str:
    """One piece of the bar for each state that is over or at work; what waits is left empty."""
    shown = [group for group in state.groups if group.word in _DRAWN]
    return "".join(
        f'<div style="width:{100 * group.count / state.total:.3f}%;background:{group.colour}"></div>'
        for group in shown
    )


#: States that fill the bar.
_DRAWN = frozenset({"done", "failed", "cancelled", "running", "archiving"})


def _behind(text: str) -> str:
    return f"&emsp;{_text(text)}" if text else ""


def _text(text: str) -> str:
    return escape(printable(text))


class StudyDisplay:
    """One output of a cell that shows a study, drawn at most twice a second."""

    def __init__(self, handle: Handle | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._handle = handle
        self._now = now
        self._drawn = float("-inf")
        self._shown: StudyState | None = None
        self._latest: StudyState | None = None
        #: Number of the cell that it was first drawn in.
        self._cell: int | None = None

    def show(self, state: StudyState, *, change: bool) -> None:
        """Show *state*, or keep it for the next time when it comes too soon."""
        self._latest = state
        if state != self._shown and (state.is_over or self._now() - self._drawn >= _REDRAW):
            self._draw(state)

    def done(self) -> None:
        """Draw what was kept, here and in the cells above: the saved notebook has it."""
        self.settle()
        if self._latest is not None and self._latest.is_over:
            look_now(self._latest.name)

    def settle(self) -> None:
        """Draw what was kept."""
        if self._latest is not None and self._latest != self._shown:
            self._draw(self._latest)

    def tells(self, state: StudyState, cell: int | None) -> bool:
        """Return whether it says in this *cell* that the study is over as *state* has it."""
        shown = self._shown
        return (
            shown is not None
            and state.is_over
            and cell is not None
            and (self._cell, shown.name, shown.counts, shown.waiting)
            == (cell, state.name, state.counts, state.waiting)
        )

    def _draw(self, state: StudyState) -> None:
        if self._shown is None:
            self._cell = _this_cell()
            _drawn[:] = [self]
        if self._handle is None:
            from IPython.display import DisplayHandle

            self._handle = cast(Handle, DisplayHandle())  # type: ignore[no-untyped-call]  # IPython's own
        if self._shown is None:
            self._handle.display(bundle(state), raw=True)
        else:
            self._handle.update(bundle(state), raw=True)
        self._shown, self._drawn = state, self._now()


class LiveStudy:
    """Keeps what is shown of one study up to date: one thread that asks for all its displays together."""

    def __init__(self, watch: Watch, pause: Callable[[float], Any] = time.sleep) -> None:
        self._watch = watch
        self._pause = pause
        self._lock = threading.Lock()
        #: Held during a look: the thread's, or that of a cell which has seen the end before it.
        self._looking = threading.Lock()
        self._displays: list[StudyDisplay] = []
        self._thread: threading.Thread | None = None

    def add(self, display: StudyDisplay) -> None:
        """Keep *display* up to date until no case is in flight."""
        with self._lock:
            self._displays.append(display)
            if self._thread is None:
                self._thread = threading.Thread(target=self.follow, name="tapisjobs-study", daemon=True)
                self._thread.start()

    def follow(self) -> None:
        """Look and draw until no case is in flight, or the study is gone."""
        try:
            while not self._step():
                self._pause(self._watch.gap)
        except TapisJobsError as cause:
            _log.info("the progress of a study is no longer followed: %s", cause.message)
            self._end(self._displays)
        except Exception:  # noqa: BLE001
            # What is shown stays as it is; the study itself is not harmed.
            _log.exception("the progress of a study could not be drawn")
            with self._lock:
                self._displays, self._thread = [], None

    def look_now(self) -> None:
        """Look before the pause is over; what goes wrong is the thread's to tell when it looks."""
        with suppress(Exception):
            self._step()

    def _step(self) -> bool:
        """Look once and draw; return True when there is nothing more to come."""
        with self._looking:
            with self._lock:
                displays = list(self._displays)
            if not displays:
                return self._end(displays)
            state = self._watch.look()
            for display in displays:
                display.show(state, change=self._watch.changed)
            return state.is_over and not state.trouble and self._end(displays)

    def _end(self, shown: list[StudyDisplay]) -> bool:
        """Let go of *shown*; return False when a display came meanwhile."""
        with self._lock:
            for display in shown:
                display.settle()
            self._displays = [display for display in self._displays if display not in shown]
            if not self._displays:
                self._thread = None
            return not self._displays


#: (client, kind, name) -> what keeps it up to date.
_live: dict[tuple[int, str, str], LiveStudy] = {}
#: The display that was begun last.
_drawn: list[StudyDisplay] = []


def look_now(name: str) -> None:
    """Let the cells that show the study *name* look at once: it is over, and the kernel may be, too."""
    for (*_, followed), live in list(_live.items()):
        if followed == name:
            live.look_now()


def _this_cell() -> int | None:
    """Return the number of the cell that runs; None outside of IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return None if shell is None else int(shell.execution_count)


def show(study: Study | Workflow, handle: Handle | None = None) -> StudyDisplay:
    """Show the progress of a study or workflow as output of this cell; keep it up to date while jobs run.

    Where the cell has waited for it (``study.wait()`` at its end) the same is not shown twice.
    """
    try:
        state = study.state()
    except TapisJobsError as cause:
        state = StudyState(name=study.name, counts={}, trouble=cause.message)
    if _drawn and not state.trouble and _drawn[0].tells(state, _this_cell()):
        return _drawn[0]
    display = StudyDisplay(handle)
    display.show(state, change=True)
    if state.is_over and not state.trouble:
        look_now(study.name)
    elif in_notebook() and not state.is_over:
        key = (id(study.tapis), state.kind, study.name)
        _live.setdefault(key, LiveStudy(study.watch())).add(display)
    return display


def register(shell: Any) -> None:
    """Make a study or workflow at the end of a cell its live progress, and ``study.wait()`` show the same."""
    shown = shell.display_formatter.ipython_display_formatter
    shown.for_type_by_name("jupyter_tapis_jobs.client.study", "Study", show)
    shown.for_type_by_name("jupyter_tapis_jobs.client.workflow", "Workflow", show)
    use_in_notebook(StudyDisplay)
