"""The worker of a server: calls functions that packages offer with jobs, and answers with what they return.

Started by the server as ``python -m jupyter_tapis_jobs.client.process_worker``. Tasks come as lines of JSON
on the input, answers go as lines of JSON to the output; what functions print goes the way of errors. The
input closes when the server has no more to do or is gone: then this process ends, and all it has started.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from importlib.metadata import entry_points
from typing import IO, Any

from ..model.errors import NotFoundError
from ..model.processing import GROUP, Outcome
from .connection import Connection
from .endpoint import Endpoint, sign_in
from .job import Job
from .processing import outcome_of
from .tapis import Tapis

Function = Callable[[Job], Any]


def main() -> None:
    """Answer tasks until the input ends."""
    tasks, answers = _own_streams()
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(tasks, waiting), name="tasks", daemon=True).start()
    _write(answers, {})
    while True:
        outcome = processed(json.loads(waiting.get()))
        sys.stdout.flush()
        sys.stderr.flush()
        _write(answers, {"result": outcome.result, "problem": outcome.problem})


def processed(task: Mapping[str, str]) -> Outcome:
    """Call the function ``name`` with the ``job`` of the server at ``url``, signed in by ``token``."""
    endpoint = Endpoint(url=task["url"].rstrip("/"), headers=sign_in(task["token"]))

    def work() -> Any:
        with closing(Connection(endpoint)) as connection:
            return _function(task["name"])(Tapis(connection).job(task["job"]))

    return outcome_of(task["name"], work)


def _function(name: str) -> Function:
    found = list(entry_points(group=GROUP, name=name))
    if not found:
        raise NotFoundError(f"No installed package offers the function {name} any more (group {GROUP!r}).")
    function: Function = found[0].load()
    return function


def _own_streams() -> tuple[IO[str], IO[str]]:
    """Return the input and the output, which no function can disturb from now on."""
    tasks, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return tasks, answers


def _read(tasks: IO[str], waiting: queue.SimpleQueue[str]) -> None:
    for line in tasks:
        waiting.put(line)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _write(answers: IO[str], told: Mapping[str, Any]) -> None:
    answers.write(json.dumps(told) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
