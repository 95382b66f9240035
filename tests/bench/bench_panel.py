"""What a person sees of 10,000 jobs, and when: first rows, one change, 1,000 of them a second; size, memory.

Then a way through ten times as many, beside the same way through these.

In a real Chromium against a real JupyterLab. The changes go through the store and the server's live
connection as those of real jobs do; server and browser share the machine.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import harness
import lab
from grid_walk import STEPS, TAB, walked
from store_of_jobs import filled

import jupyter_tapis_jobs
from jupyter_tapis_jobs.model.times import parse_iso

ROW = ".tj-Jobs .ag-row .tj-State"
CONNECT = "import jupyter_tapis_jobs as tj\ntapis = tj.connect()"
#: The least that a widget can be: what Lab, the kernel and the widgets' own machinery take.
BARE = """\
import anywidget
class Bare(anywidget.AnyWidget):
    _esm = "export default { render({ el }) { el.innerHTML = '<b class=bare>here</b>'; } }"
Bare()
"""
#: Changes a second of a storm, and how long it lasts (s); those of the long watch of the memory.
STORM, STORM_SECONDS = 1000, 10.0
STEADY, STEADY_SECONDS, LOOKS = 100, 600.0, 40
#: So many times the jobs are in the store of the way.
MORE = 10
#: Changes that are looked at one by one; one value is their median.
SINGLE = 20


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(10_000, 500)
    if reason := lab.why_not():
        harness.say(f"skipped: {reason}")
        return
    with harness.folder() as place:
        filled(place / "data" / "tapisjobs", count)
        with lab.lab_server(place) as server, lab.chromium() as browser:
            harness.engine_ready(server.line())
            rows = [
                *_first_paint(plan, browser, server, place / "root", count),
                *_way(plan, browser, server, place / "more", count),
                *_changes(plan, browser, server, count),
                *_memory(plan, browser, server),
            ]
    harness.table([*rows, *_sizes()])


# --- first rows -------------------------------------------------------------------------------
def _first_paint(
    plan: harness.Plan, browser: Any, server: harness.BenchServer, root: Path, count: int
) -> Iterator[harness.Row]:
    def cell(code: str, seen: str) -> Callable[[], float]:
        def measured() -> float:
            with lab.notebook(browser, server, root, CONNECT, code) as page:
                lab.run_cell(page, 0)
                _await(page, seen)
                lab.run_cell(page, 1)
                return since_begun(page)

        return measured

    def tab() -> float:
        with lab.opened(browser, server) as page:
            _await(page, ROW)
            page.evaluate("name => eyes.command(name)", TAB)
            return since_begun(page)

    panel, bare, whole = harness.interleaved(plan.pairs, cell("tapis.panel()", ROW), cell(BARE, ".bare"), tab)
    what = f"first rows of {count:,} jobs"
    yield harness.Row(
        what=f"{what}, from the keys that run `tapis.panel()`", ours=panel, goal="1 s", told="more",
        against="a widget with one word", theirs=bare,
    )  # fmt: skip
    yield harness.Row(what=f"{what}, from Lab's command on, first time on the page", ours=whole, goal="1 s",
                      against="no floor")  # fmt: skip


def _await(page: Any, selector: str, words: str = "") -> None:
    """Begin to watch for something that matches and says this."""
    page.evaluate("([selector, words]) => eyes.await(selector, words)", [selector, words])


def since_begun(page: Any) -> float:
    """Return the seconds from the keys or the command until what was awaited is on the screen."""
    return float(page.evaluate("eyes.awaited.then(seen => seen - eyes.begun)")) / 1000


# --- a way through many -----------------------------------------------------------------------
def _way(
    plan: harness.Plan, browser: Any, few: harness.BenchServer, place: Path, count: int
) -> Iterator[harness.Row]:
    """Go the same way through *count* jobs and through ``MORE`` times as many, in turns."""
    ours: list[list[float]] = []
    theirs: list[list[float]] = []
    filled(place / "data" / "tapisjobs", MORE * count)
    with lab.lab_server(place) as many:
        harness.engine_ready(many.line())
        sides = [(ours, many, MORE * count), (theirs, few, count)]
        for number in range(plan.pairs):
            for values, server, jobs in sides if number % 2 == 0 else reversed(sides):
                values.append(walked(browser, server, jobs))
            harness.say(f"  {number + 1}/{plan.pairs}: {ours[-1]} {theirs[-1]}")
    for what, of_many, of_few in zip(STEPS, zip(*ours, strict=True), zip(*theirs, strict=True), strict=True):
        yield harness.Row(what=f"{MORE * count:,} jobs in the page: {what}", ours=of_many,
                          against=f"{count:,} jobs", theirs=of_few)  # fmt: skip


# --- changes ----------------------------------------------------------------------------------
def _changes(
    plan: harness.Plan, browser: Any, server: harness.BenchServer, count: int
) -> Iterator[harness.Row]:
    line = server.line()
    with lab.opened(browser, server) as page:
        page.evaluate("name => eyes.command(name)", TAB)
        page.evaluate("selector => eyes.seen(selector)", ROW)
        uuids = moved(line, "jobs", count=plan.size(1000, 200))
        page.evaluate("selector => eyes.seen(selector)", row_of(uuids[-1]))
        late: list[float] = []
        storms: list[Storm] = []
        for number in range(plan.pairs):
            one = [_pixel(page, line, uuids[-1 - n % 10]) for n in range(plan.size(SINGLE, 4))]
            late.append(harness.percentile(one, 0.5))
            storms.append(Storm(page, line, uuids, plan.size(10, 2)))
            harness.say(f"  {number + 1}/{plan.pairs}: change {late[-1] * 1000:.0f} ms, {storms[-1]}")
    what = f"{STORM:,} changes a second for {plan.size(10, 2)} s, {count:,} jobs"
    row = harness.Row
    yield row(what="one change of state, from its time in the history to the screen", ours=late,
              against="no floor", goal="0.5 s")  # fmt: skip
    made = [storm.rate for storm in storms]
    yield row(what=f"{what}: changes a second that were made", ours=made, unit="", against="no floor")
    yield row(what=f"{what}: paints a second, at most", ours=[storm.paints for storm in storms], unit="",
              against="no floor", goal="10")  # fmt: skip
    yield row(what=f"{what}: longest task of the page", ours=[storm.longest for storm in storms],
              against="its CPU alone", theirs=[storm.work for storm in storms],
              goal="100 ms at the median")  # fmt: skip
    yield row(what=f"{what}: last change to the screen", ours=[storm.late for storm in storms],
              against="no floor")  # fmt: skip


def _pixel(page: Any, line: harness.Line, uuid: str) -> float:
    """Move one job in view; return the seconds from its entry in the history until it is on the screen."""
    now = page.evaluate("selector => document.querySelector(selector).textContent", row_of(uuid))
    other = "RUNNING" if "BLOCKED" in now else "BLOCKED"
    _await(page, row_of(uuid), other)
    told = moved(line, "moves", uuids=[uuid], a_second=1000, seconds=0.001)
    return float(page.evaluate("eyes.awaited")) / 1000 - parse_iso(told["created"][uuid])


class Storm:
    """Many changes a second, and what the page made of them."""

    def __init__(self, page: Any, line: harness.Line, uuids: Sequence[str], seconds: float) -> None:
        browser = page.context.browser
        browser.start_tracing(page=page, categories=["toplevel"])
        page.evaluate("eyes.count('.tj-Jobs [col-id=\"status\"]')")
        told = moved(line, "moves", uuids=uuids, a_second=STORM, seconds=seconds)
        seen, last = uuids[-1], told["created"]
        _await(page, row_of(seen), told["status"][seen])
        #: Seconds until the newest row is as it is at last, from its last change on.
        self.late = max(0.0, float(page.evaluate("eyes.awaited")) / 1000 - parse_iso(last[seen]))
        counted = page.evaluate("eyes.counted()")
        self.rate = told["made"] / told["seconds"]
        times = [at / 1000 for at in counted["paints"]]
        #: The most that fall into one second.
        self.paints = float(max((sum(at <= other < at + 1 for other in times) for at in times), default=0))
        self.longest = max(counted["long"], default=0.0) / 1000
        self.held_up = len(counted["long"])
        #: Seconds of CPU of the longest task: what it would take on a machine that does nothing else.
        self.work = _longest_work(json.loads(browser.stop_tracing())["traceEvents"])

    def __str__(self) -> str:
        made = f"{self.rate:.0f} changes and {self.paints:.0f} paints a second"
        held = (
            f"{self.held_up} long tasks, at most {self.longest * 1000:.0f} ms ({self.work * 1000:.0f} of CPU)"
        )
        return f"{made}, {held}, the last change seen after {self.late * 1000:.0f} ms"


def _longest_work(events: Sequence[dict[str, Any]]) -> float:
    """Return the seconds of CPU of the longest task of the page's own thread, by Chromium's trace."""
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    main = [e for e in events if names.get((e["pid"], e.get("tid"))) == "CrRendererMain"]
    return max((e.get("tdur", 0) for e in main if e["name"].endswith("RunTask")), default=0) / 1e6


def row_of(uuid: str) -> str:
    """Return the selector of a job's state."""
    return f'.tj-Jobs .ag-row[row-id="{uuid}"] [col-id="status"]'


