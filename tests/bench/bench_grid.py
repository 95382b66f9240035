"""What the grid asks of 100,000 jobs over REST: a page anywhere, found, filtered, sorted; counts on chips."""

from __future__ import annotations

import itertools
import json
import random
import statistics
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlencode

import harness
from store_of_jobs import filled

#: What the grid shows of a row (labextension/src/core/jobs.ts).
FIELDS = (
    "summaryAttributes,lastMessage,jobType,execSystemLogicalQueue,nodeCount,coresPerNode,maxMinutes,"
    "remoteJobId,launchMode,tags"
)
PAGE = 100
#: Calls of one kind in a round.
CALLS = 100
_FAILED = "status IN ('FAILED')"
_SORTED = ("status", "name", "lastMessage", "appId", "execSystemId", "execSystemLogicalQueue", "created")


class Grid:
    """Calls as the grid makes them, at places of the list that a repeatable chance chooses."""

    def __init__(self, line: harness.Line, count: int) -> None:
        self._line = line
        self._count = count
        self._chance = random.Random(1)

    def page(self, skip: int = 0, order: str = "created(desc)", where: str = "", **more: str) -> None:
        """Fetch one page of rows and how many there are in all."""
        given = {"select": FIELDS, "limit": PAGE, "skip": skip, "orderBy": order, "computeTotal": "true"}
        body = json.dumps({"search": [where]}).encode()
        answer = json.loads(self._line.ask(f"/tapis/v3/jobs/search?{urlencode({**given, **more})}", body))
        if not answer["result"] or answer["metadata"]["totalCount"] < len(answer["result"]):
            raise RuntimeError(f"a page is empty: {given} {where} {more}")

    def kinds(self) -> Mapping[str, Callable[[], object]]:
        """Return what a person does -> the call that follows."""
        columns = itertools.cycle(itertools.product(_SORTED, ("asc", "desc")))
        return {
            "the newest": self.page,
            "any page": lambda: self.page(self._anywhere()),
            "one state": lambda: self.page(where=_FAILED),
            "any page of one state": lambda: self.page(self._anywhere() // 20, where=_FAILED),
            "sorted by any column": lambda: self.page(order=_order(*next(columns))),
            "any page, sorted by any column": lambda: self.page(self._anywhere(), _order(*next(columns))),
            "found by a name": lambda: self.page(text=f"bench-{self._anywhere():06d}"),
            "found by a word that all have": lambda: self.page(text="bench"),
            "found by two words, one state": lambda: self.page(text="bench local", where=_FAILED),
            "numbers on the chips": lambda: self._line.result("/v3/tapisjobs/jobs/counts"),
        }  # fmt: skip

    def _anywhere(self) -> int:
        return self._chance.randrange(self._count - PAGE)


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(100_000, 2_000)
    with harness.folder() as place:
        filled(place / "data" / "tapisjobs", count)
        with harness.server(place) as server:
            line = server.line()
            harness.engine_ready(line)
            harness.table(list(_rows(plan, server, Grid(line, count), count)))


def _rows(plan: harness.Plan, server: harness.BenchServer, grid: Grid, count: int) -> Iterator[harness.Row]:
    line, calls = server.line(), plan.size(CALLS, 14)
    for what, call in grid.kinds().items():
        call()
        ours: list[list[float]] = []
        theirs: list[float] = []
        used = 0.0
        for _ in range(plan.pairs):
            used -= server.cpu()
            ours.append([harness.seconds(call) for _ in range(calls)])
            used += server.cpu()
            theirs.append(statistics.median(harness.seconds(lambda: line.ask("/api")) for _ in range(calls)))
        harness.say(f"  {what}: {used / plan.pairs / calls * 1000:.1f} ms of the server's CPU a call")
        for part, share in (("p50", 0.5), ("p99", 0.99)):
            taken = [harness.percentile(round_, share) for round_ in ours]
            harness.say(f"  {what}, {part}: {statistics.median(taken) * 1000:.1f} ms")
            yield harness.Row(what=f"page of {PAGE} of {count:,} jobs, {what}: {part}", ours=taken,
                              against="Jupyter's own `GET /api`, p50", theirs=theirs)  # fmt: skip


def _order(column: str, way: str) -> str:
    return f"{column}({way})"


if __name__ == "__main__":
    main()
