"""Asks a server for /api/status at fixed times from a process of its own; prints the latencies as JSON.

``python probe.py URL TOKEN``; it ends with its input. A question that could not be asked in time
counts from the time when it was due, so that a server that stands still is seen as long as it stands.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable

import harness

#: Seconds between two questions.
_GAP = 0.05


def main() -> None:
    line = harness.Line(sys.argv[1], sys.argv[2])
    ended = threading.Event()
    threading.Thread(target=_when_input_ends, args=(ended.set,), daemon=True).start()
    line.ask("/api/status")
    print("ready", flush=True)
    taken: list[float] = []
    due = time.perf_counter()
    while not ended.wait(max(0.0, due - time.perf_counter())):
        line.ask("/api/status")
        taken.append(time.perf_counter() - due)
        due += _GAP
    print(json.dumps(taken), flush=True)


def _when_input_ends(call: Callable[[], None]) -> None:
    sys.stdin.read()
    call()


if __name__ == "__main__":
    main()
