"""How long a server takes until it answers, with the extension and without; and until its engine is ready."""

from __future__ import annotations

import time
from pathlib import Path

import harness


def main() -> None:
    plan = harness.plan(__doc__ or "")
    ready: list[float] = []
    with harness.folder() as place:
        # The first start of all makes the data folder, the keys and the store.
        first = _with_us(place / "ours", [])
        _without(place / "bare")
        ours, theirs = harness.interleaved(
            plan.pairs, lambda: _with_us(place / "ours", ready), lambda: _without(place / "bare")
        )
    harness.say(f"the very first start, which makes the data folder: /api answers after {first:.2f} s")
    row = harness.Row
    harness.table(
        [
            row(what="start until `/api` answers", ours=ours, against="a server without the extension",
                theirs=theirs, told="more", goal="0.3 s more"),
            row(what="start until the engine is ready", ours=ready, against="until its `/api` answers",
                theirs=ours, told="more", goal="3 s more"),
        ]
    )  # fmt: skip


def _with_us(place: Path, ready: list[float]) -> float:
    begun = time.perf_counter()
    with harness.server(place) as server:
        harness.engine_ready(server.line())
        ready.append(time.perf_counter() - begun)
        return server.came_up


def _without(place: Path) -> float:
    with harness.server(place, ours=False) as server:
        return server.came_up


if __name__ == "__main__":
    main()
