"""What all benchmarks share: interleaved pairs on tmpfs, real servers with and without us, one kind of table.

A benchmark reports and never fails for being slow. What it measures stands beside a floor or a peer
that ran in turns with it on the same machine, so that a busy machine makes both slow.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from jupyter_tapis_jobs.client.connection import Connection
from jupyter_tapis_jobs.client.endpoint import Endpoint, sign_in
from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.servers import free_port, last_words, root_options, stop

T = TypeVar("T")

PAIRS, QUICK_PAIRS = 5, 2
CORES = len(os.sched_getaffinity(0))
SERVER_SECONDS = 60.0
#: Jobs of one bulk call.
AT_ONCE = 1000
#: What a trivial job runs: no process besides the shell itself.
SCRIPT = "read -r line < script.sh\necho $((6 * 7)) > answer.txt\necho done\n"


# --- how much is run --------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Plan:
    """How many pairs, and which size: the real one, or a small one to see that it works."""

    pairs: int
    quick: bool

    def size(self, real: int, quick: int) -> int:
        """Return the number of things to work on."""
        return quick if self.quick else real


def plan(description: str) -> Plan:
    """Read the command line: ``--quick``, ``--pairs N``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small sizes and two pairs")
    parser.add_argument("--pairs", type=int, help=f"pairs to measure (default {PAIRS})")
    given = parser.parse_args()
    return Plan(given.pairs or (QUICK_PAIRS if given.quick else PAIRS), given.quick)


@contextmanager
def folder() -> Iterator[Path]:
    """Make a folder for the data, on tmpfs where there is one, and remove it afterwards."""
    shm = Path("/dev/shm")
    place = shm if os.access(shm, os.W_OK) else None
    made = Path(tempfile.mkdtemp(prefix="tapisjobs-bench-", dir=place))
    # What clients keep of outputs goes there too, not into anybody's home.
    os.environ["XDG_CACHE_HOME"] = str(made / "cache")
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def say(text: str) -> None:
    """Tell of the way; the table alone goes to stdout."""
    print(text, file=sys.stderr, flush=True)


# --- measuring --------------------------------------------------------------------------------
def seconds(work: Callable[[], Any]) -> float:
    """Return how long *work* takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(pairs: int, *sides: Callable[[], float]) -> list[list[float]]:
    """Measure the sides in turns, each other turn in the opposite order; return the values of each side."""
    values: list[list[float]] = [[] for _ in sides]
    for number in range(pairs):
        order = range(len(sides)) if number % 2 == 0 else reversed(range(len(sides)))
        for side in order:
            values[side].append(sides[side]())
        say(f"  {number + 1}/{pairs}: " + "  ".join(f"{found[-1]:.4g}" for found in values))
    return values


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that *share* (0 to 1) of *values* do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def until(condition: Callable[[], T], limit: float = 300.0, gap: float = 0.05) -> T:
    """Return what *condition* gives as soon as it is true; another process makes it so."""
    pause, deadline = threading.Event(), time.monotonic() + limit
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still not so after {limit:.0f} s")
        pause.wait(gap)
    return found


# --- the table --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: ours beside what it is measured against, in the same unit, pair by pair."""

    what: str
    ours: Sequence[float]
    against: str
    theirs: Sequence[float] = ()
    unit: str = "s"
    goal: str = ""
    #: What is told of the pair: the ``ratio`` ours / theirs, or what ours is ``more``.
    told: str = "ratio"


_HEAD = ("what", "median (min-max)", "measured against", "median (min-max)", "of it", "goal")


def table(rows: Sequence[Row]) -> None:
    """Print the rows as Markdown."""
    lines = [_HEAD, tuple("---" for _ in _HEAD), *map(_cells, rows)]
    print("\n".join("| " + " | ".join(line) + " |" for line in lines), flush=True)


def _cells(row: Row) -> tuple[str, ...]:
    theirs = _spread(row.theirs, row.unit) if row.theirs else ""
    return row.what, _spread(row.ours, row.unit), row.against, theirs, _compared(row), row.goal


def _compared(row: Row) -> str:
    if not row.theirs:
        return ""
    pairs = list(zip(row.ours, row.theirs, strict=True))
    if row.told == "more":
        return f"{_spread([ours - theirs for ours, theirs in pairs], row.unit)} more"
    return _spread([ours / theirs for ours, theirs in pairs], "×")


def _spread(values: Sequence[float], unit: str) -> str:
    if unit == "s" and statistics.median(values) < 1.0:
        values, unit = [value * 1000 for value in values], "ms"
    middle, low, high = (f"{value:.3g}" if value < 1000 else f"{value:.0f}"
                         for value in (statistics.median(values), min(values), max(values)))  # fmt: skip
    alone = len(values) == 1
    return f"{middle} {unit}" if alone else f"{middle} {unit} ({low}-{high})"