def moved(line: harness.Line, what: str, **given: Any) -> Any:
    """Ask the server to make jobs, or to move them."""
    return json.loads(line.ask(f"/bench/{what}", json.dumps(given).encode()))


# --- memory -----------------------------------------------------------------------------------
def _memory(plan: harness.Plan, browser: Any, server: harness.BenchServer) -> Iterator[harness.Row]:
    """Watch the page and the server over many changes: the first fifth is not counted."""
    line, looks = server.line(), plan.size(LOOKS, 5)
    span = plan.size(int(STEADY_SECONDS), 10) / looks
    with lab.opened(browser, server) as page:
        page.evaluate("name => eyes.command(name)", TAB)
        page.evaluate("selector => eyes.seen(selector)", ROW)
        uuids = moved(line, "jobs", count=1000)
        session = page.context.new_cdp_session(page)
        heap: list[tuple[float, float]] = []
        rss: list[tuple[float, float]] = []
        for number in range(looks):
            moved(line, "moves", uuids=uuids, a_second=STEADY, seconds=span)
            heap.append((time.monotonic(), _heap(session)))
            rss.append((time.monotonic(), server.rss()))
            harness.say(f"  {number + 1}/{looks}: page {heap[-1][1]:.1f} MB, server {rss[-1][1]:.0f} MB")
    what = f"over {looks * span / 60:.1f} min of {STEADY} changes a second"
    kept = looks // 5
    for whose, values in (("page", heap), ("server", rss)):
        yield harness.Row(
            what=f"memory of the {whose} {what}: slope", ours=[_slope(values[kept:])], unit="MB a minute",
            against=f"{values[-1][1]:.0f} MB at the end, {values[kept][1]:.0f} MB before",
        )  # fmt: skip


def _heap(session: Any) -> float:
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def _slope(values: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the straight line through the points, a minute."""
    middle, mean = (sum(part) / len(values) for part in zip(*values, strict=True))
    above = sum((at - middle) * (value - mean) for at, value in values)
    return 60 * above / sum((at - middle) ** 2 for at, _ in values)


# --- sizes ------------------------------------------------------------------------------------
def _sizes() -> Iterator[harness.Row]:
    """Tell what travels to a browser, as it is and packed with gzip."""
    panel = Path(jupyter_tapis_jobs.__file__).parent / "panel"
    static = sorted(((lab.bundle() or Path()) / "static").glob("*.js"))
    parts = {
        "read when Lab starts": [path for path in static if path.name.startswith("remoteEntry")],
        "the whole Lab extension": static,
        "the panel in a cell": sorted(panel.iterdir()),
    }
    for what, files in parts.items():
        raw = [path.read_bytes() for path in files]
        packed = sum(len(gzip.compress(content, 6, mtime=0)) for content in raw)
        yield harness.Row(what=f"size of {what}", ours=[sum(map(len, raw)) / 1000], unit="KB",
                          against=f"packed {packed / 1000:.0f} KB")  # fmt: skip


if __name__ == "__main__":
    main()
