"""A person's way through the grid of jobs: to its end, to one job, to another order, to the failed ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import harness
import lab

TAB = "tapisjobs:open-jobs"
GRID, BAR = ".tj-Jobs .ag-row", ".tj-Jobs .ag-grid-viewport"
#: What is measured, in the order of the way.
STEPS = (
    "first rows, by Lab's command",
    "the last row, by the bar",
    "a job by its name (250 ms wait for the next key)",
    "sorted by name",
    "only what failed, by the filter of the column",
)


def walked(browser: Any, server: harness.BenchServer, count: int) -> list[float]:
    """Go the way among *count* jobs of ``store_of_jobs``; return the seconds of each of ``STEPS``."""
    first, middle, last = name(count - 1), name(count // 2), name(0)
    with lab.opened(browser, server) as page:
        return [
            _step(page, lambda: page.evaluate("name => eyes.command(name)", TAB), 0, first),
            _step(page, lambda: page.evaluate("bar => eyes.scrollToEnd(bar)", BAR), count - 1, last),
            _step(page, lambda: _type(page, middle), 0, middle),
            _sorted(page, count),
            _filtered(page),
        ]


def name(number: int) -> str:
    """Return the name of a job in the store."""
    return f"bench-{number:06d}"


def _step(page: Any, act: Callable[[], object], index: int, words: str) -> float:
    """Return the seconds from an act until a row, counted from 0, is there with these words."""
    selector = f'{GRID}[row-index="{index}"] [col-id="name"]'
    page.evaluate("([selector, words]) => eyes.await(selector, words)", [selector, words])
    act()
    return float(page.evaluate("eyes.awaited.then(seen => seen - eyes.begun)")) / 1000


def _type(page: Any, words: str) -> None:
    page.evaluate("words => eyes.type('.tj-Jobs .tj-Search', words)", words)


def _sorted(page: Any, count: int) -> float:
    """The names downwards come as the newest did; upwards is another order."""
    head = page.locator('.tj-Jobs .ag-header-cell[col-id="name"] .ag-header-cell-label')
    _step(page, lambda: _type(page, ""), 0, name(count - 1))
    _step(page, head.click, 0, name(count - 1))
    return _step(page, head.click, 0, name(0))


def _filtered(page: Any) -> float:
    """Each twentieth has failed: the second of them is the second row then."""
    head = page.locator('.tj-Jobs .ag-header-cell[col-id="status"]')
    head.hover()
    head.locator(".ag-header-cell-filter-button").click()
    choice = page.get_by_role("form", name="Filter by").get_by_label("FAILED")
    return _step(page, choice.check, 1, name(20))