# --- servers ----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class BenchServer:
    """A real Jupyter server that this process started."""

    #: With a slash at the end.
    url: str
    token: str = field(repr=False)
    process: subprocess.Popen[bytes] = field(repr=False)
    #: Its data folder: the store and the jobs.
    data: Path
    #: Seconds from the start of the process until ``/api`` answered.
    came_up: float

    def tapis(self) -> Tapis:
        """Return a client of its API."""
        return Tapis(Connection(Endpoint(url=f"{self.url}tapis", headers=sign_in(self.token), own=True)))

    def line(self) -> Line:
        """Return a plain HTTP connection to it."""
        return Line(self.url, self.token)

    def rss(self) -> float:
        """Return the resident memory of the server's process in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:", 1)[1].split(None, 1)[0]) / 1024

    def forget_peak(self) -> None:
        """Let ``peak`` tell of what comes from now on."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak(self) -> float:
        """Return the most resident memory that the server's process has had, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:", 1)[1].split(None, 1)[0]) / 1024

    def cpu(self) -> float:
        """Return the seconds of CPU that the server's process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Line:
    """One kept connection without any client's own work on it."""

    def __init__(self, url: str, token: str) -> None:
        place = urlsplit(url)
        self._http = http.client.HTTPConnection(place.hostname or "", place.port, timeout=120)
        self._headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}

    def ask(self, path: str, body: bytes | None = None, method: str = "") -> bytes:
        """Return the body of the answer; raises when it is not a good one."""
        self._http.request(method or ("POST" if body else "GET"), path, body=body, headers=self._headers)
        answer = self._http.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{path}: {answer.status} {content[:500]!r}")
        return content

    def result(self, path: str, body: Any = None, method: str = "") -> Any:
        """Return the ``result`` of an answer of the Tapis API."""
        sent = None if body is None else json.dumps(body).encode()
        return json.loads(self.ask(f"/tapis{path}", sent, method))["result"]


@contextmanager
def server(
    place: Path,
    *options: str,
    ours: bool = True,
    module: str = "jupyter_server",
    python: str = sys.executable,
    more: Mapping[str, str] | None = None,
) -> Iterator[BenchServer]:
    """Run a Jupyter server below *place* while the block runs, with our extension or without it.

    The same place again finds its jobs again. All other extensions of the environment are the same.
    *module* is run with *python*, with *more* in its environment.
    """
    names = {"JUPYTER_DATA_DIR": "data", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime",
             "IPYTHONDIR": "ipython"}  # fmt: skip
    root, log, port, token = place / "root", place / "server.log", free_port(), "b" * 40
    root.mkdir(parents=True, exist_ok=True)
    own = {name: str(place / part) for name, part in names.items()}
    env = {**os.environ, "JUPYTER_TOKEN": token, **own, **(more or {})}
    command = [
        python, "-m", module, f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        "--ServerApp.ip=127.0.0.1", "--ServerApp.open_browser=False", f"--ServerApp.root_dir={root}",
        f"--ServerApp.jpserver_extensions=jupyter_tapis_jobs={ours}", *root_options(), *options,
    ]  # fmt: skip
    begun = time.perf_counter()
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait_for_answer(process, url, token, log)
        came_up = time.perf_counter() - begun
        data = Path(env["JUPYTER_DATA_DIR"]) / "tapisjobs"
        yield BenchServer(url=url, token=token, process=process, data=data, came_up=came_up)
    finally:
        stop(process)


def _wait_for_answer(process: subprocess.Popen[bytes], url: str, token: str, log: Path) -> None:
    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended as it started:\n{last_words(log)}")
        try:
            return bool(Line(url, token).ask("/api"))
        except OSError:
            return False

    until(answers, SERVER_SECONDS, 0.005)


def engine_ready(line: Line) -> str:
    """Wait until the engine carries jobs; return its state."""
    return str(until(lambda: line.result("/v3/jobs/readycheck")["status"], SERVER_SECONDS, 0.01))


# --- jobs -------------------------------------------------------------------------------------
def request(number: int, script: str = SCRIPT) -> dict[str, Any]:
    """Return the Tapis request of one trivial job, its script inside."""
    text = base64.b64encode(script.encode()).decode()
    return {
        "name": f"bench-{number:05d}",
        "appId": "bash",
        "appVersion": "1.0",
        "fileInputs": [{"name": "script", "sourceUrl": f"data:text/plain;base64,{text}"}],
    }


def bulk_body(count: int, script: str = SCRIPT) -> bytes:
    """Return the body of one bulk call."""
    return json.dumps([request(number, script) for number in range(count)]).encode()


def submitted(line: Line, body: bytes) -> list[str]:
    """Make one bulk call; return the uuids. Raises when a request was refused."""
    rows = json.loads(line.ask("/tapis/v3/jobs/submit/bulk", body))["result"]
    refused = [row for row in rows if "uuid" not in row]
    if refused:
        raise RuntimeError(f"{len(refused)} requests were refused, the first: {refused[0]}")
    return [row["uuid"] for row in rows]


def until_idle(line: Line, limit: float = 300.0) -> None:
    """Wait until no job of the server has anything left to do."""
    path = "/v3/jobs/search?status.nin=FINISHED,FAILED,CANCELLED&select=uuid&limit=1"
    until(lambda: not line.result(path), limit, 0.1)


def cleared(line: Line, uuids: Sequence[str]) -> None:
    """Cancel the jobs and wait until they are gone."""
    for start in range(0, len(uuids), AT_ONCE):
        line.result("/v3/jobs/cancel/bulk", {"uuids": list(uuids[start : start + AT_ONCE])})
    until_idle(line)


def prepared_directories(place: Path, count: int, script: str = SCRIPT) -> list[Path]:
    """Make the directories of the bare loop, each with its script."""
    places = [place / f"{number:05d}" for number in range(count)]
    for one in places:
        one.mkdir(parents=True)
        (one / "script.sh").write_text(script)
    return places


def bare_loop(places: Sequence[Path]) -> None:
    """Run the same scripts, as many at a time, with ``xargs`` and nothing else; check that all were run."""
    start = 'cd "$0" && exec bash script.sh > tapisjob.out 2>&1 < /dev/null'
    listed = "\0".join(map(str, places)).encode()
    subprocess.run(["xargs", "-0", "-P", str(CORES), "-n", "1", "sh", "-c", start], input=listed, check=True)
    missing = sum(not (one / "answer.txt").exists() for one in places)
    if missing:
        raise RuntimeError(f"{missing} of {len(places)} scripts left no answer")


def child_environment(**more: str) -> Mapping[str, str]:
    """Return the environment of a measured process: this one's, with *more*."""
    return {**os.environ, **more}
