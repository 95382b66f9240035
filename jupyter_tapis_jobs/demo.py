"""``jupyter tapisjobs demo``: the first notebook, run against a server of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .client.connection import Connection
from .client.endpoint import OWN_TOKEN, OWN_URL
from .client.tapis import Tapis
from .client.words import duration, is_terminal, state_words
from .model.errors import JobError, TapisJobsError, UnavailableError
from .opensees import opensees_path
from .servers import Server, started

if TYPE_CHECKING:
    from jupyter_client.manager import KernelManager
    from nbclient import NotebookClient
    from nbformat import NotebookNode

NOTEBOOK = "01-first-job.ipynb"
#: Seconds that one cell may take: the job has five minutes.
_CELL_SECONDS = 330
#: A job that does not listen to TERM gets KILL after 30.
_CANCEL_SECONDS = 45
#: Printed at most, of one cell.
_LINES = 24

#: All that ends a program in a terminal ends the demo in order.
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


def run_demo(
    say: Say, *, data_dir: Path | None = None, notebook: Path | None = None, fetch: bool = True
) -> int:
    """Run the first notebook and tell what happens; return the exit code.

    The jobs are kept in *data_dir* (Jupyter's own data folder by default), the notebook with its
    outputs in *notebook*. With *fetch*, OpenSeesPy is fetched where it is not installed. The server
    ends with the demo, also on Ctrl-C, and so do its jobs.
    """
    begun = time.monotonic()
    for number in _STOPS:
        signal.signal(number, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="tapisjobs-demo-"))
    kept = (notebook or folder / NOTEBOOK).resolve()
    packages = opensees_path(_data_folder(data_dir) / "demo-packages", say) if fetch else {}
    say("A Jupyter server of its own starts, with the job engine in it.")
    options = [f"--TapisJobsApp.data_dir={data_dir.resolve()}"] if data_dir else []
    # Settings of the user's own server (a password, a certificate, a base URL) are not for this one.
    plain = {"JUPYTER_CONFIG_DIR": str(folder / "config"), **packages}
    with started(folder, folder / "server.log", environment=plain, options=options) as server:
        say(f"It answers at {server.url} after {duration(time.monotonic() - begun)}.\n")
        done = _run(server, first_notebook(), say, begun)
    _keep(done, kept)
    say(f"\nDone in {duration(time.monotonic() - begun)}. {_next_step(kept)}")
    return 0


def _data_folder(chosen: Path | None) -> Path:
    from jupyter_core.paths import jupyter_data_dir

    return chosen.resolve() if chosen else Path(jupyter_data_dir()) / "tapisjobs"


def first_notebook() -> Path:
    """Return the notebook as it was installed, or as it lies in the sources."""
    package = Path(__file__).parent
    places = (package / "notebooks" / NOTEBOOK, package.parent / "notebooks" / NOTEBOOK)
    for place in places:
        if place.is_file():
            return place
    raise UnavailableError(
        f"{NOTEBOOK} is not in {' or '.join(str(p.parent) for p in places)}: install again."
    )


def _run(server: Server, source: Path, say: Say, begun: float) -> NotebookNode:
    import nbformat

    notebook: NotebookNode = nbformat.reads(source.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    with _told_states(server, say, begun) as jobs:
        try:
            asyncio.run(_execute(notebook, server, say))
        except KeyboardInterrupt:
            _cancel(server, jobs)
            raise KeyboardInterrupt("Stopped; the demo's job and its server are ended.") from None
    return notebook


async def _execute(notebook: NotebookNode, server: Server, say: Say) -> None:
    """Run every cell in one real kernel, which finds the server as any kernel of it does."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    client = NotebookClient(notebook, kernel_name="python3", timeout=_CELL_SECONDS)
    _use_this_python(client.create_kernel_manager())
    environment = {**os.environ, OWN_URL: server.endpoint.url, OWN_TOKEN: server.token}
    folder = server.log.parent
    with (folder / "kernel.log").open("ab") as log:
        starting = client.async_setup_kernel(env=environment, cwd=str(folder), stdout=log, stderr=log)
        async with starting:
            stopped = _stop_on_signals()
            for index, cell in enumerate(notebook.cells):
                try:
                    await _one_cell(client, cell, index, say)
                except CellExecutionError as cause:
                    raise JobError(f"Cell {cell.id} failed: {cause.ename}: {cause.evalue}") from None
                except (asyncio.CancelledError, DeadKernelError):
                    # What nbclient calls a dead kernel may be no more than our own cancelling.
                    if stopped:
                        raise KeyboardInterrupt from None
                    raise


def _use_this_python(manager: KernelManager) -> None:
    """Take this environment's interpreter, whatever the kernel named python3 is on this machine."""
    if manager.kernel_spec is not None:
        manager.kernel_spec.argv[0] = sys.executable


def _stop_on_signals() -> list[int]:
    """Let Ctrl-C end the running cell, and return where it is noted; nbclient's own way would hang."""
    loop, task, stopped = asyncio.get_running_loop(), asyncio.current_task(), list[int]()

    def stop(number: int) -> None:
        stopped.append(number)
        if task is not None:
            task.cancel()

    for number in _STOPS:
        loop.add_signal_handler(number, stop, number)
    return stopped


async def _one_cell(client: NotebookClient, cell: NotebookNode, index: int, say: Say) -> None:
    if cell.cell_type != "code":
        return
    say(f"In [{cell.id}]  {_first_words(cell.source)}")
    await client.async_execute_cell(cell, index)
    for line in _shown(cell.outputs):
        say(f"    {line}")


def _first_words(source: str) -> str:
    first, *rest = source.strip().splitlines()
    return f"{first}  … {len(rest)} more lines" if len(rest) > 1 else first


def _shown(outputs: list[NotebookNode]) -> list[str]:
    """Return what a cell showed, as plain text; a picture is named."""
    lines = [line for output in outputs for line in _text(output).rstrip().splitlines()]
    return lines if len(lines) <= _LINES else [*lines[:_LINES], f"… {len(lines) - _LINES} more lines"]


def _text(output: Mapping[str, Any]) -> str:
    if output["output_type"] == "stream":
        return str(output["text"])
    data = output.get("data") or {}
    if "image/png" in data:
        return f"[a picture: {len(data['image/png']) * 3 // 4000} KB, in the notebook]"
    return str(data.get("text/plain", ""))


# --- the job's states, as they happen ---------------------------------------------------------
@contextmanager
def _told_states(server: Server, say: Say, begun: float) -> Iterator[dict[str, str]]:
    """Say each change of a job's status while the block runs; yields uuid -> last status."""
    jobs: dict[str, str] = {}
    connection = Connection(server.endpoint)
    listening = threading.Event()
    listener = threading.Thread(
        target=_listen, args=(connection, jobs, say, begun, listening), name="demo-states", daemon=True
    )
    listener.start()
    listening.wait(10.0)
    try:
        yield jobs
    finally:
        connection.close()


def _listen(
    connection: Connection, jobs: dict[str, str], say: Say, begun: float, listening: threading.Event
) -> None:
    try:
        with connection.stream("/v3/jobs/events") as stream:
            listening.set()
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    _tell(json.loads(line.removeprefix("data:")), jobs, say, begun)
    except (TapisJobsError, RuntimeError, OSError):
        # The server has ended, or the connection was closed at the end of the demo.
        listening.set()


def _tell(news: Mapping[str, Any], jobs: dict[str, str], say: Say, begun: float) -> None:
    job = news.get("job") or {}
    uuid, status = str(job.get("uuid") or ""), str(job.get("status") or "")
    if not uuid or jobs.get(uuid) == status:
        return
    jobs[uuid] = status
    words = state_words(status)
    say(f"{time.monotonic() - begun:6.1f} s  {words.glyph} {job.get('name')}  {status:<17} {words.words}")


def _cancel(server: Server, jobs: Mapping[str, str]) -> None:
    """A job outlives its server; the demo's should not outlive the demo."""
    active = [uuid for uuid, status in jobs.items() if not is_terminal(status)]
    if active:
        tapis = Tapis(Connection(server.endpoint))
        tapis.cancel(active)
        tapis.wait(active, timeout=_CANCEL_SECONDS, progress=False)


# --- the end ----------------------------------------------------------------------------------
def _keep(notebook: NotebookNode, path: Path) -> None:
    import nbformat

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")  # type: ignore[no-untyped-call]


def _next_step(notebook: Path) -> str:
    how = f"Open it in JupyterLab:\n\n    jupyter lab {shlex.quote(str(notebook))}\n"
    lab = "" if find_spec("jupyterlab") else "\nJupyterLab is not installed here: pip install jupyterlab\n"
    return f"The notebook with its results is kept. {how}{lab}"
