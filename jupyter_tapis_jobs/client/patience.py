"""How long is waited before a server is asked again: what it says itself, else short growing gaps."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

#: Answers of a server that is busy or on its way back; the call was not carried out.
BUSY, PASSING = 429, frozenset({429, 502, 503, 504})
#: Tries of one call; seconds of the longest pause that a server may ask for while somebody waits.
TRIES, LONGEST = 4, 60.0


def asked_pause(response: httpx.Response, now: Callable[[], float] = time.time) -> float | None:
    """Return the seconds of the header ``Retry-After`` (a number, or a date); None without one."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now())
    except ValueError:
        return None


def gap(state: RetryCallState) -> float:
    """Return the seconds before the next try."""
    pause = _pause_of(state)
    return min(2.0, 0.1 * 2 ** (state.attempt_number - 1)) if pause is None else pause


def is_enough(state: RetryCallState) -> bool:
    """True when it was tried often enough, or the server wants a longer pause than anybody waits."""
    return state.attempt_number >= TRIES or (_pause_of(state) or 0.0) > LONGEST


def _pause_of(state: RetryCallState) -> float | None:
    outcome = state.outcome
    return None if outcome is None or outcome.failed else asked_pause(outcome.result())
